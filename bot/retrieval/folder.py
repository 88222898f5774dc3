"""Many files and whole folders into the library, one after the other, each committed by itself.

Owns which files are passed over, and what is told at the end. What was stopped half way goes on the next time: a file whose bytes
are known is passed by after its hash.
"""

from __future__ import annotations

import asyncio
import os
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol, Self

from bot.errors import InputError, ModelError, refusal
from bot.locale import Language, Text, phrases
from bot.passage import WITHIN, Added, Failed, Scope
from bot.progress import Report
from bot.retrieval.decode import decode

_ = phrases(__file__)

AT_ONCE = 32
"""Files on their way at the same time: some are parsed while others are embedded and committed together."""
PASSED_OVER = frozenset({"node_modules", "__pycache__", "__MACOSX", "venv", "site-packages", "CVS", "_darcs"})
_FOREIGN = (
    "exe dll so dylib bin o a class jar pyc pyd whl gz bz2 xz zst 7z rar tar tgz iso img dmg deb rpm db sqlite sqlite3 "
    "mp3 mp4 m4a wav ogg oga opus flac avi mov mkv webm ttf otf woff woff2 ico psd ai npy npz pt pth onnx safetensors parquet pkl "
    "lock map"
)
FOREIGN = frozenset(_FOREIGN.split())
"""Suffixes that a folder's walk passes over; a file that is named itself is always tried."""

STATUSES = ("added", "replaced", "unchanged")
PATH = "path:"
"""What the keys of documents begin with that were read from a file of this machine."""
HOME = "paring.db"
"""What marks a folder as a bot's own home: what people have sent it in their chats lies there, and is not for all."""

Told = Callable[[int, int], None]
"""Told of a long document how many of its passages are kept, and of how many."""


class Add(Protocol):
    """How one file is added."""

    async def __call__(self, path: Path, scope: Scope, *, title: str, key: str = "", told: Told | None = None) -> Added:
        """Add the file at `path`."""
        ...


@dataclass(frozen=True, slots=True)
class Gathered:
    """What became of many files: how many of each kind, the passages kept, what failed, and the seconds it took."""

    added: int
    replaced: int
    unchanged: int
    passages: int
    failed: tuple[Failed, ...]
    seconds: float
    removed: tuple[str, ...] = ()
    """Paths of files that were added from these folders before and lie there no more."""

    @classmethod
    def of(cls, outcomes: Sequence[Added | Failed], *, seconds: float, removed: tuple[str, ...] = ()) -> Self:
        """Return what `outcomes` come to."""
        kept = [outcome for outcome in outcomes if isinstance(outcome, Added)]
        count = {status: sum(outcome.files for outcome in kept if outcome.status == status) for status in STATUSES}
        return cls(
            added=count["added"],
            replaced=count["replaced"],
            unchanged=count["unchanged"],
            passages=sum(outcome.passages for outcome in kept if outcome.status != "unchanged"),
            failed=tuple(one for outcome in outcomes for one in (outcome.failed if isinstance(outcome, Added) else (outcome,))),
            seconds=round(seconds, 3),
            removed=removed,
        )

    def as_json(self) -> dict[str, object]:
        """Return it for a machine, reasons in English."""
        return {**asdict(self), "failed": [{"path": failed.path, "reason": str(failed.reason)} for failed in self.failed]}

    def to(self, language: Language) -> str:
        """Return it for a person: a line, and one more a file that was not read."""
        lines = [_("not read: {path}: {reason}", path=failed.path, reason=failed.reason) for failed in self.failed]
        lines += [_("removed, for it is no longer there: {path}", path=path) for path in self.removed]
        return "\n".join(line.to(language) for line in (self.text(), *lines))

    def text(self) -> Text:
        """Return how many there were of each kind, as a sentence."""
        return _(
            "{added} added, {replaced} replaced, {unchanged} unchanged: {passages} passages in {seconds} s",
            added=self.added, replaced=self.replaced, unchanged=self.unchanged, passages=self.passages, seconds=f"{self.seconds:.1f}",
        )  # fmt: skip


async def gather_files(add: Add, files: Sequence[tuple[Path, str]], scope: Scope, report: Report) -> list[Added | Failed]:
    """Add (file, title) pairs, some at the same time; return what became of each, in their order.

    `report` is told before each, and within a long one.
    """
    outcomes: list[Added | Failed | None] = [None] * len(files)
    queue = iter(enumerate(files))
    tally = _Tally(len(files), report)

    async def work() -> None:
        for at, (file, title) in queue:
            tally.begin(title)
            outcomes[at] = outcome = await _one(add, file, title, scope, tally.of(title))
            tally.end(title, outcome)

    async with asyncio.TaskGroup() as group:
        for _worker in range(min(AT_ONCE, len(files))):
            group.create_task(work())
    tally.begin("")
    return [outcome for outcome in outcomes if outcome is not None]


