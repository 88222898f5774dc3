"""What is asked beside what was asked before: "and for the Seoul office?", "그럼 반차는?", "몇 시에?".

Owns reading such words, and which of two findings they mean: what was asked before together with them, or them alone. Leaves whose
conversation it is to the host (`bot.going_on`).

    goes_on("and for the Seoul office?")      # True
    goes_on("who signs the lease?")           # False: it stands for itself
"""

from __future__ import annotations

import re
from typing import Final

from bot import lazy
from bot.passage import Passage
from bot.text.normal import normal
from bot.text.words import content_terms, terms

LONGEST: Final = 60
_WH = r"(?:who|whom|when|where|why|how (?:much|many|long|often|far)|which|what time|what day|until when|since when|by when|till when)"
_THEN = r"(?:(?:ok(?:ay)?|so|then|and|but)[, ]+)*"
_OF_THE_BOT = r"(?!.*\b(?:you|your|u)\b)"
_ENGLISH = lazy.compile(
    rf"{_OF_THE_BOT}{_THEN}(?:"
    rf"(?:and )?(?:what|how) about (?:(?!in\b)\S+ ?){{1,6}}"
    rf"|{_WH}(?: exactly)?"
    rf"|{_WH}(?: [\w'-]+){{0,4}} (?:it|they|them|he|she|him|her|that|those)\b(?: [\w'-]+){{0,3}}"
    r")[ ?.!]*"
    rf"|{_OF_THE_BOT}(?:(?:ok(?:ay)?|so)[, ]+)*(?:and|but) "
    rf"(?:(?:for|at|on|with|from|by|of|until|after|before|if|is|are|does|do|{_WH}) (?:\S+ ?){{1,6}}"
    r"|in (?!english|korean|german|french|japanese|chinese|spanish|short|brief|detail)(?:\S+ ?){1,5}"
    r"|(?:the |an? |on |our |my )?[\w'-]+(?: [\w'-]+)?) ?\?[ ?]*",
    re.IGNORECASE,
)
_ASKED_KO = (
    r"(?:언제|언제(?:까지|부터)|어디|어디(?:서|에서|로|에)|누가|누구(?:한테|에게|랑|와)|왜|얼마(?:나|까지)?|"
    r"몇 ?시(?:에|까지|부터)?|며칠(?:까지|부터|간)?|"
    r"몇 ?(?:명|개|일|층|번|호|월|년|분|시간|퍼센트|원)(?:까지|부터|에|이나)?|무슨 ?요일(?:에)?|어떻게)"
)
_NO_ONE_HERE = r"(?!.*(?:^| )(?:너|넌|네|니|당신|봇|저|전|나|난|이건|그건|이거|그거)(?:[는은]요?)?(?: |\?|$))"
_KOREAN = lazy.compile(
    rf"{_NO_ONE_HERE}(?:(?:그럼|그러면|그리고|근데|그런데|아|음)[, ]+)*(?:"
    rf"{_ASKED_KO}(?:이?(?:야|예요|에요|죠|지|인가요|인데요?)|요)?"
    rf"|(?!왜|어떻게){_ASKED_KO} ?(?:해|하나|하지|하죠|합니까|하나요|가|가나요|있어|있지|있나요|돼|되지|되나요|열려|열어|"
    r"시작해|시작하지|끝나|끝나지|내|나와)요?"
    r"|(?:[\w·-]+ ){0,2}[\w·-]*[가-힣](?<!로)(?:은|는)요?"
    r"|(?<=그럼 )(?:\S+ ){0,3}\S+(?=\?)|(?<=그러면 )(?:\S+ ){0,3}\S+(?=\?)"
    r")[ ?.!~]*"
)
_BARE = lazy.compile(rf"{_THEN}{_WH}(?: exactly)?[ ?.!]*|(?:\S+ )?{_ASKED_KO}(?: ?[가-힣]{{1,5}})?[ ?.!~]*", re.IGNORECASE)


def goes_on(said: str) -> bool:
    """Say whether `said` may go on from a question that was asked before it."""
    plain = " ".join(normal("NFC", said).split())
    return len(plain) <= LONGEST and bool(_ENGLISH.fullmatch(plain) or _KOREAN.fullmatch(plain))


def is_meant(said: str, joined: Passage, alone: Passage | None) -> bool:
    """Say whether `joined`, found for what was asked before together with `said`, is meant, and not `alone`, found for `said` itself.

    It is where `said` names nothing, or all that it names stands in there. Where both are one passage, its sentence for `said` is.
    """
    if alone is None or _BARE.fullmatch(" ".join(normal("NFC", said).split())):
        return True
    have = frozenset(terms(f"{joined.title} {joined.heading} {joined.text}"))
    return joined.id != alone.id and all(term in have for term in content_terms(said))
