"""A report card in a chat: its text, and its picture as a file of the blob store.

Owns that the picture is made off the event loop, and that a card without one is a card all the same. Leaves the looks to
`bot.models.card_text` and `bot.models.card_picture`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from bot.locale import Language, phrases
from bot.logs import Logger
from bot.message import Picture
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

    def __init__(self, write: Write, draw: Draw, blobs: Blobs) -> None:
        """Have the text written and the picture drawn, and keep that in the blob store."""
        self._write = write
        self._draw = draw
        self._blobs = blobs

    async def text(self, swap: Swap, language: Language) -> str:
        """Return the text of a swap's card, its number below."""
        if swap.card is None:
            return swap.said.get(language, "")
        foot = _("Swap {number}. `/card {number}` shows it again.", number=swap.id).to(language)
        return f"{await self.bare(swap.card, language)}\n\n{foot}"

    async def bare(self, card: Card, language: Language) -> str:
        """Return the text of a card."""
        return await asyncio.to_thread(self._write, card, language)

    async def pictures(self, swap: Swap, language: Language) -> list[Picture]:
        """Return the card's picture; () where none can be drawn: the text says it all."""
        if swap.card is None:
            return []
        try:
            drawn = await asyncio.to_thread(self._draw, swap.card, language)
        except (ImportError, OSError, ValueError) as error:
            log.warning("a report card could not be drawn", swap=swap.id, why=str(error))
            return []
        blob = await asyncio.to_thread(self._blobs.keep, drawn)
        said = _("The report card of {model} beside what is live in {slot}", model=short(swap.model), slot=swap.slot)
        return [Picture(blob, said.to(language))]
