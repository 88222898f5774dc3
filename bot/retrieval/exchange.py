"""Exchanges: a message of a chat with what was said around it, as one thing that may answer.

Owns which messages belong together, how such a thing is weighed, and which of its messages answers. Leaves the rows to
`bot.store.talks`, the question's frame to `bot.retrieval.spoken`, and the weighing to the same combiner that weighs documents.

    talk = Conversation.of(Talks(state, scope_ids), asked, people)
    talk.gather(rows)          # the candidates that are messages, with their surroundings
    talk.as_candidates(rows)   # what is weighed in their place: own words, names as the title, the surroundings as the heading
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self

import numpy as np
from numpy.typing import NDArray

from bot.passage import Hit, Passage
from bot.retrieval.answering import Heard, choose
from bot.retrieval.embed import unpack_terms
from bot.retrieval.features import Candidates, QueryTerms
from bot.retrieval.mark import Reading
from bot.retrieval.people import named, spelled_out
from bot.retrieval.spoken import Asked, about_anything
from bot.store.shelf import Candidate, Shown
from bot.store.talks import Spoken, Talks
from bot.talk import Line
from bot.text.words import is_empty, terms

Array = NDArray[np.float32]
Vectors = Callable[[NDArray[np.int64]], Array]

GAP = timedelta(minutes=20)
"""A longer silence ends an exchange, but for replies."""
BEFORE, AFTER = 4, 5
"""Messages of an exchange before and after the one that was found."""
MOST_EXCHANGES = 32
"""Found messages whose surroundings are read."""
SAYS_IT = 1.0
"""What it counts, in the combiner's scores, that a message of an exchange answers."""
UNANSWERED, UNANSWERED_SHARE = 3.0, 0.1
"""How far a question that nobody answered falls behind, and what share of its chance it keeps: it answers hardly anything."""
CONTEXT = 0.35
"""What the meaning of a message around counts, beside the found one's own."""
SPOKE, TOOK_PART, IN_TIME = 2.5, 0.7, 2.5
"""What it counts, in the combiner's scores, that the named person says it or is there, and that it was said when the question says.

Of messages that say nearly the same, one is up to two ahead by its place alone."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """The message that was found, and what belongs to it, oldest first, itself among them."""

    found: Spoken
    lines: tuple[Spoken, ...]


@dataclass(slots=True)
class Conversation:
    """One question, and the exchanges that may answer it."""

    talks: Talks
    asked: Asked
    text: str
    """What is looked for, each person's name as the platform shows it."""
    people: frozenset[str]
    speakers: frozenset[str]
    exchanges: dict[int, Exchange] = field(default_factory=dict)
    """By the passage of the message that was found."""

    @classmethod
    def of(cls, talks: Talks, asked: Asked, people: Sequence[str]) -> Self:
        """Return the conversation of those `people` that `asked` is about."""
        found = named(asked.about, people)
        who = frozenset(one.who for one in found)
        speaking = frozenset(one.who for one in named(asked.speaker, people)[:1]) if asked.speaker else frozenset[str]()
        return cls(talks, asked, spelled_out(asked.about, found), who, speaking)

    @property
    def asks_for_all(self) -> bool:
        """Whether it asks for whatever somebody said, about nothing in particular."""
        if not self.speakers or self.asked.kind == "who":
            return False
        names = {term for who in self.speakers for term in terms(who)}
        return not any(term not in names and not is_empty(term) for term in terms(about_anything(self.text)))

    def gather(self, rows: Sequence[Candidate], order: Sequence[int]) -> None:
        """Read what was said around those of `rows` that are messages, the first ones of `order` (passages, best first)."""
        place = {passage: at for at, passage in enumerate(order)}
        messages = self.talks.messages([row.id for row in rows])
        messages.sort(key=lambda one: place.get(one.passage, len(place)))
        for one in messages[:MOST_EXCHANGES]:
            self.exchanges[one.passage] = Exchange(one, together(one, self.talks.around(one)))

    def as_candidates(self, rows: Sequence[Candidate]) -> list[Candidate]:
        """Return `rows`, messages as what is weighed of their exchanges."""
        return [_in_context(row, self.exchanges[row.id]) if row.id in self.exchanges else row for row in rows]

    def blended(self, ids: NDArray[np.int64], vectors_of: Vectors) -> Array:
        """Return float32 (n, d): the vectors of the passages `ids`, a message's moved towards those of its exchange."""
        vectors = vectors_of(ids)
        for at, passage in enumerate(ids.tolist()):
            exchange = self.exchanges.get(passage)
            if exchange is None or len(exchange.lines) == 1:
                continue
            others = vectors_of(np.array([line.passage for line in exchange.lines if line.passage != passage], np.int64))
            mixed = vectors[at] + CONTEXT * others.sum(axis=0)
            vectors[at] = mixed / (float(np.linalg.norm(mixed)) or 1.0)
        return vectors

    def preferred(self, ids: Sequence[int]) -> Array:
        """Return float32 (n,): what speaks for each candidate by who said it and when, 0 for what is no message."""
        return np.array([self._preferred(self.exchanges.get(passage)) for passage in ids], np.float32)

    def _preferred(self, exchange: Exchange | None) -> float:
        if exchange is None:
            return 0.0
        who = {line.who for line in exchange.lines}
        score = SPOKE * bool(self.speakers & who) + TOOK_PART * bool(self.people & who)
        if self.asked.period is not None:
            begin, end = self.asked.period
            score += IN_TIME * any(begin <= line.at < end for line in exchange.lines)
        return score

    def apart(self, ids: Sequence[int], order: Sequence[int]) -> list[int]:
        """Return `order` (places in `ids`, best first) without messages that stand in the exchange of a better one."""
        told: set[int] = set()
        kept = []
        for place in order:
            exchange = self.exchanges.get(ids[place])
            if exchange is not None:
                if exchange.found.passage in told:
                    continue
                told.update(line.passage for line in exchange.lines)
            kept.append(place)
        return kept

    def passages(self, ids: Sequence[int]) -> list[int]:
        """Return all passages whose texts are needed to show those of `ids`."""
        return sorted({*ids, *(line.passage for one in ids if one in self.exchanges for line in self.exchanges[one].lines)})

    def shown(self, passage: int, texts: Mapping[int, Shown]) -> Shown | None:
        """Return what is read of a candidate, None where it may not be; of an exchange all that may be read, as one text."""
        exchange = self.exchanges.get(passage)
        if exchange is None or passage not in texts:
            return texts.get(passage)
        return _as_one(texts[passage].passage, [texts[line.passage] for line in exchange.lines if line.passage in texts])

    def ranked(
        self, ids: Sequence[int], scores: Array, order: Sequence[int], texts: Mapping[int, Shown], query: QueryTerms
    ) -> list[Seen]:
        """Return what of `order` (places in `ids`) may be shown, those exchanges first in which a message answers."""
        seen = []
        for place in order:
            shown = self.shown(ids[place], texts)
            if shown is not None:
                seen.append(Seen(place, shown, self._answer(ids[place], texts, query)))
        return sorted(seen, key=lambda one: -(float(scores[one.place]) + one.worth))

    def _answer(self, passage: int, texts: Mapping[int, Shown], query: QueryTerms) -> Answering | None:
        """Return which message of an exchange answers, None for what is none."""
        exchange = self.exchanges.get(passage)
        if exchange is None:
            return None
        lines = [(line, texts[line.passage]) for line in exchange.lines if line.passage in texts]
        return _answering(self, lines, query)


