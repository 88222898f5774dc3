"""`paring doctor`: what is set up, what is missing, what to type next. Reads and looks; changes nothing, contacts nobody.

report = examine(settings)
print(report.to("ko"))   # a line a finding
"""

from __future__ import annotations

import os
import shlex
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from bot.config import MEBIBYTE
from bot.config_file import find_config, walk
from bot.config_section import variable
from bot.config_strangers import SECTION, NotLoaded, brought, kind_of
from bot.errors import ChannelError, ParingError, SettingsError, refusal
from bot.locale import Language, Text, phrases
from bot.message import Message, unpack
from bot.models.health import health_of
from bot.sandbox import Json
from bot.store import schema
from bot.store.blobs import BlobStore

if TYPE_CHECKING:
    from bot.config import Settings

_ = phrases(__file__)

ROOMY_MB, LEAST_MB = 1024, 64
"""Free space that is enough for thousands of documents, and below which nothing can be kept."""
FORMER = "embed.minilm.v1"
"""What searches started with before there was one that knows Korean."""
OWN_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})

State = Literal["ok", "optional", "missing"]
SIGNS: dict[State, str] = {"ok": "✓", "optional": "○", "missing": "✗"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `next` is what to type, None where there is nothing to do."""

    what: Text
    state: State
    detail: Text
    next: Text | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """All findings. The bot can run while none is missing."""

    findings: tuple[Finding, ...]

    @property
    def can_run(self) -> bool:
        """Whether nothing that the bot needs is missing."""
        return all(finding.state != "missing" for finding in self.findings)

    def as_json(self) -> Mapping[str, Json]:
        """Return the report for a machine, in English."""
        rows: list[Json] = [
            {"what": str(one.what), "state": one.state, "detail": str(one.detail), "next": str(one.next or "")}
            for one in self.findings
        ]
        return {"can_run": self.can_run, "findings": rows}

    def to(self, language: Language) -> str:
        """Return the report for a person, a line a finding."""
        lines = []
        for one in self.findings:
            lines.append(f"{SIGNS[one.state]} {one.what.to(language)}: {one.detail.to(language)}")
            if one.next is not None:
                lines.append(f"    → {one.next.to(language)}")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.to("en")


def examine(settings: Settings, environment: Mapping[str, str] | None = None, *, program: str = "paring") -> Report:
    """Look at everything and return what was found; `program` is how this one is typed."""
    environment = os.environ if environment is None else environment
    looks: tuple[Callable[[Settings], list[Finding]], ...] = (
        _home,
        _disk,
        _database,
        _files,
        _index,
        _vectors,
        _models,
        _reading,
        _web,
        _telegram,
        _slack,
        _matrix,
        _strangers,
    )
    found = [_file(environment), *(finding for look in looks for finding in look(settings))]
    return Report((*_command(program), *found, *_outward(settings, environment)))


def _command(program: str) -> list[Finding]:
    """Say how the command is found: what is to be typed next begins with `paring`."""
    if program == "paring":
        return []
    folder = Path(shlex.split(program)[0]).resolve().parent
    there = _("the shell does not find paring by its name; here it is {program}", program=program)
    return [Finding(_("command"), "optional", there, _("export PATH={folder}:$PATH", folder=shlex.quote(str(folder))))]


def _file(environment: Mapping[str, str]) -> Finding:
    file = find_config(environment)
    if file is None:
        return Finding(_("settings"), "ok", _("no paring.toml; the defaults, and what the environment sets"))
    return Finding(_("settings"), "ok", _plain(str(file.resolve())))


def _home(settings: Settings) -> list[Finding]:
    home = settings.home
    nearest = next(path for path in (home, *home.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=nearest):  # a file that is gone again: what may be written is only known by writing
            pass
    except OSError as error:
        told = _("{home} cannot be written: {why}", home=str(home), why=refusal(error))
        return [Finding(_("home"), "missing", told, _("export PARING_HOME=~/paring (or another folder of yours)"))]
    return [Finding(_("home"), "ok", _plain(str(home)))]


def _disk(settings: Settings) -> list[Finding]:
    nearest = next(path for path in (settings.home, *settings.home.parents) if path.exists())
    free_mb = shutil.disk_usage(nearest).free // MEBIBYTE
    told = _("{free} MB are free", free=free_mb)
    if free_mb >= ROOMY_MB:
        return [Finding(_("disk"), "ok", told)]
    state: State = "optional" if free_mb >= LEAST_MB else "missing"
    return [Finding(_("disk"), state, told, _("free some space, or set PARING_HOME to a folder on a larger disk"))]


def _database(settings: Settings) -> list[Finding]:
    path = settings.database
    what = _("database")
    try:
        found = schema.version(path)
    except ParingError as error:
        return [Finding(what, "missing", error.text, _("mv {file} {file}.broken", file=str(path)))]
    if not found:
        return [Finding(what, "ok", _("none yet; it is made at the first start"))]
    if found > schema.head():
        return [Finding(what, "missing", _("made by a newer Paring (schema {found})", found=found), _("update Paring"))]
    waiting = dead = documents = 0
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            check = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            waiting = connection.execute("SELECT count(*) FROM inbox WHERE state IN ('received', 'working')").fetchone()[0]
            dead = connection.execute("SELECT count(*) FROM inbox WHERE state = 'dead'").fetchone()[0]
            documents = connection.execute("SELECT count(*) FROM documents").fetchone()[0]
    except sqlite3.DatabaseError as error:
        check = str(error)
    if check != "ok":
        damaged = _("{file} is damaged: {why}", file=str(path), why=check)
        return [
            Finding(what, "missing", damaged, _("stop the bot, move the file away, then put a copy from before in its place"))
        ]
    detail = _(
        "{file}, schema {found}; {documents} documents, {waiting} messages wait, {dead} set aside",
        file=str(path), found=found, documents=documents, waiting=waiting, dead=dead,
    )  # fmt: skip
    return [Finding(what, "ok", detail if found == schema.head() else _("{detail}; upgraded at the next start", detail=detail))]


def _files(settings: Settings) -> list[Finding]:
    """Say which files that messages name are missing, or not as long as they were; nothing where the database says nothing."""
    store, unsound = BlobStore(settings.home / "blobs"), dict[str, str]()
    try:
        with closing(sqlite3.connect(f"{settings.database.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            for (packed,) in connection.execute('SELECT message FROM inbox WHERE message LIKE \'%"blob":"%\''):
                for file in unpack(Message, packed).attachments:
                    if file.blob and not store.holds(file.blob, file.size_bytes):
                        unsound[file.blob] = file.name or file.blob[:12]
    except (sqlite3.DatabaseError, ValueError):
        return []
    if not unsound:
        return []
    told = _(
        "of those that were sent, missing or cut: {count} ({names})", count=len(unsound), names=", ".join([*unsound.values()][:3])
    )
    return [Finding(_("files"), "optional", told, _("have them sent again, or bring back a backup: paring restore FILE"))]


def _index(settings: Settings) -> list[Finding]:
    """Say whether the saved index is what was written: no word of it is loaded."""
    from bot.retrieval.saved import UnfitError  # noqa: PLC0415 - numpy is not needed for the other looks
    from bot.retrieval.shelter import SET_ASIDE, SHELTER, Shelter  # noqa: PLC0415 - as above

    what, shelter = _("index file"), Shelter(settings.home / SHELTER)
    try:
        made = shelter.check()
    except UnfitError as error:
        unfit = _("{file} does not fit: {why}; it will not be loaded", file=str(shelter.newest()), why=error.text)
        return [Finding(what, "optional", unfit, _("paring index rebuild"))]
    told = (
        _("none yet; the database is read instead")
        if made is None
        else _("of {embedder}, as it was written", embedder=made.mark.embedder)
    )
    if aside := len(shelter.aside()):
        folder = str(shelter.folder / SET_ASIDE)
        told = _("{detail}; {count} that did not fit are in {folder}", detail=told, count=aside, folder=folder)
    return [Finding(what, "ok", told)]


def _vectors(settings: Settings) -> list[Finding]:
    """Say by which embedder is searched, and how a change of it stands."""
    what = _("embedder of searches")
    try:
        if schema.version(settings.database) != schema.head():
            return []
        with closing(sqlite3.connect(f"{settings.database.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            by_state: dict[str, str] = dict(connection.execute("SELECT state, embedder FROM generations ORDER BY id").fetchall())
            wish = connection.execute("SELECT model FROM assignments WHERE slot = 'embed' AND failure <> ''").fetchone()
    except (ParingError, sqlite3.DatabaseError):
        return []  # told where the database is looked at
    live = by_state.get("live")
    if wish:
        failed = _("the change to {model} failed; {live} stays live", model=wish[0], live=live or "-")
        return [Finding(what, "optional", failed, _("paring index status (it says why)"))]
    if live and "building" in by_state:
        return [Finding(what, "ok", _("{live}; the vectors of {next} are being made", live=live, next=by_state["building"]))]
    if live and live.partition("@")[0] == FORMER:
        deaf = _("{live}, which knows no Korean", live=live)
        return [Finding(what, "optional", deaf, _("paring index use embed.minilm-ko.v1 (it knows both languages)"))]
    return [Finding(what, "ok", _plain(live))] if live else []


def _models(settings: Settings) -> list[Finding]:
    from bot.models.catalogue import Catalogue  # noqa: PLC0415 - the other looks need no models
    from bot.models.pool import Pool  # noqa: PLC0415

    findings = []
    for status in Pool(Catalogue(settings), settings).status():
        what = _("model for {slot}", slot=status.slot)
        if status.slot == "embed" and not _sound(settings):
            unprepared = _("MiniLM is not prepared yet, or its files were changed")
            findings.append(Finding(what, "missing", unprepared, _("paring setup")))
        elif status.model and status.health.startswith(("ready", "idle")):
            findings.append(Finding(what, "ok", _plain(status.model)))
        elif status.slot == "embed":
            findings.append(Finding(what, "missing", health_of(status), _("paring setup")))
        else:
            none = status.health in {"", "missing"}
            advice = _(
                'put a model into {folder} and write under [models.choose] of paring.toml: {slot} = "NAME"',
                folder=str(settings.model_home), slot=status.slot,
            )  # fmt: skip
            detail = _("none is installed; everything else works") if none else health_of(status)
            findings.append(Finding(what, "optional", detail, advice))
    return findings


def _reading(_settings: Settings) -> list[Finding]:
    """Say which languages of pictures are read: the data is the system's own."""
    from bot.models.runtimes.tesseract import available, installed, tessdata  # noqa: PLC0415 - as above

    what = _("text in pictures")
    folder = tessdata() if available() else None
    known = set(installed(folder)) if folder else set()
    if {"kor", "eng"} <= known:
        return [Finding(what, "ok", _("Korean and English"))]
    advice = _("apt install tesseract-ocr tesseract-ocr-kor (or your system's packages of these names)")
    return [Finding(what, "optional", _("no Korean data for Tesseract: pictures are read in English alone"), advice)]


def _sound(settings: Settings) -> bool:
    """Say whether the prepared MiniLM is there, byte for byte as it was made; True where another embedder is chosen."""
    from bot.models.prepare import find_prepared, intact  # noqa: PLC0415

    if "embed" in settings.models.choose:
        return True
    folder = find_prepared(settings.home)
    return folder is not None and intact(folder, thorough=True)


def _web(settings: Settings) -> list[Finding]:
    from bot.channels.web_server import address_of, is_loopback, listen  # noqa: PLC0415 - as above

    web, what = settings.web, _("web page")
    if not web.enabled:
        return [Finding(what, "optional", _("switched off"), _("export PARING_WEB__ENABLED=true"))]
    if not is_loopback(web.host) and not web.password.get_secret_value():
        bare = _("{host} is an address that others reach, and there is no password", host=web.host)
        return [Finding(what, "missing", bare, _("export PARING_WEB__PASSWORD=…, or set web.host to 127.0.0.1"))]
    try:
        with listen(web.host, web.port) as probe:
            url = address_of(probe, web.host) if web.port else f"http://{web.host}"
    except ChannelError as error:
        return [Finding(what, "optional", error.text)]
    return [Finding(what, "ok", _plain(url), _("paring run"))]


def _telegram(settings: Settings) -> list[Finding]:
    telegram, what = settings.telegram, Text("Telegram")
    token = telegram.token.get_secret_value()
    if not token:
        return [Finding(what, "optional", _("no token"), _("export PARING_TELEGRAM__TOKEN=… (from @BotFather), then paring run"))]
    if not token.partition(":")[0].isdigit():
        strange = _("PARING_TELEGRAM__TOKEN is no token: expected digits, a colon and letters")
        return [Finding(what, "missing", strange, _("copy it again from @BotFather"))]
    if telegram.webhook_url and not telegram.webhook_secret.get_secret_value():
        advice = _("export PARING_TELEGRAM__WEBHOOK_SECRET=… (letters and digits of your choice)")
        return [Finding(what, "missing", _("a webhook without a secret"), advice)]
    findings = [Finding(what, "ok", _("a token is set; it is tried at the start"))]
    policy, lists = settings.front_door, bool(telegram.allowed_users or telegram.allowed_chats)
    if policy == "everybody":
        everybody = _("everybody who finds the bot may talk to it, and search what is public")
        findings.append(Finding(what, "optional", everybody, _("unset PARING_FRONT_DOOR: who is new is shown a code then")))
    elif policy == "paired" or (policy == "auto" and not lists):
        paired = _("who is new is shown a code; an admin lets them in by it")
        findings.append(Finding(what, "ok", paired, _("paring admit CODE; paring guests shows who was let in")))
    elif not lists:
        nobody = _("only whom the lists name may talk to it, and they name nobody")
        findings.append(Finding(what, "optional", nobody, _("export PARING_TELEGRAM__ALLOWED_USERS=NUMBER,NUMBER")))
    return findings


def _slack(settings: Settings) -> list[Finding]:
    slack, what = settings.slack, Text("Slack")
    if not slack.bot_tokens.get_secret_value():
        return [
            Finding(what, "optional", _("no token"), _("export PARING_SLACK__BOT_TOKENS=… (see docs/slack.md), then paring run"))
        ]
    if not slack.app_token.get_secret_value() and not slack.signing_secret.get_secret_value():
        advice = _("export PARING_SLACK__APP_TOKEN=… for Socket Mode, or PARING_SLACK__SIGNING_SECRET=… for signed requests")
        return [Finding(what, "missing", _("a bot token, but no way for Slack to reach the bot"), advice)]
    return [Finding(what, "ok", _("a token is set; it is tried at the start"))]


def _strangers(settings: Settings) -> list[Finding]:
    """Say of each channel that another package brings whether it can be loaded, and whether anything of it is set."""
    from bot.channels.spec import spec_of  # noqa: PLC0415 - a stranger's package is loaded for this look alone

    findings = []
    for name in brought():
        told, key = settings.channels.get(name), f"{SECTION}.{name}"
        kind = kind_of(name) if told is None else told
        state: State = "optional" if told is None else "missing"
        if isinstance(kind, NotLoaded):
            findings.append(Finding(Text(name), state, kind.why))
            continue
        try:
            what = Text(spec_of(name).title)
        except SettingsError as error:
            findings.append(Finding(Text(name), state, error.text))
            continue
        if isinstance(kind, type):
            first = next((one for one, _default, _meaning, secret in walk(kind, f"{key}.") if not secret), key)
            nothing = _("installed, but nothing of [{section}] is set", section=key)
            advice = _("export {variable}=…, then paring run", variable=variable(first))
            findings.append(Finding(what, "optional", nothing, advice))
        else:
            findings.append(Finding(what, "ok", _("[{section}] is set; it is tried at the start", section=key)))
    return findings


def _matrix(settings: Settings) -> list[Finding]:
    matrix, what = settings.matrix, Text("Matrix")
    if not matrix.enabled:
        told = _("export PARING_MATRIX__USER=@paring:example.org PARING_MATRIX__PASSWORD=… (see docs/matrix.md), then paring run")
        return [Finding(what, "optional", _("no account"), told)]
    if not any(one.get_secret_value() for one in (matrix.password, matrix.token, matrix.appservice_token)):
        advice = _("export PARING_MATRIX__PASSWORD=…, or PARING_MATRIX__TOKEN=…")
        return [Finding(what, "missing", _("an account, but no password and no token"), advice)]
    if not matrix.user and not matrix.token.get_secret_value():
        return [
            Finding(what, "missing", _("a password, but nobody whose it is"), _("export PARING_MATRIX__USER=@paring:example.org"))
        ]
    there = urlsplit(matrix.homeserver)
    if there.scheme == "http" and (there.hostname or "") not in OWN_HOSTS:
        told = _("the password and all that is said go to {host} unencrypted", host=there.hostname or "")
        return [Finding(what, "optional", told, _("export PARING_MATRIX__HOMESERVER=https://…"))]
    return [Finding(what, "ok", _("an account is set; it is tried at the start"))]


def _outward(settings: Settings, environment: Mapping[str, str]) -> list[Finding]:
    """Say what is set that sends, or would have other programs send, anything off the machine."""
    findings = []
    host = urlsplit(settings.models.chat_url).hostname or ""
    if host and host not in OWN_HOSTS:
        told = _("what is asked of the chat skill goes to {host}", host=host)
        findings.append(Finding(_("leaves this machine"), "optional", told, _("take models.chat_url away if that is not meant")))
    names = [name for name in environment if name.startswith(("OTEL_EXPORTER_", "FASTAPI_OTEL_", "LOGFIRE_"))]
    if names:
        told = _("{names}: Paring sends nothing to a collector; other programs may", names=", ".join(sorted(names)))
        findings.append(Finding(_("telemetry"), "optional", told, _("unset {names}", names=" ".join(sorted(names)))))
    return findings


def _plain(said: str) -> Text:
    """Return what is the same in every language: a path, a model's name."""
    return Text("{said}", (("said", said),))
