"""A backup of a home, made while bots run over it: one file, whole or not there.

Owns what is taken along and how it is consistent. The database is copied in one read transaction, which holds up no writer; the files
are those that this copy names. Leaves the form to `bot.store.archive`, the way back to `bot.store.restore`.

    made = back_up(home, Path("paring.zip"), report)

Not taken along: the index (the vectors are in the database, and it is made of them), models that can be fetched or made again, and,
unless asked, what signs people in to the page.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

from bot import lazy
from bot.errors import StoreError, refusal
from bot.locale import Text, phrases
from bot.progress import Report
from bot.store import schema
from bot.store.archive import CHUNK_BYTES, DATABASE, FORMAT, LABEL, MANIFEST, Manifest, Member, is_one, may_hold
from bot.store.failures import DAMAGED, told
from bot.store.flushing import flush_folder

_ = phrases(__file__)

SETTINGS: Final = "paring.toml"
KEY: Final = "session.key"
LABELS: Final = "models/route-labels.jsonl"
ASIDE: Final = ".paring-backup-"
"""What the name of the folder begins with in which a backup is made, beside its place."""
REMADE: Final = ("paring.hub.json", "manifest.json")
"""In a folder of models: it was fetched from a hub (`bot.models.origin`), or made here of the install's (`bot.models.made`)."""
PAGES_AT_ONCE: Final = 2048
BUSY_TIMEOUT_S: Final = 10.0
MEBIBYTE: Final = 1 << 20
_BLOB = lazy.compile(r'"blob":"([0-9a-f]{64})"')
_NAMED = (
    'SELECT message FROM inbox WHERE message LIKE \'%"blob":"%\'',
    'SELECT reply FROM outbox WHERE reply LIKE \'%"blob":"%\'',
)


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made."""

    file: Path
    size_bytes: int
    manifest: Manifest


def back_up(home: Path, file: Path, report: Report, *, with_keys: bool = False) -> Made:
    """Write a backup of `home` to `file`, which only its owner may read; a backup that was there is replaced once this one is whole.

    Raises:
        StoreError: there is nothing to back up, the database is damaged or cannot be read, or the file cannot be written.
    """
    database = home / DATABASE
    if not schema.version(database):
        raise StoreError(_("There is no database in {home}, so there is nothing to back up.", home=str(home)))
    if file.exists() and not is_one(file):
        raise StoreError(
            _("{file} is there and no backup of Paring's: it was left as it is. Write another name.", file=str(file))
        )
    try:
        with _aside(file.parent) as folder:
            made_at = datetime.now(UTC)
            copy = folder / DATABASE
            _copy(database, copy, report, with_keys=with_keys)
            whole = folder / "whole"
            manifest = _write(whole, home, copy, made_at, report, with_keys=with_keys)
            whole.replace(file)
        flush_folder(file.parent)
    except OSError as error:
        raise StoreError(
            _("{file} cannot be written: {why}. There is no new backup; what was there before is as it was.",
              file=str(file), why=refusal(error))
        ) from error  # fmt: skip
    except sqlite3.Error as error:
        why = told(error)
        raise StoreError(_("There is no new backup. {why}", why=why)) from error
    return Made(file, file.stat().st_size, manifest)


@contextmanager
def _aside(parent: Path) -> Iterator[Path]:
    """Give a folder in `parent` that goes at the end; what killed ones left goes, too."""
    for left in parent.glob(f"{ASIDE}*"):
        with suppress(OSError), (left / "lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=ASIDE, dir=parent))
    try:
        with (folder / "lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copy(database: Path, copy: Path, report: Report, *, with_keys: bool) -> None:
    """Copy one state of the database to `copy`, without what signs people in; it is one file, and sound."""
    with (
        closing(sqlite3.connect(database, isolation_level=None, timeout=BUSY_TIMEOUT_S)) as source,
        closing(sqlite3.connect(copy, isolation_level=None)) as target,
    ):
        source.execute("PRAGMA query_only=ON")
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()  # from here on no commit changes what is read
        size = source.execute("PRAGMA page_size").fetchone()[0]

        def step(_state: int, left: int, total: int) -> None:
            report(_("the database"), (total - left) * size / MEBIBYTE, round(total * size / MEBIBYTE))

        source.backup(target, pages=PAGES_AT_ONCE, progress=step, sleep=0)
        source.execute("ROLLBACK")
        for pragma in ("journal_mode=DELETE", "synchronous=OFF", "secure_delete=ON"):
            target.execute(f"PRAGMA {pragma}")
        if not with_keys:
            tables = {row[0] for row in target.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            for table in sorted(tables & {"sessions", "pairings", "link_codes"}):
                target.execute(f"DELETE FROM {table}")  # noqa: S608 - constants alone
        if target.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise StoreError(_("There is no new backup. {why}", why=DAMAGED))


def _write(whole: Path, home: Path, copy: Path, made_at: datetime, report: Report, *, with_keys: bool) -> Manifest:
    wanted, missing = _wanted(home, copy, with_keys=with_keys)
    total = sum(path.stat().st_size for path in wanted.values())
    members: list[Member] = []
    with whole.open("xb") as handle:
        os.fchmod(handle.fileno(), 0o600)
        with zipfile.ZipFile(handle, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.writestr(zipfile.ZipInfo(LABEL), f"A backup of Paring, format {FORMAT}. `paring restore` takes it.\n")
            done = 0
            for name, path in wanted.items():
                report(Path(name).name, done / MEBIBYTE, round(total / MEBIBYTE))
                try:
                    source = path.open("rb")
                except FileNotFoundError:  # forgotten meanwhile
                    missing += 1
                    continue
                with source:
                    members.append(_add(archive, name, source))
                done += members[-1].size_bytes
            manifest = Manifest(made_at.isoformat(timespec="seconds"), schema.version(copy), with_keys, missing, tuple(members))
            archive.writestr(MANIFEST, manifest.pack())
        handle.flush()
        os.fsync(handle.fileno())
    return manifest


def _wanted(home: Path, copy: Path, *, with_keys: bool) -> tuple[dict[str, Path], int]:
    """Return the files of a backup by their names in it, the database first, and how many that it names are missing."""
    wanted = {DATABASE: copy}
    for name in (SETTINGS, LABELS, *([KEY] if with_keys else [])):
        if (home / name).is_file():
            wanted[name] = home / name
    for path in _own_models(home / "models"):
        name = path.relative_to(home).as_posix()
        if may_hold(name):
            wanted[name] = path
    named, read = _blobs(copy)
    for blob in sorted(named | read):
        path = home / "blobs" / blob[:2] / blob
        if path.is_file():
            wanted[f"blobs/{blob[:2]}/{blob}"] = path
    return wanted, sum(f"blobs/{blob[:2]}/{blob}" not in wanted for blob in named)


def _own_models(models: Path) -> Iterator[Path]:
    """Yield the files of models that cannot be fetched or made again."""
    if not models.is_dir():
        return
    for folder in sorted(models.iterdir()):
        if folder.is_dir() and not folder.name.startswith(".") and not any((folder / name).exists() for name in REMADE):
            yield from (path for path in sorted(folder.rglob("*")) if path.is_file())


def _blobs(copy: Path) -> tuple[set[str], set[str]]:
    """Return the files that messages and answers name, and those of which documents were read, which may lie elsewhere."""
    named: set[str] = set()
    with closing(sqlite3.connect(copy)) as connection:
        for query in _NAMED:
            for (packed,) in connection.execute(query):
                named.update(_BLOB.findall(packed))
        known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'documents'").fetchone()
        read = {row[0] for row in connection.execute("SELECT sha256 FROM documents")} if known else set()
    return named, {blob for blob in read if may_hold(f"blobs/{blob[:2]}/{blob}")}


def _add(archive: zipfile.ZipFile, name: str, source: IO[bytes]) -> Member:
    digest, size = hashlib.sha256(), 0
    entry = zipfile.ZipInfo(name) if name.startswith("models/") else name  # the first is stored as it is: weights do not shrink
    with archive.open(entry, "w", force_zip64=True) as target:
        while piece := source.read(CHUNK_BYTES):
            digest.update(piece)
            size += len(piece)
            target.write(piece)
    return Member(name, size, digest.hexdigest())


def size_of(made: Made) -> Text:
    """Return what was made, for people."""
    return _("{file}: {size} MB, {files} files, schema {schema}", file=str(made.file), size=f"{made.size_bytes / MEBIBYTE:.1f}",
             files=len(made.manifest.files), schema=made.manifest.schema)  # fmt: skip
