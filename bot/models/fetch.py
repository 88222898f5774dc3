"""Where a model's files lie on this machine, and whether they may be read.

Owns: from a spec to a verified folder. Leaves to `bot.models.prepare` the making of MiniLM's prepared form, to `bot.models.distil`
that of the static embedder, to `bot.models.verify` what is refused. Nothing is fetched from anywhere: a model comes with the
install, is carried in, or was fetched by `bot.models.hub`.

    place = resolve(spec, settings)
    place.spec.identity, place.folder
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import NoModelError, UnsafeModelError
from bot.locale import phrases
from bot.models import distil, prepare_reader, quantize
from bot.models.families import Loaded, Loader
from bot.models.folders import hub_folder, hub_place, pinned
from bot.models.heads.build import prepared_head
from bot.models.origin import WORD
from bot.models.prepare import DISTRIBUTION, PREPARED, Report, find_prepared, package_folder, prepared_minilm
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.verify import Fingerprint, fingerprint

if TYPE_CHECKING:
    from bot.config import Settings

_ = phrases(__file__)

INT8 = "minilm-int8"
"""The family that is made here by quantising MiniLM."""
STATIC = "static"
"""The family that is distilled here, from MiniLM."""
READER = "reader"
"""The family that is put together here of MiniLM and what it was taught."""
HEAD = "linear-head"
"""The family that is trained here, from what the installed skills say that people type."""
_MADE = {STATIC: distil.prepared_static, INT8: quantize.prepared_int8, READER: prepare_reader.prepared_reader}
"""What makes the folder of a family out of MiniLM …"""
_FOUND = {
    STATIC: (distil.find_static, distil.PREPARED), INT8: (quantize.find_int8, quantize.PREPARED),
    READER: (prepare_reader.find_reader, prepare_reader.PREPARED),
}  # fmt: skip
"""… and what finds it, and the files in it."""


@dataclass(frozen=True, slots=True)
class Place:
    """A model's folder, and its spec with what its files hash to."""

    spec: ModelSpec
    folder: Path
    seen: Fingerprint = ()
    """What the folder was just before its files were looked at; () for what is not an admin's own."""

    def load(self, loader: Loader, options: LoadOptions) -> Loaded:
        """Return the model that lies here: the very files that were looked at.

        Raises:
            UnsafeModelError: the folder was changed meanwhile; what was loaded is closed.
            ModelError: what the loader raises.
        """
        model = loader(self.spec, self.folder, options)
        if self.seen and fingerprint(self.folder) != self.seen:
            model.close()
            raise UnsafeModelError(
                _(
                    "The files of {model} were changed while it was loaded, so it was unloaded again. Try again when nothing writes there.",
                    model=self.spec.name,
                )
            )
        return model


def resolve(spec: ModelSpec, settings: Settings, *, report: Report | None = None) -> Place:
    """Return where the model lies, its files verified; `Path()` for a builtin that has no files and for a server.

    Raises:
        NoModelError: it is not on this machine; says how to carry it in.
        UnsafeModelError: a file in it is refused, or is not the one that the spec names.
        ModelError: it could not be prepared.
    """
    if spec.source == "builtin" and spec.family == HEAD:
        folder = prepared_head(settings, spec.name, report=report)
        return Place(replace(spec, revision=folder.name.partition("-")[2]), folder)
    if spec.source in ("builtin", "server"):
        return Place(spec, Path())
    if spec.source == "package":
        return Place(spec, _of_package(spec, settings, report))
    folder = folder_of(spec, settings)
    if not folder.is_dir():
        raise NoModelError(
            _(
                "{model} is not on this machine. Carry its folder in as HOME/models/{folder} (safetensors only), then start again.",
                model=spec.name,
                folder=folder.name,
            )
        )
    seen = fingerprint(folder)
    found = pinned(spec, folder, settings.model_home)
    compare(spec, found)
    return Place(found, folder, seen)


def identity_of(spec: ModelSpec, settings: Settings) -> ModelSpec:
    """Return `spec` as it will be once it is loaded: a folder's revision is what its files hash to."""
    if spec.source in ("folder", "hub") and folder_of(spec, settings).is_dir():
        return pinned(spec, folder_of(spec, settings), settings.model_home)
    return spec


def folder_of(spec: ModelSpec, settings: Settings) -> Path:
    """Return the folder in which a model of source `folder` or `hub` lies or would lie."""
    if spec.source == "hub" and spec.name.startswith(WORD):
        return settings.model_home / hub_folder(spec.location, spec.revision)
    if spec.source == "hub":
        return hub_place(spec.location, spec.revision, settings.model_home)
    return settings.model_home / spec.location


def present(spec: ModelSpec, settings: Settings) -> bool:
    """Say, without reading any file, whether the model is on this machine."""
    if spec.source in ("folder", "hub"):
        return folder_of(spec, settings).is_dir()
    if spec.source == "package":
        return package_folder(spec.location) is not None
    return True


def size_bytes(spec: ModelSpec, settings: Settings) -> int:
    """Return how many bytes of disk the model takes; 0 for a builtin, a server and what is not there."""
    if spec.source == "package":
        if spec.location != DISTRIBUTION:
            return 0
        find, files = _FOUND.get(spec.family, (find_prepared, PREPARED))
        folder = find(settings.home)
        return sum((folder / name).stat().st_size for name in files) if folder else 0
    if spec.source in ("folder", "hub"):
        return sum(
            path.stat().st_size for path in folder_of(spec, settings).rglob("*") if path.is_file() and not path.is_symlink()
        )
    return 0


def _of_package(spec: ModelSpec, settings: Settings, report: Report | None) -> Path:
    if make := _MADE.get(spec.family):
        return make(settings.home, report=report)
    if spec.location == DISTRIBUTION:
        return prepared_minilm(settings.home, report=report)
    folder = package_folder(spec.location)
    if folder is None:
        raise NoModelError(
            _(
                "The package {name} with the model {model} is missing. Install it: pip install {name}",
                name=spec.location,
                model=spec.name,
            )
        )
    return folder


def compare(spec: ModelSpec, found: ModelSpec) -> None:
    """Refuse files that are not those that the spec had pinned. Raises UnsafeModelError."""
    have = {file.path: file.sha256 for file in found.files}
    for file in spec.files:
        if file.sha256 and have.get(file.path) != file.sha256:
            raise UnsafeModelError(
                _(
                    "{file} of {model} is not the file that was pinned, so nothing was loaded. Carry the model in again.",
                    file=file.path,
                    model=spec.name,
                )
            )
