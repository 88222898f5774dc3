"""The admins whom other admins added. Those of the settings are not kept here: `bot.roles` knows both.

await Admins(database).add("telegram:4711", by="console:me")
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import insert

from bot.store.tables import AdminRow

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bot.store.database import Database


@dataclass(frozen=True, slots=True)
class Added:
    """An admin, CHANNEL:USER, and whose wish that was."""

    person: str
    by: str
    at: datetime


class Admins:
    """Who was added."""

    def __init__(self, database: Database) -> None:
        """Use `database`."""
        self._database = database

    async def all(self) -> list[Added]:
        """Return everybody who was added, the first one first."""
        query = select(AdminRow.person, AdminRow.added_by, AdminRow.added_at).order_by(AdminRow.added_at, AdminRow.person)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [Added(row.person, row.added_by, row.added_at) for row in rows]

    async def has(self, person: str) -> bool:
        """Say whether `person` was added, by what the database holds now."""
        async with self._database.read() as connection:
            return (await connection.execute(select(AdminRow.person).where(AdminRow.person == person))).first() is not None

    async def add(self, person: str, *, by: str) -> bool:
        """Add `person`; return False where that one was added before."""
        statement = insert(AdminRow).values(person=person, added_by=by, added_at=datetime.now(UTC)).on_conflict_do_nothing()

        def work(connection: Connection) -> bool:
            return connection.execute(statement).rowcount > 0

        return await self._database.write(work)

    async def remove(self, person: str) -> bool:
        """Remove `person`; return False where that one had not been added."""

        def work(connection: Connection) -> bool:
            return connection.execute(delete(AdminRow).where(AdminRow.person == person)).rowcount > 0

        return await self._database.write(work)
