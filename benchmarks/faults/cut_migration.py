"""Migrations that are killed at one of their statements: one line `PATH STATEMENT` in, one number out (of statements that were begun).

Statement 0 kills nothing. Each is done in a fork of a process that has everything imported.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.engine import Engine

from bot.store import schema


def main() -> None:
    """Migrate and kill as the lines of standard input say."""
    import alembic.command  # noqa: F401 - before the forks

    for line in sys.stdin:
        path, _space, statement = line.rstrip("\n").rpartition(" ")
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            _migrate(Path(path), int(statement), writer)
        os.close(writer)
        with os.fdopen(reader, "rb") as told:
            begun = len(told.read())
        os.waitpid(child, 0)
        print(begun, flush=True)


def _migrate(path: Path, last: int, writer: int) -> None:
    """Migrate in this process, which ends at its statement `last`, or when all is done."""
    begun = 0

    def count(*_statement: object) -> None:
        nonlocal begun
        begun += 1
        os.write(writer, b".")
        if begun == last:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", count)
    try:
        schema.upgrade(path)
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
