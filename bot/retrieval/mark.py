"""The sentence of a passage that answers.

Owns the choice: the query's words, weighed, what kind of answer it asks for (a name, a date, a number, a place), and what the
sentence before says, for "it" and "she" stand for what was named there.

    (reading,) = read("When did the office open?", ["The office is in Busan. It opened in 2019."], terms, sentences)
    reading.span   # (24, 42)
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.retrieval.features import QueryTerms, Tokens, fingerprints
from bot.text.words import is_empty, terms

BEFORE = 0.35
"""What a term counts that stands in the sentence before and not in this one."""
CUE = 0.25
"""What it counts that a sentence holds the kind of thing that is asked for."""
LONG = 400
"""Characters of a sentence above which its length counts against it."""

LONG_SHARE = 0.9
"""What a long sentence counts for."""

_NAMED = re.compile(r"(?<=\s)[A-Z][\w'’-]+|\d[\d.,]*")
"""What a question names: a word with a capital that does not begin it, a number."""
_NUMBER_WORDS = (
    "one two three four five six seven eight nine ten eleven twelve dozen hundred thousand million half third quarter percent"
)
_NUMBER = r"\d|\b(?:" + "|".join(_NUMBER_WORDS.split()) + r")\b"
_DATE = (
    r"\b(?:1\d|20)\d\d\b|\b(?:january|february|march|april|may|june|july|august|september|october|november|december)\b"
    r"|\b(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday|century|decade|today|tomorrow|yesterday|noon|midnight)\b"
    r"|\b(?:spring|summer|autumn|winter)\b|\d{1,2}:\d\d|\d+\s?(?:년|월|일|시|세기|주|개월)|오늘|내일|어제|매주|매년|[월화수목금토일]요일"
)
_NAME = r"(?<![.!?]\s)(?<!^)\b[A-Z][\w'’-]+"
_KOREAN_NAME = (
    r"[가-힣]{2,4}\s?(?:씨|님|대통령|총리|장관|교수|박사|감독|사장|팀장|대표|선수|왕|황제|작가|의원)"
    r"|[가-힣]{2,}(?:이|가|은|는|의|에게|에 의해)\s"
)
_PLACE = (
    r"\b(?:in|at|near|from|to|on)\s+(?:the\s+)?[A-Z]"
    r"|[가-힣]+(?:에서|에|로|시|군|구|동|역|도|국|층|실|호)(?=\s|[.,)]|$)"
)
_REASON = r"\b(?:because|due to|since|so that|in order to|reason|cause[ds]?|result)\b|때문|위해|원인|이유|해서|므로"

_ASKS_NUMBER = (
    r"\bhow (?:many|much|long|old|far|tall|large|big|high|fast|often)\b|\bwhat (?:percent|number|amount|price)|얼마|몇|비율"
)
_ASKS_DATE = r"\bwhen\b|\b(?:what|which) (?:year|date|day|month|century|decade|time)\b|언제|몇 ?[년월일시]|연도|날짜|시기"
_ASKS_NAME = r"\bwho(?:se|m)?\b|\b(?:what|which) (?:person|man|woman|king|queen|president|author|scientist)\b"
_ASKS_PLACE = (
    r"\bwhere\b|\b(?:what|which) (?:city|country|place|state|river|town|region|area)\b|어디|어느 (?:나라|도시|곳|지역)|장소|곳은"
)
_CUES: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = tuple(
    (re.compile(asks, re.IGNORECASE), re.compile(holds, flags))
    for asks, holds, flags in (
        (_ASKS_NUMBER, _NUMBER, re.IGNORECASE), (_ASKS_DATE, _DATE, re.IGNORECASE), (_ASKS_NAME, _NAME, 0),
        (r"누구|누가|사람은|인물", _KOREAN_NAME, 0), (_ASKS_PLACE, _PLACE, 0),
        (r"\bwhy\b|\bwhat (?:caused|reason)\b|왜|이유", _REASON, re.IGNORECASE),
    )
)  # fmt: skip
"""What a question asks for, and what holds such a thing."""


EVIDENCE = (
    "sentence", "sentence_and_before", "sentence_and_title", "asks_kind", "holds_kind", "names", "names_missing", "heaviest_missing",
    "unknown", "content", "sentences", "ahead", "ahead_near", "rivals",
)  # fmt: skip
"""What `weigh_up` tells of the first passage, in order: by itself, and beside its rivals."""
OWN = 11
"""How many of EVIDENCE are of the passage by itself."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A passage read against a question: the half-open range of the sentence that answers best, and what speaks for it."""

    span: tuple[int, int] | None
    """None where the passage is one sentence alone, or nothing in it fits."""
    evidence: NDArray[np.float32]
    """float32: of the first passage the OWN ones of EVIDENCE, of its rivals the first two, which are all that is compared."""


