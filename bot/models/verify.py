"""Looks at a folder of a model before anything in it is loaded: only data may lie there, and only data that reads as such.

Owns: which files are allowed, by name and by what they begin with (pickle, code, links, names that two systems read as one).
Leaves what JSON says to `bot.models.verify_json`, weights to `bot.models.verify_weights` and `bot.models.verify_onnx`, hashing to
`bot.models.made.sha256_of`, and the reading to the runtimes. Holds for every folder: carried in, fetched, or made by an
admin. Nothing can override it.

    verify_folder(Path("models/hub--intfloat--multilingual-e5-small"))
    why_not("pytorch_model.bin")      # before it is fetched or unpacked: the reason, None where it may lie there
"""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Final

from bot.locale import Text, phrases
from bot.models.refusal import refused
from bot.models.verify_json import check_json, check_template
from bot.models.verify_onnx import check_onnx
from bot.models.verify_weights import check_pieces, check_safetensors

_ = phrases(__file__)

Fingerprint = tuple[tuple[str, int, int, int, int], ...]
Check = Callable[[Path, Path], None]

ALLOWED_NAMES: Final = frozenset({"license", "licence", "notice", ".gitattributes", ".gitignore"})
IGNORED_FOLDERS: Final = frozenset({".cache", ".git"})
"""Left by download tools; nothing that loads a model reads them."""
MOST_FILES: Final = 2_000
DEEPEST: Final = 8
"""Folders within folders."""
LONGEST_PATH: Final = 240
LARGEST_TEXT_BYTES: Final = 64 << 20
"""Vocabularies and merges; the largest known take 5 MB."""
LARGEST_TEMPLATE_BYTES: Final = 1 << 20
SETTLED_NS: Final = 2_000_000_000
"""What was changed less long ago may change again within the same tick of the file system's clock, and look the same."""
PICKLED: Final = frozenset(
    {"GLOBAL", "STACK_GLOBAL", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "REDUCE", "BUILD", "EXT1", "EXT2", "EXT4"}
)
"""What a pickle calls with. Source: Python, Lib/pickletools.py."""
_IMAGES: Final = {".png": b"\x89PNG", ".jpg": b"\xff\xd8\xff", ".jpeg": b"\xff\xd8\xff", ".webp": b"RIFF"}


def verify_folder(folder: Path) -> tuple[Path, ...]:
    """Return the model's files, sorted, if every one of them may be loaded.

    Once looked at, a folder that was let in is let in again for as long as nothing in it changes.

    Raises:
        UnsafeModelError: says which file is refused and why; nothing was loaded.
    """
    seen = fingerprint(folder)
    newest_ns = max((changed_ns for *_others, changed_ns in seen), default=0)
    if time.time_ns() - newest_ns < SETTLED_NS:
        return _verified.__wrapped__(folder, seen)
    return _verified(folder, seen)


def fingerprint(folder: Path) -> Fingerprint:
    """Return what a change of anything in `folder` changes: each path's place on the disk, size and times, sorted; quick."""
    paths = (folder, *folder.rglob("*")) if folder.is_dir() else ()
    states = [(path.relative_to(folder).as_posix(), path.lstat()) for path in paths]
    return tuple(sorted((name, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns) for name, state in states))


@lru_cache(maxsize=32)
def _verified(folder: Path, _seen: Fingerprint) -> tuple[Path, ...]:
    if folder.is_symlink() or not folder.is_dir():
        raise refused(folder.name, _("it is no folder of its own"))
    files = tuple(sorted(_walk(folder)))
    if not files:
        raise refused(folder.name, _("it is empty"))
    names = [file.relative_to(folder).as_posix() for file in files]
    for name in names:
        if (why := why_not(name)) is not None:
            raise refused(name, why)
    if twin := alike(names):
        raise refused(twin, _("another file has the same name but for the case of its letters"))
    for file in files:
        verify_file(file, folder)
    return files


def verify_file(file: Path, folder: Path) -> None:
    """Look at one file whose name is allowed (`why_not`), also before the others of its folder are there; those of ONNX must be.

    Raises:
        UnsafeModelError: says why it is refused.
    """
    if file.name.lower() not in ALLOWED_NAMES:
        _CHECKS[file.suffix.lower()](file, folder)


