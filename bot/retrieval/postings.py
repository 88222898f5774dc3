"""Which passages hold a word, and which a reader may read, remembered from search to search.

Owns the remembering: what was read of the database once is kept, and only what came and went since is read again. Ids grow and are
never used again, so what is new stands above what was seen. Leaves to `bot.store.shelf` the reading.

    postings = Postings()
    ids = postings.ids("lamp", mark, lambda after: state.holders("lamp", after=after), state.removed)

A common word stands in a hundred thousand passages of a million: reading them takes 10 ms, looking at them 0.3. At a million passages
the words that stand in more than one of thirty fit into MOST_BYTES, a bit a passage each.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.store.shelf import NO_PASSAGE, Mark

Ids = NDArray[np.int64]
Bytes = NDArray[np.uint8]

MOST_BYTES = 32_000_000
KEPT_FROM = 10
"""Passages from which a list is remembered; of a shorter one nearly all would be what it takes beside its ids."""
BESIDE_BYTES = 400
"""What a list takes in memory beside its ids."""


@dataclass(slots=True)
class _Kept:
    """A list of ids: as uint32 each, or one bit for each id up to the last, whichever is smaller."""

    packed: Bytes
    bits: bool
    passage: int
    """How far it was read: ids above are not known."""
    removal: int

    @property
    def bytes(self) -> int:
        """What it takes in memory."""
        return self.packed.nbytes + BESIDE_BYTES

    def ids(self) -> Ids:
        """Return the ids, ascending."""
        if self.bits:
            return np.flatnonzero(np.unpackbits(self.packed, bitorder="little").view(np.bool_))
        return self.packed.view(np.uint32).astype(np.int64)


class Postings:
    """Lists of passages, by what they hold or whose they are. Not for two threads at once."""

    def __init__(self, *, most_bytes: int = MOST_BYTES) -> None:
        """Remember at most `most_bytes`, what was asked for last."""
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self._bytes = 0

    def ids(self, key: Hashable, mark: Mark, read: Callable[[int], Ids], removed: Callable[[int], Sequence[int]]) -> Ids:
        """Return the ids under `key` in the database's state at `mark`, int64 ascending.

        Args:
            key: what the list is remembered by.
            mark: how far the database has come.
            read: returns the ids of the list that are above a number, ascending.
            removed: returns the passages that went since a removal.
        """
        kept = self._kept.pop(key, None)
        if kept is None:
            ids = read(0)
            self._keep(key, ids, mark)
            return ids
        self._bytes -= kept.bytes
        ids = kept.ids()
        if (kept.passage, kept.removal) == (mark.passage, mark.removal):
            self._put(key, kept)
            return ids
        gone = removed(kept.removal) if kept.removal != mark.removal else ()
        if NO_PASSAGE in gone:  # not a passage: all is to be read again
            ids = read(0)
        else:
            came = read(kept.passage) if kept.passage != mark.passage else ids[:0]
            ids = np.concatenate([ids[~np.isin(ids, gone)] if len(gone) else ids, came])
        self._keep(key, ids, mark)
        return ids

    def _keep(self, key: Hashable, ids: Ids, mark: Mark) -> None:
        if len(ids) >= KEPT_FROM:
            self._put(key, _Kept(*_packed(ids), mark.passage, mark.removal))

    def _put(self, key: Hashable, kept: _Kept) -> None:
        self._kept[key] = kept
        self._bytes += kept.bytes
        while self._bytes > self._most_bytes:
            _key, oldest = self._kept.popitem(last=False)
            self._bytes -= oldest.bytes


def _packed(ids: Ids) -> tuple[Bytes, bool]:
    """Return `ids`, ascending, packed, and whether a bit stands for each."""
    last = int(ids[-1])
    if last >= 32 * len(ids):
        return ids.astype(np.uint32).view(np.uint8), False
    held = np.zeros(last + 1, np.uint8)
    held[ids] = 1
    return np.packbits(held, bitorder="little"), True
