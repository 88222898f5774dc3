"""Who has compared emoji with the bot: the conversation of a verification, in a room or between two devices.

Owns the flows that are under way, in memory alone: one that a restart cuts is begun again by the person. The emoji are shown in the
chat, and the person says there whether they are the same (`!verify yes`); nothing is confirmed by itself unless a setting says so.

    await verifying.take("m.key.verification.request", "@ann:example.org", content, room)
    await verifying.answered("@ann:example.org", room, yes=True)

Source: https://spec.matrix.org/v1.13/client-server-api/#key-verification-framework
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

from bot.channels.matrix_crypto_sas import METHOD, Cancelled, Party, Sas
from bot.locale import Text, phrases
from bot.logs import Logger

_ = phrases(__file__)

Json = dict[str, Any]
Verification = Literal["ask", "accept", "off"]
log = Logger(__name__)

KIND: Final = "m.key.verification."
LIVES_S: Final = 600.0
AT_ONCE: Final = 20
_SKEW_S: Final = 300.0


class House(Protocol):
    """What a verification needs of the rest of encryption."""

    async def party(self, user: str, device: str) -> Party | None:
        """Return a device as it is known now, None for none."""
        ...

    async def own_party(self) -> Party:
        """Return this device."""
        ...

    def may_verify(self, user: str) -> bool:
        """Say whether a person may ask at all."""
        ...

    async def room_with(self, user: str) -> str:
        """Return the direct chat with a person, "" for none."""
        ...

    async def believe(self, theirs: Party, identity: str) -> None:
        """Know that a device, and the identity ("" for none), are a person's own."""
        ...

    async def send_device(self, kind: str, user: str, device: str, content: Json) -> None:
        """Send to one device."""
        ...

    async def send_room(self, room: str, kind: str, content: Json, txn: str) -> None:
        """Send into a room, encrypted where it is."""
        ...

    async def say(self, room: str, user: str, said: Text, txn: str) -> None:
        """Tell a person something in a room, in their language."""
        ...


@dataclass
class _Flow:
    id: str
    user: str
    device: str
    room: str
    """Where its messages go; "" for device to device."""
    shown_in: str
    began_at: float
    sas: Sas | None = None
    shown: bool = False
    answers: int = field(default=0)


