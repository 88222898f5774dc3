from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from bot.locale import Language
from bot.message import Address, Button, Command, Reply
from bot.store.chats import Chats, ChatSettings
from bot.store.database import Database
from bot.store.history import History
from bot.store.inbox import Inbox
from bot.store.moving import Moves
from bot.store.outbox import Outbox, Parcel
from bot.store.pasts import Past, Pasts
from bot.store.tables import ButtonRow, InboxRow, OutboxRow, UnreadRow
from bot.testing import make_message

OLD = Address("telegram", "7", "-5", kind="group")
NEW = replace(OLD, chat="-1005")


class Fixture:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.inbox, self.outbox, self.chats = Inbox(database), Outbox(database), Chats(database)
        self.moves = Moves(database, self.chats)

    async def ask(self, text: str, *, at: Address = OLD, id: str = "17", sender: str = "ann") -> int:
        quoted = replace(make_message("what is quoted"), address=at, id="16")
        number = await self.inbox.accept(replace(make_message(text, sender=sender), address=at, id=id, reply_to=quoted))
        assert number is not None
        return number

    async def answer(self, number: int, text: str, *, edits: str = "") -> Parcel:
        message = (await self.inbox.one(number)).message
        reply = Reply(text, "en", reply_to=message.id, buttons=(Button("More", Command("more")),))
        return (await self.inbox.finish(number, message, [reply], edits=edits))[0]

    async def column(self, column: object) -> Sequence[object]:
        async with self.database.read() as connection:
            return (await connection.execute(select(column))).scalars().all()  # type: ignore[call-overload]


@pytest.fixture
def house(database: Database) -> Fixture:
    return Fixture(database)


async def test_a_chats_settings_go_over_and_are_read_anew(house: Fixture) -> None:
    await house.chats.set_language(OLD, "ko")
    await house.chats.set_indexing(OLD, on=True)
    assert await house.chats.settings(NEW) == ChatSettings()
    await house.moves.move(OLD, NEW)
    assert await house.chats.settings(NEW) == ChatSettings("ko", indexing=True)
    assert await house.chats.settings(OLD) == ChatSettings()


@pytest.mark.parametrize(("own", "then"), [("en", "en"), (None, "ko")])
async def test_what_the_new_chat_has_settled_itself_stands(house: Fixture, own: Language | None, then: Language) -> None:
    await house.chats.set_language(OLD, "ko")
    await house.chats.set_indexing(OLD, on=True)
    await house.chats.set_language(NEW, own)
    await house.moves.move(OLD, NEW)
    assert await house.chats.settings(NEW) == ChatSettings(then, indexing=True)


async def test_a_waiting_message_is_one_of_the_new_chat_and_edits_no_message_of_the_old(house: Fixture) -> None:
    number = await house.ask("where is the plan?")
    await house.inbox.placeholder(number, "18")
    await house.moves.move(OLD, NEW)
    waiting = await house.inbox.one(number)
    assert (waiting.message.address, waiting.message.id, waiting.placeholder) == (NEW, "-5/17", "")
    assert waiting.message.reply_to is not None
    assert (waiting.message.reply_to.address, waiting.message.reply_to.id) == (NEW, "-5/16")
    assert [ticket.lane for ticket in await house.inbox.tickets({"telegram": ""})] == [("telegram", "7", "-1005")]


async def test_a_message_of_the_new_chat_with_the_number_of_an_old_one_is_another(house: Fixture) -> None:
    await house.ask("in the old chat")
    await house.moves.move(OLD, NEW)
    assert await house.ask("in the new chat", at=NEW)
    assert await house.inbox.counts() == {"received": 2}


async def test_a_waiting_reply_goes_to_the_new_chat_and_quotes_and_edits_nothing_there(house: Fixture) -> None:
    parcel = await house.answer(await house.ask("where?"), "There.", edits="18")
    await house.moves.move(OLD, NEW)
    moved = await house.outbox.one(parcel.id)
    assert (moved.to, moved.edits, moved.reply.reply_to, moved.reply.text) == (NEW, "", "", "There.")
    assert moved.reply.buttons == parcel.reply.buttons


async def test_what_was_sent_is_known_by_its_old_chat(house: Fixture) -> None:
    number = await house.ask("where?")
    await house.outbox.sent((await house.answer(number, "There.")).id, "18")
    await house.moves.move(OLD, NEW)
    assert await house.column(OutboxRow.platform_id) == ["-5/18"]
    said = replace(make_message("and when?"), address=NEW)
    assert [(one.id, one.text) for one in await History(house.database).last(said, whole_thread=True)] == [
        ("-5/17", "where?"),
        ("-5/18", "There."),
    ]


