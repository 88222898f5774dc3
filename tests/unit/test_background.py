import asyncio
import os
import threading

import pytest

from bot.background import NICENESS, in_background


async def test_work_is_done_at_low_priority_on_a_thread_that_holds_up_no_exit() -> None:
    def work() -> tuple[int, bool]:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id()), threading.current_thread().daemon

    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    priority, daemon = await in_background(work)
    assert daemon
    assert priority == max(before, NICENESS)
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before


async def test_what_it_raises_is_raised_where_it_is_awaited() -> None:
    def work() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await in_background(work)


async def test_a_caller_that_goes_away_leaves_the_work_to_end() -> None:
    gate, ended = threading.Event(), threading.Event()

    def work() -> None:
        assert gate.wait(60)
        ended.set()

    waiting = asyncio.ensure_future(in_background(work))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    gate.set()
    assert await asyncio.to_thread(ended.wait, 60)
