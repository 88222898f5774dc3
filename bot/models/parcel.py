"""A model in one file, to be carried to another machine: an ordinary tar with a manifest of what the model is and what its files hash to.

Owns: the archive's form, and its packing. Leaves the taking in to `bot.models.carried`.

    parcel = pack(find("summarise", catalogue, pool, settings), Path("kobart.tar"), report)

`paring-model.json` comes first, the files lie under `model/`. The same model gives the same bytes.
"""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bot.errors import InputError, NoModelError, UnreadableError, UnsafeModelError
from bot.locale import phrases
from bot.models.fetch import Place, resolve
from bot.models.folders import DESCRIPTION, read_fetched, read_folder
from bot.models.made import sha256_of
from bot.models.origin import WORD, parse
from bot.models.presets import spec_of
from bot.models.spec import ModelFile, ModelSpec
from bot.models.unpack import Report
from bot.models.verify import verify_folder
from bot.models.verify_json import read_small
from bot.skill import Slot

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.models.catalogue import Catalogue
    from bot.models.pool import Pool

_ = phrases(__file__)

MANIFEST: Final = "paring-model.json"
FORMAT: Final = 1
MODEL: Final = "model"
"""The folder of the files in the archive."""
TOLD: Final = (
    "name",
    "slot",
    "family",
    "source",
    "location",
    "licence",
    "languages",
    "ram_mb",
    "good_for",
    "good_for_ko",
    "seen_at",
)
"""What of a ModelSpec is told; the revision follows from the files."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A model that was packed: the archive, its sha256 and its size."""

    spec: ModelSpec
    file: Path
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive says of its model: what it is, and the sha256 of each file by its path."""

    spec: ModelSpec
    files: Mapping[str, str]

    def compare(self, folder: Path) -> None:
        """Raise UnsafeModelError where the files in `folder` are not those that are named here."""
        have = {path.relative_to(folder).as_posix(): sha256_of(path) for path in verify_folder(folder)}
        for name in sorted({*self.files, *have}):
            if self.files.get(name) != have.get(name):
                raise UnsafeModelError(
                    _("{file} is not the file that was packed. Nothing was taken in; carry the archive in again.", file=name)
                )


def find(word: str, catalogue: Catalogue, pool: Pool, settings: Settings) -> Place:
    """Return the model that is live in the slot `word`, or the one of that name, folder or hub:owner/name@revision.

    Raises:
        ModelError: there is none, or a file of it is refused.
    """
    if word in catalogue.slots():
        identity = pool.live(Slot(word))
        if not identity:
            raise NoModelError(_("No model is live in the slot {slot}. `paring models` lists what there is.", slot=word))
        return resolve(catalogue.identified(word, identity), settings)
    if word.startswith(WORD):
        return resolve(read_fetched(*parse(word), settings.model_home, slot=""), settings)
    folder = settings.model_home / word
    if "/" not in word and folder.is_dir() and not (folder / DESCRIPTION).is_file():
        return resolve(read_folder(folder, settings.model_home), settings)
    return resolve(catalogue.find(word), settings)


def file_name(spec: ModelSpec) -> str:
    """Return what the archive of a model is called where nobody says."""
    return re.sub(r"[^\w.-]+", "-", spec.name) + ".tar"


def pack(place: Place, file: Path, report: Report) -> Parcel:
    """Write the model at `place` into a new archive.

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


def read_manifest(file: Path) -> Manifest:
    """Return what an archive's manifest says.

    Raises:
        UnreadableError: it cannot be read, or another version wrote it.
        ModelError: what it says of the model is wrong.
    """
    match read_small(file):
        case {"format": int(number), "model": dict(model), "files": list(files)}:
            pass
        case _:
            raise UnreadableError(
                _("The archive's {file} cannot be read. Nothing was taken in; export the model again.", file=MANIFEST)
            )
    if number != FORMAT:
        raise UnreadableError(
            _("The archive was made by another version of Paring. Nothing was taken in; export it with this one.")
        )
    hashes = {str(one["path"]): str(one["sha256"]) for one in files if isinstance(one, dict) and {"path", "sha256"} <= one.keys()}
    return Manifest(spec_of(file, model), hashes)


def _manifest(place: Place, paths: list[Path]) -> Mapping[str, object]:
    said = asdict(place.spec)
    files = [asdict(ModelFile(path.relative_to(place.folder).as_posix(), sha256_of(path), path.stat().st_size)) for path in paths]
    return {"format": FORMAT, "identity": place.spec.identity, "model": {key: said[key] for key in TOLD}, "files": files}


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size = size
    return entry
