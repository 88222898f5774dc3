"""What speaks for and against the first passage's being an answer, as numbers: what of the question it holds, and where.

Owns the numbers. Leaves to `bot.retrieval.mark` which sentence answers, to `bot.retrieval.fuse` how they are weighed.

A question whose answer is not there finds a passage all the same. What tells them apart: heavy words that are missing, in all
passages or in this one alone; words scattered over the passage; another passage that holds as much. A word counts as softly held
where its beginning stands in the text, or, in Hangul, where it stands inside of a longer word: what one text writes as one word
another writes as two.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot import lazy
from bot.retrieval.features import QueryTerms
from bot.retrieval.products import products
from bot.text.words import is_empty, is_hangul, normalise, stem, terms

EVIDENCE = (
    "sentence", "sentence_and_before", "sentence_and_title", "asks_kind", "holds_kind", "names", "names_missing", "heaviest_missing",
    "unknown", "content", "sentences", "soft", "body", "near_and_title", "near_soft", "plain", "plain_soft", "plain_sentence",
    "plain_near", "missing_unknown", "missing_known", "missing_count", "missing_weight", "sentence_weight", "near_weight", "weight",
    "pairs_near", "pairs_body", "others_hold", "ahead_of_others", "numbers", "numbers_missing", "names_not_near", "concentration",
    "passages", "surface", "surface_least", "surface_near", "ahead", "ahead_near", "rivals",
)  # fmt: skip
"""What the judge is told of the first passage, in order: by itself, and (the last ones) beside its rivals."""
BESIDE = 3
"""How many of EVIDENCE are beside rivals."""
SHORTEST_STEM = 4
STEM_SHARE = 0.7
"""Share of an English term that must stand at a word's beginning for it to be softly held."""

Array = NDArray[np.float32]
_NAMED = lazy.compile(r"(?<=\s)[A-Z][\w'’-]+|\d[\d.,]*")
"""What a question names: a word with a capital that does not begin it, a number."""
_NO_WORD = lazy.compile(r"[\W_]+")
_WORD = lazy.compile(r"[^\W_]+")
_HANGUL = lazy.compile("[\uac00-\ud7a3]")
_DIGIT = lazy.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Held:
    """What of a question's terms stands where: bool arrays over the terms."""

    sentences: NDArray[np.bool_]
    """(n, terms): in each sentence of the first passage."""
    before: NDArray[np.bool_]
    """(n, terms): in the sentence before each."""
    named: NDArray[np.bool_]
    """(terms,): in title or heading."""
    others: NDArray[np.bool_]
    """(m, terms): in the passages that rank after it."""


def own_evidence(
    question: str, query: QueryTerms, text: tuple[str, str, str], held: Held, best: int, kind: float, *, asks: bool
) -> list[float]:
    """Return those of EVIDENCE that are of the first passage by itself.

    Args:
        question: as it was asked.
        query: its terms.
        text: title, heading and text of the passage: what stands before its sentence `best`, that, and the rest.
        held: where its terms stand.
        best: the sentence that answers best.
        kind: how well that holds what is asked for.
        asks: whether anything is asked for that can be told.
    """
    weights = query.weights
    total = float(weights.sum()) or 1.0
    content = ~query.light
    count = max(int(content.sum()), 1)
    own: NDArray[np.bool_] = np.asarray(held.sentences[best])
    near: NDArray[np.bool_] = np.logical_or(own, held.before[best])
    body: NDArray[np.bool_] = np.asarray(held.sentences.any(axis=0))
    every = body | held.named
    plain, near_it = normalise(" ".join(text)), normalise(text[1])
    spaced = " " + _NO_WORD.sub(" ", plain)
    tight = spaced.replace(" ", "")
    soft = _soft(query, every, spaced, tight)
    missing = ~(every | soft)
    others = held.others.any(axis=0) if len(held.others) else np.zeros_like(every)
    most = float(products(held.others, weights).max(initial=0.0))
    named, numbers = _names(question, query), np.array([bool(_DIGIT.search(term)) for term in query.terms], bool)

    def share(those: NDArray[np.bool_]) -> float:
        return float(np.where(those, weights, np.float32(0)).sum()) / total  # in one order, so that equal sentences are equal

    return [
        share(own), share(near), share(own | held.named), float(asks), kind, min(int(named.sum()), 4) / 4,
        _part(named & ~every, named), float(weights[~every].max(initial=0.0)) / (float(weights.max(initial=0.0)) or 1.0),
        float(query.unknown.mean()) if len(query.unknown) else 0.0, math.log1p(count), math.log1p(len(held.sentences)),
        share(every | soft), share(body), share(near | held.named), share(near | held.named | soft),
        int((every & content).sum()) / count, int(((every | soft) & content).sum()) / count,
        int((own & content).sum()) / count, int((near & content).sum()) / count,
        share(missing & query.unknown), share(missing & ~query.unknown), min(int((missing & content).sum()), 6) / 3,
        float(weights[missing].max(initial=0.0)) / 10, share(own) * total / 20, share(near) * total / 20, total / 20,
        _pairs(query, near), _pairs(query, body), share(others & ~every), share(body) - most / total,
        float(numbers.any()), _part(numbers & ~every, numbers), _part(named & ~near & ~held.named, named),
        share(near) / max(share(body), 1e-6), math.log1p(query.passages) / 8,
        *_surface(question, query, (tight, every), (near_it, near | held.named)),
    ]  # fmt: skip


