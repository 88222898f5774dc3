"""Files that were refused: the message that brought them names them no more, once it is told so.

Owns which files of a message those are. Leaves the bytes, which go where nothing else names them, to `bot.store.erasing`.

    blobs = let_go(connection, number)       # within the transaction that writes the answer
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
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


def let_go(connection: Connection, number: int) -> set[str]:
    """Have the message name none of its refused files any more; return those that it named, by their sha256.

    What its platform gives again is fetched anew where somebody replies to it. A file of the page or the terminal is gone for good: of
    several, where it is not known which one was refused, all stay.
    """
    message = unpack(Message, connection.execute(_MESSAGE, {"number": number}).scalar_one())
    bare = _bare(message)
    gone = set(_named(message)) - set(_named(bare))
    if gone:
        connection.execute(_REWRITE, {"number": number, "packed": pack(bare)})
    return gone


def _bare(message: Message) -> Message:
    of_all = [*_files(message)]
    files = tuple(_gone(file, of_all) for file in message.attachments)
    quoted = message.reply_to
    if quoted is not None:
        quoted = replace(quoted, attachments=tuple(_gone(file, of_all) for file in quoted.attachments))
    return replace(message, attachments=files, reply_to=quoted)


def _gone(file: Attachment, of_all: Sequence[Attachment]) -> Attachment:
    return replace(file, blob="") if file.ref or len(of_all) == 1 else file


def _named(message: Message) -> Iterator[str]:
    yield from (file.blob for file in _files(message) if file.blob)


def _files(message: Message) -> Iterator[Attachment]:
    yield from message.attachments
    if message.reply_to is not None:
        yield from message.reply_to.attachments
