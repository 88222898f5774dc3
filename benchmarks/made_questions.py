"""Questions made of others, for the judge's training: a few of their words alone, and one word changed for another question's.

A data set's questions are long and whole. People type two words, or ask for a thing that is not there beside one that is
(another year, another server, another name): the nearest passage then says nearly what is asked for, and must not be shown.

    keywords("When did the Busan office open?", weights, chance)           # "Busan office open"
    changed("When did the Busan office open?", weights, words, chance)     # "When did the Daegu office open?"
"""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.text.words import is_empty, terms

LEAST_WORDS = 3
"""Heavy words that a question must have for a part of them to be a question."""
TRIES = 20
_WORD = re.compile(r"[^\s?!.,;:\"'()]+")

Words = Mapping[str, Sequence[str]]
"""Words of many questions by their kind: number, name (with a capital), other."""


@dataclass(frozen=True)
class Heavy:
    """A word that says something: its weight, and where it stands."""

    weight: float
    start: int
    end: int
    text: str

    @property
    def kind(self) -> str:
        """Whether it is a number, a name or another word."""
        if any(map(str.isdigit, self.text)):
            return "number"
        return "name" if self.text[0].isupper() else "other"


def weights_of(questions: Sequence[str]) -> dict[str, float]:
    """Return the inverse frequency of each term among `questions`."""
    counted = Counter(term for question in questions for term in set(terms(question)))
    return {term: math.log(len(questions) / count) for term, count in counted.items()}


def words_of(questions: Sequence[str], weights: Mapping[str, float]) -> Words:
    """Return the three heaviest words of each question, by kind."""
    words: dict[str, list[str]] = {"number": [], "name": [], "other": []}
    for question in questions:
        for word in sorted(_heavy(question, weights), key=lambda word: -word.weight)[:3]:
            words[word.kind].append(word.text)
    return words


def keywords(question: str, weights: Mapping[str, float], chance: random.Random) -> str | None:
    """Return two to four of the heaviest words of `question`, in their order; None where it has too few."""
    heavy = _heavy(question, weights)
    if len(heavy) < LEAST_WORDS:
        return None
    some = sorted(heavy, key=lambda word: -word.weight * chance.uniform(0.6, 1.2))[: chance.choice((2, 2, 3, 3, 4))]
    return " ".join(word.text for word in sorted(some, key=lambda word: word.start))


def changed(question: str, weights: Mapping[str, float], words: Words, chance: random.Random) -> str | None:
    """Return `question` with a number or one of its two heaviest words changed for another of its kind; None where none is found."""
    heavy = _heavy(question, weights)
    if not heavy:
        return None
    numbers = [word for word in heavy if word.kind == "number"]
    heaviest = sorted(heavy, key=lambda word: -word.weight)[:2]
    word = chance.choice(numbers if numbers and chance.random() < 0.5 else heaviest)
    for _try in range(TRIES):
        other = chance.choice(words[word.kind] or words["other"] or [word.text])
        if other.lower() not in question.lower():
            return question[: word.start] + other + question[word.end :]
    return None


def _heavy(question: str, weights: Mapping[str, float]) -> list[Heavy]:
    found = []
    for match in _WORD.finditer(question):
        said = [term for term in terms(match.group()) if not is_empty(term)]
        if said:
            found.append(Heavy(max(weights.get(term, 9.0) for term in said), match.start(), match.end(), match.group()))
    return found
