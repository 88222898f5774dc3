"""What was just said is embedded while it is being written down: a moment later it is routed, or searched for, by that vector.

Owns when that is worth it. Leaves to `bot.models.pool` the model, and that the same text is not embedded again.

    foresee = Foresight(pool, searches={"search"}, idle=lambda: not worker.waiting(address)[1])
    foresee(message)         # on the event loop, before the commit; returns at once
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from bot.errors import ParingError
from bot.models.shadow import asked_by
from bot.models.tasks import EMBED
from bot.router import embeddable

if TYPE_CHECKING:
    from bot.message import Address, Message
    from bot.skill import Models

LONGEST: Final = 500
"""Characters. A longer text is rarely a question."""


class Foresight:
    """Begins what will be waited for."""

    def __init__(self, models: Models, *, searches: Collection[str], idle: Callable[[Address], bool]) -> None:
        """Embed by the live model; `searches` are the commands that look for what comes after them.

        `idle(chat)` says that nobody waits: where many do, what is embedded now would be forgotten before its turn comes.
        """
        self._models = models
        self._searches = searches
        self._idle = idle
        self._begun: set[asyncio.Task[None]] = set()

    def __call__(self, message: Message) -> None:
        """Begin to embed what of `message` will be, if anything; what fails will fail again where it is told."""
        if not self._idle(message.address):
            return
        text = self._embedded(message)
        if not text or len(text) > LONGEST:
            return
        with asked_by(message):
            task = asyncio.create_task(self._embed(text), name="foresight")
        self._begun.add(task)
        task.add_done_callback(self._begun.discard)

    def _embedded(self, message: Message) -> str:
        if not message.addressed or message.attachments or message.reply_to is not None or message.part_of:
            return ""
        if message.command is not None:
            return message.command.args if message.command.name in self._searches else ""
        return embeddable(message.text)

    async def _embed(self, text: str) -> None:
        with suppress(ParingError):
            await self._models.run(EMBED.of(self._models.live(EMBED)), [text])
