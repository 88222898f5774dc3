"""A new model's probation: how it does in earnest, beside the one before on the same slot, and when that is not good enough.

Owns: the figures of the live models, and the limits. Leaves the way back to `bot.models.watching`.

    probation = Probation(answers=200, minutes=30, complaints=complaints)
    pool.listen(probation.heard)
    pool.when_switched(probation.switching)       # another model is about to answer: what was is kept to compare with
    verdict = await probation.judge(swap)         # None: it goes on
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from bot.locale import Text, phrases
from bot.store.swaps import same

if TYPE_CHECKING:
    from bot.models.places import Heard
    from bot.models.trial import Swap

_ = phrases(__file__)

REMEMBERED: Final = 512
"""Calls whose time is kept, the newest."""
ENOUGH: Final = 20
"""Calls of each model from which on their times are compared."""
SLOWER: Final = 3.0
"""So many times the p95 before is too slow …"""
NOTICED_MS: Final = 50.0
"""… where it is so much more at least: nobody feels less."""
FEWEST_ERRORS: Final = 3
ERRORS: Final = 0.05
"""What share of calls may fail beyond what failed before."""
FEWEST_COMPLAINTS: Final = 3
COMPLAINTS: Final = 0.1
"""What share of answers may be complained of."""

Complaints = Callable[["Swap"], Awaitable[int]]
"""How many people said, since the swap became live, that an answer of its slot was wrong."""


@dataclass(slots=True)
class Tally:
    """What one model has done in its slot since it became live there."""

    model: str = ""
    answered: int = 0
    failed: int = 0
    spent_ms: deque[float] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    """Of calls that somebody waited for."""

    @property
    def p95_ms(self) -> float | None:
        """The 95th percentile of its times, None for too few."""
        return percentile(self.spent_ms, 0.95) if len(self.spent_ms) >= ENOUGH else None

    @property
    def failing(self) -> float:
        """Which share of calls failed."""
        calls = self.answered + self.failed
        return self.failed / calls if calls else 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a probation ended, and why."""

    passed: bool
    said: Text


class Probation:
    """The figures and the limits. Its methods belong to the event loop."""

    def __init__(
        self, *, answers: int, minutes: float, complaints: Complaints, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """Watch a model for so many answers or minutes, whichever comes first."""
        self._answers = answers
        self._minutes = minutes
        self._complaints = complaints
        self._now = now
        self._live: dict[str, Tally] = {}
        self._before: dict[str, Tally] = {}
        self._watched: dict[str, int] = {}
        self._bad: dict[str, set[str]] = {}

    def watching(self, swaps: Iterable[Swap]) -> None:
        """Know which swaps are on probation now."""
        watched = {swap.slot: swap.id for swap in swaps}
        for slot in [slot for slot in self._bad if watched.get(slot) != self._watched.get(slot)]:
            del self._bad[slot]
        self._watched = watched

    def is_watched(self, slot: str) -> bool:
        """Say whether the slot's model is on probation."""
        return slot in self._watched

    def complained(self, slot: str, answer: str) -> None:
        """Count that somebody called an answer of the slot's model bad; the same answer counts once."""
        if slot in self._watched:
            self._bad.setdefault(slot, set()).add(answer)

    def heard(self, call: Heard) -> None:
        """Count a call. The first one of another model than before begins a new count."""
        tally = self._live.get(call.slot)
        if tally is None or tally.model != call.model:
            before = self._before.get(call.slot)
            if before is not None and before.model == call.model:
                return  # the last answers of the model before
            tally = self._live[call.slot] = Tally(call.model)
        if call.outputs is None:
            tally.failed += 1
        else:
            tally.answered += 1
            if not call.bulk:
                tally.spent_ms.append(call.spent_ms)

    def switching(self, slot: str) -> None:
        """Keep what the slot's model did so far as what the next one is compared with."""
        self._before[slot] = self._live.pop(slot, Tally())

    def watched_for(self) -> Text:
        """Say how long a new model is watched."""
        return _(
            "It is live, and watched for {answers} answers or {minutes} minutes.",
            answers=self._answers,
            minutes=f"{self._minutes:g}",
        )

    async def judge(self, swap: Swap) -> Verdict | None:
        """Return how the swap's probation ends, None while it goes on."""
        tally = self._live.get(swap.slot, Tally())
        if not same(swap.model, tally.model):
            tally = Tally()
        complaints = await self._complaints(swap) + len(self._bad.get(swap.slot, ()))
        if (why := self._too_bad(swap, tally, complaints)) is not None:
            return Verdict(passed=False, said=why)
        if tally.answered >= self._answers or self._now() - swap.changed_at >= timedelta(minutes=self._minutes):
            return Verdict(passed=True, said=_passed(tally, complaints))
        return None

    def _too_bad(self, swap: Swap, tally: Tally, complaints: int) -> Text | None:
        before = self._before.get(swap.slot, Tally())
        if tally.failed >= FEWEST_ERRORS and tally.failing > before.failing + ERRORS:
            return _("{failed} of {calls} requests failed.", failed=tally.failed, calls=tally.answered + tally.failed)
        if complaints >= FEWEST_COMPLAINTS and complaints > COMPLAINTS * tally.answered:
            return _(
                "People said of {count} of {answers} answers that they were wrong.", count=complaints, answers=tally.answered
            )
        now_ms, before_ms = tally.p95_ms, before.p95_ms
        if now_ms is not None and before_ms is not None:
            limit_ms = max(SLOWER * before_ms * _accepted(swap), before_ms + NOTICED_MS)
            if now_ms > limit_ms:
                return _(
                    "Its slowest answers (p95) take {now} ms, where {before} ms were usual and {limit} ms the limit.",
                    now=round(now_ms), before=round(before_ms, 1), limit=round(limit_ms),
                )  # fmt: skip
        return None


def percentile(times_ms: deque[float] | list[float], share: float) -> float:
    """Return the smallest of the times that `share` of them do not exceed."""
    ordered = sorted(times_ms)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _accepted(swap: Swap) -> float:
    """Return how many times slower the card had said that the new model is: an admin promoted it knowing that."""
    card = swap.card
    if card is None or card.old is None or card.old.p95_ms <= 0:
        return 1.0
    return max(1.0, card.new.p95_ms / card.old.p95_ms)


def _passed(tally: Tally, complaints: int) -> Text:
    if tally.p95_ms is None:
        return _("Its probation is over: {answered} answers, {failed} failed, {complaints} complaints.",
                 answered=tally.answered, failed=tally.failed, complaints=complaints)  # fmt: skip
    return _("Its probation is over: {answered} answers, {failed} failed, {complaints} complaints, p95 {p95} ms.",
             answered=tally.answered, failed=tally.failed, complaints=complaints, p95=round(tally.p95_ms, 1))  # fmt: skip
