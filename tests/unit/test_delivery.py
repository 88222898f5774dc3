import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from fakes.channel import FakeChannel
from sqlalchemy import delete, update

from bot.channels.channel import AmbiguousSendError, Channel, ChannelError, GoneError, RetryLaterError
from bot.delivery import LOOKED_FOR_AFTER_S, Delivery
from bot.errors import StoreError
from bot.feed import Turn
from bot.message import Address, Reply, Source
from bot.store.database import Database
from bot.store.inbox import Inbox
from bot.store.outbox import Outbox, Parcel
from bot.store.tables import OutboxRow
from bot.testing import make_message


async def ready(database: Database, text: str = "hi", *, edits: str = "", id: str = "1") -> Parcel:
    inbox = Inbox(database)
    message = make_message("hello", id=id)
    number = await inbox.accept(message)
    assert number is not None
    (parcel,) = await inbox.finish(number, message, [Reply(text, "en")], edits=edits)
    return parcel


async def states(database: Database) -> dict[str, int]:
    return await Outbox(database).counts()


async def delivered(database: Database, channel: Channel, parcel: Parcel) -> list[float]:
    """Try until the reply is sent or dead; return the waits between the tries."""
    delivery, turn, waits = Delivery(Outbox(database), {"test": channel}), Turn(parcel.id, parcel), []
    while (wait_s := await delivery.take(turn)) is not None:
        waits.append(wait_s)
    return waits


async def test_a_reply_is_sent_and_marked(database: Database) -> None:
    channel = FakeChannel()
    assert await delivered(database, channel, await ready(database)) == []
    assert [reply.text for _key, reply in channel.sent] == ["hi"]
    assert await states(database) == {"sent": 1}


async def test_a_placeholder_is_edited_into_the_answer(database: Database) -> None:
    channel = FakeChannel()
    await delivered(database, channel, await ready(database, edits="m7"))
    assert [(sent, reply.text) for sent, reply in channel.edited] == [("m7", "hi")]
    assert channel.sent == []


async def test_told_to_wait_it_waits_as_long_and_sends_once(database: Database) -> None:
    channel = FakeChannel(failures=[RetryLaterError("slow down", retry_after_s=17)])
    assert await delivered(database, channel, await ready(database)) == [17]
    assert len(channel.sent) == 1


async def test_a_platform_that_is_away_for_long_loses_no_reply(database: Database) -> None:
    channel = FakeChannel(failures=[RetryLaterError("away", retry_after_s=5)] * 50)
    assert len(await delivered(database, channel, await ready(database))) == 50
    assert await states(database) == {"sent": 1}


async def test_a_send_of_unknown_fate_is_repeated_and_says_so(database: Database) -> None:
    channel = FakeChannel(failures=[AmbiguousSendError("cut")])
    await delivered(database, channel, await ready(database))
    ((_key, reply),) = channel.sent
    assert "Sent again" in reply.text


async def test_where_a_key_makes_sends_repeatable_nothing_is_said(database: Database) -> None:
    channel = FakeChannel(repeatable=True, failures=[AmbiguousSendError("cut")])
    parcel = await ready(database)
    await delivered(database, channel, parcel)
    assert [(key, reply.text) for key, reply in channel.sent] == [(str(parcel.id), "hi")]


async def test_what_can_be_looked_for_is_not_looked_for_before_it_can_be_there(database: Database) -> None:
    parcel, channel = await ready(database), FakeChannel(failures=[AmbiguousSendError("cut")])
    channel.limits = replace(channel.limits, finds_sent=True)
    waits = await delivered(database, channel, parcel)
    assert waits[0] == LOOKED_FOR_AFTER_S > 0.5


async def test_a_fate_that_stays_unknown_ends(database: Database) -> None:
    channel = FakeChannel(failures=[AmbiguousSendError("cut")] * 50)
    waits = await delivered(database, channel, await ready(database))
    assert waits == sorted(waits)
    assert await states(database) == {"dead": 1}


@pytest.mark.parametrize("error", [GoneError("blocked"), ChannelError("refused"), RuntimeError("a bug")])
async def test_what_can_never_be_sent_is_dead_at_once(database: Database, error: Exception) -> None:
    channel = FakeChannel(failures=[error])
    await delivered(database, channel, await ready(database))
    assert await states(database) == {"dead": 1}


