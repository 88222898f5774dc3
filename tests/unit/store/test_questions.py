"""The questions of last week, as they are compared by: those that a skill answered, each once a chat, none that was forgotten."""

from datetime import UTC, datetime, timedelta

from bot.message import Message, Reply
from bot.route import Route
from bot.store.database import Database
from bot.store.inbox import Inbox
from bot.store.questions import Questions
from bot.testing import make_message

LONG_AGO = datetime.now(UTC) - timedelta(days=7)


async def answered(database: Database, message: Message, skill: str) -> None:
    inbox = Inbox(database)
    number = await inbox.accept(message)
    assert number is not None
    await inbox.finish(number, message, [Reply("here", "en")], route=Route(skill, "router", 0.9))


async def test_what_search_answered_is_given_newest_first(database: Database) -> None:
    await answered(database, make_message("where is the plan?", id="1"), "search")
    await answered(database, make_message("hello", id="2"), "chat")
    await answered(database, make_message("/search 휴가 규정", id="3", kind="group", chat="team"), "search")
    await Inbox(database).accept(make_message("not answered yet", id="4"))

    asked = await Questions(database).lately("search", since=LONG_AGO, most=10)

    assert [(one.text, one.address.kind) for one in asked] == [("휴가 규정", "group"), ("where is the plan?", "direct")]
    assert len(await Questions(database).lately("search", since=LONG_AGO, most=1)) == 1


async def test_the_same_question_counts_once_a_chat(database: Database) -> None:
    for number, chat in enumerate(("1", "1", "2")):
        await answered(database, make_message("where is the plan?", id=str(number), chat=chat), "search")

    assert len(await Questions(database).lately("search", since=LONG_AGO, most=10)) == 2


async def test_what_was_asked_earlier_or_says_nothing_is_left_out(database: Database) -> None:
    await answered(database, make_message("/search", id="1"), "search")
    await answered(database, make_message("where is the plan?", id="2"), "search")

    asked = await Questions(database).lately("search", since=LONG_AGO, most=10)

    assert [one.text for one in asked] == ["where is the plan?"]
    assert await Questions(database).lately("search", since=datetime.now(UTC) + timedelta(minutes=1), most=10) == []
