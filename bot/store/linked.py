"""Accounts on several channels that are one person's, and the codes that make them so.

Owns two tables; each step of a code is one transaction, so of two who type one code, one has it. Leaves to `bot.linking` what is said.

    await linked.show(ann_in_slack, code_hash, now=now)
    await linked.typed(code_hash, ann_in_telegram, now=now)     # ann_in_slack, None for no such code
    await linked.join(ann_in_telegram, now=now)                 # Joined("joined", ann_in_slack)
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from sqlalchemy import Table, and_, bindparam, delete, select, update
from sqlalchemy.dialects.sqlite import insert

from bot.message import Address, pack, unpack
from bot.store.tables import LinkCodeRow, LinkedRow

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from bot.store.database import Database

LIFE: Final = timedelta(minutes=10)
"""How long a code stands, and how long one may think about it."""
_LINKED, _CODES = (cast("Table", kind.__table__) for kind in (LinkedRow, LinkCodeRow))
_OF = (
    select(_LINKED)
    .where(
        _LINKED.c.whole
        == select(_LINKED.c.whole)
        .where(*(_LINKED.c[name] == bindparam(f"by_{name}") for name in ("channel", "account", "user")))
        .scalar_subquery()
    )
    .order_by(_LINKED.c.linked_at, _LINKED.c.channel, _LINKED.c.user)
)


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody on one account of one channel, and their own chat with the bot there."""

    channel: str
    account: str
    user: str
    direct: Address
    name: str = ""

    @property
    def person(self) -> str:
        """CHANNEL:USER."""
        return f"{self.channel}:{self.user}"


@dataclass(frozen=True, slots=True)
class Joined:
    """What came of a yes. same: they are one person; taken: one of the two has another account there; gone: the code stands no more."""

    how: Literal["joined", "same", "taken", "gone"]
    other: Identity | None = None


