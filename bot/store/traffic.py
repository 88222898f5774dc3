"""What people's messages were answered with lately: how many went to each skill, and how they got there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from bot.store.tables import InboxRow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.store.database import Database


@dataclass(frozen=True, slots=True)
class Went:
    """So many messages went to one skill by one way (`bot.route.How`)."""

    skill: str
    how: str
    count: int


class Traffic:
    """Counts of answered messages."""

    def __init__(self, database: Database) -> None:
        """Use `database`."""
        self._database = database

    async def since(self, moment: datetime) -> Sequence[Went]:
        """Return where the messages went that were answered after `moment`."""
        skill, how = (func.json_extract(InboxRow.route, f"$.{name}") for name in ("skill", "how"))
        query = (
            select(skill, how, func.count())
            .where(InboxRow.state == "done", InboxRow.route != "", InboxRow.received_at >= moment)
            .group_by(skill, how)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [Went(row[0] or "", row[1] or "", row[2]) for row in rows]
