"""The connection to the database: many readers, one writer that commits what is waiting as one.

    database = await Database.open(path)
    await database.write(lambda connection: connection.execute(insert(...)))
    async with database.read() as connection: ...

Readers are SQLAlchemy's async connections. The writer is one thread: a `work` is a plain function of a plain connection, so that a
whole group of writes crosses to the thread and back once (through the async driver each statement crosses four times, which
was seen to cost most of a message). A write has been flushed to disk (WAL, synchronous=FULL) when `write` returns. Writes that
queue up while one commits share the next commit; each runs in a savepoint of its own, so one that fails takes none with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from bot.errors import StoreError
from bot.locale import phrases

_ = phrases(__file__)

T = TypeVar("T")
Work = Callable[[Connection], T]

MOST_AT_ONCE = 256
BUSY_TIMEOUT_MS = 10_000
READERS = 4
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_TIMEOUT_MS}", "secure_delete=ON")


@dataclass(frozen=True, slots=True)
class _Waiting:
    work: Work[Any]
    done: asyncio.Future[Any]


class Database:
    """One SQLite file with its readers and its one writer."""

    def __init__(self, path: Path) -> None:
        """Prepare the engines; nothing is opened before the first use."""
        self.path = path
        self._readers = create_async_engine(f"sqlite+aiosqlite:///{path}", pool_size=READERS, max_overflow=READERS)
        self._writing = create_engine(f"sqlite:///{path}", connect_args={"check_same_thread": False})
        _set_up(self._readers.sync_engine, begin="BEGIN")
        _set_up(self._writing, begin="BEGIN IMMEDIATE")
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue()
        self._writer: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store-writer")

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Return the database at `path`, brought to the newest schema. Raises StoreError where that cannot be done."""
        from bot.store.schema import upgrade  # noqa: PLC0415 - Alembic is loaded only when there is something to do

        await asyncio.to_thread(upgrade, path)
        return cls(path)

    async def close(self) -> None:
        """Finish the waiting writes and close."""
        await self._queue.join()
        if self._writer is not None:
            self._writer.cancel()
            with suppress(asyncio.CancelledError):
                await self._writer
        await self._readers.dispose()
        await asyncio.get_running_loop().run_in_executor(self._thread, self._writing.dispose)
        self._thread.shutdown()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection that sees one state of the database."""
        with _told():
            async with self._readers.connect() as connection:
                yield connection

    async def write(self, work: Work[T]) -> T:
        """Run `work` in a transaction, on the writer's thread, and return its result once it is on disk.

        Raises:
            StoreError: the database could not take it; nothing of `work` was kept.
        """
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._commit_for_ever(), name="store-writer")
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        await self._queue.put(_Waiting(work, done))
        with _told():
            return await done

    async def _commit_for_ever(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            group = [await self._queue.get()]
            while len(group) < MOST_AT_ONCE and not self._queue.empty():
                group.append(self._queue.get_nowait())
            outcomes = await loop.run_in_executor(self._thread, self._commit, [waiting.work for waiting in group])
            for waiting, outcome in zip(group, outcomes, strict=True):
                _settle(waiting.done, outcome)
                self._queue.task_done()

    def _commit(self, group: Sequence[Work[Any]]) -> list[object]:
        """Run the group in one transaction; return the result or the error of each."""
        alone = len(group) == 1
        try:
            with self._writing.begin() as connection:
                return [_attempt(connection, work, alone=alone) for work in group]
        except Exception as error:  # noqa: BLE001 - whatever broke the commit belongs to those who wait for it
            return [_Failed(error)] * len(group)


@dataclass(frozen=True, slots=True)
class _Failed:
    error: Exception


def _attempt(connection: Connection, work: Work[Any], *, alone: bool) -> object:
    if alone:
        return work(connection)
    try:
        with connection.begin_nested():
            return work(connection)
    except Exception as error:
        if isinstance(error, DatabaseError) and (connection.invalidated or error.connection_invalidated):
            raise
        return _Failed(error)  # one writer's mistake must not undo its neighbours' work


def _settle(done: asyncio.Future[Any], outcome: object) -> None:
    if done.done():
        return
    if isinstance(outcome, _Failed):
        done.set_exception(outcome.error)
    else:
        done.set_result(outcome)


class _told:  # noqa: N801 - reads as a word in a `with`
    """Translates the database's errors into sentences."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, DatabaseError):
            return
        reason = str(error.orig)
        if "locked" in reason or "busy" in reason:
            raise StoreError(
                _("The database is locked by another program. Nothing was changed; please try again in a moment.")
            ) from error
        if "full" in reason:
            raise StoreError(_("The disk is full. Nothing was changed; free some space and try again.")) from error
        if "readonly" in reason or "read-only" in reason:
            raise StoreError(
                _("The database is read-only. Nothing was changed; give the bot's user the right to write.")
            ) from error
        if "constraint" in reason.lower():
            return
        raise StoreError(_("The database failed. Nothing was changed; `paring doctor` tells more.")) from error


def _set_up(engine: Engine, *, begin: str) -> None:
    """Have every connection made as `PRAGMAS` say, and every transaction begun by `begin`, not by the driver."""

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        connection.exec_driver_sql(begin)
