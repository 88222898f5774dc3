"""What kind of answer a question asks for (a number, a date, a name, a place, a reason), and whether a sentence holds one.

Owns the patterns, Korean and English. Leaves to `bot.retrieval.mark` what they count.

    kinds("When did it open?", ["It is big.", "It opened in May 2019."])   # [0.0, 1.0]
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from bot import lazy

ONCE = 0.8
"""What a sentence counts that holds one such thing, beside several: a day and an hour say more of when than a year."""
NO_MONEY = 0.4
"""What a number counts that is no amount of money, where one is asked for."""
LONGEST_TITLE = 80
"""Characters of a title line."""


def _one_of(words: str) -> str:
    """Return the pattern of one of `words`; what begins with the first letter of none is not compared with each, which takes long."""
    each = words.split()
    return f"(?=[{''.join(sorted({word[0] for word in each}))}])(?:{'|'.join(each)})"


_NUMBER_WORDS = (
    "one two three four five six seven eight nine ten eleven twelve dozen hundred thousand million half third quarter percent"
)
_DIGITS = lazy.compile(r"\d+(?:[.,]\d+)*")
_NUMBER = rf"\d+(?:[.,]\d+)*|\b{_one_of(_NUMBER_WORDS)}\b"
_MONEY = (
    r"\d\s?(?:[조억만천백]\s?){0,2}원|[$€£¥₩]\s?\d|\b(?:usd|eur|gbp|jpy|krw)\s?\d"
    r"|\d\s?(?:thousand|million|billion|[kmb]n?)?\s?(?:won|dollars?|euros?|pounds?|yen|cents?|usd|eur|gbp|jpy|krw|[€£])(?![a-z])"
)
_DAY_WORDS = (
    "january february march april may june july august september october november december"
    " monday tuesday wednesday thursday friday saturday sunday decade today tomorrow yesterday noon midnight"
)
_DATE = (
    rf"\b(?:(?:1\d|20)\d\d|{_one_of(_DAY_WORDS)}|\w+ century|{_one_of('spring summer autumn winter')})\b"
    r"|(?=\d)(?:\d{1,2}:\d\d|(?<!\d)\d+\s?(?:년|월|일|시|세기|주|개월)|(?<!\d)\d{1,2}(?:st|nd|rd|th)\b)"
    r"|(?-i:\b(?:Mon|Tues?|Wed|Thu(?:rs?)?|Fri|Sat|Sun)\b)|(?<![가-힣\d])[월화수목금토일](?:\s?[·,/~-]\s?[월화수목금토일])+(?=[에은는이]|[^가-힣]|$)"
    r"|(?=[가-힣])(?:하루|이틀|사흘|나흘|닷새|엿새|이레|열흘|보름|오늘|내일|어제|매주|매년|매월|[월화수목금토일]요일|일시|날짜)"
)
_NO_NAMES = "The This That These Those It In On At He She They We You I A An As If For From By But And Or So To When While After Before There"
_NAME = rf"\b(?!(?:{'|'.join(_NO_NAMES.split())})\b)[A-Z][\w'’-]+(?![\w'’-]|:|\s\d)"
"""A word with a capital; before a colon or a number it is a field or a product, hardly a person."""
_KOREAN_NAME = (
    r"(?:담당자?|문의|책임자|대표)\s?(?::|는|은)|[가-힣]{2,4}(?:입니다|이다|이며|이에요|예요)"
    r"|[가-힣]{2,4}\s?(?:씨|님|대통령|총리|장관|교수|박사|감독|사장|팀장|대표|선수|왕|황제|작가|의원)"
    r"|(?<![가-힣])[가-힣]{2,}(?:이|가|은|는|의|에게|에 의해)\s"
)
_PLACE = (
    rf"\b(?:(?i:{_one_of('address location venue place')}:)|{_one_of('in at near from to on')}\s+(?:the\s+)?[A-Z])"
    r"|(?=[가-힣])(?:(?:주소|장소|위치|집결지)\s?(?::|는|은)"
    r"|(?<![가-힣])[가-힣]+(?:에서|에|로|시|군|구|동|역|도|국|층|실|호)(?=\s|[.,)]|$))"
)
_REASON = r"\b(?:because|due to|since|so that|in order to|reason|cause[ds]?|result)\b|때문|위해|원인|이유|해서|므로"
_SURE_REASON = r"\b(?:because|due to|reason|caused?)\b|때문|원인|이유"

_ASKS_MONEY = (
    rf"\b(?:{_one_of('price costs? fees? fares? budget rent salary penalty deposit deductible')}|how much (?:is|are|was|were|did|will))\b"
    r"|\bhow much\s*[?.!]*$"
    r"|(?=[가-힣])(?:가격|금액|비용|요금|단가|예산|임대료|월세|보증금|수당|연봉|지원금|보상금|상여금|연구비|등록금|(?<![가-힣])[밥술찻책]?값)"
)
_ASKS_NUMBER = (
    r"\b(?:how (?:many|much|long|old|far|tall|large|big|high|fast|often)\b|what (?:percent|number|amount)|percentage\b)"
    rf"|(?=[가-힣])(?:얼마|몇|비율|한도|수량)|{_ASKS_MONEY}"
)
_ASKS_DATE = (
    r"\bwhen\b|\b(?:what|which) (?:year|date|day|month|century|decade|time)\b|\b(?:date|deadline)\b"
    r"|\b(?:opening|business|office|visiting) (?:hours|times)\b|\bhours\s*\??$"
    r"|언제|며칠|몇 ?[년월일시]|연도|날짜|시기|일시|기한|무슨 ?요일|(?:진료|영업|운영|이용|개관|근무) ?시간"
)
_ASKS_NAME = r"\bwho(?:se|m)?\b|\b(?:what|which) (?:person|man|woman|king|queen|president|author|scientist)\b"
_ASKS_PLACE = (
    r"\bwhere\b|\b(?:what|which) (?:city|country|place|state|river|town|region|area)\b|\baddress\b"
    r"|어디|주소|위치|어느 (?:나라|도시|곳|지역)|장소|곳은"
)
_ASKS_WHY = r"\bwhy\b|\bwhat (?:caused|reason)\b|왜|이유|원인"
_CUES: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = tuple(
    (lazy.compile(asks, re.IGNORECASE), lazy.compile(holds, flags))
    for asks, holds, flags in (
        (_ASKS_NUMBER, _NUMBER, re.IGNORECASE), (_ASKS_DATE, _DATE, re.IGNORECASE), (_ASKS_NAME, _NAME, 0),
        (r"누구|누가|사람은|인물|담당자|책임자", _KOREAN_NAME, 0), (_ASKS_PLACE, _PLACE, 0),
        (_ASKS_WHY, _REASON, re.IGNORECASE),
    )
)  # fmt: skip
"""What a question asks for, and what holds such a thing."""
_ASKS_AMOUNT, _AMOUNT = lazy.compile(_ASKS_MONEY, re.IGNORECASE), lazy.compile(_MONEY, re.IGNORECASE)
_ASKS_OTHER = lazy.compile(rf"{_ASKS_DATE}|{_ASKS_NAME}|누구|누가|비율|퍼센트|percent|%", re.IGNORECASE)
"""What is asked of money is not always how much: when it is paid, who pays it."""
_ASKS_REASON, _GIVES_REASON = lazy.compile(_ASKS_WHY, re.IGNORECASE), lazy.compile(_SURE_REASON, re.IGNORECASE)
_SUBJECT = lazy.compile(r"\s*(?:제목|안건|subject|title|re)\s*:", re.IGNORECASE)
_NO_TITLE = lazy.compile(r"[.!?。…:;,|]\s*$|: |^\s*(?:[-•*▪]|>)\s|[가-힣](?:다|요|음|함|됨|임)$|\|")


def asked_for(question: str) -> Sequence[re.Pattern[str]]:
    """Return what holds the things that `question` asks for; nothing where it asks for none that can be told from a sentence."""
    return [holds for asks, holds in _CUES if asks.search(question)]


def kinds(question: str, sentences: Sequence[str], cues: Sequence[re.Pattern[str]] | None = None) -> NDArray[np.float64]:
    """Return float64 (sentences,), 0..1: the share of what `question` asks for that each sentence holds.

    `cues` is what `asked_for` has returned, where it is known.
    """
    cues = asked_for(question) if cues is None else cues
    if not cues:
        return np.zeros(len(sentences))
    asked, numbers = question.lower(), set(_DIGITS.findall(question))
    found = np.array([sum(_held(cue, sentence, asked, numbers) for cue in cues) / len(cues) for sentence in sentences])
    if not _asks_money(question):
        return found
    paid = np.array([bool(_AMOUNT.search(sentence)) for sentence in sentences])
    return np.where(paid | ~paid.any(), found, NO_MONEY * found)


def plainly(question: str, sentences: Sequence[str]) -> NDArray[np.bool_]:
    """Return bool (sentences,): which hold what is asked for plainly: a reason by a word that stands for nothing else, a sum of money."""
    holds = _GIVES_REASON if _ASKS_REASON.search(question) else _AMOUNT if _asks_money(question) else None
    if holds is None:
        return np.zeros(len(sentences), bool)
    return np.array([bool(holds.search(sentence)) for sentence in sentences], bool)


def is_title(line: str, *, first: bool) -> bool:
    """Say whether a line is a title: short, without an end, `first` of its text or below an empty line; or a mail's subject."""
    said = line.strip()
    return len(said) <= LONGEST_TITLE and (bool(_SUBJECT.match(said)) or (first and not _NO_TITLE.search(said)))


def _asks_money(question: str) -> bool:
    return bool(_ASKS_AMOUNT.search(question)) and not _ASKS_OTHER.search(question)


def _held(cue: re.Pattern[str], sentence: str, asked: str, numbers: Collection[str]) -> float:
    """Return how well `sentence` holds what is asked for, beyond what the question (in lower case) itself says: 0, ONCE or 1.

    A number is compared whole: 25 is none of the digits of 2025. One of several digits counts as several things.
    """
    count = 0
    for match in cue.finditer(sentence):
        said = match.group().strip().lower()
        if said[:1].isdigit() and _DIGITS.fullmatch(said):
            count += len(said) if said not in numbers else 0
        else:
            count += said not in asked
        if count > 1:
            return 1.0
    return ONCE if count else 0.0
