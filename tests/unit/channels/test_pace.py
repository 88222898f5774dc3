from __future__ import annotations

import asyncio

from bot.channels.pace import Pace


async def turns(count: int, *, burst: int, every_s: float, rest_s: float = 0.0) -> list[float]:
    """Return when each of so many turns came, by a clock that goes on only while one waits."""
    now = [100.0]

    async def pause(seconds: float) -> None:
        now[0] += seconds

    pace, came = Pace(burst=burst, every_s=every_s, clock=lambda: now[0], pause=pause), []
    for number in range(count):
        if number == burst:
            now[0] += rest_s
        await pace.turn()
        came.append(now[0] - 100)
    return came


async def test_a_few_go_at_once_and_then_one_after_the_other() -> None:
    assert await turns(7, burst=5, every_s=2.0) == [0, 0, 0, 0, 0, 2, 4]


async def test_who_has_rested_may_send_a_few_at_once_again_and_no_more() -> None:
    assert await turns(12, burst=5, every_s=2.0, rest_s=1000.0) == [0] * 5 + [1000.0] * 5 + [1002.0, 1004.0]


async def test_no_limit_is_none() -> None:
    assert await turns(50, burst=1, every_s=0) == [0] * 50


async def test_those_who_wait_are_served_in_order() -> None:
    served: list[int] = []
    pace = Pace(burst=1, every_s=0.001)

    async def wait(number: int) -> None:
        await pace.turn()
        served.append(number)

    await asyncio.gather(*(wait(number) for number in range(20)))
    assert served == list(range(20))
