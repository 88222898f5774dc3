"""What a channel does beside its answers, and nothing waits for: signs, notes, what is said at the door.

Owns that it is no more than so much at once, that it is tried again where the platform asks to wait, and how it ends. Leaves to a channel
what it does.

    beside: Beside[None] = Beside(most=256)
    beside.start(lambda: patiently(lambda: wire.call("reactions.add", name="eyes")))
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Coroutine
from typing import Final, Generic, TypeVar

from bot.errors import RetryLaterError

TRIES: Final = 3
Result = TypeVar("Result")


class Beside(Generic[Result]):
    """Tasks beside the channel's loop, at most `most` at once."""

    def __init__(self, *, most: int) -> None:
        """Begin with none."""
        self._most = most
        self._under_way: set[asyncio.Task[Result]] = set()

    def start(self, work: Callable[[], Coroutine[object, object, Result]]) -> asyncio.Task[Result] | None:
        """Start it; where too much is under way, leave it and return None."""
        if len(self._under_way) >= self._most:
            return None
        task = asyncio.create_task(work())
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def finish(self, *, within_s: float) -> None:
        """Wait for what is under way; end what takes longer."""
        if self._under_way:
            _done, late = await asyncio.wait(set(self._under_way), timeout=within_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


async def patiently(work: Callable[[], Awaitable[object]], *, most_s: float = math.inf) -> None:
    """Do it; where the platform asks to wait, do it again then or after `most_s`, TRIES times in all. Raises ChannelError: refused."""
    for left in reversed(range(TRIES)):
        try:
            await work()
        except RetryLaterError as error:
            if left:
                await asyncio.sleep(min(error.retry_after_s, most_s))
        else:
            return
