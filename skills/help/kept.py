"""What people ask of what is kept of them: which files there are, and how it is deleted.

Owns the questions, Korean and English, and their answers. Deletes nothing itself: it names the command.

    asks_of_kept("what files do you have?")   # "files"
    asks_of_kept("내 데이터 삭제해줘")             # "deleting"
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal

from bot.locale import Language, phrases
from bot.passage import MESSAGE, WITHIN, Held
from bot.text.shown import literal, named

_ = phrases(__file__)

LONGEST: Final = 60
MOST_NAMED: Final = 20


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_FILES: Final = _words("file files document documents docs uploads 파일 문서 자료 파일들 문서들 자료들")
_WHICH: Final = _words(
    "what which where list show 무슨 어떤 뭐 뭐야 뭐예요 뭐있어 어디 어디에 어디야 어디있어 목록 리스트 보여 보여줘 보여줘요 보여주세요"
)
_SENT: Final = _words("send sent upload uploaded add added give gave given share shared")
_BESIDE: Final = _words("""
    do did you have i are is were was my the all of here now there kept stored indexed me please that so far to your our these those
    know keep in tell 내 제 내가 제가 우리 우리가 지금까지 여기 여기에 보낸 올린 보내준 가진 갖고 가지고 있는 저장된 있어 있어요 있니
    있나요 있지 있습니까 줘 줘요 주세요 알려줘 알려줘요 알려주세요 알려
""")
_DELETE: Final = _words("delete erase remove forget clear wipe")
_KO_DELETE = re.compile(r"(?:지우|지워|삭제|잊어)(?:줘요?|주세요|줄래요?|버려|해줘요?|해주세요|해|해요|하려면|하는|고|방법|요)?")
_WHOLE: Final = _words("""
    everything data message messages history chat chats conversation stuff all said wrote sent uploaded
    데이터 정보 기록 메시지 대화 채팅 내역 전부 모두 모든 다 싹 전체 말
""")
_AROUND: Final = _words("""
    please can could how do i want you to would like my the this our of it here now about me out what that and know added
    내 제 내가 제가 여기 여기서 이 우리 보낸 올린 한 것 거 까지 지금까지 줘 줘요 주세요 줄래 버려 싶어 싶어요 어떻게 해 해요 하나요
    해줘 해주세요 법 방법 알려줘 알려주세요
""")
_WORD = re.compile(r"\w+")
_PARTICLES = re.compile(r"(?<=[가-힣]{2})(?:이|은|는|가|을|를|도)$")


def asks_of_kept(said: str) -> Literal["", "files", "deleting"]:
    """Return what `said` asks of what is kept, "" where it asks for something else, or for more: every word of it has to be known."""
    if len(said) > LONGEST:
        return ""
    words = {_PARTICLES.sub("", word) if word not in _BESIDE | _AROUND else word for word in _WORD.findall(said.casefold())}
    sent = _SENT if "i" in words else frozenset[str]()
    if words & _WHICH and words & (_FILES | sent) and words <= _FILES | _WHICH | _SENT | _BESIDE:
        return "files"
    verbs = {word for word in words if word in _DELETE or _KO_DELETE.fullmatch(word)}
    if verbs and words & (_WHOLE | _FILES) and words <= verbs | _WHOLE | _FILES | _AROUND:
        return "deleting"
    return ""


def files_told(held: Sequence[Held], language: Language) -> str:
    """Return the names of the documents that a chat has, the newest first."""
    files = [one for one in held if not one.key.startswith(MESSAGE) and WITHIN not in one.key.partition(":")[2]]
    if not files:
        return _(
            "Nobody has sent a file here yet. Send me one, and ask what stands in it; what my admin added for all is found as well."
        ).markdown(language)
    lines = [_("Kept in this chat, the newest first ({count}):", count=len(files)).markdown(language), ""]
    lines += [f"- {literal(named(one.title))}" for one in files[:MOST_NAMED]]
    if len(files) > MOST_NAMED:
        lines.append(f"- {_('and {count} more', count=len(files) - MOST_NAMED).markdown(language)}")
    return "\n".join([*lines, "", _("Ask what stands in one, or have one deleted: /forget NAME").markdown(language)])


def deleting_told(language: Language) -> str:
    """Return how what is kept is deleted."""
    return _(
        "/forget deletes what you said and sent here, with my answers; /forget NAME one document, and in reply to a message that one. "
        "/privacy says what is kept."
    ).markdown(language)
