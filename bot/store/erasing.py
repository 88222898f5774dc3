"""Forgetting, to the bytes: what a person said, what was answered to it, the files of both, and what is left of it on disk.

Owns the files that nothing names any more, and the bytes of deleted rows. Leaves the rows to `bot.store.unsaying`, passages to
`bot.store.passages`; whatever was deleted by anybody is then wiped from the word index and the log.

    count = await eraser.forget(address, "ann")
    await eraser.wipe()      # once, when everything is deleted
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

from sqlalchemy import Table, select, text

from bot import lazy
from bot.config import MEBIBYTE
from bot.errors import StoreError
from bot.logs import Logger
from bot.message import Address, Message
from bot.store.blobs import CLOCK_S
from bot.store.tables import DocumentRow, InboxRow, OutboxRow
from bot.store.unsaying import Gone, aged, aged_besides, anywhere, here, hush, unanswered, unquoted, unsaid, without_files

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from bot.store.blobs import BlobStore
    from bot.store.database import Database

log = Logger(__name__)

_INBOX, _OUTBOX, _DOCUMENTS = (cast("Table", kind.__table__) for kind in (InboxRow, OutboxRow, DocumentRow))
MERGED_PAGES = 500
"""Pages of the word index that are merged before others may write: some milliseconds."""
MOST_MERGES = 10_000
REWRITTEN_MB = 256
"""Up to this size a database is written anew when something was forgotten: some seconds, in which whatever is written waits."""
EMPTY_TRIES, EMPTY_AGAIN_S = 20, 0.25
_BLOB = lazy.compile(r'"blob":"([0-9a-f]{64})"')


class Eraser:
    """Forgets."""

    def __init__(self, database: Database, blobs: BlobStore, *, unlearn: Callable[[], Awaitable[None]] | None = None) -> None:
        """Erase in `database` and `blobs`; `unlearn` is called where labels of the router were among it."""
        self._database = database
        self._blobs = blobs
        self._unlearn = unlearn

    async def forget(self, address: Address, sender: str) -> int:
        """Delete what `sender` said in the chat and what belongs to it; return how many messages. What is worked on stays."""
        return await self._unsay(here(address), sender, address, lambda said: said.address.chat == address.chat)

    async def forget_everywhere(self, address: Address, sender: str) -> int:
        """Delete what `sender` said in any chat of the account; return how many messages."""
        return await self._unsay(anywhere(address), sender, address, lambda _said: True)

    async def forget_message(self, address: Address, number: str, *, sender: str | None) -> int:
        """Delete the message that the platform numbers so, if `sender` said it (None: whoever did), in all its versions.

        Also what waits or is worked on: its answer is not kept then (`Inbox.finish`).
        """

        def work(connection: Connection) -> Gone:
            wanted = (
                _INBOX.c.message_id == number if sender is None else (_INBOX.c.message_id == number) & (_INBOX.c.sender == sender)
            )
            return unsaid(
                connection,
                here(address),
                wanted,
                lambda said: said.id == number and said.address.chat == address.chat and sender in (None, said.sender),
                account=anywhere(address),
                also_waiting=True,
            )

        return (await self._gone(work)).messages

    async def forget_answer(self, address: Address, number: str, *, sender: str | None) -> bool | None:
        """Delete the bot's answer that the platform numbers so; False where there is none, None where it answers somebody else."""
        gone = await self._database.write(lambda connection: unanswered(connection, address, number, sender=sender))
        if gone is None:
            return None
        await self._settle(gone)
        return gone.answers > 0

    async def forget_files(self, address: Address, blobs: Collection[str], *, sender: str | None) -> int:
        """Take the files out of what `sender` sent in the chat; return how many messages, which were nothing else, went with them."""
        mine = _INBOX.c.sender == sender if sender is not None else _INBOX.c.id > 0

        def work(connection: Connection) -> Gone:
            return without_files(
                connection,
                here(address),
                mine,
                blobs,
                lambda said: said.address.chat == address.chat and sender in (None, said.sender),
                account=anywhere(address),
            )

        return (await self._gone(work)).messages if blobs else 0

    async def age(self, before: datetime, *, at_once: int) -> AsyncIterator[int]:
        """Delete what was said before `before` (aware), step by step; yield how many messages went in each. What waits stays.

        Its files go after the last step; where the bot ends before, the next round's `sweep` takes them.
        """
        whole = Gone()
        while (gone := await self._database.write(lambda connection: aged(connection, before, most=at_once))).messages:
            whole.add(gone)
            yield gone.messages
        quoting = select(_INBOX.c.id).where(_INBOX.c.message.like('%"reply_to":{%'))
        async with self._database.read() as connection:
            numbers = list((await connection.execute(quoting)).scalars())
        for start in range(0, len(numbers), at_once):
            some = numbers[start : start + at_once]
            gone = await self._database.write(lambda connection, some=some: unquoted(connection, before, some))  # type: ignore[misc]
            whole.add(gone)
            yield 0
        whole.add(await self._database.write(lambda connection: aged_besides(connection, before)))
        await self._settle(whole)

    async def hush(self, message: Message) -> None:
        """Leave of an order to forget that it was given, not what it names."""
        await self._gone(lambda connection: hush(connection, message))

    async def let_go(self, blobs: Collection[str]) -> None:
        """Delete those of some files that nothing names any more, unless they are brought again meanwhile."""
        until = datetime.now(UTC) - timedelta(seconds=CLOCK_S)
        await self._drop(dict.fromkeys(blobs, until))

    async def sweep(self, *, kept_until: datetime) -> int:
        """Delete the files that nothing names and that came before `kept_until` (aware); return how many."""
        named = await self._named()
        return await asyncio.to_thread(self._blobs.sweep, named, kept_until=kept_until)

    async def wipe(self) -> None:
        """Leave nothing of deleted rows on disk: merge the word index, write the database anew, move the log into it and empty that.

        Freed pages are overwritten as they are freed (secure_delete). What is copied when rows move within and between pages that stay
        is not: only a database that is written anew has none of it.
        """
        for place in range(MOST_MERGES):
            if not await self._database.write(_merged if place else _first_merged, durable=False):
                break
        try:
            if not await self._database.rewrite(most_bytes=REWRITTEN_MB * MEBIBYTE):
                log.warning(
                    "the database is too large to be written anew: pieces of what was forgotten may stay between its rows"
                )
        except StoreError as error:
            log.warning("the database could not be written anew: pieces of what was forgotten may stay in it", why=str(error))
        for _try in range(EMPTY_TRIES):
            if await self._database.empty_log():
                return
            await asyncio.sleep(EMPTY_AGAIN_S)
        log.warning("the database's log could not be emptied: a reader stands in the way; it is at the next stop")

    async def _unsay(self, place: ColumnElement[bool], sender: str, address: Address, within: Callable[[Message], bool]) -> int:
        mine = _INBOX.c.sender == sender

        def work(connection: Connection) -> Gone:
            return unsaid(connection, place, mine, lambda said: said.sender == sender and within(said), account=anywhere(address))

        return (await self._gone(work)).messages

    async def _gone(self, work: Callable[[Connection], Gone]) -> Gone:
        gone = await self._database.write(work)
        await self._settle(gone)
        return gone

    async def _settle(self, gone: Gone) -> None:
        """Do what follows from deleted rows: files and labels."""
        await self._drop(gone.files)
        if gone.labels and self._unlearn is not None:
            await self._unlearn()

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
