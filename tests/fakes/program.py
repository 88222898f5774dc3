"""The bot as a program of its own: started, spoken to from outside, killed.

async with bot(home, PARING_WEB__PORT="0") as program:
    program.greetings    # what it printed when it was ready
    program.kill()
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from fakes import leaks
from fakes.telegram_bot_api.client import TOKEN, FakeTelegram
from fakes.waiting import LONGEST_S

END_S = 60.0
"""How long a program that is asked to end may take; then it is killed, and the test says so."""
GRACE_S = 60.0
"""How long a program may take to end once it was asked to; then it shows where it hangs, and the test fails."""


class Program:
    def __init__(self, process: asyncio.subprocess.Process, greetings: list[str], complaints: asyncio.Task[bytes]) -> None:
        self.process = process
        self._complaints = complaints
        self.greetings = greetings

    @property
    def url(self) -> str:
        return next(line.split()[3] for line in self.greetings if "http" in line)

    def kill(self) -> None:
        self.process.kill()

    def libraries(self) -> str:
        return Path(f"/proc/{self.process.pid}/maps").read_text(encoding="utf-8")

    async def stop(self) -> int:
        with suppress(ProcessLookupError):
            self.process.terminate()
        try:
            return await asyncio.wait_for(self.process.wait(), GRACE_S)
        except TimeoutError:
            self.process.send_signal(signal.SIGABRT)
            await self.process.wait()
            raise AssertionError(f"did not end when told to:\n{(await self._complaints).decode()}") from None


def environment(home: Path) -> dict[str, str]:
    """Return what a program over `home` is given: secrets that it must show nowhere, and a folder of its own for what is temporary."""
    temporary = home.with_name("temp")
    temporary.mkdir(exist_ok=True)
    leaks.HOMES.update((home, temporary))
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PARING_")}
    return inherited | leaks.OTHERS | {"PARING_HOME": str(home), "TMPDIR": str(temporary)}


def telegram_settings(telegram: FakeTelegram) -> dict[str, str]:
    return {
        "PARING_FRONT_DOOR": "everybody",
        "PARING_TELEGRAM__TOKEN": TOKEN,
        "PARING_TELEGRAM__BASE_URL": telegram.base_url,
        "PARING_TELEGRAM__BASE_FILE_URL": telegram.base_file_url,
    }


@asynccontextmanager
async def bot(home: Path, *, channels: int = 1, **settings: str) -> AsyncIterator[Program]:
    """Run `paring run` until the context ends; `channels` greetings are awaited."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "run",
        env=environment(home) | {"PARING_WEB__PORT": "0", "PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1"} | settings,
        cwd=home.parent, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    complaints = asyncio.create_task(process.stderr.read())
    drained: asyncio.Task[bytes] | None = None
    try:
        greetings = []
        for _channel in range(channels):
            line = (await asyncio.wait_for(process.stdout.readline(), LONGEST_S)).decode().strip()
            if not line:
                raise AssertionError((await asyncio.wait_for(complaints, END_S)).decode())
            greetings.append(line)
        drained = asyncio.create_task(process.stdout.read())  # a full pipe would hold the program up
        yield Program(process, greetings, complaints)
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            await ended(process)
        finally:
            # A child of the program that outlives it keeps the pipes open: what it says is not waited for.
            for reading, private in ((complaints, True), (drained, False)):
                if reading is not None:
                    done, _left = await asyncio.wait([reading], timeout=1)
                    if done and not reading.cancelled() and reading.exception() is None:
                        leaks.heard(reading.result(), f"paring run in {home}", private=private)
                    reading.cancel()


async def ended(process: asyncio.subprocess.Process) -> int:
    """Return the exit code once `process` has ended; it is killed where it does not."""
    try:
        return await asyncio.wait_for(process.wait(), END_S)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise AssertionError(f"the program did not end within {END_S:.0f} s of being asked to") from None


async def paring(home: Path, *words: str, stdin: str = "", **settings: str) -> tuple[int, str, str]:
    """Run a verb to its end; return exit code, stdout and stderr."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *words, env=environment(home) | settings, cwd=home.parent,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        out, complaints = await asyncio.wait_for(process.communicate(stdin.encode()), LONGEST_S)
    except TimeoutError:
        process.kill()
        raise
    assert process.returncode is not None
    if words[:1] == ("say",) and len(words) > 1:
        leaks.said(words[1])
    leaks.heard(out, f"what paring {words[0]} prints")
    leaks.heard(complaints, f"what paring {words[0]} complains of", private=True)
    return process.returncode, out.decode(), complaints.decode()
