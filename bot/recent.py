"""A mapping that keeps the last few: whatever more is put in, the oldest is forgotten.

Owns the bound: a memory of chats, people or messages that nobody empties would grow as long as the bot runs. Leaves to its owner how many.

    shown: Recent[str, str] = Recent(most=2)
    shown["a"], shown["b"], shown["c"] = "1", "2", "3"
    list(shown)     # ["b", "c"]
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Recent(OrderedDict[Key, Value]):
    """The last `most` that were put in, oldest first; what is put in again is the newest."""

    def __init__(self, *, most: int) -> None:
        """Begin empty."""
        super().__init__()
        self._most = most

    def __setitem__(self, key: Key, value: Value) -> None:
        """Keep it as the newest, and forget what is too much."""
        super().__setitem__(key, value)
        self.move_to_end(key)
        while len(self) > self._most:
            self.popitem(last=False)
