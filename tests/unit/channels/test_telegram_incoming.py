from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from telegram import Update

from bot.channels.telegram_addressing import Me
from bot.channels.telegram_incoming import EXTERNAL, moved, read
from bot.channels.telegram_taking import is_twice
from bot.message import Address, Attachment, Command, Message, Press

ME = Me(7, "ParBot")
ANN = {"id": 42, "is_bot": False, "first_name": "Ann", "language_code": "ko"}
DIRECT = {"id": 42, "type": "private", "first_name": "Ann"}
GROUP = {"id": -100, "type": "supergroup", "title": "Team"}
LIMIT = 20 * 2**20


def update(kind: str = "message", **fields: Any) -> Update:
    message = {"message_id": 5, "from": ANN, "chat": DIRECT, "date": 1_700_000_000, **fields}
    return Update.de_json({"update_id": 1, kind: message}, None)


def message(**fields: Any) -> Message:
    incoming = read(update(**fields), ME, download_bytes=LIMIT)
    assert incoming is not None
    assert isinstance(incoming.item, Message)
    return incoming.item


def entity(kind: str, text: str, part: str, **more: Any) -> dict[str, Any]:
    offset = len(text[: text.index(part)].encode("utf-16-le")) // 2
    return {"type": kind, "offset": offset, "length": len(part.encode("utf-16-le")) // 2, **more}


def said(text: str, *entities: dict[str, Any], **fields: Any) -> Message:
    return message(text=text, entities=list(entities), **fields)


def grouped(text: str, *entities: dict[str, Any], **fields: Any) -> Message:
    return said(text, *entities, chat=GROUP, **fields)


def sized(width: int, size: int) -> dict[str, Any]:
    return {"file_id": f"f{width}", "file_unique_id": f"u{width}", "width": width, "height": width, "file_size": size}


def file(**fields: Any) -> dict[str, Any]:
    return {"file_id": "f", "file_unique_id": "u", "file_size": 9, **fields}


# commands and mentions


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/sum 50", Command("sum", "50")),
        ("/SUM@parbot  오늘 ", Command("sum", "오늘")),
        ("/start", Command("start")),
        ("/tr 한국어\n둘째 줄", Command("tr", "한국어\n둘째 줄")),
    ],
)
@pytest.mark.parametrize("with_entities", [True, False])
def test_a_command_at_the_start_is_read(text: str, command: Command, with_entities: bool) -> None:
    entities = [entity("bot_command", text, text.split(maxsplit=1)[0])] if with_entities else []
    assert said(text, *entities).command == command


@pytest.mark.parametrize("text", ["/usr/bin/env", "see /sum", "/", "//x", "/한글/문서", "a/b"])
def test_what_only_looks_like_a_command_is_text(text: str) -> None:
    assert said(text).command is None
    assert said(text).text == text


def test_a_command_after_the_start_is_text() -> None:
    text = "please /sum 50"
    assert said(text, entity("bot_command", text, "/sum")).command is None


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("@ParBot 회의록 찾아줘", "회의록 찾아줘"),
        ("@PARBOT, find it", "find it"),
        ("@ParBot님 안녕", "안녕"),
        ("@ParBot아, 안녕", "안녕"),
        ("@ParBot아이디 알려줘", "아이디 알려줘"),
        ("hey @ParBot what now", "hey what now"),
        ("😀😀 what now @ParBot", "😀😀 what now"),
        ("@ParBot", ""),
    ],
)
def test_a_mention_addresses_the_bot_and_is_cut(text: str, left: str) -> None:
    at = text[text.index("@") :][:7]
    heard = grouped(text, entity("mention", text, at))
    assert (heard.addressed, heard.text) == (True, left)
    unmarked = grouped(text, entity("bold", text, text[0]))
    assert (unmarked.addressed, unmarked.text) == (True, left)


@pytest.mark.parametrize("text", ["@parbot find it", "@PARBOT find it", "find it @pArBoT"])
@pytest.mark.parametrize("marked", [None, ("bold", "find"), ("bot_command", "it")])
def test_a_mention_is_believed_by_its_text_in_any_case_where_it_is_not_marked(text: str, marked: tuple[str, str] | None) -> None:
    heard = grouped(text, *([entity(marked[0], text, marked[1])] if marked else []))
    assert (heard.addressed, heard.text) == (True, "find it")


@pytest.mark.parametrize("kind", ["code", "pre", "url", "text_link"])
def test_a_name_that_is_shown_or_opened_calls_nobody(kind: str) -> None:
    assert not grouped("see @ParBot", entity(kind, "see @ParBot", "@ParBot")).addressed


