import json
import threading

import pytest

from bot.config import Settings
from bot.logs import configure_logs
from bot.loop_watch import LoopWatch

SAID = "what Ann wrote"


def test_a_blocked_loop_is_told_with_the_place_where_it_hangs(capsys: pytest.CaptureFixture[str]) -> None:
    import asyncio

    told = threading.Event()

    def hang(secret: str) -> None:
        assert told.wait(60), secret

    async def go() -> LoopWatch:
        watch = LoopWatch(ask_every_s=0.001, blocked_after_s=0.01, told=told.set)
        watch.start()
        hang(SAID)
        await asyncio.sleep(0)
        watch.stop()
        return watch

    watch = asyncio.run(go())
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines() if "blocked:" in line]
    assert watch.blocked == len(lines) >= 1
    assert any("in hang: " in frame for frame in lines[0]["stack"])
    assert SAID not in str(lines[0])


def test_a_loop_that_goes_on_is_told_of_by_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    import asyncio

    async def go() -> LoopWatch:
        watch, asked = LoopWatch(ask_every_s=0.0, blocked_after_s=60), asyncio.get_running_loop().time() + 0.05
        watch.start()
        while asyncio.get_running_loop().time() < asked:
            await asyncio.sleep(0)
        watch.stop()
        return watch

    watch = asyncio.run(go())
    assert watch.blocked == 0
    assert watch.lag_s < 60
    assert capsys.readouterr().err == ""


@pytest.fixture(autouse=True)
def logged(logs_as_they_were: None) -> None:
    configure_logs(Settings())
