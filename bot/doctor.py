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
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bot.config import MEBIBYTE
from bot.config_file import find_config
from bot.doctor_channels import LOOKS, OWN_HOSTS
from bot.doctor_named import NAMED
from bot.doctor_report import Finding, Report, State, plain
from bot.errors import ParingError, refusal
from bot.locale import Text, phrases
from bot.message import Message, unpack
from bot.models.health import health_of
from bot.store import schema
from bot.store.blobs import BlobStore
from bot.store.failures import LOCKED

if TYPE_CHECKING:
    from bot.config import Settings

_ = phrases(__file__)

ROOMY_MB, LEAST_MB = 1024, 64
"""Free space that is enough for thousands of documents, and below which nothing can be kept."""
DEAF = "embed.minilm.v1"
FORMER = (DEAF, "embed.minilm-ko.v1", "embed.minilm-ko.v2")
"""What searches started with before there was one that knows Korean, or knows it better."""


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
        *NAMED,
        *LOOKS,
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
    return Finding(_("settings"), "ok", plain(str(file.resolve())))


def _home(settings: Settings) -> list[Finding]:
    home = settings.home
    nearest = next(path for path in (home, *home.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=nearest):  # a file that is gone again: what may be written is only known by writing
            pass
    except OSError as error:
        told = _("{home} cannot be written: {why}", home=str(home), why=refusal(error))
        return [Finding(_("home"), "missing", told, _("export PARING_HOME=~/paring (or another folder of yours)"))]
    return [Finding(_("home"), "ok", plain(str(home)))]


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
        return [Finding(what, "missing", error.text, _mended(path, error))]
    if not found:
        return [Finding(what, "ok", _("none yet; it is made at the first start"))]
    if not _is_open(path, os.W_OK):
        return [Finding(what, "missing", _("{file} cannot be written", file=str(path)), _whose(path))]
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


def _mended(path: Path, error: ParingError) -> Text:
    """Return what is done about a database that cannot be opened: only one that is none, or damaged, is put away."""
    if error.text is LOCKED:
        return _("end the other program; nothing is wrong with the file")
    if not _is_open(path, os.R_OK):
        return _whose(path)
    return _("mv {file} {file}.broken", file=str(path))


def _is_open(path: Path, right: int) -> bool:
    """Say whether this user has the right to the database and to what SQLite keeps beside it."""
    files = (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm"))
    return all(os.access(one, right) for one in files if one.exists())


def _whose(path: Path) -> Text:
    return _("let the bot's own user write it: ls -l {file} says whose it is", file=str(path))


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
    if live and (name := live.partition("@")[0]) in FORMER:
        if name == DEAF:
            told = _("{live}, which knows no Korean; a better one came with an upgrade", live=live)
        else:
            told = _("{live}, which knows less Korean than a better one that came with an upgrade", live=live)
        return [Finding(what, "optional", told, _("paring index use embed.minilm-ko.v3 (it knows both languages)"))]
    return [Finding(what, "ok", plain(live))] if live else []


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
            findings.append(Finding(what, "ok", plain(status.model)))
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
