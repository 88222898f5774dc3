"""What a search judges, before and after a second look.

Owns the values between the two. Leaves the looking to `bot.retrieval.search`, which works on one thread, and the vectors of the
sentences to `bot.retrieval.library`, which has the embedder.

    looked = finder.look(question, scopes, count=10)
    hits = looked.hits if looked.doubt is None else looked.again(looked.doubt.chance(vectors, question.vector))
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bot.passage import Hit, Passage
from bot.retrieval.closer import closeness
from bot.retrieval.features import FEATURES
from bot.retrieval.fuse import Second

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class First:
    """The passage that ranks first, its document, its marked sentence, and what it is judged by: float32 (judged,)."""

    document: int
    passage: Passage
    span: tuple[int, int] | None
    row: Array
    said: tuple[str, ...]
    """The sentences that a second look is at."""
    place: int
    """Which of them is the marked one."""

    def closeness(self, vectors: Array, question: Array) -> Array:
        """Return how near `said`, whose vectors these are, comes to the question."""
        return closeness(vectors, self.place, question, passage=float(self.row[FEATURES.index("cosine")]))


@dataclass(frozen=True, slots=True)
class Doubt:
    """What a second look needs: who looks, and at what."""

    second: Second
    first: First

    def chance(self, vectors: Array, question: Array) -> float:
        """Return the chance that the first passage answers. `vectors` are those of `first.said`."""
        return self.second.chance(self.first.row, self.first.closeness(vectors, question))


@dataclass(frozen=True, slots=True)
class Looked:
    """What a first look found: the hits, best first, scored by its `chance`; where it is in doubt, they count if that is settled."""

    hits: list[Hit]
    chance: float = 0.0
    enough: bool = False
    """Whether `chance` is enough for an answer."""
    doubt: Doubt | None = None

    def at_first(self) -> list[Hit]:
        """Return the hits where the first look alone is enough."""
        return self.hits if self.enough else []

    def again(self, chance: float) -> list[Hit]:
        """Return the hits by the chance that a second look gave them, `[]` where it is too small."""
        if self.doubt is None or chance < self.doubt.second.threshold:
            return []
        return [replace(hit, score=round(hit.score * chance / self.chance, 4)) for hit in self.hits]
