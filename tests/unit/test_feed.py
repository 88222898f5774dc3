import asyncio
from collections.abc import Sequence

import pytest

from bot.errors import StoreError
from bot.feed import Feed, Turn
from bot.store.places import Places, Recovered, Ticket

LANE = ("test", "bot", "1")


class Table:
    """Rows that wait, by number; `reading` is awaited while they are read."""

    def __init__(self, *numbers: int) -> None:
        self.numbers = list(numbers)
        self.taken_over = 0
        self.reading: asyncio.Event | None = None
        self.left: dict[str, list[int]] = {}
        """What other bots left behind, by the names of their leases."""

    async def tickets(self, places: Places, *, after: int = 0, most: int = 1000) -> list[Ticket]:
        found = [Ticket(number, LANE) for number in self.numbers if number > after][:most]
        if self.reading is not None:
            await self.reading.wait()
        return found

    owner = "me"

    async def owners(self, places: Places) -> list[str]:
        return ["me", *self.left]

    async def recover(self, places: Places, *, of: Sequence[str]) -> Recovered:
        self.taken_over += 1
        numbers = [number for owner in of for number in self.left.pop(owner, ())]
        return Recovered(tuple(Ticket(number, LANE) for number in numbers), begun=0)


class Doing:
    """Notes what it is called with, and ends the wait at the number `last`."""

    def __init__(self, last: int) -> None:
        self.seen: list[tuple[int, str | None]] = []
        self.ended = asyncio.Event()
        self._last = last

    async def __call__(self, turn: Turn[str]) -> float | None:
        self.seen.append((turn.id, turn.item))
        if turn.id == self._last:
            self.ended.set()
        return None


def feed_of(table: Table, doing: Doing) -> Feed[str]:
    return Feed[str](table, doing, at_once=4, weigh=len)


async def test_what_was_left_comes_before_what_is_handed_over_meanwhile_and_each_once() -> None:
    table, doing = Table(1, 2), Doing(4)
    table.reading = asyncio.Event()
    feed = feed_of(table, doing)
    running = asyncio.create_task(feed.run({"test": ""}, ended=list))
    await asyncio.sleep(0)
    for number in (2, 3, 4):  # 2 was committed before it was read, and told after
        feed.hand(number, LANE, f"row {number}")
    table.reading.set()
    await doing.ended.wait()
    running.cancel()
    assert doing.seen == [(1, None), (2, None), (3, "row 3"), (4, "row 4")]


async def test_what_is_handed_over_before_a_run_is_left_to_the_run() -> None:
    table, doing = Table(1), Doing(1)
    feed = feed_of(table, doing)
    feed.hand(1, LANE, "row 1")
    assert len(feed) == 0
    running = asyncio.create_task(feed.run({"test": ""}, ended=list))
    await doing.ended.wait()
    running.cancel()
    assert doing.seen == [(1, None)]


async def test_a_long_queue_holds_tickets_and_no_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.feed.MOST_HELD", 2500)
    table, doing, gate = Table(), Doing(5), asyncio.Event()
    first = doing.__call__

    async def gated(turn: Turn[str]) -> float | None:
        await gate.wait()
        return await first(turn)

    feed = Feed[str](table, gated, at_once=4, weigh=len)
    running = asyncio.create_task(feed.run({"test": ""}, ended=list))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for number in range(1, 5):
        feed.hand(number, LANE, "x" * 100)
    gate.set()
    await feed.idle()
    feed.hand(5, LANE, "held again")
    await doing.ended.wait()
    running.cancel()
    assert [item is None for _number, item in doing.seen] == [False, False, True, True, False]


async def test_a_store_that_fails_is_tried_again_ever_more_slowly_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.feed.FIRST_WAIT_S", 0.0)
    failures, seen, ended = [StoreError("1"), StoreError("2")], [], asyncio.Event()

    async def do(turn: Turn[str]) -> float | None:
        if failures:
            raise failures.pop()
        seen.append(turn.id)
        if turn.id == 2:
            ended.set()
        return None

    feed = Feed[str](Table(1, 2), do, at_once=4, weigh=len)
    running = asyncio.create_task(feed.run({"test": ""}, ended=list))
    await ended.wait()
    running.cancel()
    assert seen == [1, 2]


async def test_started_again_it_reads_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.feed.READ_AT_ONCE", 2)
    table, doing = Table(1, 2, 3, 4, 5), Doing(5)
    feed = feed_of(table, doing)
    for _life in range(2):
        running = asyncio.create_task(feed.run({"test": ""}, ended=list))
        await doing.ended.wait()
        running.cancel()
        await asyncio.wait([running])
        doing.ended.clear()
    assert [number for number, _item in doing.seen] == [1, 2, 3, 4, 5] * 2
    assert table.taken_over == 2


async def test_what_a_bot_leaves_that_dies_meanwhile_is_taken_up_and_what_a_living_one_has_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.feed.LOOK_EVERY_S", 0.0)
    table, doing, living = Table(5), Doing(3), ["alive", "dying"]
    feed = feed_of(table, doing)
    running = asyncio.create_task(feed.run({"test": ""}, ended=lambda names: [name for name in names if name not in living]))
    while not doing.seen:
        await asyncio.sleep(0)
    table.left = {"alive": [1], "dying": [2, 3]}
    await feed.take_up()
    assert doing.seen == [(5, None)]
    living.remove("dying")
    await doing.ended.wait()
    running.cancel()
    assert doing.seen == [(5, None), (2, None), (3, None)]
    assert table.left == {"alive": [1]}


async def test_before_what_was_left_is_queued_what_has_to_be_first_is_done() -> None:
    table, doing, order = Table(5), Doing(2), []

    async def first() -> None:
        order.append(("first", dict(table.left)))

    feed = Feed(table, doing, at_once=4, weigh=lambda _item: 0, first=first)
    running = asyncio.create_task(feed.run({"test": ""}, ended=list))
    while not doing.seen:
        await asyncio.sleep(0)
    await feed.take_up()
    assert order == []
    table.left = {"dead": [2]}
    await feed.take_up()
    await doing.ended.wait()
    running.cancel()
    assert order == [("first", {"dead": [2]})]
    assert doing.seen == [(5, None), (2, None)]


async def test_what_was_left_is_looked_for_again_after_the_store_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.feed.LOOK_EVERY_S", 0.0)
    table, doing, failures = Table(), Doing(2), [StoreError("locked"), StoreError("locked")]
    feed = feed_of(table, doing)

    def ended(names: Sequence[str]) -> Sequence[str]:
        if failures and table.left:
            raise failures.pop()
        return names

    running = asyncio.create_task(feed.run({"test": ""}, ended=ended))
    await asyncio.sleep(0)
    table.left = {"dead": [2]}
    await doing.ended.wait()
    running.cancel()
    assert failures == []
