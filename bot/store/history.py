"""What was said in a chat before, and what became of it: people's messages with the bot's answers to them.

Reads what `bot.store.inbox` and `bot.store.outbox` write. Keeps `bot.skill.History`.

    history = History(database)
    await history.last(message, count=50)       # [Message(...), ...], oldest first
    await history.before(message)               # what "and in three lines?" is about
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Select, and_, exists, func, not_, or_, select
from sqlalchemy.orm import aliased

from bot.message import Address, Message, Reply, unpack
from bot.route import Route, unpack_route
from bot.skill import Before
from bot.store.tables import InboxRow, OutboxRow

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.store.database import Database

MOST_HISTORY = 500
ROUTED_BEFORE = 8
"""How far back the last message is looked for that was no command."""
_NEWER = aliased(InboxRow)
_EDITED = exists().where(
    _NEWER.channel == InboxRow.channel, _NEWER.account == InboxRow.account, _NEWER.chat == InboxRow.chat,
    _NEWER.message_id == InboxRow.message_id, _NEWER.version > InboxRow.version,
)  # fmt: skip
"""Of a row that is selected: whether a later version of its message is here."""


class History:
    """The chats' pasts."""

    def __init__(self, database: Database) -> None:
        """Read from `database`."""
        self._database = database

    async def last(
        self, message: Message, *, count: int | None = None, since: datetime | None = None, whole_thread: bool = False
    ) -> list[Message]:
        """Return the people's messages of the same chat and thread before `message`, oldest first; with `whole_thread` the bot's too.

        Of a message that was edited its newest version alone: its writer took the others back.
        What begins a thread of its own (`/sum 50`, answered in a thread below it) comes after what was said beside all threads.
        """
        threads = {message.address.thread, *([""] if message.address.thread == message.id else [])}
        here = and_(*_in_chat(message.address), InboxRow.thread.in_(threads))
        query = select(InboxRow.id, InboxRow.message).where(
            here, InboxRow.sent_at <= message.sent_at, InboxRow.message_id != message.id, not_(_EDITED)
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
                *_in_chat(message.address), InboxRow.thread == message.address.thread,
                InboxRow.sender == message.sender, InboxRow.route != "", InboxRow.message_id != message.id,
            )
            .order_by(InboxRow.id.desc())
            .limit(ROUTED_BEFORE)
        )  # fmt: skip
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        routed = [(unpack(Message, row.message), unpack_route(row.route)) for row in rows]
        return next(
            ((one, route) for one, route in routed if route.how not in ("command", "silent")), routed[0] if routed else None
        )

    async def before(self, message: Message) -> Before | None:
        """Return what was said last before `message` in its conversation, None where nothing was.

        That is the thread with what began it, or the message whose answer is replied to; in a group beside all threads, the sender's own.
        """
        async with self._database.read() as connection:
            row = (await connection.execute(_said_before(message))).first()
            if row is None:
                return None
            said, route = unpack(Message, row.message), unpack_route(row.route)
            answers = (await _answers(connection, [row.id])).get(row.id, [])
        answer = next((_as_message(one, said) for one in answers if one[2].text), None)
        return Before(said, route.skill, answer, went_on=route.how == "follow")

    async def route_of(self, message: Message) -> Route | None:
        """Return how `message` was routed, None where it was not."""
        query = select(InboxRow.route).where(
            *_in_chat(message.address), InboxRow.thread == message.address.thread,
            InboxRow.message_id == message.id, InboxRow.version == message.version, InboxRow.route != "",
        )  # fmt: skip
        async with self._database.read() as connection:
            packed = (await connection.execute(query)).scalar_one_or_none()
        return unpack_route(packed) if packed else None

    async def files_of(self, address: Address, message_id: str) -> list[str]:
        """Return the files, by their sha256, that came with a message of the chat, in any of its versions."""
        query = select(InboxRow.message).where(*_in_chat(address), InboxRow.message_id == message_id)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).scalars().all()
        return sorted({file.blob for row in rows for file in unpack(Message, row).attachments if file.blob})

    async def files_called(self, address: Address, is_called: Callable[[str], bool], *, sender: str | None) -> list[str]:
        """Return the files, by their sha256, that `sender` (None: whoever) sent in the chat under a name that `is_called` so."""
        mine = [] if sender is None else [InboxRow.sender == sender]
        query = select(InboxRow.message).where(
            *_in_chat(address), *mine, InboxRow.message.contains('"attachments":[', autoescape=True)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).scalars().all()
        files = [file for row in rows for file in unpack(Message, row).attachments]
        return sorted({file.blob for file in files if file.blob and is_called(file.name)})

    async def files_of_it_alone(self, address: Address, message_id: str) -> list[str]:
        """Return those of `files_of` that no other message of the chat brought as well: the same file is kept once for all of them."""
        alone = []
        for blob in await self.files_of(address, message_id):
            query = select(InboxRow.message).where(
                *_in_chat(address),
                InboxRow.message_id != message_id,
                InboxRow.message.contains(f'"blob":"{blob}"', autoescape=True),
            )
            async with self._database.read() as connection:
                others = (await connection.execute(query)).scalars().all()
            if not any(file.blob == blob for row in others for file in unpack(Message, row).attachments):
                alone.append(blob)
        return alone

    async def unanswered(self, address: Address, message_id: str) -> list[int]:
        """Return the numbers of a message of the chat, in any of its versions, that waits or is worked on."""
        query = select(InboxRow.id).where(
            *_in_chat(address), InboxRow.message_id == message_id, InboxRow.state.in_(("received", "working"))
        )
        async with self._database.read() as connection:
            return list((await connection.execute(query)).scalars())


def _in_chat(at: Address) -> list[ColumnElement[bool]]:
    return [InboxRow.channel == at.channel, InboxRow.account == at.account, InboxRow.chat == at.chat]


def _said_before(message: Message) -> Select[int, str, str]:
    """Return the query for the row that `History.before` is about."""
    at, quoted = message.address, message.reply_to
    here = _in_chat(at)
    own = select(func.max(InboxRow.id)).where(*here, InboxRow.message_id == message.id).scalar_subquery()
    said = select(InboxRow.id, InboxRow.message, InboxRow.route).where(
        *here, InboxRow.route != "", not_(InboxRow.route.contains('"silent"')), InboxRow.message_id != message.id
    )
    if quoted is not None and quoted.by_bot and quoted.text:
        answered = select(OutboxRow.inbox_id).where(OutboxRow.chat == at.chat, OutboxRow.platform_id == quoted.id)
        said = said.where(InboxRow.id.in_(answered))
    elif at.thread:
        said = said.where(or_(InboxRow.thread == at.thread, and_(InboxRow.thread == "", InboxRow.message_id == at.thread)))
    else:
        said = said.where(InboxRow.thread == "", *([InboxRow.sender == message.sender] if at.kind == "group" else []))
    return said.where(InboxRow.id < own).order_by(InboxRow.id.desc()).limit(1)


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
