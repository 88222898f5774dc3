"""The way of a table's rows into lanes: what was left from before is read once, what is committed after is handed over.

The database stays the truth: what is handed over is in it already, and a start reads everything that waits. Nothing is read while
it keeps up. Of what waits long only the ticket (number and lane) is held, so that a queue of any length costs no memory
worth naming; the row is read when its turn comes.

    feed = Feed(inbox, turn, at_once=16, weigh=lambda waiting: len(waiting.message.text))
    feed.hand(number, lane, waiting)      # on the event loop, in the order of the commits
    await feed.run(places, others=())     # until cancelled
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, Protocol, TypeVar

from bot.errors import StoreError
from bot.lanes import Lanes
from bot.logs import Logger
from bot.store.places import Lane, Places, Ticket

log = Logger(__name__)

T = TypeVar("T")

READ_AT_ONCE = 1000
MOST_HELD = 5_000_000
"""Characters of text that are held in memory for what waits; beyond, the rows are read again in their turn."""
OVERHEAD = 1000
"""What an item weighs besides its text."""
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0
"""After a failure of the store: it is tried again by itself, ever more slowly."""


class Source(Protocol):
    """A table whose rows wait. Implemented by `bot.store.inbox.Inbox` and `bot.store.outbox.Outbox`."""

    async def tickets(self, places: Places, *, after: int = 0, most: int = 1000) -> list[Ticket]:
        """Return what waits in `places` with a number over `after`, oldest first."""
        ...

    async def recover(self, places: Places, *, others: Sequence[str] = ()) -> int:
        """Take over what is nobody's who lives; return how much had been begun."""
        ...


@dataclass(slots=True)
class Turn(Generic[T]):
    """A row whose turn has come: its number, and the row where it is held (else it is to be read)."""

    id: int
    item: T | None
    tries: int = 0
    """For the one who does it to count."""
    failures: int = 0
    """How often the store failed on it in a row."""


class Feed(Generic[T]):
    """Feeds `do` with the rows of `source`, one at a time in a lane."""

    def __init__(
        self, source: Source, do: Callable[[Turn[T]], Awaitable[float | None]], *, at_once: int, weigh: Callable[[T], int]
    ) -> None:
        """`do` returns None, or in how many seconds it is to be called again; it may raise StoreError to be called again."""
        self._source = source
        self._do = do
        self._at_once = at_once
        self._weigh = weigh
        self._lanes = Lanes(at_once=at_once)
        self._running = False
        self._early: list[tuple[int, Lane, T]] | None = None
        self._read_up_to = 0
        self._held = 0

    def __len__(self) -> int:
        return len(self._lanes)

    def hand(self, number: int, lane: Lane, item: T) -> None:
        """Queue a row that was just committed. Before a run nothing is taken: the run will read it."""
        if self._early is not None:
            self._early.append((number, lane, item))
        elif self._running and number > self._read_up_to:
            weight = OVERHEAD + self._weigh(item)
            held = self._held + weight <= MOST_HELD
            self._put(Turn(number, item if held else None), lane, weight if held else 0)

    async def run(self, places: Places, *, others: Sequence[str]) -> None:
        """Do what was left from before and what is handed over, until cancelled."""
        self._lanes = Lanes(at_once=self._at_once)
        self._early = []
        self._read_up_to = self._held = 0
        try:
            if begun := await self._source.recover(places, others=others):
                log.warning(
                    "the bot was interrupted; what was under way is taken up again",
                    table=type(self._source).__name__,
                    begun=begun,
                )
            await self._read(places)
            early, self._early, self._running = self._early, None, True
            for number, lane, item in early:
                self.hand(number, lane, item)
            await asyncio.Event().wait()
        finally:
            self._early, self._running = None, False
            await self._lanes.close()

    async def idle(self) -> None:
        """Return once everything that was handed over has been seen to."""
        await self._lanes.idle()

    async def finish(self, *, within_s: float) -> bool:
        """End what is being done; what waits is left to the next start. False where some of it took longer."""
        return await self._lanes.finish(within_s=within_s)

    async def drain(self, *, within_s: float) -> bool:
        """Do what waits but need not wait for its time. False where it took longer."""
        return await self._lanes.drain(within_s=within_s)

    async def _read(self, places: Places) -> None:
        while True:
            tickets = await self._source.tickets(places, after=self._read_up_to, most=READ_AT_ONCE)
            for ticket in tickets:
                self._read_up_to = ticket.id
                self._put(Turn(ticket.id, None), ticket.lane, 0)
            if len(tickets) < READ_AT_ONCE:
                return

    def _put(self, turn: Turn[T], lane: Lane, weight: int) -> None:
        self._held += weight
        self._lanes.put(lane, partial(self._called, turn, weight))

    async def _called(self, turn: Turn[T], weight: int) -> float | None:
        try:
            wait_s = await self._do(turn)
        except StoreError as error:
            wait_s = min(FIRST_WAIT_S * 2**turn.failures, LONGEST_WAIT_S)
            turn.failures += 1
            log.error(
                "the store failed; it is tried again",
                table=type(self._source).__name__,
                row=turn.id,
                why=str(error),
                wait_s=wait_s,
            )
        else:
            turn.failures = 0
        if wait_s is None:
            self._held -= weight
        return wait_s
