"""A bot with its house, two people and two groups, whom tests let say, send and forget."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from itertools import count
from zipfile import ZipFile

from benchmarks.access_house import House
from bot.message import Address, Attachment, Command, Message, Reply
from bot.passage import Scope, Scopes
from bot.testing import NOON

ALONE, BENS = Address("alpha", "a", "ann"), Address("alpha", "a", "ben")
TEAM, BOARD = Address("alpha", "a", "team", kind="group"), Address("alpha", "a", "board", kind="group")
CANARY = "zyxcanary"
FACT = f"the {CANARY} is under the lamp"


class Bot:
    def __init__(self, house: House) -> None:
        self.house, self.numbers = house, count(1)

    def message(self, text: str = "", *, at: Address = ALONE, who: str = "ann", **more: object) -> Message:
        name, _space, args = text.removeprefix("/").partition(" ")
        command = Command(name, args) if text.startswith("/") else None
        number = f"m{next(self.numbers)}"
        return replace(Message(at, who, number, text, "en", NOON, sender_name=who, command=command), **more)  # type: ignore[arg-type]

    async def say(self, text: str = "", **more: object) -> Reply:
        (reply,) = await self.house.hear(self.message(text, **more))  # type: ignore[arg-type]
        return reply

    async def overhear(self, text: str, *, at: Address = TEAM, who: str = "ann") -> Message:
        await self.house.chats.set_indexing(at, on=True)
        said = self.message(text, at=at, who=who, addressed=False)
        assert await self.house.hear(said) == []
        return said

    async def send(self, name: str, text: str, *, at: Address = ALONE, who: str = "ann", words: str = "") -> Message:
        file = Attachment("document", name, "text/plain", len(text), blob=self.house.blobs.keep(text.encode()))
        sent = self.message(words, at=at, who=who, attachments=(file,))
        await self.house.hear(sent)
        return sent

    async def pack(self, name: str, *, at: Address = ALONE, who: str = "ann", **files: bytes) -> Message:
        """Send an archive of `files`, whose names have _ for a point."""
        whole = BytesIO()
        with ZipFile(whole, "w") as archive:
            for inner, data in files.items():
                archive.writestr(inner.replace("_", "."), data)
        data = whole.getvalue()
        file = Attachment("document", name, "application/zip", len(data), blob=self.house.blobs.keep(data))
        sent = self.message(at=at, who=who, attachments=(file,))
        await self.house.hear(sent)
        return sent

    async def found(self, *scopes: Address) -> list[str]:
        hits = await self.house.library.search("what is under the lamp", Scopes([Scope.of(at) for at in scopes]))
        return [hit.passage.text for hit in hits]

    def bytes_left(self, needle: bytes = CANARY.encode()) -> list[str]:
        files = (path for path in self.house.folder.rglob("*") if path.is_file())
        return sorted(path.name for path in files if needle in path.read_bytes())
