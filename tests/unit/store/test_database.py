import asyncio
import shutil
import threading
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from bot.errors import StoreError
from bot.store import schema
from bot.store.database import READERS, Database
from bot.store.flushing import Log
from bot.store.tables import AssignmentRow
from bot.testing import NOON


def assign(slot: str):
    row = {"slot": slot, "model": "m", "assigned_by": "ann", "assigned_at": NOON}
    return lambda connection: connection.execute(insert(AssignmentRow).values(row))


async def slots(database: Database) -> set[str]:
    async with database.read() as connection:
        return set((await connection.execute(select(AssignmentRow.slot))).scalars())


async def test_what_was_written_is_read(database: Database) -> None:
    await database.write(assign("embed"))
    assert await slots(database) == {"embed"}


async def test_what_was_written_is_looked_at_by_many_at_once(database: Database) -> None:
    await database.write(assign("embed"))

    seen = await asyncio.gather(
        *(database.look(lambda of: of.execute(select(AssignmentRow.slot)).scalars().all()) for _ in range(50))
    )

    assert seen == [["embed"]] * 50


async def test_who_looks_writes_nothing(database: Database) -> None:
    await database.look(assign("embed"))

    assert await slots(database) == set()


async def test_what_breaks_a_look_is_told_in_a_sentence(database: Database) -> None:
    with pytest.raises(StoreError):
        await database.look(lambda connection: connection.exec_driver_sql("SELECT * FROM no_such_table").all())


async def test_a_look_at_a_closed_database_is_told_in_a_sentence(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "paring.db")
    await database.close()

    with pytest.raises(StoreError, match="closed"):
        await database.look(lambda of: of.exec_driver_sql("SELECT 1"))


async def test_one_failing_write_takes_none_of_its_neighbours_with_it(database: Database) -> None:
    await database.write(assign("embed"))
    outcomes = await asyncio.gather(*(database.write(assign(slot)) for slot in ("a", "embed", "b")), return_exceptions=True)
    assert [isinstance(outcome, IntegrityError) for outcome in outcomes] == [False, True, False]
    assert await slots(database) == {"embed", "a", "b"}


async def test_a_write_that_raises_keeps_nothing(database: Database) -> None:
    def half(connection: Connection) -> None:
        assign("half")(connection)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await database.write(half)
    assert await slots(database) == set()


async def test_a_cancelled_writer_does_not_stop_the_others(database: Database) -> None:
    waiting = asyncio.ensure_future(database.write(assign("late")))
    await asyncio.sleep(0)
    waiting.cancel()
    await database.write(assign("next"))
    assert "next" in await slots(database)


async def test_a_foreign_file_is_told_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "paring.db"
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(StoreError, match="not a database"):
        await Database.open(path)
    assert path.read_bytes().startswith(b"this is no database")


async def test_a_newer_database_is_told_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "paring.db"
    await (await Database.open(path)).close()
    import sqlite3

    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(StoreError, match="newer Paring"):
        await Database.open(path)


@pytest.mark.migrates
def test_migrations_go_up_down_and_up(tmp_path: Path) -> None:
    path = tmp_path / "paring.db"
    schema.upgrade(path)
    assert schema.version(path) == schema.head()
    schema.migrate(path, "base")
    assert schema.version(path) == ""
    schema.upgrade(path)
    assert schema.version(path) == schema.head()


@pytest.mark.migrates
def test_the_migrations_make_the_tables_that_the_code_names(tmp_path: Path) -> None:
    from alembic import command
    from alembic.config import Config

    path = tmp_path / "paring.db"
    schema.upgrade(path)
    config = Config()
    config.set_main_option("script_location", str(schema.migrations()))
    config.attributes["path"] = path
    command.check(config)


def test_the_head_is_alembics(tmp_path: Path) -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(schema.migrations()))
    assert ScriptDirectory.from_config(config).get_current_head() == schema.head()


