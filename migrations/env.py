"""Alembic's entry: runs the migrations over the SQLite file that is named in the configuration, or the settings' own."""

import fcntl
import sqlite3
from contextlib import closing
from pathlib import Path

from alembic import context
from sqlalchemy import URL, create_engine, event

from bot.config_file import load_settings
from bot.store.tables import Base

FULL_TEXT_TABLES = "passage_words"


def include(_thing: object, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:  # noqa: FBT001 - a signature of Alembic's
    """Say whether a table is compared: those that SQLite's full-text search makes for itself are not."""
    return not (kind == "table" and name is not None and name.startswith(FULL_TEXT_TABLES))


def run() -> None:
    """Migrate, one process at a time, all or nothing."""
    path: Path = context.config.attributes.get("path") or load_settings().database
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
        engine = create_engine(URL.create("sqlite", database=str(path)))

        @event.listens_for(engine, "connect")
        def _set_up(connection: sqlite3.Connection, _record: object) -> None:
            connection.isolation_level = None

        @event.listens_for(engine, "begin")
        def _begin(connection: object) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # type: ignore[attr-defined]

        with engine.connect() as connection:
            context.configure(connection=connection, target_metadata=Base.metadata, include_object=include, render_as_batch=True)
            with context.begin_transaction():
                context.run_migrations()
        engine.dispose()


run()
