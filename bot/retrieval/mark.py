"""The sentence of a passage that answers.

Owns the choice: the query's words, weighed, what kind of answer it asks for (a name, a date, a number, a place), and what the
sentence before says, for "it" and "she" stand for what was named there. A title line says what the passage is about, and answers
nothing.

    (reading,) = read("When did the office open?", ["The office is in Busan. It opened in 2019."], terms, sentences)
    reading.span   # (24, 42)
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot import lazy
from bot.retrieval.cues import asked_for, is_title, kinds, plainly
from bot.retrieval.evidence import BESIDE, EVIDENCE, Held, letters, own_evidence
from bot.retrieval.features import QueryTerms
from bot.retrieval.tokens import Tokens
from bot.retrieval.weekdays import asked_day, days_of

BEFORE = 0.4
"""What a term counts that stands in the sentence before, or in the title line above, and not in this one."""
NAMED = 0.7
"""What a term counts that the document's title or heading says: every sentence of the passage is about it."""
CUE = 0.3
"""What it counts that a sentence holds the kind of thing that is asked for."""
LACK = 0.85
"""What a sentence counts for that lacks it where another has it."""
NOT_PLAIN = 0.6
"""The same, where another plainly holds it: it was asked why and that says because, or how much and that names a sum."""
TITLE = 0.5
"""What a title line counts for."""
EQUAL = 1e-6
"""Below this, two sentences' scores are the same."""
LONG = 400
"""Characters of a sentence above which its length counts against it."""
LONG_SHARE = 0.9
"""What a long sentence counts for."""
OWN = len(EVIDENCE) - BESIDE

