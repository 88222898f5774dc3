"""What speaks for a passage, as numbers: the words and the meaning that it shares with a query.

Owns the features. Leaves to `bot.retrieval.tokens` the terms of passages as numbers, to `bot.retrieval.fuse` how features are
weighed, and to `bot.retrieval.search` where candidates come from.

    rows = features(weigh(terms, frequencies, passages=10_000, text=query), candidates, vector, mean_length=120)

A weak leg must not spoil a strong one: what an embedder says of Hangul it has never learnt is worth nothing, so the cosine of
Hangul is a column of its own, and the weights can tell. One that knows Korean is believed in both languages, and `cross` tells
that words cannot be shared because question and passage are of two.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from bot import lazy
from bot.retrieval.products import products
from bot.retrieval.tokens import Places, Tokens, fingerprints
from bot.text.words import is_empty

Array = NDArray[np.float32]

MOST_TERMS = 32
"""Terms of a query that are weighed; a longer one (a pasted text) is searched by its heaviest."""
EMPTY_WEIGHT = 0.1
"""What a function word's weight is multiplied by."""
K1, B = 1.2, 0.75
"""BM25's usual saturation and length constants. Source: Robertson and Zaragoza, The Probabilistic Relevance Framework, 3.2."""
FEEDBACK = 5
"""How many of the first look's best passages tell what the query is about (pseudo-relevance feedback)."""
EXPANSION = 20
"""How many of their words are looked for in the others."""
ANOTHER = 0.5
"""How far a question's and a passage's shares of Hangul lie apart where they are of two languages."""

_ASKING_WORDS = "얼마 얼마나 몇 며칠 언제 누구 누가 어디 왜 어느 무슨 어떠 알리 궁금 부탁 mani much"
ASKING = frozenset(_ASKING_WORDS.split())
"""What asks and is seldom said in an answer: in a library of a few passages it would seem to be the rarest word of all."""

_COMMON_VERBS = frozenset(["get", "got", "must", "need", "happen", "오", "가", "열리"])
"""What a question is built with that asks what one gets, must do, who comes, when it is held."""
FEW = 1000
"""Passages up to which a library has few: how seldom such a verb stands in them tells nothing, words of the same language stand for each other
(`bot.retrieval.otherwise`), and judges of their own judge (`bot.retrieval.fuse.Fusion.among`)."""

NO_WORDS: Mapping[str, Collection[str]] = {}
"""What stands for terms of a query where nothing does."""

_HANGUL = lazy.compile("[\uac00-\ud7a3]")
_LETTER = lazy.compile(r"[^\W\d_]")
_NUMBER = lazy.compile(r"\d")

FEATURES = (
    "words", "words_to_best", "covered", "heaviest", "numbers", "pairs", "title", "title_named", "heading", "group_words",
    "expanded", "cosine", "cosine_to_best", "cosine_z", "feedback", "group_cosine", "hangul_cosine", "hangul_cosine_to_best",
    "cross", "length", "short_words", "short_cosine", "first_words", "first_cosine", "best_words", "best_cosine", "short",
)  # fmt: skip
"""The columns of `features`, in order."""


@dataclass(frozen=True, slots=True)
class QueryTerms:
    """A query as the words leg sees it: its unique terms, heaviest first, what each weighs, and which stood side by side."""

    terms: tuple[str, ...]
    weights: Array
    """float32 (terms,): inverse document frequency times how often the query says it; function words lowered."""
    unknown: NDArray[np.bool_]
    """bool (terms,): stands in no passage at all."""
    pairs: tuple[tuple[int, int], ...]
    hangul: float
    words: int
    light: NDArray[np.bool_]
    """bool (terms,): function words, and those that only ask (how many, 얼마)."""
    passages: int
    """How many passages the weights are of."""
    marks: NDArray[np.uint32]
    """uint32 (terms,): what `fingerprints` makes of the terms."""
    spelt: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Words of the library that stand for terms, and the places of those: slack for 슬랙, 주차 for a piece of 주차비."""

    def lightened(self, words: Collection[str]) -> QueryTerms:
        """Return the same with `words` told already: as light as function words, whatever of them stands in a passage."""
        told = np.array([term in words for term in self.terms], bool) & ~self.light
        weights = np.where(told, self.weights * np.float32(EMPTY_WEIGHT), self.weights)
        order = np.argsort(-weights, kind="stable")
        place = {int(before): after for after, before in enumerate(order)}
        return replace(
            self, terms=tuple(self.terms[at] for at in order), weights=weights[order], unknown=(self.unknown & ~told)[order],
            pairs=tuple(sorted((place[first], place[second]) for first, second in self.pairs)),
            light=(self.light | told)[order], marks=self.marks[order],
            spelt={word: tuple(place[at] for at in places) for word, places in self.spelt.items()},
        )  # fmt: skip

    def read(self, tokens: Tokens) -> Tokens:
        """Return `tokens` with the terms in place of the words that stand for them."""
        if not self.spelt:
            return tokens
        return tokens.replaced(fingerprints(tuple(self.spelt)), [self.marks[list(places)] for places in self.spelt.values()])


@dataclass(frozen=True, slots=True)
class Candidates:
    """Passages that may answer, n of them: their terms by field, and what else the legs know."""

    title: Tokens
    heading: Tokens
    body: Tokens
    hangul: Array
    """float32 (n,): share of Hangul among the letters of the body."""
    vectors: Array
    """float32 (n, d), unit rows; rows of zeros where there is none."""
    groups: NDArray[np.int64]
    """int64 (n,): passages of one document (or of documents with one title) share a number."""

    def __len__(self) -> int:
        return len(self.groups)

    def held(self, query: QueryTerms) -> NDArray[np.bool_]:
        """Return bool (n, terms): which of the query's words each holds."""
        return held(query, self.title, self.heading, self.body)


