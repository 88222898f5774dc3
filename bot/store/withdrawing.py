"""Answers that quote: none is kept whose passages are gone, and what quoted forgotten ones is emptied.

Owns which answers hold whose words: by the passages of their sources, and by the messages that they were made of. Leaves deleting to
`bot.store.erasing` and `bot.store.passages`.

    standing(connection, number, replies)                  # in the transaction that keeps them
    await Withdrawal(database).of_passages([12, 13])       # after those are deleted: nothing can quote them any more
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from sqlalchemy import Table, bindparam, delete, select, text, update

from bot import lazy
from bot.locale import phrases
from bot.message import Message, Reply, pack, unpack
from bot.store.tables import ButtonRow, InboxRow, OutboxRow

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from bot.store.database import Database

_ = phrases(__file__)

PLACE = ("channel", "account", "chat")
AT_ONCE = 500
"""Rows that one statement names: SQLite takes some thousand."""
_INBOX, _OUTBOX, _BUTTONS = (cast("Table", kind.__table__) for kind in (InboxRow, OutboxRow, ButtonRow))
_PASSAGES = lazy.compile(r'"passages":\[([\d,]*)\]')
_CURRENT = text(
    "SELECT count(*) FROM passages p JOIN documents d ON d.id = p.document_id AND d.version = p.version AND d.scope_id = p.scope_id"
    " WHERE p.id IN (SELECT value FROM json_each(:ids))"
)
_SAID = text(
    "SELECT count(DISTINCT s.message_id) FROM inbox s JOIN inbox a USING (channel, account, chat)"
    " WHERE a.id = :number AND s.message_id IN (SELECT value FROM json_each(:ids))"
)
_MADE_OF = lazy.compile(r'"made_of":(\[(?:"(?:[^"\\]|\\.)*",?)+\])')
_EMPTY = update(_OUTBOX).where(_OUTBOX.c.id == bindparam("number")).values(reply=bindparam("packed"))


class Withdrawal:
    """Empties answers that were given."""

    def __init__(self, database: Database) -> None:
        """Use `database`."""
        self._database = database

    async def of_passages(self, passages: Collection[int]) -> int:
        """Empty every answer that quotes one of `passages`, which are deleted by now; return how many.

        It is looked for outside of the transaction: an answer that quotes what is gone is kept no more.
        """
        gone = set(passages)
        if not gone:
            return 0
        query = select(_OUTBOX.c.id, _OUTBOX.c.reply).where(_OUTBOX.c.reply.like('%"passages":[%'))
        async with self._database.read() as connection:
            found = [row.id async for row in await connection.stream(query) if not gone.isdisjoint(_quoted(row.reply))]
        for start in range(0, len(found), AT_ONCE):
            await self._database.write(_emptying(found[start : start + AT_ONCE]))
        return len(found)


def standing(connection: Connection, number: int, replies: Sequence[Reply]) -> bool:
    """Say whether all that `replies` to the message `number` quote is there, each document in its version of now, and what was said."""
    said = {number for reply in replies for number in reply.made_of}
    if said and connection.execute(_SAID, {"number": number, "ids": json.dumps(sorted(said))}).scalar_one() < len(said):
        return False
    quoted = {passage for reply in replies for source in reply.sources for passage in source.passages}
    if not quoted:
        return True
    return bool(connection.execute(_CURRENT, {"ids": json.dumps(sorted(quoted))}).scalar_one() == len(quoted))


def of_messages(connection: Connection, said: Collection[tuple[str, str, str, str]]) -> list[str]:
    """Empty every answer that was made of one of the messages `said` (channel, account, chat, id); return what they were, packed."""
    ids: dict[tuple[str, str, str], set[str]] = {}
    for channel, account, chat, number in said:
        ids.setdefault((channel, account, chat), set()).add(number)
    made: list[int] = []
    for place, numbers in ids.items():
        here = [_OUTBOX.c[name] == value for name, value in zip(PLACE, place, strict=True)]
        query = select(_OUTBOX.c.id, _OUTBOX.c.reply).where(*here, _OUTBOX.c.reply.like('%"made_of":[%'))
        made += [row.id for row in connection.execute(query).all() if not numbers.isdisjoint(_made_of(row.reply))]
    starts = range(0, len(made), AT_ONCE)
    return [packed for start in starts for packed in empty(connection, _OUTBOX.c.id.in_(made[start : start + AT_ONCE]))]


def empty(connection: Connection, wanted: ColumnElement[bool]) -> list[str]:
    """Leave of the answers that are `wanted` that there was one, within the caller's transaction; return what they were, packed."""
    rows = connection.execute(select(_OUTBOX.c.id, _OUTBOX.c.inbox_id, _OUTBOX.c.reply).where(wanted)).all()
    for row in rows:
        connection.execute(_EMPTY, {"number": row.id, "packed": pack(_emptied(row.reply))})
        connection.execute(delete(_BUTTONS).where(_BUTTONS.c.inbox_id == row.inbox_id))
    numbers = [row.id for row in rows]
    starts = range(0, len(numbers), AT_ONCE)
    quoting = [
        packed for start in starts for packed in out_of_quotes(connection, _OUTBOX.c.id.in_(numbers[start : start + AT_ONCE]))
    ]
    return [*(row.reply for row in rows), *quoting]


