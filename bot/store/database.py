"""The connection to the database: many readers, one writer that commits what is waiting as one.

    database = await Database.open(path)
    row = await database.look(lambda connection: connection.execute(select(...)).one())
    await database.write(lambda connection: connection.execute(insert(...)))
    async with database.read() as connection: ...

Readers are SQLAlchemy's async connections, which cross to a thread and back for each step; what each message needs looks in one step, on a
thread of its own (half a millisecond of processor less). The writer is one thread: a `work` is a plain function of a plain connection, so that a
whole group of writes crosses to the thread and back once. Writes that queue up while one commits share the next commit; where
one of a group fails, the group is undone and each runs in a savepoint of its own, so that it takes none of its neighbours with it.

What is on disk when. A commit goes to the write-ahead log, in order (WAL, synchronous=NORMAL): it survives the death of the
process, kill -9 too. A second thread flushes the log: one flush for all that was committed before it began, while the
writer goes on. `write` returns when its work has been flushed and so survives a power cut; with `durable=False` it returns when
it is committed. The log is flushed from its beginning, so whatever was committed before a durable write is flushed with it:
a message's "working" may be lost in a power cut (it is answered again), but never an answer before its "sending".
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Self, TypeVar, cast

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from bot.errors import StoreError, refusal
from bot.locale import phrases
from bot.logs import Logger
from bot.store.failures import code_of, told
from bot.store.flushing import Log

_ = phrases(__file__)
log = Logger(__name__)

T = TypeVar("T")
Work = Callable[[Connection], T]
"""Must be one that can be run again: it is where its neighbour in a group failed."""

MOST_AT_ONCE = 256
BUSY_TIMEOUT_MS = 10_000
EMPTY_WITHIN_MS = 100
CLOSE_WITHIN_S = 5.0
READERS = 4
PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", f"busy_timeout={BUSY_TIMEOUT_MS}", "secure_delete=ON")


@dataclass(slots=True, eq=False)
class _Waiting:
    """A write: its work, who waits for it, and what came of it."""

    work: Work[Any]
    done: asyncio.Future[Any]
    durable: bool
    outside: bool
    """True for what cannot run in a transaction."""
    then: Callable[[Any], None] | None
    result: object = None
    error: BaseException | None = None
    committed: bool = False

    def settle(self) -> None:
        """Tell those who wait. On the event loop."""
        if self.committed and self.then is not None:
            self.then(self.result)
        if self.done.done():
            return
        if self.error is not None:
            self.done.set_exception(self.error)
        else:
            self.done.set_result(self.result)


class Database:
    """One SQLite file with its readers and its one writer."""

    def __init__(self, path: Path) -> None:
        """Prepare the engines; nothing is opened before the first use."""
        self.path = path
        self._readers = create_async_engine(
            URL.create("sqlite+aiosqlite", database=str(path)), pool_size=READERS, max_overflow=READERS, hide_parameters=True
        )  # an error and its log line hold no text of people
        self._writing = create_engine(
            URL.create("sqlite", database=str(path)), connect_args={"check_same_thread": False}, hide_parameters=True
        )
        self._lookers = create_engine(
            URL.create("sqlite", database=str(path)),
            pool_size=READERS,
            connect_args={"check_same_thread": False},
            hide_parameters=True,
        )
        self._looking = ThreadPoolExecutor(READERS, thread_name_prefix="store-looker")
        _set_up(self._readers.sync_engine, begin="BEGIN")
        _set_up(self._lookers, begin="BEGIN")
        _set_up(self._writing, begin="BEGIN IMMEDIATE")
        self._log = Log(path)
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._unflushed: SimpleQueue[list[_Waiting] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._loop: asyncio.AbstractEventLoop
        self._ended: asyncio.Future[None]
        self._closed = False

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Return the database at `path`, brought to the newest schema. Raises StoreError where that cannot be done."""
        from bot.store.schema import upgrade  # noqa: PLC0415 - Alembic is loaded only when there is something to do

        await asyncio.to_thread(upgrade, path)
        return cls(path)

    async def close(self) -> None:
        """Finish the waiting writes and close; what is stuck for CLOSE_WITHIN_S is left to the end of the process."""
        self._closed = True
        if self._threads:
            self._queue.put(None)
            _ended, stuck = await asyncio.wait([self._ended], timeout=CLOSE_WITHIN_S)
            if stuck:
                log.error("the database did not end its last writes in time", within_s=CLOSE_WITHIN_S)
        await self._readers.dispose()
        self._looking.shutdown(wait=False)
        self._lookers.dispose()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection that sees one state of the database."""
        with _told():
            async with self._readers.connect() as connection:
                yield connection

    async def look(self, work: Work[T]) -> T:
        """Return what `work` reads from one state of the database; it must be short, and write nothing."""
        try:
            looked = asyncio.get_running_loop().run_in_executor(self._looking, self._looked, work)
        except RuntimeError as error:  # its threads have ended
            raise _closed() from error
        with _told():
            return await looked

    def _looked(self, work: Work[T]) -> T:
        with self._lookers.connect() as connection:
            return work(connection)

    async def write(self, work: Work[T], *, durable: bool = True, then: Callable[[T], None] | None = None) -> T:
        """Run `work` in a transaction, on the writer's thread, and return its result once it is on disk (see above).

        `then` is called with the result on the event loop, in the order of the commits, also where the caller has been
        cancelled meanwhile: what was committed is told to somebody.

        Raises:
            StoreError: the database could not take it; nothing of `work` was kept.
        """
        return await self._put(work, durable=durable, outside=False, then=then)

    async def rewrite(self, *, most_bytes: int) -> bool:
        """Write the database anew, if it is no larger than that: what stood in pages between rows that moved stays behind; say whether.

        Raises StoreError where the disk has no room for a second one. Source: https://www.sqlite.org/lang_vacuum.html
        """
        return await self._put(lambda connection: _rewritten(connection, most_bytes), durable=False, outside=True, then=None)

    async def empty_log(self) -> bool:
        """Move the log into the database file and cut it to nothing; return False where a reader stood in the way."""
        return await self._put(_emptied, durable=False, outside=True, then=None)

    async def _put(self, work: Work[T], *, durable: bool, outside: bool, then: Callable[[T], None] | None) -> T:
        loop = asyncio.get_running_loop()
        if self._closed:
            raise _closed()
        if not self._threads:
            self._begin(loop)
        waiting = _Waiting(work, loop.create_future(), durable, outside, then)
        self._queue.put(waiting)
        with _told():
            result: T = await waiting.done
        return result

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop, self._ended = loop, loop.create_future()
        for name, run in (("store-writer", self._write_for_ever), ("store-flusher", self._flush_for_ever)):
            thread = threading.Thread(target=run, name=name, daemon=True)  # a stuck disk must not keep the process alive
            self._threads.append(thread)
            thread.start()

    # ------------------------------------------------------------------ the writer's thread

    def _write_for_ever(self) -> None:
        ended = False
        while not ended:
            group, ended = _next(self._queue, MOST_AT_ONCE)
            if not group:
                continue
            self._commit([waiting for waiting in group if not waiting.outside])
            self._run_outside([waiting for waiting in group if waiting.outside])
            unflushed = [waiting for waiting in group if waiting.durable and waiting.committed]
            if unflushed:
                self._unflushed.put(unflushed)
            self._tell([waiting for waiting in group if not (waiting.durable and waiting.committed)])
        self._unflushed.put(None)

    def _commit(self, group: Sequence[_Waiting]) -> None:
        """Run the group in one transaction; leave the result or the error with each."""
        if not group:
            return
        try:
            try:
                with self._writing.begin() as connection:
                    for waiting in group:
                        waiting.result = waiting.work(connection)
            except Exception:
                if len(group) == 1:
                    raise
                with self._writing.begin() as connection:
                    for waiting in group:
                        _attempt(connection, waiting)
        except BaseException as error:  # noqa: BLE001 - whatever broke the commit belongs to those who wait for it
            for waiting in group:
                waiting.error = error
        for waiting in group:
            waiting.committed = waiting.error is None

    def _run_outside(self, group: Sequence[_Waiting]) -> None:
        for waiting in group:
            try:
                with self._writing.connect() as connection:
                    waiting.result = waiting.work(connection)
                waiting.committed = True
            except Exception as error:  # noqa: BLE001 - it belongs to those who wait for it
                waiting.error = error

    # ------------------------------------------------------------------ the flusher's thread

    def _flush_for_ever(self) -> None:
        ended = False
        while not ended:
            groups, ended = _next(self._unflushed, MOST_AT_ONCE)
            flushed = [waiting for group in groups for waiting in group]
            try:
                if flushed:
                    self._log.flush()
            except OSError as error:
                log.error("the database's log could not be flushed", why=str(error))
                for waiting in flushed:
                    waiting.error = _unflushed(error)
            self._tell(flushed)
        self._writing.dispose()
        self._log.close()
        with suppress(RuntimeError):  # the loop has ended: nobody waits any more
            self._loop.call_soon_threadsafe(_end, self._ended)

    def _tell(self, settled: Sequence[_Waiting]) -> None:
        if not settled:
            return
        try:
            self._loop.call_soon_threadsafe(_settle, settled)
        except RuntimeError:  # as above
            log.info("writes were committed after the end of the loop", writes=len(settled))


def _next(queue: SimpleQueue[T | None], most: int) -> tuple[list[T], bool]:
    """Wait for what comes next; return it with what waits behind it, and whether the queue has ended (by None)."""
    first = queue.get()
    if first is None:
        return [], True
    items = [first]
    while len(items) < most:
        try:
            item = queue.get_nowait()
        except Empty:
            break
        if item is None:
            return items, True
        items.append(item)
    return items, False


def _end(ended: asyncio.Future[None]) -> None:
    if not ended.done():
        ended.set_result(None)


def _settle(settled: Sequence[_Waiting]) -> None:
    for waiting in settled:
        try:
            waiting.settle()
        except Exception as error:  # one listener's mistake must leave nobody waiting for ever
            log.exception("a listener of a write broke")
            if not waiting.done.done():
                waiting.done.set_exception(RuntimeError(f"a listener of a write broke: {error}"))


def _attempt(connection: Connection, waiting: _Waiting) -> None:
    try:
        with connection.begin_nested():
            waiting.result = waiting.work(connection)
    except Exception as error:
        if isinstance(error, DatabaseError) and (connection.invalidated or error.connection_invalidated):
            raise
        waiting.error = error  # one writer's mistake must not undo its neighbours' work


def _rewritten(connection: Connection, most_bytes: int) -> bool:
    cursor = cast("sqlite3.Connection", connection.connection.driver_connection).cursor()
    try:
        pages, size_bytes = (cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
        small = bool(pages * size_bytes <= most_bytes)
        if small:
            cursor.execute("VACUUM")
    finally:
        cursor.close()
    return small


def _emptied(connection: Connection) -> bool:
    cursor = cast("sqlite3.Connection", connection.connection.driver_connection).cursor()
    try:
        cursor.execute(f"PRAGMA busy_timeout={EMPTY_WITHIN_MS}")
        busy, _pages, _moved = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        cursor.close()
    return not busy


def _closed() -> StoreError:
    return StoreError(_("The database is closed: the bot is being stopped. Nothing was changed; try again after its start."))


def _unflushed(error: OSError) -> StoreError:
    why = refusal(error)
    return StoreError(_("The disk did not take it ({why}). It may be lost in a power cut; please look after the disk.", why=why))


class _told:  # noqa: N801 - reads as a word in a `with`
    """Translates the database's errors into sentences."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, PoolTimeoutError):
            raise StoreError(_("The database has too much to do. Nothing was changed; please try again in a moment.")) from error
        if not isinstance(error, DatabaseError):
            return
        if code_of(error.orig) != sqlite3.SQLITE_CONSTRAINT:
            raise StoreError(told(error.orig)) from error


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
