"""A transcript, documents and an intake in memory, and a bot that answers as a test tells it: for the web page's tests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bot.channels.channel import Taken
from bot.channels.web_transcript import Entry
from bot.locale import Language
from bot.message import Address, Message, Press, Reply, pack
from bot.passage import PUBLIC, Scope, Scopes
from bot.store.blobs import BlobStore
from bot.store.documents import Opened, Part, digest_of
from fakes.waiting import LONGEST_S

EARLY = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@dataclass
class MemoryTranscript:
    entries: list[Entry] = field(default_factory=list)

    async def page(self, address: Address, *, before: str = "", count: int = 30) -> list[Entry]:
        end = int(before) if before else len(self.entries)
        return self.entries[max(0, end - count) : end]

    async def find(self, address: Address, entry: str) -> Entry | None:
        return next((known for known in self.entries if known.id == entry), None)

    async def holds(self, address: Address, blob: str) -> bool:
        return any(blob in pack(entry.said) for entry in self.entries)

    def put(self, id: str, said: Message | Reply) -> Entry:
        known = next((at for at, entry in enumerate(self.entries) if entry.id == id), None)
        if known is not None:
            self.entries[known] = replace(self.entries[known], said=said)
            return self.entries[known]
        self.entries.append(Entry(id, said, EARLY, str(len(self.entries))))
        return self.entries[-1]

    def clear(self) -> None:
        self.entries.clear()


@dataclass
class MemoryDocuments:
    """Documents by their number, each in one scope."""

    opened: dict[int, tuple[Scope, Opened]] = field(default_factory=dict)

    def put(self, number: int, title: str, *texts: str, scope: Scope = PUBLIC, page: int | None = None, **more: str) -> None:
        parts = tuple(Part(text, more.pop("heading", ""), page) for text in texts)
        facts = {"kind": "text", "sha256": "", "key": "", "link": ""} | more
        size_bytes = int(facts.pop("size_bytes", "0"))
        shown = Opened(number, title, size_bytes=size_bytes, updated_at=EARLY, parts=parts, first=0, total=len(parts), **facts)
        self.opened[number] = (scope, shown)

    async def find(self, number: int, scopes: Scopes, *, near: str = "", first: int | None = None) -> Opened | None:
        scope, opened = self.opened.get(number, (PUBLIC, None))
        if opened is None or scope not in scopes:
            return None
        parts = tuple(replace(part, found=bool(near) and digest_of(part.text) == near) for part in opened.parts)
        return replace(opened, parts=parts[first or 0 :], first=first or 0)

    async def holds(self, scopes: Scopes, blob: str) -> bool:
        return any(
            scope in scopes and blob in (shown.sha256, shown.key.rpartition(":")[2]) for scope, shown in self.opened.values()
        )

    async def count(self, scopes: Scopes) -> int:
        return sum(1 for scope, _opened in self.opened.values() if scope in scopes)


Answer = Callable[[Message | Press], Awaitable[None]]


@dataclass
class MemoryIntake:
    """Keeps what came in, once an id; then lets `answer` speak."""

    transcript: MemoryTranscript
    blobs: BlobStore
    answer: Answer | None = None
    note: str = ""
    accepted: list[Message | Press] = field(default_factory=list)
    settled: Language | None = None
    breaks: Exception | None = None
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def accept(self, item: Message | Press) -> Taken:
        if self.breaks:
            raise self.breaks
        if any(known.id == item.id for known in self.accepted):
            return Taken(fresh=False, note=self.note)
        self.accepted.append(item)
        self.came.set()
        if isinstance(item, Message):
            self.transcript.put(item.id, item)
        if self.answer:
            await self.answer(item)
        return Taken(fresh=True, note=self.note)

    async def language(self, address: Address, text: str, platform_language: str) -> Language:
        if self.settled:
            return self.settled
        if text:
            return "ko" if any("가" <= letter <= "힣" for letter in text) else "en"
        return "ko" if platform_language == "ko" else "en"

    async def moved(self, old: Address, new: Address) -> None:
        raise AssertionError(f"{old} is not said to move to {new}")

    async def joined(self, group: Address, by: str, language: Language) -> str:
        raise AssertionError(f"nobody is said to put the bot into {group}")

    def members_changed(self, group: Address, person: str = "") -> None:
        raise AssertionError(f"nobody is said to come to {group} or to leave it")

    def keep(self, data: bytes) -> str:
        return self.blobs.keep(data)

    async def wait_for(self, count: int = 1) -> list[Message]:
        """Return the messages once `count` of them have come; a test waits for them only so long."""
        async with asyncio.timeout(LONGEST_S):
            while len(self.messages) < count:
                self.came.clear()
                await self.came.wait()
        return self.messages

    @property
    def messages(self) -> list[Message]:
        return [item for item in self.accepted if isinstance(item, Message)]

    @property
    def presses(self) -> list[Press]:
        return [item for item in self.accepted if isinstance(item, Press)]
