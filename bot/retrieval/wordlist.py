"""The library's words in one alphabet, read when they are asked for, and how old they may be.

listed = WordList("\uac00", "\ud7a4")
words = listed.read(state.terms_between)     # the same sequence until it is read anew
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

SELDOM: Final = 20.0
"""How many times as long as it took to read a vocabulary is served: of 100,000 passages that takes a quarter of a second."""

Read = Callable[[str, str], Sequence[str]]
"""Reads the library's terms from one letter to before another."""
NOTHING: Final[Sequence[str]] = ()


class WordList:
    """The terms from one letter to before another. Not for two threads at once."""

    def __init__(self, first: str, end: str, clock: Callable[[], float] = time.perf_counter) -> None:
        """Begin with nothing read; `clock` gives seconds."""
        self._first, self._end = first, end
        self._clock = clock
        self.clear()

    def clear(self) -> None:
        """Forget all, and read it at the next word."""
        self._words = NOTHING
        self._stale = True
        self._again_at = 0.0

    def moved(self, *, gone: bool) -> None:
        """Take note that passages have come, and whether others are no longer there: of what stood in them nothing is kept."""
        self._stale = True
        if gone:
            self._words = NOTHING

    def read(self, read: Read) -> Sequence[str]:
        """Return the words in the order of their letters; they are read anew where passages came, and it is time."""
        begun = self._clock()
        if self._stale and begun >= self._again_at:
            self._words = sorted(read(self._first, self._end))
            self._stale = False
            done = self._clock()
            self._again_at = done + SELDOM * (done - begun)
        return self._words
