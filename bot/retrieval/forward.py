"""The terms of passages, remembered from search to search: a forward index of what was read last.

Owns the remembering. A passage's terms and its scope never change, and its id is never used again: what was read once holds until
the passage goes. Leaves to `bot.store.shelf` the reading.

    forward = Forward()
    forward.follow(mark, lambda after: state.removed(after=after))
    there, tokens = forward.tokens(ids, scopes, lambda missing: state.terms_in(missing, scopes))

To read the terms of five hundred passages takes SQLite 0.8 ms; remembered they are gathered in a tenth of that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from bot.retrieval.postings import Ids
from bot.retrieval.tokens import Tokens
from bot.store.shelf import NO_PASSAGE, Mark, Termed

MOST_TERMS = 4_000_000
"""Terms that are remembered: sixteen megabytes, some sixty thousand passages."""
PACKED_COUNTS = 2
"""Numbers that stand before a passage's terms, see `bot.store.tables.PassageRow.terms`."""

_ID, _SCOPE, _START, _SIZE = range(4)
T = TypeVar("T", bound=np.generic)


class Forward:
    """Terms of passages by their ids. Not for two threads at once."""

    def __init__(self, *, most_terms: int = MOST_TERMS) -> None:
        """Begin anew where more than `most_terms` are remembered."""
        self._most_terms = most_terms
        self._removal = 0
        self._row_of = np.zeros(0, np.int32)
        """By id; 0 where it is not remembered."""
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._flat = np.zeros(0, np.uint32)
        self._used = 0
        self._rows = np.zeros((1, 4), np.int64)
        """The four numbers above of each passage, in the order of reading; the first row is of none."""
        self._count = 1
        self._row_of = np.zeros(len(self._row_of), np.int32)

    def follow(self, mark: Mark, removed: Callable[[int], Sequence[int]]) -> None:
        """Forget the passages that went before `mark`; `removed` returns those that went since a removal."""
        self._row_of = _grown(self._row_of, mark.passage + 1)
        if mark.removal == self._removal:
            return
        gone = removed(self._removal) if self._count > 1 else ()
        self._removal = mark.removal
        if NO_PASSAGE in gone:  # not a passage: all is to be read again
            self.clear()
        else:
            self._forget(gone)

    def tokens(self, ids: Ids, scopes: Sequence[int], read: Callable[[Ids], Sequence[Termed]]) -> tuple[Ids, Tokens]:
        """Return those of `ids` that are there and in `scopes`, and the terms of all fields of each.

        Args:
            ids: passages, ascending, none above the mark that was followed last.
            scopes: numbers of the scopes that may be read.
            read: returns those that are not remembered and are in the scopes.
        """
        if self._used > self._most_terms:
            self.clear()
        missing = ids[self._row_of[ids] == 0]
        if len(missing) and (rows := read(missing)):
            self._add(rows)
        found = self._rows.take(self._row_of[ids], axis=0)
        found = found.compress(_among(found[:, _SCOPE], scopes), axis=0)
        return found[:, _ID], Tokens.within(self._flat, found[:, _START], found[:, _SIZE])

    def _add(self, rows: Sequence[Termed]) -> None:
        ids, scopes, packed = zip(*rows, strict=True)
        joined = np.frombuffer(b"".join(packed), "<u4")
        lengths = np.fromiter(map(len, packed), np.int64, len(packed)) // joined.itemsize
        starts = self._used + np.cumsum(lengths) - lengths
        used, count = self._used + len(joined), self._count + len(ids)
        self._flat, self._rows = _grown(self._flat, used), _grown(self._rows, count)
        self._flat[self._used : used] = joined
        self._rows[self._count : count] = np.array([ids, scopes, starts + PACKED_COUNTS, lengths - PACKED_COUNTS]).T
        self._row_of[list(ids)] = np.arange(self._count, count)
        self._used, self._count = used, count

    def _forget(self, ids: Sequence[int]) -> None:
        """Overwrite what is known of passages that are gone."""
        for row in self._row_of[list(ids)].tolist():
            start, size = self._rows[row, _START:].tolist()
            self._flat[start : start + size] = 0
            self._rows[row] = 0
        self._row_of[list(ids)] = 0


def _among(scopes: Ids, admitted: Sequence[int]) -> NDArray[np.bool_]:
    """Return bool (n,): which of `scopes` are admitted; 0, the scope of what is not there, never is."""
    table = np.zeros(1 + max([int(scopes.max(initial=0)), *admitted]), bool)  # `np.isin` takes ten times as long
    table[list(admitted)] = True
    table[0] = False
    return table[scopes]


def _grown(array: NDArray[T], length: int) -> NDArray[T]:
    """Return `array` with room for `length`, zeros after what it holds: at least half as much again, so that it is seldom copied."""
    if length <= len(array):
        return array
    grown = np.zeros((max(length, len(array) * 3 // 2), *array.shape[1:]), array.dtype)
    grown[: len(array)] = array
    return grown
