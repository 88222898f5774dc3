"""Models of an admin's own: what a folder under the model home is, and what its content hashes to.

Owns: paring.yaml, what can be told from a config.json where there is none, and the revision of a folder: the hub's own where it was
fetched from one and is as it was then, else a hash over its files, so that the same bytes are the same model wherever they lie.
Leaves to `bot.models.verify` whether it may be loaded.

    spec = read_folder(settings.model_home / "kobart", settings.model_home, slot="summarise")
    spec.identity                               # "kobart@5f0c1a2b3c4d"
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Final

from bot.errors import ModelError, NoModelError, UnsafeModelError
from bot.locale import phrases
from bot.models.made import sha256_of
from bot.models.origin import MANIFEST, Origin, read_origin
from bot.models.presets import read_yaml, spec_of
from bot.models.spec import ModelFile, ModelSpec
from bot.models.verify import verify_folder
from bot.models.verify_json import read_small

_ = phrases(__file__)

DESCRIPTION: Final = "paring.yaml"
HASHES: Final = ".hashes.json"
"""In the model home: what each file hashed to, by size and time, so that a start does not read gigabytes."""
FAMILY_OF_SLOT: Final = {
    "embed": "sentence-transformers",
    "summarise": "seq2seq-summary",
    "translate": "seq2seq-translation",
    "caption": "image-text",
    "transcribe": "whisper",
    "chat": "causal",
    "imagine": "diffusers",
}
SLOT_OF_KIND: Final = {
    "marian": "translate",
    "m2m_100": "translate",
    "nllb-moe": "translate",
    "bart": "summarise",
    "pegasus": "summarise",
    "led": "summarise",
    "whisper": "transcribe",
    "blip": "caption",
    "git": "caption",
    "vision-encoder-decoder": "caption",
    "florence2": "caption",
    "idefics3": "caption",
    "smolvlm": "caption",
}
"""A config's model_type where it can mean one slot only."""


def own_models(home: Path) -> tuple[ModelSpec, ...]:
    """Return the folders of `home` that describe themselves in a paring.yaml, by name; others are read when they are chosen."""
    if not home.is_dir():
        return ()
    found = sorted(path for path in home.iterdir() if path.is_dir() and (path / DESCRIPTION).is_file())
    return tuple(_described(folder, home) for folder in found)


def read_folder(folder: Path, home: Path, *, slot: str = "") -> ModelSpec:
    """Return the spec of the model in `folder`, for `slot` where its own files do not say.

    Raises:
        ModelError: it does not say what it is, or is hidden: what is fetched or carried in lies there until it was looked at.
    """
    if any(part.startswith(".") for part in Path(_location(folder, home)).parts if folder.is_relative_to(home)):
        raise NoModelError(
            _("There is no model in a hidden folder ({folder}). `paring models` lists those that are known.", folder=folder.name)
        )
    if (folder / DESCRIPTION).is_file():
        return _described(folder, home)
    slot = _told_slot(folder) or slot
    family = FAMILY_OF_SLOT.get(slot)
    if family is None:
        raise ModelError(
            _(
                "The folder {folder} does not say what model it is. Put a {file} into it with name, slot and family.",
                folder=folder.name,
                file=DESCRIPTION,
            )
        )
    return ModelSpec(folder.name, slot, family, "folder", location=_location(folder, home))


def read_fetched(repo: str, revision: str, home: Path, *, slot: str = "") -> ModelSpec:
    """Return the spec of what was fetched as `hub:repo@revision`, for `slot` where it does not say; for no revision of the last fetched.

    Raises:
        NoModelError: it is not on this machine.
        ModelError: it does not say what it is.
    """
    folder = home / hub_folder(repo, revision) if revision else last_fetched(repo, home)
    origin = read_origin(folder) if folder is not None else None
    if folder is None or origin is None or origin.revision != (revision or origin.revision):
        raise NoModelError(
            _(
                "{model} is not on this machine. An admin can fetch it: /swap {slot} {model}",
                model=f"hub:{repo}@{revision}".rstrip("@"),
                slot=slot or "SLOT",
            )
        )
    said = read_folder(folder, home, slot=slot)
    return replace(
        said, name=f"hub:{repo}", source="hub", location=repo, revision=origin.revision, licence=origin.licence,
        languages=origin.languages,
    )  # fmt: skip


