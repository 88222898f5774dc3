"""What is asked of the database when somebody looks at the bot's health: what waits, what was set aside, whether it can be written.

queues = await Gauges(database).queues()
queues["inbox"].oldest_s     # 0.0 where nothing waits
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import Table, func, select, text

from bot.store.tables import InboxRow, OutboxRow, SwapRow

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bot.store.database import Database

_INBOX, _OUTBOX = cast("Table", InboxRow.__table__), cast("Table", OutboxRow.__table__)
_QUEUES: tuple[tuple[str, Table, Any, Sequence[str]], ...] = (
    ("inbox", _INBOX, _INBOX.c.received_at, ("received", "working")),
    ("outbox", _OUTBOX, _OUTBOX.c.created_at, ("ready", "sending", "ambiguous")),
)
_COUNTS = select(
    *(
        select(func.count()).where(table.c.state == state).scalar_subquery().label(f"{name} {state}")
        for name, table, _since, states in _QUEUES
        for state in (*states, "dead")
    ),
    *(
        select(since).where(table.c.state == state).order_by(table.c.id).limit(1).scalar_subquery().label(f"{name} {state} since")
        for name, table, since, states in _QUEUES
        for state in states
    ),
)
"""One row, each of its numbers from the index of state and id."""
_SWAPS = select(SwapRow.state, func.count()).group_by(SwapRow.state)
_TOUCH = text("UPDATE alembic_version SET version_num = version_num")


@dataclass(frozen=True, slots=True)
class Queue:
    """A table of what is to be done: how much waits, since when the oldest does, how much was set aside for good."""

    waiting: int
    oldest_s: float
    dead: int


class Gauges:
    """Quick questions: each is answered from an index."""

    def __init__(self, database: Database) -> None:
        """Ask `database`."""
        self._database = database

    async def stored(self) -> tuple[Mapping[str, Queue], Mapping[str, int]]:
        """Return the inbox and the outbox, of all bots of this home together, and how many swaps there were by their state."""
        async with self._database.read() as connection:
            row = (await connection.execute(_COUNTS)).mappings().one()
            swaps = await connection.execute(_SWAPS)
            return {name: _queue(row, name, states) for name, _table, _since, states in _QUEUES}, {
                one[0]: one[1] for one in swaps
            }

    async def touch(self) -> None:
        """Write what changes nothing, as far as the disk. Raises StoreError where that cannot be done."""

        def work(connection: Connection) -> None:
            connection.execute(_TOUCH)

        await self._database.write(work)


def _queue(row: Mapping[Any, Any], name: str, states: Sequence[str]) -> Queue:
    begun = [since for state in states if (since := row[f"{name} {state} since"]) is not None]
    age_s = max(0.0, (datetime.now(UTC) - min(begun)).total_seconds()) if begun else 0.0
    return Queue(sum(row[f"{name} {state}"] for state in states), age_s, row[f"{name} dead"])
