"""FAISS's other indexes, as they would be used: behind the same few methods as Paring's own.

PEERS["hnsw"](rows, scopes).search(vector, count=10, scopes=[1])
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.retrieval.products import products
from bot.retrieval.vectors import Near, best

AT_ONCE = 20_000
MOST_HNSW, MOST_IVF = 100_000, 500_000
"""Passages up to which they are built here: HNSW takes minutes for more, the lists of IVF as long to be trained."""


class Peer:
    """An index of FAISS over all rows; where it is coarse, the best `rescored` are compared by the rows of a mapped file."""

    def __init__(self, index: Any, rows: NDArray[np.float16], scopes: NDArray[np.int64], *, rescored: int = 0) -> None:
        """Fill `index`."""
        import faiss

        faiss.omp_set_num_threads(1)
        self._faiss, self._index, self._rows, self._scopes, self._rescored = faiss, index, rows, scopes, rescored
        if not index.is_trained:
            chosen = np.random.default_rng(1).choice(len(rows), min(len(rows), 100_000), replace=False)
            index.train(rows[np.sort(chosen)].astype(np.float32))
        for start in range(0, len(rows), AT_ONCE):
            index.add(rows[start : start + AT_ONCE].astype(np.float32))

    def search(self, vector: NDArray[np.float32], *, count: int, scopes: Sequence[int]) -> Near:
        """Return the nearest in `scopes`."""
        selector = None
        if len(scopes) == 1:
            bits = np.packbits(np.isin(self._scopes, scopes), bitorder="little")
            selector = self._faiss.IDSelectorBitmap(len(bits), self._faiss.swig_ptr(bits))
        _scores, places = self._index.search(vector[None], max(count, self._rescored), params=self.parameters(selector))
        found = np.sort(places[0][places[0] >= 0])
        return best(found + 1, products(self._rows[found].astype(np.float32), vector), count)

    def parameters(self, selector: Any) -> Any:
        """Return what a search is given."""
        return self._faiss.SearchParameters(sel=selector) if selector else None

    def add(self, _ids: NDArray[np.int64], _scopes: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Add one."""
        self._index.add(vectors)

    def remove(self, ids: NDArray[np.int64]) -> None:
        """Remove one. Raises RuntimeError where the index cannot."""
        self._index.remove_ids(self._faiss.IDSelectorBatch(ids - 1))


class Hnsw(Peer):
    """A graph: 32 neighbours, 128 looked at."""

    def __init__(self, rows: NDArray[np.float16], scopes: NDArray[np.int64]) -> None:
        """Build it."""
        import faiss

        if len(rows) > MOST_HNSW:
            raise SystemExit(f"not built for more than {MOST_HNSW}")
        super().__init__(faiss.IndexHNSWFlat(rows.shape[1], 32, faiss.METRIC_INNER_PRODUCT), rows, scopes)

    def parameters(self, selector: Any) -> Any:
        return self._faiss.SearchParametersHNSW(efSearch=128, sel=selector)

    def remove(self, ids: NDArray[np.int64]) -> None:
        raise NotImplementedError


class Ivf(Peer):
    """Lists by centroid, 4 sqrt(n) of them, every twentieth looked at."""

    def __init__(self, rows: NDArray[np.float16], scopes: NDArray[np.int64]) -> None:
        """Train and build it."""
        import faiss

        if len(rows) > MOST_IVF:
            raise SystemExit(f"not built for more than {MOST_IVF}")
        lists = int(4 * len(rows) ** 0.5)
        self._probes = max(8, lists // 20)
        quantizer = faiss.IndexFlatIP(rows.shape[1])
        super().__init__(faiss.IndexIVFFlat(quantizer, rows.shape[1], lists, faiss.METRIC_INNER_PRODUCT), rows, scopes)

    def parameters(self, selector: Any) -> Any:
        return self._faiss.SearchParametersIVF(nprobe=self._probes, sel=selector)


def rabitq(rows: NDArray[np.float16], scopes: NDArray[np.int64]) -> Peer:
    """Return RaBitQ in its quick form, the best 200 compared."""
    import faiss

    return Peer(faiss.IndexRaBitQFastScan(rows.shape[1], faiss.METRIC_INNER_PRODUCT), rows, scopes, rescored=200)


PEERS: dict[str, Callable[[NDArray[np.float16], NDArray[np.int64]], Any]] = {"rabitq": rabitq, "hnsw": Hnsw, "ivf": Ivf}
