"""Brings the files of a listing into a quarantine: what was cut off goes on where it stopped, and every byte is checked.

Owns: the stream of one file after another, what is told meanwhile, the comparison with what the hub had told. Leaves the wire to
`bot.models.hub_wire`, the folder to `bot.models.hub_quarantine`.

    files = await Fetching(listing, quarantine, wire, Patience(), report).run()
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from bot.errors import ModelError, OfflineError
from bot.locale import Text, phrases
from bot.models.hub_listing import WEIGHTS, HubFile, Listing, size
from bot.models.hub_patience import CutError, Patience, Sleep
from bot.models.hub_quarantine import PART, not_written, other_bytes, to_the_end
from bot.models.made import sha256_of
from bot.models.spec import ModelFile
from bot.models.verify import verify_file

if TYPE_CHECKING:
    from bot.models.hub_wire import Wire

_ = phrases(__file__)

LARGEST_UNTOLD_BYTES: Final = 64 << 20
"""Of a file whose size the hub does not tell."""
RATE_OVER_S: Final = 10.0
LONGEST_TOLD_S: Final = 24 * 3600.0
_WRITTEN_AT_ONCE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a fetch has come."""

    repo: str
    done_bytes: int
    total_bytes: int
    bytes_a_second: float
    """Of the last seconds; 0 before that can be told."""

    @property
    def left_s(self) -> float | None:
        """Seconds that it will take at this rate; None before that can be told, where it is over a day, and at the end."""
        left = self.total_bytes - self.done_bytes
        if not left or self.bytes_a_second * LONGEST_TOLD_S < left:
            return None
        return left / self.bytes_a_second

    def text(self) -> Text:
        """Say it: how much of how much, how fast, how long still."""
        done = _("{repo}: {done} of {total}", repo=self.repo, done=size(self.done_bytes), total=size(self.total_bytes))
        if self.left_s is None:
            return done
        return _("{done}, {rate}/s, {left} left", done=done, rate=size(int(self.bytes_a_second)), left=_span(self.left_s))


Report = Callable[[Progress], Awaitable[None]]


class Fetching:
    """One fetch of one listing."""

    def __init__(
        self, listing: Listing, quarantine: Path, wire: Wire, patience: Patience, report: Report, *, sleep: Sleep = asyncio.sleep
    ) -> None:
        """Take what to fetch, into which folder, over which wire."""
        self._listing = listing
        self._folder = quarantine
        self._wire = wire
        self._patience = patience
        self._report = report
        self._sleep = sleep
        self._done_bytes = 0
        self._came_bytes = 0
        self._marks = deque([(time.monotonic(), 0)])

    async def run(self) -> tuple[ModelFile, ...]:
        """Fetch what is missing, and look at each file as it comes; return every file with what it hashes to.

        Raises:
            UnsafeModelError: a file is not the one that the hub had told, or may not be loaded.
            ModelError: it was cut off again and again, or the disk is full; what came stays in the quarantine.
        """
        self._done_bytes = await asyncio.to_thread(self._here_bytes)
        await self._report(self._progress())
        telling = asyncio.create_task(self._tell())
        try:
            files = [await self._file(file) for file in sorted(self._listing.files, key=_small_first)]
        except OSError as error:
            raise not_written(error) from error
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
        await self._report(self._progress())
        return tuple(files)

    async def _file(self, file: HubFile) -> ModelFile:
        target = self._folder / file.path
        if not await asyncio.to_thread(target.is_file):
            part = target.with_name(target.name + PART)
            await asyncio.to_thread(part.parent.mkdir, parents=True, exist_ok=True)
            await self._part(file, part)
            await asyncio.to_thread(part.rename, target)
        found = await asyncio.to_thread(_checked, self._listing.repo, file, target)
        if not file.path.endswith(".onnx"):  # which is looked at when its data is there
            await asyncio.to_thread(verify_file, target, self._folder)
        return found

    async def _part(self, file: HubFile, part: Path) -> None:
        """Bring all of `file` into `part`, however often the connection is cut while something comes."""
        tried = 0
        await asyncio.to_thread(part.touch)
        while (have := await asyncio.to_thread(_size_of, part)) != file.size_bytes or not have:
            try:
                await self._stream(file, part, have)
            except ModelError as error:
                if not self._may_go_on(error):
                    raise
                came = await asyncio.to_thread(_size_of, part) - have
                tried = 1 if came >= self._patience.slow_bytes else tried + 1
                if tried >= self._patience.tries:
                    raise
                await self._sleep(self._patience.pause(tried))
            else:
                if not file.size_bytes:
                    return

    def _may_go_on(self, error: ModelError) -> bool:
        """Say whether to ask again: after a cut, and where a hub that had answered is away; not where it never was there."""
        return isinstance(error, CutError) or (isinstance(error, OfflineError) and self._came_bytes > 0)

    async def _stream(self, file: HubFile, part: Path, have: int) -> None:
        """Append what comes; what came is on disk also where the connection is cut, or the fetch is cancelled."""
        start = have if have < file.size_bytes else 0
        pace = _Pace(self._patience)
        async with self._wire.bytes_of(self._listing.repo, self._listing.revision, file.path, start=start) as body:
            with part.open("ab") as handle:
                handle.truncate(body.start)
                self._done_bytes -= max(0, have - body.start)
                most = (file.size_bytes or LARGEST_UNTOLD_BYTES) - body.start
                written = _Written(handle)
                try:
                    async for chunk in body.parts:
                        written.take(chunk)
                        if written.total > most:
                            raise other_bytes(self._listing.repo, file.path)
                        self._count(len(chunk))
                        if not pace.kept(len(chunk)) and written.total < most:
                            raise CutError(self._too_slow())
                        await written.flush_many()
                finally:
                    written.flush()
        if file.size_bytes and written.total < most:
            raise CutError(_("{file} ended before its end.", file=file.path))

    def _count(self, count: int) -> None:
        self._came_bytes += count
        self._done_bytes += count

    def _here_bytes(self) -> int:
        """Return how much of the listing lies in the quarantine already."""
        paths = [self._folder / file.path for file in self._listing.files]
        return sum(_size_of(path) or _size_of(path.with_name(path.name + PART)) for path in paths)

    def _progress(self) -> Progress:
        now = time.monotonic()
        while len(self._marks) > 1 and now - self._marks[0][0] > RATE_OVER_S:
            self._marks.popleft()
        then, had = self._marks[0]
        self._marks.append((now, self._came_bytes))
        rate = (self._came_bytes - had) / (now - then) if now > then else 0.0
        return Progress(self._listing.repo, self._done_bytes, max(self._listing.total_bytes, self._done_bytes), rate)

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(self._patience.tell_every_s)
            await self._report(self._progress())

    def _too_slow(self) -> Text:
        return _(
            "{host} sends too slowly (under {size} in {seconds} seconds). What came is kept; ask again, and it goes on there.",
            host=self._wire.host,
            size=size(self._patience.slow_bytes),
            seconds=round(self._patience.slow_s),
        )