def out_of_quotes(connection: Connection, wanted: ColumnElement[bool]) -> list[str]:
    """Take the answers that are `wanted` out of the messages that reply to them, and empty what was answered to those.

    Return what these were, packed.
    """
    shown: dict[tuple[str, ...], set[str]] = {}
    for channel, account, chat, number, edits, parts in connection.execute(
        select(
            _OUTBOX.c.channel, _OUTBOX.c.account, _OUTBOX.c.chat, _OUTBOX.c.platform_id, _OUTBOX.c.edits, _OUTBOX.c.parts
        ).where(wanted)
    ).all():
        shown.setdefault((channel, account, chat), set()).update({number, edits, *json.loads(parts or "[]")} - {"", None})
    found: list[str] = []
    for place, numbers in shown.items():
        here = [_INBOX.c[name] == value for name, value in zip(PLACE, place, strict=True)]
        query = select(_INBOX.c.id, _INBOX.c.message).where(*here, _INBOX.c.message.like('%"by_bot":true%'))
        for row in connection.execute(query).all() if numbers else ():
            message = message_of(row.message)
            quoted = message.reply_to if message else None
            if message and quoted and quoted.by_bot and quoted.id in numbers and quoted.text:
                left = pack(replace(message, reply_to=without_words(quoted)))
                connection.execute(update(_INBOX).where(_INBOX.c.id == row.id).values(message=left))
                found += [row.message, *empty(connection, _OUTBOX.c.inbox_id == row.id)]
    return found


def without_words(quoted: Message) -> Message:
    """Return what is left of a message that is quoted: who said it, and where."""
    return replace(quoted, text="", attachments=(), reply_to=None, command=None)


def message_of(packed: str) -> Message | None:
    """Return a packed message, None where it is none that can be read."""
    try:
        return unpack(Message, packed)
    except ValueError:  # written by another version of the bot
        return None


def _emptying(numbers: Sequence[int]) -> Callable[[Connection], list[str]]:
    return lambda connection: empty(connection, _OUTBOX.c.id.in_(numbers))


def _emptied(packed: str) -> Reply:
    said = _("(This answer is gone: what it was made of has been forgotten.)")
    try:
        reply = unpack(Reply, packed)
    except ValueError:  # written by another version of the bot
        return Reply(said.to("en"), "en")
    return replace(Reply(said.to(reply.language), reply.language), receipt=reply.receipt, reply_to=reply.reply_to)


def _made_of(packed: str) -> Iterator[str]:
    for numbers in _MADE_OF.findall(packed):
        yield from json.loads(numbers)


def _quoted(packed: str) -> Iterator[int]:
    for numbers in _PASSAGES.findall(packed):
        yield from map(int, filter(None, numbers.split(",")))
