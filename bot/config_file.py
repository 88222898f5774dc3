"""Reads the settings: paring.toml first, the environment over it; unknown keys are refused, with the nearest known one.

    settings = load_settings()
    variable("web.port")    # PARING_WEB__PORT

Leaves to `bot.config` what there is to be set, to `bot.config_errors` what is said of a value that is not right.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_settings import SettingsError as SourceError

from bot.config import PREFIX, Settings
from bot.config_channels import ChannelSettings
from bot.config_errors import first_problem
from bot.config_section import variable
from bot.config_strangers import SECTION, NotLoaded, brought, kind_of, named, read
from bot.errors import SettingsError
from bot.locale import Text, phrases

_ = phrases(__file__)

CONFIG_VARIABLE = "PARING_CONFIG"


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of paring.toml and the environment.

    Raises:
        SettingsError: an unknown key (with the nearest known one), a secret in the file, or a value of the wrong kind.
    """
    environment = os.environ if environment is None else environment
    file = find_config(environment)
    from_file = _read(file) if file else {}
    strangers = _strangers(from_file, environment)
    _refuse_unknown(from_file, environment, file, strangers)
    told = _without_environment(from_file, environment)
    theirs = told.pop(SECTION, {})
    channels = {name: read(name, kind, theirs.get(name, {})) for name, kind in strangers.items()}
    try:
        return Settings(**told, channels=channels)
    except ValidationError as error:
        raise SettingsError(first_problem(error, variable=variable)) from None
    except SourceError:  # the one setting that is no text, number or list
        example = '{"chat": "NAME"}'
        raise SettingsError(
            _("{variable} is not right: expected JSON such as {example}. Set it so, or under [models.choose] in paring.toml.",
              variable=variable("models.choose"), example=example)
        ) from None  # fmt: skip


def find_config(environment: Mapping[str, str]) -> Path | None:
    """Return the paring.toml in force: PARING_CONFIG, else ./paring.toml, else the home's; None where there is none."""
    if named := environment.get(CONFIG_VARIABLE):
        if not Path(named).is_file():
            raise SettingsError(
                _(
                    "{variable} names {file}, which is not a file. Create it or unset {variable}.",
                    variable=CONFIG_VARIABLE,
                    file=named,
                )
            )
        return Path(named)
    home = Path(environment.get("PARING_HOME") or platformdirs.user_data_dir("paring"))
    return next((path for path in (Path("paring.toml"), home / "paring.toml") if path.is_file()), None)


def walk(section: type[BaseModel] = Settings, prefix: str = "") -> Iterator[tuple[str, object, str, bool]]:
    """Yield (dotted key, default, description, is it a secret) of every setting, in the order of the tree."""
    fields = section.model_fields
    own = [name for name in section.__annotations__ if name in fields]
    for name in dict.fromkeys((*own, *fields)):  # what is inherited comes last
        info = fields[name]
        kind = info.annotation
        if info.exclude:
            continue  # made of what others brought
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from walk(kind, f"{prefix}{name}.")
        else:
            none = kind is SecretStr or name == "home" or info.is_required()
            default = "" if none else info.get_default(call_default_factory=True)
            yield f"{prefix}{name}", default, info.description or "", kind is SecretStr


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(
            _(
                "{file} cannot be read: {why}. Mend the file, or move it away to start with the defaults.",
                file=str(file), why=str(error),
            )
        ) from error  # fmt: skip


def _strangers(from_file: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, type[ChannelSettings] | NotLoaded]:
    """Return what the settings of the channels are that other packages bring, of those of which something is set."""
    for name in named(from_file, environment):
        if name not in brought():
            near = difflib.get_close_matches(name, brought(), n=1, cutoff=0.5)
            nearest = _("Did you mean {near}?", near=near[0]) if near else _("Install its package, or take that setting away.")
            raise SettingsError(_("No installed package brings a channel “{name}”. {nearest}", name=name, nearest=nearest))
    return {name: kind_of(name) for name in named(from_file, environment)}


def _refuse_unknown(
    from_file: Mapping[str, Any],
    environment: Mapping[str, str],
    file: Path | None,
    strangers: Mapping[str, type[ChannelSettings] | NotLoaded],
) -> None:
    known = {key: secret for key, _default, _description, secret in walk()}
    unread = ["models.choose."]
    for name, kind in strangers.items():
        if isinstance(kind, NotLoaded):
            unread.append(f"{SECTION}.{name}.")
        else:
            known |= {key: secret for key, _default, _description, secret in walk(kind, f"{SECTION}.{name}.")}
    for key in _flatten(from_file):
        if key in {name.partition(".")[0] for name in known if "." in name}:
            raise SettingsError(
                _(
                    "{file}: “{key}” is a section. Write [{key}] on a line of its own, and its settings below it.",
                    file=str(file),
                    key=key,
                )
            )
        if key not in known and not key.startswith(tuple(unread)):
            raise SettingsError(
                _("{file}: there is no setting “{key}”. {nearest}", file=str(file), key=key, nearest=_nearest(key, known))
            )
        if known.get(key):
            raise SettingsError(
                _(
                    "{file}: “{key}” is a secret and is taken from the environment only: set {variable}.",
                    file=str(file), key=key, variable=variable(key),
                )
            )  # fmt: skip
    variables = {variable(key) for key in known} | {CONFIG_VARIABLE}
    for name in environment:
        if name.startswith(PREFIX) and name not in variables and not name.startswith(tuple(map(variable, unread[1:]))):
            raise SettingsError(_("There is no setting {name}. {nearest}", name=name, nearest=_nearest(name, variables)))


def _flatten(tree: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _nearest(name: str, known: Iterable[str]) -> Text:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return _("Did you mean {near}?", near=near[0]) if near else _("`paring doctor --settings` lists them all.")


def _without_environment(from_file: Mapping[str, Any], environment: Mapping[str, str], prefix: str = "") -> dict[str, Any]:
    """Drop from the file what the environment sets: keyword arguments would win over it."""
    kept: dict[str, Any] = {}
    for name, value in from_file.items():
        if environment.get(variable(f"{prefix}{name}")):
            continue
        kept[name] = _without_environment(value, environment, f"{prefix}{name}.") if isinstance(value, Mapping) else value
    return kept
