"""Nearest vectors, in memory: what is near a query among the passages that a reader may read.

Owns the contract `VectorIndex` and the flat index. Leaves to `bot.store.shelf` the truth; what is here is made of it.

    index = FlatIndex(384)
    index.add(ids, scopes, vectors)
    near = index.search(vector, count=50, scopes=[3, 7])

Flat in half precision, as the database keeps the vectors, is exact and quick enough to some 100,000 passages. Measured on
one thread, 384 dimensions, MiniLM's own vectors, p50 of FAISS 1.15: 10,000 passages 0.21 ms (float32 0.32), 100,000 3.4 ms
(float32 9.2) and 77 MB. Above, an index of one-bit codes may take its place behind the same contract.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Rows = NDArray[np.float32]

COMPACT_FROM = 1000
"""Dead rows that are borne before the index is made anew without them; and no more than a quarter of it."""
MOST_READERS = 64
"""Readers whose admitted rows are kept, a byte a row each: at 10,000 passages it spares 0.1 ms a search."""
FEW = 0.02
"""Share of the rows below which the admitted ones are compared one by one: quicker than asking a selector for every row."""


@dataclass(frozen=True, slots=True)
class Near:
    """Passages near a vector, best first: ids int64 (n,), cosines float32 (n,)."""

    ids: Ids
    cosines: Rows


class VectorIndex(Protocol):
    """What every index of vectors can do."""

    def __len__(self) -> int:
        """Return how many passages it holds."""
        ...

    def add(self, ids: Ids, scopes: Ids, vectors: Rows) -> None:
        """Add passages: ids ascending and above all before, their scopes, float32 (n, d) unit rows."""
        ...

    def remove(self, ids: Ids) -> int:
        """Remove passages; return how many were here."""
        ...

    def search(self, vector: Rows, *, count: int, scopes: Sequence[int]) -> Near:
        """Return at most `count` passages in `scopes`, by cosine to `vector`, float32 (d,)."""
        ...

    def vectors_of(self, ids: Ids) -> Rows:
        """Return float32 (n, d): the vectors of `ids`, rows of zeros for those that are not here."""
        ...


class FlatIndex:
    """Every vector compared, in half precision, by FAISS. Exact; keeps `VectorIndex`."""

    def __init__(self, dimension: int) -> None:
        """Begin empty, with vectors of `dimension` numbers."""
        self.dimension = dimension
        self._faiss = _empty(dimension)
        self._ids: Ids = np.zeros(0, np.int64)
        self._scopes: Ids = np.zeros(0, np.int64)
        self._alive: NDArray[np.bool_] = np.zeros(0, bool)
        self._admitted_to: dict[tuple[int, ...], tuple[NDArray[np.bool_], int]] = {}

    def __len__(self) -> int:
        return int(np.count_nonzero(self._alive))

    @property
    def ids(self) -> Ids:
        """The ids of the passages that are here, ascending."""
        return self._ids[self._alive]

    def add(self, ids: Ids, scopes: Ids, vectors: Rows) -> None:
        """Add passages. Raises ValueError where ids are not above all before, or the vectors are of another dimension."""
        if not len(ids):
            return
        if (
            vectors.shape != (len(ids), self.dimension)
            or (np.diff(ids) <= 0).any()
            or (len(self._ids) and ids[0] <= self._ids[-1])
        ):
            msg = f"expected ascending new ids and float32 ({len(ids)}, {self.dimension}), received {vectors.shape}"
            raise ValueError(msg)
        self._faiss.add(np.ascontiguousarray(vectors, np.float32))
        self._admitted_to.clear()
        self._ids = np.concatenate([self._ids, ids])
        self._scopes = np.concatenate([self._scopes, scopes])
        self._alive = np.concatenate([self._alive, np.ones(len(ids), bool)])

    def remove(self, ids: Ids) -> int:
        """Remove passages; return how many were here."""
        places = self._places(ids)
        places = places[(places >= 0)]
        gone = int(self._alive[places].sum())
        self._alive[places] = False
        self._admitted_to.clear()
        dead = len(self._alive) - len(self)
        if dead > COMPACT_FROM and dead * 4 > len(self._alive):
            self._compact()
        return gone

    def search(self, vector: Rows, *, count: int, scopes: Sequence[int]) -> Near:
        """Return at most `count` passages in `scopes`, by cosine to `vector`, float32 (d,)."""
        admitted, few = self._admitted(tuple(scopes))
        if not few or not vector.any():
            return Near(np.zeros(0, np.int64), np.zeros(0, np.float32))
        if few <= max(count, FEW * len(admitted)):
            places = np.flatnonzero(admitted)
            cosines = self._rows(places) @ vector
        else:
            cosines, places = self._ask(vector, count, None if few == len(admitted) else admitted)
        order = np.argsort(-cosines, kind="stable")[:count]
        return Near(self._ids[places[order]], cosines[order].astype(np.float32))

    def _admitted(self, scopes: tuple[int, ...]) -> tuple[NDArray[np.bool_], int]:
        """Return which rows are of `scopes`, and how many: kept for the readers who asked last, until a passage comes or goes."""
        found = self._admitted_to.get(scopes)
        if found is None:
            admitted = self._alive & np.isin(self._scopes, np.asarray(scopes, np.int64))
            found = admitted, int(np.count_nonzero(admitted))
            if len(self._admitted_to) >= MOST_READERS:
                self._admitted_to.clear()
            self._admitted_to[scopes] = found
        return found

    def vectors_of(self, ids: Ids) -> Rows:
        """Return float32 (n, d): the vectors of `ids`, rows of zeros for those that are not here."""
        places = self._places(ids)
        here = places >= 0
        if here.all():
            return self._rows(places)
        found = np.zeros((len(ids), self.dimension), np.float32)
        if here.any():
            found[here] = self._rows(places[here])
        return found

    def _places(self, ids: Ids) -> Ids:
        """Return where each id stands, -1 for those that are not here."""
        if not len(self._ids):
            return np.full(len(ids), -1, np.int64)
        places = np.minimum(np.searchsorted(self._ids, ids), len(self._ids) - 1)
        return np.where((self._ids[places] == ids) & self._alive[places], places, -1)

    def _rows(self, places: Ids) -> Rows:
        import faiss  # noqa: PLC0415 - loaded for what needs it alone

        if not self.dimension:
            return np.zeros((len(places), 0), np.float32)
        codes = faiss.rev_swig_ptr(self._faiss.codes.data(), self._faiss.codes.size())
        return np.frombuffer(codes, np.float16).reshape(-1, self.dimension)[places].astype(np.float32)

    def _ask(self, vector: Rows, count: int, admitted: NDArray[np.bool_] | None) -> tuple[Rows, Ids]:
        import faiss  # noqa: PLC0415 - loaded for what needs it alone

        parameters = None
        if admitted is not None:
            bits = np.packbits(admitted, bitorder="little")
            parameters = faiss.SearchParameters(sel=faiss.IDSelectorBitmap(len(bits), faiss.swig_ptr(bits)))  # type: ignore[call-arg]  # takes its fields by name
        cosines, places = self._faiss.search(vector[None].astype(np.float32), min(count, len(self._alive)), params=parameters)
        found = places[0] >= 0
        return cosines[0][found], places[0][found]

    def _compact(self) -> None:
        vectors = self._rows(np.flatnonzero(self._alive))
        ids, scopes = self._ids[self._alive], self._scopes[self._alive]
        self.__init__(self.dimension)  # type: ignore[misc]  # as a new one, which it then is
        self.add(ids, scopes, vectors)


def _empty(dimension: int) -> Any:  # FAISS has no types
    import faiss  # noqa: PLC0415 - loaded for what needs it alone

    faiss.omp_set_num_threads(1)
    return faiss.IndexScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
