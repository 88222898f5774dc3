import asyncio
import random
from collections import Counter
from contextlib import suppress

import pytest

from bot.lanes import PATIENT, Lanes


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


async def ended_while_one_runs(*, waits_in: str) -> tuple[Lanes, list[str]]:
    """Return lanes that were to end while a job ran in "a" and another waited, and what was done."""
    lanes, log, gate = Lanes(at_once=1), [], asyncio.Event()

    async def first() -> None:
        await gate.wait()
        log.append("first")

    async def other() -> None:
        log.append("other")

    lanes.put("a", first)
    lanes.put(waits_in, other)
    await asyncio.sleep(0)
    finishing = asyncio.create_task(lanes.finish(within_s=60))
    await asyncio.sleep(0)
    gate.set()
    assert await finishing
    return lanes, log


async def test_finishing_drops_what_is_queued_and_ends_what_runs() -> None:
    _lanes, log = await ended_while_one_runs(waits_in="a")
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
    lanes, log = await ended_while_one_runs(waits_in="b")

    async def other() -> None:
        log.append("other")

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


def writing(log: list[str], name: str):
    async def run() -> None:
        await asyncio.sleep(0)
        log.append(name)

    return run


async def test_in_a_lane_others_go_before_the_flood_of_one_and_everybody_keeps_their_own_order() -> None:
    lanes, log = Lanes(at_once=1), []
    for number in range(PATIENT + 10):
        lanes.put("chat", writing(log, f"flood {number}"), who="mallory")
    for number in range(3):
        lanes.put("chat", writing(log, f"ann {number}"), who="ann")
    await lanes.idle()
    assert [place for place, name in enumerate(log) if name.startswith("ann")] == [1, 2, 3]
    assert [name for name in log if name.startswith("flood")] == [f"flood {number}" for number in range(PATIENT + 10)]


async def test_what_is_no_flood_keeps_the_order_of_the_lane() -> None:
    lanes, log = Lanes(at_once=1), []
    said = [f"{who} {number}" for number in range(PATIENT) for who in ("ann", "bob")]
    for name in said:
        lanes.put("chat", writing(log, name), who=name.partition(" ")[0])
    await lanes.idle()
    assert log == said


async def test_two_who_flood_take_turns() -> None:
    lanes, log = Lanes(at_once=1), []
    for who in ("mallory", "trent"):
        for _number in range(PATIENT + 10):
            lanes.put("chat", writing(log, who), who=who)
    await lanes.idle()
    assert abs(log[: 2 * PATIENT].count("mallory") - PATIENT) <= 1


async def test_who_floods_many_lanes_holds_one_place_and_the_others_find_theirs() -> None:
    lanes, log, running, most = Lanes(at_once=4, of_one=2), [], 0, 0

    async def flood() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        for _turn in range(3):
            await asyncio.sleep(0)
        running -= 1
        log.append("flood")

    for lane in range(100):
        lanes.put(lane, flood, who="mallory")
    for lane in range(50, 60):  # in lanes where the flood waits, too
        lanes.put(lane, writing(log, "ann"), who=f"ann {lane}")
    await lanes.idle()
    assert log.count("flood") == 100
    assert log.index("ann") < 4
    assert len(log) - 1 - log[::-1].index("ann") < 30
    assert most <= 2


@pytest.mark.parametrize("seed", range(5))
async def test_everything_is_done_once_and_in_order_whoever_floods_whichever_lanes(seed: int) -> None:
    chance, log, held = random.Random(seed), [], Counter()
    lanes = Lanes(at_once=3, of_one=2)

    def job(name: tuple[int, str, int], waits: int):
        left = [0.0] * waits

        async def run() -> float | None:
            held[name[1]] += 1
            for _turn in range(chance.randrange(3)):
                await asyncio.sleep(0)
            held[name[1]] -= 1
            if left:
                return left.pop()
            log.append(name)
            return None

        return run

    said = []
    for number in range(400):
        name = (chance.randrange(12), chance.choice(["mallory", "mallory", "mallory", "ann", "bob", ""]), number)
        said.append(name)
        lanes.put(name[0], job(name, chance.choice([0, 0, 0, 1])), who=name[1])
        if chance.random() < 0.2:
            await asyncio.sleep(0)
    await asyncio.wait_for(lanes.idle(), 30)
    assert (len(lanes), lanes.of(0), lanes.queued()) == (0, 0, [])
    assert sorted(log) == sorted(said)
    for lane in range(12):
        for who in ("mallory", "ann", "bob"):
            assert [one for one in log if one[:2] == (lane, who)] == [one for one in said if one[:2] == (lane, who)]


async def test_a_job_that_is_cancelled_from_within_takes_nothing_with_it() -> None:
    lanes, log = Lanes(at_once=1), []

    async def cancelled() -> None:
        raise asyncio.CancelledError

    lanes.put("a", cancelled)
    lanes.put("a", writing(log, "next"))
    await lanes.idle()
    assert log == ["next"]


async def test_it_knows_how_much_waits_where_and_who_is_next_for_a_place() -> None:
    lanes, log, gate = Lanes(at_once=1), [], asyncio.Event()

    async def hold() -> None:
        await gate.wait()

    async def rest() -> float:
        return 3600.0

    jobs = {name: writing(log, name) for name in ("b1", "b2", "c1")}
    lanes.put("a", hold)
    await asyncio.sleep(0)  # it has the place
    for name, job in jobs.items():
        lanes.put(name[0], job)
    assert (len(lanes), lanes.of("a"), lanes.of("b"), lanes.of("z")) == (4, 1, 2, 0)
    assert [job for job, _waited_s in lanes.queued()] == [jobs["b1"], jobs["c1"]]
    gate.set()
    await lanes.idle()
    lanes.put("d", rest)
    lanes.put("d", hold)
    await asyncio.sleep(0)
    assert (len(lanes), lanes.queued()) == (2, [])
    assert await lanes.finish(within_s=30)
    assert len(lanes) == 0