@dataclass(frozen=True, slots=True)
class Answering:
    """The exchange as it is shown, which of its passages answers, how well, and whether that is a question that nobody answered."""

    passage: Passage
    lines: tuple[Line, ...]
    score: float
    unanswered: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """A candidate as it is read: its place, its text (of an exchange, all of it), and, of an exchange, what answers in it."""

    place: int
    shown: Shown
    answer: Answering | None

    @property
    def worth(self) -> float:
        """What it counts, in the combiner's scores, that a message of it answers, or that it is a question without one."""
        return SAYS_IT * self.answer.score - UNANSWERED * self.answer.unanswered if self.answer else 0.0

    @property
    def share(self) -> float:
        """What share of its chance of being an answer it keeps."""
        return UNANSWERED_SHARE if self.answer is not None and self.answer.unanswered else 1.0

    def hit(self, score: float, reading: Reading) -> Hit:
        """Return it as a hit: of an exchange the message that answers, all of it marked, with the lines around it."""
        if self.answer is None:
            return Hit(self.shown.passage, score, reading.span)
        return Hit(self.answer.passage, score, (0, len(self.answer.passage.text)), self.answer.lines)


def candidates_of(rows: Sequence[Candidate], query: QueryTerms, vectors_of: Vectors, talk: Conversation | None) -> Candidates:
    """Return `rows` as what is weighed of them, messages with what was said around them where there is a `talk`."""
    rows = talk.as_candidates(rows) if talk else rows
    title, heading, body = map(query.read, unpack_terms(rows))
    ids = np.array([row.id for row in rows], np.int64)
    groups = [zlib.crc32(row.title.encode("utf-8", "ignore")) if row.title else -row.document for row in rows]
    hangul = np.array([row.hangul for row in rows], np.float32)
    vectors = talk.blended(ids, vectors_of) if talk else vectors_of(ids)
    return Candidates(title, heading, body, hangul, vectors, np.array(groups, np.int64))


