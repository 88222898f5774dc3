"""The terms of texts as numbers, many texts at once: where some terms stand in them, and how often.

Owns the arrays and the numbers. Leaves to `bot.text.words` what a term is, to `bot.retrieval.features` what it says.

    tokens = Tokens.of([fingerprints(["blue", "lamp"]), fingerprints(["lamp"])])
    tokens.counts(fingerprints(["lamp"]))    # float32 [[1], [1]]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

SORTS = 1 << 12
"""Into how many sorts terms are divided before they are compared."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where some terms stand in `Tokens`: int64 (hits,) each, the terms in order, and each term's places ascending."""

    at: NDArray[np.int64]
    """Places in `Tokens.flat`."""
    which: NDArray[np.int64]
    """Which of the terms stands there."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """The terms of n texts, one after the other."""

    flat: NDArray[np.uint32]
    """uint32 (terms of all texts,): what `fingerprints` makes of each term, in reading order."""
    owners: NDArray[np.int64]
    """int64 (terms of all texts,): which text each stands in, ascending."""
    sizes: NDArray[np.int64]
    """int64 (n,): terms of each text."""

    @classmethod
    def of(cls, texts: Sequence[NDArray[np.uint32]]) -> Self:
        """Return the terms of `texts`, which `fingerprints` has made."""
        sizes = np.array([len(text) for text in texts], np.int64)
        flat = np.concatenate(texts) if texts else np.zeros(0, np.uint32)
        return cls(flat, np.repeat(np.arange(len(texts)), sizes), sizes)

    @classmethod
    def within(cls, flat: NDArray[np.uint32], starts: NDArray[np.int64], sizes: NDArray[np.int64]) -> Self:
        """Return the terms of n texts that stand within `flat`: of each as many as its size, int64 (n,), from its start."""
        owners = np.repeat(np.arange(len(sizes)), sizes)
        at = np.repeat(starts - np.cumsum(sizes) + sizes, sizes)
        at += np.arange(len(at))
        return cls(flat.take(at), owners, sizes)

    def find(self, terms: NDArray[np.uint32]) -> Places:
        """Return where `terms` stand."""
        if not len(self.flat):
            return Places(np.zeros(0, np.int64), np.zeros(0, np.int64))
        # One comparison of all with all: terms first, so that its inner loop is the long one. A loop over terms took three times as long.
        which, at = np.divmod(np.flatnonzero(terms[:, None] == self.flat), len(self.flat))
        return Places(at, which)

    def counts(self, terms: NDArray[np.uint32], places: Places | None = None) -> Array:
        """Return float32 (n, terms): how often each term stands in each text; `places` is what `find` has returned, where it is known."""
        places = places or self.find(terms)
        cells = self.owners[places.at] * len(terms) + places.which
        counted = np.bincount(cells, minlength=len(self.sizes) * len(terms))
        return counted.reshape(len(self.sizes), len(terms)).astype(np.float32)

    def replaced(self, old: NDArray[np.uint32], new: Sequence[NDArray[np.uint32]]) -> Tokens:
        """Return the same texts with the terms `new[i]`, one or more, wherever `old[i]` stands."""
        places = self.find(old)
        if not len(places.at):
            return self
        times = np.ones(len(self.flat), np.int64)
        times[places.at] = np.array([len(terms) for terms in new])[places.which]
        flat, owners = np.repeat(self.flat, times), np.repeat(self.owners, times)
        starts = np.cumsum(times) - times
        for at, which in zip(places.at.tolist(), places.which.tolist(), strict=True):
            flat[starts[at] : starts[at] + times[at]] = new[which]
        return Tokens(flat, owners, np.bincount(owners, minlength=len(self.sizes)))

    def likely(self, terms: NDArray[np.uint32]) -> Tokens:
        """Return the same texts with those terms alone that may be among `terms`: so that not each of very many is compared with each."""
        sorts = np.zeros(SORTS, bool)
        sorts[terms & (SORTS - 1)] = True
        maybe = np.flatnonzero(sorts.take(self.flat & (SORTS - 1)))
        return Tokens(self.flat[maybe], self.owners[maybe], self.sizes)


def fingerprints(terms: Sequence[str]) -> NDArray[np.uint32]:
    """Return uint32 (terms,): the CRC-32 of each term; two terms of one query meet in one number once in four thousand million."""
    return np.fromiter((crc32(term.encode("utf-8", "surrogatepass")) for term in terms), np.uint32, len(terms))
