"""The way of a table's rows into lanes: what was left from before is read once, what is committed after is handed over.

The database stays the truth: what is handed over is in it already, and a start reads everything that waits. Of what waits long
only the ticket (number and lane) is held, so that a queue of any length costs no memory worth naming; the row is read when its
turn comes. What another bot of the same home took in is taken up where that one lives no more, at the start and every LOOK_EVERY_S.

    feed = Feed(inbox, turn, at_once=16, weigh=lambda waiting: len(waiting.message.text))
    feed.hand(number, lane, waiting)             # on the event loop, in the order of the commits
    await feed.run(places, ended=lease.ended)    # until cancelled
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
from bot.store.places import Lane, Places, Recovered, Ticket

log = Logger(__name__)

T = TypeVar("T")

Ended = Callable[[Sequence[str]], Sequence[str]]
"""Returns those of some leases whose bots live no more."""

LOOK_EVERY_S = 2.0
"""How often one looks for what a bot that has died left behind."""
READ_AT_ONCE = 1000
MOST_HELD = 5_000_000
"""Characters of text that are held in memory for what waits; beyond, the rows are read again in their turn."""
OVERHEAD = 1000
"""What an item weighs besides its text."""
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0
"""After a failure of the store: it is tried again by itself, ever more slowly."""


class Source(Protocol):
    """A table whose rows wait. Implemented by `bot.store.inbox.Inbox` and `bot.store.outbox.Outbox`."""

    @property
    def owner(self) -> str:
        """The lease that one's own rows carry."""
        ...

    async def tickets(self, places: Places, *, after: int = 0, most: int = 1000) -> list[Ticket]:
        """Return what waits in `places` with a number over `after`, oldest first."""
        ...

    async def owners(self, places: Places) -> list[str]:
        """Return the leases of which rows wait in `places`."""
        ...

    async def recover(self, places: Places, *, of: Sequence[str]) -> Recovered:
        """Take over what waits in `places` and is of the leases `of`."""
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
        self,
        source: Source,
        do: Callable[[Turn[T]], Awaitable[float | None]],
        *,
        at_once: int,
        of_one: int = 0,
        weigh: Callable[[T], int],
        first: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`do` returns None, or in how many seconds it is to be called again; it may raise StoreError to be called again.

        At most `at_once` at a time, at most `of_one` of them one person's (0: as many as there are). `first` is done before what others
        left behind is queued.
        """
        self._source = source
        self._do = do
        self._at_once, self._of_one = at_once, of_one
        self._weigh = weigh
        self._first = first
        self._lanes = Lanes(at_once=at_once, of_one=of_one)
        self._running = False
        self._places: Places = {}
        self._ended: Ended = list
        self._early: list[tuple[int, Lane, T, str]] | None = None
        self._read_up_to = 0
        self._held = 0

    def __len__(self) -> int:
        return len(self._lanes)

    def __contains__(self, lane: Lane) -> bool:
        """Say whether anything in the lane is yet to be done."""
        return lane in self._lanes

    def waiting(self, lane: Lane) -> tuple[int, int]:
        """Return how much waits in the lane, and in all."""
        return self._lanes.of(lane), len(self._lanes)

    def queued(self) -> list[tuple[int, float]]:
        """Return the next row of each lane that waits for a place, in their turn, and for how many seconds the lane has."""
        return [(job.args[0].id, waited_s) for job, waited_s in self._lanes.queued() if isinstance(job, partial)]

    def hand(self, number: int, lane: Lane, item: T, *, who: str = "") -> None:
        """Queue a row of `who` that was just committed. Before a run nothing is taken: the run will read it."""
        if self._early is not None:
            self._early.append((number, lane, item, who))
        elif self._running and number > self._read_up_to:
            weight = OVERHEAD + self._weigh(item)
            held = self._held + weight <= MOST_HELD
            self._put(Turn(number, item if held else None), lane, who, weight if held else 0)

    async def run(self, places: Places, *, ended: Ended) -> None:
        """Do what was left from before, what is handed over, and what those leave behind who die meanwhile, until cancelled."""
        self._lanes = Lanes(at_once=self._at_once, of_one=self._of_one)
        self._places, self._ended = places, ended
        self._early = []
        self._read_up_to = self._held = 0
        try:
            await self._recovered([self._source.owner, *await self._gone()])
            await self._read(places)
            early, self._early, self._running = self._early, None, True
            for number, lane, item, who in early:
                self.hand(number, lane, item, who=who)
            await self._look_after_others()
        finally:
            self._early, self._running = None, False
            await self._lanes.close()

    async def take_up(self) -> None:
        """Queue what those left behind who live no more; a run that has yet to read does that itself. Raises StoreError."""
        if self._running and (gone := await self._gone()):
            if self._first is not None:
                await self._first()
            for ticket in (await self._recovered(gone)).tickets:
                self._put(Turn(ticket.id, None), ticket.lane, ticket.who, 0)

    async def idle(self) -> None:
        """Return once everything that was handed over has been seen to."""
        await self._lanes.idle()

    async def finish(self, *, within_s: float) -> bool:
        """End what is being done; what waits is left to the next start. False where some of it took longer."""
        return await self._lanes.finish(within_s=within_s)

    async def drain(self, *, within_s: float) -> bool:
        """Do what waits but need not wait for its time. False where it took longer."""
        return await self._lanes.drain(within_s=within_s)

    async def _look_after_others(self) -> None:
        failed = False
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self.take_up()
            except StoreError as error:
                if not failed:
                    log.warning("what others left behind cannot be seen", table=type(self._source).__name__, why=str(error))
                failed = True
            else:
                failed = False

    async def _gone(self) -> list[str]:
        others = [owner for owner in await self._source.owners(self._places) if owner != self._source.owner]
        return list(await asyncio.to_thread(self._ended, others)) if others else []

    async def _recovered(self, of: Sequence[str]) -> Recovered:
        recovered = await self._source.recover(self._places, of=of)
        if recovered.begun:
            log.warning(
                "a bot was interrupted; what was under way is taken up again",
                table=type(self._source).__name__,
                begun=recovered.begun,
            )
        return recovered

    async def _read(self, places: Places) -> None:
        while True:
            tickets = await self._source.tickets(places, after=self._read_up_to, most=READ_AT_ONCE)
            for ticket in tickets:
                self._read_up_to = ticket.id
                self._put(Turn(ticket.id, None), ticket.lane, ticket.who, 0)
            if len(tickets) < READ_AT_ONCE:
                return

    def _put(self, turn: Turn[T], lane: Lane, who: str, weight: int) -> None:
        self._held += weight
        self._lanes.put(lane, partial(self._called, turn, weight), who=who)

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
