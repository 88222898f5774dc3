"""Waiting after what went wrong, ever longer, and telling meanwhile that one is alive.

backoff = Backoff()
await backoff.wait()       # 0.5 s, 1 s, 2 s, ... LONGEST_WAIT_S, with chance in it
backoff.succeeded()
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

from bot.pulse import Pulse

Pause = Callable[[float], Awaitable[None]]

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0
SLACK_S = 60.0
"""How much longer than it should anything may take before it is called stuck."""
SETTLED_S = 5.0
"""How long a connection stands before what went wrong until then is forgotten: one that ends at once is made again ever later."""
LONGEST_ASKED_S = 300.0
"""As long as one listens to nothing at most, whatever a server asks for."""


class Backoff:
    """Waits longer after each failure, with chance in it so that many do not come back at once."""

    def __init__(self, pause: Pause = asyncio.sleep, chance: random.Random | None = None) -> None:
        """Take how to wait and where chance comes from."""
        self._pause = pause
        self._chance = chance or random.Random()  # noqa: S311 - spreads retries, guards nothing
        self._failures = 0
        self.pulse = Pulse()
        """Tells how long the loop that waits here may be silent."""

    async def pause(self, seconds: float) -> None:
        """Wait so long, for no failure."""
        self.pulse.due(seconds + SLACK_S)
        await self._pause(seconds)

    async def wait(self, at_least_s: float = 0.0, *, most_s: float = LONGEST_WAIT_S) -> None:
        """Wait for this failure: half to whole of 0.5 s, 1 s, 2 s, ... `most_s`."""
        longest = min(most_s, FIRST_WAIT_S * 2 ** min(self._failures, 10))
        self._failures += 1
        await self.pause(max(min(at_least_s, LONGEST_ASKED_S), longest * self._chance.uniform(0.5, 1.0)))

    def succeeded(self) -> bool:
        """Begin anew; say whether there were failures before."""
        before, self._failures = self._failures, 0
        return before > 0
