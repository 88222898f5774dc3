r"""The forms in which people ask for a translation, as regular expressions.

Owns: the expressions; each repetition is bounded, so that a hostile text costs no more than a long one. Leaves to `ask`
what a match means. In every form the group `text` is what is to be translated.
"""

from __future__ import annotations

import re
from typing import Final

from bot import lazy
from skills.translate.names import NAME


def _any(pattern: str) -> re.Pattern[str]:
    return lazy.compile(pattern, re.IGNORECASE | re.DOTALL)


POLITE: Final = (
    r"(?:(?:please|pls|kindly|hey|hi|hello|ok|okay|so|and|bot|paring|now|also|(?:can|could|would|will) you|can i get|could i (?:have|get)|"
    r"(?:i(?:['’]d| would) like|i (?:need|want))(?: you to| to)?|help me(?: to)?|let['’]?s|just|quickly)[\s,]+){0,6}"
)
TRANSLATE: Final = r"(?:translate|translation|transalte|traslate|tranlate|translte|trans)"
VERB: Final = (
    rf"(?:{TRANSLATE}|translation of|render|make|switch|localise|localize|subtitle|explain|give me|put|turn|"
    r"convert|change|rewrite|write|say|express|interpret)"
)
INTO: Final = rf"(?:in ?to|to|in)\s+{NAME}"
KOREAN_INTO: Final = rf"{NAME}\s*(?:으로|로)"
_GIVE: Final = (
    r"(?:\s*(?:줘|주세요|줄래|줄래요|줄 수|주실래요|주실 수|주시겠어요|주시면|주라|부탁해|부탁해요|부탁드려요|"
    r"부탁드립니다)[가-힣\s]{0,10})?"
)
_DO: Final = r"(?:\s*(?:좀|해|헤|하|부탁|본|요청|ㄱㄱ|가능|점)[가-힣]{0,6}){0,3}"
_KOREAN_TRANSLATE: Final = r"(?:번역|통역|변역|벙역|버녁|해석|영작)"
KOREAN_VERB: Final = (
    rf"(?:{_KOREAN_TRANSLATE}(?:\s*(?:좀|해|하|부탁|본|을|를|이|가|기|필요|된|돼|되|할|헤)[가-힣]{{0,6}})?|옮겨|옮기|바꿔|바꾸|고쳐|써|쓰|적어|말해|말하|"
    r"표현해|표현하|알려|뭐라고|뭐라|뭐야|뭐예요|뭐에요|뭔가요|뭐지|무엇|무슨|어떻게|뜻이|뜻은|뜻을|뜻)"
)
_PARTICLE: Final = r"(?:이라고|이라는|라고|라는|이란|란|을|를|은|는|이|가)?"

TO: Final = lazy.compile(rf"(?:\b(?:in ?to|to|in)\s+({NAME}))|({NAME})\s*(?:으로|로|버전|말로)", re.IGNORECASE)
FROM: Final = lazy.compile(rf"(?:\bfrom\s+({NAME}))|({NAME})\s*에서", re.IGNORECASE)
BARE: Final = lazy.compile(rf"({NAME})", re.IGNORECASE)

QUOTED: Final = lazy.compile(
    r"“([^”]+)”|\"([^\"]+)\"|「([^」]+)」|『([^』]+)』|«([^»]+)»|`([^`]+)`|(?<!\w)['‘]([^'’]{2,})['’](?![A-Za-z])"
)
ASKS: Final = _any(
    rf"{TRANSLATE}|\bmean(?:s|ing)?\b|->|→|{NAME}\W*(?:please|pls|version|equivalent|wording)|{INTO}|{NAME}\s*(?:으로|로|에서|말)|{_KOREAN_TRANSLATE}|옮겨|(?:무슨|뭔)\s*(?:뜻|말|의미|소리)|뜻이|뜻은|뜻\s*(?:뭐|좀|알|\Z)|의미|한영|영한|"
    rf"\b(?:word|phrase) for\b|\b{NAME} for\b"
)
"""What a request holds at least; a text without any of it is only text."""

INSTRUCTION: Final = _any(
    rf"\A\W*{POLITE}(?:{TRANSLATE}\b.*|{VERB}\b.*{INTO}.*|{INTO}\b.*|{NAME}(?:\s+(?:please|version|translation))?|"
    rf"(?:how|what)\b.*(?:{INTO}|\bmean\b).*|.*(?:{_KOREAN_TRANSLATE}|옮겨|{KOREAN_INTO}|무슨\s*(?:뜻|말)|뜻이\s*뭐).*)\W*\Z"
)
"""A line that is a request and no text."""

