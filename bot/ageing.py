"""Retention by age: what people said, sent and were answered goes after so many days, and what came of it.

Owns when it is done and in which order. Leaves the rows, files and bytes to `bot.store.erasing`, the passages to the library: what goes is
gone as it is after `/forget`.

    ageing = Ageing(library, eraser, audit)
    await ageing.run(Kept(days=90))                  # a round a day, until cancelled
    gone = await ageing.round(before, orders=None)   # one round, at once
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bot.errors import StoreError
from bot.locale import Text, phrases
from bot.logs import Logger

if TYPE_CHECKING:
    from bot.retrieval.library import Shelves
    from bot.store.audit import Audit
    from bot.store.erasing import Eraser

_ = phrases(__file__)
log = Logger(__name__)

EVERY_S = 24 * 3600.0
LOOKED_AT_S = 600.0
"""How long the clock is looked at before it is believed: one that is set right after a start says for a while that all is old."""
UNSTEADY_S = 60.0
AT_ONCE = 200
"""Messages, or orders, of one transaction."""
DOCUMENTS_AT_ONCE = 20
BETWEEN_S = 0.05
"""Between two steps: others write, too."""


@dataclass(frozen=True, slots=True)
class Kept:
    """How many days what is kept; 0: for ever."""

    days: int = 0
    orders_days: int = 0


@dataclass(frozen=True, slots=True)
class Aged:
    """How much went in a round."""

    messages: int = 0
    passages: int = 0
    orders: int = 0

    def text(self) -> Text:
        """Return it for people."""
        return _("Gone: {messages} messages with their answers, {passages} passages that could be searched, {orders} lines of the audit.",
                 messages=self.messages, passages=self.passages, orders=self.orders)  # fmt: skip


class Ageing:
    """Lets go what is old."""

    def __init__(
        self, library: Shelves, eraser: Eraser, audit: Audit, *, now: Callable[[], datetime] = lambda: datetime.now(UTC),
        ticks: Callable[[], float] = time.monotonic, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:  # fmt: skip
        """Use the stores; `now` is the clock on the wall, `ticks` one that nobody sets."""
        self._library, self._eraser, self._audit = library, eraser, audit
        self._now, self._ticks, self._sleep = now, ticks, sleep
        self._wiped = False
        """Whether this life has wiped; a former one may have been killed when all was deleted and before it had."""

    async def run(self, kept: Kept) -> None:
        """Do a round a day, until cancelled; none where nothing has an age, or while the clock jumps."""
        while kept.days or kept.orders_days:
            if await self._steady():
                try:
                    gone = await self.round(
                        self._now() - timedelta(days=kept.days) if kept.days else None,
                        orders=self._now() - timedelta(days=kept.orders_days) if kept.orders_days else None,
                    )
                    log.info("what was old is gone", messages=gone.messages, passages=gone.passages, orders=gone.orders)
                except StoreError as error:
                    log.error("what is old could not be deleted; it is tried again tomorrow", why=str(error))
                await self._sleep(EVERY_S)

    async def round(self, before: datetime | None, *, orders: datetime | None) -> Aged:
        """Let go what came before `before`, and of the audit what came before `orders`, in small steps; return how much. Raises StoreError."""
        passages = messages = lines = 0
        if before is not None:
            while some := await self._library.age(before, documents=DOCUMENTS_AT_ONCE):
                passages += some.passages
                await self._sleep(BETWEEN_S)
            async for some_messages in self._eraser.age(before, at_once=AT_ONCE):
                messages += some_messages
                await self._sleep(BETWEEN_S)
            await self._eraser.sweep(kept_until=before)  # files whose rows went in a round that was killed before they did
        while orders is not None and (count := await self._audit.age(orders, at_once=AT_ONCE)):
            lines += count
            await self._sleep(BETWEEN_S)
        if passages or messages or lines or not self._wiped:
            await self._eraser.wipe()
            self._wiped = True
        return Aged(messages, passages, lines)

    async def _steady(self) -> bool:
        """Look at the clock for a while; say whether it only went on."""
        begun, ticks = self._now(), self._ticks()
        await self._sleep(LOOKED_AT_S)
        jumped_s = (self._now() - begun).total_seconds() - (self._ticks() - ticks)
        if abs(jumped_s) > UNSTEADY_S:
            log.warning("the clock was set; nothing is called old before it stays", jumped_s=round(jumped_s))
        return abs(jumped_s) <= UNSTEADY_S
