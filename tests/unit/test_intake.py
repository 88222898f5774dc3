import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic_core import PydanticSerializationError
from sqlalchemy import update

from bot.intake import Reception, clean
from bot.message import DOWN, PRIVATELY, UP, Address, Button, ChatKind, Command, Message, Position, Press, Reply
from bot.store.blobs import BlobStore
from bot.store.chats import Chats
from bot.store.database import Database
from bot.store.inbox import Inbox, Waiting
from bot.store.moving import Moves
from bot.store.outbox import Outbox
from bot.store.tables import ButtonRow
from bot.testing import NOON, make_message


class Fixture:
    def __init__(self, database: Database, folder: Path) -> None:
        self.arrived: list[Waiting] = []
        self.stopped: list[int] = []
        self.refused: list[tuple[str, Command]] = []
        self.complaints: list[str] = []
        self.thumbs: list[tuple[str, str]] = []
        self.removed: list[str] = []
        self.database, self.inbox, self.chats = database, Inbox(database), Chats(database)
        self.reception = Reception(
            self.inbox, self.chats, BlobStore(folder), Moves(database, self.chats), arrived=self.arrived.append, stop=self.stop,
            default="en", text_bytes=1000, refused=self.refuse, complained=lambda slot, _answer: self.complaints.append(slot),
            rated=lambda channel, thumb: self.thumbs.append((channel, thumb)), removed=self.remove,
        )  # fmt: skip

    async def refuse(self, press: Press, command: Command) -> None:
        self.refused.append((press.sender, command))

    async def remove(self, _address: Address, message: str) -> None:
        self.removed.append(message)

    def stop(self, number: int) -> bool:
        self.stopped.append(number)
        return number == 1

    async def button(self, *, sender: str = "ann", args: str = "2", kind: ChatKind = "direct", name: str = "search") -> str:
        message = make_message("hello", sender=sender, kind=kind)
        number = await self.inbox.accept(message)
        assert number is not None
        await self.inbox.finish(number, message, [Reply("hi", "en", buttons=(Button("More", Command(name, args)),))])
        return (await Outbox(self.database).of(number))[0].reply.buttons[0].token

    def press(self, token: str, *, sender: str = "ann") -> Press:
        return Press(make_message().address, sender, "p1", token, "en", NOON)


@pytest.fixture
def house(database: Database, tmp_path: Path) -> Fixture:
    return Fixture(database, tmp_path)


async def test_a_message_is_committed_and_given_to_the_worker(house: Fixture) -> None:
    assert (await house.reception.accept(make_message("hello"))).fresh
    assert [waiting.message.text for waiting in house.arrived] == ["hello"]
    assert await house.inbox.counts() == {"received": 1}


async def test_the_same_message_again_changes_nothing(house: Fixture) -> None:
    await house.reception.accept(make_message("hello"))
    assert not (await house.reception.accept(make_message("hello"))).fresh
    assert len(house.arrived) == 1


async def test_talk_that_is_not_for_the_bot_is_not_kept(house: Fixture) -> None:
    overheard = replace(make_message("between us", kind="group"), addressed=False)
    assert not (await house.reception.accept(overheard)).fresh
    assert await house.inbox.counts() == {}


async def test_it_is_kept_where_the_chat_said_index_on(house: Fixture) -> None:
    overheard = replace(make_message("for all of us", kind="group"), addressed=False)
    await house.chats.set_indexing(overheard.address, on=True)
    assert (await house.reception.accept(overheard)).fresh


@pytest.mark.parametrize(("addressed", "taken_back"), [(False, ["1"]), (True, [])])
async def test_what_was_kept_is_taken_back_by_an_edit_once_the_chat_is_indexed_no_more(
    house: Fixture, *, addressed: bool, taken_back: list[str]
) -> None:
    said = replace(make_message("the code is 1111", kind="group", id="1"), addressed=addressed)
    await house.chats.set_indexing(said.address, on=True)
    await house.reception.accept(said)
    await house.chats.set_indexing(said.address, on=False)
    for unkept in (replace(said, id="2", version=7), replace(said, id="1", version=7)):
        assert not (await house.reception.accept(replace(unkept, text="it is secret", addressed=False))).fresh
    assert house.removed == taken_back


