"""Takes the files out of an archive or a folder that somebody carried in: within limits, and nothing but files.

Owns: tar, tar.gz, zip and folders as one stream of members; links, devices, bombs and names that lead out. Leaves to
`bot.models.verify` what may be in a model, to `bot.models.carried` what becomes of it.

    unpack(Path("kobart.tar"), into, report)
"""

from __future__ import annotations

import gzip
import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from io import RawIOBase
from pathlib import Path, PurePosixPath
from typing import IO, Final, Protocol

from bot.errors import TooLargeError, UnreadableError
from bot.locale import phrases
from bot.models.refusal import plain, refused
from bot.models.verify import IGNORED_FOLDERS, MOST_FILES, alike, why_not

_ = phrases(__file__)

Report = Callable[[str, int, int], None]
"""Told the file that is at hand, and how many bytes of the source are read, of how many."""

CHUNK: Final = 1 << 18
"""Bytes that are read at once, and of a tar's header at most: headers follow headers, and each is kept while the next is read."""
LARGEST_LIST: Final = 4 << 20
"""Bytes of a zip's list of its members; 2,000 files take 0.6 MB."""
SMALL_BYTES: Final = 256 << 20
MOST_RATIO: Final = 50
"""More than SMALL_BYTES may not grow out of an archive of a fiftieth: weights hardly shrink at all."""
KEPT_FREE_BYTES: Final = 256 << 20
"""Of the disk, for the database to go on."""
PASSED_OVER: Final = frozenset({*IGNORED_FOLDERS, "__MACOSX", ".DS_Store", "Thumbs.db"})
"""What systems and tools leave in folders."""
_BROKEN: Final = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, gzip.BadGzipFile, EOFError, ValueError, RuntimeError, OverflowError, NotImplementedError,
)  # fmt: skip
"""What the libraries raise over an archive that is not one; RecursionError and UnicodeError are among them."""


