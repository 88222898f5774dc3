"""Updates of Telegram's of which a part cannot be read: who said what where is understood all the same."""

import copy
from typing import Any, ClassVar

import pytest

from bot.channels.channel import Taken
from bot.channels.telegram_addressing import Me
from bot.channels.telegram_taking import Taking
from bot.message import Message, Press

GROUP = {"id": -1001, "type": "supergroup", "title": "g", "is_forum": True}
PERSON = {"id": 42, "is_bot": False, "first_name": "A", "language_code": "en"}
TOPIC = {"message_thread_id": 9, "is_topic_message": True}
ANSWER: dict[str, Any] = {
    "message_id": 40, "date": 1_700_000_000, "chat": GROUP, "from": {"id": 7, "is_bot": True, "first_name": "P", "username": "ParBot"},
    "text": "because", "entities": [{"type": "bold", "offset": 0, "length": 3}],
    "reply_markup": {"inline_keyboard": [[{"text": "x", "callback_data": "t"}]]}, **TOPIC,
}  # fmt: skip
ODD: dict[str, tuple[list[Any], object]] = {
    "an entity without a length": (["entities", 0], {"type": "bold", "offset": 0}),
    "a button without a text": (["reply_markup", "inline_keyboard", 0, 0], {"callback_data": "t"}),
    "no keyboard": (["reply_markup"], {}),
}


class Intake:
    """Keeps what is accepted."""

    def __init__(self) -> None:
        self.kept: list[Message | Press] = []

    async def accept(self, item: Message | Press) -> Taken:
        self.kept.append(item)
        return Taken(fresh=False)

    async def language(self, *_who: object) -> str:
        return "en"


class Sending:
    """Has written nothing."""

    said: ClassVar[dict[str, int]] = {}

    class moves:  # noqa: N801 - as the attribute is called
        former = staticmethod(lambda _chat: "")

    def type(self, *_what: object, **_more: object) -> None:
        pass

    def wrote(self, *_what: object) -> bool:
        return False

    async def finish(self, **_within: float) -> None:
        pass


class Wire:
    """Answers presses."""

    def __init__(self) -> None:
        self.bot = self

    async def answer_callback_query(self, *_what: object, **_more: object) -> None:
        pass

    async def finish(self, **_within: float) -> None:
        pass


async def taken(update: dict[str, Any]) -> Message | Press:
    intake, wire = Intake(), Wire()
    taking = Taking(intake, wire, Me(7, "ParBot", "7"), Sending(), wire, download_bytes=1)  # type: ignore[arg-type]
    await taking.take([update])
    await taking.finish(within_s=1)
    (item,) = intake.kept
    return item


def odd(kind: str) -> dict[str, Any]:
    (*path, last), value = ODD[kind]
    answer = copy.deepcopy(ANSWER)
    part: Any = answer
    for step in path:
        part = part[step]
    part[last] = value
    return answer


@pytest.mark.parametrize("kind", ODD)
async def test_a_reply_to_the_bot_is_meant_for_it_whatever_cannot_be_read_of_the_quote(kind: str) -> None:
    said = {
        "message_id": 50,
        "date": 1_700_000_000,
        "chat": GROUP,
        "from": PERSON,
        "text": "why?",
        "reply_to_message": odd(kind),
        **TOPIC,
    }
    item = await taken({"update_id": 1, "message": said})
    assert isinstance(item, Message)
    assert (item.addressed, item.text, item.address.thread) == (True, "why?", "9")
    assert item.reply_to is not None
    assert item.reply_to.text == "because"


@pytest.mark.parametrize("kind", ODD)
async def test_a_button_is_pressed_whatever_cannot_be_read_of_the_message_above_it(kind: str) -> None:
    query = {"id": "9", "from": PERSON, "chat_instance": "1", "data": "tok", "message": odd(kind)}
    item = await taken({"update_id": 2, "callback_query": query})
    assert isinstance(item, Press)
    assert (item.token, item.address.chat, item.address.thread, item.sender) == ("tok", "-1001", "9", "42")
