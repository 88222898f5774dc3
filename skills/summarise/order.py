"""What a person asks for when they ask for a summary: of what, how long, and which part of their message is the text itself.

Owns: reading the order out of a command's arguments or a sentence, in both languages. Pure: it looks nothing up. Leaves to
`skills.summarise.material` to find the text.

    read_order("다음 글을 세 줄로 요약해줘: 회의는 ...", now=message.sent_at)   # Order(text="회의는 ...", count=3)
    read_order("since 14:00", now=message.sent_at, commanded=True)           # Order(since=...)
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from typing import Final, get_args

from bot import lazy
from bot.models.tasks import SummaryLength
from bot.text.sentences import split

LENGTHS: Final[tuple[SummaryLength, ...]] = get_args(SummaryLength)
LONGEST_ORDER: Final = 160
"""Characters: a sentence that asks is no longer; what is longer is text."""
LEAST_TEXT: Final = 25
"""Characters beside the order that are taken for the text that is meant."""
MOST_MESSAGES: Final = 500
MOST_COUNT: Final = 30

_ASK = lazy.compile(
    r"\bsu[m]{1,2}[ae]r\w*|\bsum\b|\btl;?\s?dr\b|\bgist\b|\brecap\b|\bshort(?:en|er|ly)\b|\bcondense\b|\bdigest\b|\babridge\b|"
    r"\b(?:short|quick|brief) (?:version|overview|form|notes?|report)\b|\bin (?:short|brief|a nutshell|a few (?:words|lines))\b|"
    r"\bbriefly\b|\bbrief me\b|\b(?:key|main) (?:points?|takeaways?|ideas?|message|findings)\b|\btakeaways?\b|\bboil\b.{0,20}\bdown\b|"
    r"\bbullet(?:s| points?)\b|\bminutes\b|\bessence\b|\b(?:highlights|headlines|overview|synopsis|abstract|outline)\b|\bfill me in\b|"
    r"\bcatch me up\b|\bup to (?:speed|date)\b|\bdid i miss\b|\bin (?:one|two|three|four|five|\d+) (?:short )?(?:sentences?|lines?|words)\b|"
    r"\bmake\b.{1,60}\bshort\b|\bone[- ]liner\b|\bwhat matters\b|\bcore message\b|"
    r"요약|간추|줄여|짧게|핵심|요점|요지|정리|브리핑|(?:한|두|세|네|다섯|\d+)\s?(?:줄|문장)|간단히|간략",
    re.IGNORECASE,
)
_TALK = lazy.compile(
    r"\b(?:chat|thread|conversation|discussion|channel|messages?|talk(?:ing)?|said|discuss\w*|miss|catch me up)\b|"
    r"\b(?:up to (?:speed|date)|fill me in|recap)\b|"
    r"대화|채팅|메시지|톡방|단톡|얘기|이야기|논의|스레드|밀린",
    re.IGNORECASE,
)
_OPTION = lazy.compile(r"--length[ =](?P<length>\w+)\s*|--(?P<alone>short|medium|long)\b\s*|--lines[ =](?P<lines>\d{1,3})\s*")
_URL = lazy.compile(r"https?://[^\s<>\"'“”‘’]+", re.IGNORECASE)
_NUMBERS: Final = {
    "one": 1, "a": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "한": 1, "두": 2, "세": 3, "네": 4, "다섯": 5, "여섯": 6, "일곱": 7, "여덟": 8, "아홉": 9, "열": 10,
}  # fmt: skip
_NUMBER = "|".join(_NUMBERS) + r"|\d{1,3}"
_MORE = lazy.compile(
    r"(?:(?:and|now|then|ok(?:ay)?|please|(?:what|how) about|(?:can|could) you|make|give me|say|do|put|sum(?:marise|marize)?)\b[\s,]*)*"
    r"(?:(?:it|that|this)\s+)?(?:all\s+)?(?:up\s+)?"
    r"(?:(?:even |a bit |much |a little )?(?P<shorter>shorter|briefer)|"
    r"(?:even |a bit |much |a little )?(?P<longer>longer|(?:in )?more details?)|"
    rf"(?:in |as |with |to |just )*(?P<en>{_NUMBER})[ -](?:short |brief |bullet )?(?:sentences?|lines?|bullets?|points?))"
    r"(?:[\s,]+(?:please|then|instead|now|only))*[\s.?!]*|"
    r"(?:(?:그리고|그럼|그러면|이제|다시|그거|그걸|이거|이걸|조금|좀|더)[\s,]*)*"
    rf"(?:(?P<ko>{_NUMBER})\s?(?:줄|문장|가지)(?:로|으로|만)?(?:는|은|도)?|(?P<koshorter>짧게|간단히|간단하게|줄여)|"
    r"(?P<kolonger>길게|자세히|자세하게))"
    r"(?:\s*(?:더|다시|좀|요약|정리|말|줄여|써|해|부탁|가능|할\s?수))*\s*(?:줘요?|주세요|줄래요?|해요?|할까요?|요)?[\s.?!~]*",
    re.IGNORECASE,
)
_COUNT = lazy.compile(
    rf"\b(?P<en>{_NUMBER})[ -](?:short |brief |bullet )?(?:sentences?|lines?|liner|bullets?|points)\b|(?P<ko>{_NUMBER})\s?(?:줄|문장|가지)",
    re.IGNORECASE,
)
_BRIEF = lazy.compile(r"\b(?:short|brief|shorter|quick|briefly)\b(?! (?:version|overview|form))|짧게|간단히|간략", re.IGNORECASE)
_DETAILED = lazy.compile(
    r"\b(?:long|longer|detailed|in detail)\b(?! (?:email|text|mail|article|read|thread|document|message))|길게|자세히|상세",
    re.IGNORECASE,
)
_LAST = lazy.compile(
    r"^(?P<bare>\d{1,3})$|\blast\s+(?P<en>\d{1,3})\s*(?:messages?|msgs?|lines|posts)?\b(?!\s*(?:hours?|days?|minutes?|weeks?|h\b|d\b|m\b))|"
    r"(?:최근|마지막|지난|위)\s*(?P<ko>\d{1,3})\s*(?:개|건|줄)|(?P<ko2>\d{1,3})\s*(?:개|건)(?:의)?\s*(?:메시지|대화|글|톡|메세지)",
    re.IGNORECASE,
)
_SPAN = lazy.compile(
    rf"^(?P<short>\d{{1,3}})\s?(?P<unit>[mhdw])$|\b(?:last|past)\s+(?:(?P<n>{_NUMBER})\s+)?(?P<en>minute|hour|day|week)s?\b|"
    rf"(?:지난|최근|^)\s*(?P<kn>{_NUMBER})\s?(?P<ko>분|시간|일|주)(?:\s?(?:동안|간|치))?(?!\S*\s?(?:줄|문장))",
    re.IGNORECASE,
)
_CLOCK = lazy.compile(
    r"\bsince\s+(?:about\s+)?(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))?\s?(?P<half>am|pm)?\b|"
    r"(?P<khalf>오전|오후|아침|저녁|밤)?\s*(?P<khour>\d{1,2})(?::(?P<kminute0>\d{2})|시(?:\s?(?P<kminute>\d{1,2})분|\s?(?P<khalfhour>반))?)\s?(?:부터|이후)",
    re.IGNORECASE,
)
_DAY = lazy.compile(
    r"\b(?P<today>today(?:'s)?)\b|\b(?P<yesterday>yesterday(?:'s)?)\b|\b(?P<morning>this morning(?:'s)?)\b|\bsince (?P<noon>noon)\b|"
    r"\bthis (?P<week>week)\b|"
    r"\bsince (?P<weekday>mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\b|(?P<kotoday>오늘)|(?P<koyesterday>어제)|"
    r"(?P<komorning>오전부터|아침부터)|(?P<konoon>점심\s?(?:이후|부터))|이번\s?(?P<koweek>주)",
    re.IGNORECASE,
)
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_UNITS: Final = {
    "m": "minutes", "h": "hours", "d": "days", "w": "weeks", "minute": "minutes", "hour": "hours", "day": "days", "week": "weeks",
    "분": "minutes", "시간": "hours", "일": "days", "주": "weeks",
}  # fmt: skip
_HEAD_KO = lazy.compile(
    r"^[^\n.!?]{0,80}?(?:요약|간추려|정리|줄여)\s?(?:좀\s?)?(?:해|부탁)?\s?(?:줘요?|주세요|주실래요|주라|바랍니다|드립니다|드려요)[.!?~:]*\s+(?=\S)"
)
_EDGES = " \t\r\n:>-–—\"“”'`|"
_PARTS = lazy.compile(r"\n+|(?<=:)\s|>>|(?<=\s)[\"“]")
_BARE_TAIL = lazy.compile(r"[\s.!?]tl;?\s?dr[.!?]*$", re.IGNORECASE)
_WISH = lazy.compile(
    r"\bsummari[sz]e\b|\b(?:an?|quick|short) summary\b|\bsum (?:it |this |that )?up\b|\btl;?\s?dr\b|\brecap\b|\bcatch me up\b|\bdid i miss\b|"
    r"요약\s?(?:좀\s?)?(?:해|부탁)|요약[.!?~\s]*$|정리\s?(?:좀\s?)?(?:해\s?(?:줘|주)|부탁)|간추려",
    re.IGNORECASE,
)
_SHORTEST = lazy.compile(
    r"tl;?\s?dr[.!?]*|summar(?:y|i[sz]e)[.!?]*|(?:(?:세|3)\s?줄\s?)?요약(?:\s?(?:좀|해\s?줘|해\s?주세요|부탁해요?))?[.!?~]*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for. `text` is what was pasted, "" where nothing was; `last` and `since` ask for a chat's talk."""

    text: str = ""
    url: str = ""
    last: int = 0
    since: datetime | None = None
    talk: bool = False
    """True where the words are of a conversation, without saying how much of it."""
    length: SummaryLength | None = None
    count: int = 0
    asked: str = ""
    """The words that ask; "" where a text was pasted alone."""

    @property
    def names_talk(self) -> bool:
        """True where a part of the conversation is named."""
        return bool(self.last) or self.since is not None