async def test_an_edit_that_was_kept_and_comes_again_or_changes_nothing_takes_nothing_back(house: Fixture) -> None:
    said = replace(make_message("the code is 1111", kind="group", id="1"), version=7, addressed=False)
    await house.chats.set_indexing(said.address, on=True)
    await house.reception.accept(said)
    await house.chats.set_indexing(said.address, on=False)
    for again in (said, replace(said, text="an older one", version=6), replace(said, version=9)):
        await house.reception.accept(again)
    assert house.removed == []


async def test_a_press_that_is_answered_privately_is_said_in_the_pressers_own_chat(house: Fixture) -> None:
    token = await house.button(args=PRIVATELY, kind="group")
    press = replace(house.press(token), address=make_message(kind="group").address, alone=make_message(chat="ann").address)
    taken = await house.reception.accept(press)
    assert (taken.fresh, taken.note) == (True, "I answer you in our own chat.")
    (waiting,) = house.arrived
    message = waiting.message
    assert (message.address, message.command) == (make_message(chat="ann").address, Command("search"))
    assert message.reply_to is not None
    assert message.reply_to.address.kind == "group"


async def test_it_is_not_answered_where_the_channel_has_no_such_chat(house: Fixture) -> None:
    token = await house.button(args=PRIVATELY, kind="group")
    taken = await house.reception.accept(replace(house.press(token), address=make_message(kind="group").address))
    assert (taken.fresh, taken.note) == (False, "I may not write to you privately here.")
    assert house.arrived == []


async def test_nobody_else_presses_it(house: Fixture) -> None:
    token = await house.button(args=PRIVATELY, kind="group")
    group, alone = make_message(kind="group").address, make_message(chat="ben").address
    taken = await house.reception.accept(replace(house.press(token, sender="ben"), address=group, alone=alone))
    assert (taken.fresh, "somebody else" in taken.note) == (False, True)


async def test_a_press_is_a_command_about_the_message(house: Fixture) -> None:
    assert (await house.reception.accept(house.press(await house.button()))).fresh
    (waiting,) = house.arrived
    assert waiting.message.command == Command("search", "2")
    assert waiting.message.reply_to is not None
    assert waiting.message.reply_to.text == "hello"


async def test_a_press_that_is_delivered_twice_counts_once(house: Fixture) -> None:
    press = house.press(await house.button())
    await house.reception.accept(press)
    assert not (await house.reception.accept(press)).fresh


@pytest.mark.parametrize(("kind", "fresh"), [("group", True), ("direct", False)])
async def test_who_asked_as_the_group_itself_may_press_as_a_person(house: Fixture, kind: ChatKind, fresh: bool) -> None:
    token = await house.button(sender=make_message().address.chat)
    press = house.press(token, sender="bob")
    taken = await house.reception.accept(replace(press, address=replace(press.address, kind=kind)))
    assert taken.fresh == fresh


async def test_somebody_elses_button_is_refused_in_words(house: Fixture) -> None:
    taken = await house.reception.accept(house.press(await house.button(), sender="bob"))
    assert not taken.fresh
    assert "somebody else" in taken.note
    assert house.refused == [("bob", Command("search", "2"))]


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
    assert await house.reception.language(address, "/help", "ko") == "ko", "a command's name is of no language"
    link = "https://example.org/a-very-long-address/of-a-page/that-is-written-in-latin-letters"
    assert await house.reception.language(address, link, "ko") == "ko", "nor is a link"
    assert await house.reception.language(address, f"{link} 요약", "en") == "ko"
    assert await house.reception.language(address, "/tr the plan", "ko") == "en"
    assert await house.reception.language(address, "/번역 the whole plan", "en") == "ko", (
        "who writes the command in Hangul reads it"
    )
    assert await house.reception.language(address, "/교체 요약 lexrank", "en") == "ko"
    assert await house.reception.language(address, "/swap summarise lexrank --force look", "ko") == "ko", (
        "names are of no language"
    )
    assert await house.reception.language(address, "/swap summarise lexrank", "en") == "en"
    assert await house.reception.language(address, "/swap 요약 summarise.lexrank.v1", "en") == "ko"
    assert await house.reception.language(address, "/modelsx the plan", "ko") == "en"
    assert await house.reception.language(address, "/도움말", "en") == "ko"
    await house.chats.set_language(address, "en")
    assert await house.reception.language(address, "안녕", "ko") == "en"


