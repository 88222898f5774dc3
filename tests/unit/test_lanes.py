import asyncio

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
    lanes.put("a", gate.wait)
    await asyncio.sleep(0)
    await lanes.close()
    await lanes.idle()
    assert len(lanes) == 0
