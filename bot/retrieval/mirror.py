"""The index in memory as a mirror of the database: begun from the saved files, brought to the state of each search.

Owns how far the index has come, and what is believed of a saved one. Leaves to `bot.store.shelf` the database, to `bot.retrieval.shelter`
the files.

    mirror = Mirror(shelf, shelter)
    with shelf.state() as state:
        mirror.catch_up(state)
        near = mirror.index.search(vector, count=50, scopes=scopes)
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Literal

import numpy as np

from bot.locale import Text, phrases
from bot.retrieval.coded import Source, fitted
from bot.retrieval.saved import Made, UnfitError
from bot.retrieval.shelter import Shelter
from bot.retrieval.vectors import FlatIndex, VectorIndex
from bot.store.shelf import Mark, Shelf, State

_ = phrases(__file__)

Moved = Literal["not", "on", "anew"]
NOTHING = Mark(0, 0, 0, "", 0)
PROBES = 64
"""Passages of a saved index that are compared with the database before it is believed: enough to know another database's."""
UNIT_TOLERANCE = 0.01
"""How far from 1 a vector's length may be after its rounding to half precision."""


class Mirror:
    """An index and how far it has come. For the one thread that reads `shelf`."""

    def __init__(self, shelf: Shelf, shelter: Shelter | None = None) -> None:
        """Mirror the database that `shelf` reads; begin with what is in `shelter`, where there is one."""
        self._shelf = shelf
        self._shelter = shelter
        self._source: Source = partial(shelf.vectors, 0, 0)
        self.index: VectorIndex = FlatIndex(0)
        self.mark = NOTHING
        self.lengths = 0
        """Terms of all passages that were ever seen, together."""
        self.seen = 0
        self.unfit: Text | None = None
        """Why the saved index that was found last was set aside; None where none was."""
        self.loaded = 0
        """How many passages came from the files."""

    @property
    def made(self) -> Made:
        """What the index is of."""
        return Made(self.mark, self.lengths, self.seen)

    def reset(self) -> None:
        """Forget what is in memory; the next catching up begins anew."""
        self.index, self.mark, self.lengths, self.seen, self.loaded = FlatIndex(0), NOTHING, 0, 0, 0

    def catch_up(self, state: State) -> Moved:
        """Bring the index to `state`: what other writers, in this process or another, have committed; return how it moved."""
        mark = state.mark()
        if mark == self.mark:
            return "not"
        if (mark.generation, mark.dimension) != (self.mark.generation, self.mark.dimension) or mark.passage < self.mark.passage:
            self._begin(state, mark)
            return "anew"
        self._follow(state, mark)
        return "on"

    def _begin(self, state: State, mark: Mark) -> None:
        self.reset()
        self._source = partial(self._shelf.vectors, mark.generation, mark.dimension)
        self.index = FlatIndex(mark.dimension)
        try:
            self._load(state, mark)
        except UnfitError as why:
            if self._shelter is not None:
                self._shelter.set_aside(why)
            self.unfit = why.text
            self.reset()
            self.index = FlatIndex(mark.dimension)
            self._follow(state, mark)

    def _load(self, state: State, mark: Mark) -> None:
        """Begin with the saved index where there is one, and bring it to `mark`. Raises UnfitError where it is not of this database."""
        found = self._shelter.load(mark, self._source) if self._shelter is not None and mark.passage else None
        if found is None:
            return self._follow(state, mark)
        self.index, made = found
        self.mark, self.lengths, self.seen, self.loaded = made.mark, made.lengths, made.seen, len(self.index)
        probes = self.index.ids[:: max(1, len(self.index) // PROBES)]
        alive = state.here(probes)
        if self.index.astray(alive.ids, alive.scopes, self._source(alive.ids)):
            raise UnfitError(_("its passages are others than the database's"))
        self._follow(state, mark)
        if len(self.index) != state.passage_count():
            raise UnfitError(_("its passages are others than the database's"))
        return None

    def _follow(self, state: State, mark: Mark) -> None:
        fresh = self.mark.passage == 0
        for arrivals in state.arrivals(mark, after=self.mark.passage):
            self.index.add(arrivals.ids, arrivals.scopes, arrivals.vectors)
            self.index = fitted(self.index, self._source)
            self.lengths += int(arrivals.lengths.sum())
            self.seen += len(arrivals.ids)
        if not fresh:
            self.index.remove(np.array(state.removed(after=self.mark.removal), np.int64))
        self.index = fitted(self.index, self._source)
        self.mark = mark


def differences(state: State, mirrors: Sequence[Mirror]) -> tuple[int, list[int]]:
    """Return how many vectors in the database are no unit vectors, and of each mirror how many passages it has otherwise."""
    broken = seen = 0
    astray = [0] * len(mirrors)
    for arrivals in state.arrivals(mirrors[0].mark, after=0):
        lengths = np.linalg.norm(arrivals.vectors, axis=1)
        broken += int(((np.abs(lengths - 1) > UNIT_TOLERANCE) & (lengths > 0)).sum())
        seen += len(arrivals.ids)
        for place, mirror in enumerate(mirrors):
            astray[place] += mirror.index.astray(arrivals.ids, arrivals.scopes, arrivals.vectors)
    return broken, [count + abs(len(mirror.index) - seen) for count, mirror in zip(astray, mirrors, strict=True)]
