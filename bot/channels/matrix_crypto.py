"""Encryption in the Matrix channel: messages are read and hidden, and what cannot be read yet waits for its key.

Keeps `matrix_sealing.Seal`. Owns what waits, and what people are told of it. Leaves keys to `matrix_crypto_keys`, which
rooms are encrypted to `matrix_crypto_rooms`, the ratchets and what is remembered of them to `matrix_crypto_device`, emoji to
`matrix_crypto_verifying`.

What is to be lost by no kill: whatever a sync told this device alone is on disk when `told` returns, and the channel keeps the sync's
token after that. A sync that is told again finds its keys there already.

    seal = Crypto(home / "matrix", trust="anyone")
    await seal.begin(me, wire, rooms)
    await seal.told(sync)
    event = await seal.opened(room, event)                          # None: it waits for its key
    kind, content = await seal.sealed(room, "m.room.message", content)
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from bot import lazy
from bot.channels.matrix_crypto_device import Device
from bot.channels.matrix_crypto_files import open_file, seal_file
from bot.channels.matrix_crypto_keys import Keys
from bot.channels.matrix_crypto_rooms import EncryptedRooms
from bot.channels.matrix_crypto_told import Unread, unread
from bot.channels.matrix_crypto_verifying import KIND as VERIFICATION
from bot.channels.matrix_crypto_verifying import Verification, Verifying
from bot.channels.matrix_outgoing import plain
from bot.channels.matrix_sealing import Unsealed
from bot.channels.matrix_wire import path
from bot.errors import ChannelError, StoreError
from bot.locale import Text, phrases
from bot.logs import Logger

if TYPE_CHECKING:
    from bot.channels.matrix_account import Me
    from bot.channels.matrix_crypto_kept import Kept
    from bot.channels.matrix_crypto_machine import Machine, Trust
    from bot.channels.matrix_crypto_sas import Party
    from bot.channels.matrix_rooms import Rooms
    from bot.channels.matrix_sealing import Seal, Ways
    from bot.channels.matrix_wire import Wire
    from bot.config import MatrixSettings

_ = phrases(__file__)
log = Logger(__name__)

Json = dict[str, Any]
Content = Mapping[str, object]
T = TypeVar("T")

LOCKED: Final = "🔒"
"""The reaction to a message of a group that cannot be read."""
GRACE_S: Final = 5.0
"""A key often comes a moment after its message; only then is it told that it has not."""
_WORD: Final = lazy.compile(r"\s*[!/]verify\s+(?:(yes|y|네|예|응)|(no|n|아니요|아니오|아니))\s*[.!]?\s*", re.IGNORECASE)


def seal(settings: MatrixSettings, home: Path) -> Seal:
    """Return the encryption that the settings ask for."""
    if settings.encryption == "off":
        return Unsealed()
    password = settings.password.get_secret_value()
    return Crypto(home / "matrix", trust=settings.encryption, verification=settings.verification, password=password)


class Crypto:
    """Encryption of one account. Nothing is done before `begin`."""

    def __init__(
        self,
        folder: Path,
        *,
        trust: Trust = "anyone",
        verification: Verification = "ask",
        password: str = "",
        grace_s: float = GRACE_S,
    ) -> None:
        """Keep everything in `folder`, for its owner alone. `password` lets the bot's identity be made where the homeserver asks for it."""
        self._grace_s = grace_s
        self._device = Device(folder, trust=trust)
        self._keys = Keys(self._device, folder, password=password)
        self._telling = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._places = EncryptedRooms(lambda: self._wire, keep=self._keep_encrypted)
        self._due = True
        self._verifying = Verifying(self, mode=verification)

    async def begin(self, me: Me, wire: Wire, rooms: Rooms, ways: Ways) -> None:
        """Open what is kept of this device, or begin it, and tell the homeserver its keys."""
        self._wire, self._rooms, self._ways, self._user = wire, rooms, ways, me.user
        self._keys.begin(me, wire)
        if not me.device:
            self._device.refusal = _(
                "This login has no device, so the bot cannot read encrypted rooms: give it a password or a token of a device."
            )
            return
        await self._device.open(me.user, me.device)
        self._places.were(await self._turn(self._kept.encrypted))
        self._due = True
        await self._keys.keep_up()
        for room, event, why in await self._turn(self._kept.waiting):
            self._tell_later(room, event, why)

    async def close(self) -> None:
        """Let go of the files."""
        for task in self._tasks:
            task.cancel()
        await self._device.close()

    async def told(self, sync: Content) -> None:
        """Take in what a sync says to this device and of others, on disk when it returns. Never raises for what a stranger sent."""
        if not self._device.is_open:
            return
        came = 0
        verifications = []
        for event in _list(_dict(sync, "to_device").get("events")):
            if isinstance(event, dict):
                heard = await self._turn(self._ours.heard, event)
                came += event.get("type") == "m.room.encrypted"
                if heard is not None and heard.kind.startswith(VERIFICATION):
                    verifications.append((heard.kind, heard.sender, heard.content, "", ""))
                elif heard is not None and heard.kind == "m.room_key.withheld":
                    await self._turn(self._withheld, heard.content)
        changed = await self._keys.told(sync)
        verifications += await self._seen_in_rooms(sync)
        await self._keys.keep_up()
        for one in verifications:
            await self._verify(*one)
        if came or changed or self._due:
            await self._try_again()

    async def opened(self, room: str, event: Content, *, only_look: bool = False) -> Content | None:
        """Return the event as it was said; None where it waits for its key, or is of a verification. With `only_look` it waits for nothing."""
        raw = dict(event)
        if not self._device.is_open or not _is_event(raw) or raw["sender"] == self._user:
            return None
        try:
            return await self._understood(room, raw, only_look=only_look)
        except Unread as why:
            if not only_look:
                await self._put_aside(room, raw, why.why)
        except ChannelError as error:  # whose device it came from could not be asked: nothing else is held up by that
            if only_look:
                return None
            log.info("a message waits for who sent it", reason=str(error))
            await self._turn(self._kept.wait, room, raw, "missing")
            self._due = True
        return None

    async def sealed(self, room: str, kind: str, content: Content, *, everyone: bool = False) -> tuple[str, Content]:
        """Return what is sent instead, where the room is encrypted; everybody who is there now has the key by then.

        With `everyone` devices that are not trusted read it too: how else would they be told, or verified?
        """
        if kind == "m.reaction" or not await self.is_encrypted(room):
            return kind, content
        there = partial(self._places.members, room)
        return "m.room.encrypted", await self._keys.hide(room, there, kind, dict(content), everyone=everyone)

    async def sealed_file(self, room: str, data: bytes) -> tuple[bytes, Content | None]:
        """Return the bytes to upload, and the event's `file` without its address."""
        if not await self.is_encrypted(room):
            return data, None
        return await asyncio.to_thread(seal_file, data)

    async def opened_file(self, sealed: Path, file: Content) -> None:
        """Replace the bytes of a downloaded file by what they hold."""
        await asyncio.to_thread(open_file, sealed, file)

    async def is_encrypted(self, room: str) -> bool:
        """Say whether a room is encrypted; one that was is never taken for another, whatever the homeserver says."""
        return await self._places.is_encrypted(room)

    # What a verification asks of the house (`matrix_crypto_verifying.House`).

    async def party(self, user: str, device: str) -> Party | None:
        """Return a device as the homeserver knows it."""
        await self._keys.know([user])
        return await self._turn(self._ours.party, user, device)

    async def own_party(self) -> Party:
        """Return this device."""
        return await self._keys.own_party()

    async def believe(self, theirs: Party, identity: str) -> None:
        """Know that a device and an identity are a person's own, and sign that where the bot has an identity itself."""
        await self._turn(self._ours.verify, theirs.user, theirs.device)
        if identity:
            await self._turn(self._kept.verify_master, theirs.user, identity)
            await self._keys.sign_other(theirs.user)
        await self._try_again()

    async def send_device(self, kind: str, user: str, device: str, content: Json) -> None:
        """Send to one device."""
        await self._keys.to_devices(kind, {user: {device: content}})

    async def send_room(self, room: str, kind: str, content: Json, txn: str) -> None:
        """Send into a room, encrypted where it is."""
        sealed_kind, sealed = await self.sealed(room, kind, content, everyone=True)
        await self._wire.call("PUT", path("v3", "rooms", room, "send", sealed_kind, _txn(txn)), said=sealed)

    async def say(self, room: str, user: str, said: Text, txn: str, *, about: str = "") -> None:
        """Tell people something in a room, in its language; `about` is the message that it answers."""
        words = plain(said.markdown(await self._ways.language(room)))
        related = {"m.relates_to": {"m.in_reply_to": {"event_id": about}}} if about else {}
        await self.send_room(room, "m.room.message", {**words, "m.mentions": {"user_ids": [user]}, **related}, txn)

    def may_verify(self, user: str) -> bool:
        """Say whether a person is one whom the bot answers at all."""
        return self._ways.may_talk(user)

    async def room_with(self, user: str) -> str:
        """Return the direct chat with a person, "" for none."""
        for room in reversed(self._rooms.joined):
            if await self._rooms.other(room) == user:
                return room
        return ""

    # What comes in.

    async def _seen_in_rooms(self, sync: Content) -> list[tuple[str, str, Json, str, str]]:
        """Take note of who came and went and of rooms that are encrypted now; return verifications that are in clear."""
        found = []
        rooms = _dict(sync, "rooms")
        for room, said in _dict(rooms, "join").items():
            for event in (*_list(_dict(said, "state").get("events")), *_list(_dict(said, "timeline").get("events"))):
                kind, content = _dict({"": event}, "").get("type"), _dict(event, "content")
                if kind == "m.room.member":
                    self._places.changed(room)
                elif kind == "m.room.encryption":
                    await self._places.encrypted_now(room)
                elif kind == "m.room.redaction":
                    taken = event.get("redacts") or content.get("redacts")
                    await self._turn(self._kept.settled, [taken] if isinstance(taken, str) else [])
                elif _is_event(event) and event["sender"] != self._user and (of := _verification(kind, content)):
                    found.append((of, event["sender"], content, room, event["event_id"]))
        for room in _dict(rooms, "leave"):
            self._places.changed(room)
            await self._turn(self._kept.forget_room, room)
            await self._turn(self._ours.forget_room, room)
        return found

    async def _keep_encrypted(self, room: str) -> None:
        await self._turn(self._kept.encrypt, room)

    async def _understood(self, room: str, event: Json, *, only_look: bool = False) -> Json | None:
        """Return a message that is for the channel, None for one of a verification, which is taken there. Raises Unread."""
        clear = await self._read(room, event)
        if not only_look and await self._is_of_verification(room, clear):
            return None
        if not clear["trusted"]:
            raise Unread("untrusted")
        return clear

    async def _read(self, room: str, event: Json) -> Json:
        await self._places.encrypted_now(room)
        await self._keys.know([event["sender"]])
        try:
            return await self._turn(self._ours.read, room, event)
        except Unread as why:
            if why.why != "foreign":
                raise
        await self._turn(self._ours.devices_changed, [event["sender"]])  # a device that is new, of which no sync has told yet
        await self._keys.know([event["sender"]])
        return await self._turn(self._ours.read, room, event)

    async def _put_aside(self, room: str, event: Json, why: str) -> None:
        """Keep a message until it can be read, ask for its key, and tell its sender once where that takes long."""
        log.info("a message could not be read", why=why)
        if why in {"replayed", "broken"}:
            return
        await self._turn(self._kept.wait, room, event, why)
        if why in {"missing", "withheld"} and (request := await self._turn(self._ours.ask_for, room, event)) is not None:
            with suppress(ChannelError):
                await self._keys.to_devices("m.room_key_request", request)
        self._tell_later(room, event, why)

    async def _try_again(self) -> None:
        """Take in what waits and can be read now."""
        self._due = False
        for room, event, _why in await self._turn(self._kept.waiting):
            try:
                clear = await self._understood(room, event)
                if clear is not None:
                    await self._ways.late(room, clear)
            except Unread:
                continue
            except (ChannelError, StoreError) as error:
                log.info("a message whose key has come waits on", reason=str(error))
                self._due = True
                continue
            await self._turn(self._kept.settled, [event["event_id"]])
            if (cancelled := await self._turn(self._ours.asked_no_more, event)) is not None:
                with suppress(ChannelError):
                    await self._keys.to_devices("m.room_key_request", cancelled)

    def _tell_later(self, room: str, event: Json, why: str) -> None:
        task = asyncio.create_task(self._tell(room, event, why))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self, room: str, event: Json, why: str) -> None:
        """Tell the sender that a message cannot be read, once for each of their keys."""
        await asyncio.sleep(self._grace_s)
        session = str(event["content"].get("session_id", ""))
        about = (room, event["sender"], session)
        async with self._telling:
            if not await self._turn(self._kept.waits, event["event_id"]) or await self._turn(self._kept.was_told, *about):
                return
            code = await self._turn(self._kept.withheld, room, session)
            try:
                if await self._rooms.other(room):
                    await self.say(room, event["sender"], unread(why, code), f"unread{about}", about=event["event_id"])
                else:  # nobody else is to be disturbed
                    relates = {"rel_type": "m.annotation", "event_id": event["event_id"], "key": LOCKED}
                    await self.send_room(room, "m.reaction", {"m.relates_to": relates}, f"unread{about}")
            except ChannelError as error:
                log.info("that a message could not be read could not be told", reason=str(error))
                return
            await self._turn(self._kept.tell, *about)

    async def _is_of_verification(self, room: str, event: Json) -> bool:
        kind, content, sender = event["type"], event["content"], event["sender"]
        if of := _verification(kind, content):
            await self._verify(of, sender, content, room, event["event_id"])
            return True
        word = _WORD.fullmatch(content["body"]) if kind == "m.room.message" and isinstance(content.get("body"), str) else None
        return word is not None and await self._verifying.answered(sender, room, yes=word[1] is not None)

    async def _verify(self, kind: str, sender: str, content: Json, room: str, event: str) -> None:
        try:
            await self._verifying.take(kind, sender, content, room, event)
        except ChannelError as error:
            log.info("a verification ends", reason=str(error))
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:  # told again, it would break again
            log.info("a message of a verification is nothing that is known, and is passed over", why=type(error).__name__)

    def _withheld(self, content: Json) -> None:
        room, session, code = (content.get(name) for name in ("room_id", "session_id", "code"))
        if isinstance(room, str) and isinstance(session, str) and isinstance(code, str):
            self._kept.withhold(room, session, code)

    # The device.

    @property
    def _ours(self) -> Machine:
        return self._device.machine

    @property
    def _kept(self) -> Kept:
        return self._device.kept

    async def _turn(self, made: Callable[..., T], *given: Any) -> T:
        return await self._device.turn(made, *given)


def _verification(kind: object, content: Json) -> str:
    """Return the verification's word that an event is, "" for none."""
    if kind == "m.room.message" and content.get("msgtype") == f"{VERIFICATION}request":
        return f"{VERIFICATION}request"
    return kind if isinstance(kind, str) and kind.startswith(VERIFICATION) else ""


def _txn(said: str) -> str:
    return f"p{hashlib.sha256(said.encode()).hexdigest()[:32]}"


def _is_event(event: object) -> bool:
    """Say whether an event has what every one has."""
    return (
        isinstance(event, dict)
        and isinstance(event.get("sender"), str)
        and isinstance(event.get("event_id"), str)
        and isinstance(event.get("content"), dict)
    )


def _dict(of: object, name: str) -> Json:
    found = of.get(name) if isinstance(of, Mapping) else None
    return found if isinstance(found, dict) else {}


def _list(found: object) -> list[Any]:
    return found if isinstance(found, list) else []
