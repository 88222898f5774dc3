"""What was said around a message, as a search reads it: from the rows of the messages themselves, in no scope but the reader's.

Owns the SQL. Nothing of a message is kept with another one: what is edited or forgotten is so at once, wherever it was context.

    talks = Talks(state, scope_ids)
    (message,) = talks.messages([12])
    talks.around(message)      # with those before and after it in its thread, what it answers, and what answers it
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from bot.store.shelf import State

BEFORE, AFTER = 5, 6
"""Messages of the thread that are read before and after one."""
REPLIES = 6
NEAR = timedelta(hours=2)
"""What lies further away in time belongs together only where one replies to the other."""
_COLUMNS = "p.id, d.id, p.scope_id, d.thread, d.said_at, d.author, d.key, d.answers, p.hangul, p.terms"
_FROM = "FROM documents d JOIN passages p ON p.document_id = d.id AND p.version = d.version AND p.scope_id = d.scope_id"
_HERE = "WHERE d.scope_id = ? AND d.thread = ? AND d.said_at IS NOT NULL"
_BEFORE = (
    f"SELECT {_COLUMNS} {_FROM} {_HERE} AND d.said_at >= ? AND (d.said_at < ? OR (d.said_at = ? AND d.id < ?))"
    " ORDER BY d.said_at DESC, d.id DESC LIMIT ?"
)
_AFTER = (
    f"SELECT {_COLUMNS} {_FROM} {_HERE} AND d.said_at <= ? AND (d.said_at > ? OR (d.said_at = ? AND d.id > ?))"
    " ORDER BY d.said_at, d.id LIMIT ?"
)
_ANSWERED = f"SELECT {_COLUMNS} {_FROM} WHERE d.scope_id = ? AND d.key = ? AND d.said_at IS NOT NULL"
_ANSWERS = (
    f"SELECT {_COLUMNS} {_FROM} WHERE d.scope_id = ? AND d.answers = ? AND d.said_at IS NOT NULL ORDER BY d.said_at, d.id LIMIT ?"
)
_SAID_BY = (
    "SELECT id FROM documents WHERE scope_id IN (%s) AND author IN (%s) AND said_at IS NOT NULL AND said_at >= ? AND said_at < ?"
    " ORDER BY said_at DESC, id DESC LIMIT ?"
)
_PEOPLE = (
    "WITH RECURSIVE people(name) AS ("
    " SELECT min(author) FROM documents WHERE scope_id = :scope AND said_at IS NOT NULL"
    " UNION ALL SELECT (SELECT min(author) FROM documents WHERE scope_id = :scope AND said_at IS NOT NULL AND author > name)"
    " FROM people WHERE name IS NOT NULL) SELECT name FROM people WHERE name IS NOT NULL LIMIT :most"
)
"""A step along the index for each name: there may be many messages of few people."""
MOST_PEOPLE = 1000


class Spoken(NamedTuple):
    """A message as it stands in its thread. `terms` as `bot.store.tables.PassageRow` says."""

    passage: int
    document: int
    scope: int
    thread: str
    said_at: str
    who: str
    key: str
    answers: str
    hangul: float
    terms: bytes

    @property
    def at(self) -> datetime:
        """When it was said, aware, UTC."""
        return datetime.fromisoformat(self.said_at).replace(tzinfo=UTC)


class Talks:
    """The messages of one reader's scopes, in one state of the database."""

    def __init__(self, state: State, scope_ids: Sequence[int]) -> None:
        """Read in the scopes with these numbers alone."""
        self._connection: sqlite3.Connection = state.connection
        self._scope_ids = tuple(scope_ids)

    def people(self) -> list[str]:
        """Return the names of those who have said anything, as the platforms show them."""
        found: dict[str, None] = {}
        for scope in self._scope_ids:
            rows = self._connection.execute(_PEOPLE, {"scope": scope, "most": MOST_PEOPLE})
            found.update(dict.fromkeys(row[0] for row in rows))
        return list(found)

    def messages(self, passages: Sequence[int]) -> list[Spoken]:
        """Return those of `passages` that are messages."""
        marks, scopes = (", ".join("?" * len(values)) for values in (passages, self._scope_ids))
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} {_FROM} WHERE p.id IN ({marks}) AND d.scope_id IN ({scopes}) AND d.said_at IS NOT NULL",
            [*passages, *self._scope_ids],
        )
        return [Spoken(*row) for row in rows]

    def said_by(self, people: Collection[str], period: tuple[datetime, datetime] | None, *, most: int) -> list[Spoken]:
        """Return the last messages of `people`, the newest first; of a `period` (aware, half open) alone where one is given."""
        begin, end = (_stored(moment) for moment in period) if period else ("", "~")
        marks = [", ".join("?" * len(values)) for values in (self._scope_ids, people)]
        found = self._connection.execute(_SAID_BY % tuple(marks), [*self._scope_ids, *people, begin, end, most]).fetchall()
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} {_FROM} WHERE d.id IN ({', '.join('?' * len(found))}) ORDER BY d.said_at DESC, d.id DESC",
            [number for (number,) in found],
        )
        return [Spoken(*row) for row in rows]

    def around(self, one: Spoken) -> list[Spoken]:
        """Return `one` and what was said around it, oldest first: before and after it in its thread, and by reply."""
        here = (one.scope, one.thread)
        first, last = (_stored(one.at + sign * NEAR) for sign in (-1, 1))
        same = (one.said_at, one.said_at, one.document)
        rows = self._connection.execute(_BEFORE, (*here, first, *same, BEFORE)).fetchall()
        rows += self._connection.execute(_AFTER, (*here, last, *same, AFTER)).fetchall()
        if one.answers:
            rows += self._connection.execute(_ANSWERED, (one.scope, one.answers)).fetchall()
        rows += self._connection.execute(_ANSWERS, (one.scope, one.key, REPLIES)).fetchall()
        found = {row[0]: Spoken(*row) for row in rows} | {one.passage: one}
        return sorted(found.values(), key=lambda spoken: (spoken.said_at, spoken.document))


def _stored(moment: datetime) -> str:
    """Return an aware `moment` as SQLAlchemy has written it."""
    return str(moment.astimezone(UTC).replace(tzinfo=None))
