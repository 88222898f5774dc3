"""A home is used by any number of bots, or put back from a backup by one program alone.

A file is locked for sharing by every bot while it lives, and for itself by who replaces what lies there; the kernel ends both, also
after kill -9. Leaves to `bot.store.lease` who works on what.

    with used(home): ...     # a bot, or a verb that opens the database
    with alone(home): ...    # `paring restore`
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.errors import StoreError, refusal
from bot.locale import phrases

_ = phrases(__file__)

NAME = "home.lock"


@contextmanager
def used(home: Path) -> Iterator[None]:
    """Use the home beside others. Raises StoreError while a backup is being put back there."""
    try:
        handle = _opened(home)
    except OSError:  # what cannot be written is told where the database is opened
        yield
        return
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreError(
                _("A backup is being restored into {home}. Start again when that is done.", home=str(home))
            ) from None
        yield
    finally:
        os.close(handle)


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """Use the home alone. Raises StoreError where it is in use, or cannot be written."""
    try:
        handle = _opened(home)
    except OSError as error:
        raise StoreError(
            _("{home} cannot be written: {why}. Nothing was changed; set PARING_HOME to a folder of yours.",
              home=str(home), why=refusal(error))
        ) from error  # fmt: skip
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreError(
                _(
                    "A bot runs over {home}. Nothing was changed; stop it (Ctrl-C, or systemctl stop) and try again.",
                    home=str(home),
                )
            ) from None
        yield
    finally:
        os.close(handle)


def _opened(home: Path) -> int:
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    return os.open(home / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
