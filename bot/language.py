"""Which of the two languages a text is in.

Owns the guess by script. Leaves to `bot.intake` what a chat has settled.

    detect("회의록 요약해줘 please")  # "ko"
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot import lazy
from bot.locale import Language

LOOKED_AT = 4000
"""Characters of a text's head that are counted; the rest of a long text rarely tells more."""
LATIN_A_SYLLABLE = 3
"""Letters of English that weigh as much as one Hangul syllable: Korean writes loan words and names in Latin."""
NAMING = frozenset(
    {"models", "swap", "rollback", "shadow", "bench", "card", "promote", "discard", "audit", "ram", "admins", "dead"}
)  # fmt: skip
"""Commands after which only Hangul tells a language: what stands there are names."""
_ASKED_FOR = lazy.compile(
    r"(?:(?:and|now|then|ok(?:ay)?|please|(?:what|how) about)\b[\s,]*)*(?:in|into) (?P<en>korean|english)"
    r"(?:[\s,]+(?:please|too|as well|then|now|again))*[\s.?!]*|"
    r"(?:(?:그리고|그럼|그러면|이제|이번엔|다시)[\s,]*)*(?P<ko>한국어|한글|우리말|영어)(?:로|으로)(?:는|도)?(?:요)?"
    r"\s*(?:(?:다시|한\s?번|좀|말|번역|답)\s*)*(?:해|알려|써|부탁해)?\s*(?:줘요?|주세요|줄래요?|요)?[\s.?!~]*",
    re.IGNORECASE,
)
_ORDER = lazy.compile(r"\s*/(?P<name>\w+)")
_HANGUL = lazy.compile("[가-힣]")
_LETTER = lazy.compile("[A-Za-z]")


def detect(text: str) -> Language | None:
    """Return "ko" or "en" by the letters of `text`, None where it has neither."""
    head = text[:LOOKED_AT]
    if head.isascii():  # no Hangul in it: the first letter tells
        return "en" if _LETTER.search(head) else None
    hangul = latin = 0
    for letter in head:
        if "가" <= letter <= "힣" or "ㄱ" <= letter <= "ㆎ" or "\u1100" <= letter <= "\u11ff":
            hangul += 1
        elif letter.isascii() and letter.isalpha():
            latin += 1
    if hangul * LATIN_A_SYLLABLE >= latin and hangul:
        return "ko"
    return "en" if latin else None


def asked_for(text: str) -> Language | None:
    """Return the language in which `text`, which says nothing else, asks for what was said before: "and in Korean?", "영어로는?"."""
    found = _ASKED_FOR.fullmatch(text.strip())
    if found is None:
        return None
    return "en" if (found["en"] or "").lower() == "english" or found["ko"] == "영어" else "ko"


def of_order(text: str) -> Language | None:
    """Return the language of a line that begins with a command; None where it is none, or where the words after it are to tell.

    Who writes the command in Hangul speaks Korean. After an admin's command stand names of slots and models, which are of no language.
    """
    order = _ORDER.match(text)
    if order is None:
        return None
    return "ko" if _HANGUL.search(text if order["name"].lower() in NAMING else order["name"]) else None


def spoken(environment: Mapping[str, str]) -> Language:
    """Return the language of a terminal: as PARING_LANGUAGE says, else as the locale does, else English."""
    named = (environment.get(name, "") for name in ("PARING_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"))
    return "ko" if next((name for name in named if name), "").lower().startswith("ko") else "en"
