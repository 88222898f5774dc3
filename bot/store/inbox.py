"""The inbox: every message that was acknowledged, until it is answered.

A row goes received -> working -> done | dead (`bot.store.dead`). `finish` writes "done" and the replies in one transaction, so that a message is
either unanswered or has its answer in the outbox, whatever is killed when. Only what was acknowledged is flushed by itself:
what follows from it is flushed with the next message or send, and made again where a power cut takes it.

    number = await inbox.accept(message, then=worker.hand)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, TypeAlias, cast

from sqlalchemy import Table, and_, bindparam, case, func, select, update
from sqlalchemy.dialects.sqlite import insert

from bot.locale import phrases
from bot.message import Button, Command, Message, Position, Reply, pack, unpack
from bot.parts import with_the_others
from bot.route import Route, pack_route
from bot.store.gathering import beside, gathered, parts_of
from bot.store.outbox import Parcel, keep_buttons, put, token_for
from bot.store.places import Places, Recovered, Ticket, owners, take_over, ticket_of, within
from bot.store.positions import move_to, position_of
from bot.store.refused import RefusedFiles, let_go
from bot.store.tables import InboxRow
from bot.store.versions import comes_late, former, is_superseded, place_of, says_the_same
from bot.store.withdrawing import standing

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Update

    from bot.store.database import Database, Work

_ = phrases(__file__)
_Commit: TypeAlias = "Callable[[Connection], tuple[int | None, Callable[[], None]]]"
KEPT_OF_REFUSED = 2000
TAKEN_BACK = _("You took your message back, so I stopped. Nothing of it is kept.")
"""What becomes of the status of what was taken back while it was worked on."""
_TABLE = cast("Table", InboxRow.__table__)
_ACCEPT = insert(_TABLE).on_conflict_do_nothing().returning(_TABLE.c.id)
_THIS = _TABLE.c.id == bindparam("number")
_COUNTED = case((_TABLE.c.counted == "", "message"), else_=_TABLE.c.counted)
"""What is begun has been counted to its person's quota, and is not counted again where it is put back."""
_START = update(_TABLE).where(_THIS).values(state="working", attempts=_TABLE.c.attempts + 1, counted=_COUNTED)
_REWRITE = update(_TABLE).where(_THIS).values(message=bindparam("packed"))
_PLACEHOLDER = update(_TABLE).where(_THIS).values(placeholder=bindparam("platform_id"))
_FINISH = (
    update(_TABLE)
    .where(_THIS)
    .values({name: bindparam(f"new_{name}") for name in ("state", "route", "error", "reference", "done_at")})
)
_ONE = select(*(_TABLE.c[name] for name in ("id", "message", "attempts", "placeholder", "counted"))).where(_THIS)
_SET_ASIDE = (
    update(_TABLE)
    .where(_THIS)
    .values(state="dead", error=bindparam("why"), reference=bindparam("as_reference"), done_at=bindparam("at"))
)
_PUT_BACK = update(_TABLE).where(_THIS, _TABLE.c.state == "working").values(state="received", attempts=_TABLE.c.attempts - 1)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that waits for its answer, the inbox's number of it, how often it was begun, and whether it is in its person's quota."""

    id: int
    message: Message
    attempts: int = 0
    placeholder: str = ""
    counted: bool = False


@dataclass(frozen=True, slots=True)
class Coming:
    """A message to be answered; `then` is given what is new, once it is committed."""

    message: Message
    then: Callable[[Waiting], None]


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that is not taken, and what is said of it; `then` is given what is to be sent, once it is committed."""

    message: Message
    said: Reply | None
    then: Callable[[Sequence[Parcel]], None]


