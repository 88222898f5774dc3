"""What admins ordered, what came of it, and who was refused.

An order is written down before it is carried out: what a crash cut off stays as "begun".

    number = await audit.begin("telegram:4711", "/swap summarise summarise.lead.v1")
    await audit.end(number, "done")         # or outcome_of(error)
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

from sqlalchemy import delete, insert, select, update

from bot.errors import InputError
from bot.store.tables import AuditRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from bot.store.database import Database

Outcome = Literal["begun", "done", "refused", "failed", "stopped", "not an admin", "another's button"]
"""refused: the order itself (a word that is none, a gate's no); failed: an error; stopped: by who ordered it.

The last two: who ordered it may not."""
LONGEST_COMMAND: Final = 1000
"""Characters that are kept of an order."""
MOST: Final = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """One order."""

    id: int
    who: str
    """CHANNEL:USER; "terminal" for the command line."""
    command: str
    outcome: str
    at: datetime


class Audit:
    """The orders, kept until they are too old (`bot.ageing`)."""

    def __init__(self, database: Database) -> None:
        """Use `database`."""
        self._database = database

    async def begin(self, who: str, command: str, outcome: Outcome = "begun") -> int:
        """Write an order down, with what came of it where that is known; return its number."""
        values = {"who": who, "command": command[:LONGEST_COMMAND], "outcome": outcome, "at": datetime.now(UTC)}

        def work(connection: Connection) -> int:
            return int(connection.execute(insert(AuditRow).values(values).returning(AuditRow.id)).scalar_one())

        return await self._database.write(work)

    async def end(self, number: int, outcome: Outcome, *, about: str = "") -> None:
        """Write down what came of an order, and whom it turned out to be about, where its words do not say."""
        statement = update(AuditRow).where(AuditRow.id == number).values(outcome=outcome)
        if about:
            statement = statement.values(command=AuditRow.command + f" → {about}"[:LONGEST_COMMAND])

        def work(connection: Connection) -> None:
            connection.execute(statement)

        await self._database.write(work)

    async def age(self, before: datetime, *, at_once: int) -> int:
        """Delete so many orders from before `before` (aware); return how many there were."""
        old = select(AuditRow.id).where(AuditRow.at < before).order_by(AuditRow.id).limit(at_once)

        def work(connection: Connection) -> int:
            return connection.execute(delete(AuditRow).where(AuditRow.id.in_(old))).rowcount

        return await self._database.write(work)

    async def last(self, count: int) -> Sequence[Entry]:
        """Return the last `count` orders (at most MOST), the newest first."""
        query = select(AuditRow.id, AuditRow.who, AuditRow.command, AuditRow.outcome, AuditRow.at)
        async with self._database.read() as connection:
            rows = (await connection.execute(query.order_by(AuditRow.id.desc()).limit(min(count, MOST)))).all()
        return [Entry(row.id, row.who, row.command, row.outcome, row.at) for row in rows]


def outcome_of(error: BaseException) -> Outcome:
    """Return what came of an order that ended by `error`."""
    if isinstance(error, asyncio.CancelledError):
        return "stopped"
    return "refused" if isinstance(error, InputError) else "failed"