def files_of(paths: Sequence[Path]) -> tuple[list[tuple[Path, str]], list[Failed]]:
    """Return the (file, title) pairs that `paths` name, in the order of the walk, each once; and the folders that cannot be opened."""
    shut: dict[str, Failed] = {}

    def refused(error: OSError) -> None:
        folder = os.path.realpath(error.filename)
        shut[folder] = _not_opened(path_of(key_of(Path(folder))), error)

    return list(dict.fromkeys(found for path in paths for found in walk(path, refused))), list(shut.values())


def missing(paths: Sequence[Path], keys: Sequence[str]) -> list[str]:
    """Return those of the documents' `keys` that are of files that lay in one of the folders `paths` and are there no more.

    A folder in which nothing is left names none: a drive that is not mounted is an empty folder, too.
    """
    gone: list[str] = []
    for folder in (path for path in paths if path.is_dir()):
        here = {key_of(file) for file, _title in walk(folder)}
        below = key_of(folder.resolve()).rstrip(os.sep) + os.sep
        own = ((key, PATH + path_of(key)) for key in keys if here and key.startswith(below))
        gone += [key for key, file in own if file not in here and is_gone(path_of(key))]
    return list(dict.fromkeys(gone))


def read_from(paths: Sequence[Path], keys: Sequence[str]) -> list[str]:
    """Return those of the documents' `keys` that are of the files `paths`, of what lies in such an archive or below such a folder."""
    own = {key_of(path) for path in paths}
    below = tuple(mark.rstrip(os.sep) + os.sep for mark in own)
    return [key for key in keys if PATH + path_of(key) in own or key.startswith(below)]


def is_gone(path: str) -> bool:
    """Say whether there is no such file: what may only not be looked at is still there."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def is_left(key: str) -> bool:
    """Say whether the file from which the document with this key was read lies there no more; False of what is none, or a name in no UTF-8."""
    return key.startswith(PATH) and "\\x" not in key and is_gone(path_of(key))


def path_of(key: str) -> str:
    """Return the path of the file whose document has this key; of a document in an archive, the archive's."""
    return key.removeprefix(PATH).partition(WITHIN)[0]


def walk(path: Path, refused: Callable[[OSError], None] | None = None) -> Iterator[tuple[Path, str]]:
    """Yield (file, title) of `path`: itself, or what lies in the folder, in the order of names; a title is the path in the folder.

    `refused` is told of each folder that cannot be opened.
    """
    if not path.is_dir():
        yield path.resolve(), shown(path.name)
        return
    for folder, folders, files in os.walk(path, onerror=refused):
        if HOME in files:
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in PASSED_OVER)
        for name in sorted(files):
            file = Path(folder) / name
            if is_passed_over(name) or not file.is_file():
                continue
            yield file.resolve(), shown(file.relative_to(path).as_posix())


def is_passed_over(path: str) -> bool:
    """Say whether a file is none that people read, by its path in a folder or an archive: hidden, of a program, of another kind."""
    *folders, name = path.split("/")
    passed = any(folder.startswith(".") or folder in PASSED_OVER for folder in folders)
    return passed or name.startswith((".", "~$")) or PurePosixPath(name).suffix.lower().lstrip(".") in FOREIGN


def shown(name: str) -> str:
    """Return a file's name as people write it: Hangul in whole syllables, and letters where its bytes are no UTF-8 but of old Windows."""
    return unicodedata.normalize("NFC", decode(os.fsencode(name)))


class _Tally:
    """How far many files have come, for a bar."""

    def __init__(self, total: int, report: Report) -> None:
        self._total = total
        self._report = report
        self._done = 0
        self._passages = 0
        self._parts: dict[str, tuple[int, int]] = {}
        """Of long documents under way, by title: passages kept, and all."""

    def begin(self, title: str) -> None:
        done = self._done + sum(kept / of for kept, of in self._parts.values())
        passages = self._passages + sum(kept for kept, _of in self._parts.values())
        self._report(title, done, self._total, passages=passages)

    def of(self, title: str) -> Told:
        def told(kept: int, of: int) -> None:
            self._parts[title] = kept, max(of, 1)
            self.begin(title)

        return told

    def end(self, title: str, outcome: Added | Failed) -> None:
        self._parts.pop(title, None)
        self._done += 1
        if isinstance(outcome, Added) and outcome.status != "unchanged":
            self._passages += outcome.passages


async def _one(add: Add, file: Path, title: str, scope: Scope, told: Told) -> Added | Failed:
    path = path_of(key_of(file))
    try:
        return await add(file, scope, title=title, key=key_of(file), told=told)
    except (InputError, ModelError) as error:
        return Failed(path, error.text, passing=isinstance(error, ModelError))
    except OSError as error:
        return _not_opened(path, error)


def _not_opened(path: str, error: OSError) -> Failed:
    why = _("it cannot be opened ({why}); check who may read it, and add it again.", why=refusal(error))
    return Failed(path, why, passing=True)


def key_of(file: Path) -> str:
    """Return the key of the document that is read from `file`."""
    return PATH + os.fsencode(file).decode("utf-8", "backslashreplace")
