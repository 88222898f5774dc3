"""A backup is whole or not there, and what is put back is what was there; no file that is something else is believed."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import json
import os
import random
import shutil
import sqlite3
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bot.errors import StoreError
from bot.message import Address, Attachment, Message, Reply
from bot.models.made import MANIFEST as MADE
from bot.models.origin import MANIFEST as FETCHED
from bot.store import backup, schema
from bot.store.alone import used
from bot.store.archive import FORMAT, check, may_hold
from bot.store.backup import Made, back_up
from bot.store.blobs import BlobStore
from bot.store.database import Database
from bot.store.inbox import Inbox
from bot.store.outbox import Outbox
from bot.store.restore import restore

AT = Address("web", "web", "me", "direct")


def untold(_now: object, _done: float, _total: int, *, passages: int = 0) -> None:
    """Draw no bar."""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home with an answered message that brought a file, one that waits, and settings."""
    home = tmp_path_factory.mktemp("template")
    asyncio.run(_fill(home))
    return home


@pytest.fixture
def home(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "집 100%"))


async def _fill(home: Path) -> None:
    database = await Database.open(home / "paring.db")
    inbox = Inbox(database)
    blob = BlobStore(home / "blobs").keep(b"the file" * 1000)
    file = Attachment("file", "plan.txt", "text/plain", 8000, ref="r", blob=blob)
    for number, files in (("1", (file,)), ("2", ())):
        message = Message(AT, "me", number, f"message {number}", "en", datetime.now(UTC), attachments=files)
        row = await inbox.accept(message)
        assert row is not None
        if number == "1":
            await inbox.finish(row, message, [Reply("answered", "en")])
    tomorrow = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=1)
    await database.write(
        lambda connection: connection.execute(text("INSERT INTO sessions VALUES ('canary', :at)"), {"at": str(tomorrow)})
    )
    await database.close()
    (home / "session.key").write_bytes(b"canary-key")
    (home / "paring.toml").write_text('language = "ko"\n', encoding="utf-8")


@pytest.fixture
def made(home: Path, tmp_path: Path) -> Made:
    return back_up(home, tmp_path / "backup.zip", untold)


