"""A moment as people read it, in their language and in a time zone: the day of the week is told, and so is the zone.

Owns the words. Leaves to `bot.config` which zone it is.

    told(datetime(2026, 11, 23, 9, 38, tzinfo=UTC), zone, "ko")   # "2026년 11월 23일(월) 18:38 KST"
"""

from __future__ import annotations

from datetime import datetime, tzinfo

from bot.locale import Language

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_KOREAN_DAYS = "월화수목금토일"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def told(at: datetime, zone: tzinfo | None, language: Language) -> str:
    """Return `at` (aware) as it is in `zone`; None: in the zone of this machine."""
    here = at.astimezone(zone)
    clock = f"{here:%H:%M} {here.tzname() or ''}".rstrip()
    if language == "ko":
        return f"{day(at, zone, language)}({_KOREAN_DAYS[here.weekday()]}) {clock}"
    return f"{_DAYS[here.weekday()]} {day(at, zone, language)}, {clock}"


def day(at: datetime, zone: tzinfo | None, language: Language) -> str:
    """Return the day of `at` (aware) in `zone`; None: in the zone of this machine."""
    here = at.astimezone(zone)
    if language == "ko":
        return f"{here.year}년 {here.month}월 {here.day}일"
    return f"{here.day} {_MONTHS[here.month - 1]} {here.year}"
