"""How much each person and group asked for, today and just now, in all bots of the home.

Owns the counts, and in one transaction whether one more is within them. Leaves to `bot.quota` what the limits are, and what is told.

    caps = [Cap("telegram:42", "pace", 30), Cap("telegram:42", "messages", 500)]
    await usage.take(caps, "42/17", at=message.sent_at, day="2026-03-02", now=now)     # None: within all of them, and counted

A pace is a token bucket that holds a minute's worth, kept as the moment at which it is full again. What is over it finds it shut
until then: so there is one sentence, and one moment from which on all is taken again.

Source: the generic cell rate algorithm, ITU-T I.371, annex A.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal, cast

from sqlalchemy import Table, delete, select, tuple_, update
from sqlalchemy.dialects.sqlite import insert

from bot.store.tables import InboxRow, UsageRow

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from bot.message import Message
    from bot.store.database import Database, Work

Kind = Literal["messages", "costly", "pace", "group messages", "group pace"]
PACES: Final = ("pace", "group pace")
MINUTE: Final = timedelta(minutes=1)
TELL_AGAIN: Final = timedelta(minutes=10)
"""How long nobody is told once more that a day's quota is used up."""
_TABLE = cast("Table", UsageRow.__table__)
_INBOX = cast("Table", InboxRow.__table__)


@dataclass(frozen=True, slots=True)
class Cap:
    """At most so many of a kind: a day, or, of a pace, a minute."""

    who: str
    """CHANNEL:USER, or CHANNEL:CHAT of a group."""
    kind: Kind
    most: int


@dataclass(frozen=True, slots=True)
class Over:
    """Over which cap it is, and whether that is to be told. `until`: of a pace, when it is taken again."""

    cap: Cap
    told: bool
    most: int
    """With what an admin gave besides."""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Once:
    """What counts once of a message in the inbox, however often that is begun: `name`, one word, noted in its row."""

    message: Message
    name: str


@dataclass(frozen=True, slots=True)
class Used:
    """What was asked for on a day, and how much an admin gave besides."""

    who: str
    kind: Kind
    used: int = 0
    more: int = 0


