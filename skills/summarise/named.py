"""Which document of a chat is meant by words: "summarise the handbook", "임대차계약서 세 줄로 요약해줘".

Owns the comparison of words with files' names. Pure: it looks nothing up. Leaves to `skills.summarise.material` where files come from.

    meant("summarise the handbook", ["plan.pdf", "handbook.md"])   # 1
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final

from bot import lazy

LEAST_LATIN: Final = 4
LEAST_HANGUL: Final = 2
"""Letters of a word that names something."""
_WORD = lazy.compile(r"[^\W_]+")
_PARTICLES = lazy.compile(r"(?<=[가-힣]{2})(?:을|를|은|는|이|가|의|도|만|좀|에서|에|으로|로|랑|과|와)$")
_ANY: Final = frozenset({"document", "documents", "file", "pdf", "attachment", "문서", "파일", "첨부"})
"""Words for whatever was sent last."""
_OF_ORDERS = lazy.compile(
    r"summ|short|please|could|would|this|that|these|those|with|from|into|your|mine|about|what|give|make|line|sentence|point|word|text|"
    r"요약|정리|간추|줄여|짧게|간단|길게|자세|내용|전체|다음|이거|그거|저거|이것|그것|부탁|해줘|주세요"
)
"""How words begin that ask, and name nothing."""


def meant(said: str, names: Sequence[str]) -> int | None:
    """Return which of the files' `names`, the newest first, `said` names: the one with most of its words; None for none of them."""
    words = [_PARTICLES.sub("", word) for word in _words(said)]
    points = [_shared(words, _words(PurePosixPath(name).stem)) for name in names]
    best = max(points, default=0)
    if best:
        return points.index(best)
    return 0 if names and not _ANY.isdisjoint(words) else None


def _words(text: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFC", text).casefold())


def _shared(words: Sequence[str], stem: Sequence[str]) -> int:
    """Return how many letters of a file's name are in `words`; a Korean word may be the end of a longer one."""
    told = {word for word in words if not _OF_ORDERS.match(word) and len(word) >= _least(word)}
    return sum(max((len(word) for word in told if _is(word, part)), default=0) for part in stem)


def _is(word: str, part: str) -> bool:
    if word == part or (word.isascii() and word.removesuffix("s") == part.removesuffix("s")):
        return True
    return not word.isascii() and (part.endswith(word) or (len(part) >= LEAST_HANGUL and word.startswith(part)))


def _least(word: str) -> int:
    return LEAST_LATIN if word.isascii() else LEAST_HANGUL
