"""The connection to the database: many readers, one writer that commits what is waiting as one.

    database = await Database.open(path)
    await database.write(lambda connection: connection.execute(insert(...)))
    async with database.read() as connection: ...

A write has been flushed to disk (WAL, synchronous=FULL) when `write` returns. Writes that queue up while one commits share
the next commit; each runs in a savepoint of its own, so one that fails takes none with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from sqlalchemy import event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.errors import StoreError
from bot.locale import phrases

_ = phrases(__file__)

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[T]]

MOST_AT_ONCE = 256
BUSY_TIMEOUT_MS = 10_000


@dataclass(frozen=True, slots=True)
class _Waiting:
    work: Work[Any]
    done: asyncio.Future[Any]


class Database:
    """One SQLite file with its readers and its one writer."""

    def __init__(self, path: Path) -> None:
        """Prepare the engines; nothing is opened before the first use."""
        self.path = path
        self._readers = _engine(path, begin="BEGIN", pool_size=4)
        self._writer_engine = _engine(path, begin="BEGIN IMMEDIATE", pool_size=1)
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue()
        self._writer: asyncio.Task[None] | None = None

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
        await self._writer_engine.dispose()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection that sees one state of the database."""
        with _told():
            async with self._readers.connect() as connection:
                yield connection

    async def write(self, work: Work[T]) -> T:
        """Run `work` in a transaction and return its result once it is on disk.

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
        while True:
            group = [await self._queue.get()]
            while len(group) < MOST_AT_ONCE and not self._queue.empty():
                group.append(self._queue.get_nowait())
            try:
                await self._commit(group)
            finally:
                for _waiting in group:
                    self._queue.task_done()

    async def _commit(self, group: list[_Waiting]) -> None:
        outcomes: list[tuple[_Waiting, object]]
        try:
            async with self._writer_engine.begin() as connection:
                alone = len(group) == 1
                outcomes = [(waiting, await _attempt(connection, waiting.work, alone=alone)) for waiting in group]
        except Exception as error:  # noqa: BLE001 - whatever broke the commit belongs to those who wait for it
            outcomes = [(waiting, error) for waiting in group]
        for waiting, outcome in outcomes:
            if waiting.done.done():
                continue
            if isinstance(outcome, BaseException):
                waiting.done.set_exception(outcome)
            else:
                waiting.done.set_result(outcome)


async def _attempt(connection: AsyncConnection, work: Work[Any], *, alone: bool) -> object:
    if alone:
        return await work(connection)
    try:
        async with connection.begin_nested():
            return await work(connection)
    except DatabaseError as error:
        if connection.invalidated or error.connection_invalidated:
            raise
        return error
    except Exception as error:  # noqa: BLE001 - one writer's mistake must not undo its neighbours' work
        return error


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


def _engine(path: Path, *, begin: str, pool_size: int) -> AsyncEngine:
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}", pool_size=pool_size, max_overflow=8 if pool_size > 1 else 0)

    @event.listens_for(engine.sync_engine, "connect")
    def _set_up(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_TIMEOUT_MS}", "secure_delete=ON",
        ):  # fmt: skip
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine
