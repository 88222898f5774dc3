"""A chat that its platform gives another number: all that is kept under the old one goes over to the new one.

Owns what is kept by chat: settings, messages and replies, waiting ones too, buttons, and how far its past is read; leaves what may be
searched to `rescoping`.
All in one transaction; done again, it takes along what was written under the old number meanwhile. A message of the old chat is
known by `-5/17` from then on, because the new chat counts its own messages from 1.

    moves = Moves(database, chats)
    await moves.move(old, new)
    await moves.current(message)  # as one of the chat where what still comes for the old number belongs
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from sqlalchemy import Table, and_, case, delete, or_, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from bot.message import Address, Message, Reply, pack, unpack
from bot.store.guests import move_guest
from bot.store.rescoping import move_scope
from bot.store.tables import ButtonRow, ChatRow, InboxRow, MoveRow, OutboxRow, PastRow, UnreadRow

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from bot.store.chats import Chats
    from bot.store.database import Database

AT_ONCE = 500
"""Rows that one statement names."""
_INBOX, _OUTBOX, _BUTTONS, _CHATS = (cast("Table", kind.__table__) for kind in (InboxRow, OutboxRow, ButtonRow, ChatRow))
_PASTS, _UNREAD = (cast("Table", kind.__table__) for kind in (PastRow, UnreadRow))
_Key = tuple[str, str, str]
_WAITING = ("ready", "sending", "ambiguous")


class Moves:
    """The chats that have moved."""

    def __init__(self, database: Database, chats: Chats) -> None:
        """Move what `database` holds; `chats` is told to read it anew."""
        self._database = database
        self._chats = chats
        self._moved: dict[_Key, str] | None = None

    async def move(self, old: Address, new: Address) -> None:
        """Carry everything over from the chat `old` to the chat `new`, which are of one account."""
        if old.chat == new.chat:
            return
        moved = await self._known()
        await self._database.write(lambda connection: _move(connection, old, new))
        moved[_key(old)] = new.chat
        for address in (old, new):
            self._chats.reread(address)

    def has_moved(self, address: Address) -> bool:
        """Say whether the chat at `address` has another number by now, as far as was asked since the start."""
        return _key(address) in (self._moved or {})

    async def again(self, address: Address) -> None:
        """Carry over what was written under the old number of a chat after it had moved."""
        await self.move(address, await self.place(address))

    async def place(self, address: Address) -> Address:
        """Return where the chat at `address` is now."""
        now = (await self._known()).get(_key(address))
        return replace(address, chat=now) if now else address

    async def numbers(self, address: Address) -> set[str]:
        """Return every number by which the chat at `address` was ever known, its own among them."""
        known = [(key[2], now) for key, now in (await self._known()).items() if key[:2] == (address.channel, address.account)]
        numbers = {address.chat}
        while former := {old for old, now in known if now in numbers} - numbers:
            numbers |= former
        return numbers

    async def current(self, message: Message) -> Message:
        """Return `message` as one of the chat that its own has become."""
        now = await self.place(message.address)
        return message if now == message.address else _carried(message, message.address, now)

    async def _known(self) -> dict[_Key, str]:
        if self._moved is None:
            async with self._database.read() as connection:
                rows = (await connection.execute(select(MoveRow.channel, MoveRow.account, MoveRow.chat, MoveRow.now))).all()
            self._moved = {(row.channel, row.account, row.chat): row.now for row in rows}
        return self._moved


def _key(address: Address) -> _Key:
    return address.channel, address.account, address.chat


def _move(connection: Connection, old: Address, new: Address) -> None:
    row = {"channel": old.channel, "account": old.account, "chat": old.chat, "now": new.chat}
    connection.execute(upsert(MoveRow).values(row).on_conflict_do_update(index_elements=["channel", "account", "chat"], set_=row))
    _move_settings(connection, old, new)
    _move_inbox(connection, old, new)
    _move_outbox(connection, old, new)
    move_guest(connection, old, new)
    _move_past(connection, old, new)
    move_scope(connection, old, new)


def _move_settings(connection: Connection, old: Address, new: Address) -> None:
    """Settle for the new chat what was settled for the old one; what the new one has settled itself stands."""
    query = select(ChatRow.language, ChatRow.indexing)
    before = connection.execute(query.where(_here(_CHATS, old))).first()
    if before is None:
        return
    now = connection.execute(query.where(_here(_CHATS, new))).first()
    settled = {
        "language": (now.language if now else "") or before.language,
        "indexing": before.indexing or bool(now and now.indexing),
    }
    row = {"channel": new.channel, "account": new.account, "chat": new.chat, **settled}
    connection.execute(
        upsert(_CHATS).values(row).on_conflict_do_update(index_elements=["channel", "account", "chat"], set_=settled)
    )
    connection.execute(delete(_CHATS).where(_here(_CHATS, old)))


def _move_inbox(connection: Connection, old: Address, new: Address) -> None:
    """Move the messages: those of the old number, and those which were written anew with it after they had moved."""
    anew = and_(_here(_INBOX, new), _INBOX.c.message.like(f'%"chat":"{old.chat}"%'))
    numbers = connection.execute(select(_INBOX.c.id).where(or_(_here(_INBOX, old), anew))).scalars().all()
    for some in _in_parts(numbers):
        for row in connection.execute(select(_INBOX.c.id, _INBOX.c.message).where(_INBOX.c.id.in_(some))).all():
            _move_message(connection, row.id, row.message, old, new)
    connection.execute(
        update(_BUTTONS)
        .where(_BUTTONS.c.owner == old.chat, _BUTTONS.c.inbox_id.in_(select(_INBOX.c.id).where(_here(_INBOX, new))))
        .values(owner=new.chat)
    )


def _move_message(connection: Connection, number: int, packed: str, old: Address, new: Address) -> None:
    try:
        message = _carried(unpack(Message, packed), old, new)
    except ValueError:  # written by another version of the bot: it is told so when its turn comes
        connection.execute(update(_INBOX).where(_INBOX.c.id == number).values(chat=new.chat, message_id=f"{old.chat}/#{number}"))
        return
    row = {
        "chat": message.address.chat, "message_id": message.id, "sender": message.sender, "message": pack(message), "placeholder": "",
    }  # fmt: skip
    connection.execute(update(_INBOX).where(_INBOX.c.id == number).values(row))


def _move_outbox(connection: Connection, old: Address, new: Address) -> None:
    """Move the replies. What waits quotes nothing and is edited into nothing: the messages of the old chat are not in the new one."""
    here = _here(_OUTBOX, old)
    waiting = select(_OUTBOX.c.id, _OUTBOX.c.reply).where(here, _OUTBOX.c.state.in_(_WAITING))
    for row in connection.execute(waiting).all():
        values = {"edits": ""}
        with suppress(ValueError):  # what cannot be read is set aside when its turn comes
            values["reply"] = pack(replace(unpack(Reply, row.reply), reply_to=""))
        connection.execute(update(_OUTBOX).where(_OUTBOX.c.id == row.id).values(values))
    known = case((_OUTBOX.c.platform_id == "", ""), else_=f"{old.chat}/" + _OUTBOX.c.platform_id)
    connection.execute(update(_OUTBOX).where(here).values(chat=new.chat, platform_id=known))


def _move_past(connection: Connection, old: Address, new: Address) -> None:
    """Move how far the chat's past is read, where the new chat has none of its own, and what of it is not to be read in again."""
    connection.execute(update(_UNREAD).where(_here(_UNREAD, old)).values(chat=new.chat))
    if connection.execute(select(_PASTS.c.chat).where(_here(_PASTS, new))).first() is None:
        connection.execute(update(_PASTS).where(_here(_PASTS, old)).values(chat=new.chat))
    else:
        connection.execute(delete(_PASTS).where(_here(_PASTS, old)))


def _carried(message: Message, old: Address, new: Address) -> Message:
    """Return `message`, and what it quotes, as of the chat `new` where it is of `old`."""
    quoted = _carried(message.reply_to, old, new) if message.reply_to else None
    if _key(message.address) != _key(old):
        return replace(message, reply_to=quoted)
    return replace(
        message,
        address=replace(message.address, chat=new.chat),
        id=f"{old.chat}/{message.id}" if message.id.isdecimal() else message.id,
        sender=new.chat if message.sender == old.chat else message.sender,
        reply_to=quoted,
    )


def _here(table: Table, address: Address) -> ColumnElement[bool]:
    return and_(*(table.c[name] == getattr(address, name) for name in ("channel", "account", "chat")))


def _in_parts(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    return (numbers[start : start + AT_ONCE] for start in range(0, len(numbers), AT_ONCE))