class Usage:
    """Counts."""

    def __init__(self, database: Database) -> None:
        """Use `database`."""
        self._database = database

    async def take(
        self, caps: Sequence[Cap], said: str, *, at: datetime, day: str, now: datetime, begins: Work[object] | None = None,
        once: Once | None = None,
    ) -> Over | None:  # fmt: skip
        """Count one message, said `at`, that is named `said`, to all of `caps`; where it is over one, to none, and return which.

        Of what is over, the first is to be told, and that one again where it is asked for once more. `begins` notes that a message
        which is within them is begun, and is written with the counts: a kill between the two would have it counted twice. What is
        to count `once` and has been counted is within them.
        """

        def work(connection: Connection) -> Over | None:
            if once is not None and once.name in _counts(connection, once.message):
                return None
            rows = _rows(connection, caps)
            for cap in caps:
                row = _today(rows.get((cap.who, cap.kind)), cap, at=at, day=day)
                rows[cap.who, cap.kind] = row
                if (over := _over(row, cap, said, now=now)) is not None:
                    _keep(connection, row)
                    return over
            for cap in caps:
                _keep(connection, _counted(rows[cap.who, cap.kind], cap))
            if begins is not None:
                begins(connection)
            if once is not None:
                _note(connection, once, counts=True)
            return None

        return await self._database.write(work, durable=False)

    async def give_back(self, cap: Cap, once: Once | None = None) -> None:
        """Count one less: it came to nothing. What was to count `once` counts anew where it is done again."""
        one_less = (
            update(_TABLE)
            .where(_TABLE.c.who == cap.who, _TABLE.c.kind == cap.kind, _TABLE.c.used > 0)
            .values(used=_TABLE.c.used - 1)
        )

        def work(connection: Connection) -> None:
            connection.execute(one_less)
            if once is not None:
                _note(connection, once, counts=False)

        await self._database.write(work, durable=False)

    async def give(self, cap: Cap, more: int, *, day: str, now: datetime) -> int:
        """Let `cap` be higher by `more` on that day; return by how much it is now."""

        def work(connection: Connection) -> int:
            row = _today(_rows(connection, [cap]).get((cap.who, cap.kind)), cap, at=now, day=day)
            row.more += more
            row.told_at = None
            _keep(connection, row)
            return row.more

        return await self._database.write(work)

    async def on(self, day: str) -> list[Used]:
        """Return what was asked for on the day, who asked for most first."""
        query = (
            select(_TABLE).where(_TABLE.c.day == day, _TABLE.c.kind.not_in(PACES)).order_by(_TABLE.c.used.desc(), _TABLE.c.who)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [Used(row.who, row.kind, row.used, row.more) for row in rows]

    async def drop(self, *, before: str) -> None:
        """Delete what is of days before that one."""
        await self._database.write(lambda connection: connection.execute(delete(_TABLE).where(_TABLE.c.day < before)))


@dataclass(slots=True)
class _Row:
    who: str
    kind: Kind
    day: str
    at: datetime
    full_at: datetime
    used: int = 0
    more: int = 0
    shut: bool = False
    told_at: datetime | None = None
    told_for: str = ""


def _counts(connection: Connection, message: Message) -> list[str]:
    """Return what of `message` has been counted; nothing of one that is not in the inbox."""
    noted = connection.execute(select(_INBOX.c.counted).where(*_is(message))).scalar()
    return noted.split() if noted else []


def _note(connection: Connection, once: Once, *, counts: bool) -> None:
    names = [name for name in _counts(connection, once.message) if name != once.name]
    noted = " ".join([*names, once.name] if counts else names)
    connection.execute(update(_INBOX).where(*_is(once.message)).values(counted=noted))


def _is(message: Message) -> list[ColumnElement[bool]]:
    at = message.address
    here = [_INBOX.c[name] == getattr(at, name) for name in ("channel", "account", "chat")]
    return [*here, _INBOX.c.message_id == message.id, _INBOX.c.version == message.version]


def _rows(connection: Connection, caps: Sequence[Cap]) -> dict[tuple[str, Kind], _Row]:
    if not caps:
        return {}
    wanted = tuple_(_TABLE.c.who, _TABLE.c.kind).in_([(cap.who, cap.kind) for cap in caps])
    return {(row.who, row.kind): _Row(**row._mapping) for row in connection.execute(select(_TABLE).where(wanted))}  # noqa: SLF001 - public in SQLAlchemy


def _today(row: _Row | None, cap: Cap, *, at: datetime, day: str) -> _Row:
    """Return the row as it is `at`: days and moments do not go back, also where an older message comes later."""
    if row is None:
        return _Row(cap.who, cap.kind, day, at, at)
    row.at = max(row.at, at)
    if row.day < day:
        row.day, row.used, row.more, row.told_at, row.told_for = day, 0, 0, None, ""
    return row


def _over(row: _Row, cap: Cap, said: str, *, now: datetime) -> Over | None:
    if cap.kind in PACES:
        return _too_fast(row, cap, said)
    if row.used < cap.most + row.more:
        return None
    tell = row.told_for == said or row.told_at is None or now - row.told_at >= TELL_AGAIN
    if tell:
        row.told_at, row.told_for = now, said
    return Over(cap, tell, cap.most + row.more)


def _too_fast(row: _Row, cap: Cap, said: str) -> Over | None:
    row.shut = row.shut and row.at < row.full_at
    if row.shut:
        return Over(cap, row.told_for == said, cap.most, row.full_at)
    if row.full_at - row.at <= MINUTE - MINUTE / cap.most:
        return None
    row.shut, row.told_for = True, said
    return Over(cap, told=True, most=cap.most, until=row.full_at)


def _counted(row: _Row, cap: Cap) -> _Row:
    row.used += 1
    if cap.kind in PACES:
        row.full_at = max(row.full_at, row.at) + MINUTE / cap.most
    return row


def _keep(connection: Connection, row: _Row) -> None:
    values: Mapping[str, object] = {name: getattr(row, name) for name in _Row.__slots__}
    connection.execute(insert(_TABLE).values(values).on_conflict_do_update(index_elements=["who", "kind"], set_=values))