def pinned(spec: ModelSpec, folder: Path, home: Path) -> ModelSpec:
    """Return `spec` with its files' hashes and its revision: the hub's, of what was fetched, else 12 digits of the hash over them.

    Raises:
        UnsafeModelError: a file may not be loaded, or is not the one that was fetched.
    """
    known = _Hashes(home / HASHES)
    files = tuple(
        ModelFile(path.relative_to(folder).as_posix(), known.of(path), path.stat().st_size)
        for path in verify_folder(folder)
        if path.name not in (DESCRIPTION, MANIFEST) and path.suffix != ".md"
    )
    known.keep()
    if origin := read_origin(folder):
        _compare(spec, files, origin)
        return replace(spec, files=files, revision=origin.revision)
    whole = sha256("".join(f"{file.path}\0{file.sha256}\n" for file in files).encode()).hexdigest()
    return replace(spec, files=files, revision=whole[:12])


def hub_folder(location: str, revision: str = "") -> str:
    """Return the name of the folder for a hub's `owner/name`: `hub--owner--name`, and `--revision` where it is fetched from there."""
    return "--".join(("hub", *location.split("/"), *([revision] if revision else [])))


def hub_place(location: str, revision: str, home: Path) -> Path:
    """Return where a hub's model lies or would lie: as it was fetched, else where a person carries it in.

    With no revision what was carried in, else what was fetched last.
    """
    carried = home / hub_folder(location)
    if revision:
        fetched = home / hub_folder(location, revision)
        return fetched if fetched.is_dir() else carried
    return carried if carried.is_dir() else last_fetched(location, home) or carried


def last_fetched(location: str, home: Path) -> Path | None:
    """Return the folder of a hub's model that was fetched last, None where none was."""
    found = [(origin.fetched_at, path) for path in home.glob(f"{hub_folder(location)}--*") if (origin := read_origin(path))]
    return max(found)[1] if found else None


def _compare(spec: ModelSpec, files: Sequence[ModelFile], origin: Origin) -> None:
    """Refuse a folder that is not as it was fetched."""
    was = {file.path: file.sha256 for file in origin.files if not file.path.endswith(".md")}
    now = {file.path: file.sha256 for file in files}
    if changed := sorted(path for path in was.keys() | now.keys() if was.get(path) != now.get(path)):
        raise UnsafeModelError(
            _(
                "{file} of {model} is not as it was fetched, so nothing was loaded. Delete the folder {folder} and fetch the model again.",
                file=changed[0],
                model=spec.name,
                folder=hub_folder(origin.repo, origin.revision),
            )
        )


def _described(folder: Path, home: Path) -> ModelSpec:
    file = folder / DESCRIPTION
    said = {"name": folder.name, "source": "folder", **read_yaml(file)}
    return replace(spec_of(file, said), source="folder", location=_location(folder, home))


def _location(folder: Path, home: Path) -> str:
    return folder.relative_to(home).as_posix() if folder.is_relative_to(home) else str(folder)


def _told_slot(folder: Path) -> str:
    """Return the slot that the folder's own files tell, "" where they leave it open."""
    if (folder / "modules.json").is_file():
        return "embed"
    if (folder / "model_index.json").is_file():
        return "imagine"
    said = read_small(folder / "config.json")
    kind = str(said.get("model_type", "")) if isinstance(said, dict) else ""
    return SLOT_OF_KIND.get(kind, "")


class _Hashes:
    """sha256 by path, size and time, kept in one small file; what cannot be read or written is only slower."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: dict[str, str] = dict(self._read())
        self._fresh = False

    def of(self, path: Path) -> str:
        state = path.stat()
        # the time of the last change is the file system's own: another content with the old size and date is hashed again
        key = f"{path}|{state.st_size}|{state.st_mtime_ns}|{state.st_ctime_ns}|{state.st_ino}"
        if key not in self._known:
            self._known[key] = sha256_of(path)
            self._fresh = True
        return self._known[key]

    def keep(self) -> None:
        if not self._fresh:
            return
        aside = self._file.with_suffix(".new")
        try:
            aside.write_text(json.dumps(self._known, indent=0), encoding="utf-8")
            aside.replace(self._file)
        except OSError:
            return

    def _read(self) -> Iterator[tuple[str, str]]:
        try:
            said = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return
        if isinstance(said, dict):
            yield from ((key, value) for key, value in said.items() if isinstance(key, str) and isinstance(value, str))
