"""What an order to make something short names: its words without those that only ask.

Pure: it looks nothing up. Leaves to `skills.summarise.named` and `skills.summarise.kept` which document is meant.

    names_in("summarise the travel policy in three lines")   # ["travel", "policy"]
    names_in("휴가 규정을 요약해줘")                          # ["휴가", "규정"]
"""

from __future__ import annotations

import re
from typing import Final

from bot import lazy
from bot.text.normal import normal

LEAST_NAME: Final = 2
"""Letters and digits of a name: less names nothing."""

_WORD = lazy.compile(r"[^\W_]+")
_HANGUL = lazy.compile("[\uac00-\ud7a3]")
_ONLY_ASKS = (
    "a about all an and are at be bit boil brief briefly bullet bullets can could condense concise detail detailed "
    "details did digest do document documents does doc down essence few file files findings for form from gist give "
    "highlights i in into is it its key line lines long longer main make me message more my need of on one our outline "
    "overview page pages please pls plz kindly thanks thx point points put quick quickly read recap say says sentence sentences short shorten "
    "shorter shortly so some sum summaries summarise summarize summarised summarized summary takeaway takeaways tell "
    "text that the their these this those three tl dr tldr to two up us version want was we what whats which with word "
    "words would write you your four five six seven eight nine ten"
)
_ENGLISH: Final = frozenset(_ONLY_ASKS.split())
_KOREAN: Final = lazy.compile(
    r"(?:(?:한|두|세|네|다섯|여섯|\d+)(?:줄|문장|가지))?(?:요약|정리|간추|줄여|짧게|길게|간단|간략|자세|핵심|요점|요지|브리핑|문서|파일|자료|내용|부분|전체|이거|그거|이것|그것|저것|이번|"
    r"(?:한|두|세|네|다섯|여섯|\d+)(?:줄|문장|가지)?|해|주|줘|줄래|부탁|알려|보여|말해|만들어|써|좀|그|이|저|줄|문장|가지|어떤|무슨)"
    r"[해하로으만은는을를이가도좀줘주세실래시겠요드려립니다된할수있어나까지한히게부탁라]*"
)
_PARTICLE = lazy.compile(r"(?<=[가-힣]{2})(?:에서|에는|에|의|을|를|은|는|이|가|도|만|좀|으로|로|랑|과|와)$")


_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|"
    r"dec(?:ember)?)"
)
_DAY = lazy.compile(
    r"(?P<m>\d{1,2})월 ?(?P<d>\d{1,2})일(?:자|의)?"
    rf"|\b(?P<d2>\d{{1,2}})(?:st|nd|rd|th)? (?:of )?(?P<m2>{_MONTH})\b|\b(?P<m3>{_MONTH}) (?P<d3>\d{{1,2}})(?:st|nd|rd|th)?\b",
    re.IGNORECASE,
)


def without_day(asked: str) -> tuple[str, str]:
    """Return `asked` without the day that it names, and that day's digits as they stand in a file's name: "0309"; "" for none."""
    found = _DAY.search(asked)
    if found is None:
        return asked, ""
    month = found["m"] or str(_MONTHS.index((found["m2"] or found["m3"]).lower()[:3]) + 1)
    return asked[: found.start()] + " " + asked[
        found.end() :
    ], f"{int(month):02}{int(found['d'] or found['d2'] or found['d3']):02}"


def words_of(text: str) -> list[str]:
    """Return the words of `text`, lower case; what joins them, as in a file's name, goes."""
    return _WORD.findall(normal("NFC", text).lower())


def names_in(asked: str) -> list[str]:
    """Return the words of an order that may be of a document's name, lower case: without those that only ask."""
    found = []
    for word in words_of(asked):
        if _HANGUL.search(word):
            if not _KOREAN.fullmatch(word):
                found.append(_PARTICLE.sub("", word))
        elif word not in _ENGLISH and not (word.isdigit() and len(word) < LEAST_NAME):
            found.append(word)
    return found