@pytest.mark.parametrize(("wait_s", "kept_s"), [(200, 200), (30 * 86_400, 300)], ids=["as told", "the clock was put back"])
async def test_a_wait_that_was_told_is_kept_over_a_restart_and_is_never_longer_than_any(
    database: Database, wait_s: int, kept_s: int
) -> None:
    parcel = await ready(database)
    outbox, channel = Outbox(database), FakeChannel()
    await outbox.later(parcel.id, datetime.now(UTC) + timedelta(seconds=wait_s), "slow down")
    again = Turn(parcel.id, await outbox.one(parcel.id))
    assert await Delivery(outbox, {"test": channel}).take(again) == pytest.approx(kept_s, abs=60)
    assert channel.sent == []


async def test_running_it_sends_what_was_left_before_and_what_comes(database: Database) -> None:
    await ready(database, "old", id="1")
    channel = FakeChannel()
    delivery = Delivery(Outbox(database), {"test": channel})
    running = asyncio.create_task(delivery.run())
    await channel.arrived.wait()
    channel.arrived.clear()
    delivery.hand([await ready(database, "new", id="2")])
    await channel.arrived.wait()
    running.cancel()
    assert [reply.text for _key, reply in channel.sent] == ["old", "new"]


async def test_a_channel_that_breaks_does_not_stop_the_others(database: Database) -> None:
    channel = FakeChannel(failures=[RuntimeError("bug")])
    delivery = Delivery(Outbox(database), {"test": channel})
    await ready(database, "first", id="1")
    await ready(database, "second", id="2")
    running = asyncio.create_task(delivery.run())
    await channel.arrived.wait()
    running.cancel()
    assert [reply.text for _key, reply in channel.sent] == ["second"]


