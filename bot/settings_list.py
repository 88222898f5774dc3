"""`paring doctor --settings`: every setting, its value, its variable and what it is; the page of the documentation, too.

A secret's value is never told, only whether it is set.

    print(settings_table(settings, "ko"))
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pydantic import SecretStr

from bot.config_file import walk
from bot.config_section import variable
from bot.config_strangers import SECTION, NotLoaded, brought, kind_of
from bot.locale import Language, phrases
from bot.sandbox import Json
from bot.status import table

if TYPE_CHECKING:
    from bot.config import Settings

_ = phrases(__file__)


def settings_rows(settings: Settings) -> list[Mapping[str, Json]]:
    """Return one mapping a setting: setting, value, variable, meaning (in English); of a secret, whether it is set."""
    rows: list[Mapping[str, Json]] = []
    for key, default, description, secret in _every_key():
        value: object = settings
        for part in key.split("."):
            value = (value.get(part) if isinstance(value, Mapping) else getattr(value, part)) if value is not None else None
        value = default if value is None else value
        shown = isinstance(value, SecretStr) and bool(value.get_secret_value()) if secret else _plainly(value)
        rows.append({"setting": key, "value": shown, "variable": variable(key), "meaning": description})
    return rows


def settings_table(settings: Settings, language: Language) -> str:
    """Return the same as a table for people."""
    rows = [[heading.to(language) for heading in (_("setting"), _("value"), _("variable"), _("meaning"))]]
    secrets = {key for key, _default, _description, secret in _every_key() if secret}
    for row in settings_rows(settings):
        key, value = str(row["setting"]), row["value"]
        shown = (_("set") if value else _("not set")).to(language) if key in secrets else _as_typed(value)
        rows.append([key, shown or "-", str(row["variable"]), _(str(row["meaning"])).to(language)])
    return table(rows)


def _every_key() -> Iterator[tuple[str, object, str, bool]]:
    """Yield what `walk` does, and then the settings of channels that other packages bring."""
    yield from walk()
    for name in brought():
        kind = kind_of(name)
        if not isinstance(kind, NotLoaded):
            yield from walk(kind, f"{SECTION}.{name}.")


def _as_typed(value: Json) -> str:
    """Return a setting's value as it is typed into the environment."""
    if isinstance(value, list):
        return ",".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{slot} = {name}" for slot, name in value.items())
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _plainly(value: object) -> Json:
    """Return a setting's value as JSON has it."""
    if isinstance(value, tuple):
        return [str(entry) for entry in value]
    if isinstance(value, dict):
        return {str(name): str(entry) for name, entry in value.items()}
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


def settings_page(language: Language) -> str:
    """Return docs/configuration.md, in Korean docs/configuration.ko.md: every setting with its default, its variable and what it is."""
    heading = (_("setting"), _("variable"), _("default"), _("meaning"))
    lines = [
        f"# {_('Configuration').to(language)}",
        "",
        (_MADE_KO if language == "ko" else _MADE).to(language),
        "",
        _(
            "Settings stand in `paring.toml` (the file that `PARING_CONFIG` names, else `./paring.toml`, else `PARING_HOME/paring.toml`); "
            "the\nenvironment goes over it, where a variable is not empty. A key of the file is written in its table: `web.port` is `port` "
            "under\n`[web]`. Unknown keys are refused, with the nearest known one. Secrets are taken from the environment alone and are never\n"
            "printed."
        ).to(language),
        "",
        f"| {' | '.join(title.to(language) for title in heading)} |",
        "| --- | --- | --- | --- |",
    ]
    for key, default, description, secret in walk():
        shown = (
            f"*{_('secret').to(language)}*"
            if secret
            else _("the user's data folder").to(language)
            if key == "home"
            else _written(default)
        )
        lines.append(f"| `{key}` | `{variable(key)}` | {shown} | {_(description).to(language)} |")
    lines += ["", _CHANNELS.to(language)]
    return "\n".join(lines) + "\n"


_CHANNELS = _(
    "A channel that another package brings ([how](adding-a-channel.md)) is set in a table of its own, `[channels.NAME]`, or by "
    "`PARING_CHANNELS__NAME__…`; `paring\ndoctor --settings` lists what those take that are installed."
)
_MADE = _("Made by `paring doctor --settings --markdown > docs/configuration.md`; a test compares the two.")
_MADE_KO = _(
    "Made by `PARING_LANGUAGE=ko paring doctor --settings --markdown > docs/configuration.ko.md`; a test compares the two."
)


def _written(default: object) -> str:
    if default in ("", (), None) or default == {}:
        return "–"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"
