"""How fast one may send where a platform asks for patience beforehand: a few at once, then one every so many seconds.

    pace = Pace(burst=5, every_s=2.0)
    await pace.turn()    # at once five times, then every 2 s

Leaves to `bot.channels.waits` what a platform asks for afterwards.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable


class Pace:
    """A bucket of `burst` turns that fills by one every `every_s` seconds; who waits is served in order."""

    def __init__(
        self, *, burst: int, every_s: float, clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:  # fmt: skip
        """Take how many at once, and the seconds for each further one; 0 for no limit."""
        self._burst = burst
        self._every_s = every_s
        self._clock = clock
        self._pause = pause
        self._free_at = float("-inf")
        self._line = asyncio.Lock()

    async def turn(self) -> None:
        """Return when one more may be sent."""
        async with self._line:
            earliest = max(self._free_at, self._clock() - (self._burst - 1) * self._every_s)
            if (wait_s := earliest - self._clock()) > 0:
                await self._pause(wait_s)
            self._free_at = earliest + self._every_s
