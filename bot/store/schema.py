"""The schema's version, and the way to the newest one. Alembic is imported only when there is something to do."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from bot.errors import StoreError, refusal
from bot.locale import phrases

_ = phrases(__file__)


def migrations() -> Path:
    """Return the folder of the migrations."""
    import migrations as package  # noqa: PLC0415 - a folder to find, not code to run

    return Path(package.__path__[0])


def head() -> str:
    """Return the newest revision: the files are numbered `0001_name.py`."""
    return max(path.name.partition("_")[0] for path in (migrations() / "versions").glob("[0-9]*_*.py"))


def version(path: Path) -> str:
    """Return the revision of the database at `path`, "" where there is none yet."""
    if not path.exists():
        return ""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError:
        return ""
    except sqlite3.DatabaseError as error:
        raise StoreError(
            _("{path} is not a database of Paring's. It was left as it is; move it away or restore a backup.", path=str(path))
        ) from error
    return str(row[0]) if row else ""


def upgrade(path: Path) -> bool:
    """Bring the database at `path` to the newest revision; return whether anything was done.

    Raises:
        StoreError: it was made by a newer Paring, is no database, or its folder cannot be written.
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
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        migrate(path, "head")
    except OSError as error:
        raise StoreError(
            _("{path} cannot be written: {why}. Set PARING_HOME to a folder of yours.", path=str(path), why=refusal(error))
        ) from error
    return True


def migrate(path: Path, revision: str) -> None:
    """Run the migrations up or down to `revision` (of Alembic's spelling: head, base, 0001)."""
    from alembic import command  # noqa: PLC0415 - 0.3 s that only a first start and an upgrade pay
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(migrations()))
    config.attributes["path"] = path
    (command.upgrade if revision == "head" else command.downgrade)(config, revision)
