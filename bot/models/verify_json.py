"""What a model's JSON may say: no code to import, no path that leads away, and not more of it than a machine can hold.

Owns: the keys that transformers, sentence-transformers and diffusers import or fetch by, wherever they stand; bombs of depth
and of size; a tokenizer's patterns; a chat's template. Leaves the walk over the files to `bot.models.verify`.

    check_json(Path("m/config.json"), Path("m"))
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from bot import lazy
from bot.locale import phrases
from bot.models.refusal import plain, refused

_ = phrases(__file__)

Json = object
"""What JSON holds: it is looked at before it is used."""

LARGEST_BYTES: Final = 64 << 20
"""The largest known, a tokenizer of 262,000 pieces, takes 33 MB."""
LARGEST_SMALL_BYTES: Final = 2 << 20
MOST_OBJECTS: Final = 1_200_000
MOST_NAMES: Final = 1_200_000
MOST_VALUES: Final = 4_000_000
"""Brackets, colons, and brackets with commas, those within texts as well; the same tokenizer has half as many.

Measured: what comes near to these takes 0.2 GB of memory, and four seconds, while it is looked at.
"""
LARGEST_TEMPLATE: Final = 256 << 10
MODULE_TYPES: Final = lazy.compile(
    r"sentence_transformers\.([a-z_]+\.)*(Transformer|Pooling|Normalize|Dense|LayerNorm|StaticEmbedding)"
)
PIPELINE_LIBRARIES: Final = frozenset({"diffusers", "transformers"})
OF_THE_AUTHOR: Final = frozenset({"auto_map", "custom_pipelines", "custom_pipeline", "custom_generate", "custom_ops"})
SWITCHES: Final = frozenset({"trust_remote_code", "allow_all_kernels", "use_kernels", "kernel_config"})
"""What lets code in from elsewhere. Source: transformers, modeling_utils.py, `from_pretrained`."""
KERNELS: Final = frozenset(
    {"attn_implementation", "_attn_implementation", "_attn_implementation_internal", "experts_implementation"}
)
"""Where `owner/name` is a kernel that is fetched. Source: transformers, integrations/hub_kernels.py."""
ELSEWHERE: Final = frozenset({"tokenizer_name_or_path", "gguf_file", "offload_folder", "adapter_kwargs", "cache_dir"})
"""What a sentence_bert_config.json hands on, and loads or writes elsewhere. Source: sentence-transformers, Transformer.load."""
DUNDER: Final = lazy.compile(
    r"__(class|globals|subclasses|mro|bases?|builtins|import|init|getattribute|dict|code|reduce(_ex)?|call)__"
)


def check_json(file: Path, folder: Path) -> None:
    """Raise UnsafeModelError where `file` leads to code, away from `folder`, or is too much to be read."""
    said = _read(file)
    name = file.name.lower()
    if name == "modules.json":
        _check_modules(file.name, said)
    elif name == "model_index.json":
        _check_pipeline(file.name, said)
    elif name.endswith(".index.json"):
        _check_shards(file.name, said)
    elif name == "adapter_config.json":
        raise refused(file.name, _("it stands on another model, which is not in this folder"))
    elif name == "tokenizer.json":
        for pattern in _patterns(said):
            if _is_slow(pattern):
                raise refused(file.name, _("it has a pattern that can take for ever: {pattern}", pattern=plain(pattern)))
    elif isinstance(said, dict):
        _check_activation(file.relative_to(folder).as_posix(), said)


def read_small(file: Path) -> Json:
    """Return what a small file holds that is read before its folder was looked at; None for what is none, or no ordinary file."""
    try:
        if file.is_symlink() or not file.is_file() or file.stat().st_size > LARGEST_SMALL_BYTES:
            return None
        said: Json = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return said


def check_template(name: str, template: str) -> None:
    """Raise UnsafeModelError where a chat's template reaches for Python's own, or is larger than any that is known.

    transformers renders templates in jinja2's ImmutableSandboxedEnvironment, which refuses the same when it is asked.
    """
    if len(template) > LARGEST_TEMPLATE:
        raise refused(name, _("its chat template is larger than {size} KiB", size=LARGEST_TEMPLATE >> 10))
    if DUNDER.search(template):
        raise refused(name, _("its chat template reaches for code"))


def is_inside(path: str) -> bool:
    """Say whether `path` stays within the folder that it starts from, and out of its hidden folders."""
    pure = PurePosixPath(path)
    return (
        not pure.is_absolute()
        and not any(sign in path for sign in "\\:*")
        and not any(part.startswith(".") for part in pure.parts)
    )


def is_too_much(data: bytes) -> bool:
    """Say whether JSON holds so much that reading it alone would take gigabytes of memory."""
    objects = data.count(b"[") + data.count(b"{")
    return objects > MOST_OBJECTS or data.count(b":") > MOST_NAMES or objects + data.count(b",") > MOST_VALUES


def _read(file: Path) -> Json:
    """Return what the file holds; each object in it, however deep, is looked at on the way."""
    if file.stat().st_size > LARGEST_BYTES:
        raise refused(file.name, _("it is larger than {size} MiB", size=LARGEST_BYTES >> 20))
    data = file.read_bytes()
    if is_too_much(data):
        raise refused(file.name, _("it holds more than a model needs"))
    try:
        said: Json = json.loads(data.decode(), object_pairs_hook=lambda pairs: _looked_at(file.name, pairs))
    except (ValueError, RecursionError) as error:
        raise refused(file.name, _("it cannot be read as JSON")) from error
    return said


def _looked_at(file: str, pairs: Sequence[tuple[str, Json]]) -> dict[str, Json]:
    """Return the object, if none of its entries asks for code or for what lies elsewhere. A vocabulary's entry is a number."""
    for key, value in pairs:
        wants_code = (key in OF_THE_AUTHOR and value is not None and not isinstance(value, int)) or (
            key in SWITCHES and value is not None and value is not False
        )
        if wants_code or (key in KERNELS and "/" in json.dumps(value)):
            raise refused(file, _("it asks for code from the model's author ({key})", key=key))
        if key in ELSEWHERE and value and file.startswith("sentence_"):
            raise refused(file, _("it asks for another model, or a file that is not this one's ({key})", key=key))
        if key == "chat_template":
            for template in _texts(value):
                check_template(file, template)
    return dict(pairs)