_ENGLISH_POINTERS: Final = """
this that it these those them all everything above below following rest the a an my your his her their our last previous quoted whole entire
first second short long of attached here there for me please pls too as well now and also same again back once more word by only just
text texts message messages sentence sentences paragraph paragraphs email e-mail mail mails document documents file files pdf letter page pages
contract note notes post article reply answer quote word words phrase phrases line lines part section summary conversation chat attachment
slide slides report thing things stuff one menu subtitles lyrics notice manual title polite formal informal natural literal version copy trans
what he she they said wrote says writes sent is was are
"""
ENGLISH_POINTERS: Final = frozenset(_ENGLISH_POINTERS.split())
POINTER: Final = _any(r"what [\w-]+ (?:said|wrote|says|writes|sent)")
_POINTERS: Final = """
이 그 저 요 위 위의 아래 아래의 다음 다음의 방금 앞 앞의 첨부 첨부한 첨부된 보낸 온 받은 내 제 전체 다 모두 전부 좀
메뉴 가사 자막 제목 조항 공지사항 안내문 문구 버튼 이력서 설명서 자연스럽게 정중한 정중하게 공손한 격식 있게
존댓말로 반말로 된 직역 의역으로 말고 다시 또 더 한 번
똑같은 같은 걸 어떻게 하면 무슨 좀 쉬운 보고 싶어요 이거 그거 저거 이것 그것 저것 이걸 그걸 저걸 이건 그건 여기 것 거 게 혹시 제발 빨리 한번
글 문장 문단 텍스트 메시지 메세지 메일 이메일 편지 문서 파일 내용 말 단어 표현 답변 답장 계약서 공지 기사 대화 부분
보고서 요약 페이지 사진 글자
"""
KOREAN_POINTERS: Final = frozenset(_POINTERS.split())
KOREAN_PARTICLES: Final = ("에서", "을", "를", "은", "는", "이", "가", "도", "만", "의", "로", "으로")

ENGLISH_FORMS: Final = (
    _any(
        rf"\A\W*(?:(?:tell me|do you know|polite way|please)\s+)?(?:how|what|to)\b.{{0,40}}?\b(?:say|write|spell|tell(?:\s+[\w']+){{1,4}}\s+to|"
        r"tell|express|call|said|called|put)"
        rf"\s+(?P<text>.+?)\s+in\s+{NAME}\W*\Z"
    ),
    _any(rf"\A\W*how\s+(?:is|are|was)\s+(?P<text>.+?)\s+(?:said|written|called|expressed|translated)\s+{INTO}\W*\Z"),
    _any(
        rf"\A\W*what(?:['’]?s| is| are)?\s+(?:the\s+)?{NAME}(?:\s+(?:word|phrase|term|translation|equivalent|expression)s?)?"
        r"\s+(?:for|of)\s+(?P<text>.+?)\W*\Z"
    ),
    _any(rf"\A\W*what(?:['’]?s| is)?\s+the\s+(?:word|phrase|term|translation)\s+(?:for|of)\s+(?P<text>.+?)\s+{INTO}\W*\Z"),
    _any(rf"\A\W*(?P<text>.+?)\s*(?:->|→|=>|>)\s*{NAME}\W*\Z"),
    _any(rf"\A\W*(?P<text>.+?)(?<!\bin)(?<!\bto)(?<!into)\W+{NAME}(?:\s+translation)?\s+(?:please|pls)\W*\Z"),
    _any(
        rf"\A.*?\b{NAME}\s+(?:word|phrase|term|translation|version|equivalent|expression|wording|copy)s?\s+(?:for|of)\s+(?P<text>.+?)\W*\Z"
    ),
    _any(rf"\A\W*(?:{POLITE}(?:tell me|do you know)\s+)?what\s+(?P<text>.+?)\s+means\W*\Z"),
    _any(r"\A\W*(?:the\s+)?meaning\s+of\s+(?P<text>.+?)\W*\Z"),
    _any(
        rf"\A\W*(?P<text>.+?)\W+(?:meaning|what\s+does\s+(?:that|it|this)\s+mean|what['’]?s\s+(?:that|this|it)(?:\s+in\s+{NAME})?)\W*\Z"
    ),
    _any(rf"\A\W*what\s+does\s+(?P<text>.+?)\s+mean(?:\s+in\s+{NAME})?\W*\Z"),
    _any(rf"\A\W*what(?:['’]?s| is)\s+(?P<text>.+?)\s+in\s+{NAME}\W*\Z"),
    _any(
        rf"\A\W*{POLITE}{VERB}\s+(?P<text>.+?)\s+(?:from\s+{NAME}\s+)?{INTO}"
        r"(?:\s+(?:for me|please|too|as well|now)){0,3}\W*\Z"
    ),
    _any(rf"\A\W*{POLITE}{TRANSLATE}\s+{INTO}\s*[:,]?\s*(?P<text>.*?)\Z"),
    _any(rf"\A\W*{POLITE}{TRANSLATE}\s+from\s+{NAME}(?:\s+{INTO})?\s*[:,]?\s*(?P<text>.*?)\Z"),
    _any(rf"\A\W*{POLITE}(?P<text>.+?)\s+{INTO}(?:[\s,]+(?:please|for me|version)){{0,3}}\W*\Z"),
    _any(rf"\A\W*{POLITE}{TRANSLATE}\b\s*:?\s*(?P<text>.+?)\Z"),
)
KOREAN_FORMS: Final = (
    _any(rf"\A\W*{KOREAN_INTO}\s*(?:좀\s*)?(?:{_KOREAN_TRANSLATE}|옮겨|바꿔)[가-힣]{{0,6}}{_GIVE}[\s:,.]*(?P<text>.*)\Z"),
    _any(rf"\A\W*{KOREAN_INTO}\s*(?:좀\s*)?{KOREAN_VERB}[^?？]{{0,12}}[?？]\s*(?P<text>.+)\Z"),
    _any(
        rf"\A\W*(?P<text>.+?){_PARTICLE}\s*(?:말을?|말은|단어는?|표현은?)?\s*{KOREAN_INTO}(?:는|도)?\s*(?:좀\s*)?(?:{KOREAN_VERB}.*)?\Z"
    ),
    _any(rf"\A\W*{KOREAN_INTO}\s*(?P<text>.+?){_PARTICLE}\s*{KOREAN_VERB}.*\Z"),
    _any(rf"\A\W*{_KOREAN_TRANSLATE}(?:\s*(?:해|부탁)[가-힣]{{0,6}}{_GIVE})?\s*[:,]\s*(?P<text>.+)\Z"),
    _any(rf"\A\W*(?P<text>.+?){_PARTICLE}\s*(?:말이?\s*)?(?:좀\s*)?{_KOREAN_TRANSLATE}{_DO}{_GIVE}\W*\Z"),
    _any(rf"\A\W*{_KOREAN_TRANSLATE}{_DO}{_GIVE}[\s:,.]*(?P<text>.*)\Z"),
    _any(
        rf"\A\W*(?P<text>.+?){_PARTICLE}\s*(?:말이?\s*)?(?:(?:무슨|뭔)\s*(?:뜻|말|의미|소리)|뜻이\s*뭐|의미가\s*뭐|뜻|의미).*\Z"
    ),
    _any(
        rf"\A\W*(?P<text>.+?){_PARTICLE}\s*(?:에\s*(?:맞는|해당하는)\s*)?{NAME}\s*(?:표현|단어|말|버전|본|판)[가-힣\s]{{0,12}}\W*\Z"
    ),
    _any(rf"\A\W*(?P<text>.+?)\s*(?:->|→|=>|>)\s*{NAME}\W*\Z"),
)

