"""Looks at a folder of a model before anything in it is loaded: only data may lie there, and only data that reads as such.

Owns: which files are allowed, and what in them is refused (pickle, code, links, `auto_map`, foreign module types, headers that
lie). Leaves hashing to `bot.models.made.sha256_of`, and the reading to the runtimes. Holds for every folder: carried in,
fetched, or made by an admin. Nothing can override it.

    verify_folder(Path("models/hub--intfloat--multilingual-e5-small"))
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from bot.errors import UnsafeModelError
from bot.locale import Text, phrases

if TYPE_CHECKING:
    from onnx import ModelProto, TensorProto

_ = phrases(__file__)

ALLOWED_SUFFIXES: Final = frozenset(
    {".safetensors", ".onnx", ".onnx_data", ".json", ".txt", ".model", ".spm", ".bpe", ".vocab", ".tiktoken", ".jinja"}
    | {".yaml", ".yml", ".md", ".png", ".jpg", ".jpeg", ".webp"}
)
ALLOWED_NAMES: Final = frozenset({"license", "licence", "notice", ".gitattributes", ".gitignore"})
IGNORED_FOLDERS: Final = frozenset({".cache", ".git"})
"""Left by download tools; nothing that loads a model reads them."""
MOST_FILES: Final = 2_000
LARGEST_JSON_BYTES: Final = 128 << 20
LARGEST_HEADER_BYTES: Final = 100_000_000
"""Source: safetensors, MAX_HEADER_SIZE."""
MODULE_TYPES: Final = re.compile(
    r"sentence_transformers\.([a-z_]+\.)*(Transformer|Pooling|Normalize|Dense|LayerNorm|StaticEmbedding)"
)
PIPELINE_LIBRARIES: Final = frozenset({"diffusers", "transformers"})
ONNX_DOMAINS: Final = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})

Json = object
"""What JSON holds: it is looked at before it is used."""


def verify_folder(folder: Path) -> tuple[Path, ...]:
    """Return the model's files, sorted, if every one of them may be loaded.

    Raises:
        UnsafeModelError: says which file is refused and why; nothing was loaded.
    """
    if folder.is_symlink() or not folder.is_dir():
        raise _refused(folder.name, _("it is no folder of its own"))
    files = tuple(sorted(_walk(folder)))
    if not files:
        raise _refused(folder.name, _("it is empty"))
    for file in files:
        _check(file, folder)
    return files


def _walk(folder: Path) -> Iterator[Path]:
    seen = 0
    waiting = [folder]
    while waiting:
        for path in waiting.pop().iterdir():
            seen += 1
            if seen > MOST_FILES:
                raise _refused(folder.name, _("it holds more than {count} files", count=MOST_FILES))
            if path.is_symlink():
                raise _refused(path.name, _("it is a link, and may point anywhere"))
            if path.is_dir():
                if path.name not in IGNORED_FOLDERS:
                    waiting.append(path)
            elif path.is_file():
                yield path
            else:
                raise _refused(path.name, _("it is no ordinary file"))


def _check(file: Path, folder: Path) -> None:
    suffix = file.suffix.lower()
    if suffix not in ALLOWED_SUFFIXES and file.name.lower() not in ALLOWED_NAMES:
        raise _refused(
            file.relative_to(folder).as_posix(), _("a file of this kind can hold code; weights must be safetensors or ONNX")
        )
    if suffix == ".json":
        _check_json(file, folder)
    elif suffix == ".safetensors":
        _check_safetensors(file)
    elif suffix == ".onnx":
        _check_onnx(file)


def _check_json(file: Path, folder: Path) -> None:
    said = _read_json(file)
    if file.name == "modules.json":
        _check_modules(file, said)
    elif file.name == "model_index.json":
        _check_pipeline(file, said)
    elif file.name.endswith(".index.json"):
        _check_shards(file, said)
    elif isinstance(said, dict):
        # sentence-transformers imports what the config of a Dense layer names
        name = said.get("activation_function")
        if isinstance(name, str) and "." in name and not name.startswith("torch.nn."):
            raise _refused(file.relative_to(folder).as_posix(), _("it names code to import: {name}", name=name[:80]))


def _read_json(file: Path) -> Json:
    """Return what the file holds; each object in it, however deep, is looked at on the way."""

    def looked_at(pairs: Sequence[tuple[str, Json]]) -> dict[str, Json]:
        for key, value in pairs:
            if key in ("auto_map", "custom_pipelines") and not isinstance(value, int):  # a vocabulary's entry is a number
                raise _refused(file.name, _("it asks for code from the model's author ({key})", key=key))
            if key == "trust_remote_code" and value is not False:
                raise _refused(file.name, _("it asks for code from the model's author ({key})", key=key))
        return dict(pairs)

    if file.stat().st_size > LARGEST_JSON_BYTES:
        raise _refused(file.name, _("it is larger than {size} MiB", size=LARGEST_JSON_BYTES >> 20))
    try:
        with file.open(encoding="utf-8") as handle:
            said: Json = json.load(handle, object_pairs_hook=looked_at)
    except (ValueError, RecursionError) as error:
        raise _refused(file.name, _("it cannot be read as JSON")) from error
    return said


def _check_modules(file: Path, said: Json) -> None:
    if not isinstance(said, list):
        raise _refused(file.name, _("it is not a list of modules"))
    for module in said:
        kind = str(module.get("type", "")) if isinstance(module, dict) else ""
        if not MODULE_TYPES.fullmatch(kind):
            raise _refused(file.name, _("it names code to import: {name}", name=kind[:80] or "?"))
        if not _is_inside(str(module.get("path", ""))):
            raise _refused(file.name, _("it points outside its folder"))


def _check_pipeline(file: Path, said: Json) -> None:
    """Refuse a diffusers pipeline that brings classes of its own. Source: diffusers, docs/source/en/using-diffusers/custom_pipeline."""
    parts = said if isinstance(said, dict) else {"": None}
    for name, value in parts.items():
        if name == "_class_name":
            custom = not isinstance(value, str) or not value.isidentifier()
        else:
            custom = isinstance(value, list) and bool(value) and value[0] is not None and value[0] not in PIPELINE_LIBRARIES
        if custom:
            raise _refused(file.name, _("it names code to import: {name}", name=str(value)[:80]))


def _check_shards(file: Path, said: Json) -> None:
    shards = said.get("weight_map") if isinstance(said, dict) else None
    for name in set(shards.values()) if isinstance(shards, dict) else ():
        if not isinstance(name, str) or not _is_inside(name) or not name.endswith(".safetensors"):
            raise _refused(file.name, _("it points outside its folder"))


def _check_safetensors(file: Path) -> None:
    """Check the header against the file's size. Source: safetensors, README, "Format"."""
    size = file.stat().st_size
    with file.open("rb") as handle:
        length = int.from_bytes(handle.read(8), "little")
        if size < 8 or length > min(LARGEST_HEADER_BYTES, size - 8):  # noqa: PLR2004 - the length itself takes 8 bytes
            raise _refused(file.name, _("its header does not fit the file: it is cut off, or not safetensors"))
        try:
            header = json.loads(handle.read(length))
        except (ValueError, RecursionError) as error:
            raise _refused(file.name, _("its header cannot be read")) from error
    tensors = [one for name, one in header.items() if name != "__metadata__"] if isinstance(header, dict) else [None]
    if not all(_lies_within(one, size - 8 - length) for one in tensors):
        raise _refused(file.name, _("its header does not fit the file: it is cut off, or not safetensors"))


