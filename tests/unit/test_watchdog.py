import asyncio
import contextlib

import pytest
from fakes.channel import FakeChannel

from bot import watchdog
from bot.errors import ChannelError, RetryLaterError
from bot.pulse import Pulse
from bot.supervise import supervise
from bot.watchdog import watched


class Beating(FakeChannel):
    """A channel whose loop gives its word, and keeps it or not."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.pulse = Pulse(lambda: self.now)
        self.begun = asyncio.Event()
        self.ends = True

    async def hang(self) -> None:
        self.pulse.due(10)
        self.now += 11
        self.begun.set()
        while True:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            if self.ends:
                raise asyncio.CancelledError


async def test_a_channel_that_is_silent_beyond_its_word_is_ended_and_started_again() -> None:
    channel, found, runs = Beating(), [], 0

    async def run() -> None:
        nonlocal runs
        runs += 1
        if runs < 3:
            await channel.hang()

    await supervise("test", lambda: watched(channel, run, stuck=found.append, look_every_s=0))
    assert (runs, found) == (3, ["test", "test"])


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.supervise.FIRST_WAIT_S", 0.0)


async def test_one_that_does_not_let_itself_be_cancelled_is_not_started_beside_itself(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(watchdog, "END_WITHIN_S", 0.0)
    channel = Beating()
    channel.ends = False
    watching = asyncio.create_task(watched(channel, channel.hang, look_every_s=0))
    await channel.begun.wait()
    for _turn in range(20):
        await asyncio.sleep(0)
    assert not watching.done()
    channel.ends = True
    with pytest.raises(RetryLaterError, match="no sign of life"):
        await watching


async def test_one_that_keeps_its_word_is_left_alone_and_its_end_is_its_own() -> None:
    channel = Beating()

    async def run() -> None:
        for _turn in range(5):
            channel.pulse.due(10)
            channel.now += 9
            await asyncio.sleep(0)
        raise ChannelError("The port is taken.")

    with pytest.raises(ChannelError, match="port"):
        await watched(channel, run, look_every_s=0)


async def test_who_ends_the_watch_ends_the_channel() -> None:
    ended = asyncio.Event()

    async def run() -> None:
        channel.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    channel = Beating()
    watching = asyncio.create_task(watched(channel, run, look_every_s=0))
    await channel.begun.wait()
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching
    assert ended.is_set()


async def test_a_channel_without_a_pulse_is_run_as_it_is() -> None:
    runs = []

    async def run() -> None:
        runs.append(1)

    await watched(FakeChannel(), run)
    assert runs == [1]
