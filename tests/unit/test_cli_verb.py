"""What every verb stands on: that Ctrl-C ends it, and ends it at once where it is pressed again."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot import cli_verb
from bot.config import Settings, TelegramSettings
from bot.leaving import Leaving
from bot.locale import Text
from bot.logs import configure_logs


@pytest.fixture
def ended() -> list[int]:
    """The codes with which the process would have been ended by force."""
    return []


@pytest.fixture
def leaving(ended: list[int]) -> Iterator[Leaving]:
    one = Leaving(asyncio.Event(), end=ended.append)
    yield one
    one.left()


async def interrupted(leaving: Leaving) -> None:
    cli_verb._end_when_interrupted(leaving)
    os.kill(os.getpid(), signal.SIGINT)
    await asyncio.Event().wait()


def test_ctrl_c_cancels_the_work_and_leaves_no_handler_behind(leaving: Leaving, ended: list[int]) -> None:
    before = signal.getsignal(signal.SIGINT)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(interrupted(leaving))

    assert signal.getsignal(signal.SIGINT) is before
    assert ended == []


def test_a_second_ctrl_c_ends_the_process(leaving: Leaving, ended: list[int]) -> None:
    async def stuck() -> None:
        try:
            await interrupted(leaving)
        except asyncio.CancelledError:
            os.kill(os.getpid(), signal.SIGINT)
            while not ended:
                await asyncio.sleep(0)
            raise

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(stuck())

    assert ended == [1]


@pytest.mark.parametrize(("user", "owner", "warned"), [(0, 4711, True), (0, 0, False), (4711, 4711, False)])
def test_root_over_the_home_of_another_is_warned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, user: int, owner: int, warned: bool
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    stat = Path.stat

    def owned(path: Path, **more: bool) -> os.stat_result:
        told = list(stat(path, **more))
        told[4] = owner
        return os.stat_result(told)

    monkeypatch.setattr(Path, "stat", owned)
    cli_verb._warn_root(Settings(home=tmp_path))
    assert (f"belongs to another user (number {owner})" in capsys.readouterr().err) == warned
    cli_verb._warn_root(Settings(home=tmp_path / "new"))
    assert capsys.readouterr().err == ""


def test_what_a_platform_says_of_itself_is_told_without_the_secret_that_it_quotes(
    logs_as_they_were: None, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs(Settings(telegram=TelegramSettings(token=SecretStr("7:AA-a-secret-token"))))
    cli_verb.complain(Text("irc is off: Password incorrect: PASS 7:AA-a-secret-token"), "en")
    assert capsys.readouterr().err == "paring: irc is off: Password incorrect: PASS **********\n"
