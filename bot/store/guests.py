"""The people and groups that an admin let in, and the pairing codes that wait for one. Those of the settings are not kept here.

Owns two tables and their bounds. Leaves to `bot.front_door` what a code looks like, who may talk, and what is said.

    await guests.ask("telegram:42", code_hash, origin, now=now)     # "shown", "again" or "full"
    await guests.redeem(code_hash, by="telegram:4711", now=now)     # Asked("telegram:42", origin), None for no such code
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal, cast

from sqlalchemy import Table, delete, func, or_, select
from sqlalchemy.dialects.sqlite import insert

from bot.message import Address, Message, pack, unpack
from bot.store.tables import GuestRow, PairingRow

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection

    from bot.store.database import Database

LIFE: Final = timedelta(hours=1)
"""How long a code stands."""
AGAIN: Final = timedelta(minutes=10)
"""After so long a person is shown a new code in the place of the former; until then there is none."""
MOST: Final = 50
"""Codes that stand at the same time: so many strangers an hour, and so many rows, however many knock."""
_GUESTS, _PAIRINGS = cast("Table", GuestRow.__table__), cast("Table", PairingRow.__table__)

Shown = Literal["shown", "again", "full"]
"""again: their last code is too young for another; full: too many stand."""


@dataclass(frozen=True, slots=True)
class Guest:
    """A person or a group, CHANNEL:ID, and who let them in."""

    person: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """Who waits with a code, and the message to which it was shown, without its words."""

    person: str
    origin: Message | None
    at: datetime


class Guests:
    """Who was let in, and who asks to be."""

    def __init__(self, database: Database) -> None:
        """Use `database`."""
        self._database = database

    async def all(self) -> list[Guest]:
        """Return everybody who was let in, the first one first."""
        query = select(_GUESTS).order_by(_GUESTS.c.admitted_at, _GUESTS.c.person)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [Guest(row.person, row.admitted_by, row.admitted_at) for row in rows]

    async def has_any(self, people: Collection[str]) -> bool:
        """Say whether one of `people` was let in, by what the database holds now."""
        query = select(_GUESTS.c.person).where(_GUESTS.c.person.in_(people)).limit(1)
        async with self._database.read() as connection:
            return (await connection.execute(query)).first() is not None

    async def admit(self, person: str, *, by: str) -> bool:
        """Let `person` in; return False where that one was before. A code that was shown to them is of no use any more."""

        def work(connection: Connection) -> bool:
            connection.execute(delete(_PAIRINGS).where(_PAIRINGS.c.person == person))
            return _let_in(connection, person, by)

        return await self._database.write(work)

    async def remove(self, person: str) -> bool:
        """Let `person` in no more; return False where that one had not been let in."""

        def work(connection: Connection) -> bool:
            return connection.execute(delete(_GUESTS).where(_GUESTS.c.person == person)).rowcount > 0

        return await self._database.write(work)

    async def ask(self, person: str, code_hash: str, origin: Message, *, now: datetime) -> Shown:
        """Keep the SHA-256 of a code for `person`, where one may be shown."""
        row = {"person": person, "code_hash": code_hash, "origin": _bare(origin), "asked_at": now, "expires_at": now + LIFE}

        def work(connection: Connection) -> Shown:
            connection.execute(delete(_PAIRINGS).where(or_(_PAIRINGS.c.expires_at <= now, _PAIRINGS.c.asked_at > now)))
            last = connection.execute(select(_PAIRINGS.c.asked_at).where(_PAIRINGS.c.person == person)).scalar()
            if last is not None and now - last < AGAIN:
                return "again"
            if last is None and connection.execute(select(func.count()).select_from(_PAIRINGS)).scalar_one() >= MOST:
                return "full"
            connection.execute(insert(_PAIRINGS).values(row).on_conflict_do_update(index_elements=["person"], set_=row))
            return "shown"

        return await self._database.write(work)

    async def redeem(self, code_hash: str, *, by: str, now: datetime) -> Asked | None:
        """Let in the one to whom the code of this SHA-256 was shown; None where none stands. A code is good once."""

        def work(connection: Connection) -> Asked | None:
            rows = connection.execute(select(_PAIRINGS).where(_PAIRINGS.c.expires_at > now)).all()
            found = [row for row in rows if hmac.compare_digest(row.code_hash, code_hash)]  # each is compared, in constant time
            if not found:
                return None
            connection.execute(delete(_PAIRINGS).where(_PAIRINGS.c.person == found[0].person))
            _let_in(connection, found[0].person, by)
            return Asked(found[0].person, _origin(found[0].origin), found[0].asked_at)

        return await self._database.write(work)

    async def asking(self, *, now: datetime | None = None) -> list[Asked]:
        """Return who waits with a code that stands, the first one first."""
        query = select(_PAIRINGS).where(_PAIRINGS.c.expires_at > (now or datetime.now(UTC))).order_by(_PAIRINGS.c.asked_at)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [Asked(row.person, _origin(row.origin), row.asked_at) for row in rows]


def move_guest(connection: Connection, old: Address, new: Address) -> None:
    """Have a group that was let in be so under its new number."""
    before, after = (f"{address.channel}:{address.chat}" for address in (old, new))
    row = connection.execute(select(_GUESTS).where(_GUESTS.c.person == before)).first()
    if row is not None:
        connection.execute(insert(_GUESTS).values({**row._mapping, "person": after}).on_conflict_do_nothing())  # noqa: SLF001 - public in SQLAlchemy
        connection.execute(delete(_GUESTS).where(_GUESTS.c.person == before))


def _let_in(connection: Connection, person: str, by: str) -> bool:
    row = {"person": person, "admitted_by": by, "admitted_at": datetime.now(UTC)}
    return connection.execute(insert(_GUESTS).values(row).on_conflict_do_nothing()).rowcount > 0


def _bare(said: Message) -> str:
    """Return where, by whom and in which language, and none of the words: what a stranger says is kept nowhere."""
    return pack(Message(said.address, said.sender, said.id, "", said.language, said.sent_at))


def _origin(packed: str) -> Message | None:
    try:
        return unpack(Message, packed)
    except ValueError:  # written by another version of the bot
        return None
