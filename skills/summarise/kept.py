"""Which document of the library an order to make short names: "summarise office-move.md", "휴가 규정 요약해줘".

Owns the choice. Leaves to `skills.summarise.name_words` reading the name out of the order, to the library which documents the asker may read.

    found = await called("summarise the travel policy", request, kit)
    found.one or found.several
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from bot import lazy
from bot.passage import Listed
from bot.skill import Kit, Request
from bot.text.said import word_set
from skills.summarise.name_words import LEAST_NAME, names_in, without_day, words_of

MOST_LOOKED_AT: Final = 200
"""Documents with the words in their titles among which the one that is meant is looked for."""
MOST_OFFERED: Final = 6
MOST_WORDS: Final = 12
KINDS: Final = word_set("note notes memo mail mails email emails letter sheet table page 메모 노트 메일 이메일 편지 표 시트")
"""Words that say what kind of document it is, and seldom stand in its name."""

_DATES = lazy.compile(r"(?<!\d)(?:\d{4})?(\d{4})(?!\d)")
_HANGUL = lazy.compile("[\uac00-\ud7a3]")
_FILE = lazy.compile(r"(?<![^\s\"“”'‘’])[^\s\"“”'‘’]+\.[A-Za-z][A-Za-z0-9]{1,4}(?![A-Za-z0-9])")


@dataclass(frozen=True, slots=True)
class Called:
    """The documents that an order may mean: the `one` whose whole name it says, else `several` whose names hold its words."""

    one: Listed | None = None
    several: tuple[Listed, ...] = ()
    file: str = ""
    """The name of a file that the order says, "" where it says none."""
    headed: Listed | None = None
    """The only one of the `several` whose whole first heading it says: what was just sent goes before it."""


async def called(asked: str, request: Request, kit: Kit) -> Called:
    """Return what the words `asked` name among the documents that the asker may read, by their titles, else by how they are headed."""
    file = _FILE.search(asked)
    said = file[0] if file else ""
    words = words_of(said) if said else names_in(asked)
    if len("".join(words)) < LEAST_NAME or len(words) > MOST_WORDS:
        return Called(file=said)
    if near := await _near(words, "", request, kit, headed=False):
        return _of(near, words, said)
    if said:
        return Called(file=said)
    rest, day = without_day(asked)
    dated = names_in(rest) if day else words
    if day and (near := await _near(dated, day, request, kit, headed=False)):
        return _of(near, [*dated, day], "")
    bare = [word for word in words if word not in KINDS]
    near = await _near(words, "", request, kit, headed=True) or await _near(bare or words, "", request, kit, headed=True)
    whole = [one for one in near if "".join(words) == _squeezed(one.heading.partition(" › ")[0])]
    return Called(headed=whole[0] if whole else None, several=tuple(whole[:1] or near[:MOST_OFFERED]))


async def _near(words: Sequence[str], day: str, request: Request, kit: Kit, *, headed: bool) -> list[Listed]:
    """Return the documents whose titles, with their first headings where `headed`, hold all of `words` and the digits of `day`."""
    begun = [word[:2] if _HANGUL.match(word) else word for word in words]  # "휴가규정" is "휴가 규정", too
    listing = await kit.library.listing(request.scopes, words=begun, count=MOST_LOOKED_AT, headed=headed)
    names = [(one, _squeezed(f"{one.title} {one.heading}")) for one in listing.documents]
    return [one for one, name in names if all(word in name for word in words) and (not day or _is_of(day, name))]


def _is_of(day: str, name: str) -> bool:
    """Say whether the digits of `day` are a date's in `name`, with a year before them or without: "20260309"."""
    return day in _DATES.findall(name)


def _of(near: Sequence[Listed], words: Sequence[str], file: str) -> Called:
    whole = [one for one in near if "".join(words) in (_squeezed(one.title), _stem(one.title), _squeezed(_name(one.title)))]
    return Called(whole[0], file=file) if whole else Called(several=tuple(near[:MOST_OFFERED]), file=file)


def _squeezed(title: str) -> str:
    return "".join(words_of(title))


def _name(title: str) -> str:
    return PurePosixPath(title.rpartition(" › ")[2]).name


def _stem(title: str) -> str:
    return _squeezed(PurePosixPath(_name(title)).stem)
