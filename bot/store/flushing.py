"""The write-ahead log of an SQLite file, flushed to disk beside its writer.

Owns the descriptor of the log. SQLite itself flushes it before a checkpoint (synchronous=NORMAL); this adds the flush that
makes what was committed survive a power cut, on a thread of its own, so that one flush serves all that waits for it. SQLite's locks
are on other files, so that opening and closing the log beside it takes none away.

    log = Log(path)
    log.flush()     # what was committed before is on disk after

Source: https://www.sqlite.org/wal.html, https://www.sqlite.org/howtocorrupt.html (2.2)
"""

from __future__ import annotations

import os
from pathlib import Path

_flush = getattr(os, "fdatasync", os.fsync)


class Log:
    """The log beside the database at `path`. For one thread."""

    def __init__(self, path: Path) -> None:
        """Open nothing yet."""
        self._database = path
        self._path = path.with_name(f"{path.name}-wal")
        self._descriptor: int | None = None
        self._inode = 0

    def flush(self) -> None:
        """Return once all that was committed before is on disk. Raises OSError where the disk fails."""
        try:
            inode = self._path.stat().st_ino
        except FileNotFoundError:
            self.close()  # it was checkpointed into the database and removed; SQLite flushes that before
            self._database.stat()  # unless that is gone, too: somebody deleted the home under us, and nothing of this is on a disk
            return
        if self._descriptor is None or inode != self._inode:
            self.close()
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
            self._inode = inode
            flush_folder(self._path.parent)
        _flush(self._descriptor)

    def close(self) -> None:
        """Close the descriptor."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def flush_folder(folder: Path) -> None:
    """Flush the folder itself, so that a file that was just made or renamed in it is found after a power cut. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
