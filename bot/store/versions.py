"""The versions of a message that its writer edits: the one before, which was answered perhaps, and a newer one that waits already.

    before = former(connection, message)          # None: there is none
    if before and says_the_same(before.message, message): ...

Owns which of several versions counts. Leaves what is made of them to `bot.store.inbox`, in whose transactions this is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from sqlalchemy import Table, bindparam, or_, select, update

from bot.message import Address, Message, unpack
from bot.store.tables import InboxRow, OutboxRow

if TYPE_CHECKING:
    from sqlalchemy import Connection

_TABLE = cast("Table", InboxRow.__table__)
_NAMED: Final = ("channel", "account", "chat", "message_id")
_NEWER = (
    select(_TABLE.c.id)
    .where(*(_TABLE.c[name] == bindparam(name) for name in _NAMED))
    .where(_TABLE.c.version > bindparam("version"))
    .limit(1)
)
_NEWEST = (
    select(_TABLE.c.id)
    .where(*(_TABLE.c[name] == bindparam(f"at_{name}") for name in ("channel", "account", "chat", "thread")))
    .where(_TABLE.c.message_id == bindparam("said"), _TABLE.c.version > bindparam("than"))
    .where(or_(_TABLE.c.state == "received", _TABLE.c.state == "working"))
    .order_by(_TABLE.c.version)
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Former:
    """The version before; `placeholder` is the platform's id of its answer, "" where none was sent."""

    message: Message
    placeholder: str


def place_of(address: Address) -> dict[str, str]:
    """Return an address as the table's columns."""
    return {"channel": address.channel, "account": address.account, "chat": address.chat, "thread": address.thread}


def former(connection: Connection, message: Message) -> Former | None:
    """Return the version before `message`, None where there is none that can be read."""
    before = connection.execute(
        select(_TABLE.c.id, _TABLE.c.message)
        .where(*(_TABLE.c[name] == value for name, value in place_of(message.address).items()))
        .where(_TABLE.c.message_id == message.id, _TABLE.c.version < message.version)
        .order_by(_TABLE.c.version.desc())
        .limit(1)
    ).first()
    if before is None:
        return None
    answer = connection.execute(
        select(OutboxRow.platform_id).where(OutboxRow.inbox_id == before.id, OutboxRow.platform_id != "").order_by(OutboxRow.id)
    ).first()
    try:
        return Former(unpack(Message, before.message), answer.platform_id if answer else "")
    except ValueError:  # written by another version of the bot; the edit is a message of its own
        return None


def comes_late(connection: Connection, row: Mapping[str, object]) -> bool:
    """Say whether a newer version of what `row` holds came before it."""
    return connection.execute(_NEWER, {name: row[name] for name in (*_NAMED, "version")}).first() is not None


def is_superseded(connection: Connection, message: Message, status: str) -> bool:
    """Say whether a newer version of `message` waits for its answer; give it the status message that was shown meanwhile."""
    at = {f"at_{name}": value for name, value in place_of(message.address).items()}
    waiting = connection.execute(_NEWEST, {**at, "said": message.id, "than": message.version}).scalar()
    if waiting is not None and status:
        connection.execute(update(_TABLE).where(_TABLE.c.id == waiting, _TABLE.c.placeholder == "").values(placeholder=status))
    return waiting is not None


def says_the_same(one: Message, other: Message) -> bool:
    """Say whether two versions differ in nothing that is answered: platforms also call it an edit when they add a preview."""
    files = [[file.ref for file in message.attachments] for message in (one, other)]
    return (one.text, one.command, one.addressed, files[0]) == (other.text, other.command, other.addressed, files[1])
