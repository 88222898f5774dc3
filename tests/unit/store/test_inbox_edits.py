from dataclasses import replace

import pytest

from bot.message import Attachment, Command, Message, Reply
from bot.store.database import Database
from bot.store.inbox import Inbox, Waiting
from bot.store.outbox import Outbox
from bot.testing import make_message


async def answered(database: Database, message: Message, *sent: str) -> None:
    inbox, outbox = Inbox(database), Outbox(database)
    number = await inbox.accept(message)
    assert number is not None
    parcels = await inbox.finish(number, message, [Reply(text, "en") for text in sent])
    for parcel, platform_id in zip(parcels, sent, strict=True):
        await outbox.sent(parcel.id, platform_id)


async def taken(database: Database, message: Message) -> Waiting:
    heard: list[Waiting] = []
    number = await Inbox(database).accept(message, then=heard.append)
    assert number is not None
    kept = await Inbox(database).one(number)
    assert [one.placeholder for one in heard] == [kept.placeholder]
    return kept


async def test_an_edit_is_answered_in_the_place_of_the_former_answer(database: Database) -> None:
    asked = make_message("where is the plan?")
    await answered(database, asked, "901", "902")
    assert (await taken(database, replace(asked, text="where is the old plan?", version=7))).placeholder == "901"


async def test_an_edit_of_what_has_no_answer_yet_is_answered_anew(database: Database) -> None:
    asked = make_message("where is the plan?")
    await Inbox(database).accept(asked)
    assert (await taken(database, replace(asked, text="where is the old plan?", version=7))).placeholder == ""


async def test_the_last_version_counts_and_other_messages_do_not(database: Database) -> None:
    asked = make_message("one")
    await answered(database, make_message("other", id="77"), "900")
    await answered(database, asked, "901")
    await answered(database, replace(asked, text="two", version=7), "905")
    assert (await taken(database, replace(asked, text="three", version=9))).placeholder == "905"
    assert (await taken(database, make_message("two", id="78"))).placeholder == ""


async def test_what_is_edited_while_it_is_answered_is_answered_once_in_the_place_of_its_status(database: Database) -> None:
    inbox, asked = Inbox(database), make_message("where is the plan?")
    first = await inbox.accept(asked)
    edit = replace(asked, text="where is the old plan?", version=7)
    second = await inbox.accept(edit)
    assert first is not None
    assert second is not None
    assert await inbox.finish(first, asked, [Reply("the plan", "en")], edits="900") == []
    assert (await inbox.one(second)).placeholder == "900"
    parcels = await inbox.finish(second, edit, [Reply("the old plan", "en")], edits="900")
    assert parcels is not None
    assert [(parcel.reply.text, parcel.edits) for parcel in parcels] == [("the old plan", "900")]


async def test_an_answer_that_came_while_the_edit_waited_is_edited(database: Database) -> None:
    inbox, asked = Inbox(database), make_message("where is the plan?")
    edit = replace(asked, text="where is the old plan?", version=7)
    await answered(database, asked, "901")
    second = await inbox.accept(edit)
    assert second is not None
    parcels = await inbox.finish(second, edit, [Reply("the old plan", "en")])
    assert parcels is not None
    assert [parcel.edits for parcel in parcels] == ["901"]


@pytest.mark.parametrize(
    "change", [{"text": "b"}, {"command": Command("sum")}, {"attachments": (Attachment("image", "a", "image/png", 1, "new"),)}]
)
async def test_an_edit_that_changes_nothing_is_no_news(database: Database, change: dict[str, object]) -> None:
    asked = make_message("a", attachments=(Attachment("image", "a", "image/png", 1, "ref"),))
    await answered(database, asked, "901")
    assert await Inbox(database).accept(replace(asked, version=7)) is None
    assert await Inbox(database).accept(replace(asked, version=8, **change)) is not None  # type: ignore[arg-type]


async def test_an_edit_of_one_picture_of_an_album_is_about_all_of_them(database: Database) -> None:
    files = tuple(Attachment("image", f"{number}.jpg", "image/jpeg", 1, f"ref{number}") for number in range(3))
    await answered(database, make_message("what is this?", attachments=files), "901")
    words = make_message("and what colour?", attachments=files[:1])
    assert (await taken(database, replace(words, version=7))).message.attachments == files
    other = (Attachment("image", "9.jpg", "image/jpeg", 1, "ref9"),)
    assert (await taken(database, replace(words, version=8, attachments=other))).message.attachments == other
    assert await Inbox(database).accept(replace(words, version=9, attachments=other)) is None