def _check_modules(file: str, said: Json) -> None:
    if not isinstance(said, list):
        raise refused(file, _("it is not a list of modules"))
    for module in said:
        kind = str(module.get("type", "")) if isinstance(module, dict) else ""
        if not MODULE_TYPES.fullmatch(kind):
            raise _names_code(file, kind)
        if not is_inside(str(module.get("path", ""))):
            raise refused(file, _("it points outside its folder"))


def _check_pipeline(file: str, said: Json) -> None:
    """Refuse a diffusers pipeline that brings classes of its own. Source: diffusers, docs/source/en/using-diffusers/custom_pipeline."""
    parts = said if isinstance(said, dict) else {"": None}
    for name, value in parts.items():
        if not name.isidentifier():
            raise refused(file, _("it points outside its folder"))
        if name == "_class_name":
            custom = not isinstance(value, str) or not value.isidentifier()
        else:
            custom = isinstance(value, list) and bool(value) and not _is_of_a_library(value)
        if custom:
            raise _names_code(file, str(value))


def _is_of_a_library(part: Sequence[Json]) -> bool:
    match part:
        case [None, None]:
            return True
        case [str(library), str(kind)]:
            return library in PIPELINE_LIBRARIES and kind.isidentifier() and kind[0].isupper()
    return not any(isinstance(one, str) for one in part)  # a list of numbers is a setting


def _check_shards(file: str, said: Json) -> None:
    shards = said.get("weight_map") if isinstance(said, dict) else None
    for name in set(map(str, shards.values())) if isinstance(shards, dict) else ():
        if not is_inside(name):
            raise refused(file, _("it points outside its folder"))
        if not name.endswith(".safetensors"):
            raise refused(file, _("a file of this kind can hold code; weights must be safetensors or ONNX"))


def _check_activation(file: str, said: Mapping[str, Json]) -> None:
    """sentence-transformers imports what the config of a Dense layer names."""
    name = said.get("activation_function")
    if isinstance(name, str) and "." in name and not re.fullmatch(r"torch\.nn\.(modules\.[a-z]+\.)?[A-Z]\w*", name):
        raise _names_code(file, name)


def _patterns(said: Json) -> Iterator[str]:
    """Yield every regular expression of a tokenizer. Source: huggingface/tokenizers, `Split`, `Replace`: `{"Regex": "..."}`."""
    waiting = (
        [said.get(part) for part in ("normalizer", "pre_tokenizer", "decoder", "post_processor")]
        if isinstance(said, dict)
        else []
    )
    while waiting:
        match waiting.pop():
            case {"Regex": str(pattern)}:
                yield pattern
            case dict(inner):
                waiting += inner.values()
            case list(inner):
                waiting += inner


def _is_slow(pattern: str) -> bool:
    """Say whether a group that repeats without end stands within what repeats without end, `(a+)+` takes 2^n steps; or it is too long.

    Such patterns are found by their form, as safe-regex does; none of the tokenizers in use has one.
    """
    if len(pattern) > LONGEST_PATTERN:
        return True
    groups: list[bool] = [False]  # of each open group: does it repeat something without end?
    after: bool | None = None  # the group just closed, while its quantifier is looked at
    for part in _PART.findall(pattern):
        if part[0] == "(":
            groups.append(False)
            after = None
        elif part == ")" and len(groups) > 1:
            after = groups.pop()
            groups[-1] |= after
        elif _ENDLESS.fullmatch(part):
            if after:
                return True
            groups[-1], after = True, None
        else:
            after = None
    return False


LONGEST_PATTERN: Final = 5_000
"""Characters of a tokenizer's pattern; those in use have some hundreds."""
_PART: Final = lazy.compile(
    r"\\.|\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\]|\((?:\?[a-zA-Z<>=!:|#^-]*)?|\)|[*+][?+]?|\{\d*,?\d*\}[?+]?|.", re.DOTALL
)
_ENDLESS: Final = lazy.compile(r"[*+][?+]?|\{\d+,\}[?+]?")


def _texts(value: Json) -> Iterator[str]:
    """Yield every text in `value`: a template, or templates by name."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str(text):
                yield text
            case dict(inner):
                waiting += inner.values()
            case list(inner):
                waiting += inner


def _names_code(file: str, name: str) -> Exception:
    return refused(file, _("it names code to import: {name}", name=plain(name) or "?"))
