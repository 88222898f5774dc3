"""Which of two editions of one document answers: the price list of this year, not that of the last, unless that is asked for.

Owns what tells editions apart, a year in titles that are alike else, and which of them a question means. Leaves to `bot.retrieval.fuse`
how well their passages fit: the edition that is meant goes first only where it says of the question all that another one says, and
little less well.

    edition_of("prices 2026.xlsx")                                  # Edition("prices #.xlsx", 2026)
    preferred(["prices 2025", "prices 2026"], scores, held, "how much is rye?", year=2026)     # scores, exchanged where 2025 was first
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot import lazy

NEAR = 1.6
"""How far, as a log chance, the edition that is meant may lie behind: what lies further behind is no source worth showing."""

_YEAR = lazy.compile(r"(?<![\d.])((?:19|20)\d\d)(?:(?P<to>\s?[-–/~]\s?)((?:20)?\d\d))?(?!\d)")
_SERIES = lazy.compile(
    r"[-_./]\d|\d\s?월|\d{6}|\b(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)(?:[a-z]{2,6})?\b|week|minutes|회의록|\d\s?(?:차|주차|회)",
    re.IGNORECASE,
)
"""What makes of titles that differ in their year papers on what happened then, not editions of one."""
_SAYS_YEAR = lazy.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)|\d\d년")
_OLD = lazy.compile(r"\b(?:old|older|previous|former|earlier|before|used to)\b|이전|예전|옛|전에|종전|기존", re.IGNORECASE)
_LAST, _NEXT = (
    lazy.compile(pattern, re.IGNORECASE)
    for pattern in (r"\blast (?:year|season)\b|작년|지난\s?해|전년", r"\bnext (?:year|season)\b|내년")
)


@dataclass(frozen=True, slots=True)
class Edition:
    """What a title says without its year, and that year; of "2025/26" the first."""

    of: str
    year: int


def edition_of(title: str) -> Edition | None:
    """Return of what `title` is an edition, None where it names no year, or a day, a month or a meeting as well."""
    found = list(_YEAR.finditer(title))
    if len(found) != 1:
        return None
    (year,) = found
    first = int(year[1])
    if year["to"] and int(year[3]) % 100 != (first + 1) % 100:
        return None
    rest = title[: year.start()] + "#" + title[year.end() :]
    return None if _SERIES.search(rest) else Edition(rest.casefold(), first)


def preferred(
    titles: Sequence[str], scores: NDArray[np.float32], held: Callable[[], NDArray[np.bool_]], question: str, *, year: int
) -> NDArray[np.float32]:
    """Return `scores` with that of the best passage given to the one of the edition that is meant, where another edition's is best.

    Args:
        titles: of the documents that the passages are of.
        scores: float32 (n,): how well they fit, as log chances.
        held: gives bool (n, terms): what of the question's words each holds.
        question: what is asked.
        year: the present one.
    """
    best = int(np.argmax(scores)) if len(scores) else -1
    edition = edition_of(titles[best]) if best >= 0 else None
    if edition is None or _SAYS_YEAR.search(question) or _OLD.search(question):
        return scores
    others = {place: other.year for place, title in enumerate(titles) if (other := edition_of(title)) and other.of == edition.of}
    meant = _meant(others, question, year)
    places = [place for place, of in others.items() if of == meant]
    if meant == edition.year or not places:
        return scores
    instead = max(places, key=lambda place: float(scores[place]))
    if scores[instead] < scores[best] - NEAR:
        return scores
    words = held()
    if (words[best] & ~words[instead]).any():
        return scores
    changed = scores.copy()
    changed[[best, instead]] = scores[[instead, best]]
    return changed


def _meant(years: Mapping[int, int], question: str, year: int) -> int:
    """Return the year of the edition that is meant: the one named, else the latest that has begun, else the first."""
    for said, away in ((_LAST, -1), (_NEXT, 1)):
        if said.search(question):
            return year + away
    return max((one for one in years.values() if one <= year), default=min(years.values()))
