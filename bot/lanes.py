"""Work in lanes: in order within a lane, side by side across lanes, a bounded number at once.

lanes = Lanes(at_once=8)
lanes.put("telegram/1/42", lambda: handle(message))
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable

Job = Callable[[], Awaitable[None]]


class Lanes:
    """Queues by key. A job must see to its own errors; one that raises ends its lane's task with the error logged by asyncio."""

    def __init__(self, *, at_once: int) -> None:
        """Run at most `at_once` jobs at a time."""
        self._waiting: dict[Hashable, deque[Job]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(at_once)
        self._idle = asyncio.Event()
        self._idle.set()

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def put(self, lane: Hashable, job: Job) -> None:
        """Queue `job` behind what is in its lane already."""
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
        for jobs in self._waiting.values():
            while len(jobs) > 1:
                jobs.pop()
        try:
            await asyncio.wait_for(self.idle(), within_s)
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """Cancel what is running and drop what is queued."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._waiting.clear()
        self._idle.set()

    async def _drive(self, lane: Hashable) -> None:
        jobs = self._waiting[lane]
        try:
            while jobs:
                async with self._places:
                    await jobs[0]()
                jobs.popleft()
        finally:
            self._waiting.pop(lane, None)
            if not self._waiting:
                self._idle.set()
