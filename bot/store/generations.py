"""Generations of vectors: all that one embedder made. Vectors of two are never mixed.

A generation goes building -> live -> retired, and from retired back to building where it is wanted again; what is not wanted any more is
dropped, its vectors by and by. At most one is live, at most one is building; new passages go to both.

    generation = await generations.begin("embed.static.v1@53aa51172d14", dimension=256)
    await generations.publish(generation)      # once no passage lacks its vector
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, cast

from sqlalchemy import ColumnElement, Row, Select, and_, delete, func, insert, select, update

from bot.store.tables import GenerationRow, PassageRow, VectorRow

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bot.store.database import Database

State = Literal["building", "live", "retired", "dropped"]
WRITTEN: tuple[State, ...] = ("live", "building")
"""New passages go to these."""
SWEPT_AT_ONCE = 2000
"""Vectors that are deleted in one transaction: some 20 ms in which nobody else writes."""


@dataclass(frozen=True, slots=True)
class Generation:
    """All vectors of one embedder."""

    id: int
    embedder: str
    dimension: int
    state: State
    live_at: datetime | None = None
    """When it became live the last time, None for one that never was."""
    rate: float = 0.0
    """Passages a second, as they were embedded for it last; 0 where nobody has measured."""


class Generations:
    """The generations, by embedder."""

    def __init__(self, database: Database) -> None:
        """Use `database`."""
        self._database = database

    async def live(self) -> Generation | None:
        """Return the generation that searches use, None before the first passage."""
        return next(iter(await self._found(GenerationRow.state == "live")), None)

    async def written(self) -> list[Generation]:
        """Return those that new passages go to: the live one first, then the one that is being built."""
        return sorted(await self._found(GenerationRow.state.in_(WRITTEN)), key=lambda one: WRITTEN.index(one.state))

    async def all(self) -> list[Generation]:
        """Return all that hold vectors, the oldest first."""
        return await self._found(GenerationRow.state != "dropped")

    async def before(self) -> Generation | None:
        """Return the generation that was live before the one that is, None where none was or its vectors were dropped."""
        retired = await self._found(GenerationRow.state == "retired")
        return max(retired, key=_last_live, default=None)

    async def begin(self, embedder: str, *, dimension: int) -> Generation:
        """Return the generation of `embedder` that is written to: the live one, else one that is being built from now on.

        One that was retired is taken up again with what it has; where none is live, the new one is. Another that was being built is
        retired again, or dropped where it was never live.
        """
        return await self._database.write(lambda connection: _begun(connection, embedder, dimension))

    async def publish(self, generation: Generation) -> bool:
        """Make `generation` live and retire the one before, if no passage lacks its vector; return whether it was done."""

        def work(connection: Connection) -> bool:
            row = connection.execute(_columns().where(GenerationRow.id == generation.id)).first()
            if row is None or row[3] not in WRITTEN or connection.execute(_lacking(generation.id).limit(1)).first():
                return False
            if row[3] == "building":
                connection.execute(update(GenerationRow).where(GenerationRow.state == "live").values(state="retired"))
                values = {"state": "live", "live_at": datetime.now(UTC)}
                connection.execute(update(GenerationRow).where(GenerationRow.id == generation.id).values(values))
            return True

        return await self._database.write(work)

    async def put_away(self) -> None:
        """Build no other than the live one: retire what is being built, or drop it where it was never live."""
        await self._database.write(_put_away)

    async def drop(self, generation: int) -> bool:
        """Give up a generation that is not live; `sweep` deletes its vectors. Return whether it was there."""

        def work(connection: Connection) -> bool:
            wanted = and_(GenerationRow.id == generation, GenerationRow.state.in_(("building", "retired")))
            return bool(connection.execute(update(GenerationRow).where(wanted).values(state="dropped")).rowcount)

        return await self._database.write(work)

    async def sweep(self) -> bool:
        """Delete some vectors of dropped generations; return whether there are more."""

        def work(connection: Connection) -> bool:
            dropped = connection.execute(select(GenerationRow.id).where(GenerationRow.state == "dropped")).scalars().all()
            for number in dropped:
                mine = VectorRow.generation_id == number
                some = select(VectorRow.passage_id).where(mine).limit(SWEPT_AT_ONCE)
                if connection.execute(delete(VectorRow).where(mine, VectorRow.passage_id.in_(some))).rowcount:
                    return True
                connection.execute(delete(GenerationRow).where(GenerationRow.id == number))
            return False

        if not await self._found(GenerationRow.state == "dropped"):
            return False
        return await self._database.write(work, durable=False)

    async def paced(self, generation: int, rate: float) -> None:
        """Remember how many passages a second are embedded for a generation."""

        def work(connection: Connection) -> None:
            connection.execute(update(GenerationRow).where(GenerationRow.id == generation).values(rate=rate))

        await self._database.write(work, durable=False)

    async def counts(self, generation: int) -> tuple[int, int]:
        """Return how many vectors a generation has, and how many passages have none in it."""
        async with self._database.read() as connection:
            have = (await connection.execute(select(func.count()).where(VectorRow.generation_id == generation))).scalar_one()
            lack = (await connection.execute(select(func.count()).select_from(_lacking(generation).subquery()))).scalar_one()
        return have, lack

    async def _found(self, *wanted: ColumnElement[bool]) -> list[Generation]:
        async with self._database.read() as connection:
            return [_generation(row) for row in await connection.execute(_columns().where(*wanted).order_by(GenerationRow.id))]


def written_now(connection: Connection) -> set[int]:
    """Return the generations that new passages go to, within the caller's transaction."""
    return set(connection.execute(select(GenerationRow.id).where(GenerationRow.state.in_(WRITTEN))).scalars())