class _Bytes(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...
    def seek(self, place: int, whence: int = 0, /) -> int: ...
    def tell(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Member:
    """One file: its path with /, how many bytes it says it has, what reads the next of them (b"" at the end), how far the source is read."""

    name: str
    size_bytes: int
    read: Callable[[int], bytes]
    place: Callable[[], int]


def unpack(source: Path, into: Path, report: Report) -> None:
    """Write every file of `source` (a folder, .tar, .tar.gz or .zip) into the folder `into`, which is empty.

    Raises:
        UnsafeModelError: it holds a link, a device, or a name that may not be in a model.
        TooLargeError: it grows beyond what an archive of its size may hold, or the disk has no room for it.
        UnreadableError: it is broken, or no archive.
    """
    whole = source.stat().st_size if source.is_file() else sum(path.lstat().st_size for path in source.rglob("*"))
    most = max(SMALL_BYTES, MOST_RATIO * whole)
    try:
        names = _unpack(source, into, report, whole=whole, most=most)
    except _BROKEN as error:
        raise _broken(source.name) from error
    if not names:
        raise UnreadableError(_("There is no file in {file}. Nothing was taken in.", file=plain(source.name)))
    if twin := alike(names):
        raise refused(twin, _("another file has the same name but for the case of its letters"))


def _unpack(source: Path, into: Path, report: Report, *, whole: int, most: int) -> list[str]:
    """Write the files and return their names."""
    names: list[str] = []
    for member in _members(source):
        if not PASSED_OVER.isdisjoint(PurePosixPath(member.name).parts):
            continue
        names.append(member.name)
        _accept(names, source)
        most -= member.size_bytes
        if most < 0:
            raise TooLargeError(
                _("{file} grows to more than an archive of its size may hold. Nothing was taken in.", file=plain(source.name))
            )
        _make_sure_of_room(into, member.size_bytes)
        _write(member, into / member.name, report, whole)
    return names


def _accept(names: list[str], source: Path) -> None:
    """Refuse the last of `names` where it may not be in a model, or where there are too many."""
    if len(names) > MOST_FILES:
        raise refused(source.name, _("it holds more than {count} files", count=MOST_FILES))
    if (why := why_not(names[-1])) is not None:
        raise refused(names[-1], why)


def _make_sure_of_room(into: Path, size_bytes: int) -> None:
    free = shutil.disk_usage(into).free
    if size_bytes > free - KEPT_FREE_BYTES:
        raise TooLargeError(
            _(
                "The disk has no room for it: {need} MB more are needed, {free} MB are free, and {kept} MB must stay so. Nothing was taken in.",
                need=size_bytes // 10**6, free=free // 10**6, kept=KEPT_FREE_BYTES // 10**6,
            )
        )  # fmt: skip


def _write(member: Member, file: Path, report: Report, whole: int) -> None:
    """Write one member, new and flushed; it has as many bytes as it said."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle = file.open("xb")
    except (FileExistsError, NotADirectoryError) as error:
        raise refused(member.name, _("another file has the same name")) from error
    left = member.size_bytes
    with handle:
        while left > 0 and (data := member.read(min(CHUNK, left))):
            handle.write(data)
            left -= len(data)
            report(member.name, member.place(), whole)
        if left or member.read(1):
            raise _broken(member.name)
        handle.flush()
        os.fsync(handle.fileno())


def _members(source: Path) -> Iterator[Member]:
    """Yield the files of `source`, each to be read before the next. Raises as `unpack`."""
    if source.is_dir():
        yield from _of_folder(source)
        return
    with source.open("rb") as raw:
        head = raw.read(4)
        raw.seek(0)
        if head.startswith(b"PK"):
            yield from _of_zip(raw)
        elif head.startswith(b"\x1f\x8b"):
            with gzip.GzipFile(fileobj=raw) as inner:
                yield from _of_tar(inner, raw.tell)
        else:
            yield from _of_tar(raw, raw.tell)


def _of_folder(folder: Path) -> Iterator[Member]:
    done = 0
    waiting = [folder]
    while waiting:
        for path in sorted(waiting.pop().iterdir()):
            if path.name in PASSED_OVER:
                continue
            state = path.lstat()
            if stat.S_ISDIR(state.st_mode):
                waiting.append(path)
                continue
            if not stat.S_ISREG(state.st_mode):
                raise refused(path.name, _("it is a link, and may point anywhere"))
            with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as handle:
                yield Member(path.relative_to(folder).as_posix(), state.st_size, handle.read, partial(_from, done, handle))
            done += state.st_size


def _from(begun: int, handle: IO[bytes]) -> int:
    return begun + handle.tell()


def _of_tar(plain: _Bytes, place: Callable[[], int]) -> Iterator[Member]:
    with tarfile.open(fileobj=_Forward(plain, CHUNK), mode="r:") as archive:
        for number, entry in enumerate(archive):
            archive.members.clear()  # type: ignore[attr-defined]  # it would keep every header, those of folders too
            if number > 2 * MOST_FILES:
                raise refused(entry.name, _("it holds more than {count} files", count=MOST_FILES))
            if entry.isdir():
                continue
            if not entry.isreg() or entry.issparse():
                raise refused(entry.name, _("it is a link, and may point anywhere"))
            held = archive.extractfile(entry)
            if held is None or entry.size < 0:
                raise _broken(entry.name)
            yield Member(entry.name.removeprefix("./"), entry.size, held.read, place)


def _of_zip(raw: IO[bytes]) -> Iterator[Member]:
    with zipfile.ZipFile(_Measured(raw, LARGEST_LIST)) as archive:
        for entry in archive.infolist():
            if entry.is_dir():
                continue
            if stat.S_IFMT(entry.external_attr >> 16) not in {0, stat.S_IFREG}:
                raise refused(entry.filename, _("it is a link, and may point anywhere"))
            if entry.flag_bits & 1 or entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
                raise _broken(entry.filename)
            with archive.open(entry) as held:
                yield Member(entry.filename, entry.file_size, held.read, raw.tell)


class _Measured(RawIOBase):
    """A file of which nobody reads more than a little at once: a header that says 10 GB is not read into memory."""

    def __init__(self, plain: _Bytes, most: int) -> None:
        """Keep the file; `most` bytes are given at once."""
        self._plain = plain
        self._most = most

    def read(self, size: int = -1, /) -> bytes:
        data = self._plain.read(size if 0 <= size <= self._most else self._most + 1)
        if len(data) > self._most:
            raise EOFError
        return data

    def seek(self, place: int, whence: int = os.SEEK_SET, /) -> int:
        return self._plain.seek(place, whence)

    def tell(self) -> int:
        return self._plain.tell()

    def seekable(self) -> bool:
        return True


class _Forward(_Measured):
    """One that is read from its beginning to its end: a header that leads back would be read for ever."""

    def seek(self, place: int, whence: int = os.SEEK_SET, /) -> int:
        if whence != os.SEEK_SET or place < self.tell():
            raise EOFError
        return super().seek(place)


def _broken(name: str) -> UnreadableError:
    return UnreadableError(
        _(
            "{file} cannot be read as a .tar, .tar.gz or .zip: it is cut off, locked, or another file. Nothing was taken in.",
            file=plain(name),
        )
    )
