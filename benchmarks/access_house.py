"""A whole bot without its platforms and models, for the proof of who finds what: the real inbox, worker, skills, library and store.

Owns what stands for the rest: two channels whose groups have the members that one says, an embedder that hashes words, a clock.

    house = await House.open(folder)
    replies = await house.hear(message)
"""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import Any, cast

import numpy as np

from bot.channels.channel import Channel, Limits
from bot.config import LimitSettings, Settings
from bot.dispatch import Dispatcher
from bot.forgetting import Forgetting
from bot.house import House as HouseSkill
from bot.intake import Reception
from bot.locale import Language
from bot.logs import configure_logs
from bot.message import Message, Press, Reply
from bot.passage import Scope
from bot.retrieval.access import Access
from bot.retrieval.library import Shelves
from bot.router import Decision
from bot.skill import Kit, Links, Slot
from bot.store.audiences import Audiences
from bot.store.blobs import BlobStore
from bot.store.chats import Chats
from bot.store.database import Database
from bot.store.erasing import Eraser
from bot.store.history import History
from bot.store.inbox import Inbox, Waiting
from bot.store.moving import Moves
from bot.store.outbox import Outbox
from bot.store.pasts import Pasts
from bot.testing import InlineSandbox
from bot.text.words import terms
from bot.worker import Worker
from skills.search.skill import build

EMBEDDERS = ("hash@1", "hash@2", "hash@3")


@contextmanager
def _logged_into(log: io.StringIO, folder: Path) -> Iterator[None]:
    """Have every line that the bot logs, of any level, go into `log`, as it would go to stderr."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    with redirect_stderr(log):
        configure_logs(Settings(home=folder, log_level="debug"))
        yield
    root.handlers[:], root.level = before, level


class HashEmbedder:
    """Vectors of hashed words. Each of EMBEDDERS is a model of its own, of another dimension; the first is the slot's."""

    def live(self, slot: Slot[str, np.ndarray]) -> str:
        """Return the model that is asked for, else the slot's."""
        return slot.model or EMBEDDERS[0]

    async def run(self, slot: Slot[str, np.ndarray], batch: Sequence[str], *, bulk: bool = False) -> list[np.ndarray]:
        """Return a unit vector for each text."""
        del bulk
        dimension = 24 + 8 * EMBEDDERS.index(self.live(slot))
        return [_vector(text, dimension) for text in batch]


def _vector(text: str, dimension: int) -> np.ndarray:
    vector = np.full(dimension, 1e-3, np.float32)
    for term in terms(text):
        vector[int.from_bytes(hashlib.blake2b(term.encode(), digest_size=4).digest()) % dimension] += 1
    return cast("np.ndarray", vector / np.linalg.norm(vector))


class Platform:
    """A channel whose groups have the members that one says, and whose groups in `inside` lie wholly in its workspace."""

    groups = True
    limits = Limits(4096, 1 << 20, 1 << 20, edits=True, repeatable_sends=True)

    def __init__(self, name: str, account: str) -> None:
        """Begin with no members."""
        self.name, self.account = name, account
        self.members: dict[Scope, set[str]] = {}
        self.inside: set[str] = set()

    async def member(self, person: str, scope: Scope) -> bool | None:
        """Say who is a member; of a place that is not known, nothing."""
        return person in self.members[scope] if scope in self.members else None

    async def workspace(self, chat: str) -> Scope | None:
        """Return the workspace of the groups that lie in it."""
        return Scope("workspace", f"{self.name}/{self.account}") if chat in self.inside else None


class House:
    """The bot."""

    def __init__(self, database: Database, folder: Path) -> None:
        """Put the parts together."""
        self.database, self.folder, self.now = database, folder, 0.0
        self.embedder = HashEmbedder()
        self.platforms = {platform.name: platform for platform in (Platform("alpha", "a"), Platform("beta", "b"))}
        self.inbox, self.outbox, self.blobs = Inbox(database), Outbox(database), BlobStore(folder / "blobs")
        self.log = io.StringIO()
        self._logging = _logged_into(self.log, folder)
        self._logging.__enter__()
        self._arrived: list[Waiting] = []
        self._begin()

    @classmethod
    async def open(cls, folder: Path) -> House:
        """Return a house over a fresh database in `folder`."""
        return cls(await Database.open(folder / "paring.db"), folder)

    async def close(self) -> None:
        """Stop."""
        self._logging.__exit__(None, None, None)
        await self.library.close()
        await self.database.close()

    async def restart(self) -> None:
        """Forget all that is held in memory, as a new process has."""
        await self.library.close()
        self._begin()

    async def hear(self, item: Message | Press) -> list[Reply]:
        """Have a message or a press go the whole way; return its replies as the outbox holds them, marked as sent."""
        self._arrived.clear()
        await self.reception.accept(item)
        parcels = []
        for waiting in list(self._arrived):
            await self.worker.handle(waiting)
            parcels += await self.outbox.of(waiting.id)
        for parcel in parcels:
            await self.outbox.sent(parcel.id, f"s{parcel.id}")
        return [parcel.reply for parcel in parcels]

    def _begin(self) -> None:
        self.chats, channels = Chats(self.database), cast("dict[str, Channel]", self.platforms)
        self.moves = Moves(self.database, self.chats)
        self.library = Shelves(self.database, cast("Any", self.embedder), InlineSandbox(), self.folder, LimitSettings())  # type: ignore[arg-type]  # what a library needs of these
        self.access = Access(Audiences(self.database), channels, clock=lambda: self.now)
        history = History(self.database)
        kit = Kit(
            Settings(home=self.folder),
            cast("Any", self.embedder),
            self.library,
            history,
            cast("Links", None),
            self.blobs,
            InlineSandbox(),
        )
        pasts = Pasts(self.database)
        forgetting = Forgetting(history, self.library, Eraser(self.database, self.blobs), leave_out=pasts.leave_out)
        house = HouseSkill(history, self.chats, self.library, forgetting, str(self.folder))
        dispatcher = Dispatcher([build(kit), house], _search, text_bytes=10_000, keep_label=cast("Any", None), access=self.access)
        self.worker = Worker(self.inbox, dispatcher, self.blobs, {}, limits=LimitSettings(), replied=lambda _parcels: None)
        self.reception = Reception(
            self.inbox, self.chats, self.blobs, self.moves, arrived=self._arrived.append, stop=lambda _number: False,
            default="en", text_bytes=10_000, members_changed=self.access.changed,
        )  # fmt: skip


async def _search(_text: str, _language: Language) -> Decision:
    """Route everything to the search."""
    return Decision("search", 1.0, "", 0.0, "answer")
