"""One search, from a query and its vector to passages, on a thread of its own.

Owns the order of the steps: catch up with the database, candidates of both legs in the reader's scopes, rank, judge, read
again. All in one state of the database, so that nothing is found that has just been forgotten. Leaves the event loop,
the embedder and the writing to `bot.retrieval.library`.

    finder = Finder(path)
    hits = finder.find(Question("where is the wiki", vector, "minilm@1"), scopes, count=10)
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bot.language import detect
from bot.passage import Added, Hit, Scope, Scopes
from bot.retrieval import contact
from bot.retrieval.editions import Chosen, preferred
from bot.retrieval.exchange import Conversation, candidates_of
from bot.retrieval.features import QueryTerms, features
from bot.retrieval.found import (
    DEPTH,
    RIVALS,
    FlippedError,
    Found,
    Heard,
    Question,
    deeper_in,
    first_of,
    firsts_of,
    in_own_language,
    judged,
    nothing,
    of_one_leg,
    readings_of,
    telling,
    unread,
)
from bot.retrieval.fuse import ACROSS, Fusion, languages
from bot.retrieval.health import Findings, Status
from bot.retrieval.hearing import Hearing
from bot.retrieval.judged import Doubt, First, Looked
from bot.retrieval.latest import said_last
from bot.retrieval.mark import Reading
from bot.retrieval.mirror import Mirror, Moved, differences
from bot.retrieval.shelter import Shelter
from bot.retrieval.spoken import Asked
from bot.retrieval.vectors import VectorIndex
from bot.store.shelf import Candidate, Mark, Shelf, Shown, State
from bot.store.talks import Talks
from bot.text.words import terms

Leg = Literal["fused", "vectors", "words"]
Array = NDArray[np.float32]

POINTED = 0.5
"""What the chance of an answer must be where a question comes with a picture, beside what it must be elsewhere: who asks sees the picture."""
STEP = 20_000
"""Passages that one search takes into the index of a bot that runs, where very many came at once: 0.2 s."""


class Finder:
    """Searches one database. Not for two threads at once."""

    def __init__(self, path: Path, fusion: Fusion | None = None, shelter: Shelter | None = None) -> None:
        """Open the database at `path`, whose index is saved in `shelter`; nothing is read before the first search.

        `fusion` is by default the packaged one for the embedder that is live.
        """
        self._shelf = Shelf(path)
        self._given = fusion
        self._mirror = Mirror(self._shelf, shelter)
        self._shelter = shelter
        self._stepwise = False
        self._hearing = Hearing(self._mirror, lambda: self._fusion.lexicon)
        self._people: dict[tuple[int, ...], list[str]] = {}

    def close(self) -> None:
        """Close the database."""
        self._shelf.close()

    @property
    def index(self) -> VectorIndex:
        """The vectors in memory."""
        return self._mirror.index

    @property
    def _fusion(self) -> Fusion:
        return self._given or Fusion.packaged(self._mirror.mark.embedder)

    @property
    def mark(self) -> Mark:
        """How far the index in memory has come."""
        return self._mirror.mark

    def known(self, scope: Scope, sha256: str, *, key: str | None = None) -> Added | None:
        """Return the document in `scope` that has these bytes (and this key, where one is given), None where there is none."""
        with self._shelf.state() as state:
            found = state.document(scope, sha256, key=key)
        return Added(found[1], found[2], "unchanged", found[0]) if found else None

    def hear(self, text: str, scopes: Scopes, asked: Asked | None = None) -> Heard:
        """Return what the words of a question find in `scopes`: what can be done of `find` while its vector is being made."""
        with self._shelf.state() as state:
            self.catch_up(state)
            talk = self._talk(state, asked, scopes)
            return self._hearing.hear(state, talk.text if talk else text, scopes, count=DEPTH)

    def find(self, question: Question, scopes: Scopes, *, count: int, heard: Heard | None = None) -> list[Hit]:
        """Return the best `count` passages in `scopes`, best first; `[]` where the best is not good enough to be an answer.

        Judged at first look. `heard` is what `hear` has returned for the same question and scopes; where the database has moved on
        since, it is done again.

        Raises:
            FlippedError: the question was embedded by another embedder than the one that is live in this state of the database.
        """
        return self.look(question, scopes, count=count, heard=heard).at_first()

    def look(
        self,
        question: Question,
        scopes: Scopes,
        *,
        count: int,
        heard: Heard | None = None,
        within: Collection[int] = (),
        without: Collection[int] = (),
    ) -> Looked:
        """Return the same, and what is in doubt: its hits count once that is settled.

        Where the best passage is in the other language, and may not be good enough, the best ones in the question's own are judged
        as well: between two languages no word tells anything, and what only meaning has put first hides nothing. Where documents are
        named (`within`), their first passages are all that is looked at, and nobody reads them: they are a picture's, whose lines the reader was
        not taught with. Documents in `without` are as if they were not there.
        """
        with self._shelf.state() as state:
            self.catch_up(state)
            talk = self._talk(state, question.asked, scopes)
            if talk:
                vector = question.vector if question.about is None else question.about
                question = replace(question, text=talk.text, vector=vector)
                if talk.asks_for_all:
                    return Looked(said_last(talk, state, scopes), 1.0, enough=True)
            found = self._candidates(
                state, question, scopes, count=min(count, DEPTH), heard=heard, talk=talk, within=within, without=without
            )
            typed, question = question.text, replace(question, text=found.text or question.text)
            if within:
                question = replace(question, reader="", pointed=True)
            judge = partial(self._judge_said, talk) if talk else self._judge
            looked = telling(judge(state, question, scopes, found, count), typed, question.text)
            if looked.sure or looked.spoken != ACROSS:
                return looked
            instead = judge(state, question, scopes, in_own_language(found), count)
            return replace(looked, instead=telling(instead, typed, question.text))

    def _judge(self, state: State, question: Question, scopes: Scopes, found: Found, count: int) -> Looked:
        """Return the best `count` of what was `found`, and whether the first of them is good enough."""
        seen = self._see(state, question, scopes, found, count=count)
        if seen is None:
            return Looked([])
        places, shown, readings = seen
        found = found.led_by(places[0])
        first = first_of(question, found, places[0], shown[0], readings)
        fusion = self._fusion.among(found.passages)
        chance = fusion.chance(first.row, first.spoken)
        wanted = fusion.threshold(first.spoken, detect(question.text) or "en") * (POINTED if question.pointed else 1)
        enough = question.anyway or chance >= wanted
        second = None if question.anyway else fusion.in_doubt(first.spoken, question.embedder, chance, question.reader)
        if second is None and not enough:
            return Looked([], spoken=first.spoken)
        shares = np.exp(np.minimum(found.scores - found.scores[places[0]], 0))
        hits = [
            Hit(one.passage, round(chance * float(shares[place]), 4), reading.span)
            for place, one, reading in zip(places, shown, readings, strict=True)
            if one.passage.scope in scopes
        ]
        looked = Looked(hits[:count], chance, enough=enough, spoken=first.spoken)
        if second is None:
            return looked
        if not second.reader:
            return replace(looked, doubt=Doubt(second, first))
        by_number = contact.asked(question.text) is not None  # what has one was put first: nothing else answers
        doubt = unread(question, found, seen, fusion.second, scopes, pages=1 if by_number else second.pages)
        return replace(looked, hits=hits[: max(count, second.pages)], doubt=doubt)

    def _judge_said(
        self, talk: Conversation, state: State, question: Question, scopes: Scopes, found: Found, count: int
    ) -> Looked:
        """Do the same where chats are searched as well: a message answers together with what was said around it."""
        if not found.ids or found.query is None:
            return Looked([])
        preferred = talk.preferred(found.ids)
        scores = found.scores + preferred
        order = np.argsort(-scores, kind="stable").tolist()
        best = talk.apart(found.ids, order)[: max(count, 1 + RIVALS)]
        texts = state.passages(talk.passages([found.ids[place] for place in best]), scopes)
        seen = talk.ranked(found.ids, scores, best, texts, found.query)
        if not seen:
            return Looked([])
        readings = readings_of(question, [one.shown for one in seen], found.query)
        top = seen[0].place
        rivals = [reading for one, reading in zip(seen, readings, strict=True) if preferred[one.place] >= preferred[top]]
        language = detect(question.text) or "en"
        spoken = languages(language, seen[0].shown.passage.language)
        chance = self._fusion.chance(judged(replace(found, scores=scores), top, rivals), spoken) * seen[0].share
        if not question.anyway and chance < self._fusion.threshold(spoken, language):
            return Looked([], spoken=spoken)
        shares = np.exp(np.minimum(scores - scores[top], 0))
        hits = [
            one.hit(round(chance * float(shares[one.place]), 4), reading) for one, reading in zip(seen, readings, strict=True)
        ]
        kept = [hit for hit in hits if hit.passage.scope in scopes]
        return Looked(kept[:count], chance, enough=True, spoken=spoken)

    def _talk(self, state: State, asked: Asked | None, scopes: Scopes) -> Conversation | None:
        """Return the conversation that a question is part of, None where nothing that was said in a chat may be read."""
        if asked is None:
            return None
        scope_ids = self._hearing.read_by(state, scopes).scopes
        talks = Talks(state, scope_ids)
        people = self._people.get(scope_ids)
        if people is None:
            people = self._people[scope_ids] = talks.people()
        return Conversation.of(talks, asked, people) if people else None

    def firsts(
        self, question: Question, scopes: Scopes, *, without: Collection[int] = (), pages: int = 1
    ) -> Sequence[tuple[First, float]]:
        """Return what `find` would judge, unjudged, as if the documents in `without` were not there: for training.

        That is the first passage, and of the next ones as many as a reader is to read, each with what it ranks by.
        """
        with self._shelf.state() as state:
            self.catch_up(state)
            found = self._candidates(state, question, scopes, count=1, without=without)
            question = replace(question, text=found.text or question.text)
            seen = self._see(state, question, scopes, found, count=1)
        if seen is None:
            return []
        return firsts_of(question, found.led_by(seen[0][0]), seen, pages)

    def rank(
        self,
        question: Question,
        scopes: Scopes,
        *,
        count: int,
        leg: Leg = "fused",
        without: Collection[int] = (),
        heard: Heard | None = None,
    ) -> Found:
        """Return the best `count` candidates without judging them, by one leg or fused: for evaluation and training.

        Passages of the documents in `without` are left out, as if they were not there. `heard` as in `find`; it is `DEPTH` deep.
        """
        with self._shelf.state() as state:
            self.catch_up(state)
            if leg == "fused":
                found = self._candidates(state, question, scopes, count=count, without=without, heard=heard)
            else:
                found = self._of_leg(state, question, scopes, count=count, leg=leg)
        best = np.argsort(-found.scores, kind="stable")[:count]
        ids, documents = ([values[place] for place in best] for values in (found.ids, found.documents))
        weighed = best[best < len(found.rows)]
        return Found(tuple(ids), tuple(documents), found.rows[weighed], found.scores[best], found.query)

    def status(self) -> Status:
        """Say what the database and the index in memory hold; which embedder is here, the caller knows."""
        with self._shelf.state() as state:
            self.catch_up(state)
            documents, passages = state.counts()
            have, lack = state.vector_counts(self._mirror.mark.generation)
        return Status(
            documents, passages, have, lack, self._mirror.mark.generation, self._mirror.mark.embedder, self._mirror.mark.dimension,
            "", len(self._mirror.index), self._shelf.size_bytes(),
        )  # fmt: skip

    def verify(self) -> Findings:
        """Compare the word index, the vectors, the index in memory and its file with the passages."""
        with self._shelf.state() as state:
            in_file = Mirror(self._shelf, self._shelter)
            in_file.catch_up(state)
            self._moved(self._mirror.catch_up(state))
            _documents, passages = state.counts()
            _have, lack = state.vector_counts(self._mirror.mark.generation)
            broken, (astray, file_astray) = differences(state, (self._mirror, in_file))
            return Findings(
                passages, state.words_without_passage(), lack, broken, astray, state.check(),
                in_file=in_file.loaded, file_astray=file_astray if in_file.loaded else 0, unfit=in_file.unfit,
                set_aside=len(self._shelter.aside()) if self._shelter else 0,
            )  # fmt: skip

    def reset(self) -> None:
        """Forget the index in memory; the next search makes it anew."""
        self._mirror.reset()
        self._hearing.clear()

    def forget_questions(self) -> None:
        """Drop the words that were asked: they are remembered with where they stand."""
        self._hearing.forget_questions()

    def catch_up(self, state: State) -> None:
        """Bring the index in memory to `state`: what other writers, in this process or another, have committed."""
        self._moved(self._mirror.catch_up(state, most=STEP if self._stepwise else None))

    def _moved(self, moved: Moved) -> None:
        self._hearing.moved(moved)
        if moved != "not":
            self._people.clear()

    def step(self) -> bool:
        """Bring the index nearer to the database, and from now on no search further than that; return whether it is behind still."""
        self._stepwise = True
        with self._shelf.state() as state:
            self.catch_up(state)
        return self.behind

    @property
    def behind(self) -> bool:
        """Whether passages came that are not in the index yet; they are found by their words meanwhile."""
        return self._mirror.behind

    def _see(
        self, state: State, question: Question, scopes: Scopes, found: Found, *, count: int
    ) -> tuple[list[int], list[Shown], list[Reading]] | None:
        """Return of the best `count` (and RIVALS) of `found`, in order: place, text, reading. None where there is none.

        Where a phone number or a mail address is asked for, what has one comes first, and none is there where nothing has.
        """
        best = np.argsort(-found.scores, kind="stable")[: max(count, 1 + RIVALS)]
        texts = state.passages([found.ids[place] for place in best], scopes) if len(best) else {}
        places = [int(place) for place in best if found.ids[place] in texts]
        if not places or found.query is None:
            return None
        shown = [texts[found.ids[place]] for place in places]
        if (kind := contact.asked(question.text)) is not None:
            if (first := contact.place(kind, shown, found.query)) is None:
                return None
            places.insert(0, places.pop(first))
            shown.insert(0, shown.pop(first))
        return places, shown, readings_of(question, shown, found.query)

    def _candidates(
        self,
        state: State,
        question: Question,
        scopes: Scopes,
        *,
        count: int,
        without: Collection[int] = (),
        heard: Heard | None = None,
        talk: Conversation | None = None,
        within: Collection[int] = (),
    ) -> Found:
        """Return what both legs find, weighed and scored, in no order; what lies deeper than DEPTH comes after, by its place."""
        if heard is None or heard.mark != self._mirror.mark:
            heard = self._hearing.hear(state, question.text, scopes, count=max(count, DEPTH), without=without)
        if within and heard.scopes:
            own = state.passages_of(within, heard.scopes, most=DEPTH)
            heard = replace(heard, ids=tuple(own), rows=tuple(state.candidates(own, heard.scopes)))
        scope_ids, query, held = heard.scopes, heard.query, heard.ids
        if not scope_ids:
            return nothing()
        vector = self._vector(question)
        deep = max(count, DEPTH)
        near = [] if within else self._mirror.index.search(vector, count=deep, scopes=scope_ids).ids.tolist()
        more = set(near[:DEPTH]).difference(held[:DEPTH])
        rows = sorted([*heard.rows, *state.candidates(sorted(more), scope_ids)])
        rows = [row for row in rows if row.document not in without] if without else rows
        if not rows:
            return nothing()
        if talk is not None:
            talk.gather(rows, [*held, *near])
        weighed, chosen = self._weighed(question, query, rows, vector, talk)
        if told := set(terms(chosen.told)).intersection(query.terms):
            query = query.lightened(told)
            weighed, again = self._weighed(question, query, rows, vector, talk)
            chosen = replace(again, told=chosen.told)
        scores = chosen.scores
        deeper = deeper_in(near, held) if count > len(rows) else []
        below_them = {row.id: row for row in state.candidates(deeper, scope_ids)} if deeper else {}
        tail = [below_them[number] for number in deeper if number in below_them]
        below = scores.min() - 1 - np.arange(len(tail), dtype=np.float32)
        return Found(
            tuple(row.id for row in (*rows, *tail)), tuple(row.document for row in (*rows, *tail)),
            weighed, np.concatenate([scores, below]), query, heard.text, chosen.told,
        )  # fmt: skip

    def _weighed(
        self, question: Question, query: QueryTerms, rows: Sequence[Candidate], vector: Array, talk: Conversation | None
    ) -> tuple[Array, Chosen]:
        """Return the features of `rows`, and their scores once the edition that the question means goes first."""
        of = candidates_of(rows, query, self._mirror.vectors_of, talk)
        weighed = features(query, of, vector, mean_length=self._hearing.mean_length, korean=self._fusion.korean)
        scores = self._fusion.order(weighed)
        if question.year is None:
            return weighed, Chosen(scores)
        return weighed, preferred([row.title for row in rows], scores, partial(of.held, query), question.text, year=question.year)

    def _of_leg(self, state: State, question: Question, scopes: Scopes, *, count: int, leg: Leg) -> Found:
        """Return what one leg finds by itself, without the work of the other."""
        if leg == "words":
            heard = self._hearing.hear(state, question.text, scopes, count=count)
            return of_one_leg(state.candidates(heard.ids, heard.scopes), heard.ids)
        scope_ids = self._hearing.read_by(state, scopes).scopes
        near = self._mirror.index.search(self._vector(question), count=count, scopes=scope_ids).ids.tolist() if scope_ids else []
        return of_one_leg(state.candidates(near, scope_ids), near)

    def _vector(self, question: Question) -> Array:
        """Return the question's vector, zeros where it has none.

        Raises:
            FlippedError: it is of another embedder than the index: vectors of two are never compared.
        """
        wanted = self._mirror.mark.embedder
        if question.embedder and wanted and question.embedder != wanted:
            raise FlippedError(wanted)
        known = question.embedder == wanted and len(question.vector) == self._mirror.mark.dimension
        return question.vector if known else np.zeros(self._mirror.mark.dimension, np.float32)
