"""What the admin page shows, as its templates want it: sizes and times in words, bars in percent.

Owns the arithmetic of the looks. Leaves to `assets/admin_*.html` the markup, to `bot.models` what is true.

    view = view_of(slots, memory, history, works, choices, "ko")
    card = card_view(swap, "ko")
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from bot.channels.web_admin_words import HEALTH
from bot.locale import Language
from bot.models.card import Difference, Quality, differences, qualities
from bot.models.card_words import disk, duration, memory
from bot.models.intervals import Estimate
from bot.models.telling import STATE_NAMES, STEP_NAMES
from bot.models.trial import STEPS, WAITING, Card, Figures, Swap, Told

if TYPE_CHECKING:
    from bot.models.places import SlotStatus

SECTIONS: Final = ("work", "memory", "slots", "history")
"""The parts of the page that change, each with a template of its own."""
HUES: Final = 8
"""Colours of the memory bar; the models take them in turn."""

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Work:
    """A swap that this page began: what is being done, or how it ended."""

    slot: str
    word: str
    said: Told
    over: bool
    asks: bool = False


def view_of(
    slots: Sequence[SlotStatus], taken_of: tuple[int, int], history: Sequence[Swap], works: Sequence[Work],
    choices: Mapping[str, Sequence[str]], language: Language, *, shares: Mapping[str, float],
) -> Json:  # fmt: skip
    """Return all that the sections show."""
    waiting = [swap for swap in history if swap.state in WAITING]
    return {
        "works": [
            {"slot": work.slot, "word": work.word, "said": work.said.get(language, ""), "over": work.over, "asks": work.asks}
            for work in works
        ],
        "waiting": [card_view(swap, language) for swap in waiting],
        "memory": _memory(slots, taken_of),
        "slots": [
            _slot(status, history, choices.get(status.slot, ()), language, share=shares.get(status.slot)) for status in slots
        ],
        "history": [_event(swap, slots, language) for swap in history],
    }


def card_view(swap: Swap, language: Language) -> Json:
    """Return a swap and its report card, as the card's template wants it."""
    card = swap.card
    return {
        "id": swap.id, "slot": swap.slot, "model": _name(swap.model) or swap.word, "before": _name(swap.before), "identity": swap.model,
        "by": swap.by, "asked_at": swap.asked_at, "changed_at": swap.changed_at, "reason": swap.reason,
        "state": STATE_NAMES[swap.state].to(language), "code": swap.state, "said": swap.said.get(language, ""),
        "choices": swap.choices, "steps": _steps(swap, language),
        "card": _card(card, language) if card else None,
    }  # fmt: skip


def _card(card: Card, language: Language) -> Json:
    old, new = card.old, card.new
    room = card.room
    times = max([figures.p95_ms for figures in (old, new) if figures] or [1.0]) or 1.0
    return {
        "passed": card.passed,
        "metric": new.metric,
        "reasons": [told[language] for told in card.reasons],
        "notes": [told[language] for told in card.notes],
        "fault": new.fault.get(language, ""),
        "qualities": [_quality(found) for found in qualities(card)],
        "old": _figures(old, times, language) if old else None,
        "new": _figures(new, times, language),
        "needs": memory(room.need_mb), "fits": room.fits, "beside": room.beside,
        "room": {
            "taken": _share(room.taken_mb, room.budget_mb),
            "need": _share(room.need_mb, room.budget_mb),
            "budget": memory(room.budget_mb),
        },
        "evicts": [{"slot": one.slot, "model": _name(one.model), "wait": duration(1000 * one.load_s).to(language)} for one in room.evicts],
        "examples": [_example(found) for found in differences(card)],
        "shadow": _shadow(card, language),
    }  # fmt: skip


def _quality(found: Quality) -> Json:
    """Return one row: the means of both, 0..100, with their 95 % intervals, and how many cases they are of."""
    return {
        "language": found.language, "old": _mean(found.old), "new": _mean(found.new), "old_spread": _spread(found.old),
        "new_spread": _spread(found.new), "cases": max(one.count for one in (found.old, found.new) if one),
    }  # fmt: skip


def _mean(found: Estimate | None) -> float | None:
    return round(100 * found.mean, 1) if found else None