def held(query: QueryTerms, *fields: Tokens) -> NDArray[np.bool_]:
    """Return bool (n, terms): which of the query's words, but those that only ask, each passage holds in one of its `fields`."""
    return np.asarray(sum(tokens.counts(query.marks) for tokens in fields) > 0) & ~query.light


def hangul_share(text: str) -> float:
    """Return the share of Hangul syllables among the letters of `text`, 0 where it has none."""
    letters = len(_LETTER.findall(text))
    return len(_HANGUL.findall(text)) / letters if letters else 0.0


def weigh(
    terms: Sequence[str],
    frequencies: Mapping[str, int],
    passages: int,
    text: str,
    spelt: Mapping[str, Collection[str]] = NO_WORDS,
    predicates: Collection[str] = (),
    told: Collection[str] = (),
) -> QueryTerms:
    """Return the query's terms with their weights.

    Args:
        terms: what `bot.text.words.terms` makes of the query.
        frequencies: in how many passages each term stands, or what stands for it.
        passages: how many passages there are.
        text: the query itself.
        spelt: words that stand for terms in the passages, and these terms.
        predicates: terms that are verbs: one that stands nowhere is said otherwise, and weighs hardly anything.
        told: terms that only say what is asked for, and weigh as little wherever they stand.
    """
    said = Counter(terms)
    light = {term for term in said if is_empty(term) or term in ASKING}
    light |= {term for term in predicates if not frequencies.get(term)} | said.keys() & set(told)
    light |= _COMMON_VERBS.intersection(said) if passages <= FEW else set()
    light |= {counted for asks, counted in itertools.pairwise(terms) if _is_counted(asks, counted)}
    weight = {
        term: _idf(frequencies.get(term, 0), passages) * (EMPTY_WEIGHT if term in light else 1) * (1 + math.log(count))
        for term, count in said.items()
    }
    kept = sorted(weight, key=lambda term: -weight[term])[:MOST_TERMS]
    place = {term: index for index, term in enumerate(kept)}
    pairs = {(place[a], place[b]) for a, b in itertools.pairwise(terms) if a in place and b in place and a != b}
    return QueryTerms(
        tuple(kept),
        np.array([weight[term] for term in kept], np.float32),
        np.array([frequencies.get(term, 0) == 0 for term in kept], bool),
        tuple(sorted(pairs)),
        hangul_share(text),
        len(terms),
        np.array([term in light for term in kept], bool),
        passages,
        fingerprints(kept),
        {word: places for word, meant in spelt.items() if (places := tuple(place[term] for term in meant if term in place))},
    )


def _is_counted(asks: str, counted: str) -> bool:
    """Say whether a term only tells what is asked for: 명 after 몇, 요일 after 무슨."""
    return (asks == "몇" and len(counted) == 1) or (asks, counted) == ("무슨", "요일")


def _idf(frequency: int, passages: int) -> float:
    return math.log(1 + (passages - frequency + 0.5) / (frequency + 0.5)) if frequency <= passages else 0.0


