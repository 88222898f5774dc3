"""What tests of the Telegram channel share: an intake and a blob store of their own, and a channel that waits for nothing."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot.channels.backoff import Backoff
from bot.channels.channel import Taken
from bot.channels.telegram import Telegram
from bot.config import TelegramSettings
from bot.errors import ChannelError
from bot.locale import Language
from bot.message import Address, Message, Press, Reply
from fakes.telegram_bot_api.client import ANN, FakeTelegram

CANARY = "7:CANARY_t0ken-never_to_be_seen"
GROUP = -100
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
HERE = Address("telegram", "7", str(ANN))
IN_GROUP = Address("telegram", "7", str(GROUP), kind="group")


@dataclass
class Inbox:
    """An intake: keeps what is accepted, once an id and version; fails as often as it is told to."""

    items: list[Message | Press] = field(default_factory=list)
    note: str = ""
    failures: list[Exception] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    moves: list[tuple[Address, Address]] = field(default_factory=list)
    members: list[tuple[str, str]] = field(default_factory=list)
    groups: list[tuple[str, str]] = field(default_factory=list)
    instead: str = ""
    strangers: str = ""
    """What who says a message is told; then it is not kept."""

    async def accept(self, item: Message | Press) -> Taken:
        if self.failures:
            raise self.failures.pop(0)
        if self.strangers:
            return Taken(fresh=False, note=self.strangers)
        self.items.append(item)
        self.arrived.set()
        return Taken(fresh=True, note=self.note)

    async def language(self, address: Address, text: str, platform_language: str) -> Language:
        return "ko" if any("가" <= sign <= "힣" for sign in text) or (not text and platform_language == "ko") else "en"

    async def moved(self, old: Address, new: Address) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.moves.append((old, new))

    async def joined(self, group: Address, by: str, language: Language) -> str:
        self.groups.append((group.chat, by))
        return self.instead

    def members_changed(self, group: Address, person: str = "") -> None:
        self.members.append((group.chat, person))

    def keep(self, data: bytes) -> str:
        return hashlib.sha256(data).hexdigest()

    @property
    def texts(self) -> list[str]:
        return [item.text for item in self.items if isinstance(item, Message)]

    @property
    def message(self) -> Message:
        assert isinstance(self.items[-1], Message)
        return self.items[-1]


@dataclass
class Blobs:
    folder: Path

    def path(self, blob: str) -> Path:
        return self.folder / blob

    def keep(self, data: bytes) -> str:
        blob = hashlib.sha256(data).hexdigest()
        (self.folder / blob).write_bytes(data)
        return blob


async def breath(_seconds: float) -> None:
    """Wait for nothing: what was waited for is asked of the fake."""
    await asyncio.sleep(0)


def built(
    settings: TelegramSettings, blobs: Blobs, *, admins: tuple[str, ...] = ("42",), read_s: float = 20.0, poll_s: int = 30
) -> Telegram:
    backoff = Backoff(breath, random.Random(0))
    return Telegram(settings, blobs=blobs, admins=admins, read_s=read_s, poll_s=poll_s, backoff=backoff)


@asynccontextmanager
async def live(channel: Telegram, inbox: Inbox) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(channel.run(inbox))
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, ChannelError):
            await task


async def heard(fake: FakeTelegram, channel: Telegram, inbox: Inbox, say: Callable[[], Awaitable[object]]) -> Message:
    """Return the one message that comes of what is said."""
    async with live(channel, inbox):
        await say()
        await fake.settled()
    assert len(inbox.items) == 1
    return inbox.message


def reply(text: str, **more: object) -> Reply:
    return replace(Reply(text, "en"), **more)  # type: ignore[arg-type]
