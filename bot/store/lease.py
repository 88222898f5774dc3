"""Who works on what: each bot that runs holds a lease, and what it takes in carries the lease's name.

Two bots may use one home (`paring run`, `paring chat` in two terminals, `paring say`): each answers what it took in itself, and what
those took in that have ended, however they ended. A lease is a file that is locked while its process lives, so that the kernel
ends it, also after kill -9. What only one of them may do at a time is a post (`bot.store.posts`).

    with Lease.taken(home) as lease:
        lease.name            # "" is nobody's
        lease.others()        # the names of the other leases whose processes live
        lease.ended(names)    # those of `names` whose processes live no more
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

NAME_BYTES = 8
FOLDER = "leases"


class Lease:
    """One process's right to what it takes in."""

    def __init__(self, folder: Path, name: str) -> None:
        """Stand for the lease `name` in `folder`; see `taken`."""
        self._folder = folder
        self.name = name

    @classmethod
    @contextmanager
    def taken(cls, home: Path) -> Iterator[Self]:
        """Hold a new lease under `home`."""
        folder = home / FOLDER
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        name, handle = _locked(folder)
        try:
            yield cls(folder, name)
        finally:
            (folder / name).unlink(missing_ok=True)
            os.close(handle)

    def others(self) -> list[str]:
        """Return the leases of other living processes; those of ended ones are cleared away."""
        return [path.name for path in self._folder.iterdir() if path.name != self.name and _is_held(path)]

    def ended(self, names: Sequence[str]) -> list[str]:
        """Return those of `names` that nobody holds. One that has ended is never taken again: what it left may be taken over."""
        return [name for name in names if name != self.name and not (name and _is_held(self._folder / name))]


def _locked(folder: Path) -> tuple[str, int]:
    while True:
        name = secrets.token_hex(NAME_BYTES)
        handle = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX)
        if (folder / name).exists():  # not cleared away by another process between the two lines above
            return name, handle
        os.close(handle)


def _is_held(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        path.unlink(missing_ok=True)
        return False
    finally:
        os.close(handle)
