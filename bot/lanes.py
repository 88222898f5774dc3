"""Work in lanes: in order within a lane, side by side across lanes, a bounded number at once; nobody keeps the others waiting.

A job that must wait gives its place to others and goes on in its turn: what is behind it in its lane waits with it, the
other lanes do not. Whoever (`who`) floods holds up nobody else: so many jobs of one person run at once and no more, however many lanes they
are in; of who has over PATIENT jobs waiting it is one, and in each lane the others go first until the flood is through.

    lanes = Lanes(at_once=8, of_one=4)
    lanes.put("telegram/1/42", lambda: handle(message), who="telegram:42")
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field

from bot.logs import Logger

log = Logger(__name__)

Job = Callable[[], Awaitable[float | None]]
"""Returns None when it is done, else in how many seconds it is to be called again."""
CLOSE_WITHIN_S = 5.0
PATIENT = 32
"""So many jobs of one person may wait, and each is done in its turn; with more it is a flood, until none waits."""


@dataclass(slots=True, eq=False)
class _Turn:
    number: int
    who: str
    job: Job


@dataclass(slots=True, eq=False)
class _Lane:
    key: Hashable
    waiting: dict[str, deque[_Turn]] = field(default_factory=dict)
    """By person, each in order."""
    again: _Turn | None = None
    """What had to wait and is to be called before all others."""
    busy: bool = False
    """True while a job of it runs or waits for its time."""
    offered: bool = False
    """True while it waits for a place …"""
    since: float = 0.0
    """… and since when."""

    def __len__(self) -> int:
        return sum(map(len, self.waiting.values())) + self.busy + (self.again is not None)


class Lanes:
    """Queues by key. A job that raises is logged and left; those behind it go on."""

    def __init__(self, *, at_once: int, of_one: int = 0) -> None:
        """Run at most `at_once` jobs at a time, at most `of_one` of them one person's (0: as many as there are)."""
        self._free = at_once
        self._of_one = of_one or at_once
        self._lanes: dict[Hashable, _Lane] = {}
        self._ready: deque[_Lane] = deque()
        self._parked: dict[str, dict[Hashable, _Lane]] = {}
        """By person of whom enough run: the lanes in which only jobs of such people wait."""
        self._waiting: Counter[str] = Counter()
        self._running: Counter[str] = Counter()
        self._floods: dict[str, int] = {}
        """Who floods, and the number of the job that was begun last for them."""
        self._numbers = self._length = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._hurry = asyncio.Event()
        self._ending = False

    def __len__(self) -> int:
        return self._length

    def __contains__(self, lane: Hashable) -> bool:
        """Say whether anything of the lane is queued, running or waiting for its time."""
        return lane in self._lanes

    def of(self, lane: Hashable) -> int:
        """Return how much of the lane is queued, running or waiting for its time."""
        return len(self._lanes[lane]) if lane in self._lanes else 0

    def queued(self) -> list[tuple[Job, float]]:
        """Return the next job of each lane that waits for a place, in their turn, and for how many seconds the lane has."""
        now = time.monotonic()
        waiting = [(lane.again or min(_heads(lane), key=lambda head: head.number), lane) for lane in self._ready if len(lane)]
        return [(turn.job, now - lane.since) for turn, lane in waiting]

    def put(self, lane: Hashable, job: Job, *, who: str = "") -> None:
        """Queue `job` behind what is in its lane already; nothing is taken any more once it is to end."""
        if self._ending:
            return
        self._idle.clear()
        self._numbers += 1
        self._length += 1
        into = self._lanes.setdefault(lane, _Lane(lane))
        into.waiting.setdefault(who, deque()).append(_Turn(self._numbers, who, job))
        self._waiting[who] += 1
        if who and self._waiting[who] > PATIENT:
            self._floods.setdefault(who, 0)
        self._offer(into)
        self._begin()

    async def idle(self) -> None:
        """Return once nothing is queued or running."""
        await self._idle.wait()

    async def finish(self, *, within_s: float) -> bool:
        """Drop what is queued, let what is running end; return False where some of it was still running after `within_s`."""
        self._ending = True
        for lane in [lane for lane in self._lanes.values() if not lane.busy]:
            self._drop(lane)
        return await self.drain(within_s=within_s)

    async def drain(self, *, within_s: float) -> bool:
        """Do what is queued, but for lanes that wait for their time; return False where it took longer than `within_s`."""
        self._hurry.set()
        try:
            async with asyncio.timeout(within_s):
                await self.idle()
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """Cancel what is running and drop what is queued. What does not let itself be cancelled is told in the log and left."""
        self._ending = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            _done, stuck = await asyncio.wait(tasks, timeout=CLOSE_WITHIN_S)
            for task in stuck:
                log.error("a job does not end though it was cancelled", lane=task.get_name())
        self._lanes.clear()
        self._length = 0
        self._ready.clear()
        self._idle.set()

    # ------------------------------------------------------------------ whose turn it is

    def _offer(self, lane: _Lane) -> None:
        """Have the lane's next job begun when there is a place."""
        if not lane.busy and not lane.offered:
            lane.offered, lane.since = True, time.monotonic()
            self._ready.append(lane)

    def _begin(self) -> None:
        """Begin what may be begun: the lanes in turn."""
        while self._free > 0 and self._ready and not self._ending:
            lane = self._ready.popleft()
            lane.offered = False
            turn = self._next(lane)
            if turn is None:
                continue
            self._free -= 1
            self._running[turn.who] += 1
            lane.busy = True
            task = asyncio.create_task(self._do(lane, turn), name=f"lane {lane.key}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _next(self, lane: _Lane) -> _Turn | None:
        """Take the job whose turn it is; None where enough run of everybody who waits in the lane, which is parked then."""
        if lane.again is not None:
            turn, lane.again = lane.again, None
            return turn
        heads = _heads(lane)
        may = [head for head in heads if self._running[head.who] < (1 if head.who in self._floods else self._of_one)]
        if not may:
            for head in heads:
                self._parked.setdefault(head.who, {})[lane.key] = lane
            return None
        turn = min(may, key=lambda head: (head.who in self._floods, self._floods.get(head.who, 0), head.number))
        for head in may:
            if head is not turn:  # it lets another go first: what is free for its person is so for other lanes
                self._unpark(head.who)
        waiting = lane.waiting[turn.who]
        waiting.popleft()
        if not waiting:
            del lane.waiting[turn.who]
        self._count(turn.who)
        return turn

    def _count(self, who: str) -> None:
        """Know that one job less waits of `who`."""
        self._waiting[who] -= 1
        if not self._waiting[who]:
            del self._waiting[who]
            self._floods.pop(who, None)
        elif who in self._floods:
            self._numbers += 1
            self._floods[who] = self._numbers

    def _unpark(self, who: str) -> None:
        """Offer one of the lanes that wait for a job of `who` to end."""
        parked = self._parked.get(who, {})
        while parked:
            lane = parked.pop(next(iter(parked)))
            if who in lane.waiting and not lane.busy:
                self._offer(lane)
                return
        self._parked.pop(who, None)

    def _left(self, turn: _Turn) -> None:
        """Give back the place of a job."""
        self._free += 1
        self._running[turn.who] -= 1
        if not self._running[turn.who]:
            del self._running[turn.who]
        self._unpark(turn.who)

    def _go_on(self, lane: _Lane) -> None:
        """Have what is next in the lane begun, and in the others."""
        lane.busy = False
        if self._ending:
            self._drop(lane)
        elif lane.waiting or lane.again is not None:
            self._offer(lane)
        else:
            self._lanes.pop(lane.key, None)
        self._begin()
        if not self._lanes:
            self._idle.set()

    def _drop(self, lane: _Lane) -> None:
        for who, turns in lane.waiting.items():
            self._waiting[who] -= len(turns)
            self._length -= len(turns)
        lane.waiting.clear()
        self._length -= lane.again is not None
        lane.again = None
        self._lanes.pop(lane.key, None)
        if not self._lanes:
            self._idle.set()

    # ------------------------------------------------------------------ doing it

    async def _do(self, lane: _Lane, turn: _Turn) -> None:
        wait_s: float | None = None
        try:
            wait_s = await self._called(turn.job, lane)
        finally:
            self._left(turn)
            if wait_s is None:
                self._length -= 1
                self._go_on(lane)
        if wait_s is not None:
            self._begin()
            if await self._rested(wait_s):
                lane.again = turn
            else:
                self._length -= 1
                self._drop(lane)
            self._go_on(lane)

    async def _called(self, job: Job, lane: _Lane) -> float | None:
        if self._ending:
            return None
        try:
            return await job()
        except Exception:  # one job must not stop those behind it
            log.exception("a job broke and is left", lane=str(lane.key))
            return None

    async def _rested(self, wait_s: float) -> bool:
        """Wait; return False where it is to end meanwhile."""
        try:
            async with asyncio.timeout(wait_s):
                await self._hurry.wait()
        except TimeoutError:
            return True
        return False


def _heads(lane: _Lane) -> list[_Turn]:
    """Return the first job of each person who waits in the lane."""
    return [turns[0] for turns in lane.waiting.values()]
