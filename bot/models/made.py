"""Folders that are made once on this machine: written aside, flushed, put in place at once, and looked at before they are used.

Owns the steps that every such folder takes. Leaves to `bot.models.prepare` and `bot.models.distil` what is in one.

    with alone(parent / "minilm.lock"):
        publish(making, target)
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, TypeVar

Number = TypeVar("Number", float, str)
Pairs = tuple[tuple[str, Number], ...]

MANIFEST: Final = "manifest.json"
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class PreparedFile:
    """A file that was made: its hash, and the size and time by which a change is seen without reading it."""

    path: str
    sha256: str
    size_bytes: int
    changed_ns: int

    @classmethod
    def of(cls, file: Path) -> PreparedFile:
        """Return what is to be remembered of `file`."""
        state = file.stat()
        return cls(file.name, sha256_of(file), state.st_size, state.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a prepared folder says of itself: what it was made of, by which versions, and how near to its original it came."""

    format: int
    source_sha256: str
    files: tuple[PreparedFile, ...]
    cosines: Pairs[float]
    versions: Pairs[str]

    def write(self, folder: Path) -> None:
        """Write it into `folder`."""
        (folder / MANIFEST).write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")


def read_manifest(folder: Path) -> Manifest | None:
    """Return the manifest of a prepared folder, None where there is none that can be read."""
    try:
        said = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return Manifest(
            format=int(said["format"]),
            source_sha256=str(said["source_sha256"]),
            files=tuple(
                PreparedFile(str(f["path"]), str(f["sha256"]), int(f["size_bytes"]), int(f["changed_ns"])) for f in said["files"]
            ),
            cosines=tuple((str(engine), float(cosine)) for engine, cosine in said["cosines"]),
            versions=tuple((str(name), str(number)) for name, number in said["versions"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def whole(folder: Path, files: Collection[str], *, format: int, source_sha256: str, thorough: bool) -> bool:  # noqa: A002 - the manifest's own name
    """Say whether `folder` holds what its manifest says. By size and time; if the time differs or `thorough`, by sha256."""
    manifest = read_manifest(folder)
    if manifest is None or manifest.format != format or manifest.source_sha256 != source_sha256:
        return False
    if {file.path for file in manifest.files} != set(files):
        return False
    return all(_same(folder / file.path, file, thorough=thorough) for file in manifest.files)


def publish(making: Path, target: Path) -> None:
    """Flush every file, then put the folder in its place at once; an older one is moved out of the way first."""
    making.chmod(0o755)  # made private by mkdtemp; every user of the install reads it
    for file in (*making.rglob("*"), making):
        _flush(file)
    if target.exists():
        old = aside(target)
        target.rename(old / "old")
        making.rename(target)
        shutil.rmtree(old, ignore_errors=True)
    else:
        making.rename(target)
    _flush(target.parent)


def made_once(target: Path, build: Callable[[Path], None], *, there: Callable[[], bool]) -> Path:
    """Return the folder `target`, made by `build` in a new folder aside unless it is `there`; a second process waits and finds it.

    Raises:
        OSError: it cannot be written. What `build` raises; what was there before still is.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with alone(target.parent / f"{target.name}.lock"):
        if there():
            return target
        clear_asides(target)
        making = aside(target)
        try:
            build(making)
            publish(making, target)
        finally:
            shutil.rmtree(making, ignore_errors=True)
    return target


def aside(target: Path) -> Path:
    """Return a new folder beside `target`, in which it is made."""
    return Path(tempfile.mkdtemp(prefix=f"{target.name}.making-", dir=target.parent))


def clear_asides(target: Path) -> None:
    """Delete what a process left that died: the caller holds the lock, so nobody is at it."""
    for left in target.parent.glob(f"{target.name}.making-*"):
        shutil.rmtree(left, ignore_errors=True)


def writable(folder: Path) -> bool:
    """Say whether `folder` can be written, or made."""
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    return nearest.is_dir() and os.access(nearest, os.W_OK)


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Hold the lock file; a second process waits here, and then finds the work done."""
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def sha256_of(file: Path) -> str:
    """Return the sha256 of a file's bytes, hex."""
    digest = hashlib.sha256()
    with file.open("rb") as handle:
        while chunk := handle.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _same(file: Path, wanted: PreparedFile, *, thorough: bool) -> bool:
    try:
        state = file.stat()
    except OSError:
        return False
    if state.st_size != wanted.size_bytes:
        return False
    return (not thorough and state.st_mtime_ns == wanted.changed_ns) or sha256_of(file) == wanted.sha256