def why_not(name: str) -> Text | None:
    """Return why a file of that path (in the model's folder, with /) may not be in a model; None where it may."""
    path = PurePosixPath(name)
    if path.is_absolute() or any(sign in name for sign in '\\:*?"<>|') or not name.isprintable():
        return _("it has a name that leads elsewhere on some systems")
    if any(part in {"", ".", ".."} or part != part.strip() or part.endswith(".") for part in name.split("/")):
        return _("it has a name that leads elsewhere on some systems")
    if len(path.parts) > DEEPEST or len(name.encode()) > LONGEST_PATH:
        return _("its path is too long")
    if path.suffix.lower() not in _CHECKS and path.name.lower() not in ALLOWED_NAMES:
        return _("a file of this kind can hold code; weights must be safetensors or ONNX")
    return None


def alike(names: list[str]) -> str:
    """Return the first of the paths that a system without case, or with another form of Unicode, takes for one before it; "" for none."""
    seen: dict[str, str] = {}
    for name in names:
        for path in (PurePosixPath(name), *PurePosixPath(name).parents):
            key = unicodedata.normalize("NFC", str(path)).casefold()
            if seen.setdefault(key, str(path)) != str(path):
                return name
    return ""


def _walk(folder: Path) -> Iterator[Path]:
    seen = 0
    waiting = [folder]
    while waiting:
        for path in waiting.pop().iterdir():
            seen += 1
            if seen > MOST_FILES:
                raise refused(folder.name, _("it holds more than {count} files", count=MOST_FILES))
            if path.is_symlink():
                raise refused(path.name, _("it is a link, and may point anywhere"))
            if path.is_dir():
                if len(path.relative_to(folder).parts) > DEEPEST:
                    raise refused(path.name, _("its path is too long"))
                if path.name not in IGNORED_FOLDERS:
                    waiting.append(path)
            elif path.is_file():
                yield path
            else:
                raise refused(path.name, _("it is no ordinary file"))


def _check_text(file: Path, _folder: Path, *, most: int = LARGEST_TEXT_BYTES) -> None:
    if file.stat().st_size > most:
        raise refused(file.name, _("it is larger than {size} MiB", size=max(1, most >> 20)))
    data = file.read_bytes()
    try:
        data.decode()
    except UnicodeDecodeError as error:
        raise refused(file.name, _("it is not the text that its name says")) from error
    if b"\0" in data or _is_pickle(data):
        raise refused(file.name, _("it is not the text that its name says"))


def _check_template(file: Path, folder: Path) -> None:
    _check_text(file, folder, most=LARGEST_TEMPLATE_BYTES)
    check_template(file.name, file.read_text(encoding="utf-8"))


def _check_image(file: Path, _folder: Path) -> None:
    with file.open("rb") as handle:
        if not handle.read(8).startswith(_IMAGES[file.suffix.lower()]):
            raise refused(file.name, _("it is not the picture that its name says"))


def _is_pickle(data: bytes) -> bool:
    """Say whether all of `data` reads as a pickle that calls something; the oldest kind is plain text."""
    import pickletools  # noqa: PLC0415 - it is asked of texts alone

    called = False
    try:
        for opcode, _argument, _place in pickletools.genops(data):
            called |= opcode.name in PICKLED
    except Exception:  # noqa: BLE001 - whatever it stumbles over, the bytes are no pickle
        return False
    return called


def _check_nothing(_file: Path, _folder: Path) -> None:
    """The data of an ONNX file: bytes that only it gives a meaning."""


_CHECKS: Final[Mapping[str, Check]] = {
    ".safetensors": check_safetensors,
    ".onnx": check_onnx,
    ".onnx_data": _check_nothing,
    ".json": check_json,
    ".model": check_pieces,
    ".spm": check_pieces,
    ".jinja": _check_template,
    **dict.fromkeys((".txt", ".bpe", ".vocab", ".tiktoken", ".yaml", ".yml", ".md"), _check_text),
    **dict.fromkeys(_IMAGES, _check_image),
}
