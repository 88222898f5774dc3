from dataclasses import replace

import pytest

from bot.message import Button, Command, Message, Reply, pack, unpack
from bot.route import Route
from bot.store.chats import Chats, Label
from bot.store.database import Database
from bot.store.inbox import Inbox
from bot.store.outbox import Outbox, Parcel
from bot.store.places import Recovered, Ticket
from bot.store.transcript import Talk
from bot.testing import make_message

HERE = {"test": ""}


async def waiting_in(outbox: Outbox) -> list[Parcel]:
    return [await outbox.one(ticket.id) for ticket in await outbox.tickets(HERE)]


async def test_a_message_is_accepted_once(database: Database) -> None:
    inbox = Inbox(database)
    first = await inbox.accept(make_message("hello"))
    assert first is not None
    assert await inbox.accept(make_message("hello")) is None


async def test_a_message_that_comes_after_its_edit_is_not_taken(database: Database) -> None:
    inbox = Inbox(database)
    said = make_message("hello")
    assert await inbox.accept(replace(said, text="hello you", version=7)) is not None
    for stale in (said, replace(said, text="hallo", version=6)):
        assert await inbox.accept(stale) is None
    assert await inbox.accept(replace(said, text="hello all", version=8)) is not None


async def test_a_later_version_of_a_message_is_new(database: Database) -> None:
    inbox = Inbox(database)
    await inbox.accept(make_message("helo"))
    assert await inbox.accept(replace(make_message("hello"), version=7)) is not None


async def test_a_message_comes_back_as_it_went_in(database: Database) -> None:
    inbox = Inbox(database)
    message = make_message("/sum 50 안녕 🐈", reply_to=make_message("before", id="0"), thread="t")
    number = await inbox.accept(message)
    assert (await inbox.one(number)).message == message
    assert unpack(Message, pack(message)) == message


async def test_done_and_its_reply_are_written_as_one(database: Database) -> None:
    inbox, outbox = Inbox(database), Outbox(database)
    message = make_message("hello")
    number = await inbox.accept(message)
    await inbox.start(number)
    await inbox.finish(number, message, [Reply("hi", "en")], route=Route("chat", "router", 0.9))
    assert await inbox.counts() == {"done": 1}
    (parcel,) = await waiting_in(outbox)
    assert (parcel.reply.text, parcel.to, parcel.state) == ("hi", message.address, "ready")


async def test_what_was_being_worked_on_is_waiting_again_after_a_crash(database: Database) -> None:
    inbox = Inbox(database)
    number = await inbox.accept(make_message("hello"))
    await inbox.start(number)
    assert await inbox.tickets(HERE) == []
    assert (await inbox.recover(HERE, of=[""])).begun == 1
    (ticket,) = await inbox.tickets(HERE)
    assert ticket == Ticket(number, ("test", "bot", "1"), "test:ann")
    assert (await inbox.one(number)).attempts == 1


async def test_a_send_that_was_leaving_is_ambiguous_after_a_crash(database: Database) -> None:
    inbox, outbox = Inbox(database), Outbox(database)
    message = make_message("hello")
    number = await inbox.accept(message)
    (sent,) = await inbox.finish(number, message, [Reply("hi", "en")])
    await outbox.sending(sent.id)
    assert await waiting_in(outbox) == []
    assert (await outbox.recover(HERE, of=[""])).begun == 1
    (parcel,) = await waiting_in(outbox)
    assert parcel.state == "ambiguous"


async def test_a_button_orders_its_command_about_the_message(database: Database) -> None:
    inbox, outbox, chats = Inbox(database), Outbox(database), Chats(database)
    message = make_message("hello", sender="ann")
    number = await inbox.accept(message)
    await inbox.finish(number, message, [Reply("hi", "en", buttons=(Button("More", Command("search", "--count 5")),))])
    (parcel,) = await waiting_in(outbox)
    (button,) = parcel.reply.buttons
    assert 0 < len(button.token.encode()) <= 64
    order = await chats.order(button.token)
    assert order is not None
    assert (order.command, order.owner, order.about) == (Command("search", "--count 5"), "ann", message)


async def test_an_unknown_token_orders_nothing(database: Database) -> None:
    assert await Chats(database).order("made up") is None


async def test_labels_are_kept_in_order(database: Database) -> None:
    chats = Chats(database)
    await chats.keep_label(Label("shrink it", "en", "summarise", "search"))
    await chats.keep_label(Label("찾아", "ko", "search", "chat"))
    assert [label.label for label in await chats.labels()] == ["summarise", "search"]


async def test_settings_of_a_chat_outlive_the_process(database: Database) -> None:
    address = make_message().address
    await Chats(database).set_language(address, "ko")
    await Chats(database).set_indexing(address, on=True)
    settings = await Chats(database).settings(address)
    assert (settings.language, settings.indexing) == ("ko", True)


