"""The outbox: every reply, until the platform has it.

A row goes ready -> sending -> sent | ambiguous | dead. "sending" is on disk before a send that must not be repeated blindly
is begun: a row found so at a start is one whose fate is unknown. Of a split reply it is kept which parts went out.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import Table, and_, bindparam, func, insert, select, update

from bot.locale import Language
from bot.message import Address, Button, Message, Reply, pack, unpack
from bot.store.places import Places, Recovered, Ticket, owners, take_over, ticket_of, within
from bot.store.tables import ButtonRow, InboxRow, OutboxRow

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Update

    from bot.store.database import Database

BUTTON_LIFE = timedelta(days=7)
TOKEN_BYTES = 16
UNASKED = 0
"""The inbox's number of no message."""
LOOKED_BACK = 20
"""Answers to a person among which the last buttons are looked for."""
_TABLE = cast("Table", OutboxRow.__table__)
_BUTTONS = cast("Table", ButtonRow.__table__)
_PUT = insert(_TABLE).returning(_TABLE.c.id)
_BUTTON = insert(_BUTTONS)
_THIS = update(_TABLE).where(_TABLE.c.id == bindparam("number"))
_SENDING = _THIS.values(state="sending", attempts=_TABLE.c.attempts + 1)
_PARTS = _THIS.values(state="sending", parts=bindparam("sent_parts"))
_SENT = _THIS.values(state="sent", platform_id=bindparam("as_id"), sent_at=bindparam("at"), not_before=None)
_LATER = _THIS.values(state=bindparam("new_state"), not_before=bindparam("at"), error=bindparam("why"))
_STATE = _THIS.values(state=bindparam("new_state"), error=bindparam("why"))
_ONE = select(_TABLE).where(_TABLE.c.id == bindparam("number"))
_OF = select(_TABLE).where(_TABLE.c.inbox_id == bindparam("message")).order_by(_TABLE.c.id)


@dataclass(frozen=True, slots=True)
class Parcel:
    """A reply on its way, the outbox's number of it, where it goes, and the message that it is edited into ("" for a new one)."""

    id: int
    reply: Reply
    to: Address
    edits: str = ""
    attempts: int = 0
    state: str = "ready"
    not_before: datetime | None = None
    parts: tuple[str, ...] = ()
    """The platform's ids of those parts that went out."""


