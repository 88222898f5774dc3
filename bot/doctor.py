"""`paring doctor`: what is set up, what is missing, what to type next. Reads and looks; changes nothing, contacts nobody.

report = examine(settings)
print(report)            # a line a finding
"""

from __future__ import annotations

import os
import socket
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bot.config import variable, walk
from bot.errors import ParingError, SettingsError
from bot.sandbox import Json
from bot.status import table
from bot.store import schema

if TYPE_CHECKING:
    from bot.config import Settings

State = Literal["ok", "optional", "missing"]
SIGNS: dict[State, str] = {"ok": "✓", "optional": "○", "missing": "✗"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `next` is what to type, "" where there is nothing to do."""

    what: str
    state: State
    detail: str
    next: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """All findings. The bot can run while none is missing."""

    findings: tuple[Finding, ...]

    @property
    def can_run(self) -> bool:
        """Whether nothing that the bot needs is missing."""
        return all(finding.state != "missing" for finding in self.findings)

    def as_json(self) -> Mapping[str, Json]:
        """Return the report for a machine."""
        rows: list[Json] = [
            {"what": one.what, "state": one.state, "detail": one.detail, "next": one.next} for one in self.findings
        ]  # fmt: skip
        return {"can_run": self.can_run, "findings": rows}

    def __str__(self) -> str:
        lines = []
        for one in self.findings:
            lines.append(f"{SIGNS[one.state]} {one.what}: {one.detail}")
            if one.next:
                lines.append(f"    → {one.next}")
        return "\n".join(lines)


def examine(settings: Settings) -> Report:
    """Look at everything and return what was found."""
    looks: tuple[Callable[[Settings], list[Finding]], ...] = (_home, _database, _models, _web, _telegram)
    return Report(tuple(finding for look in looks for finding in look(settings)))


def settings_table(settings: Settings) -> str:
    """Return every setting with its value, its variable and what it is; secrets as set or not set."""
    rows = [["setting", "value", "variable", "meaning"]]
    for key, _default, description, secret in walk():
        value: object = settings
        for part in key.split("."):
            value = getattr(value, part)
        shown = ("set" if value.get_secret_value() else "not set") if secret else str(value)  # type: ignore[attr-defined]
        rows.append([key, shown or "-", variable(key), description])
    return table(rows)


def settings_page() -> str:
    """Return docs/configuration.md: every setting with its default, its variable and what it is."""
    lines = [
        "# Configuration",
        "",
        "Made by `paring doctor --settings --markdown > docs/configuration.md`; a test compares the two.",
        "",
        "Settings stand in `paring.toml` (the file that `PARING_CONFIG` names, else `./paring.toml`, else `PARING_HOME/paring.toml`); the",
        "environment goes over it. A key of the file is written in its table: `web.port` is `port` under `[web]`. Unknown keys are",
        "refused, with the nearest known one. Secrets are taken from the environment alone and are never printed.",
        "",
        "| setting | variable | default | meaning |",
        "| --- | --- | --- | --- |",
    ]
    for key, default, description, secret in walk():
        shown = "*secret*" if secret else "the user's data folder" if key == "home" else _written(default)
        lines.append(f"| `{key}` | `{variable(key)}` | {shown} | {description} |")
    return "\n".join(lines) + "\n"


def _written(default: object) -> str:
    if default in ("", (), None) or default == {}:
        return "–"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _home(settings: Settings) -> list[Finding]:
    home = settings.home
    nearest = next(path for path in (home, *home.parents) if path.exists())
    if not os.access(nearest, os.W_OK):
        return [Finding("home", "missing", f"{home} cannot be written", "set PARING_HOME to a folder of yours")]
    return [Finding("home", "ok", str(home))]


def _database(settings: Settings) -> list[Finding]:
    path = settings.database
    try:
        found = schema.version(path)
    except ParingError as error:
        return [Finding("database", "missing", str(error), "move it away, or restore a backup")]
    if not found:
        return [Finding("database", "ok", "none yet; it is made at the first start")]
    if found > schema.head():
        return [Finding("database", "missing", f"made by a newer Paring (schema {found})", "update Paring")]
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        check = connection.execute("PRAGMA quick_check").fetchone()[0]
        waiting = connection.execute("SELECT count(*) FROM inbox WHERE state IN ('received', 'working')").fetchone()[0]
        dead = connection.execute("SELECT count(*) FROM inbox WHERE state = 'dead'").fetchone()[0]
    if check != "ok":
        return [Finding("database", "missing", f"{path} is damaged: {check}", "stop the bot and restore a backup")]
    detail = f"{path}, schema {found}; {waiting} messages wait, {dead} set aside"
    return [Finding("database", "ok", detail if found == schema.head() else f"{detail}; upgraded at the next start")]


def _models(settings: Settings) -> list[Finding]:
    from bot.models.catalogue import Catalogue  # noqa: PLC0415 - the other looks need no models
    from bot.models.pool import Pool  # noqa: PLC0415

    findings = []
    for status in Pool(Catalogue(settings), settings).status():
        if status.slot == "embed" and not _sound(settings):
            findings.append(
                Finding("model for embed", "missing", "MiniLM is not prepared yet, or its files were changed", "paring setup")
            )
        elif status.model and status.health.startswith(("ready", "idle")):
            findings.append(Finding(f"model for {status.slot}", "ok", status.model))
        elif status.slot == "embed":
            findings.append(Finding("model for embed", "missing", status.health, "paring setup"))
        else:
            advice = f'put a model into {settings.model_home} and set [models.choose] {status.slot} = "NAME" in paring.toml'
            findings.append(Finding(f"model for {status.slot}", "optional", status.health or "none is installed", advice))
    return findings


def _sound(settings: Settings) -> bool:
    """Say whether the prepared MiniLM is there, byte for byte as it was made; True where another embedder is chosen."""
    from bot.models.prepare import find_prepared, intact  # noqa: PLC0415

    if "embed" in settings.models.choose:
        return True
    folder = find_prepared(settings.home)
    return folder is not None and intact(folder, thorough=True)


def _web(settings: Settings) -> list[Finding]:
    web = settings.web
    if not web.enabled:
        return [Finding("web page", "optional", "switched off", "set PARING_WEB__ENABLED=true")]
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((web.host, web.port))
        except OSError as error:
            detail = f"{web.host}:{web.port} cannot be used ({error.strerror}); perhaps the bot is running"
            return [Finding("web page", "optional", detail, "set PARING_WEB__PORT to a free port if it is not")]
    return [Finding("web page", "ok", f"http://{web.host}:{web.port}", "paring run")]


def _telegram(settings: Settings) -> list[Finding]:
    token = settings.telegram.token.get_secret_value()
    if not token:
        return [Finding("Telegram", "optional", "no token", "export PARING_TELEGRAM__TOKEN=… (from @BotFather), then paring run")]
    if not token.partition(":")[0].isdigit():
        raise SettingsError(
            "PARING_TELEGRAM__TOKEN is no token: expected digits, a colon and letters. Copy it again from @BotFather."
        )
    if settings.telegram.webhook_url and not settings.telegram.webhook_secret.get_secret_value():
        return [Finding("Telegram", "missing", "a webhook without a secret", "set PARING_TELEGRAM__WEBHOOK_SECRET")]
    return [Finding("Telegram", "ok", "a token is set; it is tried at the start")]