def together(one: Spoken, around: Sequence[Spoken]) -> tuple[Spoken, ...]:
    """Return those of `around` (oldest first) that belong to `one`, itself among them.

    Messages follow each other without a long silence; a reply belongs to what it answers, however late, and one that answers
    something else does not belong.
    """
    at = next(place for place, line in enumerate(around) if line.passage == one.passage)
    replies = {
        line.passage for line in around if (one.key and line.answers == one.key) or (one.answers and line.key == one.answers)
    }
    thread = [place for place, line in enumerate(around) if line.thread == one.thread]
    here = thread.index(at)
    kept = {at, *(place for place, line in enumerate(around) if line.passage in replies)}
    for steps, most in ((thread[here:], AFTER), (thread[here::-1], BEFORE)):
        for before, after in itertools.pairwise(steps[: most + 1]):
            if abs(around[after].at - around[before].at) > GAP:
                break
            kept.add(after)
    keys = {around[place].key for place in kept}
    return tuple(
        around[place] for place in sorted(kept) if not around[place].answers or around[place].answers in keys or place == at
    )


def _in_context(row: Candidate, exchange: Exchange) -> Candidate:
    """Return the message as a candidate: names are its title, what was said around it its heading."""
    names: list[NDArray[np.uint32]] = []
    others: list[NDArray[np.uint32]] = []
    for line in exchange.lines:
        title, body = _parts(line.terms)
        names.append(title)
        if line.passage != row.id:
            others.append(body)
    _title, own = _parts(row.terms)
    return Candidate(row.id, row.document, "", row.hangul, _packed(_unique(names), _joined(others), own))


def _as_one(first: Passage, shown: Sequence[Shown]) -> Shown:
    """Return the messages as one passage, a line each, that begins as `first` does."""
    texts, tables, bodies, names = [], [], [], []
    at = 0
    for one in shown:
        title, body = _parts(one.terms)
        table = np.frombuffer(one.sentences, "<i4").reshape(-1, 3).copy()
        table[:, :2] += at
        texts.append(one.passage.text)
        tables.append(table)
        bodies.append(body)
        names.append(title)
        at += len(one.passage.text) + 1
    passage = Passage(first.id, first.scope, first.title, first.heading, "\n".join(texts), first.link, first.language, first.page)
    return Shown(passage, _packed(_unique(names), _joined([]), _joined(bodies)), np.concatenate(tables).astype("<i4").tobytes())


def _answering(talk: Conversation, lines: Sequence[tuple[Spoken, Shown]], query: QueryTerms) -> Answering:
    own = _own(talk, [line for line, _shown in lines], query)
    heard = [
        Heard(line.who, shown.passage.text, share, line.at, line.key, line.answers)
        for (line, shown), share in zip(lines, own.tolist(), strict=True)
    ]
    choice = choose(heard, talk.asked, speakers=talk.speakers)
    said = tuple(
        Line(line.who, line.at, shown.passage.text, shown.passage.link, best=place == choice.best, passage=shown.passage.id)
        for place, (line, shown) in enumerate(lines)
    )
    return Answering(lines[choice.best][1].passage, said, choice.score, choice.unanswered)


def _own(talk: Conversation, lines: Sequence[Spoken], query: QueryTerms) -> NDArray[np.float64]:
    """Return float64 (n,): what share of the question's words each message holds itself; names of people are none."""
    names = {term for who in talk.people for term in terms(who)}
    weights = np.where([term in names for term in query.terms], 0, query.weights)
    total = float(weights.sum()) or 1.0
    return np.array([float(weights[np.isin(query.marks, _parts(line.terms)[1])].sum()) / total for line in lines])


def _parts(packed: bytes) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Return the terms of title and body of a passage."""
    marks = np.frombuffer(packed, "<u4")
    title, heading = int(marks[0]), int(marks[1])
    return marks[2 : 2 + title], marks[2 + title + heading :]


def _packed(title: NDArray[np.uint32], heading: NDArray[np.uint32], body: NDArray[np.uint32]) -> bytes:
    return np.concatenate([np.array([len(title), len(heading)], "<u4"), title, heading, body]).astype("<u4").tobytes()


def _joined(parts: Sequence[NDArray[np.uint32]]) -> NDArray[np.uint32]:
    return np.concatenate(parts) if parts else np.zeros(0, np.uint32)


def _unique(parts: Sequence[NDArray[np.uint32]]) -> NDArray[np.uint32]:
    return np.array(list(dict.fromkeys(_joined(parts).tolist())), np.uint32)
