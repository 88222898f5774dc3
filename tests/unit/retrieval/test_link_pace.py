from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from bot.errors import RefusedLinkError
from bot.retrieval import link_pace
from bot.retrieval.link_pace import AT_ONCE, AT_ONCE_THERE, BURST, LONGEST_WAIT_S, MOST_SITES, Pace


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


async def test_a_site_is_asked_no_oftener_than_once_a_second_after_a_burst() -> None:
    clock = Clock()
    pace = Pace(clock=clock, sleep=clock.sleep)
    for _request in range(BURST + 10):
        async with pace.turn("93.184.215.14", "example.org"):
            pass
    assert clock.now == pytest.approx(10, abs=1.5)


async def test_who_floods_a_site_is_refused_by_whatever_name() -> None:
    clock = Clock()
    pace = Pace(clock=clock, sleep=lambda _seconds: asyncio.Event().wait())
    turns = [pace.turn("93.184.215.14", f"name{number}.example") for number in range(100)]
    waiting = [asyncio.ensure_future(turn.__aenter__()) for turn in turns]
    await asyncio.sleep(0)

    refused = [task for task in waiting if task.done() and isinstance(task.exception(), RefusedLinkError)]
    assert len(waiting) - len(refused) == BURST + LONGEST_WAIT_S + 1
    assert "do not press" in str(refused[0].exception())
    for task in waiting:
        task.cancel()


async def test_addresses_of_one_network_are_one_site_and_others_are_not() -> None:
    pace = Pace()
    assert link_pace._network("2606:2800:220:1::1") == link_pace._network("2606:2800:220:1:ffff::9")
    assert link_pace._network("2606:2800:220:1::1") != link_pace._network("2606:2800:220:2::1")
    async with AsyncExitStack() as stack:
        for number in range(AT_ONCE_THERE):
            await stack.enter_async_context(pace.turn("93.184.215.14", str(number)))
        await stack.enter_async_context(pace.turn("93.184.215.15", "another"))
        third = asyncio.ensure_future(pace.turn("93.184.215.14", "third").__aenter__())
        await asyncio.sleep(0)
        assert not third.done()
        third.cancel()


async def test_no_more_than_a_few_are_fetched_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_pace, "LONGEST_WAIT_S", 0.0)
    pace = Pace()
    async with AsyncExitStack() as stack:
        for _place in range(AT_ONCE):
            await stack.enter_async_context(pace.place())
        with pytest.raises(RefusedLinkError, match="as many links as I can"):
            await stack.enter_async_context(pace.place())
    async with pace.place():
        pass


async def test_sites_without_end_are_forgotten_again() -> None:
    clock = Clock()
    pace = Pace(clock=clock, sleep=clock.sleep)
    for number in range(3 * MOST_SITES):
        clock.now += 1
        async with pace.turn(f"1.{number >> 16}.{number >> 8 & 255}.{number & 255}", "x"):
            pass
    assert len(pace._sites) <= MOST_SITES
