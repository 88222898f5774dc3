"""Which document of a chat is meant by words: "summarise the handbook", "임대차계약서 세 줄로 요약해줘".

Owns the comparison of words with files' names. Pure: it looks nothing up. Leaves to `skills.summarise.material` where files come from.

    meant("summarise the handbook", ["plan.pdf", "handbook.md"])   # 1
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final

from bot import lazy
from skills.summarise.name_words import names_in, words_of

LEAST_LATIN: Final = 4
LEAST_HANGUL: Final = 2
"""Letters of a word that names something."""
ENDS: Final = frozenset("의을를은는이가도만좀로랑과와에")
"""Syllables that may be a particle as well as a name's own end."""
_ANY = lazy.compile(r"(?:documents?|file|pdf|attachment|(?:문서|파일|첨부)(?:을|를|은|는|이|가|의|도|만|좀|로)?)$")
"""Words for whatever was sent last."""


def meant(said: str, names: Sequence[str]) -> int | None:
    """Return which of the files' `names`, the newest first, `said` names: the one with most of its words; None for none of them."""
    told = [word for word in names_in(said) if len(word) >= _least(word)]
    points = [_shared(told, words_of(PurePosixPath(name).stem)) for name in names]
    best = max(points, default=0)
    if best:
        return points.index(best)
    return 0 if names and any(_ANY.match(word) for word in words_of(said)) else None


def _shared(told: Sequence[str], stem: Sequence[str]) -> int:
    """Return how many letters of a file's name are `told`; a Korean word may be the end of a longer one."""
    return sum(max((len(word) for word in told if _is(word, part)), default=0) for part in stem)


def _is(word: str, part: str) -> bool:
    if word == part or (word.isascii() and word.removesuffix("s") == part.removesuffix("s")):
        return True
    if word.isascii():
        return False
    whole = part[:-1] == word and part[-1] in ENDS  # 인사평가, whose own end was taken for a particle
    return whole or part.endswith(word) or (len(part) >= LEAST_HANGUL and word.startswith(part))


def _least(word: str) -> int:
    return LEAST_LATIN if word.isascii() else LEAST_HANGUL
