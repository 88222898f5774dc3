"""Where what waits is told from what is another's: the channels and chats that a bot serves, and the leases of the others.

within(InboxRow.__table__, {"telegram": "", "console": "terminal"})   # all of Telegram, one chat of the console
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, or_, select, update

Places = Mapping[str, str]
"""Channels by name, each with the one chat of it that is served, "" where all are."""
Lane = tuple[str, str, str]
"""Channel, account, chat: what is in one is worked on in order."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A row that waits, its lane, and whose it is ("" where that does not matter)."""

    id: int
    lane: Lane
    who: str = ""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was taken over from those who live no more, oldest first, and how much of it had been begun."""

    tickets: tuple[Ticket, ...]
    begun: int


def within(table: Table, places: Places) -> ColumnElement[bool]:
    """Return the condition that a row is in one of `places`."""
    whole = [name for name, chat in places.items() if not chat]
    single = [and_(table.c.channel == name, table.c.chat == chat) for name, chat in places.items() if chat]
    return or_(table.c.channel.in_(whole), *single)


def owners(connection: Connection, waiting: ColumnElement[bool], table: Table) -> list[str]:
    """Return the leases whose rows are `waiting`."""
    return list(connection.execute(select(table.c.owner).where(waiting).distinct()).scalars())


def take_over(
    connection: Connection, table: Table, waiting: ColumnElement[bool], *, by: str, state: str = ""
) -> tuple[Ticket, ...]:
    """Give the rows that are `waiting` to the lease `by`, in `state` ("": as they are); return them, oldest first."""
    changes = {"owner": by, **({"state": state} if state else {})}
    told = [table.c[name] for name in ("id", "channel", "account", "chat", "sender") if name in table.c]
    rows = connection.execute(update(table).where(waiting).values(changes).returning(*told)).all()
    return tuple(sorted(map(ticket_of, rows), key=lambda ticket: ticket.id))


def ticket_of(row: Any) -> Ticket:
    """Return the ticket of a row, whose it is where the row tells a sender."""
    sender = getattr(row, "sender", None)
    return Ticket(row.id, (row.channel, row.account, row.chat), "" if sender is None else f"{row.channel}:{sender}")