class Inbox:
    """What came in, and what is done with it."""

    def __init__(self, database: Database, *, owner: str = "") -> None:
        """Use `database`; what is taken in is worked on by the holder of the lease `owner`."""
        self._database = database
        self._owner = owner

    @property
    def owner(self) -> str:
        """The lease that what is taken in carries."""
        return self._owner

    async def accept(self, message: Message, *, then: Callable[[Waiting], None] | None = None) -> int | None:
        """Commit `message`; return its number, None where the same id and version is here already, or an edit changed nothing.

        An edit is to be answered in the place of the answer that its former version got.
        `then` is given what is new, in the order of the commits, on the event loop; also where the caller is cancelled.
        """
        coming = Coming(message, then=then or _untold)
        return (await self.accept_all([coming]))[0]

    async def refuse(
        self, message: Message, said: Reply | None, *, then: Callable[[Sequence[Parcel]], None] | None = None
    ) -> int | None:
        """Commit that `message` was not taken, and what is `said` of it; return its number, None where it is here already.

        Of its words only the first KEPT_OF_REFUSED characters are kept, of its files nothing. `then` is given what is to be sent.
        """
        return (await self.accept_all([Refused(message, said, then=then or _untold)]))[0]

    async def accept_all(self, coming: Sequence[Coming | Refused], *, read_to: Position | None = None) -> list[int | None]:
        """Commit all of it, in its order and in one transaction, and with it how far the channel has read; return their numbers.

        Each as `accept` and `refuse` do.
        """
        works = [self._refused(one) if isinstance(one, Refused) else self._accepted(one) for one in coming]

        def work(connection: Connection) -> list[tuple[int | None, Callable[[], None]]]:
            done = [commit(connection) for commit in works]
            if read_to is not None:
                move_to(connection, read_to)
            return done

        def committed(done: list[tuple[int | None, Callable[[], None]]]) -> None:
            for _number, tell in done:
                tell()

        return [number for number, _tell in await self._database.write(work, then=committed)]

    async def position(self, channel: str, account: str) -> str:
        """Return how far the account was read, "" where that was never kept."""
        async with self._database.read() as connection:
            return await connection.run_sync(position_of, channel, account)

    def _accepted(self, coming: Coming) -> _Commit:
        message, row = coming.message, self._row(coming.message)

        def commit(connection: Connection) -> tuple[int | None, Callable[[], None]]:
            said, placeholder = message, ""
            if message.version and (before := former(connection, message)) is not None:
                said, placeholder = with_the_others(message, before.message), before.placeholder
                if says_the_same(before.message, said):
                    return None, _nothing
            new = {**row, "message": pack(said), "placeholder": placeholder}
            if comes_late(connection, row):
                return None, _nothing  # what was edited came before it
            number = connection.execute(_ACCEPT, new).scalar_one_or_none()
            if number is None:
                return None, _nothing
            return number, partial(coming.then, Waiting(number, said, placeholder=placeholder))

        return commit

    def _refused(self, refused: Refused) -> _Commit:
        message, said = refused.message, refused.said
        kept = replace(message, text=message.text[:KEPT_OF_REFUSED], attachments=(), reply_to=None)
        row = {**self._row(message), "message": pack(kept), "state": "done", "error": "refused", "done_at": datetime.now(UTC)}

        def commit(connection: Connection) -> tuple[int | None, Callable[[], None]]:
            number = connection.execute(_ACCEPT, row).scalar_one_or_none()
            parcels = []
            if number is not None and said is not None:
                parcels = [put(connection, number, message, said, edits="", owner=self._owner)]
            return number, partial(refused.then, parcels)

        return commit

    def _row(self, message: Message) -> dict[str, object]:
        return {
            **place_of(message.address), "sender": message.sender, "message_id": message.id, "version": message.version,
            "state": "received", "owner": self._owner, "attempts": 0, "counted": "", "route": "", "error": "", "placeholder": "",
            "sent_at": message.sent_at, "received_at": datetime.now(UTC),
        }  # fmt: skip

    async def tickets(self, places: Places, *, after: int = 0, most: int = 1000) -> list[Ticket]:
        """Return where messages of one's own wait in `places` with a number over `after`, oldest first, at most so many."""
        query = (
            select(_TABLE.c.id, _TABLE.c.channel, _TABLE.c.account, _TABLE.c.chat, _TABLE.c.sender)
            .where(_TABLE.c.state == "received", _TABLE.c.owner == self._owner, within(_TABLE, places), _TABLE.c.id > after)
            .order_by(_TABLE.c.id)
            .limit(most)
        )
        async with self._database.read() as connection:
            return [ticket_of(row) for row in await connection.execute(query)]

    async def one(self, number: int) -> Waiting:
        """Return the message with this number. Raises LookupError where there is none, ValueError where it cannot be read."""
        row = await self._database.look(lambda connection: connection.execute(_ONE, {"number": number}).one_or_none())
        if row is None:
            raise LookupError(number)
        return Waiting(row.id, unpack(Message, row.message), row.attempts, row.placeholder, bool(row.counted))

    async def start(self, number: int) -> None:
        """Mark the message as being worked on, once more. Raises LookupError where it was forgotten meanwhile."""
        await self._database.write(self.starting(number), durable=False)

    @staticmethod
    def starting(number: int) -> Work[object]:
        """Return `start` as a part of a transaction."""

        def work(connection: Connection) -> None:
            if not connection.execute(_START, {"number": number}).rowcount:
                raise LookupError(number)

        return work

    async def parts(self, message: Message) -> int:
        """Return how many parts of what `message` is a part of wait."""
        async with self._database.read() as connection:
            rows = (await connection.execute(beside(message))).all()
        return sum(part.state == "received" for part in parts_of(rows, message))

    async def gather(self, number: int) -> Waiting | None:
        """Make one message of the part with this number and the others that wait; return it, None where another took it along.

        A part whose others have been answered already is asked what they were.
        """

        def work(connection: Connection) -> Waiting | None:
            head = gathered(connection, number)
            return Waiting(head.id, head.message, head.attempts, head.placeholder, head.counted) if head else None

        return await self._database.write(work, durable=False)

    async def wants(self, part: Message) -> bool:
        """Say whether another part of the same was meant for the bot."""
        async with self._database.read() as connection:
            rows = (await connection.execute(beside(part))).all()
        return any(other.message.addressed for other in parts_of(rows, part))

    async def overheard(self, edit: Message) -> bool:
        """Say whether `edit` changes what is here and was not meant for the bot: it was kept for its chat's search alone."""
        here = (getattr(InboxRow, name) == getattr(edit.address, name) for name in ("channel", "account", "chat"))
        versions = select(InboxRow.message).where(*here, InboxRow.message_id == edit.id).order_by(InboxRow.version)
        async with self._database.read() as connection:
            kept = [unpack(Message, row) for row in (await connection.execute(versions)).scalars()]
        if not kept or any(one.addressed for one in kept):
            return False
        return kept[-1].version < edit.version and kept[-1].text != edit.text

    async def rewrite(self, number: int, message: Message) -> None:
        """Keep `message` in the place of the one received: its attachments have been fetched."""
        await self._change(_REWRITE, number=number, packed=pack(message))

    async def placeholder(self, number: int, platform_id: str) -> None:
        """Remember the status message that is to be edited into the answer."""
        await self._change(_PLACEHOLDER, number=number, platform_id=platform_id)

    async def button(self, number: int, owner: str, label: str, command: Command) -> Button:
        """Keep a button under the status of a message that is worked on; return it with its token."""
        button = token_for(Button(label, command))
        await self._database.write(lambda connection: keep_buttons(connection, number, owner, [button]), durable=False)
        return button

    async def set_aside(self, number: int, why: str, *, reference: str) -> None:
        """Mark a row that cannot be read as dead: nobody can be told."""
        await self._change(_SET_ASIDE, number=number, why=why, as_reference=reference, at=datetime.now(UTC))

    async def put_back(self, numbers: Collection[int]) -> None:
        """Know that the work on these messages was ended in order: they wait as if it had not been begun."""
        rows = [{"number": number} for number in numbers]
        if rows:
            await self._database.write(lambda connection: connection.execute(_PUT_BACK, rows))

    async def finish(  # noqa: PLR0913 - all that is written with an answer
        self,
        number: int,
        message: Message,
        replies: Sequence[Reply],
        *,
        route: Route | None = None,
        edits: str = "",
        error: str = "",
        reference: str = "",
        refused: RefusedFiles | None = None,
        then: Callable[[Sequence[Parcel]], None] | None = None,
    ) -> Sequence[Parcel] | None:
        """Write the replies to the outbox and the message as done, dead where it is set aside; return what is to be sent.

        `error` is why it was not answered; with the `reference` that the person was told it is set aside (`bot.store.dead`).

        Nothing is written, and None returned, where a passage that they quote has been edited or forgotten meanwhile, or a message
        that they are made of was forgotten. What was edited meanwhile is answered in its newer version alone, in the place of the
        status message, if there is one. What was taken back meanwhile is not answered; a status message says so in its place.
        The files that were `refused` it names no more (`bot.store.refused`).
        `then` is given what is to be sent, in the order of the commits, on the event loop.
        """
        changes = {
            "number": number, "new_state": "dead" if reference else "done", "new_route": pack_route(route) if route else "",
            "new_error": error, "new_reference": reference, "new_done_at": datetime.now(UTC),
        }  # fmt: skip

        def work(connection: Connection) -> Sequence[Parcel] | None:
            if connection.execute(_ONE, {"number": number}).first() is None:
                said = [Reply(TAKEN_BACK.to(message.language), message.language)] if edits else []
                return [put(connection, number, message, reply, edits=edits, owner=self._owner) for reply in said]
            if not standing(connection, number, replies):
                return None
            connection.execute(_FINISH, changes)
            if refused is not None:
                let_go(connection, number, refused)
            if is_superseded(connection, message, edits):
                return []
            before = former(connection, message) if message.version and not edits else None
            place_of_first = edits or (before.placeholder if before else "")
            return [
                put(connection, number, message, reply, edits=place_of_first if place == 0 else "", owner=self._owner)
                for place, reply in enumerate(replies)
            ]

        def committed(parcels: Sequence[Parcel] | None) -> None:
            if parcels is not None and then is not None:
                then(parcels)

        return await self._database.write(work, durable=False, then=committed)

    async def owners(self, places: Places) -> list[str]:
        """Return the leases of which messages wait in `places`."""
        async with self._database.read() as connection:
            return await connection.run_sync(owners, _waiting(places), _TABLE)

    async def recover(self, places: Places, *, of: Sequence[str]) -> Recovered:
        """Take over what waits in `places` and is of the leases `of`; what was being worked on waits again."""
        theirs = and_(_waiting(places), _TABLE.c.owner.in_(of))
        begun = select(func.count()).where(theirs, _TABLE.c.state == "working")

        def work(connection: Connection) -> Recovered:
            interrupted = connection.execute(begun).scalar_one()
            return Recovered(take_over(connection, _TABLE, theirs, by=self._owner, state="received"), interrupted)

        return await self._database.write(work)

    async def counts(self) -> dict[str, int]:
        """Return how many messages there are in each state."""
        async with self._database.read() as connection:
            rows = (await connection.execute(select(InboxRow.state, func.count()).group_by(InboxRow.state))).all()
        return {row[0]: row[1] for row in rows}

    async def _change(self, statement: Update, **values: object) -> None:
        await self._database.write(lambda connection: connection.execute(statement, values), durable=False)


def _untold(_what: object) -> None:
    """Tell nobody."""


def _nothing() -> None:
    """Do nothing."""


def _waiting(places: Places) -> ColumnElement[bool]:
    return and_(_TABLE.c.state.in_(("received", "working")), within(_TABLE, places))
