"""Work in lanes: in order within a lane, side by side across lanes, a bounded number at once.

A job that must wait gives its place to others and goes on in its turn: what is behind it in its lane waits with it, the
other lanes do not.

    lanes = Lanes(at_once=8)
    lanes.put("telegram/1/42", lambda: handle(message))
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable

from bot.logs import Logger

log = Logger(__name__)

Job = Callable[[], Awaitable[float | None]]
"""Returns None when it is done, else in how many seconds it is to be called again."""
CLOSE_WITHIN_S = 5.0


class Lanes:
    """Queues by key. A job that raises is logged and left; those behind it go on."""

    def __init__(self, *, at_once: int) -> None:
        """Run at most `at_once` jobs at a time."""
        self._waiting: dict[Hashable, deque[Job]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(at_once)
        self._idle = asyncio.Event()
        self._idle.set()
        self._hurry = asyncio.Event()
        self._ending = False

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def put(self, lane: Hashable, job: Job) -> None:
        """Queue `job` behind what is in its lane already; nothing is taken any more once it is to end."""
        if self._ending:
            return
        if lane in self._waiting:
            self._waiting[lane].append(job)
            return
        self._waiting[lane] = deque([job])
        self._idle.clear()
        task = asyncio.create_task(self._drive(lane), name=f"lane {lane}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def idle(self) -> None:
        """Return once nothing is queued or running."""
        await self._idle.wait()

    async def finish(self, *, within_s: float) -> bool:
        """Drop what is queued, let what is running end; return False where some of it was still running after `within_s`."""
        self._ending = True
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
        self._waiting.clear()
        self._idle.set()

    async def _drive(self, lane: Hashable) -> None:
        jobs = self._waiting[lane]
        try:
            while jobs and not self._ending:
                wait_s = await self._called(jobs[0], lane)
                if wait_s is None:
                    jobs.popleft()
                elif not await self._rested(wait_s):
                    break
        finally:
            self._waiting.pop(lane, None)
            if not self._waiting:
                self._idle.set()

    async def _called(self, job: Job, lane: Hashable) -> float | None:
        async with self._places:
            if self._ending:
                return None
            try:
                return await job()
            except Exception:  # one job must not stop those behind it
                log.exception("a job broke and is left", lane=str(lane))
                return None

    async def _rested(self, wait_s: float) -> bool:
        """Wait; return False where it is to end meanwhile."""
        try:
            async with asyncio.timeout(wait_s):
                await self._hurry.wait()
        except TimeoutError:
            return True
        return False
