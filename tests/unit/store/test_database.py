import asyncio
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from bot.errors import StoreError
from bot.store import schema
from bot.store.database import Database
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


def test_migrations_go_up_down_and_up(tmp_path: Path) -> None:
    path = tmp_path / "paring.db"
    schema.upgrade(path)
    assert schema.version(path) == schema.head()
    schema.migrate(path, "base")
    assert schema.version(path) == ""
    schema.upgrade(path)
    assert schema.version(path) == schema.head()


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
