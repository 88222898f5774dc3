from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from bot.intake import Reception, clean
from bot.message import Button, Command, Press, Reply
from bot.store.blobs import BlobStore
from bot.store.chats import Chats
from bot.store.database import Database
from bot.store.inbox import Inbox
from bot.store.outbox import Outbox
from bot.store.tables import ButtonRow
from bot.testing import NOON, make_message


class Fixture:
    def __init__(self, database: Database, folder: Path) -> None:
        self.woken = 0
        self.database, self.inbox, self.chats = database, Inbox(database), Chats(database)
        self.reception = Reception(self.inbox, self.chats, BlobStore(folder), wake=self.wake, default="en", text_bytes=1000)

    def wake(self) -> None:
        self.woken += 1

    async def button(self) -> str:
        message = make_message("hello", sender="ann")
        number = await self.inbox.accept(message)
        assert number is not None
        await self.inbox.finish(number, message, [Reply("hi", "en", buttons=(Button("More", Command("search", "2")),))])
        return (await Outbox(self.database).of(number))[0].reply.buttons[0].token

    def press(self, token: str, *, sender: str = "ann") -> Press:
        return Press(make_message().address, sender, "p1", token, "en", NOON)


@pytest.fixture
def house(database: Database, tmp_path: Path) -> Fixture:
    return Fixture(database, tmp_path)


async def test_a_message_is_committed_and_the_worker_woken(house: Fixture) -> None:
    assert (await house.reception.accept(make_message("hello"))).fresh
    assert house.woken == 1
    assert await house.inbox.counts() == {"received": 1}


async def test_the_same_message_again_changes_nothing(house: Fixture) -> None:
    await house.reception.accept(make_message("hello"))
    assert not (await house.reception.accept(make_message("hello"))).fresh
    assert house.woken == 1


async def test_talk_that_is_not_for_the_bot_is_not_kept(house: Fixture) -> None:
    overheard = replace(make_message("between us", kind="group"), addressed=False)
    assert not (await house.reception.accept(overheard)).fresh
    assert await house.inbox.counts() == {}


async def test_it_is_kept_where_the_chat_said_index_on(house: Fixture) -> None:
    overheard = replace(make_message("for all of us", kind="group"), addressed=False)
    await house.chats.set_indexing(overheard.address, on=True)
    assert (await house.reception.accept(overheard)).fresh


async def test_a_press_is_a_command_about_the_message(house: Fixture) -> None:
    assert (await house.reception.accept(house.press(await house.button()))).fresh
    (waiting,) = await house.inbox.waiting(["test"], after=0, most=9)
    assert waiting.message.command == Command("search", "2")
    assert waiting.message.reply_to is not None
    assert waiting.message.reply_to.text == "hello"


async def test_a_press_that_is_delivered_twice_counts_once(house: Fixture) -> None:
    press = house.press(await house.button())
    await house.reception.accept(press)
    assert not (await house.reception.accept(press)).fresh


async def test_somebody_elses_button_is_refused_in_words(house: Fixture) -> None:
    taken = await house.reception.accept(house.press(await house.button(), sender="bob"))
    assert not taken.fresh
    assert "somebody else" in taken.note


async def test_an_expired_button_is_refused_in_words(house: Fixture) -> None:
    token = await house.button()
    await house.database.write(
        lambda connection: connection.execute(update(ButtonRow).values(expires_at=NOON - timedelta(days=999)))
    )
    assert "expired" in (await house.reception.accept(house.press(token))).note


async def test_the_language_is_the_chats_then_the_texts_then_the_platforms(house: Fixture) -> None:
    address = make_message().address
    assert await house.reception.language(address, "안녕", "en-GB") == "ko"
    assert await house.reception.language(address, "123", "ko-KR") == "ko"
    assert await house.reception.language(address, "123", "fr") == "en"
    await house.chats.set_language(address, "en")
    assert await house.reception.language(address, "안녕", "ko") == "en"


@pytest.mark.parametrize(
    ("text", "kept"), [("a\0b", "ab"), ("a\ud83db", "a\ufffdb"), ("🐈안", "🐈안"), ("\ud83d\udc08", "🐈"), ("", "")]
)
def test_texts_are_cleaned_of_what_no_part_can_hold(text: str, kept: str) -> None:
    assert clean(text) == kept


async def test_a_text_over_the_limit_is_cut_to_where_it_is_seen_to_be_over(house: Fixture) -> None:
    await house.reception.accept(make_message("x" * 5000))
    (waiting,) = await house.inbox.waiting(["test"], after=0, most=9)
    assert len(waiting.message.text) == 1001
