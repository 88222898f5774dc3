"""The report card: the live model's figures, those of the tried one and the room for it become a verdict with its reasons.

Owns: what counts as a loss, as too slow, as too large, and the sentences that say so. Leaves the statistics to
`bot.models.intervals`, the looks to `card_text` and `card_picture`. docs/models.md tells the rules to people.

    card = card_of("summarise", old, new, pool.room_for(spec, new.ram_mb))
    card.passed, qualities(card), differences(card)

A language's mean may fall by the gate's tolerance at most, over the cases that both models answered. A deeper fall is a reason even
where its interval reaches zero, and then says so: a gate errs towards what is live, and an admin can force it. A fall within the
tolerance passes, and is noted where its interval lies below zero. A language that only the live model answers falls to zero.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bot.locale import LANGUAGES, Language, Text, phrases
from bot.models.card_words import LANGUAGE_NAMES, about, duration, memory, signed
from bot.models.intervals import Estimate, difference_of, mean_of
from bot.models.trial import Card, Figures, Room, Scored, Told, gate_of, told

_ = phrases(__file__)

TOLERANCE: Final = 0.02
"""For a slot that has no gate."""
SLOWER_NOTED: Final = 2.0
"""How many times the live model's p95 is worth a note, from NOTED_FROM_MS on."""
NOTED_FROM_MS: Final = 50.0
SLOWER_REFUSED: Final = 5.0
"""How many times the live model's p95 is refused, beyond what a person waits for: PATIENCE_MS."""
PATIENCE_MS: Final[Mapping[str, float]] = {"embed": 500.0, "route": 500.0, "read": 500.0}
"""By slot: every message passes these, or every search."""
PATIENCE_ELSE_MS: Final = 20_000.0
EXAMPLES: Final = 3
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Quality:
    """One language's mean scores of the two models; None where one has no cases in it."""

    language: Language
    old: Estimate | None
    new: Estimate | None
    change: Estimate | None
    """By how much the new one is better, case by case; None where there is nothing to compare."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One golden case that both models answered."""

    old: Scored
    new: Scored


def card_of(
    slot: str, old: Figures | None, new: Figures, room: Room, *, notes: Sequence[Text] = (), tolerance: float | None = None
) -> Card:
    """Return the report card of `new` beside `old`, what is live; `notes` of others stand after its own.

    `tolerance` is the gate's, where none is given.
    """
    allowed = (_tolerance(slot) if tolerance is None else tolerance) + _ROUNDING
    found = _qualities(old, new)
    hopeless = bool(new.fault) and not new.scored
    reasons = [*([new.fault] if new.fault else []), *_no_room(room)]
    said: list[Told] = [*_missing(old, new), *_room_notes(new, room)]
    if not hopeless:
        reasons += [*_other_measure(old, new), *_losses(found, new.metric, allowed), *_too_slow(slot, old, new)]
        said += [*_small_losses(found, new.metric, allowed), *_news(old, new, found), *_slower(slot, old, new)]
    return Card(slot, old, new, room, tuple(reasons), (*said, *(told(note) for note in notes)))


def qualities(card: Card) -> tuple[Quality, ...]:
    """Return the card's quality by language; a language in which nobody answered is left out."""
    return _qualities(card.old, card.new)


def differences(card: Card, count: int = EXAMPLES) -> tuple[Difference, ...]:
    """Return the `count` cases whose scores differ most, the largest first; () where they have none in common, or answer alike."""
    if not _comparable(card.old, card.new) or card.old is None:
        return ()
    before = {(one.language, one.case): one for one in card.old.scored}
    pairs = [Difference(before[key], one) for one in card.new.scored if (key := (one.language, one.case)) in before]
    apart = [pair for pair in pairs if (pair.old.score, pair.old.answered) != (pair.new.score, pair.new.answered)]
    apart.sort(key=lambda pair: (-abs(_score(pair.new) - _score(pair.old)), LANGUAGES.index(pair.new.language), pair.new.case))
    return tuple(apart[:count])


def _qualities(old: Figures | None, new: Figures) -> tuple[Quality, ...]:
    before = _by_case(old) if old is not None and _comparable(old, new) else {}
    after = _by_case(new)
    return tuple(
        _quality(language, before.get(language, {}), after.get(language, {}))
        for language in LANGUAGES
        if before.get(language) or after.get(language)
    )


def _quality(language: Language, before: Mapping[str, float], after: Mapping[str, float]) -> Quality:
    change: Estimate | None = None
    if shared := sorted(before.keys() & after.keys()):
        change = mean_of([after[case] - before[case] for case in shared], least=-1.0, most=1.0)
    elif before and after:
        change = difference_of(tuple(before.values()), tuple(after.values()))
    return Quality(language, _mean(before), _mean(after), change)


def _mean(scores: Mapping[str, float]) -> Estimate | None:
    return mean_of(tuple(scores.values())) if scores else None


def _comparable(old: Figures | None, new: Figures) -> bool:
    return old is not None and old.metric == new.metric and not old.fault


def _by_case(figures: Figures) -> dict[Language, dict[str, float]]:
    """Return the score of each case by language; of a case that was scored more than once their mean."""
    found: dict[Language, dict[str, list[float]]] = {}
    for one in figures.scored:
        found.setdefault(one.language, {}).setdefault(one.case, []).append(_score(one))
    return {
        language: {case: math.fsum(scores) / len(scores) for case, scores in cases.items()} for language, cases in found.items()
    }


def _score(one: Scored) -> float:
    """Return the score within 0..1; what is no number is no success."""
    return min(max(one.score, 0.0), 1.0) if math.isfinite(one.score) else 0.0


