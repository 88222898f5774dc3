"""The words leg: BM25 over all the terms of a query, at any size of the library.

Owns how the passages are chosen that are scored, and what is remembered from search to search. Leaves to `bot.retrieval.features`
what a term weighs, and to `bot.store.shelf` the word index.

    words = Words()
    query, frequencies = words.weigh(state, "when does the office open", passages=10_000)
    ids = words.search(state, query, frequencies, readable, mark=mark, mean_length=60, count=40)

A word index tells quickly which passages hold a term and slowly how they rank: of a million passages, five common words ranked by
SQLite take half a second. So the passages are ranked in two looks. The first adds up what the terms weigh that each passage holds: the
lists of the heaviest terms, as many as their passages fit a budget; common ones are remembered (`bot.retrieval.postings`). The second
reads the terms of the likeliest and scores them by BM25 with every term, the common ones too. A reader of no more
than READ_MOST passages is answered without the first look.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache

import numpy as np

from bot.retrieval.contact import words_for
from bot.retrieval.features import K1, NO_WORDS, Array, B, QueryTerms, weigh
from bot.retrieval.forward import PACKED_COUNTS, Forward
from bot.retrieval.otherwise import otherwise
from bot.retrieval.postings import Ids, Postings
from bot.retrieval.products import products
from bot.retrieval.recut import recut
from bot.retrieval.slips import SURE, early, near, nearest, words_of
from bot.retrieval.spelt import Spelt
from bot.retrieval.tokens import Tokens, fingerprints
from bot.store.shelf import Mark, State
from bot.text.lexicon import Lexicon
from bot.text.predicates import predicates
from bot.text.words import is_empty, is_hangul, stem
from bot.text.words import terms as cut

BUDGET = 200_000
"""Passages that the first look may count, each term's own: 20 ms where none of the lists is remembered, 1 where all are."""
READ_AT_ONCE = 500
"""Passages that the second look reads before it asks whether deeper ones may still be among the best: three microseconds each."""
READ_MOST = 2500
"""Passages that it reads at most."""
MOST_CUT = 4000
"""Characters of a query that are cut into terms."""
MOST_ASKED = 500
"""Terms whose frequency is looked up."""
MOST_KNOWN = 20_000
"""Terms whose frequency is remembered: some two megabytes."""
MOST_MENDED = 2
"""Words of a query that may be mistyped: where the reader's passages lack more of them, it asks for something else."""
HEARD_IN = 100_000
"""Passages of a library in whose vocabulary names are heard: to read it takes 25 ms for each ten thousand."""
LOOKED_AT = 40
"""Passages found that are looked at first for whether a reader's passages have a word."""
COMMON = 1000
"""Passages from which a term's frequency outlives a change: to count it takes long, and one more or less weighs nothing."""
MANY_SORTS = 1 << 20
"""Into how many sorts the terms of passages are divided before hundreds of terms are looked for."""
DRIFT = 0.05
"""Share by which the library may grow or shrink until the common terms are counted anew."""


