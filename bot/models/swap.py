"""A swap from an admin's word to a live model, and back in one word. Implements `bot.models.trial.Swapping`.

Owns: which step follows which, who may go on from where, and how each end is told. Leaves trying to `bot.models.trying`, making live to
`bot.models.publishing`, what comes after, and after a crash, to
`bot.models.watching`, the states to `bot.store.swaps`.

    swap = await swapper.propose("summarise", "lexrank", by="telegram:4711", tell=tell)
    await swapper.promote(swap.id, by="telegram:4711", tell=tell)
    await swapper.roll_back("summarise", by="telegram:4711", tell=tell)
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bot.errors import InputError, ParingError, UnsafeModelError
from bot.locale import Text, phrases
from bot.models.telling import STATE_NAMES, STEP_NAMES, Telling, short
from bot.models.trial import UNDER_WAY, Card, Shadowed, State, Step, Swap, Tell
from bot.models.trying import YesWantedError
from bot.store.swaps import Change, Swaps, same

if TYPE_CHECKING:
    from bot.models.publishing import Publishing
    from bot.models.spec import ModelSpec
    from bot.models.trying import Trying

_ = phrases(__file__)

ROLLBACK: Final = "rollback"
"""The word of a swap that takes one back."""
MOST_SHADOWED: Final = 1000
"""Live requests that one shadow run computes twice."""
Reached = Callable[[Step], Awaitable[None]]


class Swapper:
    """The swaps of one process."""

    def __init__(self, swaps: Swaps, trying: Trying, publishing: Publishing, *, watched_for: Callable[[], Text]) -> None:
        """`watched_for()` says for how long a new model is watched."""
        self._swaps = swaps
        self._trying = trying
        self._publishing = publishing
        self._watched_for = watched_for
        self._leaving = False
        self.reached: Reached = _nothing
        """Awaited when a step begins, with its name."""

    def leave(self) -> None:
        """Know that the process ends: what is stopped from now on is interrupted, as by a kill, and told so at the next start."""
        self._leaving = True

    # ---------------------------------------------------------------- what an admin asks for

    async def propose(self, slot: str, word: str, *, by: str, origin: str = "", tell: Tell, yes: bool = False) -> Swap:
        """Resolve, fetch, verify, probe and report. See `bot.models.trial.Swapping`."""
        if origin and (lost := await self._lost(slot, word, origin)) is not None:
            return lost
        swap = await self._swaps.begin(slot, word, by=by, origin=origin)
        return await self._to_its_end(swap, self._proposed(swap, tell, yes=yes))

    async def promote(self, number: int, *, by: str, tell: Tell, reason: str = "") -> Swap:
        """Make a reported swap's model live. See `bot.models.trial.Swapping`."""
        swap = await self._swaps.one(number)
        self._may_go_live(swap, reason)
        change = Change("publishing", "promote", reason=reason, owner=self._swaps.owner)
        swap = await self._changed(swap, change, of={"reported"})
        return await self._to_its_end(swap, self._promoted(swap, by=by, tell=tell))

    async def discard(self, number: int, *, by: str) -> Swap:
        """Give up a reported swap, or a shadow run. Raises InputError where it does not wait for that."""
        said = _("Discarded by {who}. Nothing was changed.", who=by)
        return await self._changed(await self._swaps.one(number), Change("discarded", said=said), of={"reported", "shadowing"})

    async def shadow(self, number: int, count: int, *, by: str) -> Swap:
        """Have the next `count` live requests computed by the new model too. See `bot.models.trial.Swapping`."""
        swap = await self._swaps.one(number)
        if not 1 <= count <= MOST_SHADOWED:
            raise InputError(_("A shadow run takes 1 to {most} requests, not {count}.", most=MOST_SHADOWED, count=count))
        if swap.card is None or swap.card.new.fault or not swap.card.room.beside:
            raise InputError(
                _("It cannot run in the shadow: both models do not fit into memory beside each other, or the new one failed.")
            )
        card = replace(swap.card, shadow=Shadowed(count, 0, 0.0, 0.0, 0.0, 0))
        said = _("In the shadow of the next {count} requests, asked by {who}.", count=count, who=by)
        return await self._changed(swap, Change("shadowing", card=card, said=said, owner=""), of={"reported"})

    async def roll_back(self, slot: str, *, by: str, origin: str = "", tell: Tell, number: int | None = None) -> Swap:
        """Make the model live that was so before the slot's last swap. See `bot.models.trial.Swapping`."""
        live = self._publishing.live(slot)
        last = await self._swaps.last_live(slot, live)
        if number is not None and (last is None or last.id != number):
            raise InputError(
                _("Swap {number} is not what {slot} answers with any more. Nothing was changed; `/rollback {slot}` goes back from what is live.",
                  number=number, slot=slot[:80])
            )  # fmt: skip
        if last is None:
            raise InputError(_("Nothing of “{slot}” was swapped, so there is no way back. Nothing was changed.", slot=slot[:80]))
        if last.word == ROLLBACK and origin and last.origin == origin and await self._swaps.tell(last.id, of="live"):
            return last  # the message that asked for it is taken up again after an end of the process
        spec = await self._publishing.find(slot, last.before) if last.before else None
        swap = await self._swaps.begin(slot, ROLLBACK, by=by, origin=origin, state="publishing", model=last.before, before=live)
        return await self._to_its_end(swap, self._taken_back(swap, last, spec, by=by, tell=tell))

    async def one(self, number: int) -> Swap:
        """Return a swap. Raises InputError where there is none of that number."""
        return await self._swaps.one(number)

    async def history(self, slot: str = "", *, count: int = 20) -> Sequence[Swap]:
        """Return the last swaps, of one slot or all, and every older one that still waits for an admin, the newest first."""
        return await self._swaps.history(slot, count=count)

    # ---------------------------------------------------------------- the steps

    async def _proposed(self, swap: Swap, tell: Tell, *, yes: bool) -> Swap:
        telling = Telling(_("Swap {slot} → {word}", slot=swap.slot, word=short(swap.word)), tell)
        spec = await self._resolved(swap, telling)
        spec = await self._fetched(swap, spec, telling, yes=yes)
        card = await self._tried(swap, spec, telling)
        await self._step(swap, "report")
        return await self._changed(swap, Change("reported", card=card, said=_open_to(card)), of={"trying"})

    async def _promoted(self, swap: Swap, *, by: str, tell: Tell) -> Swap:
        telling = Telling(_("Swap {slot} → {word}", slot=swap.slot, word=short(swap.model)), tell)
        await self.reached("promote")
        spec = await self._publishing.find(swap.slot, swap.model)
        await self._step(swap, "publish")
        telling.done("promote")
        await telling.now(_("loading it; the old one answers until it is there …"))
        change = Change("watched", "watch", said=self._watched_for(), owner=self._swaps.owner)
        done = await self._publishing.publish(swap, spec, change, by=by, tell=telling.now)
        await self.reached("watch")
        return done

    async def _resolved(self, swap: Swap, telling: Telling) -> ModelSpec:
        await self._step(swap, "resolve")
        await telling.now(_("looking for it …"))
        spec = await self._trying.resolve(swap.slot, swap.word)
        live = self._publishing.live(swap.slot)
        if same(spec.identity, live):
            raise InputError(_("{model} is live in {slot} already. Nothing was changed.", model=spec.identity, slot=swap.slot))
        await self._changed(swap, Change(model=spec.identity, before=live), of={"trying"})
        telling.head = _("Swap {slot} → {word}", slot=swap.slot, word=short(spec.name))
        telling.done("resolve")
        return spec

    async def _fetched(self, swap: Swap, spec: ModelSpec, telling: Telling, *, yes: bool) -> ModelSpec:
        if not self._trying.is_to_fetch(spec):
            return spec
        await self._step(swap, "fetch")
        spec = await self._trying.fetch(spec, by=swap.by, yes=yes, tell=telling.now)
        telling.done("fetch")
        return spec

    async def _tried(self, swap: Swap, spec: ModelSpec, telling: Telling) -> Card:
        await self._step(swap, "verify")
        await telling.now(_("looking at its files …"))
        place = await self._trying.verify(spec)
        await self._changed(swap, Change(model=place.spec.identity), of={"trying"})
        telling.done("verify")
        await self._step(swap, "probe")
        await telling.now(_("probing …"))
        card = await self._trying.card(swap.slot, place, tell=telling.now)
        telling.done("probe")
        return card

    async def _taken_back(self, swap: Swap, last: Swap, spec: ModelSpec | None, *, by: str, tell: Tell) -> Swap:
        telling = Telling(_("Back: {slot} → {word}", slot=swap.slot, word=short(swap.model) or "–"), tell)
        await self.reached("publish")
        await telling.now(_("loading it; the old one answers until it is there …"))
        said = _("{slot} is back at {model}, by {who}.", slot=swap.slot, model=swap.model or "–", who=by)
        change = Change("live", "watch", said=said, owner=self._swaps.owner)
        if spec is None:
            done = await self._publishing.vacate(swap, change, by=by)
        else:
            done = await self._publishing.publish(swap, spec, change, by=by, tell=telling.now)
        await self.reached("watch")
        taken = _("Taken back by {who} (swap {number}).", who=by, number=swap.id)
        await self._swaps.change(last.id, Change("rolled back", said=taken, owner=""), of={"watched", "live"})
        await self._swaps.tell(done.id, of="live")
        return done

    async def _lost(self, slot: str, word: str, origin: str) -> Swap | None:
        """Return the swap that was interrupted and not told yet: it is asked for again by the same message, which is taken up again."""
        for swap in await self._swaps.untold():
            if (swap.slot, swap.word, swap.origin) == (slot, word, origin) and await self._swaps.tell(swap.id):
                return swap
        return None

    async def _step(self, swap: Swap, step: Step) -> None:
        """Write that a step begins. Raises InputError where the swap was ended by somebody else."""
        await self._changed(swap, Change(step=step), of=UNDER_WAY)
        await self.reached(step)

    async def _changed(self, swap: Swap, change: Change, *, of: frozenset[State] | set[State]) -> Swap:
        changed = await self._swaps.change(swap.id, change, of=of)
        if changed is None:
            raise InputError(_not_waiting(await self._swaps.one(swap.id)))
        return changed

    async def _to_its_end(self, swap: Swap, work: Coroutine[object, object, Swap]) -> Swap:
        """Do the work; write how the swap ended where it does not come to its end. A refusal is an answer, anything else is raised."""
        try:
            return await work
        except YesWantedError as error:
            await self._ended(swap, "refused", error.text)
        except UnsafeModelError as error:  # also of what was being fetched: no yes helps
            await self._swaps.change(swap.id, Change("refused", "verify", said=error.text), of=UNDER_WAY)
        except ParingError as error:
            await self._ended(swap, "failed", error.text)
            raise
        except asyncio.CancelledError:
            if self._leaving:
                raise
            await asyncio.shield(self._ended(swap, "discarded", _("Stopped by the one who had asked. The model before is live.")))
            raise
        except BaseException:
            await self._ended(swap, "failed", _("Something broke. The model before is live; the log says what it was."))
            raise
        return await self._swaps.one(swap.id)

    async def _ended(self, swap: Swap, state: State, why: Text) -> None:
        await self._swaps.change(swap.id, Change(state, said=why), of=UNDER_WAY)

    def _may_go_live(self, swap: Swap, reason: str) -> None:
        """Raise InputError where the swap may not be promoted."""
        card = swap.card
        if swap.state != "reported" or card is None:
            raise InputError(_not_waiting(swap))
        if card.new.fault:
            raise InputError(_("{model} cannot be used, and no reason changes that. Discard it.", model=swap.model))
        if not card.passed and not reason.strip():
            raise InputError(_("{model} did not pass. Promoting it all the same takes --force and a reason.", model=swap.model))
        live = self._publishing.live(swap.slot)
        if swap.before != live and not same(swap.before, live):
            raise InputError(
                _(
                    "{slot} holds {live} by now, and the card compares with {before}. Ask for the swap again.",
                    slot=swap.slot, live=live or "–", before=swap.before or "–",
                )
            )  # fmt: skip


def _not_waiting(swap: Swap) -> Text:
    return _(
        "Swap {number} does not wait for that: it is “{state}”, at “{step}”.",
        number=swap.id,
        state=STATE_NAMES[swap.state],
        step=STEP_NAMES[swap.step],
    )


async def _nothing(_step: Step) -> None:
    """Nobody waits for a step."""


def _open_to(card: Card) -> Text:
    """Return what an admin may do with a card that was just made; see `Swap.choices`."""
    if card.new.fault:
        return _("The card is there: the model cannot be used, and can only be discarded.")
    if not card.passed:
        return _("The card is there and does not pass: discard it, or make the model live for a reason.")
    if not card.room.beside:
        return _("The card is there: promote it, or discard it.")
    return _("The card is there: promote it, try it in the shadow, or discard it.")
