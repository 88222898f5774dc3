"""Groups whose past is read in: by whose order, how far, and what of it somebody had forgotten.

Owns two tables, and that a page's messages, the mark from which the next one goes on, and what is left out are one transaction. Leaves to
`bot.pasts` the reading.

    await pasts.order(past)
    await library.add_talk(talk, scope, pasts.page(past, after="…", fetched_at=now, reached=oldest))
    await pasts.leave_out(address, sender="U1")      # /forget: not read in again
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, cast

from sqlalchemy import Table, and_, delete, func, insert, or_, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from bot.locale import Language
from bot.message import Address, pack, unpack
from bot.passage import MESSAGE, Scope
from bot.store.passages import Choose, NewDocument
from bot.store.tables import DocumentRow, PastRow, ScopeRow, UnreadRow

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from bot.store.database import Database

State = Literal["entering", "reading", "done", "off", "lost"]
_PASTS, _UNREAD = (cast("Table", kind.__table__) for kind in (PastRow, UnreadRow))
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Past:
    """How far the past of one group is read, or, where `chat` is "", the order for a workspace. See `PastRow`."""

    channel: str
    account: str
    chat: str
    ordered_by: str
    origin: Address
    language: Language
    state: State = "reading"
    name: str = ""
    of_workspace: bool = False
    before: str = ""
    until: datetime | None = None
    reached: datetime | None = None
    kept: int = 0
    why: Mapping[str, str] | None = None

    @property
    def address(self) -> Address:
        """The group."""
        return Address(self.channel, self.account, self.chat, kind="group")


class OvertakenError(Exception):
    """The past is not to be read any more, or somebody else read this page: nothing of it was kept."""


class Pasts:
    """Keeps them."""

    def __init__(self, database: Database) -> None:
        """Use `database`."""
        self._database = database
        self._cut: set[Address] = set()
        """Groups whose past was half read when the bot was away."""

    async def of(self, address: Address) -> Past | None:
        """Return how far a group is, None where its past was never ordered."""
        return next(iter(await self._those(_is(address.channel, address.account, address.chat))), None)

    async def workspace(self, channel: str, account: str) -> Past | None:
        """Return the order for a workspace, None where there is none."""
        return next(iter(await self._those(_is(channel, account, ""))), None)

    async def groups(self, channel: str, account: str) -> list[Past]:
        """Return the groups of an account, in the order in which they were ordered."""
        return await self._those(and_(_PASTS.c.channel == channel, _PASTS.c.account == account, _PASTS.c.chat != ""))

    async def accounts(self, channel: str) -> list[str]:
        """Return the accounts of a channel of which there is a row."""
        async with self._database.read() as connection:
            query = select(_PASTS.c.account).where(_PASTS.c.channel == channel).distinct().order_by(_PASTS.c.account)
            return list((await connection.execute(query)).scalars())

    async def order(self, past: Past) -> None:
        """Have a past be read, from its end; one that is there already is begun anew, and keeps what was left out."""
        row = _row(past)
        again = {name: row[name] for name in row if name not in ("channel", "account", "chat", "kept")}

        def work(connection: Connection) -> None:
            statement = upsert(_PASTS).values(row)
            connection.execute(statement.on_conflict_do_update(index_elements=["channel", "account", "chat"], set_=again))

        await self._database.write(work)

    async def enter(self, past: Past) -> State | None:
        """Write down that a group is entered by the order for its workspace; return its state, None where that order is there no more.

        A group that has a row keeps it.
        """
        new = upsert(_PASTS).values(_row(replace(past, state="entering"))).on_conflict_do_nothing()

        def work(connection: Connection) -> State | None:
            if connection.execute(select(_PASTS.c.chat).where(_is(past.channel, past.account, ""))).first() is None:
                return None
            connection.execute(new)
            state = select(_PASTS.c.state).where(_is(past.channel, past.account, past.chat))
            return cast("State", connection.execute(state).scalar_one())

        return await self._database.write(work)

    async def become(self, past: Past, state: State, *, why: Mapping[str, str] | None = None, only: State | None = None) -> bool:
        """Change the state of a past; False where there is none, or its state is not `only`."""
        values = {"state": state, "why": json.dumps(dict(why)) if why else ""}
        where = and_(_is(past.channel, past.account, past.chat), *(() if only is None else (_PASTS.c.state == only,)))
        return await self._database.write(
            lambda connection: connection.execute(update(_PASTS).where(where).values(values)).rowcount > 0
        )

    async def drop(self, past: Past) -> None:
        """Forget that it was ordered."""
        where = _is(past.channel, past.account, past.chat)
        await self._database.write(lambda connection: connection.execute(delete(_PASTS).where(where)))

    async def catch_up(self, channel: str, account: str) -> None:
        """Have every past be read again down to what is known, for the bot was away: one that is whole now, one half read at its end."""
        newest = (
            select(func.max(DocumentRow.said_at))
            .join(ScopeRow, ScopeRow.id == DocumentRow.scope_id)
            .where(ScopeRow.name == "group:" + _PASTS.c.channel + "/" + _PASTS.c.account + "/" + _PASTS.c.chat)
            .scalar_subquery()
        )
        groups = and_(_PASTS.c.channel == channel, _PASTS.c.account == account, _PASTS.c.chat != "")
        reading = and_(groups, _PASTS.c.state == "reading", _PASTS.c.before != "")
        half = select(_PASTS.c.chat).where(reading, _PASTS.c.until.is_(None))
        anew = update(_PASTS).where(reading, _PASTS.c.until.is_not(None)).values(before="", reached=None)
        again = (
            update(_PASTS).where(groups, _PASTS.c.state == "done").values(state="reading", before="", reached=None, until=newest)
        )

        def work(connection: Connection) -> Sequence[str]:
            for statement in (anew, again):
                connection.execute(statement)
            return connection.execute(half).scalars().all()

        self._cut |= {Address(channel, account, chat, kind="group") for chat in await self._database.write(work)}

    def page(self, past: Past, *, after: str, fetched_at: datetime, reached: datetime | None) -> Choose:
        """Return what chooses of a page's messages those to be kept, and moves the mark on to `after`; "": all of it is read.

        Left out is what somebody had forgotten, and what became newer since it was fetched. It raises OvertakenError.
        """

        def choose(connection: Connection, documents: Sequence[NewDocument]) -> Sequence[NewDocument]:
            here = _is(past.channel, past.account, past.chat)
            mine = and_(here, _PASTS.c.state == "reading", _PASTS.c.before == past.before)
            kept = _new(connection, _allowed(connection, past, documents), past, fetched_at)
            more: dict[str, object] = {"state": "reading" if after else "done", "reached": reached or past.reached}
            if not after and past.until is None and past.address in self._cut:
                more = {"state": "reading", "reached": None, "until": _PASTS.c.ordered_at}
            values = {"before": after, "kept": _PASTS.c.kept + len(kept), **more}
            if not connection.execute(update(_PASTS).where(mine).values(values)).rowcount:
                raise OvertakenError
            return kept

        return choose

    async def leave_out(self, address: Address, *, sender: str = "", message: str = "", everywhere: bool = False) -> None:
        """Have what `sender` said before now, or one message, not be read in from the group's past, from any of the account for `everywhere`."""
        row = {
            "channel": address.channel, "account": address.account, "chat": "" if everywhere else address.chat,
            "sender": sender, "message": message, "at": datetime.now(UTC),
        }  # fmt: skip

        same = and_(*(_UNREAD.c[name] == row[name] for name in ("channel", "account", "chat", "sender", "message")))

        def work(connection: Connection) -> None:
            connection.execute(delete(_UNREAD).where(same))
            connection.execute(insert(_UNREAD).values(row))

        await self._database.write(work)

    async def _those(self, where: ColumnElement[bool]) -> list[Past]:
        async with self._database.read() as connection:
            rows = (await connection.execute(select(_PASTS).where(where).order_by(_PASTS.c.ordered_at, _PASTS.c.chat))).all()
        return [_past(row) for row in rows]