@pytest.mark.parametrize("step", ["sending", "sent"])
async def test_a_store_that_fails_for_a_while_delays_a_reply_and_repeats_none(
    database: Database, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    monkeypatch.setattr("bot.feed.FIRST_WAIT_S", 0.0)
    failures, ended, method = [StoreError("locked"), StoreError("locked")], asyncio.Event(), getattr(Outbox, step)

    async def flaky(self: Outbox, *arguments: object) -> None:
        if failures:
            raise failures.pop()
        await method(self, *arguments)
        if self is outbox and step == "sent":
            ended.set()

    monkeypatch.setattr(Outbox, step, flaky)
    outbox, channel = Outbox(database), FakeChannel()
    delivery = Delivery(outbox, {"test": channel})
    running = asyncio.create_task(delivery.run())
    await asyncio.sleep(0)
    parcel = await ready(database)
    delivery.hand([parcel])
    await (ended if step == "sent" else channel.arrived).wait()
    assert await delivery.finish(within_s=60)
    running.cancel()
    assert [reply.text for _key, reply in channel.sent] == ["hi"]
    assert await states(database) == {"sent": 1}


async def test_a_doubtful_send_that_is_told_to_wait_is_still_doubtful_after_a_crash(database: Database) -> None:
    parcel, outbox = await ready(database), Outbox(database)
    channel = FakeChannel(failures=[AmbiguousSendError("cut"), RetryLaterError("slow down", retry_after_s=0)])
    delivery, turn = Delivery(outbox, {"test": channel}), Turn(parcel.id, parcel)
    for _try in range(2):
        await delivery.take(turn)
    await delivered(database, channel, await outbox.one(parcel.id))  # as the next start reads it
    assert [("Sent again" in reply.text) for _key, reply in channel.sent] == [True]


async def test_a_reply_that_cannot_be_read_stops_nobody(database: Database) -> None:
    poison, channel = await ready(database, "poison", id="1"), FakeChannel()
    await ready(database, "good", id="2")
    table = OutboxRow.__table__
    await database.write(lambda connection: connection.execute(update(table).where(table.c.id == poison.id).values(reply="{")))
    delivery = Delivery(Outbox(database), {"test": channel})
    running = asyncio.create_task(delivery.run())
    await channel.arrived.wait()
    assert await delivery.finish(within_s=60)
    running.cancel()
    assert await states(database) == {"dead": 1, "sent": 1}


class Splitting(FakeChannel):
    """Sends a reply word by word, and breaks as it is told to before the word of that place."""

    def __init__(self, breaks: dict[int, Exception]) -> None:
        super().__init__()
        self.words: list[str] = []
        self.doubts: list[bool] = []
        self._breaks = breaks

    async def send_parts(
        self,
        reply: Reply,
        to: Address,
        *,
        key: str,
        edits: str,
        sent: Sequence[str],
        went_out: Callable[[Sequence[str]], Awaitable[None]],
        in_doubt: bool = False,
    ) -> str:
        self.doubts.append(in_doubt)
        parts = reply.text.split()[:3]
        ids = list(sent)
        for place in range(len(ids), len(parts)):
            if place in self._breaks:
                raise self._breaks.pop(place)
            self.words.append(parts[place])
            ids.append(edits if edits and place == 0 else f"m{place}")
            if place < len(parts) - 1:
                await went_out(ids)
        return ids[0]


@pytest.mark.parametrize("edits", ["", "status"])
async def test_a_split_reply_goes_on_where_it_was_interrupted_also_after_a_crash(database: Database, edits: str) -> None:
    parcel, outbox = await ready(database, "one two three", edits=edits), Outbox(database)
    channel = Splitting({2: asyncio.CancelledError()})  # as a kill would end it
    with pytest.raises(asyncio.CancelledError):
        await delivered(database, channel, parcel)
    assert (await outbox.recover({"test": ""}, of=[""])).begun == 1
    (ticket,) = await outbox.tickets({"test": ""})
    await delivered(database, channel, await outbox.one(ticket.id))
    assert channel.words == ["one", "two", "three"]
    assert (await outbox.of(1))[0].state == "sent"


async def test_a_split_reply_that_is_told_to_wait_goes_on_after(database: Database) -> None:
    channel = Splitting({1: RetryLaterError("slow down", retry_after_s=3)})
    assert await delivered(database, channel, await ready(database, "one two three")) == [3]
    assert channel.words == ["one", "two", "three"]


async def test_who_cannot_be_written_to_privately_is_told_so_in_the_group_where_they_asked(database: Database) -> None:
    asked = make_message("where is the plan?", kind="group", chat="-5", id="7")
    press = replace(make_message("/search", chat="ann", id="press:1"), reply_to=asked)
    inbox, channel = Inbox(database), FakeChannel(failures=[GoneError("bot can't initiate conversation with a user")])
    number = await inbox.accept(press)
    assert number is not None
    parcels = await inbox.finish(number, press, [Reply("It is in the drawer.", "en")])
    told: list[Parcel] = []
    delivery = Delivery(Outbox(database), {"test": channel})
    delivery.hand = told.extend  # type: ignore[method-assign]
    assert parcels is not None
    await delivery.take(Turn(parcels[0].id, parcels[0]))
    (said,) = told
    assert (said.to.chat, said.reply.reply_to) == ("-5", "7")
    assert "press Start" in said.reply.text
    assert "drawer" not in said.reply.text
    assert (await Outbox(database).counts()) == {"dead": 1, "ready": 1}


async def test_a_chat_that_is_gone_is_told_nowhere_else(database: Database) -> None:
    assert await delivered(database, FakeChannel(failures=[GoneError("blocked")]), await ready(database)) == []
    assert (await Outbox(database).counts()) == {"dead": 1}


async def test_what_was_forgotten_while_a_platform_asked_to_wait_is_not_sent(database: Database) -> None:
    channel, parcel = FakeChannel(failures=[RetryLaterError("slow down", retry_after_s=17)]), await ready(database)
    delivery, turn = Delivery(Outbox(database), {"test": channel}), Turn(parcel.id, parcel)
    assert await delivery.take(turn) == 17
    await database.write(lambda connection: connection.execute(delete(OutboxRow)))
    assert await delivery.take(turn) is None
    assert channel.sent == []


async def test_a_send_that_never_ends_is_given_up_and_repeated_with_a_word(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.delivery.SEND_WITHIN_S", 0.0)
    heard: list[str] = []

    class Hanging(FakeChannel):
        async def send(self, reply: Reply, to: Address, *, key: str) -> str:
            monkeypatch.setattr("bot.delivery.SEND_WITHIN_S", 900.0)
            if not heard:
                await asyncio.Event().wait()
            return await super().send(reply, to, key=key)

    channel, parcel = Hanging(), await ready(database)
    delivery = Delivery(Outbox(database), {"test": channel}, heard=lambda _name, error: heard.append(type(error).__name__))
    turn = Turn(parcel.id, parcel)
    while await delivery.take(turn) is not None:
        pass
    ((_key, reply),) = channel.sent
    assert "Sent again" in reply.text
    assert heard == ["AmbiguousSendError", "NoneType"]


async def test_an_edit_of_unknown_fate_is_known_to_be_in_doubt_when_it_is_repeated(database: Database) -> None:
    channel = Splitting({0: AmbiguousSendError("cut")})
    await delivered(database, channel, await ready(database, "one", edits="status"))
    assert channel.doubts == [False, True]
    assert channel.words == ["one"]


async def test_a_channel_that_breaks_on_a_sources_address_stops_no_other_reply(database: Database) -> None:
    class Lost(FakeChannel):
        def address_of(self, link: str) -> str:
            raise RuntimeError(link)

    parcel = await ready(database)
    said = replace(parcel, reply=replace(parcel.reply, sources=(Source("a", "b", "message:test/1", 0.5),)))
    await delivered(database, Lost(), said)
    assert await states(database) == {"dead": 1}
