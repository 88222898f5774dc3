"""How long a summary is, which sentences fill it, and how they are written down.

Owns: the budget in words that every model of this folder keeps to, filling it in an order of preference, and the final text. Leaves to
the models the order.

    picked = fill([3, 0, 1], costs=[9, 12, 7, 11], budget=words_for("short", sum(costs)))
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

from bot import lazy
from bot.models.tasks import SummaryInput, SummaryLength
from skills.summarise.cues import CONNECTIVE

WORDS_PER_ROOT: Final[dict[SummaryLength, float]] = {"short": 2.5, "medium": 5.0, "long": 9.0}
"""A summary's words by the square root of the text's: 100 words give 25, 50, 90; 1,000 give 79, 158, 285."""
MOST_WORDS: Final[dict[SummaryLength, float]] = {"short": 120.0, "medium": 250.0, "long": 600.0}
"""However long the text is: a page of summary is read by nobody in a chat."""
MOST_OF_TEXT: Final[dict[SummaryLength, float]] = {"short": 0.5, "medium": 0.65, "long": 0.8}
"""No summary is longer than this share of its text (one sentence is always allowed)."""

_WORD = lazy.compile(r"\w+(?:['’.-]\w+)*")
_REFERENCE = lazy.compile(r"(?:\[\d{1,3}\])+")
_MARKER = lazy.compile(r"^\s*(?:[-*+•‣▪◦·▶►○●■□※–—>]|\(?\d{1,2}[.)])\s+")
_SPACES = lazy.compile(r"\s+")


def costs_of(item: SummaryInput) -> list[int]:
    """Return the words of each sentence, its speaker's name counted as one."""
    named = item.speakers or ("",) * len(item.sentences)
    return [len(_WORD.findall(sentence)) + bool(name) for sentence, name in zip(item.sentences, named, strict=True)]


def words_for(length: SummaryLength, words: int) -> float:
    """Return how many words a summary of `length` may have of a text of `words`."""
    return min(WORDS_PER_ROOT[length] * math.sqrt(words), MOST_OF_TEXT[length] * words, MOST_WORDS[length])


def fill(order: Iterable[int], *, costs: Sequence[int], budget: float, count: int = 0) -> list[int]:
    """Return the first of `order` whose costs come nearest to `budget` (or `count` of them), at least one, in reading order."""
    taken: list[int] = []
    spent = 0
    for index in order:
        if is_full(spent, costs[index], budget=budget, taken=len(taken), count=count):
            break
        taken.append(index)
        spent += costs[index]
    return sorted(taken)


def is_full(spent: int, cost: int, *, budget: float, taken: int, count: int = 0) -> bool:
    """Say whether a sentence of `cost` words would leave the summary further from its budget than it is."""
    if count:
        return taken >= count
    return taken > 0 and spent + cost - budget > budget - spent


def write(item: SummaryInput, picked: Sequence[int]) -> str:
    """Return the summary: prose in one paragraph, talk as a line a speaker. Nothing is said that the text does not."""
    lines: list[str] = []
    before = -2
    for index in picked:
        sentence = tidy(item.sentences[index], alone=index != before + 1, followed=index + 1 in picked)
        speaker = item.speakers[index] if item.speakers else ""
        if lines and speaker == (item.speakers[before] if item.speakers else ""):
            lines[-1] = joined(lines[-1], sentence)
        else:
            lines.append(f"{speaker}: {sentence}" if speaker else sentence)
        before = index
    return "\n".join(lines)


def joined(line: str, sentence: str) -> str:
    """Return both on one line; who chats ends sentences by sending, so a full stop is put where none stands."""
    return f"{line}{'.' if line[-1:].isalnum() else ''} {sentence}"


def tidy(sentence: str, *, alone: bool, followed: bool = True) -> str:
    """Return the sentence on one line, without marks of lists and footnotes.

    Where it stands `alone` it loses its `However,`; where what it announces is not `followed` by it, its colon.
    """
    plain = _SPACES.sub(" ", _REFERENCE.sub("", _MARKER.sub("", sentence))).strip()
    if alone and (tie := CONNECTIVE.match(plain)):
        rest = plain[tie.end() :]
        plain = rest[:1].upper() + rest[1:]
    if not followed and plain.endswith((":", "：")):
        plain = f"{plain[:-1].rstrip()}."
    return plain or sentence.strip()
