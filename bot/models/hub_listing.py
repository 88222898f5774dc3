"""What a hub offers and holds, as values: offers that a search finds, and the listing of one repository at one commit.

Owns: which files of a repository are fetched and which are not, what slot a repository is for, which licences are open. Leaves
to `bot.models.hub` the asking, to `bot.models.verify` what is in a file.

    listing.text().to("en")          # "intfloat/e5 at 0123456789ab: 9 files, 471 MB (…)"
    chosen(["config.json", "model.safetensors", "pytorch_model.bin"])     # without the pickle
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Final

from bot import lazy
from bot.locale import Text, phrases
from bot.models.folders import DESCRIPTION, SLOT_OF_KIND
from bot.models.origin import MANIFEST, WORD
from bot.models.spec import ModelFile
from bot.models.verify import why_not

_ = phrases(__file__)

SPARE_BYTES: Final = 1 << 30
"""What stays free on the disk, whatever is fetched."""
PIPELINES: Final[Mapping[str, tuple[str, ...]]] = {
    "embed": ("sentence-similarity", "feature-extraction"),
    "summarise": ("summarization",),
    "translate": ("translation",),
    "caption": ("image-to-text", "image-text-to-text"),
    "transcribe": ("automatic-speech-recognition",),
    "chat": ("text-generation",),
    "imagine": ("text-to-image",),
}
"""What a hub calls the work of a slot. Source: https://huggingface.co/tasks"""
OPEN_LICENCES: Final = frozenset(
    {
        "apache-2.0", "mit", "bsd", "bsd-2-clause", "bsd-3-clause", "bsd-3-clause-clear", "isc", "zlib", "ncsa",
        "postgresql", "unlicense", "wtfpl", "cc0-1.0", "pddl", "odc-by", "odbl", "cc-by-2.0", "cc-by-2.5",
        "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "afl-3.0", "artistic-2.0", "bsl-1.0", "ecl-2.0", "epl-1.0",
        "epl-2.0", "eupl-1.1", "eupl-1.2", "gpl", "gpl-2.0", "gpl-3.0", "lgpl", "lgpl-2.1", "lgpl-3.0",
        "agpl-3.0", "mpl-2.0", "ms-pl", "ofl-1.1", "osl-3.0",
    }
)  # fmt: skip
"""Licences under which anyone may use a model for anything. Source: https://huggingface.co/docs/hub/repositories-licenses"""

WEIGHTS: Final = (".safetensors", ".onnx", ".onnx_data")
_PLAIN: Final = ("model.safetensors", "diffusion_pytorch_model.safetensors", "adapter_model.safetensors")
_SHARD: Final = lazy.compile(r"(model|diffusion_pytorch_model)-\d{5}-of-\d{5}\.safetensors")
_NEEDLESS: Final = frozenset({".png", ".jpg", ".jpeg", ".webp"})
_DTYPE_BYTES: Final = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "F16": 2, "BF16": 2, "I16": 2}


@dataclass(frozen=True, slots=True)
class Offer:
    """A repository that a search has found. `size_bytes` is 0 where the hub does not tell it."""

    repo: str
    licence: str
    downloads: int
    changed_at: datetime | None
    size_bytes: int
    gated: bool
    obstacle: Text | None = None
    """Why the slot's runtime cannot load it; None where nothing speaks against it."""

    @property
    def word(self) -> str:
        """What an admin types to fetch it."""
        return f"{WORD}{self.repo}"

    @property
    def loadable(self) -> bool:
        """Whether the slot's runtime can load it, as far as the hub tells."""
        return self.obstacle is None


