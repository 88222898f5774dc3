"""How long a hub is waited for, and what is raised when a connection ends too soon.

Patience(tries=1).pause(1)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.errors import ModelError

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Patience:
    """Limits on every wait, in seconds."""

    connect_s: float = 4.0
    answer_s: float = 10.0
    """For the beginning of an answer, and between any two parts of it."""
    tries: int = 5
    pause_s: float = 1.0
    """Before the second try; twice as long before each one after it."""
    longest_pause_s: float = 16.0
    longest_wait_s: float = 60.0
    """What a hub may ask to wait (Retry-After); longer is told to the admin instead."""
    slow_s: float = 30.0
    slow_bytes: int = 64 << 10
    """A stream that brings less than that within `slow_s` is taken for cut off."""
    tell_every_s: float = 2.0

    def pause(self, tried: int) -> float:
        """Return the seconds to wait after the `tried`-th try has failed (1 is the first)."""
        return min(self.longest_pause_s, self.pause_s * 2.0 ** (tried - 1))


class CutError(ModelError):
    """The connection ended, or stood still, before all bytes had come; those that had come are good."""
