"""Which passages an index of vectors holds, row by row, and which of them a reader may see.

Owns: ids and scopes of the rows, which rows are gone, who is admitted to which. Leaves to `bot.retrieval.vectors` and
`bot.retrieval.coded` the vectors of the rows.

    roll = Roll()
    roll.add(ids, scopes)
    admitted, few = roll.admitted((3, 7))
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Mask = NDArray[np.bool_]

COMPACT_FROM = 1000
"""Dead rows that are borne before an index is made anew without them; and no more than a quarter of it."""
MOST_READERS = 64
MOST_READER_BYTES = 16 << 20
"""Readers whose admitted rows are kept, a byte a row each: at 10,000 passages it spares 0.1 ms a search, at a million 3 ms."""
ROOM = 1.25
"""By how much a column grows when it is full: rows are copied four times on the way to any size, whatever comes at once."""


class Column:
    """Rows of one kind that only ever grow: `rows` is a view of them, and what a view shows is never changed by `append`."""

    def __init__(self, rows: NDArray[np.generic]) -> None:
        """Begin with `rows`, (n,) or (n, width), which are kept and not copied."""
        self._store = rows
        self._count = len(rows)

    def __len__(self) -> int:
        return self._count

    @property
    def rows(self) -> NDArray[np.generic]:
        """All rows."""
        return self._store[: self._count]

    def append(self, rows: NDArray[np.generic]) -> None:
        """Add rows below."""
        count = self._count + len(rows)
        if count > len(self._store):
            grown = np.empty((max(count, int(count * ROOM)), *self._store.shape[1:]), self._store.dtype)
            grown[: self._count] = self.rows
            self._store = grown
        self._store[self._count : count] = rows
        self._count = count


class Roll:
    """The rows of an index."""

    def __init__(self, ids: Ids | None = None, scopes: Ids | None = None) -> None:
        """Begin with these rows, none for None: ids ascending."""
        self._ids = Column(np.zeros(0, np.int64) if ids is None else ids)
        self._scopes = Column(np.zeros(0, np.int64) if scopes is None else scopes)
        self._alive = Column(np.ones(len(self._ids), bool))
        self._admitted_to: dict[tuple[int, ...], tuple[Mask, int]] = {}
        self._dead = 0

    def __len__(self) -> int:
        """Return how many passages are here; `rows` counts what is gone as well."""
        return len(self._ids) - self._dead

    @property
    def rows(self) -> int:
        """How many rows there are, with those whose passage is gone."""
        return len(self._ids)

    @property
    def ids(self) -> Ids:
        """The passage of each row, ascending."""
        return self._ids.rows  # type: ignore[return-value]  # as it was begun

    @property
    def scopes(self) -> Ids:
        """The scope of each row."""
        return self._scopes.rows  # type: ignore[return-value]

    @property
    def alive(self) -> Mask:
        """Which rows are not gone."""
        return self._alive.rows  # type: ignore[return-value]

    @property
    def crowded(self) -> bool:
        """Whether so many rows are gone that the index had better be made anew without them."""
        return self._dead > COMPACT_FROM and self._dead * 4 > self.rows

    def add(self, ids: Ids, scopes: Ids) -> None:
        """Add rows. Raises ValueError where ids are not ascending and above all before."""
        if (np.diff(ids) <= 0).any() or (self.rows and len(ids) and ids[0] <= self.ids[-1]):
            msg = f"expected {len(ids)} ascending new ids above all before"
            raise ValueError(msg)
        self._ids.append(ids)
        self._scopes.append(scopes)
        self._alive.append(np.ones(len(ids), bool))

    def remove(self, ids: Ids) -> int:
        """Remove passages; return how many were here."""
        places = np.unique(self.places(ids))
        places = places[places >= 0]
        self.alive[places] = False
        self._dead += len(places)
        for scopes, (mask, few) in self._admitted_to.items():
            known = places[places < len(mask)]
            gone = int(np.count_nonzero(mask[known]))
            mask[known] = False
            self._admitted_to[scopes] = mask, few - gone
        return len(places)

    def places(self, ids: Ids) -> Ids:
        """Return in which row each passage stands, -1 for those that are not here."""
        if not self.rows:
            return np.full(len(ids), -1, np.int64)
        places = np.minimum(np.searchsorted(self.ids, ids), self.rows - 1)
        return np.where((self.ids[places] == ids) & self.alive[places], places, -1)

    def kept(self, rows: NDArray[np.generic]) -> NDArray[np.generic]:
        """Return those of `rows`, one for each here, whose passage is not gone: a copy only where any is."""
        return rows[self.alive] if self._dead else rows

    def admitted(self, scopes: tuple[int, ...]) -> tuple[Mask, int]:
        """Return which rows are of `scopes` and not gone, and how many: kept for the readers who asked last."""
        mask, few = self._admitted_to.get(scopes, (np.zeros(0, bool), 0))
        if len(mask) < self.rows:
            fresh = self.alive[len(mask) :] & np.isin(self.scopes[len(mask) :], np.asarray(scopes, np.int64))
            few += int(np.count_nonzero(fresh))
            mask = np.concatenate([mask, fresh])
            if scopes not in self._admitted_to and len(self._admitted_to) >= min(
                MOST_READERS, 1 + MOST_READER_BYTES // self.rows
            ):
                self._admitted_to.clear()
            self._admitted_to[scopes] = mask, few
        return mask, few