async def test_a_durable_write_is_told_after_a_flush_and_others_before(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushes, may_flush = [], threading.Event()

    def flush(_log: Log) -> None:
        assert may_flush.wait(60)
        flushes.append(True)

    monkeypatch.setattr(Log, "flush", flush)
    durable = asyncio.ensure_future(database.write(assign("durable")))
    await asyncio.sleep(0)  # it stands in the queue
    await database.write(assign("quick"), durable=False)
    assert await slots(database) == {"durable", "quick"}
    assert (durable.done(), flushes) == (False, [])
    may_flush.set()
    await durable
    assert flushes == [True]


async def test_what_waits_for_a_flush_shares_it(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    flushes, first, may_flush = [], threading.Event(), threading.Event()

    def flush(_log: Log) -> None:
        flushes.append(True)
        first.set()
        assert may_flush.wait(60)

    monkeypatch.setattr(Log, "flush", flush)
    writes = [asyncio.ensure_future(database.write(assign("0")))]
    await asyncio.to_thread(first.wait, 60)
    writes += [asyncio.ensure_future(database.write(assign(str(number)))) for number in range(1, 20)]
    await database.write(assign("quick"), durable=False)
    may_flush.set()
    await asyncio.gather(*writes)
    assert len(flushes) == 2


async def test_a_disk_that_takes_no_flush_is_told_and_the_listener_learns_of_what_was_committed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = []

    def flush(_log: Log) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Log, "flush", flush)
    with pytest.raises(StoreError, match="the disk has an error"):
        await database.write(assign("embed"), then=heard.append)
    assert len(heard) == 1
    assert await slots(database) == {"embed"}


async def test_the_log_is_what_is_flushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed = []
    monkeypatch.setattr(
        "bot.store.flushing._flush", lambda descriptor: flushed.append(Path(f"/proc/self/fd/{descriptor}").readlink())
    )
    database = await Database.open(tmp_path / "paring.db")
    await database.write(assign("embed"))
    await database.close()
    assert flushed == [tmp_path / "paring.db-wal"]


async def test_listeners_are_told_in_the_order_of_the_commits_also_where_the_caller_went_away(database: Database) -> None:
    heard: list[str] = []

    def write(slot: str) -> asyncio.Future[object]:
        return asyncio.ensure_future(database.write(assign(slot), then=lambda _result: heard.append(slot)))

    writes = [write(str(number)) for number in range(10)]
    await asyncio.sleep(0)
    writes[4].cancel()
    await asyncio.gather(*writes, return_exceptions=True)
    assert heard == [str(number) for number in range(10)]


async def test_a_listener_that_breaks_leaves_nobody_waiting(database: Database) -> None:
    def broken(_result: object) -> None:
        raise ValueError("bug")

    with pytest.raises(RuntimeError, match="bug"):
        await database.write(assign("a"), then=broken)
    await database.write(assign("b"))


async def test_whatever_a_work_raises_its_caller_is_told_and_the_writer_lives(database: Database) -> None:
    class OddError(BaseException):
        pass

    def odd(_connection: Connection) -> None:
        raise OddError

    outcomes = await asyncio.gather(database.write(assign("a")), database.write(odd), return_exceptions=True)
    assert isinstance(outcomes[1], OddError)
    await database.write(assign("b"))
    assert "b" in await slots(database)


async def test_a_closed_database_says_so_and_keeps_nobody_waiting(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "paring.db")
    waiting = [asyncio.ensure_future(database.write(assign(str(number)))) for number in range(5)]
    await asyncio.sleep(0)
    await database.close()
    await asyncio.gather(*waiting)
    with pytest.raises(StoreError, match="closed"):
        await database.write(assign("late"))


async def test_closing_does_not_wait_for_ever_for_a_stuck_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.store.database.CLOSE_WITHIN_S", 0.0)
    stuck = threading.Event()
    monkeypatch.setattr(Log, "flush", lambda _log: stuck.wait(60))
    database = await Database.open(tmp_path / "paring.db")
    writing = asyncio.ensure_future(database.write(assign("a")))
    await database.write(assign("b"), durable=False)
    await database.close()
    stuck.set()
    await writing


async def test_emptying_the_log_leaves_nothing_in_it_unless_a_reader_stands_in_the_way(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.store.database.EMPTY_WITHIN_MS", 0)
    log = database.path.with_name("paring.db-wal")
    async with database.read() as connection:
        await connection.execute(select(AssignmentRow.slot))
        await database.write(assign("embed"))
        assert not await database.empty_log()
    assert await database.empty_log()
    assert log.stat().st_size == 0
    assert await slots(database) == {"embed"}


async def test_what_was_told_as_durable_survives_a_power_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A power cut leaves of the log what was flushed: that part of it is copied and opened."""
    flush, flushed = Log.flush, []

    def noted(log: Log) -> None:
        size = (tmp_path / "paring.db-wal").stat().st_size  # what is written later is not promised to be on the disk
        flush(log)
        flushed.append(size)

    monkeypatch.setattr(Log, "flush", noted)
    database = await Database.open(tmp_path / "paring.db")
    for number in range(5):
        await database.write(assign(f"quick {number}"), durable=False)
        await database.write(assign(f"durable {number}"))
    await database.write(assign("lost"), durable=False)
    cut = tmp_path / "cut.db"
    cut.write_bytes((tmp_path / "paring.db").read_bytes())
    (tmp_path / "cut.db-wal").write_bytes((tmp_path / "paring.db-wal").read_bytes()[: flushed[-1]])
    await database.close()
    after = Database(cut)
    left = await slots(after)
    await after.close()
    assert left == {f"{kind} {number}" for kind in ("quick", "durable") for number in range(5)}


async def test_too_many_readers_at_once_are_told_so(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database._readers.pool, "_timeout", 0.0)
    async with AsyncExitStack() as stack:
        for _reader in range(2 * READERS):
            await stack.enter_async_context(database.read())
        with pytest.raises(StoreError, match="too much to do"):
            await stack.enter_async_context(database.read())


async def test_nothing_is_acknowledged_once_the_home_is_deleted(tmp_path: Path) -> None:
    home = tmp_path / "home"
    database = await Database.open(home / "paring.db")
    await database.write(assign("embed"))
    shutil.rmtree(home)
    with pytest.raises(StoreError, match="it is not there"):
        await database.write(assign("route"))
    await database.close()
