"""What a search asks and finds, as values, and the small steps between them that need no database.

found = Found(ids, documents, rows, scores, query)
judged(found, place, readings)      # what the judge sees
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from bot.language import detect
from bot.passage import Hit, Scopes
from bot.retrieval.closer import around
from bot.retrieval.embed import unpack_sentences
from bot.retrieval.evidence import beside
from bot.retrieval.features import ANOTHER, FEATURES, QueryTerms
from bot.retrieval.fuse import ACROSS, Second, languages, standing
from bot.retrieval.judged import First, Looked, Unread
from bot.retrieval.mark import Reading, read
from bot.retrieval.slips import mended
from bot.retrieval.spoken import Asked
from bot.store.shelf import Candidate, Mark, Shown

Array = NDArray[np.float32]

DEPTH = 40
"""Candidates of each leg that are weighed; what lies deeper is hardly ever an answer."""
RIVALS = 4
"""Passages after the first that are read beside it to judge it."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: the text, its unit vector float32 (d,), and whose vector that is (`name@revision`, "" for none)."""

    text: str
    vector: Array
    embedder: str
    asked: Asked | None = None
    """What it asks of a chat, where chats are to be searched; its `about` was embedded as `about`."""
    about: Array | None = None
    year: int | None = None
    """The present one, by which "last year" is told; None where no edition of a document is preferred."""
    anyway: bool = False
    """Whether what fits best is wanted, be it an answer or not."""
    reader: str = ""
    """Who can read passages beside it, `name@revision`; "" where nobody can."""
    pointed: bool = False
    """Whether the asker says in which document the answer is."""


class FlippedError(Exception):
    """The question's vector is of another embedder than the live generation's: it is to be asked again with that of `embedder`."""

    def __init__(self, embedder: str) -> None:
        """Keep whose vector is wanted."""
        super().__init__(embedder)
        self.embedder = embedder


@dataclass(frozen=True, slots=True)
class Heard:
    """What the words of a question found, before its vector is known: good for as long as the database is at `mark`."""

    mark: Mark
    scopes: tuple[int, ...]
    """The reader's scopes that hold anything."""
    query: QueryTerms
    ids: tuple[int, ...]
    """Best first."""
    rows: tuple[Candidate, ...]
    """The first DEPTH of them, by id."""
    text: str
    """What was looked for: the question, its mistyped words mended."""


@dataclass(frozen=True, slots=True)
class Found:
    """The candidates of one query with all that was weighed, best first by `scores`."""

    ids: tuple[int, ...]
    documents: tuple[int, ...]
    rows: Array
    """float32 (m, features): of the first m, the others lay too deep to be weighed."""
    scores: Array
    query: QueryTerms | None = field(default=None)
    text: str = ""
    """What was looked for, see `Heard.text`."""
    fulfilled: str = ""
    """Words of the question that the edition which is meant fulfils, see `bot.retrieval.editions.Chosen`: its text does not say them."""

    @property
    def passages(self) -> int:
        """How many passages the library has, as far as the query was weighed."""
        return self.query.passages if self.query else 0

    def led_by(self, place: int) -> Found:
        """Return the same with the candidate at `place` first, whatever fits better: the two exchange their scores."""
        best = int(np.argmax(self.scores))
        scores = self.scores.copy()
        scores[[best, place]] = scores[[place, best]]
        return replace(self, scores=scores)


Seen = tuple[Sequence[int], Sequence[Shown], Sequence[Reading]]
"""The best candidates, best first: their places, their texts, and how these read, the first one with all of its evidence."""


def readings_of(question: Question, shown: Sequence[Shown], query: QueryTerms) -> list[Reading]:
    """Return how each of `shown` reads for the question: its marked sentence, and the evidence beside."""
    first = shown[0].passage
    texts = [one.passage.text for one in shown]
    return read(question.text, texts, query, unpack_sentences(shown), names=f"{first.title} {first.heading}")


def telling(looked: Looked, asked: str, text: str) -> Looked:
    """Return `looked` with what its hits tell of how the question `asked` became `text`, the one that was looked for."""
    if asked == text:
        return looked
    return replace(looked, hits=[replace(hit, mended=mended(asked, text, _texts(hit))) for hit in looked.hits])