def test_a_part_of_another_name_calls_nobody() -> None:
    assert not grouped("mail a@parbot.example").addressed
    assert not grouped("@ParBotanist find it").addressed


def test_a_mention_by_id_addresses_the_bot() -> None:
    text = "Par find it"
    me = {"id": 7, "is_bot": True, "first_name": "Par"}
    assert grouped(text, entity("text_mention", text, "Par", user=me)).text == "find it"
    assert not grouped(text, entity("text_mention", text, "Par", user={**me, "id": 8})).addressed


def test_a_mention_before_a_command_keeps_it_a_command() -> None:
    text = "@ParBot /sum 50"
    heard = grouped(text, entity("mention", text, "@ParBot"), entity("bot_command", text, "/sum"))
    assert (heard.command, heard.text) == (Command("sum", "50"), "/sum 50")


@pytest.mark.parametrize("marked", ["", "@ParBot", "50"])
def test_a_command_that_a_server_does_not_mark_is_one_all_the_same(marked: str) -> None:
    text = " @ParBot, /sum 50"
    entities = [entity({"@ParBot": "mention", "50": "bold"}[marked], text, marked)] if marked else []
    assert grouped(text, *entities).command == Command("sum", "50")
    assert said("/sum 50", *([entity("bold", "/sum 50", "50")] if marked else [])).command == Command("sum", "50")


@pytest.mark.parametrize("kind", ["code", "pre", "url", "text_link"])
def test_what_is_marked_as_something_else_is_no_command(kind: str) -> None:
    assert said("/sum 50", entity(kind, "/sum 50", "/sum")).command is None


def test_a_command_in_korean_is_one_where_the_words_are_for_the_bot() -> None:
    bot = {"message_id": 4, "date": 1, "chat": GROUP, "from": {"id": 7, "is_bot": True, "first_name": "P"}, "text": "x"}
    mine = Command("요약", "10")
    assert said("/요약 10").command == mine
    assert grouped("/요약 10", reply_to_message=bot).command == mine
    assert grouped("@parbot님 /요약 10").command == mine
    overheard = grouped("/요약 10")
    assert (overheard.command, overheard.addressed, overheard.text) == (None, False, "/요약 10")
    assert said("/요약 10", forward_origin={"type": "hidden_user", "date": 1, "sender_user_name": "Eve"}).command is None


def test_a_command_for_another_bot_is_not_for_us_even_as_a_reply_to_us() -> None:
    text = "/sum@OtherBot 50"
    quoted = {"message_id": 4, "date": 1, "chat": GROUP, "from": {"id": 7, "is_bot": True, "first_name": "P"}, "text": "x"}
    heard = grouped(text, entity("bot_command", text, "/sum@OtherBot"), reply_to_message=quoted)
    assert (heard.addressed, heard.command) == (False, None)


def test_entities_beyond_the_text_do_no_harm() -> None:
    heard = grouped("hi", {"type": "mention", "offset": 50, "length": 9}, {"type": "bot_command", "offset": -3, "length": 1})
    assert (heard.text, heard.addressed) == ("hi", False)


def test_a_caption_counts_as_text() -> None:
    text = "@ParBot what is it"
    heard = message(chat=GROUP, caption=text, caption_entities=[entity("mention", text, "@ParBot")], photo=[sized(8, 9)])
    assert (heard.text, heard.addressed, len(heard.attachments)) == ("what is it", True, 1)


def test_forwarded_text_orders_nothing_and_calls_nobody() -> None:
    text = "/swap summarise kobart @ParBot"
    origin = {"type": "hidden_user", "date": 1, "sender_user_name": "Eve"}
    direct = said(text, entity("bot_command", text, "/swap"), forward_origin=origin)
    assert (direct.command, direct.text) == (None, text)
    assert not grouped(text, entity("mention", text, "@ParBot"), forward_origin=origin).addressed


# who and where


def test_bots_channels_and_service_messages_are_nothing() -> None:
    for fields in (
        {"from": {**ANN, "is_bot": True}, "text": "x"},
        {"from": {"id": 7, "is_bot": True, "first_name": "me"}, "text": "x"},
        {"chat": {"id": -1, "type": "channel", "title": "c"}, "text": "x"},
        {"is_automatic_forward": True, "sender_chat": {"id": -1, "type": "channel", "title": "c"}, "text": "x"},
        {"new_chat_members": [ANN]},
        {"new_chat_title": "x"},
        {"pinned_message": {"message_id": 1, "date": 1, "chat": DIRECT, "text": "x"}},
    ):
        assert read(update(**fields), ME, download_bytes=LIMIT) is None
    assert read(update("channel_post", text="x"), ME, download_bytes=LIMIT) is None
    assert read(Update.de_json({"update_id": 1}, None), ME, download_bytes=LIMIT) is None


