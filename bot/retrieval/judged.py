"""What a search judges, before and after a second look.

Owns the values between the two. Leaves the looking to `bot.retrieval.search`, which works on one thread, and the vectors of the
sentences to `bot.retrieval.library`, which has the embedder.

    looked = finder.look(question, scopes, count=10)
    hits = looked.hits if looked.doubt is None else looked.again(looked.doubt.settled(vectors, question.vector))
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
    spoken: str
    """What `bot.retrieval.fuse.languages` says of the question and the passage."""
    looked_at: tuple[tuple[int, int], ...]
    """The sentences that a second look is at: half-open ranges."""
    place: int | None
    """Which of them is the marked one; None where words could mark none."""

    @property
    def said(self) -> tuple[str, ...]:
        """Those sentences."""
        return tuple(self.passage.text[start:end] for start, end in self.looked_at)

    def marked(self, vectors: Array, question: Array) -> tuple[int, int] | None:
        """Return the range of the marked sentence, of the nearest one where words could mark none."""
        return self.span if self.place is not None else self.looked_at[int(np.argmax(vectors @ question))]

    def closeness(self, vectors: Array, question: Array) -> Array:
        """Return how near the sentences, whose vectors these are, come to the question."""
        return closeness(vectors, self.place, question, passage=float(self.row[FEATURES.index("cosine")]))


@dataclass(frozen=True, slots=True)
class Settled:
    """What a second look tells: the chance that the first passage answers, and the range of the sentence that does."""

    chance: float
    span: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Doubt:
    """What a second look needs: who looks, and at what."""

    second: Second
    first: First

    def settled(self, vectors: Array, question: Array) -> Settled:
        """Return what becomes of it. `vectors` are those of `first.said`."""
        chance = self.second.chance(self.first.row, self.first.closeness(vectors, question))
        return Settled(chance, self.first.marked(vectors, question))


@dataclass(frozen=True, slots=True)
class Looked:
    """What a first look found: the hits, best first, scored by its `chance`; where it is in doubt, they count if that is settled."""

    hits: list[Hit]
    chance: float = 0.0
    enough: bool = False
    """Whether `chance` is enough for an answer."""
    doubt: Doubt | None = None
    spoken: str = ""
    """What `bot.retrieval.fuse.languages` says of the question and the first passage, "" where there is none."""
    instead: Looked | None = None
    """What counts where this is not enough: the same among the passages in the question's own language."""

    @property
    def sure(self) -> bool:
        """Whether it is enough without a second look."""
        return self.enough and self.doubt is None

    def at_first(self) -> list[Hit]:
        """Return the hits where the first look alone is enough."""
        return self.hits if self.enough else []

    def again(self, settled: Settled) -> list[Hit]:
        """Return the hits as a second look sees them, `[]` where their chance is too small."""
        if self.doubt is None or settled.chance < self.doubt.second.threshold:
            return []
        first = self.doubt.first.passage
        return [
            replace(
                hit, score=round(hit.score * settled.chance / self.chance, 4),
                marked=settled.span if hit.passage is first else hit.marked,
            )
            for hit in self.hits
        ]  # fmt: skip
