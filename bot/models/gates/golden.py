"""Golden cases as files: reading them, and choosing those of the languages that a model knows.

cases = read_cases(Path(__file__).parent / "golden" / "route.jsonl")
[case for case in cases if case["language"] in wanted(spec.languages)]
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from bot.locale import LANGUAGES, Language

SHOWN: Final = 300
"""Characters of a case that are kept for people's eyes."""
EVERY: Final = ("multilingual", "mul", "*")

Case = Mapping[str, object]


def read_cases(*files: Path) -> list[Case]:
    """Return the lines of JSON-lines files, each a mapping. They are our own: a broken one is a defect, and raises what json raises."""
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def wanted(languages: Sequence[str]) -> tuple[Language, ...]:
    """Return which of our languages a model that knows `languages` is asked in: all where it knows many or does not say."""
    if not languages or any(one in EVERY for one in languages):
        return LANGUAGES
    return tuple(language for language in LANGUAGES if language in languages)


def shown(text: str) -> str:
    """Return `text` on one line, cut."""
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"


def has_hangul(text: str) -> bool:
    """Say whether Korean letters are in `text`."""
    return any("가" <= sign <= "힣" for sign in text)


def has_latin(text: str) -> bool:
    """Say whether Latin letters are in `text`."""
    return any(sign.isascii() and sign.isalpha() for sign in text)
