from __future__ import annotations

from typing import Any

import pytest
from telegram import Message, Update

from bot.channels.telegram_addressing import Me
from bot.channels.telegram_incoming import read
from bot.channels.telegram_lenient import padded, sifted, told_message

CHAT = {"id": 42}
FILE = {"file_id": "f"}


def heard(**fields: Any) -> Any:
    update = padded({"update_id": 1, "message": {"message_id": 5, "chat": CHAT, "from": {"id": 42}, **fields}})
    incoming = read(Update.de_json(update, None), Me(7, "ParBot"), download_bytes=100)  # type: ignore[arg-type]
    assert incoming is not None
    return incoming.item


@pytest.mark.parametrize(
    "fields",
    [
        {"text": "hi"},
        {"text": "hi", "reply_to_message": {"message_id": 4, "from": {"id": 7}, "chat": CHAT, "text": "x"}},
        *({kind: FILE} for kind in ("document", "voice", "audio", "video", "video_note", "animation", "sticker")),
        {"photo": [FILE]},
    ],
)
def test_a_message_of_few_fields_is_understood(fields: dict[str, Any]) -> None:
    message = heard(**fields)
    assert message.address.kind == "direct"
    assert message.text or message.attachments


def test_the_answer_to_a_send_needs_only_its_number() -> None:
    answer = padded({"message_id": 5, "from": {"id": 7}, "chat": {"id": -100}, "photo": [FILE]})
    sent = Message.de_json(answer, None)  # type: ignore[arg-type]
    assert sent is not None
    assert (sent.message_id, sent.chat.type) == (5, "supergroup")


def test_what_is_there_stays() -> None:
    whole = {
        "message_id": 5,
        "date": 0,
        "chat": {"id": 42, "type": "group"},
        "from": {"id": 1, "is_bot": True, "first_name": "x"},
    }
    assert padded(whole) == whole
    assert padded([1, "a", None, {"a": [{}]}]) == [1, "a", None, {"a": [{}]}]


def test_a_bottomless_answer_is_left_alone() -> None:
    deep: Any = {}
    for _level in range(100):
        deep = {"reply_to_message": deep}
    assert padded(deep) == deep


def test_what_is_null_is_not_there() -> None:
    nothing = {"from": {"id": 42, "language_code": None}, "date": None, "entities": None, "photo": None, "forward_origin": None}
    update = {"update_id": 1, "message": {"message_id": 5, "chat": CHAT, "text": "hi", **nothing}, "my_chat_member": None}
    told = padded(update)
    assert isinstance(told, dict)
    assert set(told) == {"update_id", "message"}
    assert set(told["message"]) == {"message_id", "chat", "text", "from", "date"}


def test_a_lone_surrogate_goes_and_no_offset_moves() -> None:
    assert padded({"text": "a\ud800b", "file_id": "\udfff", "emoji": "\U0001f600"}) == {
        "text": "a\ufffdb", "file_id": "\ufffd", "emoji": "\U0001f600",
    }  # fmt: skip


@pytest.mark.parametrize(
    "result", [True, None, [], "sent", 5, {}, {"message_id": "7"}, {"message_id": -7}, {"message_id": 10**30}]
)
def test_a_send_whose_answer_tells_no_number_was_sent_all_the_same(result: object) -> None:
    assert told_message(result)["message_id"] == 0


def test_of_what_a_send_answered_its_number_alone_is_kept() -> None:
    told = told_message({"message_id": 7, "date": 10**30, "from": 5, "chat": {"id": "elsewhere"}})
    assert told == {"message_id": 7, "date": 0, "chat": {"id": 0, "type": "private"}}


@pytest.mark.parametrize("date", [0, -5, 2**40, "x", None, True, 1.5, {}])
def test_a_moment_that_is_none_costs_no_message(date: object) -> None:
    message = heard(text="hi", date=date, reply_to_message={"message_id": 4, "chat": CHAT, "date": date, "text": "x"})
    assert (message.text, message.reply_to.text) == ("hi", "x")
    edited = padded(
        {"update_id": 1, "edited_message": {"message_id": 5, "chat": CHAT, "from": {"id": 42}, "text": "hi", "edit_date": date}}
    )
    assert read(Update.de_json(edited, None), Me(7), download_bytes=1) is not None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "forwarded", [{"forward_date": 5, "forward_from": {"id": 9}}, {"forward_date": 5, "forward_sender_name": "Ann"}]
)
def test_what_an_older_server_calls_forwarded_is_no_order(forwarded: dict[str, Any]) -> None:
    assert heard(text="/swap chat x").command is not None
    assert heard(text="/swap chat x", **forwarded).command is None


@pytest.mark.parametrize(
    "strange", [{"forward_origin": {"type": "user", "date": "x"}}, {"forward_origin": 5}, {"via_bot": {"name": 1}}]
)
def test_what_cannot_be_read_of_others_words_leaves_them_others_words(strange: dict[str, Any]) -> None:
    def readable(message: dict[str, object]) -> bool:
        try:
            heard(**{"text": "-", **message})
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            return False
        return True

    assert heard(**sifted({"message_id": 5, "chat": CHAT, "text": "/swap chat x", **strange}, readable)).command is None