async def test_a_button_of_who_speaks_as_the_group_is_still_theirs(house: Fixture) -> None:
    await house.answer(await house.ask("where?", sender="-5"), "There.")
    await house.answer(await house.ask("when?", sender="ann", id="19"), "Then.")
    await house.moves.move(OLD, NEW)
    assert sorted(map(str, await house.column(ButtonRow.owner))) == ["-1005", "ann"]
    assert sorted(map(str, await house.column(InboxRow.sender))) == ["-1005", "ann"]


async def test_moved_again_nothing_changes_and_what_was_written_late_goes_along(house: Fixture) -> None:
    number = await house.ask("where?")
    before = (await house.inbox.one(number)).message
    await house.moves.move(OLD, NEW)
    moved = (await house.inbox.one(number)).message
    await house.inbox.rewrite(number, before)
    await house.inbox.finish(number, before, [Reply("There.", "en", reply_to="17")])
    for _time in range(2):
        await house.moves.again(OLD)
        assert (await house.inbox.one(number)).message == moved
        (parcel,) = await house.outbox.of(number)
        assert (parcel.to, parcel.reply.reply_to) == (NEW, "")


async def test_what_still_comes_for_the_old_number_belongs_to_the_new_chat(house: Fixture) -> None:
    late = replace(make_message("late"), address=OLD, id="17")
    assert (await house.moves.current(late), await house.moves.place(OLD)) == (late, OLD)
    await house.moves.move(OLD, NEW)
    assert await house.moves.current(late) == replace(late, address=NEW, id="-5/17")
    elsewhere = replace(late, address=replace(OLD, chat="-6"))
    assert await house.moves.current(elsewhere) == elsewhere


async def test_other_chats_and_a_row_that_cannot_be_read_stay_what_they_are(house: Fixture, database: Database) -> None:
    other = await house.ask("elsewhere", at=replace(OLD, chat="-50"))
    broken = await house.ask("broken", id="18")
    unreadable = update(InboxRow).where(InboxRow.id == broken).values(message="{")
    await database.write(lambda connection: connection.execute(unreadable))
    await house.moves.move(OLD, NEW)
    assert (await house.inbox.one(other)).message.address.chat == "-50"
    assert sorted(map(str, await house.column(InboxRow.chat))) == ["-1005", "-50"]


@pytest.mark.parametrize("own", ["", "done"])
async def test_how_far_a_past_is_read_goes_over_where_the_new_chat_has_none_and_what_is_left_out_always(
    house: Fixture, database: Database, own: str
) -> None:
    pasts = Pasts(database)
    past = Past(OLD.channel, OLD.account, OLD.chat, "telegram:boss", OLD, "en", of_workspace=True, before="7")
    await pasts.order(past)
    await pasts.leave_out(OLD, sender="ann")
    if own:
        await pasts.order(replace(past, chat=NEW.chat, state="done", before=""))
    await house.moves.move(OLD, NEW)
    moved = await pasts.of(NEW)
    assert moved is not None
    assert (moved.state, moved.before) == (("done", "") if own else ("reading", "7"))
    assert await pasts.of(OLD) is None
    assert await house.column(UnreadRow.chat) == [NEW.chat]


async def test_all_or_nothing_goes_over(house: Fixture, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_given: object) -> None:
        raise ZeroDivisionError

    await house.chats.set_language(OLD, "ko")
    monkeypatch.setattr("bot.store.moving.move_scope", broken)
    with pytest.raises(ZeroDivisionError):
        await house.moves.move(OLD, NEW)
    assert await house.chats.settings(OLD) == ChatSettings("ko")
    assert not house.moves.has_moved(OLD)


async def test_after_a_start_it_is_still_known_which_chat_is_which(house: Fixture, database: Database) -> None:
    await house.ask("where?")
    await house.moves.move(OLD, NEW)
    again = Moves(database, Chats(database))
    told_again = await again.current(replace(make_message("where?"), address=OLD, id="17"))
    assert told_again.address == NEW
    assert await house.inbox.accept(told_again) is None
    await again.move(OLD, NEW)
    assert await house.inbox.counts() == {"received": 1}
