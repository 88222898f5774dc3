"""What a platform asked to leave alone for a while (a chat, a method): until then nothing at all is sent there, and others go on.

Owns how long. In Telegram a 429 for a status or for "typing" holds up the answer as well: each call that comes too early makes the wait longer.

    waits = Waits()
    waits.hold(42, 7.0)
    waits.left_s(42)  # 7.0

Source: https://core.telegram.org/bots/api#responseparameters (retry_after)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable

KEPT = 4096


class Waits:
    """The waits of one account."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Take a clock in seconds."""
        self._clock = clock
        self._until: dict[Hashable, float] = {}

    def hold(self, what: Hashable, seconds: float) -> None:
        """Send nothing to `what` for so long."""
        now = self._clock()
        if len(self._until) >= KEPT:
            self._until = {other: until for other, until in self._until.items() if until > now}
        self._until[what] = max(now + seconds, self._until.get(what, now))

    def left_s(self, what: Hashable) -> float:
        """Return how many seconds are left, 0.0 for none."""
        until = self._until.get(what)
        if until is None:
            return 0.0
        left_s = until - self._clock()
        if left_s <= 0:
            del self._until[what]
        return max(left_s, 0.0)
