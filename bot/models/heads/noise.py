"""How people mistype and vary what they mean: case, punctuation, spaces, politeness, slips of the finger.

Owns: making one more example of an example, the same on every machine. Leaves to the utterances what is meant.

    vary("이거 요약해줘", "ko", random.Random(7))      # "이거 요약해 주실래요"
"""

from __future__ import annotations

import random
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from bot import lazy
from bot.locale import Language
from bot.models.presets import read_yaml

SHORT_WORD: Final = 4
"""Letters of articles, pronouns, politeness: words that may go missing."""
LONGEST: Final = 240
"""Characters: what is pasted is not varied letter by letter."""

_PUNCTUATION = lazy.compile(r"[?!.,;:…~]+")
_ENDING = lazy.compile(
    r"(?:해\s?줘|해\s?주세요|해\s?줄래(?:요)?|해\s?줄\s수\s있어(?:요)?|해\s?주라|해봐|부탁해(?:요)?|부탁드려요|부탁드립니다|해\s?주실래요|해\s?줘요)(?=[?!.~]*$)"
)
_GIVING = lazy.compile(r"(?P<stem>[가-힣])\s?(?:줘|주세요|줄래|줄래요|주라|줘요)(?=[?!.~]*$)")
_ASKING = lazy.compile(r"(?P<stem>있어|뭐야|어디야|언제야|누구야|얼마야|돼|했어|됐어|했지|였지|뭐였지)(?:요)?\??$")
_PARTICLE = lazy.compile(r"(?<=[가-힣])(?:을|를|은|는|이|가)(?=\s)")


@dataclass(frozen=True, slots=True)
class Words:
    """What noise.yaml holds."""

    do: list[str]
    give: list[str]
    ask: dict[str, list[str]]
    before: dict[Language, list[str]]
    after: dict[Language, list[str]]
    keys: dict[str, str]
    jamo: dict[str, str]


def vary(text: str, language: Language, chance: random.Random) -> str:
    """Return `text` as somebody else might have typed it: one to three changes, drawn from `chance`."""
    if len(text) > LONGEST:
        return text.lower() if chance.random() < 0.5 else text  # noqa: PLR2004 - as often as not
    changes = _KOREAN if language == "ko" else _ENGLISH
    for change in chance.choices(changes, k=chance.choice((1, 1, 2, 2, 3))):
        text = change(text, chance)
    return text.strip()


def _lower(text: str, _chance: random.Random) -> str:
    return text.lower()


def _cased(text: str, chance: random.Random) -> str:
    return text.upper() if chance.random() < 0.3 else text[:1].upper() + text[1:]  # noqa: PLR2004


def _bare(text: str, _chance: random.Random) -> str:
    return _PUNCTUATION.sub("", text).replace("'", "")


def _prefixed(language: Language, text: str, chance: random.Random) -> str:
    return chance.choice(words().before[language]) + text


def _suffixed(language: Language, text: str, chance: random.Random) -> str:
    return text.rstrip("?!.~ ") + chance.choice(words().after[language])


def _slip(text: str, chance: random.Random) -> str:
    """Swap, drop, double or miss one letter of a Latin word of four or more."""
    long = list(re.finditer(r"[A-Za-z]{4,}", text))
    if not long:
        return text
    word = chance.choice(long)
    at = chance.randrange(word.start() + 1, word.end() - 1)
    kind = chance.randrange(4)
    if kind == 0:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    if kind == 1:
        return text[:at] + text[at + 1 :]
    if kind == 2:  # noqa: PLR2004 - the third of four kinds
        return text[:at] + text[at] + text[at:]
    return text[:at] + chance.choice(words().keys.get(text[at].lower(), text[at])) + text[at + 1 :]


def _less(text: str, chance: random.Random) -> str:
    """Drop one short word."""
    pieces = text.split()
    short = [at for at, word in enumerate(pieces) if len(word) <= SHORT_WORD]
    if len(pieces) <= SHORT_WORD or not short:
        return text
    del pieces[chance.choice(short)]
    return " ".join(pieces)


def _unspaced(text: str, chance: random.Random) -> str:
    if chance.random() < 0.5:  # noqa: PLR2004
        return text.replace(" ", "")
    spaces = [at for at, letter in enumerate(text) if letter == " "]
    if not spaces:
        return text
    at = chance.choice(spaces)
    return text[:at] + text[at + 1 :]


def _reworded(text: str, chance: random.Random) -> str:
    """Say the ending of an order or a question in another degree of politeness."""
    if _ENDING.search(text):
        return _ENDING.sub(lambda _match: chance.choice(words().do), text, count=1)
    if match := _ASKING.search(text):
        return text[: match.start()] + chance.choice(words().ask[match["stem"]])
    return _GIVING.sub(lambda match: match["stem"] + chance.choice(words().give), text, count=1)


def _unmarked(text: str, _chance: random.Random) -> str:
    return _PARTICLE.sub("", text)


def _jamo_slip(text: str, chance: random.Random) -> str:
    """Mistype one vowel or final consonant of one syllable."""
    places = [at for at, letter in enumerate(text) if "가" <= letter <= "힣"]
    if not places:
        return text
    at = chance.choice(places)
    jamo = list(unicodedata.normalize("NFD", text[at]))
    slips = [(index, words().jamo[letter]) for index, letter in enumerate(jamo) if letter in words().jamo]
    if not slips:
        return text
    index, letter = chance.choice(slips)
    jamo[index] = letter
    return text[:at] + unicodedata.normalize("NFC", "".join(jamo)) + text[at + 1 :]


def _before_ko(text: str, chance: random.Random) -> str:
    return _prefixed("ko", text, chance)


def _after_ko(text: str, chance: random.Random) -> str:
    return _suffixed("ko", text, chance)


def _before_en(text: str, chance: random.Random) -> str:
    return _prefixed("en", text, chance)


def _after_en(text: str, chance: random.Random) -> str:
    return _suffixed("en", text, chance)


@cache
def words() -> Words:
    """Return the lists of noise.yaml, read once. Raises ModelError where the file is not right."""
    return Words(**read_yaml(Path(__file__).with_name("noise.yaml")))  # type: ignore[arg-type]  # the file is our own


_KOREAN: Final = (_reworded, _reworded, _reworded, _unspaced, _unspaced, _bare, _unmarked, _jamo_slip, _before_ko, _after_ko)
_ENGLISH: Final = (_lower, _cased, _bare, _before_en, _before_en, _after_en, _slip, _less)
