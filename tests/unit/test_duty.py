import asyncio
from pathlib import Path

import pytest
from fakes.channel import FakeChannel

from bot.duty import Duty


class Posted(FakeChannel):
    post = "test bot"


async def test_one_bot_serves_a_channel_and_another_stands_by_until_it_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.duty.LOOK_EVERY_S", 0.0)
    one, other, channel, told = Duty(tmp_path), Duty(tmp_path), Posted(), asyncio.Event()

    async def second() -> None:
        async with other.of(channel, standing_by=lambda _name: told.set()):
            pass

    async with one.of(channel, standing_by=lambda _name: pytest.fail("nobody else is there")):
        waiting = asyncio.create_task(second())
        await told.wait()
        begun = asyncio.create_task(other.begun(channel))
        await one.begun(channel)
        assert not begun.done()
    await waiting
    await begun


async def test_a_channel_without_a_post_is_served_by_both(tmp_path: Path) -> None:
    one, other, channel = Duty(tmp_path), Duty(tmp_path), FakeChannel()
    async with one.of(channel, standing_by=pytest.fail), other.of(channel, standing_by=pytest.fail):
        await one.begun(channel)
        await other.begun(channel)