def _is(channel: str, account: str, chat: str) -> ColumnElement[bool]:
    return and_(_PASTS.c.channel == channel, _PASTS.c.account == account, _PASTS.c.chat == chat)


def _allowed(connection: Connection, past: Past, documents: Sequence[NewDocument]) -> list[NewDocument]:
    """Return the messages that nobody had forgotten."""
    here = and_(_UNREAD.c.channel == past.channel, _UNREAD.c.account == past.account, _UNREAD.c.chat.in_(("", past.chat)))
    ids = _UNREAD.c.message.in_([one.key.removeprefix(MESSAGE) for one in documents])
    theirs = and_(_UNREAD.c.message == "", _UNREAD.c.sender.in_({one.sender for one in documents}))
    rules = connection.execute(select(_UNREAD.c.sender, _UNREAD.c.message, _UNREAD.c.at).where(here, or_(ids, theirs))).all()
    gone = {MESSAGE + rule.message for rule in rules if rule.message}
    silent: dict[str, datetime] = {}
    for rule in rules:
        if not rule.message:
            silent[rule.sender] = max(rule.at, silent.get(rule.sender, rule.at))
    return [one for one in documents if one.key not in gone and not _was_before(one, silent.get(one.sender))]


def _was_before(document: NewDocument, at: datetime | None) -> bool:
    return at is not None and document.said is not None and document.said.at <= at


def _new(connection: Connection, documents: Sequence[NewDocument], past: Past, fetched_at: datetime) -> list[NewDocument]:
    """Return what is not here yet, or stands here as it was before."""
    scope = str(Scope.of(past.address))
    keys = [one.key for one in documents]
    query = (
        select(DocumentRow.key, DocumentRow.sha256, DocumentRow.updated_at)
        .join(ScopeRow, ScopeRow.id == DocumentRow.scope_id)
        .where(ScopeRow.name == scope)
    )
    known: dict[str, Any] = {}
    for start in range(0, len(keys), AT_ONCE):
        rows = connection.execute(query.where(DocumentRow.key.in_(keys[start : start + AT_ONCE])))
        known |= {row.key: row for row in rows}
    return [
        one
        for one in documents
        if one.key not in known or (known[one.key].sha256 != one.sha256 and known[one.key].updated_at < fetched_at)
    ]


def _row(past: Past) -> dict[str, object]:
    return {
        "channel": past.channel, "account": past.account, "chat": past.chat, "state": past.state, "name": past.name,
        "of_workspace": past.of_workspace, "before": past.before, "until": past.until, "reached": past.reached, "kept": past.kept,
        "ordered_by": past.ordered_by, "origin": pack(past.origin), "language": past.language, "ordered_at": datetime.now(UTC), "why": "",
    }  # fmt: skip


def _past(row: Any) -> Past:
    return Past(
        row.channel, row.account, row.chat, row.ordered_by, unpack(Address, row.origin), row.language, row.state, row.name,
        row.of_workspace, row.before, row.until, row.reached, row.kept, json.loads(row.why) if row.why else None,
    )  # fmt: skip
