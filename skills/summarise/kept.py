"""Which document of the library an order to make short names: "summarise office-move.md", "휴가 규정 요약해줘".

Owns the choice. Leaves to `skills.summarise.name_words` reading the name out of the order, to the library which documents the asker may read.

    found = await called("summarise the travel policy", request, kit)
    found.one or found.several
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from bot import lazy
from bot.passage import Listed
from bot.skill import Kit, Request
from skills.summarise.name_words import LEAST_NAME, names_in, words_of

MOST_LOOKED_AT: Final = 200
"""Documents with the words in their titles among which the one that is meant is looked for."""
MOST_OFFERED: Final = 6
MOST_WORDS: Final = 12

_HANGUL = lazy.compile("[\uac00-\ud7a3]")
_FILE = lazy.compile(r"(?<![^\s\"“”'‘’])[^\s\"“”'‘’]+\.[A-Za-z][A-Za-z0-9]{1,4}(?![A-Za-z0-9])")


@dataclass(frozen=True, slots=True)
class Called:
    """The documents that an order may mean: the `one` whose whole name it says, else `several` whose names hold its words."""

    one: Listed | None = None
    several: tuple[Listed, ...] = ()
    file: str = ""
    """The name of a file that the order says, "" where it says none."""


async def called(asked: str, request: Request, kit: Kit) -> Called:
    """Return what the words `asked` name among the documents that the asker may read."""
    file = _FILE.search(asked)
    said = file[0] if file else ""
    words = words_of(said) if said else names_in(asked)
    if len("".join(words)) < LEAST_NAME or len(words) > MOST_WORDS:
        return Called(file=said)
    begun = [word[:2] if _HANGUL.match(word) else word for word in words]  # "휴가규정" is "휴가 규정", too
    listing = await kit.library.listing(request.scopes, words=begun, count=MOST_LOOKED_AT)
    near = [one for one in listing.documents if all(word in _squeezed(one.title) for word in words)]
    whole = [one for one in near if "".join(words) in (_squeezed(one.title), _stem(one.title), _squeezed(_name(one.title)))]
    if whole:
        return Called(whole[0], file=said)
    return Called(several=tuple(near[:MOST_OFFERED]), file=said)


def _squeezed(title: str) -> str:
    return "".join(words_of(title))


def _name(title: str) -> str:
    return PurePosixPath(title.rpartition(" › ")[2]).name


def _stem(title: str) -> str:
    return _squeezed(PurePosixPath(_name(title)).stem)
