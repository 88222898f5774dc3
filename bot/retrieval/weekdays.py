"""Which days of the week a line names without writing them out: "Sat", "Tue-Fri", "월~금", "평일".

Owns the reading of them, Korean and English: opening hours, rotas and deliveries write days so, and who asks writes them out.

    days_of("Tue-Fri: 6:30 - 18:00")     # {1, 2, 3, 4}: Monday is 0
    asked_day("saturday")                # 5
"""

from __future__ import annotations

import re

from bot import lazy

_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_LETTERS = "월화수목금토일"
_ASKED = {name: day for day, name in enumerate(_NAMES)} | {f"{letter}요일": day for day, letter in enumerate(_LETTERS)}
_TO = r"\s?(?:[-–—~〜～]|to|through|until)\s?"
_ENGLISH = r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun)(?:days?|s|sdays?|nesdays?|r|rs|rsdays?|urdays?)?\b\.?"
_ENGLISH_DAY, _ENGLISH_SPAN = lazy.compile(_ENGLISH), lazy.compile(rf"{_ENGLISH}{_TO}{_ENGLISH}")
_KOREAN_LIST = lazy.compile(
    rf"(?<![가-힣\d])[{_LETTERS}](?:요일)?(?:\s?[·・,/+~〜～–-]\s?[{_LETTERS}](?:요일)?)+(?=[에은는이과엔만도]|[^가-힣]|$)"
    rf"|(?<![가-힣\d])[{_LETTERS}](?=\s?:|\s?[·・,/]\s?공휴일)|(?<=\()[{_LETTERS}](?=\))"
)
_KOREAN_SPAN = lazy.compile(rf"([{_LETTERS}])(?:요일)?\s?[~〜～–-]\s?([{_LETTERS}])")
_WORKING, _FREE = lazy.compile(r"\bweekdays?\b|평일", re.IGNORECASE), lazy.compile(r"\bweekends?\b|주말", re.IGNORECASE)


def asked_day(term: str) -> int | None:
    """Return which day a term of a question is, None where it is none. Monday is 0."""
    return _ASKED.get(term)


def days_of(line: str) -> set[int]:
    """Return the days that `line` names in short, or within a span of days."""
    days = {_english(name) for name in _ENGLISH_DAY.findall(line)}
    for first, last in _ENGLISH_SPAN.findall(line):
        days |= _between(_english(first), _english(last))
    for found in _KOREAN_LIST.finditer(line):
        days |= {_LETTERS.index(letter) for letter in found.group().replace("요일", "") if letter in _LETTERS}
        for first, last in _KOREAN_SPAN.findall(found.group()):
            days |= _between(_LETTERS.index(first), _LETTERS.index(last))
    if _WORKING.search(line):
        days |= set(range(5))
    if _FREE.search(line):
        days |= {5, 6}
    return days


def _english(name: str) -> int:
    return next(day for day, whole in enumerate(_NAMES) if whole.startswith(name.lower()))


def _between(first: int, last: int) -> set[int]:
    """Return the days from one to another, over the end of the week where they are so written."""
    return {day % 7 for day in range(first, last + 1 if last >= first else last + 8)}