@dataclass(frozen=True, slots=True)
class HubFile:
    """One file of a repository: its size, and its sha256 or git's own hash, "" where the hub does not tell it."""

    path: str
    size_bytes: int
    sha256: str = ""
    blob: str = ""
    """git's hash: sha1 over `blob SIZE\\0` and the bytes. Told of small files, of which no sha256 is."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A repository at one commit: what is to be fetched of it, and what it would take."""

    repo: str
    revision: str
    """40 hex digits."""
    files: tuple[HubFile, ...]
    """Those that are to be fetched, by path."""
    left_out: tuple[str, ...]
    """Those that are not: pickles, other formats of the same weights, pictures."""
    licence: str
    languages: tuple[str, ...]
    kind: str
    """`model_type` of its config, "" where the hub does not tell it."""
    gated: bool
    free_bytes: int
    """Of the disk on which models lie, when it was asked."""
    known: tuple[ModelFile, ...] = ()
    """Hashes that a preset has pinned for this very commit."""

    @property
    def word(self) -> str:
        """What names it: hub:owner/name@revision."""
        return f"{WORD}{self.repo}@{self.revision}"

    @property
    def total_bytes(self) -> int:
        """The size of all files that are to be fetched."""
        return sum(file.size_bytes for file in self.files)

    @property
    def fits(self) -> bool:
        """Whether the disk has room for it, and some to spare."""
        return self.free_bytes - self.total_bytes >= SPARE_BYTES

    @property
    def slot(self) -> str:
        """The slot that it is for, "" where it may be for several."""
        return slot_for([file.path for file in self.files], self.kind)

    def text(self) -> Text:
        """Say what would be fetched, before anything is."""
        return _(
            "{repo} at {revision}: {count} files, {size}; {free} of the disk are free. Licence: {licence}.",
            repo=self.repo,
            revision=self.revision[:12],
            count=len(self.files),
            size=size(self.total_bytes),
            free=size(self.free_bytes),
            licence=self.licence or _("not told"),
        )


def chosen(paths: Iterable[str]) -> tuple[str, ...]:
    """Return the paths that are worth fetching, sorted: weights in one form, no pickle, nothing that a loader does not read."""
    readable = sorted(path for path in paths if _readable(path))
    safe = [path for path in readable if path.endswith(".safetensors")]
    if not safe:
        return tuple(readable)
    if "model_index.json" in readable:
        safe = [path for path in safe if "/" in path]
    within: dict[str, list[str]] = defaultdict(list)
    for path in safe:
        within[_folder(path)].append(path)
    taken = {path for weights in within.values() for path in _one_form(weights)}
    sharded = {_folder(path) for path in taken if _SHARD.fullmatch(PurePosixPath(path).name)}
    return tuple(path for path in readable if path in taken or not (path.endswith(WEIGHTS) or _is_index_of_none(path, sharded)))


def slot_for(paths: Collection[str], kind: str) -> str:
    """Return the slot that a repository is for, by its files and its config's model_type; "" where it may be for several."""
    if "modules.json" in paths:
        return "embed"
    return "imagine" if "model_index.json" in paths else SLOT_OF_KIND.get(kind, "")


def has_weights(paths: Iterable[str], *, suffix: str = ".safetensors") -> bool:
    """Say whether there are weights of that kind among `paths`."""
    return any(path.endswith(suffix) for path in paths)


def estimate_bytes(parameters: Mapping[str, int]) -> int:
    """Return the size of weights by how many parameters there are of each safetensors dtype."""
    return sum(count * _DTYPE_BYTES.get(dtype, 1) for dtype, count in parameters.items())


def size(size_bytes: int) -> str:
    """Return a size for people: 470 MB, 1.4 GB (powers of 1000, as disks are sold and hubs tell)."""
    for unit, name in ((10**9, "GB"), (10**6, "MB")):
        if size_bytes >= unit:
            return f"{size_bytes / unit:.{1 if size_bytes < 10 * unit else 0}f} {name}"
    return f"{-(-size_bytes // 1000)} kB"


def _readable(path: str) -> bool:
    pure = PurePosixPath(path)
    if any(part.startswith(".") for part in pure.parts) or pure.name in (MANIFEST, DESCRIPTION):
        return False
    return why_not(path) is None and pure.suffix.lower() not in _NEEDLESS


def _one_form(weights: Sequence[str]) -> list[str]:
    """Return the weights of one folder that a loader reads, without variants of the same (fp16, consolidated)."""
    names = {PurePosixPath(path).name: path for path in weights}
    if plain := [path for name, path in names.items() if name in _PLAIN]:
        return plain
    return [path for name, path in names.items() if _SHARD.fullmatch(name)] or list(weights)


def _is_index_of_none(path: str, sharded: Container[str]) -> bool:
    """Say whether `path` is the index of shards that are not taken: in none of the folders with shards that are."""
    return path.endswith(".index.json") and _folder(path) not in sharded


def _folder(path: str) -> str:
    return path.rpartition("/")[0]
