r"""What of a mail, a note or a page is its frame and not what it says: greeting, signature, quoted mail, who was present, tables.

Owns: taking the frame off, by lines, in Korean and English. Pure. Leaves sentences to `bot.text`. A text that is nothing but frame
stays whole.

    body_of("Hi Tom,\nthe pump is repaired.\n\nBest regards,\nIngrid")     # "the pump is repaired."
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from bot import lazy

LEAST_BODY: Final = 25
"""Characters: with less than that left, the frame was the text."""
TOP_LINES: Final = 8
"""Lines among which a note's title, date and people stand."""
LONGEST_TITLE: Final = 80
"""Characters of a note's title, and of a signature's line."""
SIGNATURE_LINES: Final = 8
HEADER_LINES: Final = 4
"""Lines of a quoted mail's header, two of which must be such."""

_HISTORY = lazy.compile(
    r"\s*(?:On\b.{5,90}\bwrote:|-{2,}\s*(?:Original Message|Forwarded message|원본 (?:메일|메시지)|전달된 메[일시]지?)\s*-{2,}"
    r"|\d{4}년.{5,80}(?:작성|썼습니다)\s?[:：]?)\s*",
    re.IGNORECASE,
)
_HEADER = lazy.compile(
    r"\s*(?:From|Sent|Date|To|Cc|Subject|보낸\s?사람|보낸\s?날짜|날짜|받는\s?사람|참조|제목)\s?[:：]\s?\S.*", re.IGNORECASE
)
_FACTS = lazy.compile(
    r"\s*(?:[-*]\s+)?(?:\*\*)?(?:Present|Attend(?:ees|ing|ance)|Participants|Apologies|Absent|Regrets|"
    r"Chair|Minutes(?: by)?|Note[- ]taker|From|Sent|To|Cc|Subject|참석자?|참가자|불참자?|작성자?|기록자?|서기|"
    r"보낸\s?사람|보낸\s?날짜|받는\s?사람|수신|발신|참조|제목)(?:\*\*)?\s?[:：].*",
    re.IGNORECASE,
)
_GREETING = lazy.compile(
    r"\s*(?:(?:hi|hello|hey|dear|good (?:morning|afternoon|evening))\b[^.!?\n]{0,50}[,!.:]?"
    r"|(?:다들\s|여러분\s)?안녕하(?:세요|십니까|신가요)[^\n]{0,40}|[^\n.!?:]{1,20}(?:님|께|귀하|귀중)[,.]?)\s*",
    re.IGNORECASE,
)
_INTRODUCTION = lazy.compile(r"\s*(?:저는\s)?[^\n.!?,]{2,30}(?:입니다|이에요|예요|(?:라고|이라고) 합니다|드립니다)[.,!]?\s*")
_CLOSING = lazy.compile(
    r"\s*(?:(?:(?:with )?(?:best|kind|warm|many)(?: and (?:best|kind|warm))? )?(?:regards|wishes|thanks)|best|"
    r"thanks(?: again| a lot| in advance)?|thank you(?: (?:very much|in advance))?|sincerely|yours(?: \w+)?|cheers|"
    r"(?:대단히\s|미리\s)?(?:감사|고맙)(?:합니다|드립니다|습니다)|수고하(?:세요|십시오)|[^\n.!?]{2,25}\s(?:드림|올림|배상))\s?[,.!~]*\s*",
    re.IGNORECASE,
)
_RULE = lazy.compile(r"\s*(?:-{2,}|_{3,}|={3,})\s*")
_CONTACT = lazy.compile(
    r"\s*(?:(?:tel|phone|mobile|cell|fax|e-?mail|전화|팩스|휴대(?:폰|전화)|연락처|이메일|메일)\b[.:\s]*)?[+\d(][\d\s().+-]{6,}+(?:[|,/]?\s*\S+@\S+)?\s*"
    r"|\s*(?:tel|fax|e-?mail|이메일|메일)\b[.:\s].{0,60}",
    re.IGNORECASE,
)
_REACHED = lazy.compile(r"\S@\S|\d[\d\s().+-]{6,}\d")
"""An address or a number at which somebody is reached."""
_ROW = lazy.compile(r"\s*\|.*\|\s*")


def body_of(text: str) -> str:
    """Return `text` without its frame; the lines that are left are as they were."""
    lines = text.splitlines()
    for part in (_without_history, _without_signature, _without_greeting, _without_facts, _without_rows):
        shorter = part(lines)
        if _written(shorter) >= LEAST_BODY:
            lines = shorter
    return "\n".join(lines).strip() or text


def _without_history(lines: list[str]) -> list[str]:
    """Leave out the mail that is answered: from its header on, and lines that are quoted."""
    for number in range(1, len(lines)):
        header = [line for line in lines[number : number + HEADER_LINES] if _HEADER.fullmatch(line)]
        begins = _HEADER.fullmatch(lines[number]) and not lines[number - 1].strip() and len(header) > 1
        if (begins or _HISTORY.fullmatch(lines[number])) and _written(lines[:number]) >= LEAST_BODY:
            lines = lines[:number]
            break
    return [line for line in lines if not line.lstrip().startswith(">")]


def _without_signature(lines: list[str]) -> list[str]:
    """Leave out a closing near the end and the short lines after it, and what stands below a rule there."""
    written = [number for number, line in enumerate(lines) if line.strip()]
    for number in written[-SIGNATURE_LINES - 1 :]:
        line = lines[number]
        below = lines[number + 1 :]
        signs = _CLOSING.fullmatch(line) or line.strip() == "--" or (_RULE.fullmatch(line) and _REACHED.search("\n".join(below)))
        if signs and all(_may_sign(other) for other in below):
            return lines[:number]
    return [line for line in lines if not _CONTACT.fullmatch(line)]


def _may_sign(line: str) -> bool:
    plain = line.strip()
    return len(plain) <= LONGEST_TITLE and not (len(plain.split()) > HEADER_LINES and plain.endswith((".", "?", "!", "다", "요")))


def _without_greeting(lines: list[str]) -> list[str]:
    """Leave out `Dear Tom,` and, behind a greeting, who writes."""
    rest = _from_first_written(lines)
    if not rest or not _GREETING.fullmatch(rest[0]):
        return lines
    rest = _from_first_written(rest[1:])
    return rest[1:] if rest and _INTRODUCTION.fullmatch(rest[0]) else rest


def _without_facts(lines: list[str]) -> list[str]:
    """Leave out a note's people at its top, and the title above them; its date and place may be what it says."""
    top = [number for number, line in enumerate(lines) if line.strip()][:TOP_LINES]
    facts = {number for number in top if _FACTS.fullmatch(lines[number])}
    if (
        facts
        and top[0] not in facts
        and len(lines[top[0]]) <= LONGEST_TITLE
        and not lines[top[0]].rstrip().endswith((".", "?", "!"))
    ):
        facts.add(top[0])
    return [line for number, line in enumerate(lines) if number not in facts]


def _without_rows(lines: list[str]) -> list[str]:
    """Leave out a table's rows: three of its numbers on end say nothing."""
    return [line for line in lines if not _ROW.fullmatch(line)]


def _from_first_written(lines: Sequence[str]) -> list[str]:
    begin = next((number for number, line in enumerate(lines) if line.strip()), len(lines))
    return list(lines[begin:])


def _written(lines: Sequence[str]) -> int:
    return sum(len(line.strip()) for line in lines)