def _lies_within(tensor: Json, size: int) -> bool:
    match tensor:
        case {"data_offsets": [int(begin), int(end)]}:
            return 0 <= begin <= end <= size
    return False


def _check_onnx(file: Path) -> None:
    """Refuse operators of strangers, and data that lies anywhere but beside the file."""
    import onnx  # noqa: PLC0415 - 0.2 s that only an ONNX model pays
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # noqa: PLC0415

    try:
        model = onnx.load(str(file), load_external_data=False)
    except (DecodeError, ValueError) as error:
        raise _refused(file.name, _("it cannot be read as ONNX")) from error
    if foreign := {one.domain for one in model.opset_import} - ONNX_DOMAINS:
        raise _refused(file.name, _("it names code to import: {name}", name=min(foreign)[:80]))
    for tensor in _tensors(model):
        places = [one.value for one in tensor.external_data if one.key == "location"]
        if not all(_is_inside(place) and (file.parent / place).is_file() for place in places):
            raise _refused(file.name, _("it points outside its folder"))


def _tensors(model: ModelProto) -> Iterator[TensorProto]:
    """Yield every tensor of the model: of its graph, of the graphs within its nodes, of its functions."""
    graphs = [model.graph]
    nodes = [node for function in model.functions for node in function.node]
    while graphs or nodes:
        while graphs:
            graph = graphs.pop()
            yield from graph.initializer
            for sparse in graph.sparse_initializer:
                yield from (sparse.values, sparse.indices)
            nodes += graph.node
        while nodes:
            for attribute in nodes.pop().attribute:
                yield from (attribute.t, *attribute.tensors)
                graphs += [attribute.g, *attribute.graphs] if attribute.HasField("g") else attribute.graphs


def _is_inside(path: str) -> bool:
    pure = PurePosixPath(path)
    return not pure.is_absolute() and "\\" not in path and not any(part.startswith(".") for part in pure.parts)


def _refused(file: str, why: Text) -> UnsafeModelError:
    return UnsafeModelError(
        _(
            "The model was refused and nothing of it was loaded. {file}: {why}. Carry in a version of the model that is safe.",
            file=file,
            why=why,
        )
    )
