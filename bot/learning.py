"""When the router learns: after some new labels of people, or a while after fewer; one training at a time.

Owns the when. Leaves the training, and the change to what was learnt, to `bot.router`.

    learner = Learner(learn)
    learner.notice()         # a label was kept, or taken back
    await learner.run()      # until cancelled
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

ENOUGH = 5
"""New labels after which it is worth a training at once."""
QUIET_S = 600.0
"""How long fewer wait for company."""


class Learner:
    """Calls `learn`, which must see to its own errors."""

    def __init__(self, learn: Callable[[], Awaitable[None]]) -> None:
        """Learn by `learn`."""
        self._learn = learn
        self._new = 0
        self._noticed = asyncio.Event()

    def notice(self) -> None:
        """Count a label that is new since the last training."""
        self._new += 1
        self._noticed.set()

    async def run(self) -> None:
        """Learn what was said before, then as it comes, until cancelled."""
        while True:
            self._new = 0
            await self._learn()
            await self._due()

    async def _due(self) -> None:
        """Return once there is enough to learn."""
        while self._new < ENOUGH:
            self._noticed.clear()
            try:
                async with asyncio.timeout(QUIET_S if self._new else None):
                    await self._noticed.wait()
            except TimeoutError:
                return
