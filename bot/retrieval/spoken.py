"""A question about what people said: what it is about, without the words that only ask who said it, and when.

Owns the patterns, Korean and English. Leaves to `bot.retrieval.people` who is named, and to `bot.retrieval.exchange` which message
answers.

    heard("who said they would fix the login?")     # about "they would fix the login?", kind "who"
    heard("어제 로그인 고치겠다고 누가 했지?")          # about "로그인 고치겠다고", kind "who", when "yesterday"
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from bot import lazy
from bot.text.gaps import narrowed

Kind = Literal["who", "when", "what"]

_SAYING = (
    r"(?:said|say|says|tell|told|mention(?:ed)?|promised?|offer(?:ed)?|volunteer(?:ed)?|announced?|wrote|report(?:ed)?|agreed?"
    r"|suggest(?:ed)?|claim(?:ed)?|confirm(?:ed)?|ask(?:ed)?|wonder(?:ed)?)"
)
_ABOUT = r"(?:\s+(?:about|on|of|regarding|that|if|whether|to|for))?"
_ENGLISH_WHO = lazy.compile(
    rf"^\s*(?:so\s+)?who\s+(?:(?:was|is)\s+it\s+(?:that|who)\s+)?(?P<verb>{_SAYING})(?:\s+(?:us|me|everyone|that|he|she|they))*{_ABOUT}\s+",
    re.IGNORECASE,
)
_ENGLISH_DID = lazy.compile(
    rf"\b(?:did|has|have|had|does)\s+(?P<who>[^?]{{1,40}}?)\s+(?P<verb>{_SAYING})\b(?:\s+(?:us|me)\b)?{_ABOUT}\b", re.IGNORECASE
)
_ENGLISH_SAYING = lazy.compile(
    rf"\b(?:was|is|were|been)\s+(?P<who>[^?]{{1,40}}?)\s+(?:saying|telling|talking|writing|asking)\b(?:\s+(?:us|me)\b)?{_ABOUT}\b",
    re.IGNORECASE,
)
_ENGLISH_SPOKE = lazy.compile(rf"^\s*(?P<who>\S+(?:\s\S+)?)\s+(?P<verb>{_SAYING})\b{_ABOUT}\b", re.IGNORECASE)
_KOREAN_PERSON = lazy.compile(
    r"(?<!\s)\s*+(?:한|했던|말한|그런|그랬던|물어본|약속한|얘기한)\s*(?:사람|게|건|것|분)(?:이|은|는|도)?(?:\s*+(?:누구|누군|누가)\S*)?\s*+[?!.~]*+\s*+$"
)
_KOREAN_SAID = lazy.compile(
    r"(?:(?<=[고라])|(?<!\s)(?=\s))\s*+(?:(?:누가|누구|누군가)(?:가|는)?\s*+)?(?:(?:뭐라고|뭐라|어떻게)\s*+)?(?:(?:말|얘기|이야기|약속|언급|제안|질문)?(?:했|하셨|씀하셨)|그랬|그러셨|물어\s?봤|물었)"
    r"(?:지|어|나|니|더라|죠|던가|었지|어요|나요|지요|습니까)?(?:요)?\s*[?!.~]*\s*$"
)
_KOREAN_SAYS = lazy.compile(
    r"(?<!\s)\s*+(?:뭐래|뭐라는데|뭐라더라)(?:요)?\s*+[?!.~]*+\s*+$|(?<=[가-힣])\s*+한\s?(?:말|얘기|이야기)(?:이|은|는)?(?:\s?(?:뭐|무엇|뭔)\S{0,4})?\s*+[?!.~]*+\s*+$"
)
_KOREAN_WHO = lazy.compile(r"(?:누가|누구(?:가|는|지|야|예요|였\S*|죠)?|누군(?:지|가|데)?)(?![가-힣])")
_KOREAN_WHAT = lazy.compile(r"(?<!\s)\s*+뭐(?:라고|라)\s*(?=$|했|그랬)")
_ASKED = lazy.compile(r"\b(?:ask(?:ed)?|wonder(?:ed)?)\b|물어|물었|질문", re.IGNORECASE)
_WHO = lazy.compile(r"\bwho(?:se|m)?\b|누가|누구|누군", re.IGNORECASE)
_WHEN = lazy.compile(r"\bwhen\b|\bwhat (?:time|day|date)\b|\b(?:until|till) when\b|언제|몇\s?시|며칠|몇\s?[월일]", re.IGNORECASE)
_ANYTHING = lazy.compile(
    r"\b(?:anything|something|everything|last|lately|recently|today|in (?:the|this|our) (?:chat|group|channel|room|thread)|here)\b"
    r"|(?<![가-힣])(?:마지막|최근|방금|아까|무슨|뭔가|여기|저기|채팅방?|단톡방?|그룹|대화방?|채널)(?:에서?|으로|에)?(?![가-힣])|(?<![가-힣])(?:말|얘기|이야기)(?:을|를)?(?![가-힣])",
    re.IGNORECASE,
)
_DAYS = {"monday": 0, "tuesday": 1, "wednesday": 2, "thursday": 3, "friday": 4, "saturday": 5, "sunday": 6}
_KOREAN_DAYS = {day: number for number, day in enumerate("월화수목금토일")}
_PERIODS: tuple[tuple[str, int, int], ...] = (
    (
        r"\b(?:earlier )?(?:today|this (?:morning|afternoon|evening))\b|오늘(?:\s?(?:아침|오전|오후|저녁|낮|새벽))?(?:에)?(?![가-힣])",
        0,
        1,
    ),
    (r"\b(?:the )?day before yesterday\b|그저께|그제|엊그제", -2, 1),
    (
        r"\byesterday(?: (?:morning|afternoon|evening))?\b|\blast night\b|어제(?:\s?(?:아침|오전|오후|저녁|밤))?(?:에)?(?![가-힣])|어젯밤",
        -1,
        1,
    ),
)
"""What names a day, how many days from today it begins, and how many it has."""
_WEEKS: tuple[tuple[str, int, int], ...] = (
    (r"\blast week\b|지난\s?주|저번\s?주", -7, 7),
    (r"\bthis week\b|이번\s?주", 0, 7),
    (r"\blast month\b|지난\s?달|저번\s?달", -31, 31),
)
"""What names a stretch: how many days from this week's Monday (a month: from today) it begins, and how many it has."""
_DATING = ("day", "this", "last", "오늘", "그제", "그저께", "어제", "어젯", "지난", "저번", "이번", "요일", "전")
"""One of these is in whatever names a past day or stretch, lower case: most questions have none, and are compared with no pattern."""
_AGO = lazy.compile(r"\b(\d{1,2}) days? ago\b|(\d{1,2})\s?일\s?전(?:에)?")
_WEEKDAY = lazy.compile(rf"\b(?:on|last)\s+({'|'.join(_DAYS)})\b|(?:지난\s?)?([월화수목금토일])요일에(?![가-힣])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked: about what, for what, and whether it was said to be said."""

    about: str
    kind: Kind
    saying: bool = False
    """True where the words ask for what somebody said."""
    question: bool = False
    """True where what is looked for was itself a question: who asked."""
    speaker: str = ""
    """The words that name who spoke, where a verb of saying tells it."""
    period: tuple[datetime, datetime] | None = None
    """When it was said, half open, where a word such as yesterday tells it."""


def heard(question: str, *, now: datetime) -> Asked:
    """Return what `question` asks for; `now` is when it is asked, in the zone in which a day begins and ends for who asks."""
    question = narrowed(question)
    undated, period = _dated(question, now)
    kind: Kind = "who" if _WHO.search(question) else "when" if _WHEN.search(question) else "what"
    bare, speaker, saying = _unframed(undated)
    if not saying:  # a day may be part of what is looked for: the menu on Monday
        return Asked(question.strip(), kind, period=period)
    return Asked(bare.strip() or question.strip(), kind, saying, bool(_ASKED.search(undated)), speaker, period)


def asks_when(question: str) -> bool:
    """Say whether `question` asks for a time."""
    return bool(_WHEN.search(question)) and not _WHO.search(question)


def about_anything(text: str) -> str:
    """Return what a question is about (`Asked.about`) without the words that name no subject: anything, last, in the chat."""
    return _ANYTHING.sub(" ", text)


def tells(text: str) -> bool:
    """Say whether what was said to the bot tells something that is worth finding again: no question, no order, no mere keywords."""
    said = narrowed(text).strip()
    if not said or is_question(said) or _ORDER.search(said):
        return False
    if re.search("[가-힣]", said):
        return bool(_KOREAN_TELLS.search(said))
    return len(said.split()) >= FEWEST_WORDS and bool(_VERB.search(said))


FEWEST_WORDS = 3
"""Words of an English sentence that tells something."""
_ORDER = lazy.compile(
    r"^\s*(?:please\s+|hey\s+|ok\s+|(?:can|could|would) you\s+)*(?:find|search|look|show|tell|give|get|fetch|list|summari[sz]e"
    r"|translate|describe|draw|read|transcribe|explain|write|help|check|make|turn|set|remind|stop|open|forget)\b"
    r"|(?:줘|주세요|주라|줄래|주실래요|달라|알려|찾아|보여|해라|하세요|해봐|봐)\s*[.!~]*\s*$",
    re.IGNORECASE,
)
_KOREAN_TELLS = lazy.compile(r"(?:다|요|죠|음|함|됨|임|네|어|아|지|군|야|께|게|래|대)\s*[.!~^)ㅎㅋ]*\s*$")
_VERB = lazy.compile(
    r"\b(?:is|are|was|were|am|will|would|has|have|had|does|do|did|can|could|should|must|may|needs?|wants?|takes?|goes|went|got|said|says"
    r"|\w+(?:ed|'s|'re|'ll|'ve|'d|'m))\b",
    re.IGNORECASE,
)


def is_question(text: str) -> bool:
    """Say whether a message asks something of those who read it."""
    return any(_QUESTION.search(narrowed(line)) for line in text.strip().splitlines())


_QUESTION = lazy.compile(
    r"[?？]['\")\]]*(?:\s|$)|(?:나요|까요|을까|ㄹ까|는지|은가요|인가요|건가요|가요|실\s?분|있을까|누구죠|뭐죠|언제죠)\s*[.~!]*\s*$"
    r"|^\s*(?:who|what|when|where|why|how|which|can|could|should|shall|does|do|did|are|anyone|anybody|does any\w+)\b(?!.*[.!]\s*$)",
    re.IGNORECASE,
)


def _unframed(text: str) -> tuple[str, str, bool]:
    """Return (what is left without who-said-it, the words that name the speaker, whether there was any)."""
    if found := _ENGLISH_WHO.match(text):
        return text[found.end() :], "", True
    if found := _ENGLISH_DID.search(text):
        rest = f"{text[: found.start()]} {text[found.end() :]}"
        return f"{found['who']} {rest}", found["who"], True
    if found := _ENGLISH_SAYING.search(text):
        return f"{found['who']} {text[: found.start()]} {text[found.end() :]}", found["who"], True
    if (found := _KOREAN_PERSON.search(text)) or (found := _KOREAN_SAID.search(text)) or (found := _KOREAN_SAYS.search(text)):
        return _KOREAN_WHO.sub(" ", text[: found.start()]), text[: found.start()], True
    if found := _ENGLISH_SPOKE.match(text):
        return f"{found['who']} {text[found.end() :]}", found["who"], True
    return text, "", False


def _dated(text: str, now: datetime) -> tuple[str, tuple[datetime, datetime] | None]:
    """Return `text` without what names a past day or stretch, and that."""
    lowered = text.lower()
    if not any(word in lowered for word in _DATING):
        return text, None
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    monday = today - timedelta(days=today.weekday())
    for periods, begin in ((_PERIODS, today), (_WEEKS, monday)):
        for pattern, offset, days in periods:
            if found := re.search(pattern, text, re.IGNORECASE):
                start = begin + timedelta(days=offset)
                return _without(text, found), (start, start + timedelta(days=days))
    if found := _AGO.search(text):
        start = today - timedelta(days=int(found[1] or found[2]))
        return _without(text, found), (start, start + timedelta(days=1))
    if found := _WEEKDAY.search(text):
        wanted = _DAYS[found[1].lower()] if found[1] else _KOREAN_DAYS[found[2]]
        start = today - timedelta(days=(today.weekday() - wanted) % 7)
        return _without(text, found), (start, start + timedelta(days=1))
    return text, None


def _without(text: str, found: re.Match[str]) -> str:
    left = f"{text[: found.start()]} {text[found.end() :]}"
    return re.sub(r"\s{2,}", " ", left).strip()
