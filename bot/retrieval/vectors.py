"""Nearest vectors, in memory: what is near a query among the passages that a reader may read.

Owns the contract `VectorIndex` and the flat index. Leaves to `bot.store.shelf` the truth; what is here is made of it.

    index = FlatIndex(384)
    index.add(ids, scopes, vectors)
    near = index.search(vector, count=50, scopes=[3, 7])

Flat in half precision, as the database keeps the vectors, is exact and quick enough to some 100,000 passages. Measured on
one thread, 384 dimensions, MiniLM's own vectors, p50 of FAISS 1.15: 10,000 passages 0.21 ms (float32 0.32), 100,000 3.4 ms
(float32 9.2) and 77 MB. Above, `bot.retrieval.coded` takes its place behind the same contract.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bot.retrieval.products import products
from bot.retrieval.roll import Ids, Roll

Rows = NDArray[np.float32]

FEW = 0.02
"""Share of the rows below which the admitted ones are compared one by one: quicker than asking a selector for every row."""


@dataclass(frozen=True, slots=True)
class Near:
    """Passages near a vector, best first: ids int64 (n,), cosines float32 (n,)."""

    ids: Ids
    cosines: Rows


Parts = dict[str, NDArray[Any]]
"""Rows by their name: `ids` and `scopes`, and what the kind of index keeps of a vector."""
NOTHING = Near(np.zeros(0, np.int64), np.zeros(0, np.float32))


class VectorIndex(Protocol):
    """What every index of vectors can do."""

    dimension: int

    @property
    def kind(self) -> str:
        """Its name in a manifest."""
        ...

    @property
    def ids(self) -> Ids:
        """The ids of the passages that are here, ascending."""
        ...

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

    def astray(self, ids: Ids, scopes: Ids, vectors: Rows) -> int:
        """Return how many of these passages are not here, or in another scope, or with another vector."""
        ...

    def parts(self) -> Parts:
        """Return all that it holds, row by row, without what was removed: what is saved of it."""
        ...

    def take(self, parts: Parts) -> None:
        """Become what `parts` returned of another of the same kind and dimension. Of right sizes: `bot.retrieval.saved` sees to that."""
        ...


class RolledIndex(ABC):
    """What every index does whose rows stand in a roll: who inherits keeps the vectors."""

    def __init__(self, dimension: int) -> None:
        """Begin empty, with vectors of `dimension` numbers."""
        self.dimension = dimension
        self._roll = Roll()

    def __len__(self) -> int:
        return len(self._roll)

    @property
    def ids(self) -> Ids:
        """The ids of the passages that are here, ascending."""
        return self._roll.ids[self._roll.alive]

    @property
    def scopes(self) -> Ids:
        """The scopes of these passages."""
        return self._roll.scopes[self._roll.alive]

    def add(self, ids: Ids, scopes: Ids, vectors: Rows) -> None:
        """Add passages. Raises ValueError where ids are not above all before, or the vectors are of another dimension."""
        if not len(ids):
            return
        expect_rows(vectors, len(ids), self.dimension)
        self._roll.add(ids, scopes)
        self._append(vectors)

    def remove(self, ids: Ids) -> int:
        """Remove passages; return how many were here."""
        gone = self._roll.remove(ids)
        if self._roll.crowded:
            self._compact()
        return gone

    @abstractmethod
    def _append(self, vectors: Rows) -> None:
        """Keep the vectors of the rows that the roll has just got."""

    @abstractmethod
    def _compact(self) -> None:
        """Become the same without the rows whose passages are gone."""


class FlatIndex(RolledIndex):
    """Every vector compared, in half precision, by FAISS. Exact; keeps `VectorIndex`."""

    def __init__(self, dimension: int) -> None:
        """Begin empty, with vectors of `dimension` numbers."""
        super().__init__(dimension)
        self._faiss = _empty(dimension)

    @property
    def kind(self) -> str:
        """Its name in a manifest."""
        return "flat"

    def search(self, vector: Rows, *, count: int, scopes: Sequence[int]) -> Near:
        """Return at most `count` passages in `scopes`, by cosine to `vector`, float32 (d,)."""
        admitted, few = self._roll.admitted(tuple(scopes))
        if not few or not vector.any():
            return NOTHING
        if few <= max(count, FEW * len(admitted)):
            places = np.flatnonzero(admitted)
            cosines = products(self._rows(places), vector)
        else:
            cosines, places = self._ask(vector, count, None if few == len(admitted) else admitted)
        return best(self._roll.ids[places], cosines, count)

    def vectors_of(self, ids: Ids) -> Rows:
        """Return float32 (n, d): the vectors of `ids`, rows of zeros for those that are not here."""
        places = self._roll.places(ids)
        here = places >= 0
        if here.all():
            return self._rows(places)
        found = np.zeros((len(ids), self.dimension), np.float32)
        if here.any():
            found[here] = self._rows(places[here])
        return found

    def astray(self, ids: Ids, scopes: Ids, vectors: Rows) -> int:
        """Return how many of these passages are not here, or in another scope, or with another vector."""
        places = self._roll.places(ids)
        differs = np.abs(self.vectors_of(ids) - vectors).max(axis=1, initial=0) > 0
        return int(((places < 0) | (self._roll.scopes[places] != scopes) | differs).sum()) if self._roll.rows else len(ids)

    def parts(self) -> Parts:
        """Return all that it holds, row by row, without what was removed: ids, scopes, vectors in half precision."""
        rows: Parts = {"ids": self._roll.ids, "scopes": self._roll.scopes, "vectors": self._halves()}
        return {name: self._roll.kept(part) for name, part in rows.items()}

    def take(self, parts: Parts) -> None:
        """Become what `parts` returned of another."""
        self._faiss, self._roll = _empty(self.dimension), Roll(parts["ids"], parts["scopes"])
        if len(parts["ids"]):
            self._faiss.add_sa_codes(np.ascontiguousarray(parts["vectors"]).view(np.uint8))

    def _rows(self, places: Ids) -> Rows:
        return self._halves()[places].astype(np.float32)

    def _halves(self) -> NDArray[np.float16]:
        """Return a view of what FAISS holds, float16 (rows, d)."""
        import faiss  # noqa: PLC0415 - loaded for what needs it alone

        if not self.dimension or not self._roll.rows:
            return np.zeros((self._roll.rows, self.dimension), np.float16)
        codes = faiss.rev_swig_ptr(self._faiss.codes.data(), self._faiss.codes.size())
        return np.frombuffer(codes, np.float16).reshape(-1, self.dimension)

    def _ask(self, vector: Rows, count: int, admitted: NDArray[np.bool_] | None) -> tuple[Rows, Ids]:
        import faiss  # noqa: PLC0415 - loaded for what needs it alone

        parameters = None
        if admitted is not None:
            bits = np.packbits(admitted, bitorder="little")
            parameters = faiss.SearchParameters(sel=faiss.IDSelectorBitmap(len(bits), faiss.swig_ptr(bits)))  # type: ignore[call-arg]  # takes its fields by name
        cosines, places = self._faiss.search(vector[None].astype(np.float32), min(count, self._roll.rows), params=parameters)
        found = places[0] >= 0
        return cosines[0][found], places[0][found]

    def _append(self, vectors: Rows) -> None:
        self._faiss.add(np.ascontiguousarray(vectors, np.float32))

    def _compact(self) -> None:
        alive = self._roll.alive
        ids, scopes, vectors = self._roll.ids[alive], self._roll.scopes[alive], self._rows(np.flatnonzero(alive))
        self._faiss, self._roll = _empty(self.dimension), Roll()
        self.add(ids, scopes, vectors)


def best(ids: Ids, cosines: Rows, count: int) -> Near:
    """Return the `count` passages whose cosines are highest, best first."""
    order = np.argsort(-cosines, kind="stable")[:count]
    return Near(ids[order], cosines[order].astype(np.float32))


def expect_rows(vectors: Rows, count: int, dimension: int) -> None:
    """Raise ValueError where `vectors` are not (count, dimension)."""
    if vectors.shape != (count, dimension):
        msg = f"expected float32 ({count}, {dimension}), received {vectors.shape}"
        raise ValueError(msg)


def _empty(dimension: int) -> Any:  # FAISS has no types
    import faiss  # noqa: PLC0415 - loaded for what needs it alone

    faiss.omp_set_num_threads(1)
    return faiss.IndexScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
