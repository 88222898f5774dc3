"""What a sentence of few words says when every word of it is known: its words, and what people call files by.

said_words("Which files do you have?", whole=frozenset())      # {"which", "files", "do", "you", "have"}
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from bot import lazy
from bot.text.normal import normal

_WORD = lazy.compile(r"\w+")
_PARTICLE = lazy.compile(r"(?<=[가-힣]{2})(?:이|은|는|가|을|를|도)$")


def word_set(words: str) -> frozenset[str]:
    """Return the words of a list that is written with spaces."""
    return frozenset(words.split())


FILES: Final = word_set("file files document documents docs uploads 파일 문서 자료 파일들 문서들 자료들")


def said_words(text: str, *, whole: Collection[str]) -> frozenset[str]:
    """Return the words of `text`, lower case and without Korean particles; those in `whole` as they are."""
    found = _WORD.findall(normal("NFC", text).casefold())
    return frozenset(word if word in whole else _PARTICLE.sub("", word) for word in found)