class Verifying:
    """All verifications of one account."""

    def __init__(self, house: House, *, mode: Verification = "ask", now: Callable[[], float] = time.time) -> None:
        """Ask `house`; with the mode "accept" a person's own comparing is enough, with "off" nobody is verified."""
        self._house, self._mode, self._now = house, mode, now
        self._flows: dict[str, _Flow] = {}

    async def take(self, kind: str, sender: str, content: Json, room: str = "", event: str = "") -> None:
        """Take one message of a verification. What is out of order, or of a stranger, changes nothing or cancels it."""
        flow_id = _flow_id(kind, content, room, event)
        if not flow_id or self._mode == "off" or not self._house.may_verify(sender):
            return
        self._end_old()
        flow = self._flows.get(flow_id)
        if flow is not None and (flow.user, flow.room) != (sender, room):
            return
        try:
            match kind.removeprefix(KIND):
                case "request":
                    await self._requested(flow_id, sender, content, room)
                case "start":
                    await self._started(flow_id, flow, sender, content, room)
                case "key" if flow is not None and flow.sas is not None:
                    await self._send(flow, "key", flow.sas.key(content))
                    await self._show(flow, flow.sas)
                case "mac" if flow is not None and flow.sas is not None:
                    flow.sas.mac(content)
                    await self._done_where_both(flow, flow.sas)
                case "cancel":
                    await self._cancelled(flow)
        except Cancelled as cancelled:
            flow = self._flows.pop(flow_id, flow)
            if flow is not None:
                await self._send(flow, "cancel", {"code": cancelled.code, "reason": cancelled.code})

    async def answered(self, user: str, room: str, *, yes: bool) -> bool:
        """Take a person's word for the emoji that were shown to them there; False where none were."""
        flow = next((one for one in self._flows.values() if one.user == user and one.shown_in == room and one.shown), None)
        if flow is None or flow.sas is None or flow.sas.confirmed:
            return False
        if yes:
            await self._send(flow, "mac", flow.sas.confirm())
            await self._done_where_both(flow, flow.sas)
        else:
            del self._flows[flow.id]
            await self._send(flow, "cancel", {"code": "m.mismatched_sas", "reason": "m.mismatched_sas"})
            said = _("Then I did not take it for yours. Somebody may stand between us: check with your homeserver's admin.")
            await self._house.say(room, user, said, f"{flow.id}-no")
        return True

    async def _requested(self, flow_id: str, sender: str, content: Json, room: str) -> None:
        own = await self._house.own_party()
        at, methods = content.get("timestamp"), content.get("methods")
        stale = isinstance(at, int) and not (self._now() - LIVES_S) * 1000 < at < (self._now() + _SKEW_S) * 1000
        if stale or not isinstance(methods, list) or METHOD not in methods or (room and content.get("to") != own.user):
            return
        flow = await self._begun(flow_id, sender, content, room)
        if flow is not None:
            await self._send(flow, "ready", {"from_device": own.device, "methods": [METHOD]})

    async def _begun(self, flow_id: str, sender: str, content: Json, room: str) -> _Flow | None:
        device = content.get("from_device")
        if not isinstance(device, str) or await self._house.party(sender, device) is None:
            return None
        for old in [one for one in self._flows.values() if one.user == sender]:
            del self._flows[old.id]
            await self._send(old, "cancel", {"code": "m.user", "reason": "begun anew"})
        if len(self._flows) >= AT_ONCE:
            return None
        flow = _Flow(flow_id, sender, device, room, room or await self._house.room_with(sender), self._now())
        self._flows[flow_id] = flow
        return flow

    async def _started(self, flow_id: str, flow: _Flow | None, sender: str, content: Json, room: str) -> None:
        if flow is None and not room:
            flow = await self._begun(flow_id, sender, content, room)
        if flow is None:
            return
        theirs = await self._house.party(sender, flow.device)
        if content.get("from_device") != flow.device or theirs is None or flow.sas is not None:
            raise Cancelled("m.unexpected_message")
        flow.sas = Sas(await self._house.own_party(), theirs, flow_id)
        await self._send(flow, "accept", flow.sas.start(content))

    async def _show(self, flow: _Flow, sas: Sas) -> None:
        emoji = sas.emoji()
        flow.shown = True
        if flow.shown_in:
            said = _(
                "To verify me, compare: {emoji}\n\nDoes your app show the same, in the same order? Write !verify yes or !verify no.",
                emoji="  ".join(f"{sign} {english} ({korean})" for sign, english, korean in emoji),
            )
            await self._house.say(flow.shown_in, flow.user, said, f"{flow.id}-emoji")
        else:
            log.info("the emoji of a device that is to be verified", device=flow.device, emoji=" ".join(one[0] for one in emoji))
        if self._mode == "accept":
            await self.answered(flow.user, flow.shown_in, yes=True)

    async def _done_where_both(self, flow: _Flow, sas: Sas) -> None:
        if not (sas.checked and sas.confirmed):
            return
        del self._flows[flow.id]
        await self._house.believe(sas.theirs, sas.identity)
        await self._send(flow, "done", {})
        if flow.shown_in:
            said = _("Verified: what comes from this device of yours is taken for yours.")
            await self._house.say(flow.shown_in, flow.user, said, f"{flow.id}-done")

    async def _cancelled(self, flow: _Flow | None) -> None:
        if flow is not None:
            del self._flows[flow.id]

    def _end_old(self) -> None:
        for flow in [one for one in self._flows.values() if self._now() - one.began_at > LIVES_S]:
            del self._flows[flow.id]

    async def _send(self, flow: _Flow, kind: str, content: Json) -> None:
        if flow.room:
            relates = {"m.relates_to": {"rel_type": "m.reference", "event_id": flow.id}}
            await self._house.send_room(flow.room, KIND + kind, {**content, **relates}, f"{flow.id}-{kind}")
        else:
            await self._house.send_device(KIND + kind, flow.user, flow.device, {**content, "transaction_id": flow.id})


def _flow_id(kind: str, content: Json, room: str, event: str) -> str:
    if not room:
        found = content.get("transaction_id")
    elif kind == f"{KIND}request":
        found = event
    else:
        relates = content.get("m.relates_to")
        found = relates.get("event_id") if isinstance(relates, dict) and relates.get("rel_type") == "m.reference" else None
    return found if isinstance(found, str) else ""
