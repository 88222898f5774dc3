from dataclasses import replace
from datetime import timedelta

import pytest

from bot.message import Reply
from bot.route import Route
from bot.store.database import Database
from bot.store.history import History
from bot.store.inbox import Inbox
from bot.testing import NOON, make_message


async def test_history_is_the_chats_own_oldest_first(database: Database) -> None:
    inbox = Inbox(database)
    for number in range(4):
        await inbox.accept(make_message(f"say {number}", id=str(number), sent_at=NOON + timedelta(minutes=number)))
    await inbox.accept(make_message("elsewhere", chat="2", id="9", sent_at=NOON))
    asked = make_message("/sum 2", id="4", sent_at=NOON + timedelta(minutes=4))
    await inbox.accept(asked)
    assert [one.text for one in await History(database).last(asked, count=2)] == ["say 2", "say 3"]
    assert [one.text for one in await History(database).last(asked, since=NOON + timedelta(minutes=1))] == [
        "say 1",
        "say 2",
        "say 3",
    ]


@pytest.mark.parametrize("whole_thread", [False, True])
async def test_history_has_the_newest_version_of_what_was_edited_alone(database: Database, *, whole_thread: bool) -> None:
    inbox = Inbox(database)
    for chat in ("1", "2"):
        said = make_message("the code is 1111", chat=chat, id="1", sent_at=NOON)
        for one in (said, replace(said, text="the code is secret", version=7), replace(said, text="the code is gone", version=9)):
            number = await inbox.accept(one)
            assert number is not None
            await inbox.finish(number, one, [])
    await inbox.accept(make_message("the code is 1111", chat="1", id="2", sent_at=NOON + timedelta(minutes=1)))
    asked = make_message("/sum", chat="1", id="3", sent_at=NOON + timedelta(minutes=2))
    said_before = await History(database).last(asked, whole_thread=whole_thread)
    assert [(one.id, one.text) for one in said_before] == [("1", "the code is gone"), ("2", "the code is 1111")]


async def test_what_begins_a_thread_comes_after_what_was_said_beside_all_threads(database: Database) -> None:
    inbox = Inbox(database)
    await inbox.accept(make_message("beside", id="1", sent_at=NOON))
    await inbox.accept(make_message("in another", id="2", thread="0", sent_at=NOON))
    begins = make_message("what is new?", id="3", thread="3", sent_at=NOON + timedelta(minutes=1))
    within = make_message("shorter", id="4", thread="3", sent_at=NOON + timedelta(minutes=2))
    for message in (begins, within):
        await inbox.accept(message)
    assert [one.text for one in await History(database).last(begins)] == ["beside"]
    assert [one.text for one in await History(database).last(within)] == ["what is new?"]


async def test_the_whole_thread_has_the_bots_answers_in_it(database: Database) -> None:
    inbox = Inbox(database)
    message = make_message("hello", id="1")
    number = await inbox.accept(message)
    await inbox.finish(number, message, [Reply("hi", "en")])
    asked = make_message("and you?", id="2", sent_at=NOON + timedelta(minutes=1))
    talk = await History(database).last(asked, whole_thread=True)
    assert [(one.text, one.by_bot) for one in talk] == [("hello", False), ("hi", True)]


async def test_why_finds_the_route_of_the_message_before(database: Database) -> None:
    inbox = Inbox(database)
    message = make_message("where is it?", id="1")
    route = Route("search", "router", 0.91, "chat", 0.05, because=("where",))
    await inbox.finish(await inbox.accept(message), message, [Reply("here", "en")], route=route)
    assert await History(database).said_before(make_message("/why", id="2")) == (message, route)
    assert await History(database).route_of(message) == route
