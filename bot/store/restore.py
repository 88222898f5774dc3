"""A backup put back into a home: all of it or nothing, with what was there kept beside it.

Owns the order of the steps. Everything is unpacked into a folder within the home, compared with its hashes and brought to the newest
schema there; only then is anything of the home touched, by renaming, the database last. Leaves the form of a backup, and the judgement
on a file, to `bot.store.archive`.

    restored = restore(Path("paring.zip"), home, report)              # into a home that holds no talk yet
    restored = restore(Path("paring.zip"), home, report, force=True)  # what was there is in home/before-restore-…
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zipfile import ZipFile

from bot.errors import StoreError, refusal
from bot.locale import Text, phrases
from bot.progress import Report
from bot.store import schema
from bot.store.alone import alone
from bot.store.archive import DATABASE, Manifest, Member, damaged, opened, pieces
from bot.store.flushing import flush_folder

_ = phrases(__file__)

STAGING: Final = ".restore-"
BEFORE: Final = "before-restore-"
OF_A_DATABASE: Final = ("paring.db", "paring.db-wal", "paring.db-shm", "blobs", "index", "models/route-labels.jsonl")
"""What belongs to one database and cannot stand beside another."""
SPARE_BYTES: Final = 64 << 20
"""What is left free on the disk."""
AHEAD: Final = 100_000
"""Numbers that are passed over: those given out after the backup stand in links and open pages, and must not mean something else."""
MEBIBYTE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back, and where that is now which was there before, None where nothing was."""

    manifest: Manifest
    before: Path | None
    schema: str

    def text(self) -> Text:
        """Return it for people."""
        told = _("Restored: {files} files of {made_at}, schema {schema}.",
                 files=len(self.manifest.files), made_at=self.manifest.made_at, schema=self.schema)  # fmt: skip
        if self.before is None:
            return told
        return _(
            "{told} What was there before is in {before}: delete it when you need it no more.", told=told, before=str(self.before)
        )


def restore(file: Path, home: Path, report: Report, *, force: bool = False) -> Restored:
    """Put the backup in `file` into `home`; over what is there only with `force`, and that is kept then.

    Raises:
        StoreError: the file is no whole backup that this Paring knows, a bot runs over the home, something is there, or there is no room.
    """
    with opened(file) as (archive, manifest), alone(home):
        there = _there(home, manifest)
        if there and not force:
            raise StoreError(
                _("{home} is not empty: {there} is there. Nothing was changed; restore into another PARING_HOME, or write --force, which "
                  "keeps what is there beside it.", home=str(home), there=there[0])
            )  # fmt: skip
        try:
            return _restore(file, archive, manifest, home, there, report)
        except OSError as error:
            raise StoreError(
                _("{home} cannot be written: {why}. What was there is as it was.", home=str(home), why=refusal(error))
            ) from error
        except sqlite3.Error as error:
            raise damaged(file) from error


def _restore(file: Path, archive: ZipFile, manifest: Manifest, home: Path, there: Sequence[str], report: Report) -> Restored:
    for left in home.glob(f"{STAGING}*"):
        shutil.rmtree(left, ignore_errors=True)
    free, needed = shutil.disk_usage(home).free, manifest.size_bytes + SPARE_BYTES
    if free < needed:
        raise StoreError(
            _("There is no room: {needed} MB are needed in {home}, {free} are free. Nothing was changed.",
              needed=needed // MEBIBYTE, free=free // MEBIBYTE, home=str(home))
        )  # fmt: skip
    staging = Path(tempfile.mkdtemp(prefix=STAGING, dir=home))
    try:
        done = 0
        for member in manifest.files:
            report(Path(member.name).name, done / MEBIBYTE, round(manifest.size_bytes / MEBIBYTE))
            _unpack(file, archive, member, staging)
            done += member.size_bytes
        now = _settled(file, staging / DATABASE, manifest)
        os.sync()
        before = _put(staging, home, there, [member.name for member in manifest.files])
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return Restored(manifest, before, now)


def _there(home: Path, manifest: Manifest) -> list[str]:
    """Return what stands where the backup goes, by its name in the home."""
    places = dict.fromkeys((*OF_A_DATABASE, *map(_place, (member.name for member in manifest.files))))
    return [name for name in places if _holds(home / name)]


def _place(name: str) -> str:
    """Return what is put in place as one: a file at the top, `blobs`, one model."""
    parts = name.split("/")
    return "/".join(parts[:2]) if parts[0] == "models" else parts[0]


def _holds(path: Path) -> bool:
    return path.is_symlink() or path.is_file() or (path.is_dir() and any(one.is_file() for one in path.rglob("*")))


def _unpack(file: Path, archive: ZipFile, member: Member, staging: Path) -> None:
    target = staging / member.name  # a name that `may_hold` admits: nothing of it leads out of here
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as handle:
        for piece in pieces(file, archive, member):
            handle.write(piece)


def _settled(file: Path, database: Path, manifest: Manifest) -> str:
    """Look at the unpacked database, bring it to the newest schema, and have it say what may be a repetition; return its schema."""
    if schema.version(database) != manifest.schema:
        raise damaged(file)
    with closing(sqlite3.connect(database)) as connection:
        if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise damaged(file)
    schema.upgrade(database)
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        # What waited to be sent then may have been sent since: it goes out with a word that says so.
        connection.execute("UPDATE outbox SET state = 'ambiguous' WHERE state IN ('ready', 'sending')")
        connection.execute("UPDATE sqlite_sequence SET seq = seq + ? WHERE name IN ('inbox', 'outbox', 'documents')", (AHEAD,))
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return schema.version(database)


def _put(staging: Path, home: Path, there: Sequence[str], names: Sequence[str]) -> Path | None:
    """Rename what is there out of the way and the new into its place, the database last; undo all of it where one step fails."""
    before = home / f"{BEFORE}{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
    moved: list[tuple[Path, Path]] = []
    try:
        for name in there:
            _move(home / name, before / name, moved)
        for place in _in_order(names):
            _clear(home / place)
            _move(staging / place, home / place, moved)
        flush_folder(home)
    except BaseException:
        for old, new in reversed(moved):
            new.rename(old)
        raise
    return before if there else None


def _in_order(names: Sequence[str]) -> Iterator[str]:
    places = dict.fromkeys(map(_place, names))
    yield from (place for place in places if place != DATABASE)
    yield DATABASE


def _clear(place: Path) -> None:
    """Take away folders in which nothing lies."""
    if place.is_dir():
        shutil.rmtree(place)


def _move(old: Path, new: Path, moved: list[tuple[Path, Path]]) -> None:
    new.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    old.rename(new)
    moved.append((old, new))