def read_order(said: str, *, now: datetime, commanded: bool = False, zone: tzinfo | None = None) -> Order:
    """Return the order in `said`: the arguments of a command, or a whole message. `zone` is the one of clock times; default: the machine's."""
    length, lines, said = _option(said)
    asked, text = _parted(said, commanded=commanded)
    order = Order(
        text=text, length=length or _length(asked), count=lines or _count(asked), talk=bool(_TALK.search(asked)), asked=asked
    )
    if link := _URL.search(said):
        rest = _URL.sub("", text).strip(_EDGES)
        if len(rest) < LEAST_TEXT or not text:
            return replace(order, text="", url=link.group().rstrip(".,;:!?)]}»”"))
    if text:
        return order
    return replace(order, last=_last(asked), since=_since(asked, now.astimezone(zone)))


def asks_only(said: str) -> bool:
    """Say whether `said` is nothing but a link, or the shortest form of asking: `tl;dr`, `요약해줘`."""
    plain = said.strip()
    link = _URL.fullmatch(plain)
    return bool(link) or bool(_SHORTEST.fullmatch(plain))


def is_wish(said: str) -> bool:
    """Say whether `said` does nothing but ask for a summary, so that it is no part of the talk that it asks about."""
    plain = said.strip()
    return (asks_only(plain) and not _URL.match(plain)) or bool(_WISH.search(plain) and not _parted(plain, commanded=False)[1])


