import asyncio
import threading

from bot.leaving import Leaving


class End:
    """Notes with which code the process would have ended."""

    def __init__(self) -> None:
        self.codes: list[int] = []
        self.ended = threading.Event()

    def __call__(self, code: int) -> None:
        self.codes.append(code)
        self.ended.set()


async def test_asked_once_it_stops_in_order() -> None:
    stop, end = asyncio.Event(), End()
    Leaving(stop, within_s=3600, end=end).ask()
    assert stop.is_set()
    assert end.codes == []


async def test_asked_twice_it_ends_at_once() -> None:
    stop, end = asyncio.Event(), End()
    leaving = Leaving(stop, within_s=3600, end=end)
    leaving.ask()
    leaving.ask()
    assert end.codes == [1]


async def test_where_something_stands_in_the_way_it_ends_by_the_clock() -> None:
    end = End()
    Leaving(asyncio.Event(), within_s=0.0, end=end).ask()
    assert await asyncio.to_thread(end.ended.wait, 60)
    assert end.codes == [1]


async def test_who_has_left_is_not_ended_later() -> None:
    end, before = End(), set(threading.enumerate())
    leaving = Leaving(asyncio.Event(), within_s=3600, end=end)
    leaving.ask()
    leaving.left()
    for clock in set(threading.enumerate()) - before:
        await asyncio.to_thread(clock.join, 60)
        assert not clock.is_alive()
    assert end.codes == []
