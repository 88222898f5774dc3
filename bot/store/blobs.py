"""Bytes by their sha256, on disk: what people sent and what skills drew.

store.path(store.keep(data))
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import weakref
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import IO

from bot.own_folder import OwnFolder

CLOCK_S = 1.0
"""How exact a file's time is."""


class BlobStore:
    """Files under `folder`, named by their sha256 in folders of its first two digits."""

    def __init__(self, folder: Path) -> None:
        """Use `folder`, which is made when something is kept."""
        self._folder = folder
        self._half = OwnFolder(folder / "spool")
        weakref.finalize(self, self._half.remove)

    def path(self, blob: str) -> Path:
        """Return where `blob` lies. Raises ValueError for what is no sha256."""
        if len(blob) != hashlib.sha256().digest_size * 2 or not set(blob) <= set("0123456789abcdef"):
            msg = f"a blob is named by the 64 hex digits of its sha256, not {blob!r}"
            raise ValueError(msg)
        return self._folder / blob[:2] / blob

    def holds(self, blob: str, size_bytes: int) -> bool:
        """Say whether `blob` lies here, and as long as it was; 0: that is not known. Raises ValueError as `path`."""
        try:
            return size_bytes in (0, self.path(blob).stat().st_size)
        except FileNotFoundError:
            return False

    def keep(self, data: bytes) -> str:
        """Write `data` aside, flush it, rename it; return its sha256. The same bytes twice are one file."""
        blob = hashlib.sha256(data).hexdigest()
        if not (self.holds(blob, len(data)) and self._touched(blob)):
            with self._aside() as (aside, path):
                aside.write(data)
                self._settle(aside, path, blob)
        return blob

    def keep_file(self, file: Path) -> str:
        """Take the bytes of `file`, which stays; return their sha256."""
        digest = hashlib.sha256()
        with file.open("rb") as source, self._aside() as (aside, path):
            while piece := source.read(1 << 20):
                digest.update(piece)
                aside.write(piece)
            self._settle(aside, path, digest.hexdigest())
        return digest.hexdigest()

    def drop(self, blob: str, *, kept_until: datetime) -> bool:
        """Delete `blob`, unless it was brought again after `kept_until` (aware); return whether it was there and is gone."""
        path = self.path(blob)
        try:
            if path.stat().st_mtime > kept_until.timestamp() + CLOCK_S:
                return False
            path.unlink()
        except FileNotFoundError:
            return False
        return True

    def sweep(self, named: Collection[str], *, kept_until: datetime) -> int:
        """Delete every file that was brought before `kept_until` (aware) and is not `named`; return how many.

        Among them are uploads that were never sent. What bots that were killed left half received goes at once, and is not counted.
        """
        self._half.sweep()
        gone = 0
        files = (path for path in self._folder.glob("spool/**/*") if path.is_file())
        for path in (*self._folder.glob("??/*"), *files, *self._folder.glob(".aside-*")):
            with suppress(FileNotFoundError):
                if path.name not in named and path.stat().st_mtime < kept_until.timestamp():
                    path.unlink()
                    gone += 1
        return gone

    def spool(self) -> Path:
        """Return a fresh path on the same disk for a file that is being received; its owner removes it, and it goes with the process."""
        handle, name = tempfile.mkstemp(dir=self._half.path)
        os.close(handle)
        return Path(name)

    def _touched(self, blob: str) -> bool:
        """Say whether `blob` is here, and make it new: whoever brings it is about to name it."""
        try:
            os.utime(self.path(blob))
        except FileNotFoundError:
            return False
        return True

    @contextmanager
    def _aside(self) -> Iterator[tuple[IO[bytes], Path]]:
        handle, name = tempfile.mkstemp(dir=self._half.path)
        try:
            with open(handle, "wb") as aside:  # noqa: PTH123 - a descriptor, not a path
                yield aside, Path(name)
        finally:
            Path(name).unlink(missing_ok=True)

    def _settle(self, aside: IO[bytes], path: Path, blob: str) -> None:
        aside.flush()
        os.fsync(aside.fileno())
        target = self.path(blob)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.replace(target)