def option(said: str) -> str:
    """Return the option that words ask for which only go on from a summary: "and in three lines?", "더 짧게"; "" for all others."""
    found = _MORE.fullmatch(said.strip())
    if found is None:
        return ""
    if number := found["en"] or found["ko"]:
        return f"--lines {min(_number(number), MOST_COUNT)}"
    return "--length short" if found["shorter"] or found["koshorter"] else "--length long"


def _option(said: str) -> tuple[SummaryLength | None, int, str]:
    found = _OPTION.search(said[:LONGEST_ORDER])
    if found is None:
        return None, 0, said.strip()
    named = (found["length"] or found["alone"] or "").lower()
    rest = (said[: found.start()] + said[found.end() :]).strip()
    return next((length for length in LENGTHS if length == named), None), min(int(found["lines"] or 0), MOST_COUNT), rest


def _parted(said: str, *, commanded: bool) -> tuple[str, str]:
    """Return what asks, and the text it asks about; either may be empty."""
    plain = said.strip()
    if (
        len(plain) <= LONGEST_ORDER
        and "\n" not in plain
        and (_ASK.search(plain) or commanded)
        and not _holds_text(plain, commanded=commanded)
    ):
        return plain, ""
    if head := _HEAD_KO.match(plain[: 2 * LONGEST_ORDER]):
        return head.group(), plain[head.end() :].strip(_EDGES)
    begin, end = _head(plain), _tail(plain)
    asked = plain[:begin] + plain[end:] if end > begin else plain
    text = plain[begin:end].strip(_EDGES) if end > begin else ""
    if not begin and end == len(plain):
        return "", plain
    return (asked, text) if len(text) >= LEAST_TEXT else (plain, "")