def rows(home: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(home / "paring.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return connection.execute("SELECT id, message, state FROM inbox ORDER BY id").fetchall()


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_what_is_put_back_is_what_was_there(home: Path, made: Made, tmp_path: Path) -> None:
    new = tmp_path / "new home"

    restored = restore(made.file, new, untold)

    assert rows(new) == rows(home)
    assert everything(new / "blobs") == everything(home / "blobs")
    assert (new / "paring.toml").read_bytes() == (home / "paring.toml").read_bytes()
    assert restored.before is None
    assert made.manifest.missing == 0


def test_a_backup_is_its_owners_alone_and_leaves_nothing_beside_it(made: Made) -> None:
    assert made.file.stat().st_mode & 0o777 == 0o600
    assert not list(made.file.parent.glob(".paring*"))


def test_what_signs_people_in_is_left_out_unless_asked(home: Path, made: Made, tmp_path: Path) -> None:
    asked = back_up(home, tmp_path / "keys.zip", untold, with_keys=True)
    restore(made.file, tmp_path / "without", untold)
    restore(asked.file, tmp_path / "with", untold)

    assert not [name for name, data in everything(tmp_path / "without").items() if b"canary" in data]
    assert (tmp_path / "with" / "session.key").read_bytes() == b"canary-key"
    with closing(sqlite3.connect(tmp_path / "with" / "paring.db")) as connection:
        assert connection.execute("SELECT count(*) FROM sessions").fetchone() == (1,)


def test_own_models_are_taken_along_and_what_can_be_fetched_or_made_is_not(home: Path, tmp_path: Path) -> None:
    assert backup.REMADE == (FETCHED, MADE)
    for folder, files in {
        "kobart": ["config.json", "한글/a.bin"],
        "hub--a--b": [FETCHED],
        "route-1-0": [MADE],
        ".x": ["y"],
    }.items():
        for name in files:
            path = home / "models" / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(name.encode())

    restore(back_up(home, tmp_path / "b.zip", untold).file, tmp_path / "new", untold)

    assert sorted(everything(tmp_path / "new" / "models")) == ["kobart/config.json", "kobart/한글/a.bin"]


def test_what_is_written_meanwhile_is_in_it_whole_or_not_at_all(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "PAGES_AT_ONCE", 2)
    begun, done = threading.Event(), threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(home / "paring.db", timeout=30)) as connection:
            connection.execute("CREATE TABLE pairs (one INTEGER, other INTEGER, filler BLOB)")
            connection.commit()
            number = 0
            while not done.is_set():
                number += 1
                connection.execute("INSERT INTO pairs VALUES (?, ?, randomblob(20000))", (number, number))
                connection.execute("UPDATE pairs SET one = ?, other = ?", (number, number))
                connection.commit()
                begun.set()

    writer = threading.Thread(target=write)
    writer.start()
    begun.wait(30)
    try:
        made = back_up(home, tmp_path / "b.zip", untold)
    finally:
        done.set()
        writer.join()

    restore(made.file, tmp_path / "new", untold)
    with closing(sqlite3.connect(tmp_path / "new" / "paring.db")) as connection:
        (kinds, different) = connection.execute("SELECT count(DISTINCT one), sum(one <> other) FROM pairs").fetchone()
    assert (kinds, different) == (1, 0)


async def test_what_waited_to_be_sent_goes_out_with_a_word_that_it_may_have_been(made: Made, tmp_path: Path) -> None:
    restore(made.file, tmp_path / "new", untold)

    database = await Database.open(tmp_path / "new" / "paring.db")
    assert [parcel.state for parcel in await Outbox(database).of(1)] == ["ambiguous"]
    new = await Inbox(database).accept(Message(AT, "me", "3", "after", "en", datetime.now(UTC)))
    assert new is not None
    assert new > 1000, "a number that was given out after the backup means something else now"
    await database.close()


@pytest.mark.parametrize("revision", [f"{number:04}" for number in range(1, int(schema.head()) + 1)])
def test_a_backup_of_any_older_schema_is_brought_upward(revision: str, home: Path, tmp_path: Path) -> None:
    before = [row[:2] for row in rows(home)]
    schema.migrate(home / "paring.db", revision)
    made = back_up(home, tmp_path / "b.zip", untold)

    restored = restore(made.file, tmp_path / "new", untold)

    assert made.manifest.schema == revision
    assert restored.schema == schema.head()
    assert [row[:2] for row in rows(tmp_path / "new")] == before


def repacked(file: Path, change: Callable[[dict[str, bytes], dict[str, Any]], None]) -> None:
    """Write the backup anew with other members or another manifest, whose hash is right."""
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    said = json.loads(members.pop("manifest.json"))
    del said["sha256"]
    change(members, said)
    packed = {**said, "sha256": hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()}
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in {**members, "manifest.json": json.dumps(packed).encode()}.items():
            archive.writestr(name, data)


def with_member(name: str, data: bytes = b"evil") -> Callable[[dict[str, bytes], dict[str, Any]], None]:
    def change(members: dict[str, bytes], said: dict[str, Any]) -> None:
        members[name] = data
        said["files"].append({"name": name, "size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()})

    return change


def other_database(data: bytes) -> Callable[[dict[str, bytes], dict[str, Any]], None]:
    def change(members: dict[str, bytes], said: dict[str, Any]) -> None:
        said["files"] = [one for one in said["files"] if one["name"] != "paring.db"]
        with_member("paring.db", data)(members, said)

    return change


def a_size(size: int) -> Callable[[dict[str, bytes], dict[str, Any]], None]:
    return lambda _members, said: said["files"][0].update(size_bytes=size)


CHANGES: dict[str, tuple[Callable[[dict[str, bytes], dict[str, Any]], None], str]] = {
    "a newer format": (lambda _members, said: said.update(format=FORMAT + 1), "newer Paring"),
    "a newer schema": (lambda _members, said: said.update(schema="9999"), "newer Paring"),
    "no schema": (lambda _members, said: said.update(schema=""), "not as it was written"),
    "a name that climbs": (with_member("../evil"), "not as it was written"),
    "a name that climbs later": (with_member("models/x/../../../evil"), "not as it was written"),
    "an absolute name": (with_member("/var/evil"), "not as it was written"),
    "a name with a backslash": (with_member("models\\..\\evil"), "not as it was written"),
    "a program": (with_member("models/../leases/evil"), "not as it was written"),
    "a file that is not listed": (lambda members, _said: members.update(evil=b"x"), "not as it was written"),
    "a file that is not there": (lambda members, _said: members.pop("paring.toml") and None, "not as it was written"),
    "a database that is none": (other_database(b"no database at all" * 1000), "not"),
    "a smaller size": (a_size(5), "not as it was written"),
    "a size that no disk has": (a_size(1 << 60), "no room"),
    "a size that is none": (a_size(-1), "not as it was written"),
    "files that are none": (lambda _members, said: said.update(files=7), "not as it was written"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_backup_that_was_made_up_is_refused_in_one_sentence(name: str, made: Made, tmp_path: Path) -> None:
    change, sentence = CHANGES[name]
    repacked(made.file, change)

    with pytest.raises(StoreError, match=sentence) as told:
        restore(made.file, tmp_path / "new", untold)

    assert told.value.sentence("ko") != str(told.value)
    assert [path.name for path in (tmp_path / "new").glob("*")] in ([], ["home.lock"])
    assert not list(tmp_path.rglob("evil"))


def damages(size: int) -> Iterator[tuple[str, Callable[[bytes], bytes]]]:
    chance = random.Random(1)
    for place in (0, 1, 40, size // 2, size - 30, size - 1):
        yield f"cut at {place}", lambda data, place=place: data[:place]  # type: ignore[misc]
    for _flip in range(40):
        place = chance.randrange(size)
        yield f"flipped at {place}", lambda data, place=place: data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :]  # type: ignore[misc]
    yield "appended to", lambda data: data + b"more"
    yield "another ZIP", lambda _data: b"PK\3\4" + bytes(100)
    yield "no ZIP", lambda _data: b"plain text, and more of it than a header has"


def test_a_cut_or_flipped_backup_restores_wholly_or_not_at_all(home: Path, made: Made, tmp_path: Path) -> None:
    data, refused = made.file.read_bytes(), 0
    for number, (name, damage) in enumerate(damages(len(data))):
        made.file.write_bytes(damage(data))
        new = tmp_path / f"new{number}"
        try:
            restore(made.file, new, untold)
        except StoreError:
            refused += 1
            assert [path.name for path in new.glob("*")] in ([], ["home.lock"]), name
        else:  # a byte of a header that says nothing
            assert rows(new) == rows(home), name
            assert everything(new / "blobs") == everything(home / "blobs"), name
    assert refused > 40


def test_a_home_that_is_in_use_is_left_alone(home: Path, made: Made) -> None:
    with used(home), pytest.raises(StoreError, match="A bot runs over"):
        restore(made.file, home, untold, force=True)


def test_what_is_there_is_replaced_only_when_told_and_kept_then(home: Path, made: Made) -> None:
    before = everything(home)
    with pytest.raises(StoreError, match="is not empty"):
        restore(made.file, home, untold)
    assert {name: data for name, data in everything(home).items() if name != "home.lock"} == before

    restored = restore(made.file, home, untold, force=True)

    assert restored.before is not None
    kept = everything(restored.before)
    assert kept["paring.db"] == before["paring.db"]
    assert [name for name in kept if name.startswith("blobs/")]
    assert len(rows(home)) == 2


@pytest.mark.parametrize("step", range(7))
def test_where_a_step_fails_everything_is_as_it_was(step: int, home: Path, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    before = everything(home)
    real, taken = Path.rename, []

    def rename(self: Path, target: Path) -> Path:
        taken.append(target)
        if len(taken) == step + 1:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    try:
        restore(made.file, home, untold, force=True)
    except StoreError as error:
        assert "the disk has an error" in str(error)
        assert {name: data for name, data in everything(home).items() if name != "home.lock"} == before
    else:
        assert len(taken) <= step


def test_a_full_disk_leaves_the_backup_that_was_there(made: Made, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = made.file.read_bytes()
    monkeypatch.setattr(backup.os, "fsync", full)

    with pytest.raises(StoreError, match="the disk is full"):
        back_up(home, made.file, untold)

    assert made.file.read_bytes() == before
    assert not list(made.file.parent.glob(".paring*"))


def test_a_file_that_is_no_backup_is_not_overwritten(home: Path, tmp_path: Path) -> None:
    thesis = tmp_path / "thesis.doc"
    thesis.write_text("years of work", encoding="utf-8")

    with pytest.raises(StoreError, match="no backup of Paring's"):
        back_up(home, thesis, untold)

    assert thesis.read_text(encoding="utf-8") == "years of work"


def test_a_damaged_database_gives_no_backup(home: Path, tmp_path: Path) -> None:
    path = home / "paring.db"
    with path.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096 * 4)

    with pytest.raises(StoreError, match="damaged"):
        back_up(home, tmp_path / "b.zip", untold)

    assert not list(tmp_path.glob("*.zip"))


def test_an_empty_home_has_nothing_to_back_up(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nothing to back up"):
        back_up(tmp_path, tmp_path / "b.zip", untold)


def test_what_a_killed_backup_left_goes_with_the_next(home: Path, tmp_path: Path) -> None:
    left = tmp_path / f"{backup.ASIDE}killed"
    left.mkdir()
    (left / "lock").touch()
    (left / "paring.db").write_bytes(b"half")

    back_up(home, tmp_path / "b.zip", untold)

    assert not left.exists()


def test_a_start_after_a_killed_restore_begins_nothing_anew(tmp_path: Path) -> None:
    left = tmp_path / "home" / ".restore-x"
    left.mkdir(parents=True)
    (left / "paring.db").write_bytes(b"half")

    with pytest.raises(StoreError, match="Nothing was begun"):
        schema.upgrade(tmp_path / "home" / "paring.db")


def test_a_checked_backup_is_whole(made: Made) -> None:
    assert check(made.file) == made.manifest


@pytest.mark.parametrize(
    "name", ["models/..", "models/a/..", "blobs/aa/../x", "paring.db/x", "leases/x", "models/a//b", "", "blobs"]
)
def test_no_name_leads_out_of_a_home(name: str) -> None:
    assert not may_hold(name)
