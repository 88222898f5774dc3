"""A report card in a chat: its text, and its picture as a file of the blob store.

Owns that the picture is made off the event loop, and that a card without one is a card all the same. Leaves the looks to
`bot.models.card_text` and `bot.models.card_picture`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from bot.locale import Language, Text, phrases
from bot.logs import Logger
from bot.message import Picture
from bot.models.card import Quality, qualities
from bot.models.card_words import LANGUAGE_NAMES, disk, duration, memory, room_sentence, signed
from bot.models.telling import short

if TYPE_CHECKING:
    from bot.models.trial import Card, Swap
    from bot.skill import Blobs

_ = phrases(__file__)
log = Logger(__name__)

Write = Callable[["Card", Language], str]
Draw = Callable[["Card", Language], bytes]
"""Returns a PNG. Takes a moment: called on a thread."""


class Cards:
    """Shows cards."""

    def __init__(self, write: Write, draw: Draw | None, blobs: Blobs) -> None:
        """Have the text written and the picture drawn, and keep that in the blob store."""
        self._write = write
        self._draw = draw
        self._blobs = blobs

    async def text(self, swap: Swap, language: Language) -> str:
        """Return the text of a swap's card, its number in the head."""
        if swap.card is None:
            return swap.said.get(language, "")
        head = _("**Swap {number}: {slot} → {model}**", number=swap.id, slot=swap.slot, model=short(swap.model)).to(language)
        return f"{head}\n\n{await self.bare(swap.card, language)}"

    async def bare(self, card: Card, language: Language) -> str:
        """Return the text of a card."""
        return await asyncio.to_thread(self._write, card, language)

    async def pictures(self, swap: Swap, language: Language) -> list[Picture]:
        """Return the card's picture; () where none can be drawn: the text says it all."""
        if swap.card is None or self._draw is None:
            return []
        try:
            drawn = await asyncio.to_thread(self._draw, swap.card, language)
        except (ImportError, OSError, ValueError) as error:
            log.warning("a report card could not be drawn", swap=swap.id, why=str(error))
            return []
        blob = await asyncio.to_thread(self._blobs.keep, drawn)
        said = _("The report card of {model} beside what is live in {slot}", model=short(swap.model), slot=swap.slot)
        return [Picture(blob, said.to(language))]


def plain(card: Card, language: Language) -> str:
    """Return a card in a few lines: the verdict, quality by language, speed, memory, and what speaks against it."""
    new, old = card.new, card.old
    lines = [_("It passes.") if card.passed else _("**It does not pass.**")]
    shown = [line.to(language) for line in lines]
    shown += [f"- {told.get(language, '')}" for told in card.reasons]
    shown += [f"- {_quality(one, new.metric).to(language)}" for one in qualities(card)]
    before = (duration(old.p50_ms), duration(old.p95_ms), memory(old.ram_mb)) if old else ("–", "–", "–")
    speed = _(
        "p50 {p50} (now {before50}), p95 {p95} (now {before95}), loads in {load}", p50=duration(new.p50_ms), p95=duration(new.p95_ms),
        before50=before[0], before95=before[1], load=duration(new.load_s * 1000),
    )  # fmt: skip
    size = _("RAM {ram} (now {before}); disk {disk}; licence {licence}", ram=memory(new.ram_mb), before=before[2],
             disk=disk(new.disk_bytes), licence=new.licence or "–")  # fmt: skip
    shown += [f"- {line.to(language)}" for line in (speed, size, room_sentence(card.room))]
    return "\n".join([*shown, *(f"- {told.get(language, '')}" for told in card.notes)])


def _quality(one: Quality, metric: str) -> Text:
    """Return one language's line."""
    means = {"old": f"{one.old.mean:.3f}" if one.old else "–", "new": f"{one.new.mean:.3f}" if one.new else "–"}
    name = LANGUAGE_NAMES[one.language]
    if one.change is None:
        return _("{language}: {metric} {new} (now {old})", language=name, metric=metric, **means)
    change = {"change": signed(one.change.mean), "low": signed(one.change.low), "high": signed(one.change.high)}
    return _(
        "{language}: {metric} {new} (now {old}), {change} over {count} cases, 95 %: {low} to {high}",
        language=name, metric=metric, count=one.change.count, **means, **change,
    )  # fmt: skip
