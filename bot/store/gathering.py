"""Parts of one thing said that were committed one by one: found, and made one message.

Owns the rows. Leaves to `bot.parts` how messages become one, and to `bot.worker` how long one waits for the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import Row, Select, Table, bindparam, select, update

from bot.message import Message, pack, unpack
from bot.parts import after, spokesman, together
from bot.store.tables import InboxRow

if TYPE_CHECKING:
    from sqlalchemy import Connection

PARTS_APART = timedelta(minutes=10)
"""How long after the first a part of the same may come: a platform repeats what it could not deliver."""
_TABLE = cast("Table", InboxRow.__table__)
_THIS = _TABLE.c.id == bindparam("number")
_HEAD = update(_TABLE).where(_THIS).values(message=bindparam("packed"))
_TAKEN_ALONG = update(_TABLE).where(_THIS).values(state="done", message=bindparam("packed"), done_at=bindparam("at"))


@dataclass(frozen=True, slots=True)
class Part:
    """A part as its row stands."""

    id: int
    state: str
    message: Message
    attempts: int
    placeholder: str
    counted: bool


def beside(message: Message) -> Select[Any]:
    """Return the query for the parts of anything that were said in the same place about when `message` was."""
    here = (_TABLE.c[name] == getattr(message.address, name) for name in ("channel", "account", "chat", "thread"))
    return select(*(_TABLE.c[name] for name in ("id", "state", "message", "attempts", "placeholder", "counted"))).where(
        *here, _TABLE.c.sent_at >= message.sent_at - PARTS_APART, _TABLE.c.message.like('%"part_of":"%')
    )


def parts_of(rows: Sequence[Row[Any]], message: Message) -> list[Part]:
    """Return those of `rows` that are parts of the same as `message`, in the order in which they were said."""
    same: list[Part] = []
    for row in rows:
        with suppress(ValueError):  # written by another version of the bot
            part = Part(row.id, row.state, unpack(Message, row.message), row.attempts, row.placeholder, bool(row.counted))
            if (part.message.part_of, part.message.sender) == (message.part_of, message.sender):
                same.append(part)
    return sorted(same, key=lambda part: (part.message.sent_at, len(part.message.id), part.message.id))


def gathered(connection: Connection, number: int) -> Part | None:
    """Make one message of the part with this number and the others that wait, in the row of the one that has words; return it."""
    mine = connection.execute(select(_TABLE.c.message).where(_TABLE.c.id == number, _TABLE.c.state == "received")).scalar()
    if mine is None:
        return None
    message = unpack(Message, mine)
    found = parts_of(connection.execute(beside(message)).all(), message)
    waiting = [part for part in found if part.state == "received"]
    answered = [part.message for part in found if part.state != "received"]
    one = together([part.message for part in waiting])
    head = next(part for part in waiting if part.message.id == one.id)
    if answered:
        one = after(spokesman(answered), one)
    connection.execute(_HEAD, {"number": head.id, "packed": pack(one)})
    for part in waiting:
        if part.id != head.id:
            empty = pack(replace(part.message, text="", attachments=(), command=None))
            connection.execute(_TAKEN_ALONG, {"number": part.id, "packed": empty, "at": datetime.now(UTC)})
    return replace(head, message=one)
