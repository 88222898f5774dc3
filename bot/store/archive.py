"""The form of a backup: one ZIP whose first member says what it is and whose last one lists all others with size and sha256.

Owns: the names that may stand in it, and the judgement on a file that is said to be one: whole, cut, changed, foreign or newer. Nothing
of a file is believed before that. Leaves the making to `bot.store.backup`, the unpacking to `bot.store.restore`.

    with opened(file) as (archive, manifest):
        for member in manifest.files:
            for piece in pieces(archive, member): ...

Source: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
"""

from __future__ import annotations

import hashlib
import json
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from bot import lazy
from bot.errors import StoreError, refusal
from bot.locale import phrases
from bot.store import schema

_ = phrases(__file__)

FORMAT: Final = 1
LABEL: Final = "paring-backup"
"""The first member: what the file is, for `file` and for people."""
MANIFEST: Final = "manifest.json"
DATABASE: Final = "paring.db"
CHUNK_BYTES: Final = 1 << 20
LONGEST_MANIFEST: Final = 256 << 20
"""Bytes: a million files."""
_HEADER: Final = struct.Struct("<4s22xHH")
"""Of a ZIP's first member: the signature, the length of its name, that of its extra field."""
_NAMES: Final = lazy.compile(
    r"paring\.db|paring\.toml|session\.key|blobs/([0-9a-f]{2})/\1[0-9a-f]{62}|models(?:/(?!\.\.?(?:/|$))[^/\\\0]+)+"
)
_BROKEN = (
    zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, ValueError, KeyError, TypeError, OverflowError,
    struct.error,
)  # fmt: skip
"""What zipfile raises over bytes that are none of its own; UnicodeError and JSON's are ValueErrors."""


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a backup, by its path in the home."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself."""

    made_at: str
    """ISO 8601, UTC: what was committed later is not in it."""
    schema: str
    keys: bool
    """Whether the page's key and its sessions are in it."""
    missing: int
    """Files that the database names and that were not there."""
    files: tuple[Member, ...]

    @property
    def size_bytes(self) -> int:
        """How large it is unpacked."""
        return sum(file.size_bytes for file in self.files)

    def pack(self) -> bytes:
        """Return it as JSON, with a hash over all of it."""
        said = {"format": FORMAT, **asdict(self)}
        return json.dumps({**said, "sha256": _hash_of(said)}, indent=1).encode()


@contextmanager
def opened(file: Path) -> Iterator[tuple[zipfile.ZipFile, Manifest]]:
    """Give the backup in `file` and what it says of itself. Its members are not read yet.

    Raises:
        StoreError: it is none, is cut off, was changed, or is of a newer Paring.
    """
    try:
        with file.open("rb") as handle:
            _look(file, handle.read(_HEADER.size + len(LABEL)))
        archive = zipfile.ZipFile(file)
    except OSError as error:
        raise StoreError(_("{file} cannot be read: {why}. Nothing was changed.", file=str(file), why=refusal(error))) from error
    except _BROKEN as error:
        raise damaged(file) from error
    with archive:
        try:
            manifest = _manifest(file, archive)
        except OSError as error:
            raise StoreError(
                _("{file} cannot be read: {why}. Nothing was changed.", file=str(file), why=refusal(error))
            ) from error
        except _BROKEN as error:
            raise damaged(file) from error
        yield archive, manifest


def pieces(file: Path, archive: zipfile.ZipFile, member: Member) -> Iterator[bytes]:
    """Yield what `member` holds. Raises StoreError once it is known to be other than the manifest says; no piece is beyond its size."""
    digest, left = hashlib.sha256(), member.size_bytes
    try:
        with archive.open(member.name) as source:
            while piece := source.read(CHUNK_BYTES):
                left -= len(piece)
                if left < 0:
                    raise damaged(file)
                digest.update(piece)
                yield piece
    except _BROKEN as error:
        raise damaged(file) from error
    if left or digest.hexdigest() != member.sha256:
        raise damaged(file)


def check(file: Path) -> Manifest:
    """Read the whole backup and return what it says of itself. Raises StoreError where it is not whole."""
    with opened(file) as (archive, manifest):
        for member in manifest.files:
            for _piece in pieces(file, archive, member):
                pass
    return manifest


def is_one(file: Path) -> bool:
    """Say whether `file` begins as a backup."""
    try:
        with file.open("rb") as handle:
            return _begins_so(handle.read(_HEADER.size + len(LABEL)))
    except OSError:
        return False


def may_hold(name: str) -> bool:
    """Say whether a file of that name, a path in the home, may stand in a backup: no other is ever written."""
    return _NAMES.fullmatch(name) is not None


def damaged(file: Path) -> StoreError:
    """Return the error on a backup that is not as it was written."""
    return StoreError(
        _("{file} is cut off, damaged or was changed: it is not as it was written. Nothing of it was restored; use another backup.",
          file=str(file))
    )  # fmt: skip


def _look(file: Path, begins: bytes) -> None:
    if not _begins_so(begins):
        raise StoreError(_("{file} is not a backup of Paring's. Nothing was changed.", file=str(file)))


def _begins_so(begins: bytes) -> bool:
    return (
        len(begins) >= _HEADER.size and begins[_HEADER.size :] == LABEL.encode() and _HEADER.unpack_from(begins)[0] == b"PK\3\4"
    )


def _manifest(file: Path, archive: zipfile.ZipFile) -> Manifest:
    with archive.open(MANIFEST) as source:
        packed = source.read(LONGEST_MANIFEST + 1)
    if len(packed) > LONGEST_MANIFEST:
        raise damaged(file)
    said = json.loads(packed)
    if int(said["format"]) > FORMAT:
        raise newer(file, f"{said['format']}")
    if said.pop("sha256") != _hash_of(said):
        raise damaged(file)
    files = tuple(Member(str(one["name"]), int(one["size_bytes"]), str(one["sha256"])) for one in said["files"])
    manifest = Manifest(str(said["made_at"]), str(said["schema"]), bool(said["keys"]), int(said["missing"]), files)
    if manifest.schema > schema.head():
        raise newer(file, manifest.schema)
    names = [one.name for one in files]
    if sorted([LABEL, MANIFEST, *names]) != sorted(archive.namelist()) or len(set(names)) != len(names):
        raise damaged(file)
    if DATABASE not in names or any(one.size_bytes < 0 or not may_hold(one.name) for one in files):
        raise damaged(file)
    return manifest


def newer(file: Path, its: str) -> StoreError:
    """Return the error on a backup that a newer Paring made."""
    return StoreError(
        _("{file} was made by a newer Paring ({its}; this one knows {newest}). Nothing was changed; update Paring.",
          file=str(file), its=its, newest=schema.head())
    )  # fmt: skip


def _hash_of(said: object) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
