import asyncio

import pytest

from bot.channels.beside import TRIES, Beside, patiently
from bot.errors import ChannelError, RetryLaterError


async def test_what_is_too_much_at_once_is_left() -> None:
    beside: Beside[None] = Beside(most=1)
    go_on = asyncio.Event()

    async def work() -> None:
        await go_on.wait()

    assert beside.start(work) is not None
    assert beside.start(work) is None
    go_on.set()
    await beside.finish(within_s=5)
    assert beside.start(work) is not None
    await beside.finish(within_s=5)


async def test_what_takes_longer_than_the_end_may_is_ended() -> None:
    beside: Beside[None] = Beside(most=1)
    task = beside.start(asyncio.Event().wait)
    await beside.finish(within_s=0)
    assert task is not None
    assert task.cancelled()


async def test_where_the_platform_asks_to_wait_it_is_tried_so_often_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)

    async def work() -> None:
        tried.append(1)
        raise RetryLaterError("later", retry_after_s=1000)

    await patiently(work, most_s=0)
    assert len(tried) == TRIES
    assert slept == [0] * (TRIES - 1)  # nothing waits for what is not tried again


async def test_a_refusal_is_told_at_once() -> None:
    tried: list[int] = []

    async def work() -> None:
        tried.append(1)
        raise ChannelError("no")

    with pytest.raises(ChannelError, match="no"):
        await patiently(work, most_s=0)
    assert tried == [1]