def beside(first: Array, rivals: Sequence[Array]) -> Array:
    """Return all of EVIDENCE: that of the first passage, and how far its sentence is ahead of its rivals'."""
    most = [max((float(rival[column]) for rival in rivals), default=0.0) for column in (0, 1)]
    ahead = [float(first[0]) - most[0], float(first[1]) - most[1], len(rivals) / 4]
    return np.concatenate([first, np.array(ahead, np.float32)])


def _part(some: NDArray[np.bool_], whole: NDArray[np.bool_]) -> float:
    return float(some.sum() / whole.sum()) if whole.any() else 0.0


def _pairs(query: QueryTerms, held: NDArray[np.bool_]) -> float:
    """Return the share of the question's neighbouring terms that are both held; half where it has none."""
    pairs = [(first, second) for first, second in query.pairs if not (query.light[first] or query.light[second])]
    return sum(1 for first, second in pairs if held[first] and held[second]) / len(pairs) if pairs else 0.5


def _names(question: str, query: QueryTerms) -> NDArray[np.bool_]:
    """Return bool (terms,): which terms the question names, words with a capital that do not begin it, and numbers."""
    named = set(terms(" ".join(_NAMED.findall(question))))
    return np.array([term in named and not is_empty(term) for term in query.terms], bool)


def _soft(query: QueryTerms, every: NDArray[np.bool_], spaced: str, tight: str) -> NDArray[np.bool_]:
    """Return bool (terms,): which terms stand in no word of their own, yet begin one, or in Hangul stand within one."""
    if every.all():
        return np.zeros_like(every)
    return np.array([not every[at] and _stands(term, spaced, tight) for at, term in enumerate(query.terms)], bool)


def _stands(term: str, spaced: str, tight: str) -> bool:
    if _HANGUL.match(term):
        return len(term) > 1 and term in tight
    if len(term) < SHORTEST_STEM or _DIGIT.search(term):
        return False
    return " " + term[: max(SHORTEST_STEM, math.ceil(STEM_SHARE * len(term)))] in spaced


def _surface(
    question: str, query: QueryTerms, whole: tuple[str, NDArray[np.bool_]], near: tuple[str, NDArray[np.bool_]]
) -> tuple[float, float, float]:
    """Return what of the question's letters stands in the whole text: on average, of the word least there, and near its best sentence.

    `whole` is the text's words without gaps, and which terms it holds; `near` is what stands near that sentence, and the same. Words
    are compared by their pairs of syllables (Hangul) or threes of letters: however either text was cut into terms. One that is said
    otherwise is there.
    """
    light = {term for term, is_light in zip(query.terms, query.light, strict=True) if is_light}
    words = [word for word in _WORD.findall(normalise(question)) if word not in light and not is_empty(word)][:32]
    near_it = _NO_WORD.sub("", near[0])
    otherwise = {place for places in query.spelt.values() for place in places}
    stand, stand_near = ([query.terms[place] for place in otherwise if there[place]] for _text, there in (whole, near))
    shares = [
        (_said(word, stand) or _letters(word, whole[0]), _said(word, stand_near) or _letters(word, near_it)) for word in words
    ]
    if not shares:
        return 1.0, 1.0, 1.0
    return (
        sum(share for share, _near in shares) / len(shares), min(share for share, _near in shares),
        sum(share for _whole, share in shares) / len(shares),
    )  # fmt: skip


def _said(word: str, stand: Sequence[str]) -> bool:
    """Say whether a word of the question is one of those terms of it that stand there, said otherwise."""
    return any(word.startswith(term) if is_hangul(term) else stem(word) == term for term in stand)


def letters(question: str, text: str) -> float:
    """Return what share of the letters of `question` stands in `text`, word by word: 0..1."""
    words = [word for word in _WORD.findall(normalise(question)) if not is_empty(word)]
    whole = _NO_WORD.sub("", normalise(text))
    return sum(_letters(word, whole) for word in words) / len(words) if words else 0.0


def _letters(word: str, text: str) -> float:
    size = 2 if _HANGUL.search(word) else 3
    if len(word) <= size:
        return float(word in text)
    pieces = [word[at : at + size] for at in range(len(word) - size + 1)]
    return sum(1 for piece in pieces if piece in text) / len(pieces)