@pytest.mark.parametrize(
    ("text", "kept"), [("a\0b", "ab"), ("a\ud83db", "a\ufffdb"), ("🐈안", "🐈안"), ("\ud83d\udc08", "🐈"), ("", "")]
)
def test_texts_are_cleaned_of_what_no_part_can_hold(text: str, kept: str) -> None:
    assert clean(text) == kept


async def test_a_text_over_the_limit_is_cut_to_where_it_is_seen_to_be_over(house: Fixture) -> None:
    await house.reception.accept(make_message("x" * 5000))
    (waiting,) = house.arrived
    assert len(waiting.message.text) == 1001


@pytest.mark.parametrize(("number", "said"), [("1", "stopping"), ("2", "nothing to stop"), ("x", "nothing to stop")])
async def test_a_press_on_cancel_is_an_order_at_once_and_no_message(house: Fixture, number: str, said: str) -> None:
    waiting = await house.inbox.accept(make_message("long work"))
    assert waiting is not None
    button = await house.inbox.button(waiting, "ann", "Cancel", Command("cancel", number))
    taken = await house.reception.accept(house.press(button.token))
    assert (taken.fresh, said in taken.note) == (False, True)
    assert house.stopped == ([int(number)] if number.isdecimal() else [])
    assert await house.inbox.counts() == {"received": 1}


async def test_what_was_committed_is_given_to_the_worker_though_its_sender_went_away(house: Fixture) -> None:
    await house.reception.accept(make_message("before", id="0"))
    accepting = asyncio.ensure_future(house.reception.accept(make_message("hello")))
    await asyncio.sleep(0)
    accepting.cancel()
    await house.reception.accept(make_message("and then", id="2"))
    assert [waiting.message.text for waiting in house.arrived] == ["before", "hello", "and then"]


async def test_a_chat_that_moved_is_known_under_both_numbers(house: Fixture) -> None:
    old = replace(make_message().address, chat="-5", kind="group")
    new = replace(old, chat="-1005")
    await house.chats.set_language(old, "ko")
    await house.reception.moved(old, new)
    assert await house.reception.language(old, "", "en") == "ko"
    await house.reception.accept(replace(make_message("late"), address=old, id="17"))
    assert [(waiting.message.address, waiting.message.id) for waiting in house.arrived] == [(new, "-5/17")]


async def test_pictures_of_an_album_that_calls_the_bot_only_later_are_kept_all_the_same(house: Fixture) -> None:
    def part(number: int, *, addressed: bool, album: str = "album a") -> Message:
        return replace(make_message("x", kind="group"), id=str(number), addressed=addressed, part_of=album)

    assert not (await house.reception.accept(part(1, addressed=False))).fresh
    assert not (await house.reception.accept(part(2, addressed=False, album="album b"))).fresh
    assert await house.inbox.counts() == {}
    assert (await house.reception.accept(part(3, addressed=True))).fresh
    assert (await house.reception.accept(part(4, addressed=False))).fresh
    assert [waiting.message.id for waiting in house.arrived] == ["3", "1", "4"]


