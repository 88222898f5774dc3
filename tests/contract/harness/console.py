"""The terminal, as whoever sits in front of it has it: lines in, and what is printed."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from rich.console import Console as Terminal

from bot.channels.console import Console
from bot.config import Settings, WebSettings
from bot.contract import Harness
from bot.message import Address
from bot.skill import Blobs


class ConsoleHarness(Harness):
    here = Address("console", "local", "terminal")
    waits_for_answers = True

    def __init__(self) -> None:
        self.lines: asyncio.Queue[str] = asyncio.Queue()
        self.printed = io.StringIO()
        self._loop = asyncio.get_running_loop()

    def channel(self, blobs: Blobs) -> Console:
        return Console(blobs=blobs, read=self._read, terminal=Terminal(file=self.printed, width=100))

    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"web": WebSettings(enabled=False)})

    async def say(self, text: str) -> str:
        await self.lines.put(text)
        return ""

    def _read(self, _prompt: str) -> str:
        return asyncio.run_coroutine_threadsafe(self.lines.get(), self._loop).result()


@asynccontextmanager
async def console(_folder: Path) -> AsyncIterator[ConsoleHarness]:
    harness = ConsoleHarness()
    yield harness
    await harness.lines.put("/quit")
