"""Files that were refused: the message that brought them names them no more, once it is told so.

Owns which files of a message those are. Leaves the bytes, which go where nothing else names them, to `bot.store.erasing`.

    refused = RefusedFiles(frozenset(blobs))
    let_go(connection, number, refused)      # within the transaction that writes the answer
    refused.gone                             # what it names no more
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

from sqlalchemy import Table, bindparam, select, update

from bot.message import Attachment, Message, pack, unpack
from bot.store.tables import InboxRow

if TYPE_CHECKING:
    from sqlalchemy import Connection

_TABLE = cast("Table", InboxRow.__table__)
_THIS = _TABLE.c.id == bindparam("number")
_MESSAGE = select(_TABLE.c.message).where(_THIS)
_REWRITE = update(_TABLE).where(_THIS).values(message=bindparam("packed"))


@dataclass(frozen=True, slots=True)
class RefusedFiles:
    """Which of a message's files were refused, by their sha256 (none: that is not known), and what it names no more because of that."""

    which: frozenset[str] = frozenset()
    gone: set[str] = field(default_factory=set)


def let_go(connection: Connection, number: int, refused: RefusedFiles) -> None:
    """Have the message name none of its refused files any more.

    What its platform gives again is fetched anew where somebody replies to it. A file of the page or the terminal is gone for good: of
    several, where it is not known which one was refused, all stay.
    """
    message = unpack(Message, connection.execute(_MESSAGE, {"number": number}).scalar_one())
    alone = len([*_files(message)]) == 1
    which = refused.which or {file.blob for file in _files(message) if file.ref or alone}
    bare = _bare(message, which)
    gone = set(_named(message)) - set(_named(bare))
    if gone:
        connection.execute(_REWRITE, {"number": number, "packed": pack(bare)})
        refused.gone.update(gone)


def _bare(message: Message, which: Collection[str]) -> Message:
    files = tuple(_without(file, which) for file in message.attachments)
    quoted = message.reply_to
    if quoted is not None:
        quoted = replace(quoted, attachments=tuple(_without(file, which) for file in quoted.attachments))
    return replace(message, attachments=files, reply_to=quoted)


def _without(file: Attachment, which: Collection[str]) -> Attachment:
    return replace(file, blob="") if file.blob in which else file


def _named(message: Message) -> Iterator[str]:
    yield from (file.blob for file in _files(message) if file.blob)


def _files(message: Message) -> Iterator[Attachment]:
    yield from message.attachments
    if message.reply_to is not None:
        yield from message.reply_to.attachments