def features(query: QueryTerms, candidates: Candidates, vector: Array, *, mean_length: float, korean: bool = False) -> Array:
    """Return float32 (n, len(FEATURES)): what speaks for each candidate, mostly 0..1.

    Args:
        query: the query's terms.
        candidates: the passages, n of them.
        vector: float32 (d,), the query's unit vector; zeros where there is no embedder.
        mean_length: terms of a passage on average.
        korean: whether the embedder knows Korean.
    """
    if not len(candidates):
        return np.zeros((0, len(FEATURES)), np.float32)
    beside = _neighbours(candidates.groups)
    word = _word_columns(query, candidates, beside, mean_length)
    deaf = np.zeros(len(candidates), np.float32) if korean else _foreign(query, candidates)
    meaning = _meaning_columns(query, candidates, beside, vector, deaf)
    short = np.array([1 / math.sqrt(1 + query.words)], np.float32)
    first = word["words_to_best"] + 1.5 * meaning["cosine_to_best"]
    mixed = {
        "expanded": _expanded(first, candidates, mean_length),
        "feedback": _feedback(first, candidates.vectors) * (1 - deaf),
        "short_words": short * word["words_to_best"],
        "short_cosine": short * meaning["cosine_to_best"],
        "short": short,
        "length": np.log1p(candidates.body.sizes) / 5,
    }
    columns = word | meaning | mixed
    table = np.empty((len(candidates), len(FEATURES)), np.float32)
    for at, name in enumerate(FEATURES):
        table[:, at] = columns[name]
    return table


def _word_columns(
    query: QueryTerms, candidates: Candidates, beside: NDArray[np.bool_] | None, mean_length: float
) -> dict[str, Array]:
    """Return what the words say."""
    marks = query.marks
    places = candidates.body.find(marks)
    body, title, heading = candidates.body.counts(marks, places), candidates.title.counts(marks), candidates.heading.counts(marks)
    weights = query.weights
    total = float(weights.sum()) or 1.0
    everywhere = body + title + heading
    held = everywhere > 0
    words = products(_saturated(everywhere, candidates, mean_length), weights) / (total * (K1 + 1))
    best = float(words.max())
    return {
        "words": words,
        "words_to_best": words / (best or 1.0),
        "best_words": np.array([best], np.float32),
        "covered": products(held, weights) / total,
        "heaviest": _share(held, weights >= 0.7 * weights.max(initial=0)),
        "numbers": _share(held, np.array([bool(_NUMBER.search(term)) for term in query.terms], bool)),
        "pairs": _pairs(query, candidates.body, places),
        "title": products(title > 0, weights) / total,
        "title_named": (title > 0).sum(axis=1) / np.maximum(candidates.title.sizes, 1),
        "heading": products(heading > 0, weights) / total,
        "group_words": _of_group(words, beside),
        "first_words": _reciprocal_ranks(words),
    }


def _meaning_columns(
    query: QueryTerms, candidates: Candidates, beside: NDArray[np.bool_] | None, vector: Array, deaf: Array
) -> dict[str, Array]:
    """Return what the vectors say, once more by itself where Hangul is in it. `deaf`: how much of that the embedder has never learnt."""
    raw = products(candidates.vectors, vector)
    cross = np.abs(candidates.hangul - query.hangul)
    cosine, hangul = raw * (1 - deaf), raw * _foreign(query, candidates)
    best = float(cosine.max())
    return {
        "cosine": cosine,
        "cosine_to_best": cosine - best,
        "best_cosine": np.array([best], np.float32),
        "cosine_z": (cosine - cosine.mean()) / (float(cosine.std()) or 1.0),
        "group_cosine": _of_group(cosine, beside),
        "hangul_cosine": hangul,
        "hangul_cosine_to_best": hangul - (hangul.max() if deaf.any() else _best_alike(hangul, cross)),
        "cross": cross,
        "first_cosine": _reciprocal_ranks(cosine) * (1 - deaf),
    }


def _best_alike(values: Array, cross: Array) -> Array:
    """Return the best value among those of a candidate's language: cosines across two languages are smaller than within one."""
    other = cross > ANOTHER
    best = [float(values[side].max(initial=-1.0)) for side in (~other, other)]
    return np.where(other, np.float32(best[1]), np.float32(best[0]))


def _foreign(query: QueryTerms, candidates: Candidates) -> Array:
    return np.maximum(candidates.hangul, np.float32(query.hangul))


def _saturated(counts: Array, candidates: Candidates, mean_length: float) -> Array:
    """Return BM25's term frequencies: 0..K1 + 1."""
    lengths = candidates.body.sizes + candidates.title.sizes
    norm = K1 * (1 - B + B * lengths / max(mean_length, 1.0))
    return (counts * (K1 + 1) / (counts + norm[:, None])).astype(np.float32)


