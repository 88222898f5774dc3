"""Who waits long is told their number, which the answer replaces; who waits little is told nothing."""

import asyncio
from dataclasses import replace

import pytest
from fakes.channel import FakeChannel

from bot.message import Address
from bot.store.database import Database
from bot.store.inbox import Inbox
from bot.testing import make_message
from bot.turns import AT_ONCE, TOLD_AFTER_S, Turns

LONG = TOLD_AFTER_S + 1


class Fixture:
    def __init__(self, database: Database, channel: FakeChannel) -> None:
        self.inbox, self.channel = Inbox(database), channel
        self.queue: list[tuple[int, float]] = []
        self.through = True
        self.turns = Turns(self.inbox, {"test": channel}, lambda: self.queue, is_through=lambda _to: self.through)

    async def wait(self, *, waited_s: float = LONG, korean: bool = False, addressed: bool = True) -> int:
        place = len(self.queue)
        message = make_message("hello", id=f"{place}", chat=f"{place}", language="ko" if korean else "en")
        number = await self.inbox.accept(replace(message, addressed=addressed))
        assert number is not None
        self.queue.append((number, waited_s))
        return number

    async def look(self) -> None:
        self.turns.look()
        await asyncio.gather(*self.turns._telling.values())  # what was begun to be told


@pytest.fixture
def house(database: Database) -> Fixture:
    return Fixture(database, FakeChannel())


async def test_who_waits_long_is_told_and_the_answer_will_stand_there(house: Fixture) -> None:
    await house.wait(waited_s=TOLD_AFTER_S - 1)
    number = await house.wait(korean=True)
    await house.look()
    assert [reply.text for _key, reply in house.channel.sent] == [
        "지금 다른 분들 것을 처리하고 있어요. 2번째 차례예요. 그대로 기다려 주시면 돼요."
    ]
    assert (await house.inbox.one(number)).placeholder == "m1"
    assert await house.turns.come(number)
    assert not await house.turns.come(number)


async def test_a_number_that_changes_is_edited_but_not_at_once(house: Fixture, monkeypatch: pytest.MonkeyPatch) -> None:
    await house.wait()
    await house.wait()
    await house.look()
    del house.queue[0]
    await house.look()
    assert (len(house.channel.sent), house.channel.edited) == (2, [])
    monkeypatch.setattr("bot.turns.TOLD_AGAIN_AFTER_S", 0.0)
    await house.look()
    ((_sent, reply),) = house.channel.edited
    assert "you are number 1." in reply.text
    await house.look()
    assert len(house.channel.edited) == 1


async def test_few_are_told_at_once_the_first_in_the_queue_first(house: Fixture) -> None:
    for _one in range(AT_ONCE + 2):
        await house.wait()
    await house.look()
    assert len(house.channel.sent) == AT_ONCE
    await house.look()
    assert len(house.channel.sent) == AT_ONCE + 2


@pytest.mark.parametrize("why", ["overheard", "answers before it", "forgotten"])
async def test_nothing_is_told(house: Fixture, why: str) -> None:
    await house.wait(addressed=why != "overheard")
    house.through = why != "answers before it"
    if why == "forgotten":
        house.queue = [(999, LONG)]
    await house.look()
    assert (house.channel.sent, house.channel.edited) == ([], [])


async def test_a_turn_that_comes_while_it_is_told_waits_for_that(database: Database) -> None:
    go_on = asyncio.Event()

    class Slow(FakeChannel):
        async def send(self, reply, to: Address, *, key: str) -> str:
            await go_on.wait()
            return await super().send(reply, to, key=key)

    house = Fixture(database, Slow())
    number = await house.wait()
    house.turns.look()
    coming = asyncio.create_task(house.turns.come(number))
    await asyncio.sleep(0)
    assert not coming.done()
    go_on.set()
    assert await coming
    assert (await house.inbox.one(number)).placeholder == "m1"


async def test_a_channel_without_edits_shows_it_in_its_own_way(database: Database) -> None:
    class Terminal(FakeChannel):
        def __init__(self) -> None:
            super().__init__(edits=False)
            self.states: list[str] = []

        def state(self, said: str, to: Address) -> None:
            self.states.append(said)

    channel = Terminal()
    house = Fixture(database, channel)
    await house.wait()
    await house.look()
    assert (["number 1" in said for said in channel.states], channel.sent) == ([True], [])