@dataclass(frozen=True, slots=True)
class Readable:
    """What a reader may read: the numbers of the scopes, and whether that is all there are."""

    scopes: tuple[int, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class Likely:
    """Passages that may be among the best, the likeliest first: ids int64 (n,), the sums of the first look float32 (n,)."""

    ids: Ids
    sums: Array


@dataclass(frozen=True, slots=True)
class Own:
    """Which terms stand in a reader's passages."""

    few: bool
    """Whether the passages are few: then it is quick to ask of many terms."""
    of: Callable[[AbstractSet[str]], AbstractSet[str]]
    """Return those of some terms, each of which stands in somebody's passage."""


class Words:
    """The words leg and what it remembers of one database. Not for two threads at once."""

    def __init__(self) -> None:
        """Begin with nothing remembered."""
        self._postings = Postings()
        self._forward = Forward()
        self._spelt = Spelt()
        self._frequencies: dict[str, int] = {}
        self._counted_at = 0

    def clear(self) -> None:
        """Forget everything."""
        self._postings.clear()
        self._forward.clear()
        self._spelt.clear()
        self._frequencies.clear()

    def moved(self, passages: int, *, gone: bool = False) -> None:
        """Take note that the database has moved on, to so many passages; `gone` says that some are no longer there."""
        self._spelt.moved(gone=gone)
        if abs(passages - self._counted_at) > DRIFT * self._counted_at:
            self._frequencies.clear()
            self._counted_at = passages
        self._frequencies = {term: count for term, count in self._frequencies.items() if count >= COMMON}

    def spelt(self, state: State, text: str, readable: Readable, *, mark: Mark, passages: int) -> Mapping[str, Collection[str]]:
        """Return the terms of the reader's passages that sound like words of `text` in the other alphabet, and the terms that they stand for.

        None where there are more than HEARD_IN `passages`.
        """
        if passages > HEARD_IN:
            return NO_WORDS
        self._forward.follow(mark, lambda after: state.removed(after=after))
        return self._spelt.find(
            text[:MOST_CUT], state.terms_between, lambda terms: self._own(state, readable, (), mark).of(terms)
        )

    def recut(
        self, state: State, text: str, query: QueryTerms, readable: Readable, *, mark: Mark, passages: int
    ) -> Mapping[str, Collection[str]]:
        """Return the terms of the reader's passages that are cut otherwise in `text`, and the unknown terms of it that they stand for."""
        unknown = {term for term, strange in zip(query.terms, query.unknown & ~query.light, strict=True) if strange}
        if passages > HEARD_IN or not any(map(is_hangul, unknown)):
            return NO_WORDS
        words = self._spelt.hangul.read(state.terms_between)
        return recut(text[:MOST_CUT], unknown, words, lambda terms: self._own(state, readable, (), mark).of(terms))

    def otherwise(
        self, state: State, text: str, lexicon: Lexicon, frequencies: Mapping[str, int], *, passages: int
    ) -> Mapping[str, Collection[str]]:
        """Return the terms of passages that say otherwise what `text` says, and the terms of it that they stand for.

        None where there are more than HEARD_IN `passages`: what it takes to count so many words there was not measured.
        """
        if not lexicon or passages > HEARD_IN:
            return NO_WORDS
        meant = otherwise(cut(text[:MOST_CUT]), lexicon, frequencies, passages=passages)
        counted = self._counted(state, list(meant))
        return {word: terms for word, terms in meant.items() if counted[word]}

    def weigh(
        self, state: State, text: str, *, passages: int, spelt: Mapping[str, Collection[str]] = NO_WORDS
    ) -> tuple[QueryTerms, Mapping[str, int]]:
        """Return the query's weighed terms, and in how many of the `passages` each stands, or a word of `spelt` that stands for it.

        What was counted is remembered: the word index counts a common word's passages one by one.
        """
        said = cut(text[:MOST_CUT])
        asked = sorted(set(said))[:MOST_ASKED]
        counted = self._counted(state, [*asked, *spelt])
        frequencies = {term: counted[term] for term in asked}
        for word, meant in spelt.items():
            frequencies |= {term: frequencies[term] + counted[word] for term in meant if term in frequencies}
        verbs = predicates(text[:MOST_CUT]) if not all(frequencies.values()) else frozenset[str]()
        return weigh(said, frequencies, max(passages, 1), text, spelt, verbs, words_for(text[:MOST_CUT])), frequencies

    def _counted(self, state: State, terms: Sequence[str]) -> Mapping[str, int]:
        """Return in how many passages each of `terms` stands."""
        if missing := [term for term in terms if term not in self._frequencies]:
            if len(self._frequencies) > MOST_KNOWN:
                self._frequencies.clear()
                missing = list(terms)
            self._frequencies.update(dict.fromkeys(missing, 0) | state.frequencies(missing))
        return self._frequencies

    def search(
        self,
        state: State,
        query: QueryTerms,
        frequencies: Mapping[str, int],
        readable: Readable,
        *,
        mark: Mark,
        mean_length: float,
        count: int,
    ) -> list[int]:
        """Return the ids of at most `count` passages that hold a term of the query and may be read, best first."""
        if not readable.scopes or not any(frequencies.values()):
            return []
        admitted = None if readable.whole else self._admitted(state, readable.scopes, mark)
        if admitted is not None and len(admitted) <= READ_MOST:
            likely = Likely(admitted, np.ones(len(admitted), np.float32))
        else:
            likely = self._likeliest(state, query, frequencies, admitted, mark)
        self._forward.follow(mark, lambda after: state.removed(after=after))
        return _best(likely, lambda ids: self._scored(state, ids, readable, query, mean_length), count)

    def mended(
        self, state: State, text: str, frequencies: Mapping[str, int], readable: Readable, held: Sequence[int], *, mark: Mark
    ) -> str:
        """Return `text` with its mistyped words as they stand in the reader's passages, `text` itself where there are none.

        A word that no passage of the reader has is taken for mistyped where exactly one of theirs is nearest to it: what others'
        passages hold changes nothing.

        Args:
            state: the database.
            text: the query.
            frequencies: what `weigh` has returned for it.
            readable: what the reader may read.
            held: what `search` has found: words that stand there need no looking for.
            mark: how far the database has come.
        """
        places = [place for place in words_of(text[:MOST_CUT]) if not is_empty(stem(place.word))]
        if not places:
            return text
        self._forward.follow(mark, lambda after: state.removed(after=after))
        own = self._own(state, readable, held, mark)
        stems = {stem(place.word) for place in places}
        strange = stems - own.of({said for said in stems if frequencies.get(said, 1)})
        if len(strange) > MOST_MENDED:
            return text
        for place in reversed(places):
            if stem(place.word) in strange and (meant := _meant(state, place.word, own)):
                text = text[: place.start] + meant + text[place.end :]
        return text

    def _own(self, state: State, readable: Readable, held: Sequence[int], mark: Mark) -> Own:
        """Return which terms stand in the reader's passages, of which `held` are some."""
        if readable.whole:
            return Own(few=False, of=lambda terms: terms)
        admitted = self._admitted(state, readable.scopes, mark)
        few = len(admitted) <= READ_MOST

        def tokens(ids: Ids) -> Tokens:
            return self._forward.tokens(ids, readable.scopes, lambda missing: state.terms_in(missing, readable.scopes))[1]

        first = tokens(np.array(sorted(held[:LOOKED_AT]), np.int64))
        every = cache(lambda: tokens(admitted))

        def of(terms: AbstractSet[str]) -> AbstractSet[str]:
            seen = _standing(first, terms)
            if not (rest := terms - seen):
                return seen
            return seen | (_standing(every(), rest) if few else {term for term in rest if meets(term)})

        def meets(term: str) -> bool:
            return _meet(self._holders(state, term, mark), admitted)

        return Own(few, of)

    def _scored(self, state: State, ids: Ids, readable: Readable, query: QueryTerms, mean_length: float) -> tuple[Ids, Array]:
        """Return those of `ids`, ascending, that are there and may be read, and their scores."""
        there, tokens = self._forward.tokens(ids, readable.scopes, lambda missing: state.terms_in(missing, readable.scopes))
        return there, scored(tokens, query, mean_length=mean_length)

    def _admitted(self, state: State, scopes: tuple[int, ...], mark: Mark) -> Ids:
        def read(after: int) -> Ids:
            return state.readable(scopes, after=after)

        return self._postings.ids(scopes, mark, read, lambda after: state.removed(after=after))

    def _holders(self, state: State, term: str, mark: Mark) -> Ids:
        def read(after: int) -> Ids:
            return state.holders(term, after=after)

        return self._postings.ids(term, mark, read, lambda after: state.removed(after=after))

    def _likeliest(
        self, state: State, query: QueryTerms, frequencies: Mapping[str, int], admitted: Ids | None, mark: Mark
    ) -> Likely:
        """Return at most READ_MOST passages of `admitted` (all for None), those that hold the heaviest terms first."""
        sums = np.zeros(mark.passage + 1, np.float32)
        for place in asked(query, frequencies, budget=BUDGET):
            sums[self._holders(state, query.terms[place], mark)] += query.weights[place]
            for word in (word for word, places in query.spelt.items() if place in places):
                sums[self._holders(state, word, mark)] += query.weights[place]
        held = np.flatnonzero(sums > 0) if admitted is None else admitted[sums[admitted] > 0]
        if len(held) > READ_MOST:
            held = held[np.argpartition(-sums[held], READ_MOST)[:READ_MOST]]
        held = held[np.argsort(-sums[held], kind="stable")]
        return Likely(held, sums[held])


def _best(likely: Likely, read: Callable[[Ids], tuple[Ids, Array]], count: int) -> list[int]:
    """Return the `count` best of `likely` that score at all, best first.

    They are read some at a time, until what is left could not come among the best, were it to gain over its sum what the one that
    gained most of those read has gained.
    """
    ids, scores, gain = likely.ids[:0], likely.sums[:0], 0.0
    for start in range(0, len(likely.ids), READ_AT_ONCE):
        some = slice(start, start + READ_AT_ONCE)
        if len(scores) >= count and gain * likely.sums[start] < np.partition(scores, -count)[-count]:
            break
        order = np.argsort(likely.ids[some])
        got, scored_now = read(likely.ids[some][order])
        if start + READ_AT_ONCE < len(likely.ids):
            sums = likely.sums[some][order][np.searchsorted(likely.ids[some][order], got)]
            gain = max(gain, float((scored_now / sums).max(initial=0)))
        ids, scores = np.concatenate([ids, got]), np.concatenate([scores, scored_now])
    best = np.argsort(-scores, kind="stable")[:count]
    found: list[int] = ids[best[scores[best] > 0]].tolist()
    return found


def _standing(tokens: Tokens, wanted: AbstractSet[str]) -> AbstractSet[str]:
    """Return those of `wanted` that stand in the passages whose terms `tokens` are."""
    sorts = np.zeros(MANY_SORTS, bool)
    sorts[tokens.flat & (MANY_SORTS - 1)] = True
    terms = sorted(wanted)
    marks = fingerprints(terms)
    maybe = np.flatnonzero(sorts[marks & (MANY_SORTS - 1)])
    return {terms[at] for at in maybe.tolist() if (tokens.flat == marks[at]).any()}


def _meant(state: State, word: str, own: Own) -> str | None:
    """Return what a mistyped word was meant as, of those in the reader's passages; None where that is not sure."""
    said = stem(word)
    for known in (lambda: state.beginning(said[:SURE]), lambda: state.frequencies(sorted(early(said)))):
        terms = set(known())
        choices = near(word, own.of(terms) if own.few else terms)
        standing = own.of({one.stem for one in choices})
        if choices := [one for one in choices if one.stem in standing]:
            return nearest(choices)
    return None


def _meet(some: Ids, others: Ids) -> bool:
    """Say whether two lists of ids, ascending, have one in common."""
    short, long = sorted((some, others), key=len)
    places = np.minimum(np.searchsorted(long, short), len(long) - 1)
    return bool(len(long)) and bool((long[places] == short).any())


def asked(query: QueryTerms, frequencies: Mapping[str, int], *, budget: int) -> list[int]:
    """Return the places of the terms whose passages are counted: the heaviest while they fit the budget, the first in any case.

    Words that say little are asked for only where there is nothing else.
    """
    known = [place for place, term in enumerate(query.terms) if frequencies.get(term, 0)]
    telling = [place for place in known if not query.light[place]]
    chosen: list[int] = []
    spent = 0
    for place in telling or known:
        spent += frequencies[query.terms[place]]
        if chosen and spent > budget:
            break
        chosen.append(place)
    return chosen


def scored(tokens: Tokens, query: QueryTerms, *, mean_length: float) -> Array:
    """Return float32 (n,): BM25 of n passages, of which `tokens` are the terms.

    Source: Robertson and Zaragoza, The Probabilistic Relevance Framework, 3.2; title, heading and text count alike.
    """
    counts = query.read(tokens).likely(query.marks).counts(query.marks)
    norm = K1 * (1 - B + B * tokens.sizes / max(mean_length, 1.0))
    return products((counts * (K1 + 1) / (counts + norm[:, None])).astype(np.float32), query.weights)


def weigh_without(
    state: State, text: str, query: QueryTerms, frequencies: Mapping[str, int], documents: Collection[int]
) -> tuple[QueryTerms, Mapping[str, int]]:
    """Return what `Words.weigh` would return were `documents` not there: for training.

    As many passages as there are count all the same: one fewer would tell the trees of the second look that an answer was taken away.
    """
    spelt = {word: tuple(query.terms[place] for place in places) for word, places in query.spelt.items()}
    marks = {term: {mark} for term, mark in zip(query.terms, query.marks.tolist(), strict=True)}
    for word, mark in zip(spelt, fingerprints(tuple(spelt)).tolist(), strict=True):
        for term in spelt[word]:
            marks[term].add(mark)
    packed = [set(np.frombuffer(terms, "<u4")[PACKED_COUNTS:].tolist()) for terms in state.terms_of(documents)]
    rest = {
        term: max(count - sum(1 for passage in packed if marks.get(term, set()) & passage), 0)
        for term, count in frequencies.items()
    }
    text = text[:MOST_CUT]
    return weigh(cut(text), rest, query.passages, text, spelt, predicates(text), words_for(text)), rest