class Outbox:
    """What goes out."""

    def __init__(self, database: Database, *, owner: str = "") -> None:
        """Use `database`; what is sent is sent by the holder of the lease `owner`."""
        self._database = database
        self._owner = owner

    @property
    def owner(self) -> str:
        """The lease that what is sent carries."""
        return self._owner

    async def tickets(self, places: Places, *, after: int = 0, most: int = 1000) -> list[Ticket]:
        """Return where replies of one's own wait in `places` with a number over `after`, oldest first, at most so many."""
        query = (
            select(_TABLE.c.id, _TABLE.c.channel, _TABLE.c.account, _TABLE.c.chat)
            .where(_TABLE.c.state.in_(("ready", "ambiguous")), _TABLE.c.owner == self._owner)
            .where(within(_TABLE, places), _TABLE.c.id > after)
            .order_by(_TABLE.c.id)
            .limit(most)
        )
        async with self._database.read() as connection:
            return [ticket_of(row) for row in await connection.execute(query)]

    async def one(self, number: int) -> Parcel:
        """Return the reply with this number. Raises LookupError where there is none, ValueError where it cannot be read."""
        async with self._database.read() as connection:
            row = (await connection.execute(_ONE, {"number": number})).one_or_none()
        if row is None:
            raise LookupError(number)
        return _parcel(row)

    async def of(self, inbox_id: int) -> list[Parcel]:
        """Return the replies to a message, in order."""
        rows = await self._database.look(lambda connection: connection.execute(_OF, {"message": inbox_id}).all())
        return [_parcel(row) for row in rows]

    async def offered(self, to: Address, person: str) -> tuple[Button, ...]:
        """Return the buttons under the last answer in the chat that `person` asked for and that has any, among the last answers there."""
        asked_by = (_TABLE.c.inbox_id == InboxRow.id) & (InboxRow.sender == person)
        query = (
            select(_TABLE.c.reply)
            .join(InboxRow, asked_by)
            .where(_TABLE.c.channel == to.channel, _TABLE.c.account == to.account, _TABLE.c.chat == to.chat)
            .where(_TABLE.c.state.in_(("sending", "sent", "ambiguous")))
            .order_by(_TABLE.c.id.desc())
            .limit(LOOKED_BACK)
        )
        async with self._database.read() as connection:
            replies = [unpack(Reply, row.reply) for row in await connection.execute(query)]
        return next((reply.buttons for reply in replies if reply.buttons), ())

    async def say(self, to: Address, reply: Reply) -> Parcel:
        """Put in `reply`, which answers no message: what is told by itself."""
        stub = Message(to, "", "", "", reply.language, datetime.now(UTC))
        return await self._database.write(lambda connection: put(connection, UNASKED, stub, reply, edits="", owner=self._owner))

    async def sending(self, number: int) -> None:
        """Mark that the send is about to leave; on disk when this returns."""
        await self._change(_SENDING, durable=True, number=number)

    async def went_out(self, number: int, parts: Sequence[str]) -> None:
        """Mark that these parts of it went out, by their platform's ids, and that the next is about to leave."""
        await self._change(_PARTS, durable=True, number=number, sent_parts=json.dumps(list(parts)))

    async def sent(self, number: int, platform_id: str) -> None:
        """Mark that the platform has it, under this id."""
        await self._change(_SENT, number=number, as_id=platform_id, at=datetime.now(UTC))

    async def later(self, number: int, not_before: datetime, why: str, *, doubtful: bool = False) -> None:
        """Mark that nothing was sent this time and when to try again; `doubtful`: an earlier try may have arrived."""
        await self._change(_LATER, number=number, new_state="ambiguous" if doubtful else "ready", at=not_before, why=why)

    async def ambiguous(self, number: int, why: str) -> None:
        """Mark that it is unknown whether the platform has it."""
        await self._change(_STATE, number=number, new_state="ambiguous", why=why)

    async def dead(self, number: int, why: str) -> None:
        """Mark that it can never be sent."""
        await self._change(_STATE, number=number, new_state="dead", why=why)

    async def unreachable(self, number: int, why: str, *, said: Callable[[Language], str]) -> Parcel | None:
        """Mark that it can never be sent. Where it answers privately what was asked in a group, say so there; return that."""
        query = select(_TABLE.c.inbox_id, InboxRow.message).join(InboxRow, InboxRow.id == _TABLE.c.inbox_id)

        def work(connection: Connection) -> Parcel | None:
            connection.execute(_STATE, {"number": number, "new_state": "dead", "why": why})
            row = connection.execute(query.where(_TABLE.c.id == number)).first()
            message = unpack(Message, row.message) if row else None
            asked = message.reply_to if message else None
            if (
                row is None
                or message is None
                or asked is None
                or (message.address.kind, asked.address.kind) != ("direct", "group")
            ):
                return None
            reply = Reply(said(message.language), message.language, reply_to=asked.id)
            return put(connection, row.inbox_id, asked, reply, edits="", owner=self._owner)

        return await self._database.write(work, durable=False)

    async def owners(self, places: Places) -> list[str]:
        """Return the leases of which replies wait in `places`."""
        async with self._database.read() as connection:
            return await connection.run_sync(owners, _waiting(places), _TABLE)

    async def recover(self, places: Places, *, of: Sequence[str]) -> Recovered:
        """Take over what waits in `places` and is of the leases `of`; what was leaving is ambiguous now."""
        theirs = and_(_waiting(places), _TABLE.c.owner.in_(of))

        def work(connection: Connection) -> Recovered:
            leaving = update(_TABLE).where(theirs, _TABLE.c.state == "sending").values(state="ambiguous")
            lost = connection.execute(leaving).rowcount
            return Recovered(take_over(connection, _TABLE, theirs, by=self._owner), int(lost))

        return await self._database.write(work)

    async def counts(self) -> dict[str, int]:
        """Return how many replies there are in each state."""
        async with self._database.read() as connection:
            rows = (await connection.execute(select(_TABLE.c.state, func.count()).group_by(_TABLE.c.state))).all()
        return {row[0]: row[1] for row in rows}

    async def _change(self, statement: Update, *, durable: bool = False, **values: object) -> None:
        await self._database.write(lambda connection: connection.execute(statement, values), durable=durable)


def put(connection: Connection, inbox_id: int, message: Message, reply: Reply, *, edits: str, owner: str = "") -> Parcel:
    """Add `reply` to `message` within the caller's transaction, its buttons given tokens; return what is to be sent."""
    now = datetime.now(UTC)
    if reply.buttons:
        reply = replace(reply, buttons=tuple(map(token_for, reply.buttons)))
        keep_buttons(connection, inbox_id, message.sender, reply.buttons)
    to = message.address
    row = {
        "inbox_id": inbox_id, "channel": to.channel, "account": to.account, "chat": to.chat, "thread": to.thread, "kind": to.kind,
        "reply": pack(reply), "state": "ready", "edits": edits, "platform_id": "", "attempts": 0, "parts": "", "owner": owner,
        "error": "", "created_at": now,
    }  # fmt: skip
    return Parcel(int(connection.execute(_PUT, row).scalar_one()), reply, to, edits)


def token_for(button: Button) -> Button:
    """Return the button with a token that nobody can guess."""
    return replace(button, token=secrets.token_urlsafe(TOKEN_BYTES))


def keep_buttons(connection: Connection, inbox_id: int, owner: str, buttons: Sequence[Button]) -> None:
    """Keep the buttons under the answer to a message, for its sender, within the caller's transaction."""
    expires_at = datetime.now(UTC) + BUTTON_LIFE
    rows = [
        {"token": button.token, "inbox_id": inbox_id, "owner": owner, "command": pack(button.command), "expires_at": expires_at}
        for button in buttons
    ]
    connection.execute(_BUTTON, rows)


def _waiting(places: Places) -> ColumnElement[bool]:
    return and_(_TABLE.c.state.in_(("ready", "sending", "ambiguous")), within(_TABLE, places))


def _parcel(row: Any) -> Parcel:
    place = Address(row.channel, row.account, row.chat, row.thread, row.kind)
    parts = tuple(json.loads(row.parts)) if row.parts else ()
    return Parcel(row.id, unpack(Reply, row.reply), place, row.edits, row.attempts, row.state, row.not_before, parts)