def _share(held: NDArray[np.bool_], chosen: NDArray[np.bool_]) -> Array:
    return held[:, chosen].mean(axis=1, dtype=np.float32) if chosen.any() else np.zeros(len(held), np.float32)


def _pairs(query: QueryTerms, body: Tokens, places: Places) -> Array:
    """Return the weighted share of the query's neighbouring terms that stand side by side in the body."""
    found = np.zeros((len(body.sizes), len(query.pairs)), np.float32)
    if not query.pairs:
        return np.zeros(len(body.sizes), np.float32)
    terms = len(query.terms)
    first, second = np.array(query.pairs).T
    number_of = np.full(terms * terms, -1)
    number_of[first * terms + second] = np.arange(len(first))
    order = np.argsort(places.at)
    at, which = places.at[order], places.which[order]
    owners = body.owners[at]
    close = np.flatnonzero((at[1:] == at[:-1] + 1) & (owners[1:] == owners[:-1]))
    pair = number_of[which[close] * terms + which[close + 1]]
    found[owners[close][pair >= 0], pair[pair >= 0]] = 1
    weights = query.weights[first] + query.weights[second]
    share: Array = products(found, weights) / (float(weights.sum()) or 1.0)
    return share


def _expanded(first: Array, candidates: Candidates, mean_length: float) -> Array:
    """Return how well each passage fits the words of the first look's best, 0..1.

    Source: Lavrenko and Croft, Relevance-Based Language Models (RM1); frequencies among the candidates stand for those of all.
    """
    body = candidates.body
    best = np.argsort(-first, kind="stable")[:FEEDBACK]
    rank = np.zeros(len(candidates))
    rank[best] = np.exp(4 * (first[best] - first[best[0]])) / np.maximum(body.sizes[best], 1)
    vocabulary = np.unique(body.flat[rank[body.owners] > 0])
    if not len(vocabulary):
        return np.zeros(len(candidates), np.float32)
    said = body.likely(vocabulary)
    place = np.minimum(np.searchsorted(vocabulary, said.flat), len(vocabulary) - 1)
    known = np.flatnonzero(vocabulary[place] == said.flat)
    owners, place = said.owners[known], place[known]
    model = np.bincount(place, weights=rank[owners], minlength=len(vocabulary))
    cells = owners * len(vocabulary) + place
    counts = np.bincount(cells, minlength=len(candidates) * len(vocabulary)).reshape(len(candidates), len(vocabulary))
    idf = np.log(1 + len(candidates) / (1 + np.count_nonzero(counts, axis=0)))
    weights = model * idf
    keep = np.argsort(-weights, kind="stable")[:EXPANSION]
    weights = weights[keep] / (float(weights[keep].sum()) or 1.0)
    table = counts[:, keep].astype(np.float32)
    fit: Array = products(_saturated(table, candidates, mean_length), weights.astype(np.float32)) / (K1 + 1)
    return fit


def _feedback(first: Array, vectors: Array) -> Array:
    """Return the cosine to the middle of the first look's best, each left out of its own middle."""
    best = np.argsort(-first, kind="stable")[:FEEDBACK]
    towards = products(vectors, vectors[best].sum(axis=0))
    towards[best] -= (vectors[best] ** 2).sum(axis=1).astype(np.float32)
    counted = np.full(len(vectors), len(best), np.float32)
    counted[best] -= 1
    middling: Array = (towards / np.maximum(counted, 1)).astype(np.float32)
    return middling


def _neighbours(groups: NDArray[np.int64]) -> NDArray[np.bool_] | None:
    """Return bool (n, n): which candidates are others of one's group; None where every one is alone."""
    if len(set(groups.tolist())) == len(groups):
        return None
    beside: NDArray[np.bool_] = groups[:, None] == groups
    np.fill_diagonal(beside, val=False)
    return beside


def _of_group(values: Array, beside: NDArray[np.bool_] | None) -> Array:
    """Return the best value among each candidate's neighbours, 0 where it has none."""
    if beside is None:
        return np.zeros(len(values), np.float32)
    best = np.where(beside, values, -np.inf).max(axis=1)
    return np.where(np.isinf(best), 0, best).astype(np.float32)


def _reciprocal_ranks(values: Array) -> Array:
    ranks = np.empty(len(values), np.float32)
    ranks[np.argsort(-values, kind="stable")] = np.arange(len(values), dtype=np.float32)
    return (1 / (1 + ranks)).astype(np.float32)