class _Written:
    """A file that is appended to, a mebibyte at a time and off the event loop; the rest when it is flushed."""

    def __init__(self, handle: BinaryIO) -> None:
        self._handle = handle
        self._waiting = bytearray()
        self.total = 0

    def take(self, chunk: bytes) -> None:
        self._waiting += chunk
        self.total += len(chunk)

    async def flush_many(self) -> None:
        if len(self._waiting) >= _WRITTEN_AT_ONCE:
            writing, self._waiting = self._waiting, bytearray()
            await to_the_end(lambda: self._handle.write(writing))

    def flush(self) -> None:
        self._handle.write(self._waiting)
        self._waiting = bytearray()


class _Pace:
    """Whether a stream brings enough in each stretch of time."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._since = time.monotonic()
        self._came = 0

    def kept(self, count: int) -> bool:
        self._came += count
        now = time.monotonic()
        if now - self._since < self._patience.slow_s:
            return True
        enough = self._came >= self._patience.slow_bytes
        self._since, self._came = now, 0
        return enough


def _small_first(file: HubFile) -> tuple[bool, str]:
    """Order what describes a model before its weights: what is refused for it costs no gigabytes."""
    return file.path.endswith(WEIGHTS), file.path


def _checked(repo: str, file: HubFile, target: Path) -> ModelFile:
    """Return what `target` hashes to. Raises UnsafeModelError where that is not what the hub had told."""
    sha256, size_bytes = sha256_of(target), target.stat().st_size
    told = [not file.sha256 or file.sha256 == sha256, not file.size_bytes or file.size_bytes == size_bytes]
    if not file.sha256 and file.blob:
        told.append(file.blob == _blob_of(target))
    if not all(told):
        raise other_bytes(repo, file.path)
    return ModelFile(file.path, sha256, size_bytes)


def _blob_of(file: Path) -> str:
    """Return git's own hash of a file. Source: git, Documentation/git-hash-object."""
    content = file.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _span(seconds: float) -> Text:
    if seconds < 90:  # noqa: PLR2004 - a minute and a half
        return _("{seconds} s", seconds=max(1, round(seconds)))
    return _("{minutes} min", minutes=round(seconds / 60))