def _tolerance(slot: str) -> float:
    gate = gate_of(slot)
    return TOLERANCE if gate is None else gate.tolerance


def _losses(found: Sequence[Quality], metric: str, allowed: float) -> Iterator[Told]:
    for one in found:
        if one.old is not None and one.new is None and one.old.mean > allowed:
            yield told(
                _(
                    "{language} is lost: the live model answers it ({metric} {score}), this one does not.",
                    language=LANGUAGE_NAMES[one.language], metric=metric, score=f"{one.old.mean:.3f}",
                )
            )  # fmt: skip
        if one.change is not None and one.change.mean < -allowed:
            yield told(_fall(one.language, one.change, metric, allowed))


def _fall(language: Language, change: Estimate, metric: str, allowed: float) -> Text:
    values: dict[str, str | int | Text] = {
        "language": LANGUAGE_NAMES[language], "metric": metric, "change": signed(change.mean), "allowed": f"{allowed:.3f}",
        "low": signed(change.low), "high": signed(change.high), "count": change.count,
    }  # fmt: skip
    if change.high < 0:
        return _(
            "{language} is worse: {metric} {change} over {count} cases (95 %: {low} to {high}); −{allowed} is tolerated.",
            **values,
        )
    return _(
        "{language} may be worse: {metric} {change} over only {count} cases (95 %: {low} to {high}, so it may be chance); "
        "−{allowed} is tolerated.",
        **values,
    )


def _small_losses(found: Sequence[Quality], metric: str, allowed: float) -> Iterator[Told]:
    for one in found:
        change = one.change
        if change is not None and change.high < 0 and change.mean >= -allowed:
            yield told(
                _(
                    "{language} is a little worse: {metric} {change}, within the tolerated −{allowed}.",
                    language=LANGUAGE_NAMES[one.language], metric=metric, change=signed(change.mean), allowed=f"{allowed:.3f}",
                )
            )  # fmt: skip


def _news(old: Figures | None, new: Figures, found: Sequence[Quality]) -> Iterator[Told]:
    for one in found:
        if _comparable(old, new) and one.old is None and one.new is not None:
            yield told(_("It answers {language}, which the live model does not.", language=LANGUAGE_NAMES[one.language]))
        if one.old is not None and one.new is not None and one.change is not None:
            most = max(one.old.count, one.new.count)
            if one.change.count < most:
                yield told(
                    _(
                        "{language}: {count} of {most} cases were answered by both models, and are compared.",
                        language=LANGUAGE_NAMES[one.language], count=one.change.count, most=most,
                    )
                )  # fmt: skip


def _missing(old: Figures | None, new: Figures) -> Iterator[Told]:
    """Yield what could not be measured."""
    if old is not None and old.fault:
        yield about(_("The live model could not be measured, so nothing is compared: <why>"), why=old.fault)
    if not new.scored and not new.fault:
        yield told(_("Quality was not measured: there are no golden cases for it."))


def _other_measure(old: Figures | None, new: Figures) -> Iterator[Told]:
    if old is not None and old.scored and not old.fault and old.metric != new.metric:
        yield told(
            _(
                "The live model was measured by {before}, this one by {after}: they cannot be compared. Measure both again.",
                before=old.metric, after=new.metric,
            )
        )  # fmt: skip


def _too_slow(slot: str, old: Figures | None, new: Figures) -> Iterator[Told]:
    if old is not None and _is_too_slow(slot, old, new):
        yield told(
            _(
                "It is too slow: one answer in twenty takes over {now}; the live model's takes {before}.",
                now=duration(new.p95_ms), before=duration(old.p95_ms),
            )
        )  # fmt: skip


def _slower(slot: str, old: Figures | None, new: Figures) -> Iterator[Told]:
    if old is None or not _timed(old):
        if new.p95_ms > _patience(slot):
            yield told(_("It is slow here: one answer in twenty takes over {now}.", now=duration(new.p95_ms)))
    elif new.p95_ms >= NOTED_FROM_MS and new.p95_ms > SLOWER_NOTED * old.p95_ms and not _is_too_slow(slot, old, new):
        yield told(
            _(
                "It is slower: one answer in twenty takes over {now}; the live model's takes {before}.",
                now=duration(new.p95_ms), before=duration(old.p95_ms),
            )
        )  # fmt: skip


def _is_too_slow(slot: str, old: Figures, new: Figures) -> bool:
    return _timed(old) and new.p95_ms > max(SLOWER_REFUSED * old.p95_ms, _patience(slot))


def _timed(old: Figures) -> bool:
    """Say whether the live model answered golden cases; one that knows none of our languages is asked none."""
    return not old.fault and old.p95_ms > 0


def _patience(slot: str) -> float:
    return PATIENCE_MS.get(slot, PATIENCE_ELSE_MS)


def _no_room(room: Room) -> Iterator[Told]:
    if not room.fits:
        yield told(
            _(
                "It needs {need} of memory. {taken} of the {budget} budgeted are taken, and what may be unloaded is not enough. An admin can "
                "raise models.ram_mb in paring.toml or choose a smaller model.",
                need=memory(room.need_mb), taken=memory(room.taken_mb), budget=memory(room.budget_mb),
            )
        )  # fmt: skip


def _room_notes(new: Figures, room: Room) -> Iterator[Told]:
    if room.fits and not room.beside:
        yield told(
            _(
                "Both models do not fit at once: the live one is unloaded first, and whoever asks meanwhile waits about {seconds}.",
                seconds=duration(new.load_s * 1000),
            )
        )  # fmt: skip
