"""How a loop tells that it goes on, and whether what it talks to answers.

pulse = Pulse()
pulse.due(40)        # before a poll that may take 30 s: heard of again within 40 s
pulse.reached()      # it answered
pulse.overdue_s      # 0.0, or for how long it has been silent beyond its word
"""

from __future__ import annotations

import time
from collections.abc import Callable


class Pulse:
    """The word of one loop. Told by the loop, read by who watches it; both on the event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Owe nothing yet."""
        self._clock = clock
        self._due: float | None = None
        self._reached: float | None = None

    def due(self, within_s: float) -> None:
        """Promise to be heard of again within so many seconds."""
        self._due = self._clock() + within_s

    def rest(self) -> None:
        """Owe nothing: the loop waits for what comes from outside, for as long as that takes."""
        self._due = None

    def reached(self) -> None:
        """Take note that the other side answered."""
        self._reached = self._clock()

    def lost(self) -> None:
        """Take note that it is connected no more."""
        self._reached = None

    @property
    def overdue_s(self) -> float:
        """For how long nothing has been heard beyond what was promised; 0 while the word is kept."""
        return 0.0 if self._due is None else max(0.0, self._clock() - self._due)

    def connected(self, within_s: float) -> bool:
        """Say whether the other side answered within so many seconds; of who rests, whether it ever did."""
        quiet_s = self.quiet_s
        return quiet_s is not None and (self._due is None or quiet_s <= within_s)

    @property
    def quiet_s(self) -> float | None:
        """How long ago the other side answered; None where it never did, or the connection is known to be lost."""
        return None if self._reached is None else self._clock() - self._reached
