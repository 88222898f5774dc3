"""Which model an admin put into a slot, and why it could not be followed, where it could not.

await Assignments(database).put("embed", "embed.static.v1@53aa51172d14", by="terminal")
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import select, update
from sqlalchemy.dialects.sqlite import insert

from bot.locale import LANGUAGES, Language, Text
from bot.store.tables import AssignmentRow

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bot.store.database import Database


@dataclass(frozen=True, slots=True)
class Assignment:
    """A wish: the model (`name@revision`) that a slot is to hold, whose wish it is, and why it failed, by language ({}: it did not)."""

    slot: str
    model: str
    by: str
    at: datetime
    failure: dict[Language, str]


class Assignments:
    """The newest wish of each slot."""

    def __init__(self, database: Database) -> None:
        """Use `database`."""
        self._database = database

    async def of(self, slot: str) -> Assignment | None:
        """Return the wish for `slot`, None where nobody has one."""
        query = select(
            AssignmentRow.model, AssignmentRow.assigned_by, AssignmentRow.assigned_at, AssignmentRow.failure
        ).where(AssignmentRow.slot == slot)  # fmt: skip
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            return None
        said = json.loads(row[3]) if row[3] else {}
        return Assignment(slot, row[0], row[1], row[2], {language: said[language] for language in LANGUAGES if language in said})

    async def all(self) -> dict[str, str]:
        """Return the model of every wish, by slot."""
        async with self._database.read() as connection:
            rows = (await connection.execute(select(AssignmentRow.slot, AssignmentRow.model))).all()
        return {row[0]: row[1] for row in rows}

    async def put(self, slot: str, model: str, *, by: str) -> None:
        """Wish for `model` in `slot`; the wish before is forgotten."""
        await self._database.write(lambda connection: assign(connection, slot, model, by=by))

    async def failed(self, slot: str, model: str, why: Text | None) -> None:
        """Keep why the wish for `model` could not be followed, None for nothing; a newer wish is left alone."""
        said = json.dumps({language: why.to(language) for language in LANGUAGES}, ensure_ascii=False) if why else ""
        mine = (AssignmentRow.slot == slot, AssignmentRow.model == model, AssignmentRow.failure != said)

        def work(connection: Connection) -> None:
            connection.execute(update(AssignmentRow).where(*mine).values(failure=said))

        await self._database.write(work)


def assign(connection: Connection, slot: str, model: str, *, by: str) -> None:
    """Wish for `model` in `slot` within the caller's transaction."""
    values = {"model": model, "assigned_by": by, "assigned_at": datetime.now(UTC), "failure": ""}
    connection.execute(
        insert(AssignmentRow).values(slot=slot, **values).on_conflict_do_update(index_elements=["slot"], set_=values)
    )
