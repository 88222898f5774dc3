"""Folders that are watched: what comes, changes and goes there reaches the index within seconds.

Owns what a change is. The system's own word of a change only says when to look; what is done follows from what lies there, so that
nothing depends on a word that never came (network drives send none). A file is read once it rests; one that cannot be opened is tried
again; what is gone is removed, but not with a folder or a drive that is gone itself. Leaves to the caller how files are kept.

    watcher = Watcher([Path("/team")], keep, begun=look([Path("/team")]))
    await watcher.run()                # until it is cancelled

Source: watchfiles.awatch (https://watchfiles.helpmanual.io/api/watch/).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bot.locale import Text, phrases
from bot.passage import Added, Failed, Scope
from bot.retrieval.folder import is_gone, key_of, shown, walk

_ = phrases(__file__)

REST_S = 1.0
"""How long a file stays as it is before it is read, and stays away before it is removed: what saves it may do so in steps."""
LOOK_EVERY_S = 30.0
"""How often is looked without a word from the system: of a network drive none comes."""
LOST_EVERY_S = 5.0
"""How often is looked while a folder is away, or the system tells nothing."""
AGAIN_S = (5.0, 15.0, 60.0, 300.0)
"""After which times a file that could not be opened is tried again; the last one for ever."""
SHARE = 0.1
"""Share of the time that looking may take, in folders of very many files."""

Mark = tuple[int, int, int, int]
"""Of a file: when it was changed (ns), its size, its number, its drive."""
Identity = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Look:
    """What lies in some folders: (mark, title) by file; and which of the folders are there, by what they are."""

    files: Mapping[Path, tuple[Mark, str]]
    roots: Mapping[Path, Identity]
    filled: frozenset[Path] = frozenset()
    """Those of the folders in which anything lies."""


class Happened(Protocol):
    """Told what happened; `trouble` is for somebody to mend."""

    def __call__(self, what: Text, *, trouble: bool) -> None:
        """Show it."""
        ...


class Library(Protocol):
    """What keeps documents. Implemented by `bot.retrieval.library.Shelves`."""

    async def add_files(self, files: Sequence[tuple[Path, str]], scope: Scope) -> Sequence[Added | Failed]:
        """Keep (file, title) pairs."""
        ...

    async def remove(self, scope: Scope, *, key: str) -> int:
        """Remove a document."""
        ...


class Keep(Protocol):
    """Keeps files and removes them."""

    async def add(self, files: Sequence[tuple[Path, str]]) -> Sequence[Added | Failed]:
        """Keep (file, title) pairs; return what became of each."""
        ...

    async def remove(self, file: Path) -> None:
        """Remove what was kept of a file."""
        ...

    def tell(self, what: Text, *, trouble: bool = False) -> None:
        """Tell what happened; `trouble` is for somebody to mend."""
        ...


@dataclass(frozen=True, slots=True)
class Watched:
    """Keeps what is watched in a library, in one scope."""

    library: Library
    scope: Scope
    happened: Happened

    async def add(self, files: Sequence[tuple[Path, str]]) -> Sequence[Added | Failed]:
        """Keep (file, title) pairs; return what became of each."""
        return await self.library.add_files(files, self.scope)

    async def remove(self, file: Path) -> None:
        """Remove what was kept of a file."""
        await self.library.remove(self.scope, key=key_of(file))

    def tell(self, what: Text, *, trouble: bool = False) -> None:
        """Tell what happened."""
        self.happened(what, trouble=trouble)


@dataclass(slots=True)
class _Trouble:
    """A file that could not be opened: how often, and when it is tried again."""

    reason: Text
    times: int = 0
    due: float = 0.0


@dataclass(slots=True)
class _State:
    read: dict[Path, Mark]
    """What was read, or cannot be read however often it is tried, as it was then."""
    fresh: dict[Path, tuple[Mark, float]] = field(default_factory=dict)
    """What is new or changed, and since when it rests."""
    gone: dict[Path, float] = field(default_factory=dict)
    trouble: dict[Path, _Trouble] = field(default_factory=dict)
    away: set[Path] = field(default_factory=set)


def look(folders: Sequence[Path]) -> Look:
    """Return what lies in `folders` now."""
    files: dict[Path, tuple[Mark, str]] = {}
    roots: dict[Path, Identity] = {}
    filled: set[Path] = set()
    for folder in folders:
        try:
            status = folder.stat()
        except OSError:
            continue
        roots[folder] = status.st_dev, status.st_ino
        for file, title in walk(folder):
            with suppress(OSError):  # it went between
                mark = file.stat()
                filled.add(folder)
                files.setdefault(file, ((mark.st_mtime_ns, mark.st_size, mark.st_ino, mark.st_dev), title))
    return Look(files, roots, frozenset(filled))


class Watcher:
    """Watches folders."""

    def __init__(self, folders: Sequence[Path], keep: Keep, *, begun: Look, again: Sequence[str] = ()) -> None:
        """Begin where `begun` was read, but for the paths `again`, which could not be opened."""
        self._folders = tuple(folder.resolve() for folder in folders)
        self._keep = keep
        self._roots = dict(begun.roots)
        self._state = _State({file: mark for file, (mark, _title) in begun.files.items() if str(file) not in again})
        self._filled = {folder: begun.roots[folder] for folder in begun.filled}
        self._look_s = 0.0

    async def run(self) -> None:
        """Watch until cancelled."""
        changed = asyncio.Event()
        while True:
            notice = asyncio.create_task(self._notice(changed))
            try:
                await self._follow(changed, notice)
            finally:
                notice.cancel()
                await asyncio.wait([notice])

    async def step(self, now: float) -> float:
        """Look once, at the time `now` (s), and do what is due; return in how many seconds the next look is due."""
        begun = time.perf_counter()
        seen = await asyncio.to_thread(look, self._folders)
        self._look_s = time.perf_counter() - begun
        state = self._state
        for folder in self._folders:
            self._tell_away(folder, seen)
        self._note_fresh(seen, now)
        self._note_gone(seen, now)
        for file in [file for file, since in state.gone.items() if now - since >= REST_S]:
            await self._remove(file, seen)
        await self._add([file for file, (mark, since) in state.fresh.items() if self._is_due(file, now - since, now)], seen, now)
        self._roots = dict(seen.roots)
        due = [since + REST_S for _mark, since in state.fresh.values()] + [since + REST_S for since in state.gone.values()]
        due = [at for at in due if at > now] + [trouble.due for file, trouble in state.trouble.items() if file in state.fresh]
        return max(0.05, min([*due, now + (LOST_EVERY_S if state.away else LOOK_EVERY_S)]) - now)

    async def _follow(self, changed: asyncio.Event, notice: asyncio.Task[None]) -> None:
        """Look whenever something changed or is due, until the system's word has to be asked for anew."""
        roots = dict(self._roots)
        while self._roots == roots:
            changed.clear()
            wait_s = await self.step(time.monotonic())
            if notice.done():  # nothing is told: too many folders for the system, or none is there
                wait_s = min(wait_s, LOST_EVERY_S)
            with suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), wait_s)
            await asyncio.sleep(min(self._look_s / SHARE, LOOK_EVERY_S))

    async def _notice(self, changed: asyncio.Event) -> None:
        """Set `changed` whenever the system says so; end where it cannot say anything."""
        from watchfiles import awatch  # noqa: PLC0415 - loaded for what watches alone

        here = [folder for folder in self._folders if folder.is_dir()]
        if not here:
            return
        with suppress(OSError, RuntimeError):  # too many folders for the system, or one that went: looking goes on by the clock
            async for _changes in awatch(
                *here, watch_filter=None, debounce=200, step=50, raise_interrupt=False, ignore_permission_denied=True
            ):
                changed.set()

    def _tell_away(self, folder: Path, seen: Look) -> None:
        """Tell once that a folder is away, and once that it is back."""
        here = folder in seen.roots
        if not here and folder not in self._state.away:
            self._state.away.add(folder)
            self._keep.tell(
                _(
                    "{folder} is not there at the moment. What was read stays; I go on when it is back.",
                    folder=shown(str(folder)),
                ),
                trouble=True,
            )
        elif here and folder in self._state.away:
            self._state.away.discard(folder)
            self._keep.tell(_("{folder} is there again.", folder=shown(str(folder))))

    def _note_fresh(self, seen: Look, now: float) -> None:
        """Note what is new or changed since it was read; it rests anew whenever it changes."""
        state = self._state
        for file, (mark, _title) in seen.files.items():
            if state.read.get(file) == mark:
                state.fresh.pop(file, None)
            elif file not in state.fresh or state.fresh[file][0] != mark:
                state.fresh[file] = mark, now
                state.trouble.pop(file, None)
        for file in [file for file in state.fresh if file not in seen.files]:
            del state.fresh[file]
            state.trouble.pop(file, None)

    def _note_gone(self, seen: Look, now: float) -> None:
        """Note what was read and is there no more, but for what lies on a drive or in a folder that is away."""
        self._filled |= {folder: seen.roots[folder] for folder in seen.filled}
        drives = {mark[3] for mark, _title in seen.files.values()}
        gone: dict[Path, float] = {}
        for file, mark in self._state.read.items():
            if file in seen.files:
                continue
            root = next((folder for folder in self._folders if folder in file.parents), file)  # linked from elsewhere: it stays
            here = seen.roots.get(root)
            mounted = here is not None and here == self._filled.get(root) and (mark[3] in drives or mark[3] == here[0])
            if mounted and is_gone(str(file)):
                gone[file] = self._state.gone.get(file, now)
        self._state.gone = gone

    def _is_due(self, file: Path, rests_s: float, now: float) -> bool:
        trouble = self._state.trouble.get(file)
        return rests_s >= REST_S and (trouble is None or trouble.due <= now)

    async def _remove(self, file: Path, seen: Look) -> None:
        """Remove what was kept of a file; a copy of it, which was one document with it, is read in its own name."""
        mark = self._state.read.pop(file)
        self._state.gone.pop(file, None)
        await self._keep.remove(file)
        self._keep.tell(_("removed: {path}", path=shown(str(file))))
        for copy, (same, _title) in seen.files.items():
            if same[1] == mark[1] and self._state.read.get(copy) == same:
                del self._state.read[copy]
                self._state.fresh[copy] = same, -REST_S

    async def _add(self, files: Sequence[Path], seen: Look, now: float) -> None:
        """Read what rests, and tell what became of it."""
        outcomes = await self._keep.add([(file, seen.files[file][1]) for file in files]) if files else []
        for file, outcome in zip(files, outcomes, strict=True):
            mark, _since = self._state.fresh[file]
            if isinstance(outcome, Failed) and outcome.passing:
                self._try_again(file, outcome, now)
                continue
            self._state.read[file] = mark
            del self._state.fresh[file]
            self._state.trouble.pop(file, None)
            self._tell(outcome, seen.files[file][1])

    def _try_again(self, file: Path, failed: Failed, now: float) -> None:
        trouble = self._state.trouble.get(file)
        if trouble is None:
            trouble = self._state.trouble[file] = _Trouble(failed.reason)
            self._keep.tell(_("not read: {path}: {reason}", path=failed.path, reason=failed.reason), trouble=True)
        trouble.due = now + AGAIN_S[min(trouble.times, len(AGAIN_S) - 1)]
        trouble.times += 1

    def _tell(self, outcome: Added | Failed, title: str) -> None:
        if isinstance(outcome, Failed):
            self._keep.tell(_("not read: {path}: {reason}", path=outcome.path, reason=outcome.reason), trouble=True)
            return
        if outcome.status == "added":
            self._keep.tell(_("added: {title} (passages: {count})", title=title, count=outcome.passages))
        elif outcome.status == "replaced":
            self._keep.tell(_("read anew: {title} (passages: {count})", title=title, count=outcome.passages))
        for failed in outcome.failed:
            self._keep.tell(_("not read: {path}: {reason}", path=failed.path, reason=failed.reason), trouble=True)
