"""People named in a question: by a part of the name that the platform shows, with Korean particles and titles, in either script.

Owns the matching. Leaves to `bot.store.talks` which names there are.

    named("민지님이 뭐라고 했어?", ["김민지", "Jun Park"])   # [Named(0, 4, "김민지")]
    named("what did Minji say?", ["김민지"])               # [Named(9, 14, "김민지")]
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from bot import lazy
from bot.text.words import is_empty

_TITLES = (
    "대리|과장|차장|부장|팀장|사원|주임|선임|책임|수석|이사|상무|전무|대표|사장|실장|본부장|매니저|프로|선생|교수|박사|인턴"
    "|디자이너|개발자"
)
_AFTER = lazy.compile(
    rf"^(?:\s?(?:{_TITLES}))?(?:님|씨|양|군)?(?:이|아|야)?(?:들)?"
    r"(?:이|가|은|는|을|를|의|도|만|께서|께|에게|한테|에게서|한테서|과|와|랑|이랑|하고|로|으로|부터|까지|보다|라고|이라고)?(?:는|은|도)?(?![가-힣])"
)
_WORD = lazy.compile(r"[A-Za-zÀ-ɏ][A-Za-zÀ-ɏ'’-]+|[가-힣]+")
_LONGEST = 5
"""Syllables of a name."""
_FULL_NAME = 3
"""Syllables of a Korean name with its family name: the last two are what people are called by."""
_INITIALS = tuple("g kk n d tt r m b pp s ss - j jj ch k t p h".split())  # noqa: SIM905 - read as a row
_VOWELS = tuple("a ae ya yae eo e yeo ye o wa wae oe yo u wo we wi yu eu ui i".split())  # noqa: SIM905 - as above
_FINALS = tuple("- k k k n n n t l k m l l l p l m p p t t ng t t k t p t".split())  # noqa: SIM905 - as above
"""Source: Revised Romanization of Korean, 2000 (without the changes between syllables)."""
_SAME = (
    ("ph", "p"), ("oo", "u"), ("woo", "u"), ("wu", "u"), ("ou", "u"), ("eo", "u"), ("ee", "i"), ("ck", "k"), ("ch", "j"), ("sh", "s"),
    ("f", "p"), ("v", "b"), ("z", "j"), ("c", "k"), ("q", "k"), ("l", "r"), ("k", "g"), ("t", "d"),
)  # fmt: skip
"""Spellings of one sound: Hyunwoo and Hyeonu, Sofia and 소피아."""


class Named(NamedTuple):
    """Where a question names whom."""

    start: int
    end: int
    who: str


def named(question: str, people: Sequence[str]) -> list[Named]:
    """Return whom of `people` the question names, in order; of two who share the name, the first one."""
    found: list[Named] = []
    for word in _WORD.finditer(question):
        for who in people:
            end = _end(question, word, who)
            if end and (not found or word.start() >= found[-1].end):
                found.append(Named(word.start(), end, who))
                break
    return found


def spelled_out(question: str, found: Sequence[Named]) -> str:
    """Return the question with each person's name as the platform shows it, without particle and title."""
    pieces: list[str] = []
    at = 0
    for one in found:
        same = pieces and pieces[-1].strip() == one.who and not question[at : one.start].strip()
        pieces += [question[at : one.start], "" if same else f"{one.who} "]
        at = one.end
    return " ".join("".join([*pieces, question[at:]]).split())


def _end(question: str, word: re.Match[str], who: str) -> int:
    """Return where the name that begins with `word` ends, 0 where it is none of `who`."""
    said = word[0]
    if re.match("[가-힣]", said):
        for length in range(min(len(said), _LONGEST), 0, -1):
            after = _AFTER.match(question[word.start() + length :])
            if after and _is_called(said[:length], who):
                return word.start() + length + after.end()
        return 0
    bare = re.sub(r"['’]s$", "", said)
    if (bare.islower() and is_empty(bare)) or not _is_called(bare, who):
        return 0
    more = re.match(r"\s+([A-Za-zÀ-ɏ'’-]+)", question[word.end() :])
    last = who.rsplit(maxsplit=1)[-1].lower() if " " in who else ""
    return word.end() + (more.end() if more and last and more[1].lower() in (last, f"{last}'s", f"{last}’s") else 0)


def _is_called(said: str, who: str) -> bool:
    folded = said.casefold()
    if folded in (name.casefold() for name in _names(who)):
        return True
    across = bool(re.match("[가-힣]", said)) != bool(re.match("[가-힣]", who))
    return across and _sound(said) in {_sound(name) for name in _names(who)}


@lru_cache(maxsize=4096)
def _names(who: str) -> tuple[str, ...]:
    """Return what somebody of that name is called: in full, by the first word, by the given name."""
    words = re.findall(r"[^\W_]+", who)
    if not words:
        return ()
    first = words[0]
    names = [who, first] if len(first) > 1 else [who]
    if re.fullmatch("[가-힣]{3,4}", first):
        names.append(first[len(first) - 2 :] if len(first) == _FULL_NAME else first[2:])
    return tuple(names)


@lru_cache(maxsize=4096)
def _sound(name: str) -> str:
    """Return how a name sounds, about, in Latin letters."""
    said = "".join(_romanised(sign) for sign in name.lower() if sign.isalpha())
    for spelling, plain in _SAME:
        said = said.replace(spelling, plain)
    return said


def _romanised(sign: str) -> str:
    place = ord(sign) - 0xAC00
    if not 0 <= place <= 0x2BA3:  # noqa: PLR2004 - the last syllable
        return sign
    initial, vowel, final = place // 588, place // 28 % 21, place % 28
    return "".join(part for part in (_INITIALS[initial], _VOWELS[vowel], _FINALS[final]) if part != "-")
