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

from fakes.telegram_bot_api.client import TOKEN, FakeTelegram

READY_S = 60.0
END_S = 30.0
"""How long a program that is asked to end may take; then it is killed, and the test says so."""
VERB_S = 100.0
GRACE_S = 30.0
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
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PARING_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "run",
        env=environment | {"PARING_HOME": str(home), "PARING_WEB__PORT": "0", "PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1"} | settings,
        cwd=home.parent, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    complaints = asyncio.create_task(process.stderr.read())
    drained: asyncio.Task[bytes] | None = None
    try:
        greetings = []
        for _channel in range(channels):
            line = (await asyncio.wait_for(process.stdout.readline(), READY_S)).decode().strip()
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
            for reading in (complaints, drained):
                if reading is not None:
                    await asyncio.wait([reading], timeout=1)
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
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PARING_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *words,
        env=environment | {"PARING_HOME": str(home)} | settings, cwd=home.parent,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        out, complaints = await asyncio.wait_for(process.communicate(stdin.encode()), VERB_S)
    except TimeoutError:
        process.kill()
        raise
    assert process.returncode is not None
    return process.returncode, out.decode(), complaints.decode()
