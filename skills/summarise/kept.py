"""Which document of the library an order to make short names: "summarise office-move.md", "휴가 규정 요약해줘".

Owns reading the name out of the order, and the choice. Leaves to the library which documents the asker may read.

    found = await called("summarise the travel policy", request, kit)
    found.one or found.several
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

from bot import lazy
from bot.passage import Listed
from bot.skill import Kit, Request
from bot.text.normal import normal
from bot.values import dataclass

MOST_LOOKED_AT: Final = 200
"""Documents with the words in their titles among which the one that is meant is looked for."""
MOST_OFFERED: Final = 6
MOST_WORDS: Final = 12
LEAST_NAME: Final = 2
"""Letters and digits of a name: less names nothing."""

_WORD = lazy.compile(r"[^\W_]+")
_HANGUL = lazy.compile("[\uac00-\ud7a3]")
_FILE = lazy.compile(r"(?<![^\s\"“”'‘’])[^\s\"“”'‘’]+\.[A-Za-z][A-Za-z0-9]{1,4}(?![A-Za-z0-9])")
_ONLY_ASKS = (
    "a about all an and are at be bit boil brief briefly bullet bullets can could condense concise detail detailed "
    "details did digest do document documents does doc down essence few file files findings for form from gist give "
    "highlights i in into is it its key line lines long longer main make me message more my need of on one our outline "
    "overview page pages please point points put quick quickly read recap say says sentence sentences short shorten "
    "shorter shortly so some sum summaries summarise summarize summarised summarized summary takeaway takeaways tell "
    "text that the their these this those three tl dr tldr to two up us version want was we what whats which with word "
    "words would write you your four five six seven eight nine ten"
)
_ENGLISH: Final = frozenset(_ONLY_ASKS.split())
_KOREAN: Final = lazy.compile(
    r"(?:요약|정리|간추|줄여|짧게|길게|간단|간략|자세|핵심|요점|요지|브리핑|문서|파일|자료|내용|부분|전체|이거|그거|이것|그것|저것|이번|"
    r"(?:한|두|세|네|다섯|여섯|\d+)(?:줄|문장|가지)?|해|주|줘|줄래|부탁|알려|보여|말해|만들어|써|좀|그|이|저|줄|문장|가지|어떤|무슨)"
    r"[해하로으만은는을를이가도좀줘주세실래시겠요드려립니다된할수있어나까지한히게부탁라]*"
)
_PARTICLE = lazy.compile(r"(?<=[가-힣]{2})(?:에서|에는|에|의|을|를|은|는|이|가|도|만|으로|로)$")


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
    words = _words(said) if said else names_in(asked)
    if len("".join(words)) < LEAST_NAME or len(words) > MOST_WORDS:
        return Called(file=said)
    begun = [word[:2] if _HANGUL.match(word) else word for word in words]  # "휴가규정" is "휴가 규정", too
    listing = await kit.library.listing(request.scopes, words=begun, count=MOST_LOOKED_AT)
    near = [one for one in listing.documents if all(word in _squeezed(one.title) for word in words)]
    whole = [one for one in near if "".join(words) in (_squeezed(one.title), _stem(one.title), _squeezed(_name(one.title)))]
    if whole:
        return Called(whole[0], file=said)
    return Called(several=tuple(near[:MOST_OFFERED]), file=said)


def names_in(asked: str) -> list[str]:
    """Return the words of an order that may be of a document's name, lower case: without those that only ask."""
    found = []
    for word in _words(asked):
        if _HANGUL.search(word):
            if not _KOREAN.fullmatch(word):
                found.append(_PARTICLE.sub("", word))
        elif word not in _ENGLISH and not (word.isdigit() and len(word) < LEAST_NAME):
            found.append(word)
    return found


def _words(text: str) -> list[str]:
    return _WORD.findall(normal("NFC", text).lower())


def _squeezed(title: str) -> str:
    return "".join(_words(title))


def _name(title: str) -> str:
    return PurePosixPath(title.rpartition(" › ")[2]).name


def _stem(title: str) -> str:
    return _squeezed(PurePosixPath(_name(title)).stem)
