"""The web page, as the one person of it has it: by its own requests, and what is pushed to browsers that are open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import lxml.html
from fakes.waiting import LONGEST_S
from fakes.web import EARLY, MemoryTranscript

from bot.app import App, channels_of
from bot.channels.channel import Channel
from bot.channels.web import ME, Web
from bot.channels.web_transcript import Entry
from bot.config import Settings, WebSettings
from bot.contract import File, Harness, Shown, Who
from bot.message import Address, Message
from bot.skill import Blobs

LARGE = 1 << 20


class Said(MemoryTranscript):
    """Knows what was said here, as the database does behind a whole bot."""

    def __init__(self, said: Mapping[str, Any]) -> None:
        super().__init__()
        self._said = said

    async def find(self, address: Address, entry: str) -> Entry | None:
        if entry not in self._said:
            return None
        return Entry(entry, Message(address, ME, entry, self._said[entry]["text"], "en", EARLY), EARLY)


class WebHarness(Harness):
    here = Address("web", "local", ME)

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self._ids = iter(f"{number:016x}" for number in range(1_000_000))
        self._said: dict[str, Any] = {}
        self._entries: dict[str, lxml.html.HtmlElement] = {}
        self._told: list[str] = []
        self._typed = 0
        self._channel: Web
        self.client: httpx.AsyncClient

    def channel(self, blobs: Blobs) -> Web:
        return Web(WebSettings(port=0), blobs=blobs, transcript=Said(self._said))

    def channel_in(self, app: App) -> Channel:
        return channels_of(app)[0]

    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"web": WebSettings(port=0)})

    async def ready(self, channel: Channel) -> None:
        assert isinstance(channel, Web)
        await asyncio.wait_for(channel.ready.wait(), LONGEST_S)
        self._channel = channel
        assert channel._screens is not None
        channel._screens._open.add("a browser")
        channel._screens.push = self._pushed  # type: ignore[method-assign]
        self.client = await self._stack.enter_async_context(
            httpx.AsyncClient(base_url=channel.url, headers={"x-paring": "en"}, timeout=LONGEST_S)
        )

    async def _pushed(self, event: Mapping[str, object]) -> None:
        if event["kind"] == "typing":
            self._typed += 1
        elif event["kind"] == "entry" and event["side"] == "bot":
            self._entries[str(event["id"])] = lxml.html.fromstring(str(event["html"]))

    async def say(
        self, text: str, *, at: Address | None = None, by: Who = "ann", files: Sequence[File] = (), reply_to: str = "", called: bool = False
    ) -> str:  # fmt: skip
        number = next(self._ids)
        self._said[number] = {
            "id": number,
            "text": text,
            "reply_to": reply_to,
            "files": [await self._uploaded(one) for one in files],
        }
        await self.again(number)
        return number

    async def _uploaded(self, file: File) -> Mapping[str, object]:
        if len(file.data) > LARGE:
            raise ValueError(await self._refusal(file))
        headers = {"x-name": quote(file.name), "content-type": file.media_type}
        answer = await self.client.post("/api/files", content=file.data, headers=headers)
        kept: Mapping[str, object] = answer.raise_for_status().json()
        return kept

    async def _refusal(self, file: File) -> str:
        """Return what the page says of a file that it will not take: it says so before the file is sent."""
        url = httpx.URL(self._channel.url)
        reader, writer = await asyncio.open_connection(url.host, url.port)
        writer.write(
            f"POST /api/files HTTP/1.1\r\nHost: {url.host}:{url.port}\r\nx-paring: en\r\nx-name: {quote(file.name)}\r\n"
            f"Content-Length: {len(file.data)}\r\n\r\n".encode()
        )
        said = await asyncio.wait_for(reader.read(), LONGEST_S)
        writer.close()
        return said.decode()

    async def again(self, message: str) -> None:
        (await self.client.post("/api/say", json=self._said[message])).raise_for_status()

    async def shown(self, at: Address | None = None) -> Sequence[Shown]:
        return [_shown(number, entry) for number, entry in self._entries.items()]

    async def press(self, shown: Shown, label: str, *, at: Address | None = None, by: Who = "ann") -> None:
        buttons = self._entries[shown.id].xpath(".//button[@data-token]")
        token = next(one.get("data-token") for one in buttons if one.text_content() == label)
        answer = await self.client.post("/api/press", json={"id": next(self._ids), "token": token})
        self._told.append(answer.raise_for_status().json()["note"])

    async def told(self) -> Sequence[str]:
        return self._told

    async def signs(self) -> int:
        return self._typed

    async def menu(self) -> Mapping[str, str]:
        return {str(one["name"]): str(one["summary"]["en"]) for one in self._channel._menu()}  # type: ignore[index]


def _shown(number: str, entry: lxml.html.HtmlElement) -> Shown:
    texts = [part.text_content() for part in entry.xpath(".//div[@class='said'] | .//section[@class='sources']")]
    return Shown(
        number, "\n".join(texts).strip(), tuple(one.text_content() for one in entry.xpath(".//button[@data-token]")),
        links=tuple(entry.xpath(".//div[@class='said']//a/@href | .//section[@class='sources']//a/@href")),
        pictures=len(entry.xpath(".//div[starts-with(@class, 'pictures')]//img")),
        coded=tuple(one.text_content() for one in entry.xpath(".//pre")),
    )  # fmt: skip


@asynccontextmanager
async def web(_folder: Path) -> AsyncIterator[WebHarness]:
    async with AsyncExitStack() as stack:
        yield WebHarness(stack)