def _holds_text(plain: str, *, commanded: bool) -> bool:
    """Say whether a short line is more than an order: an order and a text behind it, or, after a command, a text alone."""
    if commanded and not _ASK.search(plain):
        named = _last(plain) or _SPAN.search(plain) or _CLOCK.search(plain) or _DAY.search(plain) or _URL.search(plain)
        return not named and (len(plain) >= LEAST_TEXT or len(split(plain)) > 1)  # Korean says much in 25 characters
    begin, end = _head(plain), _tail(plain)
    return (begin > 0 or end < len(plain)) and len(plain[begin:end].strip(_EDGES)) >= LEAST_TEXT


def _head(plain: str) -> int:
    """Return where the order at the beginning ends: 0 where there is none."""
    start = plain[: 2 * LONGEST_ORDER]
    for cut in (_PARTS.search(start), None):
        end = cut.end() if cut else _first_sentence(start)
        if 0 < end <= LONGEST_ORDER and _ASK.search(start[:end]) and plain[end:].strip(_EDGES):
            return end
    return 0


def _first_sentence(start: str) -> int:
    found = split(start)
    return found[0].end if len(found) > 1 else 0


def _tail(plain: str) -> int:
    """Return where the order at the end begins: the text's length where there is none."""
    offset = max(0, len(plain) - 2 * LONGEST_ORDER)
    end = plain[offset:]
    line = end.rfind("\n") + 1
    if line and len(end) - line <= LONGEST_ORDER and _ASK.search(end[line:]):
        return offset + line
    if bare := _BARE_TAIL.search(end):
        return offset + bare.start() + 1
    found = split(end)
    last = found[-1].start if len(found) > 1 else 0
    if last and len(end) - last <= LONGEST_ORDER and _is_order(end[last:]):
        return offset + last
    return len(plain)


def _is_order(sentence: str) -> bool:
    """Say whether a last sentence asks, and does not merely use a word of asking."""
    return bool(_ASK.search(sentence)) and (len(sentence) <= LONGEST_ORDER // 3 or sentence.rstrip().endswith("?"))


def _length(asked: str) -> SummaryLength | None:
    if _DETAILED.search(asked):
        return "long"
    return "short" if _BRIEF.search(asked) else None


def _count(asked: str) -> int:
    found = _COUNT.search(asked)
    return min(_number(found["en"] or found["ko"]), MOST_COUNT) if found else 0


def _number(word: str) -> int:
    return int(word) if word.isdigit() else _NUMBERS[word.lower()]


def _last(asked: str) -> int:
    found = _LAST.search(asked.strip())
    number = next((value for value in found.groups() if value), "0") if found else "0"
    return min(int(number), MOST_MESSAGES)


def _since(asked: str, now: datetime) -> datetime | None:
    plain = asked.strip()
    if span := _SPAN.search(plain):
        unit = _UNITS[(span["unit"] or span["en"] or span["ko"]).lower()]
        return now - timedelta(**{unit: _number(span["short"] or span["n"] or span["kn"] or "1")})
    if clock := _CLOCK.search(plain):
        return _at_clock(clock, now)
    if day := _DAY.search(plain):
        return _at_day(str(day.lastgroup).removeprefix("ko"), day, now)
    return None


def _at_clock(clock: re.Match[str], now: datetime) -> datetime | None:
    hour = int(clock["hour"] or clock["khour"])
    minute = int(clock["minute"] or clock["kminute0"] or clock["kminute"] or (30 if clock["khalfhour"] else 0))
    half = (clock["half"] or clock["khalf"] or "").lower()
    if half in ("pm", "오후", "저녁", "밤") and hour < 12:  # noqa: PLR2004 - noon
        hour += 12
    if hour > 23 or minute > 59:  # noqa: PLR2004 - a clock's last
        return None
    then = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return then if then <= now else then - timedelta(days=1)


def _at_day(name: str, day: re.Match[str], now: datetime) -> datetime:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if name == "yesterday":
        return midnight - timedelta(days=1)
    if name == "week":
        return midnight - timedelta(days=now.weekday())
    if name == "noon":
        noon = midnight + timedelta(hours=12)
        return noon if noon <= now else noon - timedelta(days=1)
    if name == "weekday":
        back = (now.weekday() - _WEEKDAYS.index(day["weekday"].lower()[:3])) % 7
        return midnight - timedelta(days=back or 7)
    return midnight