class Linked:
    """Whose accounts are whose."""

    def __init__(self, database: Database, *, apart: str = "") -> None:
        """Use `database`; the accounts of `apart`, CHANNEL:USER, are nobody's other ones and have none, whatever was linked."""
        self._database = database
        self._apart = apart

    async def show(self, to: Identity, code_hash: str, *, now: datetime) -> None:
        """Keep the SHA-256 of the code that is shown to somebody; one that was shown before is of no use any more."""
        row = {
            "channel": to.channel, "account": to.account, "user": to.user, "code_hash": code_hash, "direct": pack(to.direct),
            "name": to.name, "typed_by": "", "expires_at": now + LIFE,
        }  # fmt: skip

        def work(connection: Connection) -> None:
            connection.execute(delete(_CODES).where(_CODES.c.expires_at <= now))
            statement = insert(_CODES).values(row)
            connection.execute(statement.on_conflict_do_update(index_elements=["channel", "account", "user"], set_=row))

        await self._database.write(work)

    async def typed(self, code_hash: str, by: Identity, *, now: datetime) -> Identity | None:
        """Take the code of this SHA-256 for `by`, once; return whose it is, None where no such code stands for anybody else."""

        def work(connection: Connection) -> Identity | None:
            rows = connection.execute(select(_CODES).where(_CODES.c.expires_at > now, _CODES.c.typed_by == "")).all()
            found = [row for row in rows if hmac.compare_digest(row.code_hash, code_hash)]  # each is compared, in constant time
            if not found or _key(found[0]) == _key(by):
                return None
            typed = {"typed_by": json.dumps(_key(by)), "expires_at": now + LIFE}
            connection.execute(update(_CODES).where(_is(_CODES, found[0])).values(typed))
            return _identity(found[0])

        return await self._database.write(work)

    async def burn(self, code_hash: str) -> None:
        """Have the code of this SHA-256 be of no use any more: others saw it."""
        await self._database.write(lambda connection: connection.execute(delete(_CODES).where(_CODES.c.code_hash == code_hash)))

    async def join(self, by: Identity, *, now: datetime) -> Joined:
        """Make `by`, who typed a code, one person with whose it is. The code is used up."""

        def work(connection: Connection) -> Joined:
            waiting = and_(_CODES.c.typed_by == json.dumps(_key(by)), _CODES.c.expires_at > now)
            row = connection.execute(select(_CODES).where(waiting).order_by(_CODES.c.expires_at.desc())).first()
            if row is None:
                return Joined("gone")
            connection.execute(delete(_CODES).where(_CODES.c.typed_by == json.dumps(_key(by))))
            other = _identity(row)
            both = [*_whole(connection, other), *_whole(connection, by)]
            if _key(other) in [_key(one) for one in _whole(connection, by)]:
                return Joined("same", other)
            if len({(one.channel, one.account) for one in both}) < len(both):
                return Joined("taken", other)
            whole = secrets.token_hex(16)
            for one in both:
                _keep(connection, one, whole, now)
            return Joined("joined", other)

        return await self._database.write(work)

    async def leave(self, who: Identity) -> list[Identity]:
        """Take `who` out of what is one person; return those from whom. A code of theirs is of no use any more."""

        def work(connection: Connection) -> list[Identity]:
            connection.execute(delete(_CODES).where(_is(_CODES, who)))
            connection.execute(delete(_CODES).where(_CODES.c.typed_by == json.dumps(_key(who))))
            others = [one for one in _whole(connection, who) if _key(one) != _key(who)]
            leaving = [who, *others] if len(others) == 1 else [who]
            for one in leaving:
                connection.execute(delete(_LINKED).where(_is(_LINKED, one)))
            return others

        return await self._database.write(work)

    async def others(self, channel: str, account: str, user: str) -> list[Identity]:
        """Return the other accounts of somebody, the one that was linked first first."""
        return [
            one
            for one in await self._all(channel, account, user)
            if (one.channel, one.account, one.user) != (channel, account, user)
        ]

    async def one(self, channel: str, account: str, user: str) -> str:
        """Return the name, CHANNEL:USER, that stands for all accounts of somebody: that of the first; theirs, where they have no other."""
        return next((one.person for one in await self._all(channel, account, user)), f"{channel}:{user}")

    async def _all(self, channel: str, account: str, user: str) -> Sequence[Identity]:
        who = {"by_channel": channel, "by_account": account, "by_user": user}
        rows = await self._database.look(lambda connection: connection.execute(_OF, who).all())
        known = [_identity(row) for row in rows]
        return [] if f"{channel}:{user}" == self._apart else [one for one in known if one.person != self._apart]


def _key(one: Any) -> list[str]:
    return [one.channel, one.account, one.user]


def _is(table: Table, one: Any) -> ColumnElement[bool]:
    return and_(table.c.channel == one.channel, table.c.account == one.account, table.c.user == one.user)


def _identity(row: Any) -> Identity:
    return Identity(row.channel, row.account, row.user, unpack(Address, row.direct), row.name)


def _whole(connection: Connection, one: Identity) -> list[Identity]:
    """Return all accounts of the person whose is `one`."""
    whole = connection.execute(select(_LINKED.c.whole).where(_is(_LINKED, one))).scalar()
    rows = connection.execute(select(_LINKED).where(_LINKED.c.whole == whole)).all() if whole else []
    return [_identity(row) for row in rows] or [one]


def _keep(connection: Connection, one: Identity, whole: str, now: datetime) -> None:
    row = {
        "channel": one.channel, "account": one.account, "user": one.user, "whole": whole, "direct": pack(one.direct), "name": one.name,
        "linked_at": now,
    }  # fmt: skip
    again = {"whole": whole, "direct": row["direct"], "name": one.name}
    connection.execute(
        insert(_LINKED).values(row).on_conflict_do_update(index_elements=["channel", "account", "user"], set_=again)
    )
