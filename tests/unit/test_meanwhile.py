"""What has to be waited for is told to whoever waits, and to nobody else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.locale import Text
from bot.meanwhile import meanwhile, telling

LOADING = Text("Loading …")


class Told:
    def __init__(self) -> None:
        self.lines: list[str] = []

    @asynccontextmanager
    async def show(self, what: Text) -> AsyncIterator[None]:
        self.lines.append(f"begin {what}")
        yield
        self.lines.append(f"end {what}")


async def work() -> None:
    async with meanwhile(LOADING):
        pass


async def test_nobody_is_told_where_nobody_waits() -> None:
    told = Told()
    with telling(told.show):
        pass
    await work()

    assert told.lines == []


async def test_a_task_that_is_started_within_tells_the_same_one() -> None:
    mine, yours = Told(), Told()

    async def wait_for(told: Told) -> None:
        with telling(told.show):
            await asyncio.gather(work(), asyncio.create_task(work()))

    await asyncio.gather(wait_for(mine), wait_for(yours))

    assert sorted(mine.lines) == sorted(yours.lines) == ["begin Loading …"] * 2 + ["end Loading …"] * 2
