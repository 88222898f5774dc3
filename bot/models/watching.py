"""What goes on after a swap, and after a crash: probation, shadow runs, what other processes assigned, what was interrupted.

Owns: one look at all of it every LOOK_EVERY_S, in the process that answers people. Leaves the judging to `bot.models.probation`, the
computing to `bot.models.shadow`, the making live to `bot.models.publishing`, the way to people to `notify`.

    watching = Watching(swaps, publishing, probation, shadows, others=lease.others, notify=notify, compare=compare)
    await watching.run(worker.idle)              # until cancelled
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bot.errors import InputError, ModelError, ParingError
from bot.locale import Text, phrases
from bot.logs import Logger
from bot.models.publishing import LOOK_EVERY_S, Unfollowed
from bot.models.swap import ROLLBACK
from bot.models.telling import short
from bot.models.trial import Swap
from bot.store.swaps import Change, Swaps, interrupted

if TYPE_CHECKING:
    from bot.models.probation import Probation
    from bot.models.publishing import Publishing
    from bot.models.shadow import Run, Shadows

_ = phrases(__file__)
log = Logger(__name__)

ITSELF: Final = "paring"
"""Who takes a model back that did not pass its probation."""

Notify = Callable[[Swap, Text], Awaitable[None]]
"""Tells the chat where the swap was asked for, and the admins."""


class Watching:
    """Looks after the swaps of all processes that have ended, and of this one."""

    def __init__(
        self, swaps: Swaps, publishing: Publishing, probation: Probation, shadows: Shadows,
        *, others: Callable[[], Sequence[str]], notify: Notify,
    ) -> None:  # fmt: skip
        """`others()` are the leases of other living processes."""
        self._swaps = swaps
        self._publishing = publishing
        self._probation = probation
        self._shadows = shadows
        self._others = others
        self._notify = notify
        self._found: set[int] = set()
        self._resumed: set[asyncio.Task[None]] = set()

    async def run(self, quiet: Callable[[], Awaitable[None]]) -> None:
        """Look, and compute in the shadow while `quiet` returns, until cancelled; then what was gone on with has ended, too."""
        await self._publishing.settle()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._look_on(), name="swaps")
                group.create_task(self._compute_on(quiet), name="shadow")
        except asyncio.CancelledError:
            for task in self._resumed:
                task.cancel()
            await asyncio.gather(*self._resumed, return_exceptions=True)
            raise

    async def look(self) -> None:
        """Look once at everything."""
        others = await asyncio.to_thread(self._others)
        await self._swaps.interrupt(others, but=self._publishing.publishers)
        await self._tell_of_ends()
        for failed in await self._publishing.follow():
            await self._unfollowed(failed)
        watched = await self._swaps.take("watched", others)
        self._probation.watching(watched)
        for swap in watched:
            await self._judged(swap)
        for swap in await self._swaps.take("shadowing", others):
            self._shadows.begin(swap)
        await self._shadows_over()
        living = [*others, self._swaps.owner]  # what this process has begun, it is at
        for swap in await self._swaps.take("publishing", living, slots=self._publishing.publishers):
            self._resumed.add(asyncio.create_task(self._gone_on(swap), name=f"swap {swap.id}"))

    async def _look_on(self) -> None:
        while True:
            try:
                await self.look()
            except ParingError as error:
                log.error("the swaps could not be looked after; it is tried again", why=str(error))
            await asyncio.sleep(LOOK_EVERY_S)

    async def _compute_on(self, quiet: Callable[[], Awaitable[None]]) -> None:
        while True:
            await self._shadows.step(quiet)

    async def _tell_of_ends(self) -> None:
        """Tell of interrupted swaps at the second look: a message that is taken up again is answered by then, and has told it itself."""
        untold = await self._swaps.untold()
        for swap in untold:
            if swap.id in self._found and await self._swaps.tell(swap.id):
                await self._notify(swap, _about(swap, interrupted(swap.step)))
        self._found = {swap.id for swap in untold}

    async def _judged(self, swap: Swap) -> None:
        verdict = await self._probation.judge(swap)
        if verdict is None:
            return
        if verdict.passed:
            if (
                done := await self._swaps.change(swap.id, Change("live", said=verdict.said, owner=""), of={"watched"})
            ) is not None:
                await self._notify(done, _about(done, verdict.said))
            return
        await self._taken_back(swap, verdict.said)

    async def _taken_back(self, swap: Swap, why: Text) -> None:
        """Have the model before answer again, and tell why."""
        said = _("Taken back by itself: {why} {model} answers again.", why=why, model=swap.before or "–")
        change = Change("rolled back", said=said, owner="")
        try:
            if swap.before:
                spec = await self._publishing.find(swap.slot, swap.before)
                done = await self._publishing.publish(swap, spec, change, by=ITSELF, tell=_untold, of="watched")
            else:
                done = await self._publishing.vacate(swap, change, by=ITSELF, of="watched")
        except InputError:
            return  # somebody else was quicker
        except ModelError as error:
            stays = _(
                "{why} It should be taken back, but the model before cannot be loaded: {error} It stays.",
                why=why,
                error=error.text,
            )
            if (kept := await self._swaps.change(swap.id, Change("live", said=stays, owner=""), of={"watched"})) is not None:
                await self._notify(kept, _about(kept, stays))
            return
        log.warning("a model was taken back by itself", slot=swap.slot, model=swap.model, why=str(why))
        await self._notify(done, _about(done, said))

    async def _unfollowed(self, failed: Unfollowed) -> None:
        """Take back what another process made live and this one cannot answer by."""
        swap = await self._swaps.last_live(failed.slot, failed.model)
        if swap is None or swap.state != "watched" or not swap.before:
            return
        said = _("Taken back: the running bot cannot load it. {why}", why=failed.error.text)
        done = await self._swaps.record(
            swap.id, Change("rolled back", said=said, owner=""), of={"watched"}, live=swap.before, by=ITSELF, expect=failed.model
        )
        if done is not None:
            await self._notify(done, _about(done, said))

    async def _shadows_over(self) -> None:
        for run in self._shadows.runs():
            swap = await self._swaps.one(run.swap)
            if swap.state != "shadowing":
                await self._shadows.end(run)
            elif run.over:
                await self._shadows.end(run)
                await self._shadowed(swap, run)

    async def _shadowed(self, swap: Swap, run: Run) -> None:
        if swap.card is None:
            return
        card, found = replace(swap.card, shadow=run.shadowed()), run.shadowed()
        said = _(
            "In the shadow of {done} requests: {agreed} % agreement, {new} ms where the live one took {old} ms, {failed} failed. "
            "`/card {number}` shows its card.",
            number=swap.id, done=found.done, agreed=round(100 * found.agreed), new=found.new_p50_ms, old=found.old_p50_ms, failed=found.failed,
        )  # fmt: skip
        done = await self._swaps.change(swap.id, Change("reported", card=card, said=said, owner=""), of={"shadowing"})
        if done is not None:
            await self._notify(done, _about(done, said))

    async def _gone_on(self, swap: Swap) -> None:
        """Go on with what a publisher had begun before this start: it does so by itself, and the swap waits for it."""
        try:
            spec = await self._publishing.find(swap.slot, swap.model)
            said = self._probation.watched_for()
            change = Change("watched", "watch", said=said)
            if swap.word == ROLLBACK:
                said = _("{slot} is back at {model}, by {who}.", slot=swap.slot, model=swap.model, who=swap.by)
                change = Change("live", "watch", said=said)
            done = await self._publishing.publish(swap, spec, change, by=swap.by, tell=_untold)
            await self._notify(done, _about(done, said))
        except ParingError as error:
            failed = await self._swaps.change(swap.id, Change("failed", said=error.text, owner=""), of={"publishing"})
            if failed is not None:
                await self._notify(failed, _about(failed, error.text))


def _about(swap: Swap, said: Text) -> Text:
    return _(
        "**Swap {slot} → {word}** (number {number}): {said}",
        slot=swap.slot,
        word=short(swap.model or swap.word),
        number=swap.id,
        said=said,
    )


async def _untold(_text: Text) -> None:
    """Nobody watches it."""