_CODE: Final = rf"(?:{NAME}|(?<![A-Za-z])(?:en|ko|ja|zh|de|fr|es|kr|jp|cn|ru|it|pt|vi|th|id)(?![A-Za-z]))"
DIRECTION: Final = _any(
    rf"\A(?:from\s+)?({_CODE})\s*(?:to|into|2|-{{0,2}}>|→)\s*({_CODE})(?:\s+(?:please|pls))?\s*[:,]?(?:\s+(.*))?\Z"
)
"""`EN to KO: text`, `Japanese > English`."""
PAIR: Final = lazy.compile(
    r"\A(한|영|일|중|독|불|러|서)(한|영|일|중|독|불|러|서)\s*(?:번역|통역)[가-힣\s]{0,14}[:.!?]?\s*(.*)\Z", re.DOTALL
)
PAIR_CODES: Final = {"한": "ko", "영": "en", "일": "ja", "중": "zh", "독": "de", "불": "fr", "러": "ru", "서": "es"}
FOREIGN_RUN: Final = lazy.compile(r"[^\W\d_가-힣ㄱ-ㆎ]+(?:[^\w가-힣]+[^\W\d_가-힣ㄱ-ㆎ]+)+")
"""Two or more words in a row that are not Hangul."""

TAIL_INTO: Final = lazy.compile(rf"[,;(]\s*{INTO}(?:\s+please)?\W*\Z", re.IGNORECASE)

LONG_HEAD: Final = _any(
    rf"\A\W*(?:{POLITE}{TRANSLATE}(?:\s+(?:this|the following|it))?(?:\s+from\s+{NAME})?(?:\s+{INTO})?\s*[:,.]?\s+|"
    rf"(?:다음을\s*)?{KOREAN_INTO}\s*(?:번역|옮겨|바꿔)[가-힣]{{0,6}}{_GIVE}[\s:,.]+)"
)
LONG_TAIL: Final = _any(
    rf"(?:[\s,(]+{POLITE}translate\b[^.]{{0,30}}{INTO}(?:\s+please)?|[\s,(]*{KOREAN_INTO}\s*(?:번역|옮겨|바꿔)[가-힣]{{0,6}}{_GIVE})\W*\Z"
)
"""What stands before or after a text of many sentences in one line."""
