"""What was said around a message, read from the rows."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config

from bot.message import Address, pack
from bot.passage import Scope
from bot.store import schema
from bot.store.database import Database
from bot.store.passages import NewDocument, NewPassage, Passages
from bot.store.shelf import Shelf
from bot.store.talks import Talks
from bot.talk import Said
from bot.testing import make_message

TEAM, OTHER = Scope("group", "t/b/1"), Scope("group", "t/b/2")
AT = datetime(2026, 11, 27, 9, tzinfo=UTC)
ZEROS = bytes(8)


def said(
    number: int, *, minutes: float = 0, scope: Scope = TEAM, who: str = "Ann", thread: str = "", answers: str = ""
) -> NewDocument:
    passage = NewPassage(f"text {number}", "", None, 0, 6, "en", 0.0, ("", "", ""), ZEROS, b"", b"")
    told = Said(who, AT + timedelta(minutes=minutes or number), thread, answers)
    return NewDocument(scope, f"message:{number}", who, "", f"sha{number}", "message", 6, (passage,), who, said=told)


@pytest.fixture
async def kept(database: Database) -> Database:
    await Passages(database).add(
        [
            *(said(number, who="Ann" if number % 2 else "Ben") for number in range(1, 13)),
            said(20, thread="9"), said(21, scope=OTHER, who="Eve"), said(22, minutes=3000, who="Cho", answers="message:6"),
            replace(said(30), said=None),
        ],
        generation=0,
    )  # fmt: skip
    return database


@pytest.fixture
def talks(kept: Database) -> Iterator[Talks]:
    shelf = Shelf(kept.path)
    with shelf.state() as state:
        yield Talks(state, [1])
    shelf.close()


def keys(rows: object) -> list[str]:
    return [row.key.partition(":")[2] for row in rows]  # type: ignore[attr-defined]


def test_the_people_of_the_readers_scopes_are_named(talks: Talks) -> None:
    assert sorted(talks.people()) == ["Ann", "Ben", "Cho"]


def test_only_what_was_said_in_the_readers_scopes_is_a_message(talks: Talks) -> None:
    assert keys(talks.messages(range(1, 40))) == [*map(str, range(1, 13)), "20", "22"]


def test_around_a_message_stand_those_of_its_thread_and_replies_however_late(talks: Talks) -> None:
    (sixth,) = talks.messages([6])
    assert keys(talks.around(sixth)) == ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "22"]
    (late,) = talks.messages([15])
    assert keys(talks.around(late)) == ["6", "22"]


def test_messages_from_before_know_who_said_them_once_the_database_is_upgraded(tmp_path: Path) -> None:
    path = tmp_path / "paring.db"
    config = Config()
    config.set_main_option("script_location", str(schema.migrations()))
    config.attributes["path"] = path
    command.upgrade(config, "0004")
    message = replace(make_message("hello", id="7"), address=Address("t", "b", "1", "9", "group"), sender_name="Ann Lee")
    message = replace(message, reply_to=replace(message, id="5", text=""))
    with sqlite3.connect(path) as connection:
        connection.execute(
            "INSERT INTO inbox (channel, account, chat, thread, sender, message_id, version, message, state, attempts, placeholder,"
            " route, error, sent_at, received_at) VALUES ('t', 'b', '1', '9', 'a', '7', 0, ?, 'done', 0, '', '', '', ?, ?)",
            (pack(message), "2026-11-27 09:00:00.000000", "2026-11-27 09:00:00.000000"),
        )
        connection.execute("INSERT INTO scopes (id, name) VALUES (1, 'group:t/b/1')")
        connection.executemany(
            "INSERT INTO documents (scope_id, key, title, link, sha256, kind, size_bytes, sender, version, added_at, updated_at)"
            " VALUES (1, ?, 'Ann', '', 'x', ?, 1, 'a', 1, '', '')",
            [("message:7", "message"), ("file:plan.pdf", "pdf")],
        )
    schema.upgrade(path)
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT author, thread, answers, said_at FROM documents ORDER BY id").fetchall()
    assert rows == [("Ann Lee", "9", "message:5", "2026-11-27 09:00:00.000000"), ("", "", "", None)]