def live_now(connection: Connection) -> int:
    """Return the live generation, 0 for none, within the caller's transaction."""
    return connection.execute(select(GenerationRow.id).where(GenerationRow.state == "live")).scalar() or 0


def _begun(connection: Connection, embedder: str, dimension: int) -> Generation:
    same = and_(GenerationRow.embedder == embedder, GenerationRow.dimension == dimension, GenerationRow.state != "dropped")
    row = connection.execute(_columns().where(same).order_by(GenerationRow.id.desc())).first()
    known = _generation(row) if row else None
    if known is not None and known.state in WRITTEN:
        if known.state == "live":
            _put_away(connection)
        return known
    _put_away(connection)
    live = connection.execute(select(GenerationRow.id).where(GenerationRow.state == "live")).first()
    now = datetime.now(UTC)
    values: dict[str, object] = (
        {"state": "building", "live_at": known.live_at if known else None} if live else {"state": "live", "live_at": now}
    )
    if known is None:
        values |= {"embedder": embedder, "dimension": dimension, "created_at": now}
        number = connection.execute(insert(GenerationRow).values(values).returning(GenerationRow.id)).scalar_one()
    else:
        number = known.id
        connection.execute(update(GenerationRow).where(GenerationRow.id == number).values(values))
    return _generation(connection.execute(_columns().where(GenerationRow.id == number)).one())


def _put_away(connection: Connection) -> None:
    building = GenerationRow.state == "building"
    connection.execute(update(GenerationRow).where(building, GenerationRow.live_at.is_(None)).values(state="dropped"))
    connection.execute(update(GenerationRow).where(building).values(state="retired"))


def _lacking(generation: int) -> Select[int]:
    has = select(1).where(VectorRow.passage_id == PassageRow.id, VectorRow.generation_id == generation).exists()
    return select(PassageRow.id).where(~has)


def _columns() -> Select[int, str, int, str, datetime | None, float]:
    return select(
        GenerationRow.id, GenerationRow.embedder, GenerationRow.dimension, GenerationRow.state, GenerationRow.live_at,
        GenerationRow.rate,
    )  # fmt: skip


def _generation(row: Row[int, str, int, str, datetime | None, float]) -> Generation:
    number, embedder, dimension, state, live_at, rate = row
    return Generation(number, embedder, dimension, cast("State", state), live_at, rate)


def _last_live(generation: Generation) -> tuple[datetime, int]:
    return generation.live_at or datetime.min.replace(tzinfo=UTC), generation.id
