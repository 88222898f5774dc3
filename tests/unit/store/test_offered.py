"""Buttons that are pressed by writing their number: those under the last answer to the one who writes."""

from __future__ import annotations

from bot.message import Button, Command, Message, Reply
from bot.store.database import Database
from bot.store.inbox import Inbox
from bot.store.outbox import Outbox
from bot.testing import make_message


async def answered(database: Database, message: Message, *labels: str, shown: bool = True) -> None:
    inbox, outbox = Inbox(database), Outbox(database)
    number = await inbox.accept(message)
    assert number is not None
    buttons = tuple(Button(label, Command("more")) for label in labels)
    for parcel in await inbox.finish(number, message, [Reply("hi", "en", buttons=buttons)]) if shown else ():
        await outbox.sent(parcel.id, "m")
    if not shown:
        await inbox.finish(number, message, [Reply("hi", "en", buttons=buttons)])


async def labels(database: Database, person: str, message: Message) -> list[str]:
    offered = await Outbox(database).offered(message.address, person)
    assert all(button.token for button in offered)
    return [button.label for button in offered]


async def test_they_are_those_of_the_last_answer_that_has_any(database: Database) -> None:
    here = make_message("one", id="1")
    assert await labels(database, "ann", here) == []
    await answered(database, here, "Old")
    await answered(database, make_message("two", id="2"), "More", "Less")
    await answered(database, make_message("three", id="3"))
    assert await labels(database, "ann", here) == ["More", "Less"]
    await answered(database, make_message("four", id="4"), "Not shown yet", shown=False)
    assert await labels(database, "ann", here) == ["More", "Less"]


async def test_they_are_nobody_else_s_and_no_other_chat_s(database: Database) -> None:
    here = make_message("one", id="1")
    await answered(database, here, "Mine")
    await answered(database, make_message("two", id="2", sender="bob"), "Bob's")
    assert await labels(database, "ann", here) == ["Mine"]
    assert await labels(database, "bob", here) == ["Bob's"]
    assert await labels(database, "ann", make_message("x", chat="2")) == []
