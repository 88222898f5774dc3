"""A Korean message in English words, so that an embedder that knows no Korean can weigh it.

Owns: looking up morphemes in glossary.txt, the longest run of them first. It is no translation: word order stays Korean, and
what the glossary does not know is left out. Latin words stay as they are.

    gloss("거실 불 좀 꺼줘")     # "bedroom living room light turn off"
"""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mecab import MeCab

LONGEST_RUN: Final = 3
"""Morphemes that are looked up as one word."""
_KEPT: Final = ("N", "V", "MM", "MA", "XR", "SL", "SH", "IC", "UNKNOWN")
_EMPTY: Final = ("VX", "VCP", "VCN")
_VERBS: Final = ("VV", "VA")
"""Tags of mecab-ko-dic. Source: its tag table (2018-05-11); auxiliaries and the copula say nothing by themselves."""

_in_use = threading.Lock()


def gloss(text: str) -> str:
    """Return the English of what is known in `text`, in its order; "" where nothing is."""
    known = glossary()
    forms = morphemes(text)
    found: list[str] = []
    at = 0
    while at < len(forms):
        size, english = _longest(forms[at : at + LONGEST_RUN], known)
        found.append(english)
        at += size
    return " ".join(word for word in found if word)


def morphemes(text: str) -> list[str]:
    """Return the morphemes of `text` that carry meaning, without endings and particles; a verb in its dictionary form, with 다."""
    with _in_use:
        parsed = _tagger().parse(text)
    forms: list[str] = []
    for morpheme in parsed:
        kind = str(morpheme.feature.pos).partition("+")[0]
        if kind.startswith(_KEPT) and kind not in _EMPTY:
            inflected = morpheme.feature.type == "Inflect" and morpheme.feature.expression
            form = str(morpheme.feature.expression).partition("/")[0] if inflected else str(morpheme.surface)
            forms.append(f"{form}다" if kind in _VERBS else form)
    return forms


def _longest(forms: list[str], known: Mapping[str, str]) -> tuple[int, str]:
    """Return how many of `forms` make the longest word that is known from the first on, and its English."""
    for size in range(len(forms), 0, -1):
        word = "".join(form.removesuffix("다") for form in forms[: size - 1]) + forms[size - 1]
        english = known.get(word) or known.get(word.removesuffix("다"))
        if english is not None:
            return size, english
    return 1, forms[0] if forms[0].isascii() else ""


@cache
def glossary() -> Mapping[str, str]:
    """Return English by Korean, as glossary.txt has it; the first line that names a Korean word counts."""
    known: dict[str, str] = {}
    for line in Path(__file__).with_name("glossary.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            english, _colon, words = line.partition(": ")
            for word in words.split():
                known.setdefault(word, english)
    return known


@cache
def _tagger() -> MeCab:
    from mecab import MeCab  # noqa: PLC0415 - an English text never loads the dictionary

    return MeCab()
