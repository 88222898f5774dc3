"""Messages that were worked on when the bot died: which of them killed it nobody knows, so they are tried again one by one, ever later.

Owns when. What was beside the one that kills is answered before that one is tried again, and what comes meanwhile is answered too; a bot
that is killed from outside over and over blames no message, because it lives too short to try one again. Leaves to `bot.worker` what is
told of a message with which it died MOST_ATTEMPTS times.

    suspects = Suspects()
    suspects.begin()                       # when the bot starts
    suspects.wait_s(number, attempts)      # 0.0: now; then, once it was tried: suspects.over(number)
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

MOST_ATTEMPTS: Final = 3
AFTER_S: Final = (0.0, 2.0, 10.0)
"""How long the bot has to live before what died with it once, and twice, is tried again."""
AGAIN_S: Final = 0.25
"""While another one is tried."""
ALONE_WITHIN_S: Final = 30.0
"""How long the others wait for the one that is tried: what takes minutes holds them up no longer."""


class Suspects:
    """One bot's life."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Take a clock in seconds."""
        self._clock = clock
        self._begun = clock()
        self._tried: dict[int, float] = {}
        """What is tried just now, and since when."""

    def begin(self) -> None:
        """Know that a life begins."""
        self._begun = self._clock()
        self._tried.clear()

    def wait_s(self, number: int, attempts: int) -> float:
        """Return in how many seconds a message may be tried with which a bot died `attempts` times; 0.0: now, it is the one."""
        if not 0 < attempts < MOST_ATTEMPTS:
            return 0.0
        now = self._clock()
        left_s = self._begun + AFTER_S[attempts] - now
        if left_s > 0:
            return left_s
        if number not in self._tried and any(now - since < ALONE_WITHIN_S for since in self._tried.values()):
            return AGAIN_S
        self._tried.setdefault(number, now)
        return 0.0

    def over(self, number: int) -> None:
        """Know that the message was tried and the bot lives."""
        self._tried.pop(number, None)
