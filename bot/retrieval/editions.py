"""Which of two editions of one document answers: the price list of this year, not that of the last, unless that is asked for.

Owns what tells editions apart, a year in titles that are alike else, and which of them a question means. Leaves to `bot.retrieval.fuse`
how well their passages fit: the edition that is meant goes first only where it says of the question all that another one says, and
little less well.

    edition_of("prices 2026.xlsx")       # Edition("prices.xlsx", 2026)
    preferred(["prices 2025", "prices 2026"], scores, held, "how much is rye?", year=2026).scores    # 2026 first
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
_NAMED = (
    (lazy.compile(r"\blast (?:year|season)\b|작년|지난\s?해|전년", re.IGNORECASE), -1),
    (lazy.compile(r"\bnext (?:year|season)\b|내년", re.IGNORECASE), 1),
    (lazy.compile(r"\bthis (?:year|season)\b|올해|금년", re.IGNORECASE), 0),
)
"""What names the year that is meant, and how far it lies from the present one."""
_RETIRED = lazy.compile(
    r"\b(?:old|obsolete|outdated|superseded|expired|archived?)\b|(?<![가-힣])(?:폐지|폐기|만료|구버전|구판)(?:됨|본)?(?![가-힣])",
    re.IGNORECASE,
)
"""What a title says of a document that holds no more."""
_APART = lazy.compile(r"[\s()\[\],_–-]+")


@dataclass(frozen=True, slots=True)
class Edition:
    """What a title says without its year, and that year, of "2025/26" the first; None where it names none."""

    of: str
    year: int | None
    retired: bool = False
    """Whether it says that the document holds no more: "prices (old)"."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The scores once the edition that is meant goes first, and the words of the question that it fulfils: "last year"."""

    scores: NDArray[np.float32]
    told: str = ""


def edition_of(title: str) -> Edition | None:
    """Return of what `title` is an edition, None where it names several years, or a day, a month or a meeting as well."""
    found = list(_YEAR.finditer(title))
    if len(found) > 1:
        return None
    year, rest = None, title
    if found:
        year = int(found[0][1])
        if found[0]["to"] and int(found[0][3]) % 100 != (year + 1) % 100:
            return None
        rest = f"{title[: found[0].start()]}#{title[found[0].end() :]}"
        if _SERIES.search(rest):
            return None
        rest = rest.replace("#", " ")
    plain = _RETIRED.sub(" ", rest)
    return Edition(" ".join(_APART.sub(" ", plain).replace(" .", ".").split()).casefold(), year, plain != rest)


def preferred(
    titles: Sequence[str], scores: NDArray[np.float32], held: Callable[[], NDArray[np.bool_]], question: str, *, year: int
) -> Chosen:
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
    named = next(((found.group(), year + away) for said, away in _NAMED if (found := said.search(question))), None)
    if edition is None or (named is None and edition == Edition(edition.of, None)):
        return Chosen(scores)
    if _SAYS_YEAR.search(question) or _OLD.search(question):
        return Chosen(scores)
    alike = {place: other for place, title in enumerate(titles) if (other := edition_of(title)) and other.of == edition.of}
    places = _meant(alike, edition, year) if named is None else [place for place, one in alike.items() if one.year == named[1]]
    told = named[0] if named else ""
    if best in places:
        return Chosen(scores, told)
    instead = max(places, key=lambda place: float(scores[place]), default=-1)
    if instead < 0 or scores[instead] < scores[best] - NEAR:
        return Chosen(scores)
    words = held()
    if (words[best] & ~words[instead]).any():
        return Chosen(scores)
    changed = scores.copy()
    changed[[best, instead]] = scores[[instead, best]]
    return Chosen(changed, told)


def _meant(alike: Mapping[int, Edition], best: Edition, year: int) -> list[int]:
    """Return the places of the edition that holds now: the latest that has begun, else the first; one without a year for a retired one."""
    living = {place: one for place, one in alike.items() if not one.retired}
    if best.retired and (undated := [place for place, one in living.items() if one.year is None]):
        return undated
    years = [one.year for one in (living or alike).values() if one.year is not None]
    if not years:
        return []
    meant = max((one for one in years if one <= year), default=min(years))
    return [place for place, one in (living or alike).items() if one.year == meant]
