"""Models that are carried from machine to machine as one file: packed with what they are, unpacked where they are looked at first.

Owns: the archive's manifest, quarantine -> verify -> hash -> rename, and what may not be replaced. Leaves to `bot.models.unpack` the
archives, to `bot.models.verify` what is refused. Needs no network, and no bot that runs.

    parcel = pack(place, Path("kobart.tar"), report)
    arrived = take_in(Path("kobart.tar"), settings, catalogue, report=report)      # the same identity, on another machine
"""

from __future__ import annotations

import io
import json
import re
import shutil
import tarfile
import tempfile
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bot.errors import InputError, ModelError, NoModelError, UnreadableError, UnsafeModelError
from bot.locale import phrases
from bot.models.catalogue import Catalogue
from bot.models.fetch import Place, compare, folder_of, resolve
from bot.models.folders import DESCRIPTION, pinned, read_folder
from bot.models.made import alone, sha256_of
from bot.models.presets import spec_of
from bot.models.spec import ModelFile, ModelSpec
from bot.models.unpack import CHUNK, Report, unpack
from bot.models.verify import verify_folder
from bot.skill import Slot

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.models.pool import Pool

_ = phrases(__file__)

MANIFEST: Final = "paring-model.json"
FORMAT: Final = 1
MODEL: Final = "model"
"""The folder of the files in an archive of our own."""
QUARANTINE: Final = ".carried-"
NAME: Final = re.compile(r"\w[\w.-]{0,99}")
_TOLD: Final = ("name", "slot", "family", "source", "location", "licence", "languages", "ram_mb", "good_for", "seen_at")


@dataclass(frozen=True, slots=True)
class Parcel:
    """A model that was packed: the archive, its sha256 and its size."""

    spec: ModelSpec
    file: Path
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Arrived:
    """A model that was taken in. `slot` is "" where neither it nor the admin said; `known` where it lay there already."""

    spec: ModelSpec
    folder: Path
    known: bool

    @property
    def size_bytes(self) -> int:
        """The bytes of its files."""
        return sum(file.size_bytes for file in self.spec.files)


def find(word: str, catalogue: Catalogue, pool: Pool, settings: Settings) -> Place:
    """Return the model that is live in the slot `word`, or the one of that name or folder.

    Raises:
        ModelError: there is none, or a file of it is refused.
    """
    if word in catalogue.slots():
        identity = pool.live(Slot(word))
        if not identity:
            raise NoModelError(_("No model is live in the slot {slot}. `paring models` lists what there is.", slot=word))
        return resolve(catalogue.identified(word, identity), settings)
    folder = settings.model_home / word
    if NAME.fullmatch(word) and folder.is_dir() and not (folder / DESCRIPTION).is_file():
        return resolve(_by_itself(folder, word, ""), settings)
    return resolve(catalogue.find(word), settings)


def pack(place: Place, file: Path, report: Report) -> Parcel:
    """Write the model at `place` into a new tar archive, with what it is and what each file hashes to; the same model gives the same bytes.

    Raises:
        InputError: the model has no folder of its own, or `file` is there.
        UnsafeModelError: a file in it is refused.
    """
    if place.spec.source not in {"folder", "hub"}:
        raise InputError(
            _("{model} comes with the install, so there is nothing to carry: it is on every machine.", model=place.spec.name)
        )
    if file.exists():
        raise InputError(_("{file} is there already, and was not touched. Choose another name: -o FILE", file=str(file)))
    paths = [path for path in verify_folder(place.folder) if path.name != DESCRIPTION]
    whole = sum(path.stat().st_size for path in paths)
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("wb") as handle, tarfile.open(fileobj=handle, mode="w", format=tarfile.PAX_FORMAT) as archive:
            said = json.dumps(_manifest(place, paths), ensure_ascii=False, indent=1).encode()
            archive.addfile(_entry(MANIFEST, len(said)), io.BytesIO(said))
            for path in paths:
                report(path.name, handle.tell(), whole)
                with path.open("rb") as data:
                    archive.addfile(_entry(f"{MODEL}/{path.relative_to(place.folder).as_posix()}", path.stat().st_size), data)
        part.rename(file)
    finally:
        part.unlink(missing_ok=True)
    return Parcel(place.spec, file, sha256_of(file), file.stat().st_size)


def take_in(source: Path, settings: Settings, catalogue: Catalogue, *, name: str = "", slot: str = "", report: Report) -> Arrived:
    """Take the model in `source` (an archive or a folder) into the model home; nothing is there before all of it was looked at.

    Raises:
        UnsafeModelError: a file in it is refused, or is not the one that the manifest names.
        InputError: it is broken, has no name, or another model lies under that name.
        ModelError: what describes it is wrong.
    """
    home = settings.model_home
    home.mkdir(parents=True, exist_ok=True)
    with alone(home / f"{QUARANTINE}lock"):
        for left in home.glob(f"{QUARANTINE}*/"):
            shutil.rmtree(left, ignore_errors=True)  # of a process that died: whoever is at it holds the lock
        quarantine = Path(tempfile.mkdtemp(prefix=QUARANTINE, dir=home))
        try:
            inside = quarantine / "unpacked"
            inside.mkdir()
            unpack(source, inside, report)
            folder, told = _opened(inside)
            spec = _described(folder, told, fallback=_stem(source, folder, inside), name=name, slot=slot)
            return _placed(folder, spec, told, settings, catalogue, described=bool(told or name or slot))
        finally:
            shutil.rmtree(quarantine, ignore_errors=True)