async def test_a_button_under_an_old_message_is_answered_in_its_thread(house: Fixture) -> None:
    message = make_message("hello", kind="group")
    asked = replace(message, address=replace(message.address, thread="7"))
    number = await house.inbox.accept(asked)
    assert number is not None
    await house.inbox.finish(number, asked, [Reply("hi", "en", buttons=(Button("More", Command("more")),))])
    token = (await Outbox(house.database).of(number))[0].reply.buttons[0].token
    await house.reception.accept(replace(house.press(token), address=message.address))
    assert house.arrived[-1].message.address == asked.address


async def test_a_button_in_a_thread_of_a_direct_chat_whose_room_is_named_is_answered_in_the_thread(house: Fixture) -> None:
    """As Matrix names it."""
    message = make_message("hello")
    asked = replace(message, address=replace(message.address, thread="!room $root"))
    number = await house.inbox.accept(asked)
    assert number is not None
    await house.inbox.finish(number, asked, [Reply("hi", "en", buttons=(Button("More", Command("more")),))])
    token = (await Outbox(house.database).of(number))[0].reply.buttons[0].token
    await house.reception.accept(replace(house.press(token), address=replace(message.address, thread="!room")))
    assert house.arrived[-1].message.address == asked.address


async def test_a_button_of_one_channel_is_none_of_anothers_also_by_a_person_of_the_same_name(house: Fixture) -> None:
    token = await house.button()
    elsewhere = replace(house.press(token), address=replace(make_message().address, channel="web", account="local", chat="me"))
    taken = await house.reception.accept(elsewhere)
    assert (taken.fresh, "expired" in taken.note) == (False, True)
    assert house.arrived == []


async def test_what_came_together_is_committed_with_how_far_was_read(house: Fixture) -> None:
    first, second = make_message("hello"), replace(make_message("and again"), id="m2")
    taken = await house.reception.accept_all([first, second], read_to=Position("test", "bot", "s2"))
    assert [one.fresh for one in taken] == [True, True]
    assert [waiting.message.text for waiting in house.arrived] == ["hello", "and again"]
    assert await house.reception.position("test", "bot") == "s2"
    assert await house.reception.position("test", "another") == ""


async def test_what_was_read_before_is_taken_once_and_the_rest_all_the_same(house: Fixture) -> None:
    first, second = make_message("hello"), replace(make_message("and again"), id="m2")
    await house.reception.accept(first)
    taken = await house.reception.accept_all([first, second], read_to=Position("test", "bot", "s2"))
    assert [one.fresh for one in taken] == [False, True]
    assert [waiting.message.text for waiting in house.arrived] == ["hello", "and again"]


async def test_nothing_is_read_where_what_came_cannot_be_kept(house: Fixture) -> None:
    await house.reception.accept_all([], read_to=Position("test", "bot", "s1"))
    with pytest.raises(PydanticSerializationError):
        await house.reception.accept_all(
            [make_message("hello"), replace(make_message("no"), id=object())],  # type: ignore[arg-type]
            read_to=Position("test", "bot", "s2"),
        )
    assert await house.inbox.counts() == {}
    assert await house.reception.position("test", "bot") == "s1"


async def test_a_press_that_came_with_messages_is_committed_with_them(house: Fixture) -> None:
    token = await house.button()
    taken = await house.reception.accept_all([house.press(token), house.press("unknown")], read_to=Position("test", "bot", "s2"))
    assert [(one.fresh, bool(one.note)) for one in taken] == [(True, False), (False, True)]


@pytest.mark.parametrize(
    ("thumb", "slot", "said", "complaints"),
    [(UP, "summarise", "Thank you.", []), (DOWN, "", "Thank you.", []), (DOWN, "summarise", "new model", ["summarise"] * 2)],
)
async def test_a_thumb_is_thanked_for_and_counts_once(
    house: Fixture, thumb: str, slot: str, said: str, complaints: list[str]
) -> None:
    token = await house.button(name=thumb, args=slot)
    for _time in range(2):
        taken = await house.reception.accept(house.press(token))
        assert not taken.fresh
        assert said in taken.note
    assert house.thumbs == [("test", thumb)]
    assert house.complaints == complaints
    assert not house.arrived
