import asyncio
from contextlib import suppress

import pytest

from bot.lanes import Lanes


async def test_a_lane_keeps_its_order_and_lanes_run_side_by_side() -> None:
    lanes, log, gate = Lanes(at_once=4), [], asyncio.Event()

    def job(name: str, *, wait: bool = False):
        async def run() -> None:
            if wait:
                await gate.wait()
            log.append(name)
            if name == "b1":
                gate.set()

        return run

    lanes.put("a", job("a1", wait=True))
    lanes.put("a", job("a2"))
    lanes.put("b", job("b1"))
    await lanes.idle()
    assert log == ["b1", "a1", "a2"]


async def test_no_more_run_at_once_than_allowed() -> None:
    lanes, running, most = Lanes(at_once=2), 0, 0

    async def job() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1

    for lane in range(10):
        lanes.put(lane, job)
    await lanes.idle()
    assert most == 2


async def test_finishing_drops_what_is_queued_and_ends_what_runs() -> None:
    lanes, log, gate = Lanes(at_once=1), [], asyncio.Event()

    async def first() -> None:
        await gate.wait()
        log.append("first")

    async def second() -> None:
        log.append("second")

    lanes.put("a", first)
    lanes.put("a", second)
    await asyncio.sleep(0)
    finishing = asyncio.create_task(lanes.finish(within_s=60))
    await asyncio.sleep(0)
    gate.set()
    assert await finishing
    assert log == ["first"]


async def test_closing_cancels() -> None:
    lanes, gate = Lanes(at_once=1), asyncio.Event()

    async def job() -> None:
        await gate.wait()

    lanes.put("a", job)
    await asyncio.sleep(0)
    await lanes.close()
    await lanes.idle()
    assert len(lanes) == 0


async def test_a_job_that_breaks_does_not_stop_those_behind_it() -> None:
    lanes, log = Lanes(at_once=1), []

    async def broken() -> None:
        raise RuntimeError("bug")

    async def next_one() -> None:
        log.append("next")

    lanes.put("a", broken)
    lanes.put("a", next_one)
    await lanes.idle()
    assert log == ["next"]


async def test_a_lane_that_waits_gives_its_place_to_others_and_keeps_its_order() -> None:
    lanes, log, waits = Lanes(at_once=1), [], [3600.0]

    def job(name: str):
        async def run() -> float | None:
            log.append(name)
            return waits.pop() if name == "a1" and waits else None

        return run

    for name in ("a1", "a2"):
        lanes.put("a", job(name))
    done = asyncio.Event()

    async def other() -> None:
        log.append("b")
        done.set()

    lanes.put("b", other)
    await done.wait()
    assert log == ["a1", "b"]
    assert await lanes.drain(within_s=60)
    assert log == ["a1", "b"]


async def test_a_wait_that_is_over_calls_the_same_job_again_before_the_next() -> None:
    lanes, log, waits = Lanes(at_once=1), [], [0.0, 0.0]

    def job(name: str):
        async def run() -> float | None:
            log.append(name)
            return waits.pop() if name == "a1" and waits else None

        return run

    for name in ("a1", "a2"):
        lanes.put("a", job(name))
    await lanes.idle()
    assert log == ["a1", "a1", "a1", "a2"]


async def test_lanes_that_had_not_begun_are_left_when_it_is_to_end() -> None:
    lanes, log, gate = Lanes(at_once=1), [], asyncio.Event()

    async def first() -> None:
        await gate.wait()
        log.append("first")

    async def other() -> None:
        log.append("other")

    lanes.put("a", first)
    lanes.put("b", other)
    await asyncio.sleep(0)
    finishing = asyncio.create_task(lanes.finish(within_s=60))
    await asyncio.sleep(0)
    gate.set()
    assert await finishing
    lanes.put("c", other)
    await lanes.idle()
    assert log == ["first"]


async def test_closing_does_not_wait_for_ever_for_what_swallows_its_cancellation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.lanes.CLOSE_WITHIN_S", 0.0)
    lanes, gate, begun = Lanes(at_once=1), asyncio.Event(), asyncio.Event()

    async def stubborn() -> None:
        while not gate.is_set():
            with suppress(asyncio.CancelledError):
                begun.set()
                await gate.wait()

    lanes.put("a", stubborn)
    await begun.wait()
    await lanes.close()
    gate.set()
    assert len(lanes) == 0
