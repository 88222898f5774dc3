"""What people have asked lately, as the inbox still holds it: the text and the place, of nobody in particular.

await Questions(database).lately("search", since=week_ago, most=200)
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select

from bot.message import Address, Message, unpack
from bot.route import unpack_route
from bot.store.tables import InboxRow

if TYPE_CHECKING:
    from bot.store.database import Database

MOST_READ = 5000
"""Messages that are looked through, the newest."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and the chat in which it was asked."""

    text: str
    address: Address


class Questions:
    """The questions in the inbox."""

    def __init__(self, database: Database) -> None:
        """Use `database`."""
        self._database = database

    async def lately(self, skill: str, *, since: datetime, most: int) -> list[Asked]:
        """Return at most `most` questions that `skill` has answered since then, the newest first, each once a chat."""
        query = (
            select(InboxRow.message, InboxRow.route)
            .where(InboxRow.state == "done", InboxRow.route != "", InboxRow.received_at >= since)
            .order_by(InboxRow.id.desc())
            .limit(MOST_READ)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        answered = (unpack(Message, row.message) for row in rows if unpack_route(row.route).skill == skill)
        asked = dict.fromkeys(Asked(_said(message), message.address) for message in answered)
        return [one for one in asked if one.text][:most]


def _said(message: Message) -> str:
    """Return what was asked: a command's arguments, else the text."""
    return (message.text if message.command is None else message.command.args).strip()
