"""The schema's version, and the way to the newest one. Alembic is imported only when there is something to do."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from bot.errors import StoreError, refusal
from bot.locale import phrases
from bot.store.failures import DAMAGED, LOCKED, told

_ = phrases(__file__)

REMAINS = ("paring.db-wal", "blobs/??/*", "index/*/manifest.json", ".restore-*/paring.db")
"""What lies in a home that has had a database, or into which one was being restored."""


def migrations() -> Path:
    """Return the folder of the migrations."""
    import migrations as package  # noqa: PLC0415 - a folder to find, not code to run

    return Path(package.__path__[0])


def head() -> str:
    """Return the newest revision: the files are numbered `0001_name.py`."""
    return max(path.name.partition("_")[0] for path in (migrations() / "versions").glob("[0-9]*_*.py"))


def version(path: Path) -> str:
    """Return the revision of the database at `path`, "" where there is none yet.

    Raises:
        StoreError: it is no database of Paring's, is cut off, or cannot be read now.
    """
    if not path.exists() or (path.is_file() and not path.stat().st_size):  # SQLite would delete the log beside an empty one
        return ""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            row = (
                connection.execute("SELECT version_num FROM alembic_version").fetchone() if "alembic_version" in tables else None
            )
            page_bytes = int(connection.execute("PRAGMA page_size").fetchone()[0])
    except sqlite3.Error as error:
        raise _unusable(path, error) from error
    found = str(row[0]) if row else ""
    if (found and not (found.isdigit() and "inbox" in tables)) or (not found and tables - {"alembic_version", "sqlite_sequence"}):
        raise _foreign(path)
    if found and path.stat().st_size % page_bytes and not _has_log(path):  # SQLite takes a part of a page for a whole one
        raise _damaged(path)
    return found


def upgrade(path: Path) -> bool:
    """Bring the database at `path` to the newest revision; return whether anything was done.

    Raises:
        StoreError: it was made by a newer Paring, is no database, is gone from a home that had one, or its folder cannot be written.
    """
    found, newest = version(path), head()
    if found == newest:
        return False
    if found > newest:
        raise StoreError(
            _(
                "{path} was made by a newer Paring (schema {found}, this one knows {newest}). It was left as it is; update Paring.",
                path=str(path), found=found, newest=newest,
            )
        )  # fmt: skip
    if not found:
        _refuse_to_begin_anew(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        migrate(path, "head")
    except OSError as error:
        raise StoreError(
            _("{path} cannot be written: {why}. Set PARING_HOME to a folder of yours.", path=str(path), why=refusal(error))
        ) from error
    return True


def migrate(path: Path, revision: str) -> None:
    """Run the migrations up or down to `revision` (of Alembic's spelling: head, base, 0001). Raises StoreError; nothing is changed then."""
    from alembic import command  # noqa: PLC0415 - 0.3 s that only a first start and an upgrade pay
    from alembic.config import Config  # noqa: PLC0415
    from sqlalchemy.exc import DatabaseError  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(migrations()).replace("%", "%%"))
    config.attributes["path"] = path
    up = revision == "head" or (revision.isdigit() and revision > version(path))
    try:
        (command.upgrade if up else command.downgrade)(config, revision)
    except sqlite3.Error as error:
        raise _unusable(path, error) from error
    except DatabaseError as error:
        raise _unusable(path, error.orig) from error


def _refuse_to_begin_anew(path: Path) -> None:
    """Raise StoreError where `path` is empty or gone while its home holds what came with a database: that is a loss, no first start."""
    for pattern in REMAINS:
        left = next((one for one in path.parent.glob(pattern) if one.stat().st_size), None)
        if left is not None:
            raise StoreError(
                _("{path} is gone or empty, but {left} is of a bot that was here. Nothing was begun: put a copy of {path} back in its place, "
                  "or move {left} away to begin anew.",
                  path=str(path), left=str(path.parent / left.relative_to(path.parent).parts[0]))
            )  # fmt: skip


def _unusable(path: Path, error: BaseException | None) -> StoreError:
    """Return what is wrong with the file at `path`, after what SQLite raised."""
    sentence = told(error)
    if sentence is LOCKED:
        return StoreError(sentence)
    if (why := _refused(path)) is not None:
        return StoreError(
            _(
                "{path} cannot be opened: {why}. It was left as it is; mend that and start again.",
                path=str(path),
                why=refusal(why),
            )
        )
    if sentence is DAMAGED:
        return _damaged(path) if _begins_as_sqlite(path) else _foreign(path)
    return StoreError(sentence)


def _refused(path: Path) -> OSError | None:
    """Return why the system lets nobody write to `path` or to the log beside it, None where it does."""
    for one in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        if not one.exists() or (one.is_file() and os.access(one, os.R_OK | os.W_OK)):
            continue
        try:  # only now: to close a file takes the locks away that this process has on it
            with one.open("r+b"):
                continue
        except OSError as error:
            return error
    return None


def _foreign(path: Path) -> StoreError:
    return StoreError(
        _("{path} is not a database of Paring's. It was left as it is; move it away or restore a backup.", path=str(path))
    )


def _damaged(path: Path) -> StoreError:
    return StoreError(
        _("{path} is damaged: a part of it is cut off or overwritten. It was left as it is: move it away with what begins with its name, "
          "then put a copy from before in its place.", path=str(path))
    )  # fmt: skip


def _has_log(path: Path) -> bool:
    log = path.with_name(f"{path.name}-wal")
    return log.exists() and log.stat().st_size > 0


def _begins_as_sqlite(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(16) == b"SQLite format 3\0"
