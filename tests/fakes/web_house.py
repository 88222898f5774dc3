"""The page, a bot that answers as a test tells it, and what a test does in the browser in front of it."""

from __future__ import annotations

import asyncio
import base64
import socket
from pathlib import Path

from playwright.async_api import BrowserContext, Page
from pydantic import SecretStr

from bot.channels.web import ME, Web
from bot.config import LimitSettings, WebSettings
from bot.message import Address, Message, Press, Reply
from bot.store.blobs import BlobStore
from fakes.admin_desk import MemoryDesk, MemoryOrders, MemorySwaps
from fakes.waiting import LONGEST_S
from fakes.web import MemoryDocuments, MemoryIntake, MemoryTranscript

HERE = Address("web", "local", ME)
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==")


class House:
    """The page, its bot, and the browser in front of it."""

    def __init__(self, folder: Path, *, password: str = "") -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]  # known beforehand, so that a restart is found by the browser
        self.transcript = MemoryTranscript()
        self.blobs = BlobStore(folder / "blobs")
        self.intake = MemoryIntake(self.transcript, self.blobs)
        self.documents = MemoryDocuments()
        self.desk = MemoryDesk()
        self.web = Web(
            WebSettings(port=port, password=SecretStr(password)), blobs=self.blobs, transcript=self.transcript,
            documents=self.documents, sizes=LimitSettings(file_mb=1), admin=self.desk,
        )  # fmt: skip
        self.sent = 0

    async def start(self) -> None:
        self.running = asyncio.create_task(self.web.run(self.intake))
        ready = asyncio.create_task(self.web.ready.wait())
        await asyncio.wait([self.running, ready], timeout=LONGEST_S, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if self.running.done():
            await self.running
        assert self.web.ready.is_set(), "the page did not come up"

    async def stop(self) -> None:
        self.running.cancel()
        await asyncio.wait([self.running], timeout=LONGEST_S)
        assert self.running.done(), "the page did not end"

    def clear(self) -> None:
        self.transcript.clear()
        self.intake.accepted.clear()
        self.intake.answer = None
        self.intake.note = ""
        self.intake.settled = None
        self.intake.breaks = None
        self.documents.opened.clear()
        self.desk.swaps, self.desk.admins, self.desk.audit = MemorySwaps(), {"web:me"}, MemoryOrders()

    async def reply(self, reply: Reply) -> str:
        """Write a reply down and send it, as the outbox does."""
        self.sent += 1
        key = f"out-{self.sent}"
        self.transcript.put(key, reply)
        return await self.web.send(reply, HERE, key=key)

    async def edit(self, sent: str, reply: Reply) -> None:
        self.transcript.put(sent, reply)
        await self.web.edit(sent, reply, HERE)

    def answers(self, reply: Reply) -> None:
        async def answer(_item: Message | Press) -> None:
            await self.reply(reply)

        self.intake.answer = answer


async def visit(context: BrowserContext, house: House) -> Page:
    page = await context.new_page()
    await page.goto(house.web.url)
    await live(page)
    return page


async def live(page: Page) -> None:
    await page.locator("#paring[data-live]").wait_for()


async def say(page: Page, text: str) -> None:
    await page.locator("#text").fill(text)
    await page.locator("#text").press("Enter")


async def drop(page: Page, path: Path) -> None:
    """Drop a file or folder of the disk on the page, as the browser gets it from the desktop."""
    session = await page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        await session.send(
            "Input.dispatchDragEvent",
            {"type": kind, "x": 400, "y": 300, "data": {"items": [], "files": [str(path)], "dragOperationsMask": 1}},
        )
