"""What stands for the bot behind a channel that is tested alone: an intake that keeps what comes in."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.channels.channel import Taken
from bot.message import Button, Message, Press

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.locale import Language
    from bot.message import Address, Position
    from bot.skill import Blobs

LONGEST_S = 120.0
"""No test of a contract waits longer for anything: far more than it takes, on a machine that does other work too."""


@dataclass
class KeptIntake:
    """Keeps `bot.channels.channel.Intake`: what is accepted, once an id and version, as the inbox does."""

    blobs: Blobs
    items: list[Message | Press] = field(default_factory=list)
    taken_back: list[tuple[Address, str]] = field(default_factory=list)
    """The messages that were taken back: where, and their ids."""
    read_to: dict[tuple[str, str], str] = field(default_factory=dict)
    """How far each account of a channel was read."""
    note: str = ""
    """What whoever presses a button is told."""
    buttons: tuple[Button, ...] = ()
    """Those under the last answer, where they are pressed by writing their number."""
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    async def accept(self, item: Message | Press) -> Taken:
        """Keep it; the same id and version again changes nothing."""
        if _mark(item) in {_mark(one) for one in self.items}:
            return Taken(fresh=False)
        self.items.append(item)
        self._came.set()
        return Taken(fresh=True, note=self.note if isinstance(item, Press) else "")

    async def accept_all(self, items: Sequence[Message | Press], *, read_to: Position) -> Sequence[Taken]:
        """Keep them, and how far was read."""
        self.read_to[read_to.channel, read_to.account] = read_to.at
        return [await self.accept(item) for item in items]

    async def position(self, channel: str, account: str) -> str:
        """Return how far was read."""
        return self.read_to.get((channel, account), "")

    async def next(self, after: int, *, of: str = "") -> Message | Press:
        """Return the item that came after so many others, once it is there; the one with the id `of`, where that is told."""
        async with asyncio.timeout(LONGEST_S):
            while (found := next((item for item in self.items[after:] if of in {"", item.id}), None)) is None:
                self._came.clear()
                await self._came.wait()
        return found

    async def language(self, address: Address, text: str, platform_language: str) -> Language:
        """Return the text's language."""
        del address, platform_language
        return "ko" if any("가" <= letter <= "힣" for letter in text) else "en"

    async def moved(self, old: Address, new: Address) -> None:
        """Know of no chat that moves."""
        raise AssertionError(f"{old} is not said to move to {new}")

    async def removed(self, address: Address, message: str) -> None:
        """Keep that it was taken back."""
        self.taken_back.append((address, message))
        self._came.set()

    async def joined(self, group: Address, by: str, language: Language) -> str:
        """Let the channel greet with its own words."""
        del group, by, language
        return ""

    async def offered(self, address: Address, person: str) -> Sequence[Button]:
        """Return `buttons`."""
        del address, person
        return self.buttons

    def members_changed(self, group: Address, person: str = "") -> None:
        """Know nobody who comes or leaves."""

    def keep(self, data: bytes) -> str:
        """Keep bytes in the blob store."""
        return self.blobs.keep(data)


def _mark(item: Message | Press) -> tuple[object, ...]:
    """Return what makes it the same as another."""
    return type(item), item.address.chat, item.id, getattr(item, "version", 0)
