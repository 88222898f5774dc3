"""How a poll that hangs is found: it gives its word before each wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from fakes.telegram_bench import breath

from bot.channels.backoff import Backoff
from bot.channels.telegram_polling import Poller
from bot.channels.telegram_request import UnreachedError
from bot.errors import StoreError
from bot.pulse import Pulse


class Api:
    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.asked = asyncio.Event()

    async def call(self, method: str, *, read_s: float = 0.0, **parameters: object) -> object:
        if not self.answers:
            self.asked.set()
            await asyncio.Event().wait()
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def polled(api: Api, pulse: Pulse, take: Callable[..., object]) -> asyncio.Task[None]:
    backoff = Backoff(breath)
    backoff.pulse = pulse
    task = asyncio.create_task(Poller(api, take, poll_s=30, read_s=20, backoff=backoff).run())  # type: ignore[arg-type]
    await api.asked.wait()
    return task


@pytest.mark.parametrize(
    "before", [[], [[]], [UnreachedError("none")] * 3, [[{"update_id": 1}]]], ids=["first", "empty", "failed", "taken"]
)
async def test_a_poll_that_neither_returns_nor_fails_breaks_its_word(before: list[object]) -> None:
    now = [0.0]
    pulse = Pulse(lambda: now[0])

    async def take(_updates: object) -> None:
        return None

    task = await polled(Api(*before), pulse, take)
    now[0] += 50  # a long poll and its answer take as long
    assert pulse.overdue_s == 0
    now[0] += 200
    assert pulse.overdue_s > 0
    task.cancel()


async def test_who_reaches_the_platform_says_so_and_who_does_not_does_not() -> None:
    failing, answering = Pulse(), Pulse()

    async def take(_updates: object) -> None:
        raise StoreError("full")

    tasks = [await polled(Api(UnreachedError("none")), failing, take), await polled(Api([]), answering, take)]
    assert (failing.quiet_s, answering.connected(60)) == (None, True)
    for task in tasks:
        task.cancel()


async def test_one_that_hangs_over_a_commit_breaks_its_word_too() -> None:
    now, hung = [0.0], asyncio.Event()
    pulse = Pulse(lambda: now[0])

    async def take(_updates: object) -> None:
        hung.set()
        await asyncio.Event().wait()

    backoff = Backoff(breath)
    backoff.pulse = pulse
    task = asyncio.create_task(Poller(Api([{"update_id": 1}]), take, backoff=backoff).run())
    await hung.wait()
    now[0] = 130.0
    assert pulse.overdue_s == 10.0
    task.cancel()
