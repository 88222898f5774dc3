from __future__ import annotations

import os
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr

from bot.config import (
    BackupSettings,
    MatrixSettings,
    ModelSettings,
    QuotaSettings,
    Settings,
    TelegramSettings,
    WatchSettings,
    WebSettings,
)
from bot.doctor import examine
from bot.doctor_report import Finding, Report
from bot.errors import StoreError
from bot.locale import Text
from bot.message import Attachment
from bot.retrieval.saved import Made
from bot.retrieval.shelter import Shelter
from bot.retrieval.vectors import FlatIndex
from bot.settings_list import settings_rows, settings_table
from bot.store.assignments import Assignments
from bot.store.blobs import BlobStore
from bot.store.database import Database
from bot.store.failures import LOCKED
from bot.store.generations import Generations
from bot.store.inbox import Inbox
from bot.store.shelf import Mark
from bot.testing import make_message


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the models out: their files are hashed whole."""
    monkeypatch.setattr("bot.doctor._models", lambda _settings: [])


def _denied(path: Path) -> str:
    raise StoreError(f"{path} cannot be opened: permission denied.")


def settings(home: Path, **more: object) -> Settings:
    return Settings(home=home, **({"web": WebSettings(port=0)} | more))  # type: ignore[arg-type]


def found(report: Report, what: str) -> Finding:
    return next(finding for finding in report.findings if str(finding.what) == what)


@pytest.mark.usefixtures("quick")
def test_a_fresh_home_can_run(tmp_path: Path) -> None:
    report = examine(settings(tmp_path / "home"), {})
    assert report.can_run
    assert found(report, "database").state == "ok"
    assert not (tmp_path / "home").exists(), "it changes nothing"
    assert "홈: " in report.to("ko")


@pytest.mark.usefixtures("quick")
def test_a_command_that_the_shell_does_not_find_is_told(tmp_path: Path) -> None:
    assert "command" not in {str(finding.what) for finding in examine(settings(tmp_path), {}).findings}
    away = examine(settings(tmp_path), {}, program=f"{tmp_path}/bin/paring")
    assert str(found(away, "command").next) == f"export PATH={tmp_path}/bin:$PATH"
    assert away.can_run


@pytest.mark.usefixtures("quick")
def test_a_home_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    report = examine(settings(tmp_path / "file" / "home"), {})
    assert not report.can_run
    assert "cannot be written: a part of its path is no folder" in str(found(report, "home").detail)


@pytest.mark.usefixtures("quick")
def test_a_broken_database_is_told_with_what_to_type(tmp_path: Path) -> None:
    (tmp_path / "paring.db").write_bytes(b"no database" * 1000)
    finding = found(examine(settings(tmp_path), {}), "database")
    assert finding.state == "missing"
    assert str(finding.next) == f"mv {tmp_path}/paring.db {tmp_path}/paring.db.broken"


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("denied", [os.R_OK, os.W_OK])
async def test_a_database_that_another_owns_is_not_put_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, denied: int) -> None:
    home = settings(tmp_path)
    await (await Database.open(home.database)).close()
    if denied == os.R_OK:
        monkeypatch.setattr("bot.store.schema.version", _denied)
    monkeypatch.setattr("bot.doctor.os.access", lambda _path, right: right != denied)
    finding = found(examine(home, {}), "database")
    assert (finding.state, str(finding.next)) == (
        "missing",
        f"let the bot's own user write it: ls -l {home.database} says whose it is",
    )
    assert "봇을 돌리는 사용자" in finding.next.to("ko") if finding.next else False


@pytest.mark.usefixtures("quick")
async def test_a_database_that_is_only_locked_is_not_put_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(_path: Path) -> str:
        raise StoreError(LOCKED)

    monkeypatch.setattr("bot.store.schema.version", locked)
    finding = found(examine(settings(tmp_path), {}), "database")
    assert str(finding.next) == "end the other program; nothing is wrong with the file"


@pytest.mark.usefixtures("quick")
def test_folders_that_the_settings_name_are_looked_for(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "file").write_bytes(b"")
    watch = WatchSettings(folders=(tmp_path / "there", tmp_path / "away"))
    report = examine(settings(tmp_path, watch=watch, backup=BackupSettings(every_h=24, folder=tmp_path / "file" / "x")), {})
    (told,) = [one for one in report.findings if str(one.what) == "folder to watch"]
    assert (told.state, str(told.detail)) == ("optional", f"{tmp_path / 'away'} cannot be looked into: it is not there")
    assert "a part of its path is no folder" in str(found(report, "folder for backups").detail)
    fine = examine(settings(tmp_path, backup=BackupSettings(every_h=24, folder=tmp_path / "new")), {})
    assert {str(one.what) for one in fine.findings}.isdisjoint({"folder to watch", "folder for backups"})


@pytest.mark.usefixtures("quick")
def test_a_costly_skill_that_there_is_not_is_told(tmp_path: Path) -> None:
    report = examine(settings(tmp_path, quotas=QuotaSettings(costly=("imagine", "imagin"))), {})
    told = next(one for one in report.findings if "quotas.costly" in str(one.detail))
    assert (str(told.detail), "imagine" in str(told.next)) == ("quotas.costly names imagin: there is no such skill", True)


@pytest.mark.usefixtures("quick")
def test_the_file_of_settings_is_named(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("", encoding="utf-8")
    assert str(found(examine(settings(tmp_path), {"PARING_CONFIG": str(file)}), "settings").detail) == str(file)


@pytest.mark.usefixtures("quick")
def test_a_port_that_is_taken_is_told_with_what_to_type(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        finding = found(examine(settings(tmp_path, web=WebSettings(port=port)), {}), "web page")
    assert finding.state == "optional"
    assert f"PARING_WEB__PORT={port + 1} paring run" in str(finding.detail)


@pytest.mark.usefixtures("quick")
def test_an_open_page_without_a_password_cannot_run(tmp_path: Path) -> None:
    report = examine(settings(tmp_path, web=WebSettings(host="0.0.0.0")), {})
    assert not report.can_run
    assert "PARING_WEB__PASSWORD" in str(found(report, "web page").next)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("telegram", "state", "says"),
    [
        (TelegramSettings(), "optional", "no token"),
        (TelegramSettings(token=SecretStr("canary")), "missing", "is no token"),
        (TelegramSettings(token=SecretStr("1:canary"), webhook_url="https://a.b"), "missing", "without a secret"),
        (TelegramSettings(token=SecretStr("1:canary")), "ok", "who is new is shown a code"),
    ],
)
def test_telegram_is_looked_at_and_its_token_never_shown(
    tmp_path: Path, telegram: TelegramSettings, state: str, says: str
) -> None:
    report = examine(settings(tmp_path, telegram=telegram), {})
    assert found(report, "Telegram").state == state
    assert says in str(report)
    assert "canary" not in str(report)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("given", "state", "says"),
    [
        ({}, "optional", "no account"),
        ({"user": "@paring:example.org"}, "missing", "no password and no token"),
        ({"homeserver": "https://example.org", "password": SecretStr("canary")}, "missing", "nobody whose it is"),
        ({"user": "@paring:example.org", "homeserver": "http://far.example.org", "token": SecretStr("canary")}, "optional", "far.example.org"),
        ({"user": "@paring:example.org", "homeserver": "http://127.0.0.1:8008", "password": SecretStr("canary")}, "ok", "tried at the start"),
    ],
)  # fmt: skip
def test_matrix_is_looked_at_and_its_password_never_shown(tmp_path: Path, given: dict[str, Any], state: str, says: str) -> None:
    report = examine(settings(tmp_path, matrix=MatrixSettings(**given)), {})
    assert found(report, "Matrix").state == state
    assert says in str(report)
    assert "canary" not in str(report)


@pytest.mark.usefixtures("quick")
def test_what_would_send_something_out_is_named(tmp_path: Path) -> None:
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector", "OTEL_SERVICE_NAME": "x", "HOME": "/root"}
    away = settings(tmp_path, models=ModelSettings(chat_url="https://api.example.org/v1"))
    report = examine(away, environment)
    assert "api.example.org" in str(found(report, "leaves this machine").detail)
    assert str(found(report, "telemetry").next) == "unset OTEL_EXPORTER_OTLP_ENDPOINT"
    own = settings(tmp_path, models=ModelSettings(chat_url="http://127.0.0.1:11434/v1"))
    assert {str(finding.what) for finding in examine(own, {}).findings}.isdisjoint({"leaves this machine", "telemetry"})


def test_the_models_are_looked_at(tmp_path: Path) -> None:
    report = examine(settings(tmp_path), {})
    rows = report.as_json()["findings"]
    assert isinstance(rows, list)
    assert {"model for embed", "model for chat", "text in pictures"} <= {row["what"] for row in rows if isinstance(row, dict)}
    assert "[models.choose]" in str(found(report, "model for chat").next)


def test_the_settings_are_listed_for_people_and_machines_without_a_secret(tmp_path: Path) -> None:
    chosen = settings(tmp_path, admins=("telegram:1", "telegram:2"), telegram=TelegramSettings(token=SecretStr("1:canary")))
    rows = {row["setting"]: row["value"] for row in settings_rows(chosen)}
    assert (rows["admins"], rows["web.port"], rows["telegram.token"]) == (["telegram:1", "telegram:2"], 0, True)
    for language, told in (("en", "set"), ("ko", "있음")):
        lines = settings_table(chosen, language).splitlines()  # type: ignore[arg-type]
        shown = {line.split()[0]: line.split()[1] for line in lines[1:]}
        assert (shown["admins"], shown["web.enabled"], shown["telegram.token"]) == ("telegram:1,telegram:2", "true", told)
        assert "canary" not in "\n".join(lines)


@pytest.mark.usefixtures("quick")
def test_the_index_file_is_looked_at_and_left_alone(tmp_path: Path) -> None:
    assert "none yet" in str(found(examine(settings(tmp_path), {}), "index file").detail)
    made = Made(Mark(3, 0, 1, "words@1", 8), 9, 3)
    index = FlatIndex(8)
    index.add(np.arange(1, 4), np.ones(3, np.int64), np.eye(8, dtype=np.float32)[:3])
    Shelter(tmp_path / "index").save(index, made)
    assert found(examine(settings(tmp_path), {}), "index file").state == "ok"
    file = tmp_path / "index" / "1-3-0" / "vectors.bin"
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    finding = found(examine(settings(tmp_path), {}), "index file")
    assert (finding.state, str(finding.next)) == ("optional", "paring index rebuild")
    assert "sha256" in str(finding.detail)
    assert "색인 파일" in finding.what.to("ko")
    assert file.exists(), "it changes nothing"


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("before", "said"),
    [("embed.minilm.v1", "모르는"), ("embed.minilm-ko.v1", "덜 아는"), ("embed.minilm-ko.v2", "덜 아는")],
)
async def test_a_home_whose_embedder_knows_less_korean_is_told_of_the_one_that_knows_more(
    tmp_path: Path, before: str, said: str
) -> None:
    home = settings(tmp_path)
    database = await Database.open(home.database)
    await Generations(database).begin(f"{before}@1", dimension=2)
    await database.close()
    report = examine(home, {})
    told = found(report, "embedder of searches")
    assert (told.state, str(told.next).split(" (")[0]) == ("optional", "paring index use embed.minilm-ko.v3")
    assert f"한국어를 {said}" in told.detail.to("ko")
    assert "업그레이드와 함께" in told.detail.to("ko")
    rows = report.as_json()["findings"]
    assert isinstance(rows, list)
    (row,) = [row for row in rows if isinstance(row, dict) and row["what"] == "embedder of searches"]
    assert "came with an upgrade" in str(row["detail"])
    assert str(row["next"]).startswith("paring index use embed.minilm-ko.v3")


@pytest.mark.usefixtures("quick")
async def test_a_change_of_embedder_is_told_and_why_it_failed_where(tmp_path: Path) -> None:
    home = settings(tmp_path)
    database = await Database.open(home.database)
    generations, assignments = Generations(database), Assignments(database)
    assert "embedder of searches" not in {str(finding.what) for finding in examine(home, {}).findings}
    await generations.begin("a@1", dimension=2)
    assert str(found(examine(home, {}), "embedder of searches").detail) == "a@1"
    await generations.begin("b@1", dimension=2)
    assert str(found(examine(home, {}), "embedder of searches").detail) == "a@1; the vectors of b@1 are being made"
    await assignments.put("embed", "b@1", by="ann")
    await assignments.failed("embed", "b@1", Text("it broke"))
    await database.close()
    told = found(examine(home, {}), "embedder of searches")
    assert (told.state, str(told.detail)) == ("optional", "the change to b@1 failed; a@1 stays live")


@pytest.mark.usefixtures("quick")
async def test_files_that_the_disk_lost_are_named(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "paring.db")
    blobs = BlobStore(tmp_path / "blobs")
    files = [
        Attachment("document", name, "text/plain", 3, blob=blobs.keep(name[:3].encode()))
        for name in ("abc.txt", "cut.txt", "gone.txt")
    ]
    await Inbox(database).accept(replace(make_message("read"), attachments=tuple(files)))
    await database.close()
    assert not [one for one in examine(settings(tmp_path), {}).findings if str(one.what) == "files"]

    blobs.path(files[1].blob).write_bytes(b"c")
    blobs.path(files[2].blob).unlink()

    finding = found(examine(settings(tmp_path), {}), "files")
    assert (finding.state, str(finding.detail)) == ("optional", "of those that were sent, missing or cut: 2 (cut.txt, gone.txt)")
