"""What encryption remembers beside the ratchets: messages whose key has not come, whom they were told of, replays, pinned identities.

Owns one small database in the channel's folder, for one thread; each change is on disk when its method returns. It holds no text that
could be read: what waits is hidden still.

    kept.wait("!room:example.org", event)
    kept.waiting("session")                       # its key has come: these can be read now
    kept.settled(["$event"])                      # in the inbox: nothing waits any more
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

Json = dict[str, Any]
FILE: Final = "kept.db"
WAITING_AT_MOST: Final = 200
"""A room; the oldest are given up for the newest."""
WAITING_S: Final = 30 * 86400
CLAIM_AGAIN_S: Final = 3600.0
"""A device that had no one-time key to give is asked again after this."""
WITHHELD_AT_MOST: Final = 1_000
"""Anybody may say that a key is withheld; the oldest are forgotten for the newest."""
LONGEST_CODE: Final = 64
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS waiting (event TEXT PRIMARY KEY, room TEXT, session TEXT, sender TEXT, body TEXT, at REAL, why TEXT);
CREATE INDEX IF NOT EXISTS waiting_by_session ON waiting (session);
CREATE TABLE IF NOT EXISTS told (room TEXT, sender TEXT, session TEXT, PRIMARY KEY (room, sender, session));
CREATE TABLE IF NOT EXISTS indices (session TEXT, place INTEGER, event TEXT, PRIMARY KEY (session, place)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS masters (user TEXT PRIMARY KEY, pinned TEXT, verified TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS withheld (room TEXT, session TEXT, code TEXT, PRIMARY KEY (room, session));
CREATE TABLE IF NOT EXISTS rooms (room TEXT PRIMARY KEY);
"""


class Kept:
    """The database; `now` is the clock."""

    def __init__(self, folder: Path, *, now: Callable[[], float] = time.time) -> None:
        self._now = now
        file = folder / FILE
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
        self._database = sqlite3.connect(file, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=FULL")
        self._database.executescript(_TABLES)
        self._claimed: dict[tuple[str, str], float] = {}

    def close(self) -> None:
        """Close it."""
        self._database.close()

    def wait(self, room: str, event: Json, why: str) -> None:
        """Keep a message until its key comes."""
        session = str(event["content"].get("session_id", ""))
        row = (event["event_id"], room, session, event["sender"], json.dumps(event), self._now(), why)
        self._write("INSERT OR REPLACE INTO waiting VALUES (?, ?, ?, ?, ?, ?, ?)", *row)
        self._write("DELETE FROM waiting WHERE at < ?", self._now() - WAITING_S)
        self._write(
            "DELETE FROM waiting WHERE room = ? AND event NOT IN"
            " (SELECT event FROM waiting WHERE room = ? ORDER BY at DESC, rowid DESC LIMIT ?)", room, room, WAITING_AT_MOST,
        )  # fmt: skip

    def waiting(self) -> list[tuple[str, Json, str]]:
        """Return (room, event, why) of all that wait, the oldest first."""
        rows = self._database.execute("SELECT room, body, why FROM waiting ORDER BY at, rowid").fetchall()
        return [(room, json.loads(body), why) for room, body, why in rows]

    def settled(self, events: Sequence[str]) -> None:
        """Know that these are in the inbox, or were taken back."""
        for event in events:
            self._write("DELETE FROM waiting WHERE event = ?", event)

    def waits(self, event: str) -> bool:
        """Say whether it waits."""
        return self._one("SELECT 1 FROM waiting WHERE event = ?", event) is not None

    def tell(self, room: str, sender: str, session: str) -> None:
        """Know that it was told there that messages of this session cannot be read."""
        self._write("INSERT OR IGNORE INTO told VALUES (?, ?, ?)", room, sender, session)

    def was_told(self, room: str, sender: str, session: str) -> bool:
        """Say whether it was."""
        return self._one("SELECT 1 FROM told WHERE room = ? AND sender = ? AND session = ?", room, sender, session) is not None

    def forget_room(self, room: str) -> None:
        """Keep nothing of a room that was left."""
        for table in ("waiting", "told", "withheld", "rooms"):
            self._write(f"DELETE FROM {table} WHERE room = ?", room)  # noqa: S608 - the names above

    def is_first(self, session: str, place: int, event: str) -> bool:
        """Say whether the message at this place of a session is this one: another event in its place repeats it."""
        self._write("INSERT OR IGNORE INTO indices VALUES (?, ?, ?)", session, place, event)
        found = self._one("SELECT event FROM indices WHERE session = ? AND place = ?", session, place)
        return bool(found == event)

    def pin(self, user: str, master: str) -> str:
        """Return the identity that was seen first of a user; that is `master` where none was."""
        self._write("INSERT OR IGNORE INTO masters (user, pinned) VALUES (?, ?)", user, master)
        return str(self._one("SELECT pinned FROM masters WHERE user = ?", user))

    def pinned_another(self, user: str, master: str) -> bool:
        """Say whether a user shows another identity than the one that was pinned."""
        found = self._one("SELECT pinned FROM masters WHERE user = ?", user)
        return found is not None and found != master

    def verify_master(self, user: str, master: str) -> None:
        """Know that a person has compared their emoji: this is their identity from now on."""
        row = (user, master, master)
        self._write("INSERT OR REPLACE INTO masters (user, pinned, verified) VALUES (?, ?, ?)", *row)

    def verified_master(self, user: str) -> str:
        """Return the identity of a user that was verified, "" for none."""
        return str(self._one("SELECT verified FROM masters WHERE user = ?", user) or "")

    def withhold(self, room: str, session: str, code: str) -> None:
        """Know that a key will not be sent, and why."""
        self._write("INSERT OR REPLACE INTO withheld VALUES (?, ?, ?)", room, session, code[:LONGEST_CODE])
        self._write(
            "DELETE FROM withheld WHERE rowid <= (SELECT rowid FROM withheld ORDER BY rowid DESC LIMIT 1 OFFSET ?)",
            WITHHELD_AT_MOST,
        )

    def withheld(self, room: str, session: str) -> str:
        """Return why a key is not sent, "" where that is not known."""
        return str(self._one("SELECT code FROM withheld WHERE room = ? AND session = ?", room, session) or "")

    def encrypt(self, room: str) -> None:
        """Know that a room is encrypted: it never is otherwise again, whatever the homeserver says."""
        self._write("INSERT OR IGNORE INTO rooms VALUES (?)", room)

    def encrypted(self) -> set[str]:
        """Return the encrypted rooms."""
        return {room for (room,) in self._database.execute("SELECT room FROM rooms")}

    def claim(self, user: str, device: str) -> None:
        """Know that a device had no one-time key to give."""
        self._claimed[user, device] = self._now()

    def claimed_lately(self, user: str, device: str) -> bool:
        """Say whether it is too early to ask it again."""
        return self._now() - self._claimed.get((user, device), float("-inf")) < CLAIM_AGAIN_S

    def _one(self, query: str, *values: object) -> Any:
        row = self._database.execute(query, values).fetchone()
        return None if row is None else row[0]

    def _write(self, query: str, *values: object) -> None:
        self._database.execute(query, values)
