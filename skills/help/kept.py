"""What people ask who want deleted what is kept of them.

Owns the questions, Korean and English, and the answer. Deletes nothing itself: it names the command.

    asks_to_delete("내 데이터 삭제해줘")     # True
"""

from __future__ import annotations

from typing import Final

from bot import lazy
from bot.locale import Language, phrases
from bot.text.said import FILES, said_words, word_set

_ = phrases(__file__)

LONGEST: Final = 60
_DELETE: Final = word_set("delete erase remove forget clear wipe")
_KO_DELETE = lazy.compile(
    r"(?:지우|지워|삭제|잊어)(?:줘요?|주세요|줄래요?|버려|해줘요?|해주세요|해|해요|하려면|하는|고|방법|요)?"
)
_WHOLE: Final = word_set("""
    everything data message messages history chat chats conversation stuff all said wrote sent uploaded
    데이터 정보 기록 메시지 대화 채팅 내역 전부 모두 모든 다 싹 전체 말
""")
_AROUND: Final = word_set("""
    please can could how do i want you to would like my the this our of it here now about me out what that and know added
    내 제 내가 제가 여기 여기서 이 우리 보낸 올린 한 것 거 까지 지금까지 줘 줘요 주세요 줄래 버려 싶어 싶어요 어떻게 해 해요 하나요
    해줘 해주세요 법 방법 알려줘 알려주세요
""")


def asks_to_delete(said: str) -> bool:
    """Say whether `said` asks that what is kept be deleted, and nothing else: every word of it has to be known."""
    if len(said) > LONGEST:
        return False
    words = said_words(said, whole=_AROUND)
    verbs = {word for word in words if word in _DELETE or _KO_DELETE.fullmatch(word)}
    return bool(verbs and words & (_WHOLE | FILES) and words <= verbs | _WHOLE | FILES | _AROUND)


def deleting_told(language: Language) -> str:
    """Return how what is kept is deleted."""
    return _(
        "/forget deletes what you said and sent here, with my answers; /forget NAME one document, and in reply to a message that one. "
        "/privacy says what is kept."
    ).markdown(language)