_OPENS = lazy.compile(r"[?？:]['\")\]”’*]*\s*$")
"""What a question, and a line that announces what follows, ends with."""
_FIELD = lazy.compile(r"^[^\n:.]{1,40}: ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Reading:
    """A passage read against a question: the half-open range of the sentence that answers best, and what speaks for it."""

    span: tuple[int, int] | None
    """None where nothing in it fits."""
    evidence: NDArray[np.float32]
    """float32: of the first passage all of EVIDENCE that are its own, of its rivals the first two, which are all that is compared."""
    sentences: tuple[tuple[int, int], ...] = ()
    """The half-open ranges of all of its sentences."""


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


def read(question: str, texts: Sequence[str], query: QueryTerms, sentences: Sentences, *, names: str = "") -> list[Reading]:
    """Return the sentence that answers best in each of `texts`, which come best first, and what speaks for it.

    `names` is what the first passage's document and heading are called. All passages are compared at once: one after the other
    took more than twice as long.
    """
    weights = query.weights
    total = float(weights.sum()) or 1.0
    bounds = [0, *itertools.accumulate(sentences.counts)]
    said = _said(texts, sentences)
    held = (query.read(sentences.terms).counts(query.marks) > 0) | _by_day(query, said)
    before = np.zeros_like(held)
    before[1:] = held[:-1]
    before[[end for end in bounds[1:] if end < len(before)]] = False  # nothing stands before a passage's first sentence
    named = np.isin(query.marks, query.read(Tokens.of([sentences.named])).flat)
    titles = _titles(texts, sentences, said)
    above = before | _above(held, titles, bounds)
    cues = asked_for(question)
    found = kinds(question, said, cues)
    scores = _scores(query, held, above, named, found, sentences)
    scores = np.where(titles, TITLE, 1.0) * np.where(_less_plain(question, said, bounds), NOT_PLAIN, 1.0) * scores
    own, near = (_weight(those, weights).tolist() for those in (held, before | held))
    values, spans = scores.tolist(), [(start, end) for start, end in sentences.spans.tolist()]
    readings: list[Reading] = []
    for begin, end in itertools.pairwise(bounds):
        if begin == end:
            readings.append(Reading(None, np.zeros(2 if readings else OWN, np.float32)))
            continue
        best = begin + _first_of(values[begin:end], said[begin:end], question)
        fits = bool(held[best].any()) or values[best] > CUE
        first, last = spans[best]
        evidence = [own[best] / total, near[best] / total]
        if not readings:
            text = f"{names} {texts[0][:first]}", texts[0][first:last], texts[0][last:]
            others = np.array([held[start:stop].any(axis=0) for start, stop in itertools.pairwise(bounds[1:])], bool)
            where = Held(held[:end], before[:end], named, others.reshape(len(bounds) - 2, len(query.marks)))
            evidence = own_evidence(question, query, text, where, best, float(found[best]), asks=bool(cues))
        said_by = _answering(values[best:end], said[best:end], question)
        span = spans[best + said_by] if fits else None
        readings.append(Reading(span, np.array(evidence, np.float32), tuple(spans[begin:end])))
    return readings


def _scores(
    query: QueryTerms,
    held: NDArray[np.bool_],
    above: NDArray[np.bool_],
    named: NDArray[np.bool_],
    found: NDArray[np.float64],
    sentences: Sentences,
) -> NDArray[np.float64]:
    """Return float64 (n,): how well each sentence would do as the answer; `found` is what it holds of what is asked for."""
    weights = np.where(named, query.weights * np.float32(NAMED), query.weights)
    own, more = _weight(held, weights), _weight(above & ~held, weights)
    scores = (own + BEFORE * more) / (float(query.weights.sum()) or 1.0)
    short = np.diff(sentences.spans, axis=1)[:, 0] <= LONG
    scores = scores * np.where(short, 1.0, LONG_SHARE)
    owners = np.repeat(np.arange(len(sentences.counts)), sentences.counts)
    held_by = np.bincount(owners, weights=found, minlength=len(sentences.counts))[owners] > 0
    whole: NDArray[np.float64] = scores * np.where((found > 0) | ~held_by, 1.0, LACK) + CUE * found
    return whole


def _less_plain(question: str, said: Sequence[str], bounds: Sequence[int]) -> NDArray[np.bool_]:
    """Return bool (n,): which sentences do not plainly hold what is asked for where another of their passage does."""
    plain = plainly(question, said)
    less = np.zeros_like(plain)
    if not plain.any():
        return less
    for begin, end in itertools.pairwise(bounds):
        less[begin:end] = plain[begin:end].any() & ~plain[begin:end]
    return less


def _first_of(scores: Sequence[float], said: Sequence[str], question: str) -> int:
    """Return the place of the best sentence; of equals, the one that holds most of the question's letters.

    Rows of a table are often equal by their terms: a dictionary may cut the same ending off two names.
    """
    least = max(scores) - EQUAL
    equal = [place for place, score in enumerate(scores) if score >= least]
    return equal[0] if len(equal) == 1 else max(equal, key=lambda place: letters(question, said[place]))


def _answering(scores: Sequence[float], said: Sequence[str], question: str) -> int:
    """Return which sentence is marked where the first fits best: itself, or, where it asks or announces, the best that follows it.

    A list of questions and answers repeats the very question; what it answers stands below, as far as the next one.
    """
    if len(said) == 1 or not _OPENS.search(said[0]):
        return 0
    after = next((at for at in range(1, len(said)) if _OPENS.search(said[at])), len(said))
    return 1 + _first_of(scores[1:after], said[1:after], question) if after > 1 else 0


def _said(texts: Sequence[str], sentences: Sentences) -> list[str]:
    whose = [text for text, count in zip(texts, sentences.counts, strict=True) for _sentence in range(count)]
    return [text[start:end] for text, (start, end) in zip(whose, sentences.spans.tolist(), strict=True)]


def _by_day(query: QueryTerms, said: Sequence[str]) -> NDArray[np.bool_]:
    """Return bool (n, terms): which sentences name a day of the week that is asked for in short: "Sat", "월~금"."""
    named = np.zeros((len(said), len(query.terms)), bool)
    asked = [(place, day) for place, term in enumerate(query.terms) if (day := asked_day(term)) is not None]
    if asked:
        days = [days_of(sentence) for sentence in said]
        for place, day in asked:
            named[:, place] = [day in those for those in days]
    return named


def _titles(texts: Sequence[str], sentences: Sentences, said: Sequence[str]) -> NDArray[np.bool_]:
    """Return bool (n,): which sentences are title lines; a passage's last one is none."""
    titles = np.zeros(len(said), bool)
    at = 0
    spans = sentences.spans.tolist()
    for text, count in zip(texts, sentences.counts, strict=True):
        for place in range(at, at + count - 1):
            first = place == at or "\n\n" in text[spans[place - 1][1] - 2 : spans[place][0] + 1]
            titles[place] = is_title(said[place], first=first) or (place == at and _is_headline(text, *spans[place]))
        at += count
    return titles


def _is_headline(text: str, start: int, end: int) -> bool:
    """Say whether what begins a text, "Report: the outage of May", stands above an empty line, and no other line has such a colon."""
    line, rest = text[start:end], text[end:]
    return (
        rest.startswith("\n\n")
        and line.count(": ") == 1
        and is_title(line.replace(": ", " "), first=True)
        and not _FIELD.search(rest)
    )


def _above(held: NDArray[np.bool_], titles: NDArray[np.bool_], bounds: Sequence[int]) -> NDArray[np.bool_]:
    """Return bool (n, terms): what the title line above each sentence holds."""
    above = np.zeros_like(held)
    places = np.flatnonzero(titles)
    for place in places:
        end = next(end for end in bounds if end > place)
        above[place + 1 : end] = held[place]
    return above


def _weight(held: NDArray[np.bool_], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what the held terms weigh together, by row: summed in one order, so that equal sentences are equal to the last bit."""
    weight: NDArray[np.float32] = np.where(held, weights, np.float32(0)).sum(axis=-1)
    return weight
