"""What people say to whom they talk with, and no more: a greeting, thanks, a goodbye, "ok", "ㅋㅋ", a thumb.

Owns the words, Korean and English, and what is said to them where no model talks. Leaves the talk to `skill`.

    is_courtesy("Thanks a lot!")   # True: nothing is asked for
    greeted("hello, write me a poem")  # "Hello!": how the answer to more than that begins
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from bot import lazy
from bot.locale import Text, phrases
from bot.text.said import word_set

_ = phrases(__file__)

LONGEST: Final = 60
_NO_WORDS = lazy.compile(r"[^\w\s]+|_")
_TALK_TO = r"(?: (?:there|again|all|everyone|everybody|bot|paring|to you|too|friend))*"

_THANKS = r"(?:thanks?|thank you|thx|cheers|ty)\b|고마|고맙|감사|ㄱㅅ|땡큐|덕분에"
_PARTING = (
    r"(?:bye|goodbye|good ?night|see you|see ya|cya)\b|안녕히 (?:가|계|주무)|잘 ?(?:가|있어)|잘 ?자|바이|내일 (?:봐|봬)|굿나잇"
)
_INSULT = (
    r"(?:you(?:'re| are|re)?|u) (?:(?:an?|so|really|totally|are|r) )*(?:suck|stupid|dumb|useless|idiot|terrible|awful)|"
    r"(?:stupid|dumb|bad|useless) bot|idiot\b|shut up|fuck|(?:(?:너|넌|진짜|이) )*(?:바보|멍청|쓸모 ?없|한심|닥쳐|꺼져|쓰레기)"
)
_WHO = (
    r"who (?:are|r) (?:you|u)\b|what(?:'s|s| is) your name|what are you\b|"
    r"(?:너는? ?|넌 ?|당신은 ?)?(?:누구(?:야|세요|니|냐|예요|신가요)|이름이? 뭐)"
)
_GREETING = (
    r"(?:hi+|hello|hey+|yo|howdy|hiya|sup|good (?:morning|afternoon|evening)|nice to meet you)\b|"
    r"안녕|하이|반가|반갑|굿모닝|ㅎㅇ|좋은 아침|처음 뵙"
)
_GREETED: Final = (
    (lazy.compile(_THANKS, re.IGNORECASE), _("You are welcome!")),
    (lazy.compile(_PARTING, re.IGNORECASE), _("Goodbye!")),
    (lazy.compile(_INSULT, re.IGNORECASE), _("I am sorry that I was no help.")),
    (
        lazy.compile(_WHO, re.IGNORECASE),
        _("I am Paring, a bot that gives each message to a small model that is good at just that."),
    ),
    (lazy.compile(_GREETING, re.IGNORECASE), _("Hello!")),
)
"""How a message may begin, and what is said to that."""

_ONLY_THANKS = (
    r"(?:(?:ok|okay|great|perfect|cool|nice|oh|many) )*(?:thanks?|thank you|thx|cheers|ty)"
    r"(?: (?:a lot|a bunch|so|very|much|again|for (?:the|your|that|this|all|everything)(?: help| answer)?|for helping(?: me)?|bot|paring|all))*|"
    r"(?:(?:ok|great|perfect|cool|nice|good|yes|exactly) ){0,4}(?:(?:that|this|it)(?:s| is| was)? (?:very |really |so )?"
    r"(?:helps|helped|helpful|useful|(?:(?:just|exactly) )?what (?:i|we) (?:needed|wanted|was looking for|were looking for))(?: (?:a lot|me))?)|"
    r"(?:(?:정말|진짜|너무|대단히|매우|많이|큰|아|오오|와|이제|다|네|넵|응|오|아니|아니요|아뇨|괜찮아요?|됐어요?|잘|덕분에|도움이?|"
    r"(?:찾|알|풀|해결했|해결됐|도움됐|됐|되었|봤|읽)(?:았|었)?(?:어요?|습니다|네요?)) ?){0,9}"
    r"(?:고마(?:워요?|웠어요?)|고맙(?:다|습니다|네요?)|감사(?:합니다|해요|드려요|드립니다|했습니다|요)?|ㄱㅅ+|땡큐|덕분에요)|"
    r"(?:정말 |진짜 |많이 |큰 ){0,3}도움(?:이|이 많이)? ?(?:됐|되었)(?:어요?|습니다|네요?)"
)
_ONLY_PARTING = (
    r"(?:bye+|goodbye|good ?night|see you|see ya|cya)(?: (?:bye|later|soon|tomorrow|then|bot|paring|all|everyone))*|"
    r"안녕히 (?:가|계|주무)(?:세요|십시오)|잘 ?(?:가|있어|자)요?|바이(?:바이|요)?|내일 (?:봐|봬)요?|굿나잇|"
    r"수고(?:해요?|하세요|했어요?|하셨어요|하셨습니다)|수고 ?많(?:았어요?|으셨어요|으셨습니다)"
)
_ONLY_INSULT = (
    rf"(?:{_INSULT})\w{{0,4}}(?: (?:off|you|bot|아|야))?|"
    r"(?:no )?(?:thats|this is|that is|its|it is|youre|you are) (?:(?:just|so|completely|totally) )?"
    r"(?:wrong|incorrect|not (?:right|true|correct|it))|wrong(?: answer)?|"
    r"(?:no )?(?:thats )?not what i (?:asked|meant|wanted)(?: for)?|"
    r"(?:아니 |아니야 )?(?:틀렸(?:어요?|습니다|네요?|다|잖아요?)|그게 아니(?:라고요?|야|에요|예요|잖아요?)|"
    r"잘못 ?(?:됐|찾았)(?:어요?|네요?|습니다))"
)
_ONLY_WHO = (
    r"(?:(?:and|so|hi|hey|hello) )*(?:who (?:are|r) (?:you|u)|what(?:s| is) your name|what are you|"
    r"(?:are|r) (?:you|u) (?:an? |really |even )*(?:bot|robot|human|ai|machine|person|real(?: person)?|chatgpt|gpt))(?: bot)?|"
    r"(?:너는?|넌|혹시|당신은|네|니)? ?(?:사람|로봇|봇|챗봇|인간|인공지능|ai)(?:이야|야|이니|이냐|이에요|이세요|예요|인가요|입니까)|"
    r"(?:너는?|넌|당신은|네|니)? ?(?:누구(?:야|세요|니|냐|예요|에요|신가요)?|이름이? (?:뭐(?:야|예요|에요|니)?|뭔가요|무엇인가요))"
)
_ONLY_HOW = (
    r"(?:(?:and|so|hi|hey|hello|hi there|안녕(?:하세요)?) ){0,4}(?:(?:how(?:s| is| are| r) (?:it|you|u|things|everything|life|your day)"
    r"(?: (?:doing|going|today|been|bot|paring)){0,4}|how do you do|whats up|what is up)(?: (?:bot|paring|today))*|"
    r"(?:넌 |너는 |봇아 |요즘 |요새 |오늘 ){0,4}(?:잘 ?지내(?:요|니|냐|나요|세요|시나요|시죠|지)?|잘 ?지냈(?:어요?|니|나요)|"
    r"잘 ?지내셨(?:어요|나요)|"
    r"어떻게 ?지내(?:요|니|세요|시나요|셨어요)?|기분(?:이|은)? ?(?:어때요?|어떠세요|어떠니)|별일 ?없(?:지|죠|어요?|으세요)))"
)
_ONLY_GREETING = (
    rf"(?:hi+|hello+|hey+|yo|howdy|hiya|sup|good (?:morning|afternoon|evening)|nice to meet you){_TALK_TO}|"
    r"(?:안녕(?:하세요|하십니까|하신가요)?|하이(?:요|루)?|반가(?:워요?|웠어요?)|반갑습니다|굿모닝|ㅎㅇ+|"
    r"좋은 아침(?:이에요|입니다|이야)?|처음 뵙겠습니다)"
    r"(?: ?(?:하세요|반가워요?|반갑습니다|여러분|봇아?))*"
)
_NODS = (
    r"ok(?:ay)?|kk?|yes|yep|yeah|no|nope|sure|fine|good|great|cool|nice|perfect|awesome|got it|i see|understood|al(?:l )?right|right|"
    r"wow|well done|good (?:job|bot)|never ?mind|np|no problem|(?:cancel|stop)(?: (?:it|that|this))?|"
    r"(?:its|thats) (?:fine|ok|okay|all|enough|all right|good)(?: now)?|(?:i )?(?:do not|dont) need (?:it|that|this|anything)(?: else)?"
    r"(?: any ?more| now)?|lol|lmao|(?:ha){2,}h?|(?:he){2,}|hm+|oh|aha?"
)
_NODS_KO = (
    r"네+|넵+|넹|넨|예|응+|웅|어|그래요?|좋아요?|좋네요?|좋습니다|ㅇㅋ+|ㅇㅇ+|오케이|오키|[ㅋㅎㅠㅜ]+|알겠(?:어요?|습니다)|알았어요?|"
    r"확인(?:했어요|했습니다)?|그렇구나|그렇군요?|아하?|아니요?|아뇨|괜찮아요?|됐어요?|됐습니다|"
    r"필요 ?없(?:어요?|습니다)|우?와+|취소(?:요|해(?:요|줘요?|주세요)?|할게요?)?|"
    r"그만(?:요|해(?:요|줘요?|주세요)?)?|대박|최고(?:야|예요|네요)?|굿"
)
_ONLY_NODS = rf"(?:{_NODS}|{_NODS_KO})(?: (?:{_NODS}|{_NODS_KO}))*"
_ONLY: Final = (
    (lazy.compile(_ONLY_THANKS, re.IGNORECASE), _("You are welcome!")),
    (lazy.compile(_ONLY_PARTING, re.IGNORECASE), _("Goodbye!")),
    (lazy.compile(_ONLY_INSULT, re.IGNORECASE), _("I am sorry that I was no help. /help shows what I can do.")),
    (
        lazy.compile(_ONLY_WHO, re.IGNORECASE),
        _("I am Paring, a bot that gives each message to a small model that is good at just that. /help shows which there are."),
    ),
    (
        lazy.compile(_ONLY_HOW, re.IGNORECASE),
        _("I am well, thank you! Ask me what you would like to find; /help shows what I can do."),
    ),
    (
        lazy.compile(_ONLY_GREETING, re.IGNORECASE),
        _(
            "Hello! Send me a file, a text or a photo, and ask; /help shows what I can do. To talk with, no model is installed yet: "
            "/chat says what an admin would type."
        ),
    ),
    (lazy.compile(_ONLY_NODS, re.IGNORECASE), _("All right! I am here when you need me.")),
)
_NODDED: Final = _ONLY[-1][1]
_THANKED: Final = _ONLY[0][1]
_THANK: Final = word_set("thanks thank thx cheers ty")
_AROUND_THANKS: Final = word_set("""
    no nope yes yeah ok okay great perfect cool nice good awesome lovely brilliant super oh ah wow many much very so really totally a an lot
    bunch ton million you u to for the your that this it its thats all everything help answer answers answered info quick mate man buddy pal
    guys bot paring again is was fine enough helps helped helpful useful works worked what i we me us needed wanted found got exactly just
    my question myself done and now then have had
""")
"""What thanks may stand among, in any order, and ask for nothing."""


def greeted(said: str) -> Text | None:
    """Return what is said to how `said` begins, None where it begins with no courtesy."""
    plain = said.lstrip(" .,!?~-")[:LONGEST]
    return next((answer for pattern, answer in _GREETED if pattern.match(plain)), None)


def is_courtesy(said: str) -> bool:
    """Say whether `said` is nothing but a courtesy, so that nothing is looked for in it."""
    return returned(said) is not None


def returned(said: str) -> Text | None:
    """Return what is said, without a model, to what is nothing but a courtesy; None for all else."""
    said = unicodedata.normalize("NFC", said.strip())
    if not said or len(said) > LONGEST:
        return None
    words = " ".join(_NO_WORDS.sub(" ", said.replace("'", "").replace("’", "")).split())
    if not words:
        return _NODDED if any(unicodedata.category(sign) == "So" for sign in said) else None
    every = frozenset(words.lower().split())
    if every & _THANK and "?" not in said and every <= _THANK | _AROUND_THANKS:
        return _THANKED
    return next((answer for pattern, answer in _ONLY if pattern.fullmatch(words)), None)
