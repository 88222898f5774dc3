"""A folder that goes with who made it, also where that one is killed: what is half done lies there, and nothing that is kept.

Owns: making it, removing it, and removing what bots left that were killed: whoever lives holds a lock on its own. Leaves to
`bot.confine` that a sandbox's child writes nowhere else.

    folder = OwnFolder()
    folder.path             # made when it is first asked for
    folder.remove()
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import threading
from pathlib import Path
from typing import Final

if sys.platform != "win32":
    import fcntl

PREFIX: Final = "paring-files-"
TRIES: Final = 3
"""Another bot that starts just now may sweep a folder away before it is held."""


class OwnFolder:
    """A folder below another, by default the system's own for temporary files. Of any thread."""

    def __init__(self, within: Path | None = None) -> None:
        """Make nothing yet."""
        self._within = within
        self._lock = threading.Lock()
        self._path: Path | None = None
        self._held = -1

    @property
    def path(self) -> Path:
        """The folder, which is made now where there is none."""
        with self._lock:
            if self._path is None or not self._path.is_dir():  # a system may clean its own folder once a week
                self._let_go()
                if self._within is not None:
                    self._within.mkdir(parents=True, exist_ok=True, mode=0o700)
                self.sweep()
                self._path = self._made()
                for _again in range(TRIES):
                    if (held := _hold(self._path)) >= 0:
                        self._held = held
                        break
                    with contextlib.suppress(OSError):
                        self._path.rmdir()
                    self._path = self._made()
            return self._path

    def sweep(self) -> None:
        """Remove what killed bots left beside it."""
        _sweep(self._within or Path(tempfile.gettempdir()))

    def remove(self) -> None:
        """Remove it with all that is in it. Twice does no harm."""
        with self._lock:
            self._let_go()
            if self._path is not None:
                shutil.rmtree(self._path, ignore_errors=True)
            self._path = None

    def _made(self) -> Path:
        return Path(tempfile.mkdtemp(prefix=PREFIX, dir=self._within)).resolve()

    def _let_go(self) -> None:
        if self._held >= 0:
            os.close(self._held)
        self._held = -1


def _hold(path: Path) -> int:
    """Return an open lock on `path`, -1 where it is held by another, or there is no such thing as a lock on a folder."""
    if sys.platform == "win32":
        return -1
    opened = -1
    try:
        opened = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        if opened >= 0:
            os.close(opened)
        return -1
    return opened


def _sweep(folder: Path) -> None:
    """Remove what killed bots left in `folder`: pictures and recordings of people."""
    with contextlib.suppress(OSError):
        for left in folder.glob(f"{PREFIX}*"):
            if (held := _hold(left)) >= 0:
                shutil.rmtree(left, ignore_errors=True)
                os.close(held)
