from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.channels.telegram_gather import Series, bundles, whole
from bot.message import Address, Attachment, Command, Message
from bot.parts import after, together

HERE = Address("telegram", "7", "42")
FULL = "word " * 819  # 4,095 units


def update(number: int, **fields: Any) -> dict[str, Any]:
    message = {"message_id": number, "date": 1_700_000_000, "chat": {"id": 42}, "from": {"id": 42}, **fields}
    return {"update_id": number, "message": message}


def numbers(updates: list[Any]) -> list[list[object]]:
    return [[one["update_id"] for one in bundle.updates] for bundle in bundles(updates)]


def message(text: str = "", *, name: str = "p.jpg", **fields: Any) -> Message:
    file = Attachment("image", name, "image/jpeg", 9, ref=name)
    given: dict[str, Any] = {"id": "5", "attachments": (file,), "sent_at": datetime(2026, 1, 1, tzinfo=UTC), **fields}
    return Message(HERE, "42", text=text, language="en", **given)


def test_an_albums_pictures_are_one_thing_whatever_comes_between_them() -> None:
    other = update(3, chat={"id": 9}, text="hi")
    albums = [update(1, media_group_id="a"), update(2, media_group_id="a"), other, update(4, media_group_id="a")]
    assert numbers(albums) == [[1, 2, 4], [3]]
    assert [bundle.open for bundle in bundles(albums)] == [True, False]
    assert numbers([update(1, media_group_id="a"), update(2, media_group_id="b")]) == [[1], [2]]
    assert numbers([update(1, media_group_id="a"), update(2, media_group_id="a", chat={"id": 9})]) == [[1], [2]]


def test_the_pieces_of_a_long_text_are_one_thing() -> None:
    assert numbers([update(1, text=FULL), update(2, text=FULL), update(3, text="end"), update(4, text="next")]) == [
        [1, 2, 3],
        [4],
    ]
    assert [bundle.open for bundle in bundles([update(1, text=FULL)])] == [True]
    assert [bundle.open for bundle in bundles([update(1, text=FULL), update(2, text="end")])] == [False]
    assert [bundle.open for bundle in bundles([update(1, text="x" * 4097)])] == [False]


@pytest.mark.parametrize(
    "second",
    [
        {"text": "/help"},
        {"text": "end", "from": {"id": 43}},
        {"text": "end", "date": 1_700_000_009},
        {"text": "end", "message_thread_id": 5},
        {"text": "end", "reply_to_message": {"message_id": 1}},
        {"text": "end", "forward_origin": {}},
        {"photo": []},
    ],
)
def test_what_is_said_after_a_long_text_and_is_no_piece_of_it_stays_apart(second: dict[str, Any]) -> None:
    assert numbers([update(1, text=FULL), update(2, **second)]) == [[1], [2]]


def test_updates_that_come_one_by_one_are_told_what_they_are_parts_of() -> None:
    series = Series()
    said = [
        update(1, media_group_id="a"), update(2, text="in between", chat={"id": 9}), update(3, media_group_id="a"),
        update(4, text=FULL), update(4, text=FULL), update(5, text=FULL), update(6, text="end"), update(7, text="next"),
        update(8, text=FULL), update(9, text="/help"), {"update_id": 10, "callback_query": {}},
    ]  # fmt: skip
    text = "text 4"
    expected = ["album a", "", "album a", text, text, text, text, "", "text 8", "", ""]
    assert [series.part_of(one) for one in said] == expected


def test_updates_of_other_kinds_and_broken_ones_stay_apart() -> None:
    odd: list[Any] = [{"update_id": 1}, {"update_id": 2, "message": 5}, {"update_id": 3, "callback_query": {}}]
    odd += [update(4, chat={"id": []}, text=FULL), update(5, **{"from": {"id": {}}}, message_thread_id=[], media_group_id=[1])]
    assert numbers(odd) == [[1], [2], [3], [4], [5]]
    assert [Series().part_of(one) for one in odd] == ["", "", "", "text 4", "album [1]"]


def test_pieces_become_one_text_with_all_their_entities() -> None:
    first = update(1, text="😀 /sum ", entities=[{"type": "bot_command", "offset": 3, "length": 4}])
    second = update(2, text="see @ParBot", entities=[{"type": "mention", "offset": 4, "length": 7}, "odd"])
    one = whole([first, second])["message"]
    assert isinstance(one, dict)
    assert one["text"] == "😀 /sum \nsee @ParBot"
    assert [(entity["offset"], entity["length"]) for entity in one["entities"]] == [(3, 4), (13, 7)]
    assert one["message_id"] == 1
    cut = whole([update(1, text="x" * 4096), update(2, text="yz")])["message"]
    assert isinstance(cut, dict)
    assert cut["text"] == "x" * 4096 + "yz"


def test_an_album_is_one_message_with_its_caption_and_all_its_files() -> None:
    quoted = message("what is quoted")
    parts = [
        message(addressed=False, reply_to=quoted),
        message("/ocr", command=Command("ocr"), id="6"),
        message(addressed=False, name="q.jpg"),
    ]
    one = together(parts)
    assert (one.id, one.text, one.command, one.addressed, one.reply_to) == ("6", "/ocr", Command("ocr"), True, quoted)
    assert [file.name for file in one.attachments] == ["p.jpg", "p (2).jpg", "q.jpg"]


def test_a_command_is_about_the_whole_of_a_cut_text() -> None:
    parts = [message("/sum one", command=Command("sum", "one")), message("two", id="6"), message("three", id="7")]
    one = together(parts)
    assert (one.text, one.command) == ("/sum one\ntwo\nthree", Command("sum", "one\ntwo\nthree"))


def test_a_late_picture_is_asked_what_its_album_was_asked() -> None:
    head = message("/ocr", command=Command("ocr"))
    assert after(head, message(addressed=False, id="9")) == message("/ocr", command=Command("ocr"), id="9")
    own = message("what is this?", id="9")
    assert after(head, own) == own


def test_an_edit_waits_for_the_album_that_it_edits() -> None:
    edit = {"update_id": 3, "edited_message": update(1, media_group_id="a")["message"]}
    album, edited = bundles([update(1, media_group_id="a"), update(2, media_group_id="a"), edit])
    assert (album.open, album.chat, edited.chat) == (True, 42, 42)


def test_the_last_piece_that_comes_again_keeps_its_name() -> None:
    """It could not be kept at first."""
    series = Series()
    names = [
        series.part_of(one) for one in (update(1, text=FULL), update(2, text="end"), update(2, text="end"), update(3, text="hi"))
    ]
    assert names == ["text 1", "text 1", "text 1", ""]