def test_an_anonymous_admin_speaks_in_the_groups_name() -> None:
    anonymous = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
    heard = grouped("hi", **{"from": anonymous, "sender_chat": GROUP})
    assert (heard.sender, heard.sender_name) == ("-100", "Team")


def test_a_thread_is_a_topic_only_where_telegram_says_so() -> None:
    assert grouped("x", message_thread_id=9).address.thread == ""
    assert grouped("x", message_thread_id=9, is_topic_message=True).address.thread == "9"


def test_the_root_of_a_topic_is_no_quoted_message() -> None:
    root = {"message_id": 9, "date": 1, "chat": GROUP, "from": {"id": 7, "is_bot": True, "first_name": "P"}}
    for quoted in (root, {**root, "message_id": 8, "forum_topic_created": {"name": "t", "icon_color": 1}}):
        heard = grouped("x", message_thread_id=9, is_topic_message=True, reply_to_message=quoted)
        assert (heard.reply_to, heard.addressed) == (None, False)


@pytest.mark.parametrize(("kind", "expected"), [("private", "direct"), ("group", "group"), ("supergroup", "group")])
def test_kinds_of_chats(kind: str, expected: str) -> None:
    assert said("x", chat={"id": 5, "type": kind, "title": "t"}).address.kind == expected


def test_a_forum_is_known_by_its_chat_or_by_its_message() -> None:
    assert said("x", chat={**GROUP, "is_forum": True}, message_thread_id=9).address.thread == "9"
    assert said("x", chat=GROUP, message_thread_id=9, is_topic_message=True).address.thread == "9"
    assert said("x", chat=GROUP, message_thread_id=9).address.thread == ""


def test_an_anonymous_admin_is_the_group_even_where_the_server_does_not_say_so() -> None:
    anonymous = {"id": 1087968824, "is_bot": True, "first_name": "Group"}
    assert said("x", chat=GROUP, **{"from": anonymous}).sender == "-100"


# what comes with it


def test_the_largest_photo_that_may_be_fetched_is_taken() -> None:
    sizes = [sized(90, 1_000), sized(800, 100_000), sized(4000, 30_000_000)]
    assert [file.ref for file in message(photo=sizes).attachments] == ["f800"]
    assert [file.size_bytes for file in message(photo=[sized(4000, 30_000_000)]).attachments] == [30_000_000]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"document": file(file_name="a.pdf", mime_type="application/pdf")}, ("document", "a.pdf", "application/pdf")),
        ({"document": file(file_name="a.PNG", mime_type="image/png")}, ("image", "a.PNG", "image/png")),
        ({"document": file(file_name="scan.PNG")}, ("image", "scan.PNG", "image/png")),
        ({"document": file(file_name="b.jpg", mime_type="application/octet-stream")}, ("image", "b.jpg", "image/jpeg")),
        ({"document": file(file_name="a.svg", mime_type="image/svg+xml")}, ("document", "a.svg", "image/svg+xml")),
        ({"document": file(file_name="../../etc\\x\x00.txt")}, ("document", "x .txt", "text/plain")),
        ({"document": file()}, ("document", "document_2023-11-14_22-13-20_5", "application/octet-stream")),
        (
            {"document": file(mime_type="application/pdf")},
            ("document", "document_2023-11-14_22-13-20_5.pdf", "application/pdf"),
        ),
        ({"voice": file(duration=3)}, ("audio", "voice.ogg", "audio/ogg")),
        ({"audio": file(duration=3, file_name="노래.mp3", mime_type="audio/mpeg")}, ("audio", "노래.mp3", "audio/mpeg")),
        ({"video": file(duration=3, width=1, height=1)}, ("video", "video.mp4", "video/mp4")),
        ({"video_note": file(duration=3, length=1)}, ("video", "video.mp4", "video/mp4")),
        (
            {"animation": file(duration=3, width=1, height=1, file_name="a.mp4"), "document": file(file_name="a.mp4")},
            ("video", "a.mp4", "video/mp4"),
        ),
        (
            {"sticker": file(width=1, height=1, is_animated=False, is_video=False, type="regular", emoji="😀")},
            ("sticker", "😀", "image/webp"),
        ),
    ],
)
def test_files_are_told_by_kind_name_and_type(fields: dict[str, Any], expected: tuple[str, str, str]) -> None:
    kind, name, media_type = expected
    assert message(**fields).attachments == (Attachment(kind, name, media_type, 9, "f"),)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "fields",
    [
        {"location": {"latitude": 1.0, "longitude": 2.0}},
        {"contact": {"phone_number": "1", "first_name": "x"}},
        {"dice": {"value": 1, "emoji": "🎲"}},
    ],
)
def test_what_has_no_words_is_an_empty_message_and_its_live_updates_are_nothing(fields: dict[str, Any]) -> None:
    heard = message(**fields)
    assert (heard.text, heard.attachments, heard.addressed) == ("", (), True)
    assert read(update("edited_message", edit_date=1_700_000_009, **fields), ME, download_bytes=LIMIT) is None


