"""What the page shows of the past: entries, read from the database through one small contract.

Owns the contract. Leaves to the store where the entries lie, and to `bot.channels.web_render` how they look.

    entries = await transcript.page(address, count=30)       # the newest thirty, oldest first
    earlier = await transcript.page(address, before=entries[0].place, count=30)
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from bot.message import Address
from bot.skill import Blobs
from bot.store.transcript import Entry

PAGE_ENTRIES = 30
"""Entries that the page shows at first, and fetches at a time when its reader goes back."""


__all__ = ["Entry", "Files", "Transcript"]


class Transcript(Protocol):
    """What was said in a chat, both ways. Implemented by the store over inbox and outbox."""

    async def page(self, address: Address, *, before: str = "", count: int = PAGE_ENTRIES) -> list[Entry]:
        """Return the newest `count` entries before the place `before` ("": the newest of all), oldest first.

        Replies are listed as soon as they are in the outbox, whether or not they were sent: after a pause of its connection
        the page compares the newest entries with what it shows, by id and content, and so finds what came meanwhile.
        """
        ...

    async def find(self, address: Address, entry: str) -> Entry | None:
        """Return the entry of that id in the chat at `address`, None where there is none."""
        ...

    async def holds(self, address: Address, blob: str) -> bool:
        """Say whether a message or a reply of the chat at `address` names the file of this sha256."""
        ...


class Files(Blobs, Protocol):
    """A blob store that takes whole files without holding them in memory. Implemented by `bot.store.blobs.BlobStore`."""

    def spool(self) -> Path:
        """Return a fresh path for a file that is being received; its owner removes it."""
        ...

    def keep_file(self, file: Path) -> str:
        """Take the bytes of `file`, which stays; return their sha256."""
        ...
