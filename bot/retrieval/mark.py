"""The sentence of a passage that answers.

Owns the choice: the query's words, weighed, what kind of answer it asks for (a name, a date, a number, a place), and what the
sentence before says, for "it" and "she" stand for what was named there.

    read("When did the office open?", "The office is in Busan. It opened in 2019.", terms, sentences).span   # (24, 42)
"""

from __future__ import annotations

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
    """A passage read against a question: the half-open range of the sentence that answers best, and the OWN ones of EVIDENCE, float32."""

    span: tuple[int, int] | None
    evidence: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sentences:
    """The sentences of a passage as the database keeps them."""

    spans: NDArray[np.int64]
    """int64 (n, 2): where each begins and ends."""
    terms: Tokens
    """The terms of each."""
    named: NDArray[np.uint32]
    """uint32: the terms of title and heading."""


def read(question: str, text: str, query: QueryTerms, sentences: Sentences) -> Reading:
    """Return the sentence of `text` that answers best (None where there is one alone, or nothing fits) and what speaks for it."""
    if not len(sentences.spans):
        return Reading(None, np.zeros(OWN, np.float32))
    marks = fingerprints(query.terms)
    weights = query.weights
    total = float(weights.sum()) or 1.0
    held = sentences.terms.counts(marks) > 0
    before = np.zeros_like(held)
    before[1:] = held[:-1]
    said = [text[start:end] for start, end in sentences.spans]
    cues = [answer for asks, answer in _CUES if asks.search(question)]
    asked = question.lower()
    kinds = np.array([sum(_holds(cue, sentence, asked) for cue in cues) / max(len(cues), 1) for sentence in said])
    scores = (held @ weights + BEFORE * ((before & ~held) @ weights)) / total
    scores = scores * np.where(np.diff(sentences.spans, axis=1)[:, 0] <= LONG, 1.0, LONG_SHARE) + CUE * kinds
    best = int(scores.argmax())
    named = np.isin(marks, sentences.named)
    own, near = held[best], held[best] | before[best]
    missing = ~(held.any(axis=0) | named)
    names = _names(question, query)
    evidence = (
        float(own @ weights) / total, float(near @ weights) / total, float((own | named) @ weights) / total,
        float(bool(cues)), float(kinds[best]), min(len(names), 4) / 4, float(missing[names].mean()) if len(names) else 0.0,
        float(weights[missing].max(initial=0.0)) / (float(weights.max(initial=0.0)) or 1.0),
        float(query.unknown.mean()) if len(query.unknown) else 0.0,
        math.log1p(sum(1 for term in query.terms if not is_empty(term))), math.log1p(len(said)),
    )  # fmt: skip
    fits = len(said) > 1 and (bool(own.any()) or scores[best] > CUE)
    start, end = sentences.spans[best].tolist()
    return Reading((start, end) if fits else None, np.array(evidence, np.float32))


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
