"""Questions that ask for a phone number or a mail address: a passage that holds none does not answer them, however well it fits.

Owns what asks for one, and what one looks like, in both languages. Leaves to `bot.retrieval.search` what becomes of the passages.

    asked("Wendy Shaw mobile")                  # "phone"
    holds("phone", "Owner: Wendy Shaw.")        # False
    place("phone", shown, query)                # the first passage that has one and says of the question what the first of all says
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal

from bot import lazy
from bot.retrieval.embed import unpack_terms
from bot.retrieval.features import QueryTerms, held
from bot.store.shelf import Shown

Kind = Literal["phone", "mail"]

_ASKS: Final[tuple[tuple[Kind, re.Pattern[str]], ...]] = (
    (
        "mail",
        lazy.compile(
            r"\be-?mail address\b|['’]s e-?mail\b|^(?:\S+ ){1,3}e-?mail\s*[?.!]*$"
            r"|(?:이메일|메일)\s?주소|(?:님|씨|의)\s?(?:이메일|메일)\s*(?:이|은|좀|뭐|알)",
            re.IGNORECASE,
        ),
    ),
    (
        "phone",
        lazy.compile(
            r"\b(?:tele)?phone (?:number|no)\b|\b(?:mobile|cell|contact|tel) (?:number|no)\b|['’]s (?:tele)?phone\b|['’]s mobile\b"
            r"|\bnumbers? (?:to|do (?:i|we|you)|should (?:i|we)|can (?:i|we)) (?:ring|call|phone|dial)\b"
            r"|^(?!(?:my|our|a|the|which|new|lost|broken|no)\b)(?:\S+ ){1,3}(?:phone|mobile|telephone)\s*[?.!]*$"
            r"|(?:전화|핸드폰|휴대폰|휴대\s?전화|폰)\s?번호|연락처"
            r"|(?:님|씨|기사|담당자?|강사|선생|업체|원장|소장|실장|팀장|사장|부장)\s?번호\s*(?:[이가은는]|좀|뭐|알려|$)",
            re.IGNORECASE,
        ),
    ),
)
_ABOUT_IT = lazy.compile(
    r"^\s*(?:how|why|where)\b(?!.{0,20}\b(?:reach|ring|call|contact)\b)|\b(?:my|our) (?:phone|mobile|number|e-?mail|contact|tel)"
    r"|\b(?:change|update|register|remove|hide|save|share|wrong|format)\b"
    r"|바꾸|바꿔|변경|등록|저장|수정|입력|삭제|공개|인증|(?<![가-힣])(?:내|제|우리) ?(?:전화|핸드폰|휴대폰|번호|메일)",
    re.IGNORECASE,
)
"""What asks something about a number or an address, not for it."""
_MAIL = lazy.compile(r"[\w.+-]{1,64}@[\w-]{1,64}\.")
_NUMBER = lazy.compile(r"(?<![\d.,:/-])[+(]?\d[\d ().-]{5,19}+(?![\d:])")
_NO_PHONE = lazy.compile(
    r"(?:19|20)\d\d(?:[-. ]{1,2}\d{1,2}){2}|\d{1,2}[-. ]{1,2}\d{1,2}[-. ]{1,2}(?:(?:19|20)\d\d|\d\d)"
    r"|(?:19|20)\d\d ?- ?(?:19|20)\d\d|20\d{6}"
)
"""A day, or a stretch of years."""
_SHORT = lazy.compile(
    r"\b(?:ext(?:ension)?|dial|call|ring|phone|tel)\b[^\d\n]{0,12}\d{3}|(?:내선|전화|☎)[^\d\n]{0,12}\d{3}", re.IGNORECASE
)
_LEAST_DIGITS: Final = 6
_WORDS = """
phone telephon mobil cell tel number contact call ring dial no email e mail address
전화 번호 전화번호 핸드폰 휴대폰 휴대 폰 연락처 연락 이메일 메일 주소
"""
_SAID = frozenset(_WORDS.split())
"""Terms of a question that only say what is asked for."""


def asked(question: str) -> Kind | None:
    """Return what `question` asks for, None for neither."""
    if _ABOUT_IT.search(question):
        return None
    return next((kind for kind, asks in _ASKS if asks.search(question)), None)


def words_for(question: str) -> frozenset[str]:
    """Return the terms that only say what is asked for, where `question` asks for either: an answer gives it, and seldom says its name."""
    return _SAID if asked(question) is not None else frozenset()


def holds(kind: Kind, text: str) -> bool:
    """Say whether `text` has one."""
    if kind == "mail":
        return bool(_MAIL.search(text))
    return any(_is_phone(found.group()) for found in _NUMBER.finditer(text)) or bool(_SHORT.search(text))


def _is_phone(number: str) -> bool:
    return sum(sign.isdigit() for sign in number) >= _LEAST_DIGITS and not _NO_PHONE.fullmatch(number.strip(" ().-"))


def place(kind: Kind, shown: Sequence[Shown], query: QueryTerms) -> int | None:
    """Return which of `shown`, best first, answers: it has one, and every word of the question that the first holds; None where none does.

    Words that only say what is asked for are none of these: `words_for` has made them light in `query`.
    """
    holding = held(query, *map(query.read, unpack_terms(shown)))
    wanted = holding[0]
    return next((at for at, one in enumerate(shown) if holding[at][wanted].all() and holds(kind, one.passage.text)), None)
