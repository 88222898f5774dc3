"""What people ask the house in words instead of by a command: another language, and what is kept of them.

Owns the words, Korean and English; each counts only where nothing else is said. Leaves the answers to `bot.house`.

    speaks("answer in Korean please")     # "ko"
    asks_what_is_kept("is this private?")  # True
"""

from __future__ import annotations

import re
from typing import Final

from bot import lazy
from bot.locale import Language

LONGEST: Final = 80
_SPEAK = lazy.compile(
    r"(?:(?:please|from now on|always|now)[\s,]+)*(?:(?:speak|talk|answer|reply|respond|write)(?:\s+(?:to me|me|back|only|always))*(?:\s+in)?|"
    r"(?:change|switch|set)(?:\s+(?:the|your|my))?(?:\s+language)?\s+to)\s+(?P<en>korean|english)"
    r"(?:[\s,]+(?:please|from now on|only|always|now|to me))*|"
    r"(?:(?:이제부터|앞으로|지금부터|계속|항상)\s?)+(?P<later>한국어|한글|우리말|영어)로만?\s?(?:대답|답변|답|말|얘기|이야기)\s?(?:해|하자)?"
    r"\s?(?:줘요?|주세요|줄래요?|요)?|"
    r"(?P<ko>한국어|한글|우리말|영어)로만?\s?(?:대답|답변)\s?(?:해|하자)?\s?(?:줘요?|주세요|줄래요?|요)?",
    re.IGNORECASE,
)
_KEPT = lazy.compile(
    r"(?:is|are) (?:this|it|that|this chat|my (?:data|messages|files)|what i (?:say|write|send)) "
    r"(?:private|safe|secure|confidential|stored|kept|saved)"
    r"(?: here)?|"
    r"(?:do|will|can) you (?:store|keep|save|share|sell|read|record|send) (?:all )?(?:of )?(?:my|our) (?:data|messages|files|documents|chats?)|"
    r"what do you (?:know|remember|keep|store)(?: (?:about|of))? me|where (?:is|are) my (?:data|messages|files|questions) (?:stored|kept|saved)|"
    r"where do(?:es)? (?:my (?:data|messages|files|questions)|what i (?:say|write|send)) (?:go|end up)(?: to)?|"
    r"who (?:can|else can|may) (?:see|read|look at) (?:my (?:data|messages|files|questions)|what i (?:say|write|send|ask|type)|this chat)"
    r"(?: here)?|"
    r"(?:does|do|will) (?:my (?:data|messages|files|questions)|anything|what i (?:say|write|send)) (?:ever )?leave "
    r"(?:this|the|our) (?:machine|computer|server|building|company|house|office)|"
    r"do you send (?:my (?:data|messages|files|questions)|anything) (?:anywhere|out|"
    r"elsewhere|to (?:anyone|anybody|others|the cloud|the internet))|"
    r"(?:(?:내|제|우리)\s?)?(?:데이터|개인정보|정보|대화|메시지)(?:를|을|는|은|가|이)?\s?(?:어디(?:에|에다|다)?\s?)?(?:저장|보관|기록|유출|공유)\s?(?:해|하나요|하니|돼|되나요|됩니까|해요)|"
    r"(?:(?:내|제)\s?(?:데이터|대화|메시지|파일|질문)(?:를|을|는|은|가|이)?\s?어디(?:로|에)?|"
    r"(?:(?:내|제|우리)\s?)?(?:데이터|개인정보|대화|메시지)(?:를|을|는|은|가|이)?\s?(?:외부|밖|클라우드|인터넷)(?:으로|로|에)?)\s?"
    r"(?:나가|가|보내|전송해|전송돼|전송되|새어 ?나가)(?:나요|니|냐|지|요|는 거야|는 거예요)?|"
    r"(?:(?:내|제|우리)\s?(?:데이터|대화|메시지|파일|질문)(?:를|을|는|은)?\s?)누가\s?(?:볼|읽을) ?수 ?있(?:어|나|니|지|나요|어요|습니까)|"
    r"누가\s?(?:내|제|우리)\s?(?:데이터|대화|메시지|파일|질문)(?:를|을)?\s?(?:볼|읽을) ?수 ?있(?:어|나|니|지|나요|어요|습니까)|"
    r"(?:(?:이거|여기|이 대화|내 데이터|제 데이터|개인정보)(?:는|은)?\s?)?(?:안전|비밀\s?보장)\s?(?:해|한가요|돼|되나요|합니까)|"
    r"개인정보(?:는|가)?\s?어떻게\s?(?:돼|되나요|처리해|처리하나요|관리해|관리하나요)",
    re.IGNORECASE,
)


def speaks(text: str) -> Language | None:
    """Return the language that `text` asks to be spoken from now on, None where it asks for none, or for more."""
    found = _SPEAK.fullmatch(_plain(text))
    if found is None:
        return None
    return "en" if (found["en"] or found["later"] or found["ko"]).lower() in ("english", "영어") else "ko"


def asks_what_is_kept(text: str) -> bool:
    """Say whether `text` asks what is kept of people, and by whom it is seen, and nothing else."""
    return _KEPT.fullmatch(_plain(text)) is not None


def _plain(text: str) -> str:
    return " ".join(text.strip(" .,!?~").split()) if len(text) <= LONGEST else ""
