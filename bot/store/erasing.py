"""Forgetting, to the bytes: what a person said in a chat, what was answered to it, the files of both, and what is left of it on disk.

Owns what belongs to a message: its replies, their buttons, its quotes in other messages, what was learnt from its text, its files. Leaves
passages to `bot.store.passages`; whatever was deleted by anybody is then wiped from the word index and the log.

    count = await Eraser(database, blobs).forget(address, "ann")
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, cast

from sqlalchemy import Table, and_, delete, select, text, update

from bot.logs import Logger
from bot.message import Address, Message, pack, unpack
from bot.store.tables import ButtonRow, DocumentRow, InboxRow, LabelRow, OutboxRow

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from bot.store.blobs import BlobStore
    from bot.store.database import Database

log = Logger(__name__)

_INBOX, _OUTBOX, _BUTTONS, _LABELS, _DOCUMENTS = (
    cast("Table", kind.__table__) for kind in (InboxRow, OutboxRow, ButtonRow, LabelRow, DocumentRow)
)
AT_ONCE = 500
"""Rows that one statement names: SQLite takes some thousand."""
MERGED_PAGES = 500
"""Pages of the word index that are merged before others may write: some milliseconds."""
MOST_MERGES = 10_000
EMPTY_TRIES, EMPTY_AGAIN_S = 20, 0.25
_BLOB = re.compile(r'"blob":"([0-9a-f]{64})"')


@dataclass(frozen=True, slots=True)
class _Gone:
    """How many messages and labels went, and the files that they named, each with when it was named last."""

    messages: int
    labels: int
    files: dict[str, datetime]


class Eraser:
    """Forgets."""

    def __init__(self, database: Database, blobs: BlobStore, *, unlearn: Callable[[], Awaitable[None]] | None = None) -> None:
        """Erase in `database` and `blobs`; `unlearn` is called where labels of the router were among it."""
        self._database = database
        self._blobs = blobs
        self._unlearn = unlearn

    async def forget(self, address: Address, sender: str) -> int:
        """Delete what `sender` said in the chat and what belongs to it; return how many messages. What is worked on stays."""
        gone = await self._database.write(lambda connection: _forgotten(connection, address, sender))
        await self._drop(gone.files)
        if gone.labels and self._unlearn is not None:
            await self._unlearn()
        await self.wipe()
        return gone.messages

    async def sweep(self, *, kept_until: datetime) -> int:
        """Delete the files that nothing names and that came before `kept_until` (aware); return how many."""
        named = await self._named()
        return await asyncio.to_thread(self._blobs.sweep, named, kept_until=kept_until)

    async def wipe(self) -> None:
        """Leave nothing of deleted rows on disk: merge the word index, move the log into the database and empty it.

        Freed pages are overwritten as they are freed (secure_delete).
        """
        for place in range(MOST_MERGES):
            if not await self._database.write(_merged if place else _first_merged, durable=False):
                break
        for _try in range(EMPTY_TRIES):
            if await self._database.empty_log():
                return
            await asyncio.sleep(EMPTY_AGAIN_S)
        log.warning("the database's log could not be emptied: a reader stands in the way; it is at the next stop")

    async def _drop(self, files: dict[str, datetime]) -> None:
        """Delete those of `files` that nothing names any more and that nobody has brought again since."""
        if not files:
            return
        named = await self._named()
        for blob, until in files.items():
            if blob not in named:
                await asyncio.to_thread(self._blobs.drop, blob, kept_until=until)

    async def _named(self) -> set[str]:
        """Return every blob that a message, a reply or a document names."""
        queries = (
            select(_INBOX.c.message).where(_INBOX.c.message.like('%"blob":"%')),
            select(_OUTBOX.c.reply).where(_OUTBOX.c.reply.like('%"blob":"%')),
        )
        async with self._database.read() as connection:
            named = set((await connection.execute(select(_DOCUMENTS.c.sha256))).scalars())
            for query in queries:
                async for packed in await connection.stream_scalars(query):
                    named.update(_BLOB.findall(packed))
        return named


def _forgotten(connection: Connection, address: Address, sender: str) -> _Gone:
    here = and_(*(_INBOX.c[name] == getattr(address, name) for name in ("channel", "account", "chat")))
    mine = and_(here, _INBOX.c.sender == sender, _INBOX.c.state.in_(("done", "dead")))
    rows = connection.execute(select(_INBOX.c.id, _INBOX.c.message, _INBOX.c.done_at).where(mine)).all()
    files: dict[str, datetime] = {}
    texts: set[str] = set()
    for row in rows:
        texts.add(_text_of(row.message))
        _note(files, row.message, row.done_at)
    for some in _in_parts([row.id for row in rows]):
        for packed, at in connection.execute(select(_OUTBOX.c.reply, _OUTBOX.c.created_at).where(_OUTBOX.c.inbox_id.in_(some))):
            _note(files, packed, at)
        connection.execute(delete(_OUTBOX).where(_OUTBOX.c.inbox_id.in_(some)))
        connection.execute(delete(_BUTTONS).where(_BUTTONS.c.inbox_id.in_(some)))
        connection.execute(delete(_INBOX).where(_INBOX.c.id.in_(some)))
    labels = sum(
        connection.execute(delete(_LABELS).where(_LABELS.c.text.in_(some))).rowcount for some in _in_parts(sorted(texts))
    )
    _unquote(connection, here, sender)
    return _Gone(len(rows), labels, files)


def _unquote(connection: Connection, here: ColumnElement[bool], sender: str) -> None:
    """Take what `sender` said out of the messages that quote it."""
    quoting = select(_INBOX.c.id, _INBOX.c.message).where(here, _INBOX.c.message.like('%"reply_to":{%'))
    for row in connection.execute(quoting).all():
        try:
            message = unpack(Message, row.message)
        except ValueError:
            continue
        if message.reply_to is None or message.reply_to.sender != sender:
            continue
        empty = replace(message, reply_to=replace(message.reply_to, text="", attachments=(), reply_to=None, command=None))
        connection.execute(update(_INBOX).where(_INBOX.c.id == row.id).values(message=pack(empty)))


def _note(files: dict[str, datetime], packed: str, at: datetime) -> None:
    for blob in _BLOB.findall(packed):
        files[blob] = max(at, files.get(blob, at))


def _text_of(packed: str) -> str:
    try:
        return unpack(Message, packed).text
    except ValueError:
        return ""  # a row that cannot be read is deleted all the same


def _in_parts(items: Sequence[int] | Sequence[str]) -> Iterator[Sequence[int] | Sequence[str]]:
    return (items[start : start + AT_ONCE] for start in range(0, len(items), AT_ONCE))


def _first_merged(connection: Connection) -> bool:
    """Begin a merge of the whole word index.

    Source: https://www.sqlite.org/fts5.html#the_merge_command
    """
    return _merged(connection, pages=-MERGED_PAGES)


def _merged(connection: Connection, *, pages: int = MERGED_PAGES) -> bool:
    """Merge some pages of the word index, which drops what was deleted; return whether there may be more to do."""
    before = connection.execute(text("SELECT total_changes()")).scalar_one()
    connection.execute(text("INSERT INTO passage_words(passage_words, rank) VALUES ('merge', :pages)"), {"pages": pages})
    return bool(connection.execute(text("SELECT total_changes()")).scalar_one() - before >= 2)  # noqa: PLR2004 - as SQLite says
