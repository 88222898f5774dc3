"""Generations of vectors: all that one embedder made. Vectors of two are never mixed.

A generation goes building -> live -> retired; at most one is live.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, cast

from sqlalchemy import ColumnElement, Row, Select, func, insert, select, update

from bot.store.tables import GenerationRow, PassageRow, VectorRow

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bot.store.database import Database

State = Literal["building", "live", "retired"]


@dataclass(frozen=True, slots=True)
class Generation:
    """All vectors of one embedder."""

    id: int
    embedder: str
    dimension: int
    state: State


class Generations:
    """The generations, by embedder."""

    def __init__(self, database: Database) -> None:
        """Use `database`."""
        self._database = database

    async def live(self) -> Generation | None:
        """Return the generation that searches use, None before the first passage."""
        return await self._first(GenerationRow.state == "live")

    async def of(self, embedder: str, *, dimension: int) -> Generation:
        """Return the newest generation of `embedder`; where it has none, one is begun: live if no other is, else building."""

        def work(connection: Connection) -> Generation:
            known = connection.execute(_columns().where(GenerationRow.embedder == embedder).order_by(GenerationRow.id.desc()))
            if row := known.first():
                return _generation(row)
            live = connection.execute(select(func.count()).where(GenerationRow.state == "live"))
            state: State = "building" if live.scalar_one() else "live"
            values = {"embedder": embedder, "dimension": dimension, "state": state, "created_at": datetime.now(UTC)}
            added = connection.execute(insert(GenerationRow).values(values).returning(GenerationRow.id))
            return Generation(added.scalar_one(), embedder, dimension, state)

        return await self._database.write(work)

    async def publish(self, generation: Generation) -> bool:
        """Make `generation` live and retire the one before, if no passage lacks its vector; return whether it was done."""

        def work(connection: Connection) -> bool:
            has = select(1).where(VectorRow.passage_id == PassageRow.id, VectorRow.generation_id == generation.id).exists()
            if (connection.execute(select(PassageRow.id).where(~has).limit(1))).first():
                return False
            connection.execute(update(GenerationRow).where(GenerationRow.state == "live").values(state="retired"))
            connection.execute(update(GenerationRow).where(GenerationRow.id == generation.id).values(state="live"))
            return True

        return await self._database.write(work)

    async def _first(self, *wanted: ColumnElement[bool]) -> Generation | None:
        async with self._database.read() as connection:
            row = (await connection.execute(_columns().where(*wanted))).first()
        return _generation(row) if row else None


def _columns() -> Select[int, str, int, str]:
    return select(GenerationRow.id, GenerationRow.embedder, GenerationRow.dimension, GenerationRow.state)


def _generation(row: Row[int, str, int, str]) -> Generation:
    number, embedder, dimension, state = row
    return Generation(number, embedder, dimension, cast("State", state))