def first_of(question: Question, found: Found, place: int, shown: Shown, readings: Sequence[Reading]) -> First:
    """Return what the judge is given of the passage that ranks first, the candidate at `place`."""
    passage, span = shown.passage, readings[0].span
    spoken = languages(detect(question.text) or "en", passage.language)
    spans = readings[0].sentences or ((0, len(passage.text)),)
    marked = None if spoken == ACROSS else spans.index(span) if span in spans else 0
    looked_at = around(len(spans), marked)
    return First(
        found.documents[place], passage, span, judged(found, place, readings), spoken,
        tuple(spans[at] for at in looked_at), None if marked is None else marked - looked_at.start, spans,
    )  # fmt: skip


def firsts_of(question: Question, found: Found, seen: Seen, pages: int) -> list[tuple[First, float]]:
    """Return what the judge is given of each of the first `pages` passages, were it the first one, with what it ranks by."""
    places, shown, readings = seen
    firsts = []
    for at in range(min(pages, len(places)) if found.query else 0):
        if at and found.query:
            readings = readings_of(question, [shown[at], *shown[:at], *shown[at + 1 :]], found.query)
        led = found.led_by(places[at])
        firsts.append((first_of(question, led, places[at], shown[at], readings), float(found.scores[places[at]])))
    return firsts


def unread(
    question: Question, found: Found, seen: Seen, seconds: Mapping[str, Second], scopes: Scopes, *, pages: int
) -> Unread | None:
    """Return what a reader is to read: of the first `pages` of `seen` those in `scopes`; None where none is."""
    firsts = [(first, score) for first, score in firsts_of(question, found, seen, pages) if first.passage.scope in scopes]
    if not firsts:
        return None
    asked = question.text.replace(found.fulfilled, " ") if found.fulfilled else question.text
    return Unread(seconds, tuple(first for first, _score in firsts), tuple(score for _first, score in firsts), asked)


def judged(found: Found, place: int, readings: Sequence[Reading]) -> Array:
    """Return float32 (features + standing + evidence,): what the judge sees of the candidate at `place`, whose reading is the first."""
    evidence = beside(readings[0].evidence, [reading.evidence for reading in readings[1 : 1 + RIVALS]])
    return np.concatenate([found.rows[place], standing(found.scores[: len(found.rows)], place), evidence])


def _texts(hit: Hit) -> list[str]:
    """Return all that is told of a hit."""
    return [hit.passage.text, *(line.text for line in hit.lines), hit.passage.heading, hit.passage.title]


def in_own_language(found: Found) -> Found:
    """Return those of the candidates that were weighed which are in the question's own language."""
    kept = np.flatnonzero(found.rows[:, FEATURES.index("cross")] <= ANOTHER) if len(found.rows) else np.zeros(0, np.int64)
    ids, documents = (tuple(values[place] for place in kept) for values in (found.ids, found.documents))
    return Found(ids, documents, found.rows[kept], found.scores[kept], found.query, fulfilled=found.fulfilled)


def of_one_leg(rows: Sequence[Candidate], order: Sequence[int]) -> Found:
    """Return `rows` with scores that put them into `order`."""
    place = dict(zip(order, itertools.count(), strict=False))
    scores = np.array([-place[row.id] for row in rows], np.float32)
    return Found(tuple(row.id for row in rows), tuple(row.document for row in rows), np.zeros((len(rows), 0), np.float32), scores)


def deeper_in(near: Sequence[int], held: Sequence[int]) -> list[int]:
    """Return what lies below DEPTH in both legs, by its better place."""
    shallow = {*near[:DEPTH], *held[:DEPTH]}
    place: dict[int, int] = {}
    for order in (near, held):
        for at, number in enumerate(order[DEPTH:]):
            if number not in shallow:
                place[number] = min(at, place.get(number, at))
    return sorted(place, key=lambda number: (place[number], number))


def nothing() -> Found:
    """Return that nothing was found."""
    return Found((), (), np.zeros((0, 0), np.float32), np.zeros(0, np.float32))
