"""The settings of channels that other packages bring, by an entry point of `paring.channels` each.

    [channels.irc]                       # in paring.toml, or PARING_CHANNELS__IRC__SERVER=irc.example.org
    server = "irc.example.org"

The entry point names a value whose `settings` is a kind of ChannelSettings (`bot.channels.spec`). Its package is imported where something of its
channel is set. One that cannot be loaded stops nobody: its channel is left out, and the reason stands in the place of its settings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from pydantic import ConfigDict, ValidationError, create_model
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as SourceError

from bot import lazy
from bot.config_channels import ChannelSettings
from bot.config_errors import first_problem
from bot.config_section import PREFIX, variable
from bot.errors import SettingsError
from bot.locale import Text, phrases
from bot.plugins import installed

_ = phrases(__file__)

GROUP: Final = "paring.channels"
SECTION: Final = "channels"
OWN: Final = frozenset({"web", "console", "telegram", "slack", "matrix", "press", "test"})
"""Names that no package may take: an admin of `telegram:4711` is one of Telegram's."""
_PREFIX: Final = f"{PREFIX}{SECTION.upper()}__"
_NAME: Final = lazy.compile(r"[a-z][a-z0-9]{0,30}")


class NotLoaded(ChannelSettings):
    """What stands in the place of settings that nobody can read: why not."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    why: Text


class _Environment(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, env_nested_delimiter="__", env_ignore_empty=True, frozen=True, extra="forbid"
    )


def brought() -> tuple[str, ...]:
    """Return the names of the channels that installed packages bring."""
    return tuple(sorted(installed(GROUP)))


def named(from_file: Mapping[str, Any], environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of the channels of others of which something is set."""
    section = from_file.get(SECTION)
    in_file = list(section) if isinstance(section, Mapping) else []
    begun = [name.removeprefix(_PREFIX).partition("__")[0].lower() for name in environment if name.startswith(_PREFIX)]
    return tuple(dict.fromkeys([*in_file, *begun]))


def kind_of(name: str) -> type[ChannelSettings] | NotLoaded:
    """Return what the settings of the channel `name`, which a package brings, are; where it cannot be loaded, why not."""
    try:
        kind = getattr(loaded(name), "settings", None)
    except SettingsError as error:
        return NotLoaded(why=error.text)
    if isinstance(kind, type) and issubclass(kind, ChannelSettings):
        return kind
    return NotLoaded(why=_unfit(name, "settings: ChannelSettings"))


@cache
def loaded(name: str) -> object:
    """Return what the entry point of the channel `name` names. Raises SettingsError: it cannot be loaded, or may not be called so."""
    if name in OWN or not _NAME.fullmatch(name) or hasattr(BaseSettings, name):
        raise SettingsError(
            _("No package may call its channel “{name}”: a name is of a–z and 0–9, and none of Paring's own.", name=name)
        )
    try:
        return installed(GROUP)[name].load()
    except (Exception, SystemExit) as error:  # a stranger's code, at its import
        raise SettingsError(_unfit(name, f"{type(error).__name__}: {error}")) from error


def read(name: str, kind: type[ChannelSettings] | NotLoaded, from_file: Mapping[str, Any]) -> ChannelSettings:
    """Return the settings of a channel: `from_file`, the environment over it. Raises SettingsError on a value that is not right."""
    if isinstance(kind, NotLoaded):
        return kind
    fields: dict[str, Any] = {name: (kind, ...)}
    given: dict[str, Any] = {name: from_file}
    within: Callable[..., BaseSettings] = create_model("Strangers", __base__=_Environment, **fields)
    try:
        found: ChannelSettings = getattr(within(**given), name)
    except ValidationError as error:
        raise SettingsError(first_problem(error, variable=variable, within=f"{SECTION}.")) from None
    except SourceError as error:
        raise SettingsError(_("A setting of {section} is not right: expected JSON.", section=f"{SECTION}.{name}")) from error
    except Exception as error:  # noqa: BLE001 - a stranger's validator
        return NotLoaded(why=_unfit(name, type(error).__name__))
    return found


def _unfit(name: str, why: str) -> Text:
    return _(
        "The package of the channel “{name}” cannot be used ({why}). The rest of the bot runs without it; mend that package, or remove it.",
        name=name, why=why,
    )  # fmt: skip