def _spread(found: Estimate | None) -> tuple[float, float] | None:
    return (round(100 * found.low, 1), round(100 * found.high, 1)) if found and found.count > 1 else None


def _figures(figures: Figures, slowest_ms: float, language: Language) -> Json:
    return {
        "model": _name(figures.model), "p50": duration(figures.p50_ms).to(language), "p95": duration(figures.p95_ms).to(language),
        "p50_share": _share(figures.p50_ms, slowest_ms), "p95_share": _share(figures.p95_ms, slowest_ms),
        "load": duration(1000 * figures.load_s).to(language), "ram": memory(figures.ram_mb), "disk": disk(figures.disk_bytes),
        "licence": figures.licence or "–", "languages": ", ".join(figures.languages) or "–",
    }  # fmt: skip


def _example(found: Difference) -> Json:
    old, new = found.old, found.new
    return {
        "asked": new.asked, "old": old.answered, "new": new.answered, "old_score": round(100 * old.score), "new_score": round(100 * new.score),
    }  # fmt: skip


def _shadow(card: Card, language: Language) -> Json | None:
    shadow = card.shadow
    if shadow is None:
        return None
    return {
        "done": shadow.done, "wanted": shadow.wanted, "agreed": round(100 * shadow.agreed), "failed": shadow.failed,
        "old": duration(shadow.old_p50_ms).to(language), "new": duration(shadow.new_p50_ms).to(language),
    }  # fmt: skip


def _memory(slots: Sequence[SlotStatus], taken_of: tuple[int, int]) -> Json:
    taken_mb, budget_mb = taken_of
    loaded = [status for status in slots if status.loaded and status.ram_mb]
    parts = [
        {
            "slot": one.slot,
            "model": _name(one.model),
            "ram": memory(one.ram_mb),
            "share": _share(one.ram_mb, budget_mb),
            "hue": at % HUES,
        }
        for at, one in enumerate(loaded)
    ]
    return {
        "taken": memory(taken_mb),
        "budget": memory(budget_mb),
        "free": memory(max(0, budget_mb - taken_mb)),
        "parts": parts,
    }


def _slot(
    status: SlotStatus, history: Sequence[Swap], choices: Sequence[str], language: Language, *, share: float | None
) -> Json:
    last = next((swap for swap in history if swap.slot == status.slot and swap.state in ("live", "watched")), None)
    health = status.failure.to(language) if status.failure else HEALTH[status.health].to(language)
    return {
        "slot": status.slot, "model": _name(status.model), "identity": status.model, "health": health,
        "ill": bool(status.failure), "missing": status.health == "missing", "size": disk(status.size_bytes) if status.size_bytes else "–",
        "ram": memory(status.ram_mb) if status.ram_mb else "–",
        "p50": duration(status.p50_ms).to(language) if status.p50_ms is not None else "–",
        "share": "–" if share is None else f"{100 * share:.0f} %", "licence": status.licence,
        "choices": [name for name in choices if name != _name(status.model)],
        "before": _name(last.before) if last else "", "last": last.id if last else 0,
    }  # fmt: skip


def _event(swap: Swap, slots: Sequence[SlotStatus], language: Language) -> Json:
    """Return one line of the history: who, when, why, and the figures then and now."""
    live = next((status for status in slots if status.slot == swap.slot), None)
    then = swap.card.new if swap.card else None
    now = live.p50_ms if live is not None and live.model == swap.model else None
    return {
        **{key: value for key, value in card_view(swap, language).items() if key != "card"},
        "then": duration(then.p50_ms).to(language) if then and not then.fault else "",
        "now": duration(now).to(language) if now is not None else "",
        "has_card": swap.card is not None,
    }  # fmt: skip


def _steps(swap: Swap, language: Language) -> list[Json]:
    at = STEPS.index(swap.step)
    return [
        {
            "name": STEP_NAMES[step].to(language),
            "done": place < at or swap.state == "live",
            "now": place == at and swap.state != "live",
        }
        for place, step in enumerate(STEPS)
    ]


def _name(identity: str) -> str:
    return identity.partition("@")[0]


def _share(part: float, whole: float) -> float:
    return round(min(100.0, 100 * part / whole), 2) if whole else 0.0


def moment(at: datetime) -> str:
    """Return when it was, until the page's script puts the reader's own clock in its place."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
