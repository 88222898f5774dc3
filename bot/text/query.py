"""What is looked for, without the words that only order the search.

looked_for("Can you find me the parental leave policy please?")   # "the parental leave policy"
looked_for("육아휴직 규정 좀 찾아줘")                                # "육아휴직 규정"
"""

from __future__ import annotations

import re

from bot import lazy
from bot.text.gaps import narrowed

_POLITE = (
    r"(?:(?:hey|hi|hello|ok|please|kindly)[,!]?\s+)*"
    r"(?:(?:can|could|would|will)\s+you\s+(?:please\s+|kindly\s+)?|i\s+(?:need|want)\s+(?:you\s+)?to\s+|help\s+me\s+(?:to\s+)?)?"
)
_ORDER = (
    r"(?:(?:find|search|look\s+up|look|dig\s+up|pull\s+up|locate|get|fetch|show|give|tell|check(?!\s+(?:in|out)\b))\b"
    r"(?:\s+(?:me|us))?(?:\s+(?:for|up|out|about))?\s+)"
)
_LOOKING = (
    r"(?:i(?:'m|\s+am)\s+(?:looking|searching)\s+for\s+|do\s+we\s+have\s+(?:anything|something)\s+(?:on|about)\s+"
    r"|(?:is\s+there\s+)?(?:anything|something)\s+(?:on|about)\s+)"
)
_PLACE = r"(?:in|through|from)\s+(?:all\s+)?(?:the|our|my)\s+(?:docs?|documents?|files?|wiki|chats?|notes?|messages?|drive)\s*"
_ENGLISH_BEGIN = lazy.compile(rf"^\s*{_POLITE}(?:{_ORDER}|{_LOOKING})(?:{_PLACE}(?:for\s+)?)?", re.IGNORECASE)
_ENGLISH_END = lazy.compile(rf"(?:,?\s+{_PLACE})?(?:,?\s+(?:please|thanks|thank\s+you|for\s+me))*\s*[.!?]*\s*$", re.IGNORECASE)
_ASKING = lazy.compile(r"\s*(?:who|what|when|where|why|how|which)\b", re.IGNORECASE)

_GIVE = (
    r"(?:\s*(?:줘|줘요|주라|줄래|줄래요|주세요|주실래요|주실\s?수\s?있나요|주실\s?수\s?있을까요|주시겠어요|주십시오"
    r"|봐|봐줘|봐\s?줘|보세요|볼래|봐\s?주세요|다오|라))?"
)
_KOREAN_END = lazy.compile(
    r"\s*(?:좀|한번|한\s?번|혹시|빨리|얼른)?\s*"
    rf"(?:찾아|검색해|검색|알려|보여|가져와|가져다|뒤져|조회해)(?:\s?봐)?{_GIVE}(?:요)?\s*[.!?~^]*\s*$"
)
_MARKED = lazy.compile(r"[가-힣][을를]$")
_KOREAN_ABOUT = lazy.compile(
    r"\s*(?:에\s?(?:대해서?|관해서?)|(?:에\s?(?:대한|관한)|관련(?:된)?)\s?(?:내용|자료|문서|정보|것|거))\s*$"
)
_KOREAN_BEGIN = lazy.compile(
    r"^\s*(?:(?:혹시|저기|저기요|안녕하세요)[,.!]?\s+)?"
    r"(?:(?:우리|이|그|내)?\s?(?:문서|자료|파일|위키|대화|채팅|메시지)(?:들)?(?:에서|중에서?|중에|에)\s+)?"
)


def looked_for(text: str) -> str:
    """Return `text` without "find me", "찾아줘" and their like; as it is where nothing else is left."""
    text = narrowed(text)
    bare = _korean(_english(text)).strip(" \t\n\"'“”‘’")
    return bare or text.strip()


def _english(text: str) -> str:
    begun = _ENGLISH_BEGIN.match(text)
    if not begun or not re.search("[a-zA-Z]", text[begun.end() :]):
        return text
    asks = text.rstrip().endswith("?") and _ASKING.match(text[begun.end() :])
    rest = _ENGLISH_END.sub("", text[begun.end() :])
    return f"{rest}?" if asks else rest


def _without_object_mark(text: str) -> str:
    """Return `text` without 을 or 를 at its end, where that is a mark: the first follows a final consonant, which 마을 has none of.

    Other particles stay: 이, 가, 은, 는 and 도 are the ends of as many nouns (휴가, 한도), and no search looks for them.
    """
    if not _MARKED.search(text):
        return text
    closed = (ord(text[-2]) - ord("가")) % 28 > 0
    return text[:-1] if closed == (text[-1] == "을") else text


def _korean(text: str) -> str:
    if not re.search("[가-힣]", text):
        return text
    ended = _KOREAN_END.sub("", text)
    if ended == text or not ended.strip():
        return text
    ended = _without_object_mark(ended)
    return _KOREAN_ABOUT.sub("", _KOREAN_BEGIN.sub("", ended)) or ended
