"""What every verb stands on: that Ctrl-C ends it, and ends it at once where it is pressed again."""

import asyncio
import os
import signal

import pytest

from bot import cli_verb


async def _asked_to_end(times: int) -> None:
    cli_verb._end_when_interrupted()
    for _time in range(times):
        os.kill(os.getpid(), signal.SIGINT)
    await asyncio.Event().wait()


def test_ctrl_c_cancels_the_work_and_leaves_no_handler_behind() -> None:
    before = signal.getsignal(signal.SIGINT)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(_asked_to_end(1))

    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_ctrl_c_ends_the_process_with_the_code_of_an_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)

    async def stuck() -> None:
        try:
            await _asked_to_end(1)
        except asyncio.CancelledError:
            os.kill(os.getpid(), signal.SIGINT)
            while not codes:
                await asyncio.sleep(0)
            raise

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(stuck())

    assert codes == [cli_verb.INTERRUPTED]
