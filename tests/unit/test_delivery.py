import asyncio
from datetime import UTC, datetime

import pytest
from fakes.channel import FakeChannel

from bot.channels.channel import AmbiguousSendError, ChannelError, GoneError, RetryLaterError
from bot.delivery import Delivery
from bot.message import Reply
from bot.store.database import Database
from bot.store.inbox import Inbox
from bot.store.outbox import Outbox, Parcel
from bot.testing import make_message


async def ready(database: Database, text: str = "hi", *, edits: str = "", id: str = "1") -> Parcel:
    inbox = Inbox(database)
    message = make_message("hello", id=id)
    number = await inbox.accept(message)
    assert number is not None
    await inbox.finish(number, message, [Reply(text, "en")], edits=edits)
    return (await Outbox(database).pending(["test"], after=0, most=99))[-1]


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("bot.delivery.asyncio.sleep", sleep)
    return waited


async def states(database: Database) -> dict[str, int]:
    return await Outbox(database).counts()


async def test_a_reply_is_sent_and_marked(database: Database) -> None:
    channel = FakeChannel()
    await Delivery(Outbox(database), {"test": channel}).deliver(await ready(database))
    assert [reply.text for _key, reply in channel.sent] == ["hi"]
    assert await states(database) == {"sent": 1}


async def test_a_placeholder_is_edited_into_the_answer(database: Database) -> None:
    channel = FakeChannel()
    await Delivery(Outbox(database), {"test": channel}).deliver(await ready(database, edits="m7"))
    assert [(sent, reply.text) for sent, reply in channel.edited] == [("m7", "hi")]
    assert channel.sent == []


async def test_told_to_wait_it_waits_as_long_and_sends_once(database: Database, waits: list[float]) -> None:
    channel = FakeChannel(failures=[RetryLaterError("slow down", retry_after_s=17)])
    await Delivery(Outbox(database), {"test": channel}).deliver(await ready(database))
    assert waits == [17]
    assert len(channel.sent) == 1


async def test_a_platform_that_is_away_for_long_loses_no_reply(database: Database, waits: list[float]) -> None:
    channel = FakeChannel(failures=[RetryLaterError("away", retry_after_s=5)] * 50)
    await Delivery(Outbox(database), {"test": channel}).deliver(await ready(database))
    assert len(waits) == 50
    assert await states(database) == {"sent": 1}


async def test_a_send_of_unknown_fate_is_repeated_and_says_so(database: Database, waits: list[float]) -> None:
    channel = FakeChannel(failures=[AmbiguousSendError("cut")])
    await Delivery(Outbox(database), {"test": channel}).deliver(await ready(database))
    ((_key, reply),) = channel.sent
    assert "Sent again" in reply.text


async def test_where_a_key_makes_sends_repeatable_nothing_is_said(database: Database, waits: list[float]) -> None:
    channel = FakeChannel(repeatable=True, failures=[AmbiguousSendError("cut")])
    parcel = await ready(database)
    await Delivery(Outbox(database), {"test": channel}).deliver(parcel)
    assert [(key, reply.text) for key, reply in channel.sent] == [(str(parcel.id), "hi")]


@pytest.mark.parametrize("error", [GoneError("blocked"), ChannelError("refused")])
async def test_what_can_never_be_sent_is_dead_at_once(database: Database, error: ChannelError) -> None:
    channel = FakeChannel(failures=[error])
    await Delivery(Outbox(database), {"test": channel}).deliver(await ready(database))
    assert await states(database) == {"dead": 1}


async def test_a_wait_that_was_told_is_kept_over_a_restart(database: Database, waits: list[float]) -> None:
    parcel = await ready(database)
    outbox = Outbox(database)
    await outbox.later(parcel.id, datetime(2999, 1, 1, tzinfo=UTC), "slow down")
    (again,) = await outbox.pending(["test"], after=0, most=9)
    await Delivery(outbox, {"test": FakeChannel()}).deliver(again)
    assert waits[0] > 3600


async def test_running_it_sends_what_was_left_before_and_what_comes(database: Database) -> None:
    await ready(database, "old", id="1")
    channel = FakeChannel()
    delivery = Delivery(Outbox(database), {"test": channel})
    running = asyncio.create_task(delivery.run())
    await channel.arrived.wait()
    channel.arrived.clear()
    await ready(database, "new", id="2")
    delivery.wake()
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
