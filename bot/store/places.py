"""Where what waits is told from what is another's: the channels and chats that a bot serves, and the leases of the others.

within(InboxRow.__table__, {"telegram": "", "console": "terminal"})   # all of Telegram, one chat of the console
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Table, and_, or_

Places = Mapping[str, str]
"""Channels by name, each with the one chat of it that is served, "" where all are."""
Lane = tuple[str, str, str]
"""Channel, account, chat: what is in one is worked on in order."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A row that waits, and its lane."""

    id: int
    lane: Lane


def within(table: Table, places: Places) -> ColumnElement[bool]:
    """Return the condition that a row is in one of `places`."""
    whole = [name for name, chat in places.items() if not chat]
    single = [and_(table.c.channel == name, table.c.chat == chat) for name, chat in places.items() if chat]
    return or_(table.c.channel.in_(whole), *single)


def not_of(table: Table, others: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition that a row is of none of `others`."""
    return table.c.owner.not_in(others)