@dataclass(frozen=True, slots=True)
class Sentences:
    """The sentences of some passages, one passage after the other, as the database keeps them."""

    spans: NDArray[np.int64]
    """int64 (n, 2): where each begins and ends in its passage."""
    terms: Tokens
    """The terms of each."""
    counts: tuple[int, ...]
    """How many sentences each passage has."""
    named: NDArray[np.uint32]
    """uint32: the terms of the first passage's title and heading."""


def read(question: str, texts: Sequence[str], query: QueryTerms, sentences: Sentences) -> list[Reading]:
    """Return the sentence that answers best in each of `texts`, which come best first, and what speaks for it.

    All passages are compared at once: 0.25 ms for six, where one after the other took 0.6.
    """
    weights = query.weights
    total = float(weights.sum()) or 1.0
    marks = fingerprints(query.terms)
    ends = list(itertools.accumulate(sentences.counts))
    held = sentences.terms.counts(marks) > 0
    before = np.zeros_like(held)
    before[1:] = held[:-1]
    before[[end for end in ends if end < len(before)]] = False  # nothing stands before a passage's first sentence
    own, near = _weight(held, weights), _weight(before | held, weights)
    cues = [answer for asks, answer in _CUES if asks.search(question)]
    kinds = _kinds(cues, question.lower(), texts, sentences)
    short = np.diff(sentences.spans, axis=1)[:, 0] <= LONG
    scores = (own + BEFORE * (near - own)) / total * np.where(short, 1.0, LONG_SHARE) + CUE * kinds
    readings: list[Reading] = []
    for begin, end in itertools.pairwise([0, *ends]):
        if begin == end:
            readings.append(Reading(None, np.zeros(2 if readings else OWN, np.float32)))
            continue
        best = begin + int(scores[begin:end].argmax())
        fits = end - begin > 1 and (bool(held[best].any()) or scores[best] > CUE)
        evidence = [float(own[best]) / total, float(near[best]) / total]
        if not readings:
            named = np.isin(marks, sentences.named)
            evidence.append(float(_weight(held[best] | named, weights)) / total)
            evidence += [float(bool(cues)), float(kinds[best])]
            evidence += _of_question(question, query, ~(held[begin:end].any(axis=0) | named))
            evidence.append(math.log1p(end - begin))
        first, last = sentences.spans[best].tolist()
        readings.append(Reading((first, last) if fits else None, np.array(evidence, np.float32)))
    return readings


def _weight(held: NDArray[np.bool_], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what the held terms weigh together, by row: summed in one order, so that equal sentences are equal to the last bit."""
    weight: NDArray[np.float32] = np.where(held, weights, np.float32(0)).sum(axis=-1)
    return weight


def _kinds(cues: Sequence[re.Pattern[str]], asked: str, texts: Sequence[str], sentences: Sentences) -> NDArray[np.float64]:
    """Return float64 (n,): the share of what is asked for that each sentence holds."""
    if not cues:
        return np.zeros(len(sentences.spans))
    whose = [text for text, count in zip(texts, sentences.counts, strict=True) for _sentence in range(count)]
    said = [text[start:end] for text, (start, end) in zip(whose, sentences.spans.tolist(), strict=True)]
    return np.array([sum(_holds(cue, sentence, asked) for cue in cues) / len(cues) for sentence in said])


def _of_question(question: str, query: QueryTerms, missing: NDArray[np.bool_]) -> list[float]:
    """Return what the question's terms tell: what it names, what of that and what else is `missing`, what is known nowhere, its length."""
    names, weights = _names(question, query), query.weights
    return [
        min(len(names), 4) / 4,
        float(missing[names].mean()) if names else 0.0,
        float(weights[missing].max(initial=0.0)) / (float(weights.max(initial=0.0)) or 1.0),
        float(query.unknown.mean()) if len(query.unknown) else 0.0,
        math.log1p(sum(1 for term in query.terms if not is_empty(term))),
    ]


def weigh_up(reading: Reading, rivals: Sequence[Reading]) -> NDArray[np.float32]:
    """Return float32 (EVIDENCE,): the first passage by itself, and how far its sentence is ahead of its rivals'."""
    best = [max((float(rival.evidence[column]) for rival in rivals), default=0.0) for column in (0, 1)]
    beside = [float(reading.evidence[0]) - best[0], float(reading.evidence[1]) - best[1], len(rivals) / 4]
    return np.concatenate([reading.evidence, np.array(beside, np.float32)])


def _names(question: str, query: QueryTerms) -> list[int]:
    """Return which terms of the query it names: words with a capital that do not begin it, and numbers."""
    place = {term: index for index, term in enumerate(query.terms)}
    named = " ".join(_NAMED.findall(question))
    return [place[term] for term in dict.fromkeys(terms(named)) if term in place and not is_empty(term)] if named else []


def _holds(cue: re.Pattern[str], sentence: str, asked: str) -> bool:
    """Say whether `sentence` holds what is asked for, beyond what the question (in lower case) itself says."""
    return any(match.group().strip().lower() not in asked for match in cue.finditer(sentence))
