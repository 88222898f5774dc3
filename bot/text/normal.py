r"""Unicode's normal forms in a time that grows with the text's length alone.

Owns: Hangul that was written in single letters, and the guard before `unicodedata.normalize`, which sorts the
marks over a letter by insertion: 64,000 of them took ten seconds, in which nothing else ran, and a message may hold many more.

    normal("NFKC", "①")        # "1"
    syllables("ㅎㅏㄴㄱㅡㄹ ㅋㅋ")  # "한글 ㅋㅋ"
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

from bot import lazy

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]

MOST_MARKS = 30
"""Marks that a letter keeps, more than any language writes. Source: https://www.unicode.org/reports/tr15/#Stream_Safe_Text_Format"""
_MARK = r"[\P{ccc=0}\u0f73\u0f75\u0f81\uff9e\uff9f]"
"""The five that are named begin with a mark once they are taken apart."""
_FLOOD = lazy.compile_regex(f"({_MARK}{{{MOST_MARKS}}}){_MARK}+")

_LETTER = lazy.compile("[\u3131-\u3163\uffa1-\uffdc]")
_LETTERS = lazy.compile(r"(?<!\w)[\u3131-\u3163\uffa1-\uffdc]{2,}(?!\w)")
_SYLLABLE = lazy.compile("[가-힣]")
_CLOSERS = "".join(unicodedata.normalize("NFKC", letter) for letter in "ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ")
"""The consonants that close a syllable, as they stand alone, in the order of the syllables that they close."""
_CLOSED = lazy.compile(f"([{''.join(chr(code) for code in range(0xAC00, 0xD7A4, 28))}])([{_CLOSERS}])")


def normal(form: Form, text: str) -> str:
    """Return `text` in the normal form `form`, without the marks over a letter beyond MOST_MARKS. Linear in the length of `text`."""
    return text if text.isascii() else unicodedata.normalize(form, _FLOOD.sub(r"\1", text))


def syllables(text: str) -> str:
    """Return `text` with words that are all single letters of Hangul (half-width ones too) as syllables; ㅋㅋ and ㅠㅠ stay."""
    return _LETTERS.sub(_composed, text) if _LETTER.search(text) else text


def _composed(word: re.Match[str]) -> str:
    whole = unicodedata.normalize("NFKC", word[0])  # consonant and vowel are one by now; what stands alone closes the one before
    return _CLOSED.sub(_closed, whole) if _SYLLABLE.search(whole) else word[0]


def _closed(found: re.Match[str]) -> str:
    return chr(ord(found[1]) + _CLOSERS.index(found[2]) + 1)
