"""What is at the place of the database at a start: opened, or told in a sentence and left byte for byte as it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bot.errors import StoreError
from bot.store import schema
from bot.store.failures import DAMAGED, FAILED, FULL, LOCKED, told

pytestmark = pytest.mark.migrates
PAGE = 4096


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "한글 집 100%?" / "paring.db"
    schema.upgrade(path)
    return path


def cut(size: int) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(path.read_bytes()[:size]) and None


def sql(*statements: str) -> Callable[[Path], None]:
    def run(path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection, connection:
            for statement in statements:
                connection.execute(statement)

    return run


def anew(*statements: str) -> Callable[[Path], None]:
    def run(path: Path) -> None:
        path.unlink()
        sql(*statements)(path)

    return run


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_log_that_is_a_folder(path: Path) -> None:
    path.with_name("paring.db-wal").mkdir()


DAMAGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "cut within the header": (cut(50), "is damaged"),
    "cut at a page": (cut(3 * PAGE), "is damaged"),
    "cut within the last page": (lambda path: cut(path.stat().st_size - 10)(path), "is damaged"),
    "zeroed": (lambda path: path.write_bytes(bytes(path.stat().st_size)) and None, "is not a database of Paring's"),
    "another program's": (anew("CREATE TABLE inbox (x)"), "is not a database of Paring's"),
    "another's that Alembic made": (
        anew("CREATE TABLE alembic_version (version_num)", "INSERT INTO alembic_version VALUES ('ab12')"),
        "is not a database of Paring's",
    ),
    "without its version": (sql("DELETE FROM alembic_version"), "is not a database of Paring's"),
    "of a newer version": (sql("UPDATE alembic_version SET version_num = '9999'"), "update Paring"),
    "a folder": (a_folder, "cannot be opened: it is a folder"),
    "with a folder for its log": (a_log_that_is_a_folder, "cannot be opened: it is a folder"),
}


@pytest.mark.parametrize(("damage", "sentence"), DAMAGES.values(), ids=DAMAGES.keys())
def test_what_cannot_be_opened_is_told_and_left_as_it_is(path: Path, damage: Callable[[Path], None], sentence: str) -> None:
    damage(path)
    before = path.read_bytes() if path.is_file() else b""

    with pytest.raises(StoreError, match=sentence):
        schema.upgrade(path)

    assert (path.read_bytes() if path.is_file() else b"") == before


@pytest.mark.parametrize("empty", [True, False], ids=["empty", "gone"])
@pytest.mark.parametrize("left", ["paring.db-wal", f"blobs/ab/{'ab' * 32}", "index/1-2-0/manifest.json"])
def test_a_home_whose_database_is_lost_is_no_new_one(path: Path, left: str, empty: bool) -> None:
    path.unlink()
    if empty:
        path.write_bytes(b"")
    remains = path.parent / left
    remains.parent.mkdir(parents=True, exist_ok=True)
    remains.write_bytes(b"of before")

    with pytest.raises(StoreError, match="Nothing was begun") as told_:
        schema.upgrade(path)

    assert str(path.parent / left.partition("/")[0]) in str(told_.value)
    assert remains.read_bytes() == b"of before"
    assert not path.exists() or path.stat().st_size == 0


def test_a_start_that_ended_before_the_first_table_goes_on(path: Path) -> None:
    path.unlink()
    sql("PRAGMA journal_mode=WAL")(path)

    assert schema.upgrade(path)
    assert schema.version(path) == schema.head()


def test_a_database_that_is_locked_is_not_taken_for_another(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as stranger:
        stranger.execute("PRAGMA locking_mode=EXCLUSIVE")
        stranger.execute("BEGIN EXCLUSIVE")
        stranger.execute("DELETE FROM labels")
        stranger.execute("COMMIT")
        with pytest.raises(StoreError, match="locked by another program"):
            schema.upgrade(path)
    assert schema.version(path) == schema.head()


def test_a_disk_that_is_full_while_migrating_is_told_and_nothing_was_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "paring.db"
    schema.migrate(path, "0007")
    connect = sqlite3.connect

    def narrow(*given: object, **more: object) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*given, **more)  # type: ignore[call-overload]
        connection.execute("PRAGMA max_page_count=1")
        return connection

    monkeypatch.setattr("sqlite3.connect", narrow)
    monkeypatch.setattr("sqlite3.dbapi2.connect", narrow)
    with pytest.raises(StoreError, match="The disk is full"):
        schema.upgrade(path)
    monkeypatch.undo()

    assert schema.version(path) == "0007"
    assert schema.upgrade(path)


def test_errors_of_sqlite_are_told_by_their_code() -> None:
    def error(code: int) -> sqlite3.Error:
        one = sqlite3.OperationalError("no words of it are read")
        one.sqlite_errorcode = code
        return one

    codes = (sqlite3.SQLITE_BUSY_SNAPSHOT, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CORRUPT_VTAB, sqlite3.SQLITE_ERROR)
    assert [told(error(code)) for code in codes] == [LOCKED, FULL, DAMAGED, FAILED]
    assert told(None) is FAILED
