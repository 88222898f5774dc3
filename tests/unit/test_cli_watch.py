"""`paring watch` ends as every verb does: at once where Ctrl-C is pressed again, whatever stands in the way."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, cast

import pytest

from bot import cli_verb, cli_watch
from bot.app import App
from bot.config import Settings
from bot.leaving import Leaving


class Stuck:
    """An app whose work is asked to end by a signal, and does not until the process was ended by force."""

    def __init__(self, asked_by: signal.Signals, ended: list[int]) -> None:
        self.settings = Settings(language="en")
        self.folders = self
        self._asked_by = asked_by
        self._ended = ended

    async def watched(self, *_given: object) -> None:
        os.kill(os.getpid(), self._asked_by)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            os.kill(os.getpid(), signal.SIGINT)
            while not self._ended:
                await asyncio.sleep(0)
            raise


@pytest.mark.parametrize("asked_by", [signal.SIGINT, signal.SIGTERM])
def test_a_second_ctrl_c_ends_a_watch_that_does_not_end(
    asked_by: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ended: list[int] = []
    leaving = Leaving(asyncio.Event(), end=ended.append)

    def with_stuck(_settings: Settings, work: Callable[[App], Coroutine[Any, Any, None]]) -> None:
        async def go() -> None:
            cli_verb._end_when_interrupted(leaving)
            await work(cast("App", Stuck(asked_by, ended)))

        asyncio.run(go())

    monkeypatch.setattr(cli_watch, "with_app", with_stuck)
    try:
        cli_watch.watch([tmp_path])
    finally:
        leaving.left()

    assert ended == [1]
    assert capsys.readouterr().err == "I watch no longer; what was read is kept.\n"
