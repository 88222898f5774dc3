"""What is known of a model before it is loaded.

A spec is data: where the files are, their hashes, which runtime family reads them, what it costs. Nothing here loads anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from bot.locale import Language

SourceKind = Literal["builtin", "package", "folder", "hub", "server"]


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model: its path in the model's folder, sha256 (hex) and size; both empty until pinned at the first fetch."""

    path: str
    sha256: str = ""
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One model that a slot can hold. `name` is versioned (`summarise.extract.v1`) and keeps its meaning for ever.

    `location` depends on `source`: "" for builtin, a distribution's name for package, a path for folder, `owner/name` for
    hub, a base URL for server. `ram_mb` is measured on load (0: not measured yet).
    """

    name: str
    slot: str
    family: str
    source: SourceKind
    location: str = ""
    revision: str = ""
    files: tuple[ModelFile, ...] = ()
    licence: str = ""
    languages: tuple[str, ...] = ()
    ram_mb: int = 0
    good_for: str = ""
    """In English; `told_for` gives the reader's language."""
    good_for_ko: str = ""
    """The same in Korean; "" where nobody has said it."""
    seen_at: str = ""
    """The public places where revision, hashes or figures were read, one a word; "" where there are none."""
    size_mb: int = 0
    """About how many MB (millions of bytes) its weights take on disk; 0 where nobody was seen to say."""

    def told_for(self, language: Language) -> str:
        """Return what it is good for, in English where it is not told in `language`."""
        return (self.good_for_ko if language == "ko" else "") or self.good_for

    @property
    def identity(self) -> str:
        """`name@revision`, as receipts and manifests write it."""
        return f"{self.name}@{self.revision}" if self.revision else self.name


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """What every runtime's `load(spec, folder, options)` is told: threads of arithmetic, MiniLM's engine, a server's key."""

    threads: int = 1
    embed_engine: Literal["auto", "onnxruntime", "openvino"] = "auto"
    server_key: str = field(default="", repr=False)
