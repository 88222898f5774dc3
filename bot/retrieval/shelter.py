"""The folder of saved indexes: the newest is read, what does not fit is set aside, what is forgotten is gone.

Owns which folder under `<home>/index` is the index, the lock between processes, what is set aside and how much of it is kept. Leaves the
format to `bot.retrieval.saved`, and to `bot.retrieval.saving` when something is saved.

    shelter = Shelter(settings.home / "index")
    with shelter.locked():
        shelter.save(index, made)

A folder is named by its mark: `<generation>-<passage>-<removal>`.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bot.errors import refusal
from bot.locale import phrases
from bot.logs import Logger
from bot.retrieval.coded import Source
from bot.retrieval.saved import ASIDE, Made, UnfitError, check, manifest, read, write
from bot.retrieval.vectors import VectorIndex
from bot.store.shelf import Mark, Origin

_ = phrases(__file__)
log = Logger(__name__)

SHELTER = "index"
"""The folder in a home."""
SET_ASIDE = "set-aside"
MOST_SET_ASIDE = 3
"""What did not fit and is kept for somebody who wants to know why: the last ones."""
LOCK = "lock"


class Shelter:
    """Saved indexes under one folder. Any thread, any process."""

    def __init__(self, folder: Path) -> None:
        """Use `folder`, which need not be there."""
        self.folder = folder
        self._turn = threading.RLock()
        self._holds = False

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other writers and erasers out, of this process and others; who is in may come in again."""
        with self._turn:
            if self._holds:  # a lock of the system's would wait for itself
                yield
                return
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self.folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                self._holds = True
                yield
            finally:
                self._holds = False
                os.close(handle)

    def newest(self) -> Path | None:
        """Return the folder of the index that covers most, None where none was saved."""
        found = [(_mark_in(path.name), path) for path in self._paths()]
        return max(((mark, path) for mark, path in found if mark), default=((), None))[1]

    def made(self) -> Made | None:
        """Return what the newest index is of, unread and unchecked; None where there is none or its manifest is not right."""
        path = self.newest()
        try:
            return manifest(path)[1] if path else None
        except UnfitError:
            return None

    def load(self, mark: Mark, source: Source, *, known: Collection[Origin]) -> tuple[VectorIndex, Made] | None:
        """Return the newest index if it is one of `mark`'s database, None where there is none.

        None as well where it is of another generation that is `known` there: after a change of embedder nothing is wrong with it, and
        the next to be saved takes its place. And None where just that happens while it is read.

        Raises:
            UnfitError: it does not fit; it was not loaded. The caller sets it aside.
        """
        path = self.newest()
        if path is None:
            return None
        try:
            return _fitting(path, mark, source, known)
        except UnfitError:
            if self.newest() == path:
                raise
            return None  # who saves, in this process or another, deletes the one before

    def check(self) -> Made | None:
        """Return what the newest index is of, all its files compared with their hashes. Raises UnfitError."""
        path = self.newest()
        return check(path) if path else None

    def save(self, index: VectorIndex, made: Made) -> None:
        """Write `index`, and delete what was saved before. Under the lock. Raises OSError."""
        mark = made.mark
        path = self.folder / f"{mark.generation}-{mark.passage}-{mark.removal}"
        if not path.exists():
            write(path, index, made)
        for other in self._paths():
            if other != path and (_mark_in(other.name) or other.name.startswith(ASIDE)):
                shutil.rmtree(other, ignore_errors=True)

    def set_aside(self, why: UnfitError) -> None:
        """Put the newest index out of the way, tell it in the log, keep the last few of its kind."""
        aside = self.folder / SET_ASIDE
        with self.locked():
            path = self.newest()
            if path is None:
                return
            log.warning("the index file does not fit and was set aside; it is made anew", file=str(path), why=str(why))
            aside.mkdir(exist_ok=True, mode=0o700)
            names = [int(other.name.partition(".")[0]) for other in aside.iterdir() if other.name.partition(".")[0].isdigit()]
            path.rename(aside / f"{max(names, default=0) + 1}.{path.name}")
            for old in sorted(self.aside(), key=lambda other: int(other.name.partition(".")[0]))[:-MOST_SET_ASIDE]:
                shutil.rmtree(old, ignore_errors=True)

    def aside(self) -> list[Path]:
        """Return what was set aside."""
        folder = self.folder / SET_ASIDE
        return [path for path in folder.iterdir() if path.name.partition(".")[0].isdigit()] if folder.is_dir() else []

    def drop_aside(self) -> None:
        """Delete what was set aside."""
        if self.aside():
            with self.locked():
                shutil.rmtree(self.folder / SET_ASIDE, ignore_errors=True)

    def drop(self) -> None:
        """Delete whatever was saved; what was set aside stays."""
        if not self.folder.exists():
            return
        with self.locked():
            for path in [path for path in self._paths() if path.name != SET_ASIDE]:
                shutil.rmtree(path, ignore_errors=True)
                if path.exists():
                    log.error("an index file could not be deleted", file=str(path), why=refusal(OSError(path)))

    def _paths(self) -> list[Path]:
        with suppress(FileNotFoundError, NotADirectoryError):
            return [path for path in self.folder.iterdir() if path.is_dir()]
        return []


def _fitting(path: Path, mark: Mark, source: Source, known: Collection[Origin]) -> tuple[VectorIndex, Made] | None:
    """Return the index in `path` as `Shelter.load` does."""
    own = manifest(path)[1].mark
    if own.passage > mark.passage or own.removal > mark.removal:
        raise UnfitError(_("it is ahead of the database, which was put back from a copy or is another one"))
    if own.origin != mark.origin:
        if own.origin in known:
            return None
        raise UnfitError(_("it is of generation {number} of {embedder}", number=own.generation, embedder=own.embedder))
    return read(path, source)


def _mark_in(name: str) -> tuple[int, ...]:
    """Return (generation, passage, removal) of a folder's name, () where it is no index's."""
    parts = name.split("-")
    return tuple(map(int, parts)) if len(parts) == 3 and all(part.isdigit() for part in parts) else ()  # noqa: PLR2004 - as said