async def test_the_transcript_is_both_sides_in_order_and_pages_back(database: Database) -> None:
    inbox, talk = Inbox(database), Talk(database)
    for number in range(3):
        message = make_message(f"q{number}", id=str(number))
        await inbox.finish(await inbox.accept(message), message, [Reply(f"a{number}", "en")])
    newest = await talk.page(make_message().address, count=3)
    assert [entry.said.text for entry in newest] == ["a1", "q2", "a2"]
    earlier = await talk.page(make_message().address, before=newest[0].place, count=9)
    assert [entry.said.text for entry in earlier] == ["q0", "a0", "q1"]


async def test_an_answer_that_was_edited_into_a_placeholder_goes_by_its_id(database: Database) -> None:
    inbox, talk = Inbox(database), Talk(database)
    message = make_message("q")
    await inbox.finish(await inbox.accept(message), message, [Reply("a", "en")], edits="status 1")
    assert [entry.id for entry in await talk.page(message.address)] == ["1", "status 1"]


async def test_an_answer_is_found_by_the_id_that_the_page_knows(database: Database) -> None:
    inbox, talk = Inbox(database), Talk(database)
    for number, edits in enumerate(["", "status 1"]):
        message = make_message("q", id=str(number + 70))
        await inbox.finish(await inbox.accept(message), message, [Reply(f"a{number}", "en")], edits=edits)
    for entry in await talk.page(make_message().address):
        found = await talk.find(make_message().address, entry.id)
        assert found is not None
        assert found.said == entry.said


BEFORE_ALL, AFTER_ALL = "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"


@pytest.mark.parametrize(
    "garbage", ["0", "abc", "9" * 26, "٣", "²", "' OR 1=1", "2026-01-01", "\0", "x" * 5000, BEFORE_ALL, AFTER_ALL]
)
async def test_what_is_no_place_and_no_id_finds_nothing(database: Database, garbage: str) -> None:
    inbox, talk = Inbox(database), Talk(database)
    message = make_message("q")
    await inbox.finish(await inbox.accept(message), message, [Reply("a", "en")])
    assert await talk.page(message.address, before=garbage) == []
    assert await talk.find(message.address, garbage) is None


async def test_two_bots_in_one_home_leave_each_others_messages_alone(database: Database) -> None:
    one, other = Inbox(database, owner="one"), Inbox(database, owner="other")
    mine, theirs = await one.accept(make_message("mine")), await other.accept(make_message("theirs", id="2"))
    await other.start(theirs)
    assert sorted(await one.owners(HERE)) == ["one", "other"]
    assert await one.recover(HERE, of=[]) == Recovered((), begun=0)
    assert [ticket.id for ticket in await one.tickets(HERE)] == [mine]
    assert await one.recover(HERE, of=["other"]) == Recovered((Ticket(theirs, ("test", "bot", "1"), "test:ann"),), begun=1)
    assert [ticket.id for ticket in await one.tickets(HERE)] == [mine, theirs]


async def test_a_bot_that_serves_one_chat_takes_over_that_one_alone(database: Database) -> None:
    gone, inbox = Inbox(database, owner="gone"), Inbox(database, owner="one")
    await gone.accept(make_message("elsewhere", chat="2"))
    here = await gone.accept(make_message("here", chat="1", id="2"))
    await inbox.recover({"test": "1"}, of=["gone"])
    assert [ticket.id for ticket in await inbox.tickets({"test": "1"})] == [here]


async def test_a_send_of_another_living_bot_is_not_called_lost(database: Database) -> None:
    inbox, other, outbox = Inbox(database, owner="other"), Outbox(database, owner="other"), Outbox(database, owner="one")
    message = make_message("hello")
    (parcel,) = await inbox.finish(await inbox.accept(message), message, [Reply("hi", "en")])
    await other.sending(parcel.id)
    assert await outbox.recover(HERE, of=["one"]) == Recovered((), begun=0)
    assert (await outbox.one(parcel.id)).state == "sending"


async def test_the_parts_that_went_out_are_remembered(database: Database) -> None:
    inbox, outbox = Inbox(database), Outbox(database)
    message = make_message("hello")
    (parcel,) = await inbox.finish(await inbox.accept(message), message, [Reply("long", "en")])
    await outbox.went_out(parcel.id, ["7", "8"])
    await outbox.recover(HERE, of=[""])
    again = await outbox.one(parcel.id)
    assert (again.state, again.parts) == ("ambiguous", ("7", "8"))


async def test_tickets_are_read_on_from_where_they_ended(database: Database) -> None:
    inbox = Inbox(database)
    numbers = [await inbox.accept(make_message(str(number), id=str(number))) for number in range(5)]
    first = await inbox.tickets(HERE, most=3)
    rest = await inbox.tickets(HERE, after=first[-1].id, most=3)
    assert [ticket.id for ticket in (*first, *rest)] == numbers
