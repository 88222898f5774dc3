"""The inbox: every message that was acknowledged, until it is answered.

A row goes received -> working -> done | dead. `finish` writes "done" and the replies in one transaction, so that a message is
either unanswered or has its answer in the outbox, whatever is killed when.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, func, select, update
from sqlalchemy.dialects.sqlite import insert

from bot.message import Address, Message, Reply, pack, unpack
from bot.route import Route, pack_route, unpack_route
from bot.store.outbox import put
from bot.store.tables import InboxRow, OutboxRow

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.store.database import Database

MOST_HISTORY = 500


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that waits for its answer, the inbox's number of it, and how often it was begun."""

    id: int
    message: Message
    attempts: int
    placeholder: str = ""


class Inbox:
    """What came in. Keeps `bot.skill.History`."""

    def __init__(self, database: Database) -> None:
        """Use `database`."""
        self._database = database

    async def accept(self, message: Message) -> int | None:
        """Commit `message`; return its number, None where the same id and version is here already."""
        row = {
            **_place(message.address), "sender": message.sender, "message_id": message.id, "version": message.version,
            "message": pack(message), "state": "received", "attempts": 0, "placeholder": "", "route": "", "error": "",
            "sent_at": message.sent_at, "received_at": datetime.now(UTC),
        }  # fmt: skip

        def work(connection: Connection) -> int | None:
            added = connection.execute(insert(InboxRow).values(row).on_conflict_do_nothing().returning(InboxRow.id))
            return added.scalar_one_or_none()

        return await self._database.write(work)

    async def waiting(self, channels: Sequence[str], *, after: int, most: int) -> list[Waiting]:
        """Return received messages of `channels` with a number over `after`, oldest first."""
        query = (
            select(InboxRow.id, InboxRow.message, InboxRow.attempts, InboxRow.placeholder)
            .where(InboxRow.state == "received", InboxRow.channel.in_(channels), InboxRow.id > after)
            .order_by(InboxRow.id)
            .limit(most)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [Waiting(row.id, unpack(Message, row.message), row.attempts, row.placeholder) for row in rows]

    async def one(self, number: int) -> Waiting:
        """Return the message with this number. Raises sqlalchemy.exc.NoResultFound where there is none."""
        query = select(InboxRow.id, InboxRow.message, InboxRow.attempts, InboxRow.placeholder).where(InboxRow.id == number)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one()
        return Waiting(row.id, unpack(Message, row.message), row.attempts, row.placeholder)

    async def start(self, number: int) -> None:
        """Mark the message as being worked on, once more."""
        await self._set(number, state="working", attempts=InboxRow.attempts + 1)

    async def rewrite(self, number: int, message: Message) -> None:
        """Keep `message` in the place of the one received: its attachments have been fetched."""
        await self._set(number, message=pack(message))

    async def placeholder(self, number: int, platform_id: str) -> None:
        """Remember the status message that is to be edited into the answer."""
        await self._set(number, placeholder=platform_id)

    async def finish(
        self,
        number: int,
        message: Message,
        replies: Sequence[Reply],
        *,
        route: Route | None = None,
        edits: str = "",
        error: str = "",
    ) -> list[int]:
        """Write the replies to the outbox and the message as done (dead where `error` says why); return the outbox's numbers."""
        how = pack_route(route) if route else ""
        state = "dead" if error else "done"

        def work(connection: Connection) -> list[int]:
            changes = {"state": state, "route": how, "error": error, "done_at": datetime.now(UTC)}
            connection.execute(update(InboxRow).where(InboxRow.id == number).values(changes))
            return [
                put(connection, number, message, reply, edits=edits if place == 0 else "") for place, reply in enumerate(replies)
            ]

        return await self._database.write(work)

    async def recover(self, channels: Sequence[str]) -> int:
        """Put what was being worked on when the bot stopped back in the queue; return how many messages."""

        def work(connection: Connection) -> int:
            changed = connection.execute(
                update(InboxRow).where(InboxRow.state == "working", InboxRow.channel.in_(channels)).values(state="received")
            )
            return int(changed.rowcount)

        return await self._database.write(work)

    async def last(
        self, message: Message, *, count: int | None = None, since: datetime | None = None, whole_thread: bool = False
    ) -> list[Message]:
        """Return the people's messages of the same chat and thread before `message`, oldest first; with `whole_thread` the bot's too."""
        place = message.address
        here = and_(*(getattr(InboxRow, name) == value for name, value in _place(place).items()))
        query = select(InboxRow.id, InboxRow.message).where(
            here, InboxRow.sent_at <= message.sent_at, InboxRow.message_id != message.id
        )
        if since is not None:
            query = query.where(InboxRow.sent_at >= since)
        query = query.order_by(InboxRow.sent_at.desc(), InboxRow.id.desc()).limit(min(count or MOST_HISTORY, MOST_HISTORY))
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()[::-1]
            said = [(row.id, unpack(Message, row.message)) for row in rows]
            answers = await _answers(connection, [number for number, _said in said]) if whole_thread else {}
        talk: list[Message] = []
        for number, one in said:
            if one.command is None or whole_thread:
                talk.append(one)
            talk.extend(_as_message(reply, one) for reply in answers.get(number, ()))
        return talk

    async def said_before(self, message: Message) -> tuple[Message, Route] | None:
        """Return the sender's last routed message in the chat before `message`, and its route."""
        query = (
            select(InboxRow.message, InboxRow.route)
            .where(
                *(getattr(InboxRow, name) == value for name, value in _place(message.address).items()),
                InboxRow.sender == message.sender, InboxRow.route != "", InboxRow.message_id != message.id,
            )
            .order_by(InboxRow.id.desc())
            .limit(8)
        )  # fmt: skip
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        routed = [(unpack(Message, row.message), unpack_route(row.route)) for row in rows]
        return next(
            ((one, route) for one, route in routed if route.how not in ("command", "silent")), routed[0] if routed else None
        )

    async def route_of(self, message: Message) -> Route | None:
        """Return how `message` was routed, None where it was not."""
        query = select(InboxRow.route).where(
            *(getattr(InboxRow, name) == value for name, value in _place(message.address).items()),
            InboxRow.message_id == message.id, InboxRow.version == message.version, InboxRow.route != "",
        )  # fmt: skip
        async with self._database.read() as connection:
            packed = (await connection.execute(query)).scalar_one_or_none()
        return unpack_route(packed) if packed else None

    async def counts(self) -> dict[str, int]:
        """Return how many messages there are in each state."""
        async with self._database.read() as connection:
            rows = (await connection.execute(select(InboxRow.state, func.count()).group_by(InboxRow.state))).all()
        return {row[0]: row[1] for row in rows}

    async def forget(self, address: Address, sender: str) -> int:
        """Delete what `sender` said in the chat and what was answered to it; return how many messages."""

        def work(connection: Connection) -> int:
            mine = select(InboxRow.id).where(
                *(getattr(InboxRow, name) == value for name, value in _place(address).items() if name != "thread"),
                InboxRow.sender == sender, InboxRow.state.in_(("done", "dead")),
            )  # fmt: skip
            numbers = connection.execute(mine).scalars().all()
            for start in range(0, len(numbers), 500):
                some = numbers[start : start + 500]
                connection.execute(delete(OutboxRow).where(OutboxRow.inbox_id.in_(some)))
                connection.execute(delete(InboxRow).where(InboxRow.id.in_(some)))
            return len(numbers)

        return await self._database.write(work)

    async def _set(self, number: int, **changes: object) -> None:
        await self._database.write(
            lambda connection: connection.execute(update(InboxRow).where(InboxRow.id == number).values(**changes))
        )


def _place(address: Address) -> dict[str, str]:
    return {"channel": address.channel, "account": address.account, "chat": address.chat, "thread": address.thread}


async def _answers(connection: AsyncConnection, numbers: Sequence[int]) -> dict[int, list[tuple[str, datetime, Reply]]]:
    rows = await connection.execute(
        select(OutboxRow.inbox_id, OutboxRow.platform_id, OutboxRow.created_at, OutboxRow.reply)
        .where(OutboxRow.inbox_id.in_(numbers))
        .order_by(OutboxRow.id)
    )
    answers: dict[int, list[tuple[str, datetime, Reply]]] = {}
    for row in rows:
        answers.setdefault(row.inbox_id, []).append((row.platform_id, row.created_at, unpack(Reply, row.reply)))
    return answers


def _as_message(answer: tuple[str, datetime, Reply], asked: Message) -> Message:
    platform_id, created_at, reply = answer
    return Message(asked.address, "", platform_id, reply.text, reply.language, created_at, by_bot=True)
