"""What was said in a chat, both ways, as a page shows it: read over inbox and outbox.

entries = await transcript.page(address, count=30)  # the newest thirty, oldest first
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import Row, Select, and_, select

from bot.message import Address, Message, Reply, unpack
from bot.store.tables import InboxRow, OutboxRow

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.store.database import Database


LONGEST_NUMBER = 18
"""Digits of SQLite's largest number, less one: every such number fits."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One message or one reply as it stands now.

    `id` is the message's id, or for a reply what the channel's `send` returned. A reply that was edited is one entry with the
    id of its first send and the text of its last edit. `place` is where the entry stands: the page only hands it back as
    `before`. `at` is aware, UTC.
    """

    id: str
    said: Message | Reply
    at: datetime
    place: str = ""


class Talk:
    """Reads what was said. Keeps `bot.channels.web_transcript.Transcript`."""

    def __init__(self, database: Database) -> None:
        """Use `database`."""
        self._database = database

    async def page(self, address: Address, *, before: str = "", count: int = 30) -> list[Entry]:
        """Return the newest `count` entries before the place `before` ("": the newest of all), oldest first; none where it is no place."""
        until = _time_of(before)
        if before and until is None:
            return []
        async with self._database.read() as connection:
            entries = [*await _messages(connection, address, until, count), *await _replies(connection, address, until, count)]
        return sorted(entries, key=lambda entry: entry.at)[-count:]

    async def find(self, address: Address, entry: str) -> Entry | None:
        """Return the entry of that id in the chat at `address`, None where there is none."""
        async with self._database.read() as connection:
            asked = await connection.execute(
                _inbox(address).where(InboxRow.message_id == entry).order_by(InboxRow.version.desc()).limit(1)
            )
            if row := asked.first():
                return _said(row)
            mine = OutboxRow.id == int(entry) if _is_number(entry) else OutboxRow.edits == entry
            told = await connection.execute(_outbox(address).where(mine).order_by(OutboxRow.id.desc()).limit(1))
            found = told.first()
            return _told(found) if found else None

    async def holds(self, address: Address, blob: str) -> bool:
        """Say whether a message or a reply of the chat at `address` names the file of this sha256."""
        named = f"%{blob}%"
        said = _inbox(address).where(InboxRow.message.like(named)).limit(1)
        told = _outbox(address).where(OutboxRow.reply.like(named)).limit(1)
        async with self._database.read() as connection:
            return (await connection.execute(said)).first() is not None or (await connection.execute(told)).first() is not None


def _time_of(place: str) -> datetime | None:
    """Return the time that a place is, None where it is none: it comes back from a browser."""
    try:
        time = datetime.fromisoformat(place)
        return time.astimezone(UTC) if time.tzinfo else None
    except (ValueError, OverflowError):  # the second: there is no such moment in UTC, as of "0001-01-01T00:00+14:00"
        return None


def _is_number(entry: str) -> bool:
    return entry.isascii() and entry.isdigit() and len(entry) <= LONGEST_NUMBER


async def _messages(connection: AsyncConnection, address: Address, until: datetime | None, count: int) -> list[Entry]:
    query = _inbox(address).where(InboxRow.message_id.not_like("press:%"))
    if until is not None:
        query = query.where(InboxRow.received_at < until)
    rows = await connection.execute(query.order_by(InboxRow.received_at.desc()).limit(count))
    newest: dict[str, Entry] = {}
    for row in rows:
        newest.setdefault(row.message_id, _said(row))
    return list(newest.values())


async def _replies(connection: AsyncConnection, address: Address, until: datetime | None, count: int) -> list[Entry]:
    query = _outbox(address).where(OutboxRow.state.not_in(("dead", "dropped")))
    if until is not None:
        query = query.where(OutboxRow.created_at < until)
    rows = await connection.execute(query.order_by(OutboxRow.created_at.desc()).limit(count))
    newest: dict[str, Entry] = {}
    for entry in map(_told, rows):
        newest.setdefault(entry.id, entry)
    return list(newest.values())


def _inbox(address: Address) -> Select[str, str, datetime]:
    here = and_(InboxRow.channel == address.channel, InboxRow.account == address.account, InboxRow.chat == address.chat)
    return select(InboxRow.message_id, InboxRow.message, InboxRow.received_at).where(here)


def _outbox(address: Address) -> Select[int, str, str, datetime]:
    here = and_(OutboxRow.channel == address.channel, OutboxRow.account == address.account, OutboxRow.chat == address.chat)
    return select(OutboxRow.id, OutboxRow.edits, OutboxRow.reply, OutboxRow.created_at).where(here)


def _said(row: Row[str, str, datetime]) -> Entry:
    at = row.received_at.astimezone(UTC)
    return Entry(row.message_id, unpack(Message, row.message), at, at.isoformat())


def _told(row: Row[int, str, str, datetime]) -> Entry:
    at = row.created_at.astimezone(UTC)
    return Entry(row.edits or str(row.id), unpack(Reply, row.reply), at, at.isoformat())
