"""An index of vectors as files: a folder with its rows and a manifest that says what they are.

Owns the format, how it is written so that a kill leaves either nothing or all, and how it is checked. Nothing of a folder is given to FAISS
before its manifest, its sizes and its hashes are right. Leaves to `bot.retrieval.shelter` which folder is the newest.

    write(folder, index, Made(mark, lengths=9000, seen=120))
    index, made = read(folder, source)

`manifest.json` names form, kind, embedder, generation, dimension, count, the highest passage and removal that it covers, and of each
file its bytes and sha256; its last field is the hash of all the others. The rows are plain little-endian arrays: no pickle.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.errors import ParingError, refusal
from bot.locale import phrases
from bot.retrieval.coded import CodedIndex, Source
from bot.retrieval.vectors import FlatIndex, Parts, VectorIndex
from bot.store.shelf import Mark

_ = phrases(__file__)

FORM = 1
"""Of the format: a folder of another form is not read."""
MANIFEST = "manifest.json"
ASIDE = ".aside-"
"""What the names of folders begin with that are being written."""
LONGEST_MANIFEST = 10_000
TYPES = {"ids": "<i8", "scopes": "<i8", "vectors": "<f2", "first": "|u1", "rest": "|u1"}
"""Of the rows, by the name of their file."""


class UnfitError(ParingError):
    """The files are not what was written, or not of this database; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a saved index is of: how far the database had come, and the lengths of the `seen` passages, in terms, together."""

    mark: Mark
    lengths: int
    seen: int


def write(folder: Path, index: VectorIndex, made: Made) -> None:
    """Write `index` to `folder`, which is not there before: aside, flushed, renamed. Raises OSError; then `folder` is not there."""
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = Path(tempfile.mkdtemp(prefix=ASIDE, dir=folder.parent))
    try:
        files = {name: _put(aside / f"{name}.bin", rows) for name, rows in index.parts().items()}
        fields = {
            "form": FORM, "kind": index.kind, "count": len(index), "embedder": made.mark.embedder, "dimension": made.mark.dimension,
            "generation": made.mark.generation, "passage": made.mark.passage, "removal": made.mark.removal,
            "lengths": made.lengths, "seen": made.seen, "files": files,
        }  # fmt: skip
        text = json.dumps({**fields, "sha256": _hash_of(fields)}, indent=1)
        _put(aside / MANIFEST, np.frombuffer(text.encode(), np.uint8))
        _flush(aside)
        aside.rename(folder)
        _flush(folder.parent)
    except OSError:
        shutil.rmtree(aside, ignore_errors=True)
        raise


def read(folder: Path, source: Source) -> tuple[VectorIndex, Made]:
    """Return the index in `folder`, whose vectors `source` gives back, and what it is of. Raises UnfitError."""
    fields, made = manifest(folder)
    dimension, count = made.mark.dimension, fields["count"]
    kinds: dict[str, FlatIndex | CodedIndex] = {"flat": FlatIndex(dimension), "coded": CodedIndex(dimension, source)}
    index = kinds[fields["kind"]]
    parts: Parts = {}
    for name, empty in index.parts().items():
        data = _checked(folder / f"{name}.bin", fields["files"].get(name, {}), expected=count * empty.itemsize * _width(empty))
        parts[name] = data.view(TYPES[name]).reshape(count, *empty.shape[1:])
    if (np.diff(parts["ids"]) <= 0).any() or (count and parts["ids"][-1] > made.mark.passage):
        raise UnfitError(_("its rows are not in order"))
    index.take(parts)
    return index, made


def manifest(folder: Path) -> tuple[dict[str, Any], Made]:
    """Return the fields of the manifest in `folder`, and what the index is of. Raises UnfitError."""
    try:
        with (folder / MANIFEST).open("rb") as file:
            fields = json.loads(file.read(LONGEST_MANIFEST))
        written = fields.pop("sha256")
        if fields.get("form") != FORM:
            raise UnfitError(_("it was written by another version of Paring"))
        if written != _hash_of(fields) or not _plausible(fields):
            raise UnfitError(_("its manifest is not what was written"))
        mark = Mark(*(fields[name] for name in ("passage", "removal", "generation", "embedder", "dimension")))
        return fields, Made(mark, fields["lengths"], fields["seen"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UnfitError(_("its manifest is not what was written")) from error
    except OSError as error:
        raise UnfitError(_("its manifest cannot be read: {why}", why=refusal(error))) from error


def check(folder: Path) -> Made:
    """Say what the files in `folder` are of, each compared with its hash; nothing is loaded. Raises UnfitError."""
    fields, made = manifest(folder)
    for name, said in fields["files"].items():
        _checked(folder / f"{name}.bin", said, expected=said["bytes"])
    return made


def _plausible(fields: dict[str, Any]) -> bool:
    """Say whether every field is of its kind."""
    numbers = [fields[name] for name in ("count", "dimension", "generation", "passage", "removal", "lengths", "seen")]
    files = [(said["bytes"], said["sha256"]) for said in fields["files"].values()]
    return (
        all(type(number) is int and number >= 0 for number in (*numbers, *(size for size, _sha256 in files)))
        and all(type(name) is str for name in (fields["embedder"], *(sha256 for _size, sha256 in files)))
        and fields["kind"] in {"flat", "coded"}
    )


def _checked(file: Path, said: dict[str, object], *, expected: int) -> NDArray[np.uint8]:
    """Return the bytes of `file`, which are as many as expected and have the hash that the manifest says.

    Into an array of numpy's: it lies in large pages of memory, and is scanned in two thirds of the time.
    """
    try:
        size = file.stat().st_size
        if size != expected or said.get("bytes") != expected:
            raise UnfitError(
                _("{file} has {size} bytes, and {expected} were written", file=file.name, size=size, expected=expected)
            )
        data = np.fromfile(file, np.uint8)
    except OSError as error:
        raise UnfitError(_("{file} cannot be read: {why}", file=file.name, why=refusal(error))) from error
    if hashlib.sha256(data.data).hexdigest() != said.get("sha256"):
        raise UnfitError(_("{file} is not what was written (its sha256 differs)", file=file.name))
    return data


def _put(file: Path, rows: NDArray[Any]) -> dict[str, object]:
    """Write rows, to the disk; return what a manifest says of the file."""
    data = np.ascontiguousarray(rows).data.cast("B") if rows.size else b""
    with file.open("wb") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _width(rows: NDArray[Any]) -> int:
    return int(np.prod(rows.shape[1:]))


def _hash_of(fields: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()