def test_text_that_no_database_takes_is_cleaned() -> None:
    assert said("a\x00b \ud83d c").text == "a b \ufffd c"


# quotes and edits


def test_the_chosen_part_of_a_quoted_message_is_its_text() -> None:
    quoted = {"message_id": 4, "date": 1, "chat": DIRECT, "from": ANN, "text": "long text, part of it"}
    heard = said("what?", reply_to_message=quoted, quote={"text": "part", "position": 11})
    assert heard.reply_to is not None
    assert (heard.reply_to.text, heard.reply_to.id, heard.reply_to.sender) == ("part", "4", "42")


def test_a_quote_from_another_chat_brings_its_file() -> None:
    external = {"origin": {"type": "user", "date": 1, "sender_user": ANN}, "document": file(file_name="a.txt")}
    heard = said("sum it", external_reply=external)
    assert heard.reply_to is not None
    assert (heard.reply_to.id, heard.reply_to.sender_name, heard.reply_to.address) == (EXTERNAL, "Ann", heard.address)
    assert [attachment.name for attachment in heard.reply_to.attachments] == ["a.txt"]


def test_an_edit_without_a_date_is_still_another_version() -> None:
    incoming = read(update("edited_message", text="x"), ME, download_bytes=LIMIT)
    assert incoming is not None
    assert isinstance(incoming.item, Message)
    assert incoming.item.version == 1_700_000_000


def test_what_another_bot_wrote_in_a_persons_name_orders_nothing() -> None:
    text = "/swap summarise x"
    other = {"id": 9, "is_bot": True, "first_name": "Weather", "username": "WeatherBot"}
    assert said(text, entity("bot_command", text, "/swap"), via_bot=other).command is None
    assert said(text, entity("bot_command", text, "/swap")).command == Command("swap", "summarise x")


# presses and moves


def test_a_press_under_a_message_too_old_to_show_keeps_its_chat() -> None:
    query = {"id": "q", "from": ANN, "chat_instance": "c", "data": "tok", "message": {"message_id": 1, "date": 0, "chat": GROUP}}
    incoming = read(Update.de_json({"update_id": 1, "callback_query": query}, None), ME, download_bytes=LIMIT)
    assert incoming is not None
    assert isinstance(incoming.item, Press)
    assert (incoming.item.token, incoming.item.address.chat, incoming.platform_language) == ("tok", "-100", "ko")


def test_a_press_without_data_or_message_is_nothing() -> None:
    for fields in ({"data": "x"}, {"game_short_name": "g", "message": {"message_id": 1, "date": 0, "chat": GROUP}}):
        query = {"id": "q", "from": ANN, "chat_instance": "c", **fields}
        assert read(Update.de_json({"update_id": 1, "callback_query": query}, None), ME, download_bytes=LIMIT) is None


@pytest.mark.parametrize(
    ("token", "number", "after_s", "twice"), [("t", "2", 0.3, True), ("t", "2", 5, False), ("other", "2", 0.3, False), ("t", "1", 0.3, False)]
)  # fmt: skip
def test_only_the_same_button_pressed_again_soon_is_pressed_twice(token: str, number: str, after_s: float, twice: bool) -> None:
    first = Press(Address("telegram", "7", "42"), "42", "1", "t", "en", datetime(2026, 11, 30, tzinfo=UTC))
    again = replace(first, id=number, token=token, sent_at=first.sent_at + timedelta(seconds=after_s))
    assert is_twice(first, again) == twice


def test_a_move_is_told_from_both_sides() -> None:
    assert moved({"message": {"chat": GROUP, "migrate_to_chat_id": -1001}}) == (-100, -1001)
    assert moved({"message": {"chat": GROUP, "migrate_from_chat_id": -5}}) == (-5, -100)
    for nothing in ({"chat": GROUP, "text": "x"}, {"migrate_to_chat_id": -1}, {"chat": GROUP, "migrate_to_chat_id": "x"}, 5):
        assert moved({"message": nothing}) is None