def _manifest(place: Place, paths: list[Path]) -> Mapping[str, object]:
    said = asdict(place.spec)
    files = [asdict(ModelFile(path.relative_to(place.folder).as_posix(), sha256_of(path), path.stat().st_size)) for path in paths]
    return {"format": FORMAT, "identity": place.spec.identity, "model": {key: said[key] for key in _TOLD}, "files": files}


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size = size
    return entry


def _opened(inside: Path) -> tuple[Path, Mapping[str, object]]:
    """Return the model's folder, and what the manifest says of it; {} where there is none."""
    file = inside / MANIFEST
    if file.is_file():
        return inside / MODEL, _read_manifest(file)
    held = list(inside.iterdir())
    return (held[0] if len(held) == 1 and held[0].is_dir() else inside), {}


def _read_manifest(file: Path) -> Mapping[str, object]:
    try:
        said = json.loads(file.read_bytes()) if file.stat().st_size <= CHUNK else None
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict) or not isinstance(said.get("model"), dict) or not isinstance(said.get("files"), list):
        raise UnreadableError(
            _("The archive's {file} cannot be read. Nothing was taken in; export the model again.", file=MANIFEST)
        )
    if said.get("format") != FORMAT:
        raise UnreadableError(
            _("The archive was made by another version of Paring. Nothing was taken in; export it with this one.")
        )
    return said


def _described(folder: Path, told: Mapping[str, object], *, fallback: str, name: str, slot: str) -> ModelSpec:
    """Return what the model is: by the manifest, by its own files, by the admin's words."""
    spec = spec_of(folder.parent / MANIFEST, told["model"]) if told else _by_itself(folder, fallback, slot)
    if slot and spec.slot != slot:
        raise InputError(
            _("{model} is a model for {own}, not for {slot}. Leave --slot out.", model=spec.name, own=spec.slot, slot=slot)
        )
    spec = replace(spec, name=unicodedata.normalize("NFC", name or spec.name), revision="")
    if not NAME.fullmatch(spec.name):
        raise InputError(
            _("“{name}” is no name for a model: letters, digits, . _ - only. Write another: --name NAME", name=spec.name)
        )
    return spec


def _by_itself(folder: Path, fallback: str, slot: str) -> ModelSpec:
    if (folder / DESCRIPTION).is_file():
        spec = read_folder(folder, folder.parent)
        return replace(spec, name=fallback) if spec.name == folder.name else spec
    try:
        return replace(read_folder(folder, folder.parent, slot=slot), name=fallback)
    except ModelError:
        if slot:
            raise
        return ModelSpec(fallback, "", "", "folder")


def _stem(source: Path, folder: Path, inside: Path) -> str:
    """Return the name of a model that has none of its own: that of the folder that was packed, else the archive's."""
    if folder != inside and source.is_file():
        return folder.name
    name = source.resolve().name
    return re.sub(r"\.(tar|tgz|tar\.gz|zip)$", "", name, flags=re.IGNORECASE) if source.is_file() else name


def _placed(
    folder: Path, spec: ModelSpec, told: Mapping[str, object], settings: Settings, catalogue: Catalogue, *, described: bool
) -> Arrived:
    """Look at the files, and put the folder where the model belongs."""
    preset = _preset(spec, catalogue)
    spec = replace(spec, source="folder", location=spec.name) if preset is None else preset
    found = pinned(spec, folder, folder.parent)
    if told:
        _compare_all(folder, told)
    compare(spec, found)
    target = folder_of(spec, settings)
    if target.exists():
        there = pinned(spec, target, settings.model_home)
        if there.revision == found.revision:
            return Arrived(there, target, known=True)
        raise _taken(target.name)
    if any(path.name.casefold() == target.name.casefold() for path in settings.model_home.iterdir()):
        raise _taken(target.name)
    if preset is None and (described or (folder / DESCRIPTION).is_file()) and spec.slot:
        _describe(spec, folder)
    folder.rename(target)
    return Arrived(found, target, known=False)


def _preset(spec: ModelSpec, catalogue: Catalogue) -> ModelSpec | None:
    """Return the preset of the hub that the model is by its name; None for a model of its own. Raises InputError for another's name."""
    try:
        known = catalogue.find(spec.name)
    except ModelError:
        return None
    same = spec.location == known.location if spec.source == "hub" else spec.slot in {known.slot, ""}
    if known.source == "hub" and same:
        return known
    if known.source == "folder" and known.location == spec.name:
        return None
    raise _taken(spec.name)


def _compare_all(folder: Path, told: Mapping[str, object]) -> None:
    """Refuse files that are not those that the manifest names."""
    said = {str(one.get("path")): one.get("sha256") for one in told["files"] if isinstance(one, dict)}  # type: ignore[attr-defined]
    have = {path.relative_to(folder).as_posix(): sha256_of(path) for path in verify_folder(folder)}
    for name in sorted({*said, *have}):
        if said.get(name) != have.get(name):
            raise UnsafeModelError(
                _("{file} is not the file that was packed. Nothing was taken in; carry the archive in again.", file=name)
            )


def _describe(spec: ModelSpec, folder: Path) -> None:
    """Write what the model is beside its files, so that it is known by its name."""
    import yaml  # noqa: PLC0415 - only here is YAML written

    said = {key: value for key, value in asdict(spec).items() if key in _TOLD and key not in {"source", "location"} and value}
    said["languages"] = list(spec.languages)
    (folder / DESCRIPTION).write_text(yaml.safe_dump(said, allow_unicode=True, sort_keys=False), encoding="utf-8")


def _taken(name: str) -> InputError:
    return InputError(
        _(
            "There is another model with the name “{name}”, and it was not touched. Give this one a name of its own: --name NAME",
            name=name,
        )
    )
