"""What a search judges, before and after a second look.

Owns the values between the two. Leaves the looking to `bot.retrieval.search`, which works on one thread, and to `bot.retrieval.library`,
which has the models, what a second look needs: the vectors of sentences, or what a reader says of passages.

    looked = finder.look(question, scopes, count=10)
    hits = looked.hits if looked.doubt is None else looked.again(looked.doubt.settled(vectors, question.vector))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bot.models.tasks import ReadInput, Verdict
from bot.passage import Hit, Passage
from bot.retrieval.closer import closeness
from bot.retrieval.features import FEATURES
from bot.retrieval.fuse import Second
from bot.retrieval.verdicts import led, read_mark, read_numbers

MOST_OF_TITLE = 160
"""Characters of title and heading that a reader is given."""

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
    sentences: tuple[tuple[int, int], ...] = ()
    """All sentences of the passage."""

    def page(self, question: str) -> ReadInput:
        """Return what a reader is given of it."""
        title = f"{self.passage.title} {self.passage.heading}"[:MOST_OF_TITLE]
        return ReadInput(question, title, self.passage.text, self.sentences)

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
    first: First
    """The passage that it is of, which is now the first."""
    enough: bool
    """Whether `chance` is enough for an answer."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """What a second look by vectors needs: who looks, and at what."""

    second: Second
    first: First

    def settled(self, vectors: Array, question: Array) -> Settled:
        """Return what becomes of it. `vectors` are those of `first.said`."""
        chance = self.second.chance(self.first.row, self.first.closeness(vectors, question))
        return Settled(chance, self.first.marked(vectors, question), self.first, chance >= self.second.threshold)


@dataclass(frozen=True, slots=True)
class Unread:
    """What a second look by a reader needs: who looks, by `bot.retrieval.fuse.languages`, and at which passages, best first."""

    seconds: Mapping[str, Second]
    firsts: tuple[First, ...]
    scores: tuple[float, ...]
    """What each ranks by."""
    question: str

    @property
    def reader(self) -> str:
        """Who is to read them, `name@revision`."""
        return self.seconds[self.firsts[0].spoken].reader

    @property
    def pages(self) -> list[ReadInput]:
        """What is read."""
        return [first.page(self.question) for first in self.firsts]

    def settled(self, verdicts: Sequence[Verdict]) -> Settled:
        """Return what becomes of it. `verdicts` are those of `pages`."""
        place = led(self.scores, verdicts, self.seconds[self.firsts[0].spoken].lead)
        first = self.firsts[place]
        if first.spoken not in self.seconds:
            place, first = 0, self.firsts[0]
        second = self.seconds[first.spoken]
        chance = second.chance(first.row, read_numbers(first, verdicts, place))
        return Settled(chance, read_mark(first, verdicts[place]), first, chance >= second.threshold)


@dataclass(frozen=True, slots=True)
class Looked:
    """What a first look found: the hits, best first, scored by its `chance`; where it is in doubt, they count if that is settled."""

    hits: list[Hit]
    chance: float = 0.0
    enough: bool = False
    """Whether `chance` is enough for an answer."""
    doubt: Doubt | Unread | None = None
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
        if not settled.enough:
            return []
        share = settled.chance / self.chance
        hits = [replace(hit, score=round(hit.score * share, 4)) for hit in self.hits]
        first = settled.first.passage
        own = [replace(hit, score=round(settled.chance, 4), marked=settled.span) for hit in hits if hit.passage is first]
        return own + [hit for hit in hits if hit.passage is not first]
