"""Reads models.yaml: the presets that a package brings, in a plain file that a person can read and extend.

Owns: the file's shape, and the sentence that says what is wrong in it. Leaves to `bot.models.catalogue` what it means.

    read_presets(Path("bot/models/models.yaml")).models[0].name
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_args

from bot.errors import ModelError
from bot.locale import phrases
from bot.models.spec import ModelFile, ModelSpec, SourceKind

if TYPE_CHECKING:
    from yaml.events import Event

_ = phrases(__file__)

LARGEST_BYTES: Final = 1 << 20
DEEPEST: Final = 12
"""Levels of YAML's own; what is described needs seven."""
REQUIRED: Final = ("name", "slot", "family", "source")
_TEXTS: Final = ("name", "slot", "family", "source", "location", "revision", "licence", "good_for", "good_for_ko", "seen_at")
_NUMBERS: Final = ("ram_mb", "size_mb")
_KNOWN: Final = tuple(field.name for field in fields(ModelSpec))
_FILE_KEYS: Final = tuple(field.name for field in fields(ModelFile))
_SOURCES: Final[tuple[str, ...]] = get_args(SourceKind)

Yaml = object
"""What YAML holds: it is looked at before it is used."""


@dataclass(frozen=True, slots=True)
class Presets:
    """A package's models in the order of its file, and which of them a slot starts with, best first."""

    defaults: tuple[str, ...] = ()
    models: tuple[ModelSpec, ...] = ()


def read_presets(file: Path) -> Presets:
    """Return what a models.yaml says.

    Raises:
        ModelError: it cannot be read, a key is unknown or missing, or a value is of the wrong kind.
    """
    said = read_yaml(file)
    _refuse_unknown(file, said, ("default", "models"))
    models = said.get("models") or []
    if not isinstance(models, list):
        raise _wrong(file, "models must be a list")
    return Presets(_names(file, said.get("default")), tuple(spec_of(file, one) for one in models))


def spec_of(file: Path, said: Yaml) -> ModelSpec:
    """Return the ModelSpec that one entry of `file` describes. Raises ModelError where it describes none."""
    if not isinstance(said, dict):
        raise _wrong(file, f"each model must be a mapping of keys, but found {type(said).__name__}")
    _refuse_unknown(file, said, _KNOWN)
    if missing := [key for key in REQUIRED if not said.get(key)]:
        raise _wrong(file, f"a model lacks {', '.join(missing)}")
    for key in _TEXTS:
        if not isinstance(said.get(key, ""), str):
            raise _wrong(file, f"{key} of {said['name']} must be a text in quotes")
    if said["source"] not in _SOURCES:
        raise _wrong(file, f"source of {said['name']} must be one of {', '.join(_SOURCES)}")
    for key in _NUMBERS:
        number = said.get(key, 0)
        if not isinstance(number, int) or isinstance(number, bool) or number < 0:
            raise _wrong(file, f"{key} of {said['name']} must be a whole number")
    return ModelSpec(
        **{key: said[key] for key in (*_TEXTS, *_NUMBERS) if key in said},
        files=tuple(_file(file, one) for one in _list(file, said, "files")),
        languages=tuple(_text(file, one) for one in _list(file, said, "languages")),
    )


def read_yaml(file: Path) -> dict[str, Yaml]:
    """Return a YAML file's mapping. Raises ModelError where it is none."""
    import yaml  # noqa: PLC0415 - 20 ms that whoever only wants the values does not pay

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        if file.stat().st_size > LARGEST_BYTES:
            raise _wrong(file, "it is larger than 1 MiB")
        text = file.read_text(encoding="utf-8")
        if why := _too_much(yaml.parse(text, Loader=loader)):
            raise _wrong(file, why)
        said = yaml.load(text, Loader=loader)  # noqa: S506 - both are safe loaders
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        raise _wrong(file, str(error).splitlines()[0] if str(error) else type(error).__name__) from error
    if said is None:
        return {}
    if not isinstance(said, dict) or not all(isinstance(key, str) for key in said):
        raise _wrong(file, "it must be a mapping of keys")
    return said


def _too_much(events: Iterable[Event]) -> str:
    """Return why YAML of these events is not built; "" where it may be.

    libyaml's composer ends the process over deep nesting, and an alias in an alias makes gigabytes of a few lines.
    """
    depth = 0
    for event in events:
        kind = type(event).__name__
        depth += kind.endswith("StartEvent") - kind.endswith("EndEvent")
        if depth > DEEPEST:
            return f"it nests deeper than {DEEPEST} levels"
        if kind == "AliasEvent":
            return "it has an alias (*name); write the value again"
    return ""


def _names(file: Path, said: Yaml) -> tuple[str, ...]:
    if said is None:
        return ()
    return tuple(_text(file, name) for name in (said if isinstance(said, list) else [said]))


def _file(file: Path, said: Yaml) -> ModelFile:
    if not isinstance(said, dict):
        raise _wrong(file, "each of files must have path, sha256 and size_bytes")
    _refuse_unknown(file, said, _FILE_KEYS)
    size = said.get("size_bytes", 0)
    if not isinstance(size, int):
        raise _wrong(file, "size_bytes must be a whole number")
    return ModelFile(_text(file, said.get("path")), _text(file, said.get("sha256", "")), size)


def _list(file: Path, said: Mapping[str, Yaml], key: str) -> Sequence[Yaml]:
    value = said.get(key) or []
    if not isinstance(value, list):
        raise _wrong(file, f"{key} of {said['name']} must be a list")
    return value


def _text(file: Path, value: Yaml) -> str:
    if not isinstance(value, str):
        raise _wrong(file, f"expected a text in quotes, found {repr(value)[:80]}")
    return value


def _refuse_unknown(file: Path, said: Mapping[str, Yaml], known: Sequence[str]) -> None:
    if unknown := [key for key in said if key not in known]:
        raise _wrong(file, f"there is no key “{unknown[0]}”; known are {', '.join(known)}")


def _wrong(file: Path, what: str) -> ModelError:
    return ModelError(
        _("{file} is not right: {what}. Mend it and start again.", file=f"{file.parent.name}/{file.name}", what=what)
    )
