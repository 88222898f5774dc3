"""Nearest vectors among very many: a bit a dimension is scanned whole, the best few hundred are compared exactly.

Owns the index of one-bit codes, and from which size it takes over. Leaves the vectors themselves to where they are kept: a `Source` reads
a few hundred for each search, so that there is no second copy that could differ or keep what was forgotten.

    index = CodedIndex(384, source)
    index.add(ids, scopes, vectors)
    near = index.search(vector, count=50, scopes=[3, 7])

A search narrows in three steps: by the differing bits of a code's first 256 (FAISS, every admitted row), by the product of the question's
numbers with all bits of the best 4,000, by the true cosine of the best 300. Measured in docs/index.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from bot.retrieval.products import products
from bot.retrieval.roll import Column, Ids, Mask, Roll
from bot.retrieval.vectors import NOTHING, FlatIndex, Near, Parts, RolledIndex, Rows, VectorIndex, best

Codes = NDArray[np.uint8]
Source = Callable[[Ids], Rows]
"""Returns float32 (n, d): the vectors of passages, rows of zeros for those that it does not have."""

CODED_FROM = 100_000
"""Passages from which codes take over: up to here every vector is compared in 4 ms or less and held in 77 MB (docs/index.md)."""
FLAT_BELOW = CODED_FROM // 2
"""Passages below which every vector is compared again; in between it stays as it is, so that nothing flutters."""
FIRST_BYTES = 32
"""Of a code, scanned first: a million times 32 bytes is read in 2 ms, times 48 in 4 to 8 (two thirds again as many bytes, and FAISS
compares 256 bits with one instruction)."""
SCANNED, RESCORED = 4000, 300
"""How many the scan leaves over, and how many of these are compared by their vectors: with 200 a million's best ten were found to .990, with
300 to .995, with 400 to .996; each hundred costs a millisecond."""
TIMES = 5
"""Where many are asked for, that many times as many are compared by their vectors."""
GATHERED = 0.1
"""Share of the rows below which the admitted ones are gathered and then scanned: quicker than asking a selector for every row."""
AT_ONCE = 4096
BITS = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).astype(np.float32)
"""The bits of each value of a byte, float32 (256, 8)."""


class CodedIndex(RolledIndex):
    """A bit a dimension in memory, the vectors elsewhere; keeps `VectorIndex`. Few admitted passages are compared exactly, all of them."""

    def __init__(self, dimension: int, source: Source) -> None:
        """Begin empty, with vectors of `dimension` numbers that `source` gives back."""
        super().__init__(dimension)
        self._source = source
        width = -(-dimension // 8)
        self._first = Column(np.zeros((0, min(width, FIRST_BYTES)), np.uint8))
        self._rest = Column(np.zeros((0, max(width - FIRST_BYTES, 0)), np.uint8))

    @property
    def kind(self) -> str:
        """Its name in a manifest."""
        return "coded"

    def search(self, vector: Rows, *, count: int, scopes: Sequence[int]) -> Near:
        """Return at most `count` passages in `scopes`, by cosine to `vector`, float32 (d,)."""
        admitted, few = self._roll.admitted(tuple(scopes))
        if not few or not vector.any():
            return NOTHING
        compared = max(RESCORED, TIMES * count)
        places = np.flatnonzero(admitted) if few <= compared else np.sort(self._nearest(vector, compared, admitted, few))
        ids = self._roll.ids[places]
        return best(ids, products(self._source(ids), vector), count)

    def vectors_of(self, ids: Ids) -> Rows:
        """Return float32 (n, d): the vectors of `ids`, rows of zeros for those that are not here."""
        return self._source(ids) * (self._roll.places(ids) >= 0)[:, None]

    def astray(self, ids: Ids, scopes: Ids, vectors: Rows) -> int:
        """Return how many of these passages are not here, or in another scope, or with the code of another vector."""
        if not self._roll.rows:
            return len(ids)
        places = self._roll.places(ids)
        differs = (self._codes(places) != code(vectors)).any(axis=1)
        return int(((places < 0) | (self._roll.scopes[places] != scopes) | differs).sum())

    def parts(self) -> Parts:
        """Return all that it holds, row by row, without what was removed: ids, scopes, the first bytes of the codes and the rest."""
        rows = {"ids": self._roll.ids, "scopes": self._roll.scopes, "first": self._first.rows, "rest": self._rest.rows}
        return {name: self._roll.kept(part) for name, part in rows.items()}

    def take(self, parts: Parts) -> None:
        """Become what `parts` returned of another."""
        self._roll = Roll(parts["ids"], parts["scopes"])
        self._first, self._rest = Column(parts["first"]), Column(parts["rest"])

    def _append(self, vectors: Rows) -> None:
        codes = code(vectors)
        self._first.append(codes[:, :FIRST_BYTES])
        self._rest.append(codes[:, FIRST_BYTES:])

    def _compact(self) -> None:
        alive = self._roll.alive
        self._first, self._rest = Column(self._first.rows[alive]), Column(self._rest.rows[alive])
        self._roll = Roll(self._roll.ids[alive], self._roll.scopes[alive])

    def _nearest(self, vector: Rows, count: int, admitted: Mask, few: int) -> Ids:
        """Return the `count` rows that look nearest by their codes, in no order."""
        asked = code(vector[None])[:, :FIRST_BYTES]
        most = min(max(SCANNED, count), few)
        if few <= GATHERED * len(admitted):
            within = np.flatnonzero(admitted)
            places = within[_scan(asked, cast("Codes", self._first.rows[within]), most, None)]
        else:
            places = _scan(asked, cast("Codes", self._first.rows), most, None if few == len(admitted) else admitted)
        return places[np.argpartition(-_likeness(self._codes(places), vector), count - 1)[:count]]

    def _codes(self, places: Ids) -> Codes:
        return cast("Codes", np.concatenate([self._first.rows[places], self._rest.rows[places]], axis=1))


def code(vectors: Rows) -> Codes:
    """Return uint8 (n, d / 8): for each number of float32 (n, d) whether it is above 0."""
    return np.packbits(vectors > 0, axis=1)


def fitted(index: VectorIndex, source: Source) -> VectorIndex:
    """Return `index` in the form that its size asks for: itself, or another that holds the same."""
    if isinstance(index, FlatIndex) and index.dimension and len(index) >= CODED_FROM:
        return _moved(index, CodedIndex(index.dimension, source))
    if isinstance(index, CodedIndex) and len(index) < FLAT_BELOW:
        return _moved(index, FlatIndex(index.dimension))
    return index


def _moved(index: FlatIndex | CodedIndex, into: FlatIndex | CodedIndex) -> VectorIndex:
    ids, scopes = index.ids, index.scopes
    for start in range(0, len(ids), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        into.add(ids[some], scopes[some], index.vectors_of(ids[some]))
    return into


def _likeness(codes: Codes, vector: Rows) -> Rows:
    """Return float32 (n,): of each code the sum of the vector's numbers whose bits are set.

    With +1 and -1 for the bits the order would be the same. What each byte adds is looked up: a third of the time of unpacked bits.
    """
    width = codes.shape[1]
    padded = np.zeros(8 * width, np.float32)
    padded[: len(vector)] = vector
    adds = np.einsum("vb,wb->wv", BITS, padded.reshape(width, 8))
    found: Rows = adds.ravel().take(codes + 256 * np.arange(width)).sum(axis=1)
    return found


def _scan(asked: Codes, codes: Codes, count: int, admitted: Mask | None) -> Ids:
    """Return the `count` rows of `codes` that differ from `asked`, (1, b), in the fewest bits."""
    import faiss  # noqa: PLC0415 - loaded for what needs it alone

    asked, codes = np.ascontiguousarray(asked), np.ascontiguousarray(codes)
    distances, places = np.empty((1, count), np.int32), np.empty((1, count), np.int64)
    selector = None
    if admitted is not None:
        bits = np.packbits(admitted, bitorder="little")
        selector = faiss.IDSelectorBitmap(len(bits), faiss.swig_ptr(bits))
    pointers = [faiss.swig_ptr(array) for array in (asked, codes)], [faiss.swig_ptr(array) for array in (distances, places)]
    faiss.omp_set_num_threads(1)
    faiss.hammings_knn_mc(*pointers[0], 1, len(codes), count, codes.shape[1], *pointers[1], selector)  # type: ignore[call-arg]  # the stub lacks the selector
    return cast("Ids", places[0][places[0] >= 0])
