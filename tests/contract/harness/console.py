"""The terminal, as whoever sits in front of it has it: lines in, and what is printed."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from rich.console import Console as Terminal

from bot.app import App
from bot.channels.console import Console
from bot.config import LimitSettings, Settings, WebSettings
from bot.contract import File, Harness, Shown, Who
from bot.contract.harness import LINK
from bot.message import Address
from bot.skill import Blobs

_BUTTONS = re.compile(r"^#1 .*$", re.MULTILINE)
_BUTTON = re.compile(r"#(\d+) (.+?)(?=   #|$)")


class Page(io.StringIO):
    """What is printed, answer by answer, and what is told beside."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []

    def write(self, text: str) -> int:
        self.pieces.append(text)
        return len(text)


class ConsoleHarness(Harness):
    here = Address("console", "local", "terminal")
    waits_for_answers = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lines: asyncio.Queue[str] = asyncio.Queue()
        self._page = Page()
        self._loop = asyncio.get_running_loop()
        self._channel: Console

    def channel(self, blobs: Blobs) -> Console:
        return self._made(blobs, LimitSettings())

    def channel_in(self, app: App) -> Console:
        return self._made(app.blobs, app.settings.limits)

    def _made(self, blobs: Blobs, sizes: LimitSettings) -> Console:
        self.leave()
        lines = self._lines = asyncio.Queue()

        def read(_prompt: str) -> str:
            return asyncio.run_coroutine_threadsafe(lines.get(), self._loop).result()

        self._channel = Console(blobs=blobs, sizes=sizes, read=read, terminal=Terminal(file=self._page, width=100))
        return self._channel

    def leave(self) -> None:
        """Let who reads go."""
        self._lines.put_nowait("/quit")

    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"web": WebSettings(enabled=False)})

    async def say(
        self, text: str, *, at: Address | None = None, by: Who = "ann", files: Sequence[File] = (), reply_to: str = "", called: bool = False
    ) -> str:  # fmt: skip
        for number, file in enumerate(files):
            path = self._folder / str(number) / Path(file.name).name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(file.data)
            await self._lines.put(f"/file '{path}'")
        await self._lines.put(text)
        return ""

    async def shown(self, at: Address | None = None) -> Sequence[Shown]:
        answers = [(number, piece) for number, piece in enumerate(self._page.pieces) if piece.startswith("\n") and piece.strip()]
        return [_shown(str(number), piece.strip("\n")) for number, piece in answers]

    async def press(self, shown: Shown, label: str, *, at: Address | None = None, by: Who = "ann") -> None:
        await self._lines.put(f"#{shown.buttons.index(label) + 1}")

    async def told(self) -> Sequence[str]:
        return [piece for piece in self._page.pieces if not piece.startswith("\n")]

    async def menu(self) -> Mapping[str, str]:
        return {command.name: command.summary.to("en") for command in self._channel._commands}


def _shown(number: str, piece: str) -> Shown:
    row = _BUTTONS.search(piece)
    labels = tuple(label for _number, label in _BUTTON.findall(row[0])) if row else ()
    pictures = len(re.findall(r"^\[[^\]]+\]$", piece, re.MULTILINE))
    return Shown(number, piece, labels, links=tuple(LINK.findall(piece)), pictures=pictures, coded=(piece,))


@asynccontextmanager
async def console(folder: Path) -> AsyncIterator[ConsoleHarness]:
    harness = ConsoleHarness(folder)
    yield harness
    harness.leave()
