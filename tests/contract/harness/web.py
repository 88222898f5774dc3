"""The web page, as the one person of it has it: by its own requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
from fakes.web import MemoryTranscript

from bot.app import App, channels_of
from bot.channels.channel import Channel
from bot.channels.web import ME, Web
from bot.config import Settings, WebSettings
from bot.contract import Harness
from bot.message import Address
from bot.skill import Blobs

READY_S = 30.0


class WebHarness(Harness):
    here = Address("web", "local", ME)

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self._ids = iter(f"{number:016x}" for number in range(1_000_000))
        self.client: httpx.AsyncClient

    def channel(self, blobs: Blobs) -> Web:
        return Web(WebSettings(port=0), blobs=blobs, transcript=MemoryTranscript())

    def channel_in(self, app: App) -> Channel:
        return channels_of(app)[0]

    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"web": WebSettings(port=0)})

    async def ready(self, channel: Channel) -> None:
        assert isinstance(channel, Web)
        await asyncio.wait_for(channel.ready.wait(), READY_S)
        self.client = await self._stack.enter_async_context(
            httpx.AsyncClient(base_url=channel.url, headers={"x-paring": "en"}, timeout=READY_S)
        )

    async def say(self, text: str) -> str:
        number = next(self._ids)
        (await self.client.post("/api/say", json={"id": number, "text": text})).raise_for_status()
        return number


@asynccontextmanager
async def web(_folder: Path) -> AsyncIterator[WebHarness]:
    async with AsyncExitStack() as stack:
        yield WebHarness(stack)
