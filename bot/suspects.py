"""Messages that were worked on when the bot died: which of them killed it nobody knows, so they are tried again, ever fewer and later.

Owns when. After one death, which mostly was none of theirs, a few are tried at a time; what died twice is tried alone. What was beside
the one that kills is answered before that one is tried again, and what comes meanwhile is answered too; a bot that is killed from outside
over and over blames no message, because it lives too short to try one again. Leaves to `bot.worker` what is told of a message with which
it died MOST_ATTEMPTS times.

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
AT_ONCE: Final = (0, 8, 1)
"""As many of what died with the bot once, and twice, are tried at a time: fifty people who asked when it lost its power wait for a few."""
AGAIN_S: Final = 0.25
"""While others are tried."""
ALONE_WITHIN_S: Final = 30.0
"""How long the others wait for one that is tried: what takes minutes holds them up no longer."""


class Suspects:
    """One bot's life."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Take a clock in seconds."""
        self._clock = clock
        self._begun = clock()
        self._tried: dict[int, tuple[float, int]] = {}
        """What is tried just now, since when, and beside how many at most."""

    def begin(self) -> None:
        """Know that a life begins."""
        self._begun = self._clock()
        self._tried.clear()

    def wait_s(self, number: int, attempts: int) -> float:
        """Return in how many seconds a message may be tried with which a bot died `attempts` times; 0.0: now, it is its turn."""
        if not 0 < attempts < MOST_ATTEMPTS:
            return 0.0
        now = self._clock()
        left_s = self._begun + AFTER_S[attempts] - now
        if left_s > 0:
            return left_s
        beside = [most for since, most in self._tried.values() if now - since < ALONE_WITHIN_S]
        if number not in self._tried and len(beside) >= min([AT_ONCE[attempts], *beside]):
            return AGAIN_S
        self._tried.setdefault(number, (now, AT_ONCE[attempts]))
        return 0.0

    def over(self, number: int) -> None:
        """Know that the message was tried and the bot lives."""
        self._tried.pop(number, None)
