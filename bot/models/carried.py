"""Models that are carried in, as an archive or a folder: unpacked aside, looked at, hashed, and only then put in place.

Owns: quarantine -> verify -> hash -> compare -> rename, under which name a model lies here, and what may not be replaced. Leaves to
`bot.models.unpack` the archives, to `bot.models.parcel` their manifest, to `bot.models.verify` what is refused. Needs no network, and
no bot that runs.

    arrived = take_in(Path("kobart.tar"), settings, catalogue, report=report)
    arrived.spec.identity                # that of the machine on which it was packed
"""

from __future__ import annotations

import re
import shutil
import tempfile
import unicodedata
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bot import lazy
from bot.errors import InputError, ModelError
from bot.locale import phrases
from bot.models.fetch import compare
from bot.models.folders import DESCRIPTION, hub_folder, pinned, read_folder
from bot.models.made import alone, publish
from bot.models.origin import WORD, Origin, read_origin
from bot.models.parcel import MANIFEST, MODEL, TOLD, Manifest, read_manifest
from bot.models.spec import ModelSpec
from bot.models.unpack import Report, unpack

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.models.catalogue import Catalogue

_ = phrases(__file__)

QUARANTINE: Final = ".carried-"
NAME: Final = lazy.compile(r"\w[\w.-]{0,99}")


@dataclass(frozen=True, slots=True)
class Arrived:
    """A model that was taken in. Its slot is "" where neither it nor the admin said; `known` where it lay there already."""

    spec: ModelSpec
    folder: Path
    known: bool

    @property
    def size_bytes(self) -> int:
        """The bytes of its files."""
        return sum(file.size_bytes for file in self.spec.files)

    @property
    def word(self) -> str:
        """What an admin calls it by."""
        return self.spec.identity if self.spec.name.startswith(WORD) else self.spec.name


@dataclass(frozen=True, slots=True)
class _Opened:
    """An unpacked model: its folder, what a manifest and a hub's origin say, and what it is called where it has no name."""

    folder: Path
    manifest: Manifest | None
    origin: Origin | None
    fallback: str


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
            opened = _opened(inside, source)
            spec = _described(opened, catalogue, name=name, slot=slot)
            return _placed(opened, spec, settings)
        finally:
            shutil.rmtree(quarantine, ignore_errors=True)


def _opened(inside: Path, source: Path) -> _Opened:
    if (inside / MANIFEST).is_file():
        folder = inside / MODEL
        return _Opened(folder, read_manifest(inside / MANIFEST), read_origin(folder), "")
    held = list(inside.iterdir())
    folder = held[0] if source.is_file() and len(held) == 1 and held[0].is_dir() else inside
    name = source.resolve().name
    if source.is_file():
        name = folder.name if folder != inside else re.sub(r"\.(tar|tgz|tar\.gz|zip)$", "", name, flags=re.IGNORECASE)
    return _Opened(folder, None, read_origin(folder), unicodedata.normalize("NFC", name))


def _described(opened: _Opened, catalogue: Catalogue, *, name: str, slot: str) -> ModelSpec:
    """Return what the model is and will be called here: by the manifest, by its own files, by the admin's words."""
    spec = opened.manifest.spec if opened.manifest else _by_itself(opened, slot)
    if slot and spec.slot != slot:
        raise InputError(
            _("{model} is a model for {own}, not for {slot}. Leave --slot out.", model=spec.name, own=spec.slot, slot=slot)
        )
    if name:
        spec = replace(spec, name=unicodedata.normalize("NFC", name), source="folder")
    origin = opened.origin
    if spec.source == "hub" and (preset := _preset(spec, catalogue)) is not None:
        revision = origin.revision if origin else ""
        return replace(preset, revision=revision, files=preset.files if revision in {preset.revision, ""} else ())
    if spec.source == "hub" and origin is not None and spec.name == f"{WORD}{origin.repo}":
        return replace(spec, location=origin.repo, revision=origin.revision)
    if not NAME.fullmatch(spec.name):
        raise InputError(
            _("“{name}” is no name for a model: letters, digits, . _ - only. Write another: --name NAME", name=spec.name)
        )
    if name and (preset := _preset(spec, catalogue)) is not None and preset.slot == (spec.slot or preset.slot):
        return preset
    return replace(spec, source="folder", location=_own_place(spec, catalogue), revision="")


def _by_itself(opened: _Opened, slot: str) -> ModelSpec:
    """Return what the model's own files tell. Raises ModelError where they do not tell enough for `slot`."""
    folder, name = opened.folder, opened.fallback
    try:
        spec = read_folder(folder, folder.parent, slot=slot)
    except ModelError:
        if slot or (folder / DESCRIPTION).is_file():
            raise
        spec = ModelSpec(name, "", "", "folder")
    if (origin := opened.origin) is not None:
        return replace(
            spec,
            name=f"{WORD}{origin.repo}",
            source="hub",
            location=origin.repo,
            licence=origin.licence,
            languages=origin.languages,
        )
    return replace(spec, name=name) if spec.name == folder.name else spec


def _preset(spec: ModelSpec, catalogue: Catalogue) -> ModelSpec | None:
    """Return the preset of the hub that has the model's name, and its repository where the model has one; None for none."""
    try:
        known = catalogue.find(spec.name)
    except ModelError:
        return None
    same = known.source == "hub" and (spec.source != "hub" or spec.location == known.location)
    return known if same else None


def _own_place(spec: ModelSpec, catalogue: Catalogue) -> str:
    """Return the folder of a model of its own. Raises InputError where its name is another model's."""
    try:
        known = catalogue.find(spec.name)
    except ModelError:
        return spec.name
    if known.source == "folder" and known.location == spec.name:
        return spec.name
    raise _taken(spec.name)


def _placed(opened: _Opened, spec: ModelSpec, settings: Settings) -> Arrived:
    """Look at the files, and put the folder where the model belongs."""
    folder, home = opened.folder, settings.model_home
    found = pinned(spec, folder, folder.parent)
    if opened.manifest:
        opened.manifest.compare(folder)
    compare(spec, found)
    revision = opened.origin.revision if opened.origin else ""
    target = home / (hub_folder(spec.location, revision) if spec.source == "hub" else spec.location)
    if target.exists():
        there = pinned(spec, target, home)
        if there.revision == found.revision:
            return Arrived(there, target, known=True)
        raise _taken(target.name)
    if any(path.name.casefold() == target.name.casefold() for path in home.iterdir()):
        raise _taken(target.name)
    (folder / DESCRIPTION).unlink(missing_ok=True)
    if spec.source == "folder" and spec.slot:
        _describe(spec, folder)
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(
                0o444
            )  # a runtime maps the weights: to write into a file that is live would change the model, or end the bot
    publish(folder, target)
    return Arrived(found, target, known=False)


def _describe(spec: ModelSpec, folder: Path) -> None:
    """Write what the model is beside its files, so that it is known by its name."""
    import yaml  # noqa: PLC0415 - only here is YAML written

    said = {key: value for key, value in asdict(spec).items() if key in TOLD and key not in {"source", "location"} and value}
    said["languages"] = list(spec.languages)
    (folder / DESCRIPTION).write_text(yaml.safe_dump(said, allow_unicode=True, sort_keys=False), encoding="utf-8")


def _taken(name: str) -> InputError:
    return InputError(
        _(
            "There is another model with the name “{name}”, and it was not touched. Give this one a name of its own: --name NAME",
            name=name,
        )
    )
