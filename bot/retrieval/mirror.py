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
from dataclasses import replace
from functools import partial
from typing import Literal

import numpy as np

from bot.errors import refusal
from bot.locale import Text, phrases
from bot.logs import Logger
from bot.retrieval.coded import Source, fitted
from bot.retrieval.roll import Ids
from bot.retrieval.saved import Made, UnfitError
from bot.retrieval.shelter import Shelter
from bot.retrieval.vectors import FlatIndex, Rows, VectorIndex
from bot.store.shelf import NO_PASSAGE, Mark, Shelf, State

_ = phrases(__file__)
log = Logger(__name__)

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
        """The database's, when it was looked at last."""
        self._reached = NOTHING
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
        return Made(self._reached, self.lengths, self.seen)

    @property
    def behind(self) -> bool:
        """Whether the index has not come to `mark` yet."""
        return self._reached != self.mark

    def reset(self) -> None:
        """Forget what is in memory; the next catching up begins anew."""
        self.index, self.lengths, self.seen, self.loaded = FlatIndex(0), 0, 0, 0
        self.mark = self._reached = NOTHING

    def passages(self, state: State) -> int:
        """Return how many passages the database has."""
        return state.passage_count(until=self.mark.passage) if self.behind else len(self.index)

    def vectors_of(self, ids: Ids) -> Rows:
        """Return float32 (n, d): the vectors of `ids`, from the database while the index is behind it."""
        return self._source(ids) if self.behind else self.index.vectors_of(ids)

    def catch_up(self, state: State, *, most: int | None = None) -> Moved:
        """Bring the index to `state`: what other writers, in this process or another, have committed; return how it moved.

        Where more than `most` passages came, only so many are taken at once: then it is behind, and the next call goes on.
        """
        mark = state.mark()
        if mark == self._reached:
            return "not"
        own = self._reached
        anew = (mark.generation, mark.dimension) != (own.generation, own.dimension) or mark.passage < own.passage
        anew = anew or NO_PASSAGE in state.removed(after=own.removal)  # vectors came to passages that were here without one
        if anew:
            self._begin(state, mark, most)
        else:
            self._follow(state, mark, most)
        self.mark = mark
        return "anew" if anew else "on"

    def _begin(self, state: State, mark: Mark, most: int | None) -> None:
        self.reset()
        self._source = partial(self._shelf.vectors, mark.generation, mark.dimension)
        try:
            self._load(state, mark)
        except UnfitError as why:
            if self._shelter is not None:
                try:
                    self._shelter.set_aside(why)
                except OSError as error:
                    log.error("an index file that does not fit cannot be set aside", why=str(refusal(error)))
            self.unfit = why.text
            self.reset()
        except OSError as error:
            log.error("the index files cannot be read; the database is read instead", why=str(refusal(error)))
            self.reset()
        if self._reached == NOTHING:
            self.index = FlatIndex(mark.dimension)
        self._follow(state, mark, most)

    def _load(self, state: State, mark: Mark) -> None:
        """Begin with the saved index where there is one of this generation. Raises UnfitError where it is not of this database."""
        if self._shelter is None or not mark.passage:
            return
        found = self._shelter.load(mark, self._source, known=state.origins())
        if found is None or NO_PASSAGE in state.removed(after=found[1].mark.removal):
            return
        self.index, made = found
        self._reached, self.lengths, self.seen, self.loaded = made.mark, made.lengths, made.seen, len(self.index)
        probes = self.index.ids[:: max(1, len(self.index) // PROBES)]
        alive = state.here(probes)
        gone = np.array(state.removed(after=made.mark.removal), np.int64)
        still = len(self.index) - int(np.count_nonzero(np.isin(self.index.ids, gone)))
        strange = self.index.astray(alive.ids, alive.scopes, self._source(alive.ids))
        if strange or still != state.passage_count(until=made.mark.passage):
            raise UnfitError(_("its passages are others than the database's"))

    def _follow(self, state: State, mark: Mark, most: int | None) -> None:
        fresh, came, last = self._reached == NOTHING, 0, mark.passage
        for arrivals in state.arrivals(mark, after=self._reached.passage, most=most):
            self.index.add(arrivals.ids, arrivals.scopes, arrivals.vectors)
            self.index = fitted(self.index, self._source)
            self.lengths += int(arrivals.lengths.sum())
            self.seen += len(arrivals.ids)
            came += len(arrivals.ids)
            last = int(arrivals.ids[-1])
        if not fresh:
            self.index.remove(np.array(state.removed(after=self._reached.removal), np.int64))
        self.index = fitted(self.index, self._source)
        self._reached = replace(mark, passage=last) if came == most else mark


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
