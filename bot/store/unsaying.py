"""Messages that are unsaid: their rows, their answers, their buttons, what was learnt from them, and where others quote them.

Owns the rows, each function within the caller's transaction. Leaves the files that were named, and the bytes, to `bot.store.erasing`.

    gone = unsaid(connection, and_(here(address), of(sender)), lambda quoted: quoted.sender == sender)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar, cast

from sqlalchemy import Table, and_, delete, or_, select, true, update

from bot import lazy
from bot.message import Address, Command, Message, pack
from bot.store.tables import ButtonRow, InboxRow, LabelRow, OutboxRow
from bot.store.withdrawing import empty, message_of, of_messages, out_of_quotes, without_words

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

T = TypeVar("T")

AT_ONCE = 500
"""Rows that one statement names: SQLite takes some thousand."""
_INBOX, _OUTBOX, _BUTTONS, _LABELS = (cast("Table", kind.__table__) for kind in (InboxRow, OutboxRow, ButtonRow, LabelRow))
_BLOB = lazy.compile(r'"blob":"([0-9a-f]{64})"')
Quoted = Callable[[Message], bool]
"""Says whether a message that is quoted is one of those."""


@dataclass(slots=True)
class Gone:
    """How many messages, answers and labels went, and the files that they named, each with when it was named last."""

    messages: int = 0
    answers: int = 0
    labels: int = 0
    files: dict[str, datetime] = field(default_factory=dict)

    def note(self, packed: str, at: datetime) -> None:
        """Remember the files that a packed message or reply names."""
        for blob in _BLOB.findall(packed):
            self.files[blob] = max(at, self.files.get(blob, at))

    def add(self, other: Gone) -> None:
        """Count what went beside this."""
        self.messages += other.messages
        self.answers += other.answers
        self.labels += other.labels
        for blob, at in other.files.items():
            self.files[blob] = max(at, self.files.get(blob, at))


def here(address: Address) -> ColumnElement[bool]:
    """Return the messages of one chat."""
    return and_(*(_INBOX.c[name] == getattr(address, name) for name in ("channel", "account", "chat")))


def anywhere(address: Address) -> ColumnElement[bool]:
    """Return the messages of every chat of the account."""
    return and_(_INBOX.c.channel == address.channel, _INBOX.c.account == address.account)


def unsaid(
    connection: Connection,
    place: ColumnElement[bool],
    wanted: ColumnElement[bool],
    is_one: Quoted,
    *,
    account: ColumnElement[bool],
    also_waiting: bool = False,
) -> Gone:
    """Delete the messages in `place` that are `wanted`; what waits or is worked on stays unless `also_waiting`.

    Others in the `account` quote those no more, nor what was answered to them.
    """
    gone = Gone()
    done = true() if also_waiting else _INBOX.c.state.in_(("done", "dead", "dropped"))
    where = (_INBOX.c.channel, _INBOX.c.account, _INBOX.c.chat, _INBOX.c.message_id)
    rows = connection.execute(select(_INBOX.c.id, _INBOX.c.message, _INBOX.c.done_at, *where).where(place, wanted, done)).all()
    texts: set[str] = set()
    for row in rows:
        texts.add(_text_of(row.message))
        gone.note(row.message, row.done_at or datetime.now(UTC))
    for some in _in_parts([row.id for row in rows]):
        for packed in out_of_quotes(connection, _OUTBOX.c.inbox_id.in_(some)):
            gone.note(packed, datetime.now(UTC))
        _drop(connection, some, gone)
    for labelled in _in_parts(sorted(texts)):
        gone.labels += connection.execute(delete(_LABELS).where(_LABELS.c.text.in_(labelled))).rowcount
    gone.messages = len(rows)
    for packed in of_messages(connection, {(row.channel, row.account, row.chat, row.message_id) for row in rows}):
        gone.note(packed, datetime.now(UTC))
    _unquote(connection, account, is_one, gone)
    return gone


def unanswered(connection: Connection, address: Address, sent: str, *, sender: str | None) -> Gone | None:
    """Delete the bot's answer `sent` (the platform's number of it); None where it answers somebody else than `sender` (None: anybody)."""
    place = and_(*(_OUTBOX.c[name] == getattr(address, name) for name in ("channel", "account", "chat")))
    is_it = or_(_OUTBOX.c.platform_id == sent, _OUTBOX.c.edits == sent, _OUTBOX.c.parts.like(f'%"{_plain(sent)}"%', escape="\\"))
    query = (
        select(_OUTBOX.c.id, _OUTBOX.c.inbox_id, _OUTBOX.c.reply, _OUTBOX.c.created_at, _INBOX.c.sender)
        .select_from(_OUTBOX.outerjoin(_INBOX, _INBOX.c.id == _OUTBOX.c.inbox_id))
        .where(place, is_it)
    )
    gone = Gone()
    for row in connection.execute(query).all() if sent else ():
        if sender is not None and row.sender != sender:
            return None
        gone.note(row.reply, row.created_at)
        for packed in out_of_quotes(connection, _OUTBOX.c.id == row.id):
            gone.note(packed, row.created_at)
        connection.execute(delete(_OUTBOX).where(_OUTBOX.c.id == row.id))
        connection.execute(delete(_BUTTONS).where(_BUTTONS.c.inbox_id == row.inbox_id))
        gone.answers += 1
    return gone


def without_files(
    connection: Connection,
    place: ColumnElement[bool],
    wanted: ColumnElement[bool],
    blobs: Collection[str],
    is_one: Quoted,
    *,
    account: ColumnElement[bool],
) -> Gone:
    """Take the files `blobs` out of the messages in `place` that are `wanted`; a message that was nothing else goes, with its answer.

    Answers to others that quote a message with one of them (`is_one` says whose), or that were made of one, are emptied.
    """
    gone = Gone()
    naming = or_(*(_INBOX.c.message.like(f'%"blob":"{blob}"%') for blob in blobs))
    where = (_INBOX.c.channel, _INBOX.c.account, _INBOX.c.chat, _INBOX.c.message_id)
    columns = (_INBOX.c.id, _INBOX.c.message, _INBOX.c.received_at, *where)
    rows = connection.execute(select(*columns).where(place, wanted, naming)).all()
    for packed in of_messages(connection, {(row.channel, row.account, row.chat, row.message_id) for row in rows}):
        gone.note(packed, datetime.now(UTC))
    for row in rows:
        gone.note(row.message, datetime.now(UTC))
        message = message_of(row.message)
        left = _without(message, blobs) if message else None
        if message is None or (left is not None and not left.attachments and not left.text.strip() and left.reply_to is None):
            _drop(connection, [row.id], gone)
            gone.messages += 1
        elif left is not None and left != message:
            connection.execute(update(_INBOX).where(_INBOX.c.id == row.id).values(message=pack(left)))
    _unquote(connection, account, lambda said: is_one(said) and any(file.blob in blobs for file in said.attachments), gone)
    return gone


def aged(connection: Connection, before: datetime, *, most: int) -> Gone:
    """Delete the oldest of the messages that were done with before `before` (aware) and have nothing left to send, so many of them."""
    gone = Gone()
    leaving = select(_OUTBOX.c.inbox_id).where(_OUTBOX.c.state.in_(("ready", "sending", "ambiguous")))
    old = and_(_INBOX.c.received_at < before, _INBOX.c.state.in_(("done", "dead")), _INBOX.c.id.not_in(leaving))
    rows = connection.execute(select(_INBOX.c.id, _INBOX.c.message).where(old).order_by(_INBOX.c.id).limit(most)).all()
    for row in rows:
        gone.note(row.message, before)
    for some in _in_parts([row.id for row in rows]):
        _drop(connection, some, gone)
    gone.messages = len(rows)
    return gone


def aged_besides(connection: Connection, before: datetime) -> Gone:
    """Delete what came before `before` (aware) and is of no message: labels, and what the bot said by itself."""
    gone = Gone()
    said = and_(
        _OUTBOX.c.created_at < before, _OUTBOX.c.state.in_(("sent", "dead")), _OUTBOX.c.inbox_id.not_in(select(_INBOX.c.id))
    )
    for packed in connection.execute(select(_OUTBOX.c.reply).where(said)).scalars():
        gone.note(packed, before)
    connection.execute(delete(_OUTBOX).where(said))
    gone.labels = connection.execute(delete(_LABELS).where(_LABELS.c.said_at < before)).rowcount
    return gone


def unquoted(connection: Connection, before: datetime, numbers: Sequence[int]) -> Gone:
    """Take what was said before `before` out of those of the messages `numbers` that quote it."""
    gone = Gone()
    for row in connection.execute(select(_INBOX.c.id, _INBOX.c.message).where(_INBOX.c.id.in_(numbers))).all():
        message = message_of(row.message)
        if message is None or message.reply_to is None or message.reply_to.sent_at >= before or _is_bare(message.reply_to):
            continue
        gone.note(row.message, before)
        bare = without_words(message.reply_to)
        connection.execute(update(_INBOX).where(_INBOX.c.id == row.id).values(message=pack(replace(message, reply_to=bare))))
        gone.messages += 1
    return gone


def hush(connection: Connection, message: Message) -> Gone:
    """Leave of the order to forget that it was given: what it names or quotes is to be forgotten, too."""
    gone = Gone()
    bare = replace(message, text="/forget", command=Command("forget"), reply_to=None, attachments=())
    where = and_(here(message.address), _INBOX.c.message_id == message.id)
    for row in connection.execute(select(_INBOX.c.id, _INBOX.c.message).where(where)).all():
        gone.note(row.message, datetime.now(UTC))
        connection.execute(update(_INBOX).where(_INBOX.c.id == row.id).values(message=pack(bare)))
    return gone


def _drop(connection: Connection, numbers: Sequence[int], gone: Gone) -> None:
    """Delete messages with their answers and their buttons."""
    answers = select(_OUTBOX.c.reply, _OUTBOX.c.created_at).where(_OUTBOX.c.inbox_id.in_(numbers))
    for packed, at in connection.execute(answers).all():
        gone.note(packed, at)
    connection.execute(delete(_OUTBOX).where(_OUTBOX.c.inbox_id.in_(numbers)))
    connection.execute(delete(_BUTTONS).where(_BUTTONS.c.inbox_id.in_(numbers)))
    connection.execute(delete(_INBOX).where(_INBOX.c.id.in_(numbers)))


def _unquote(connection: Connection, account: ColumnElement[bool], is_one: Quoted, gone: Gone) -> None:
    """Take what was unsaid out of the messages that quote it, and empty what was answered to those."""
    quoting = select(_INBOX.c.id, _INBOX.c.message).where(account, _INBOX.c.message.like('%"reply_to":{%'))
    for row in connection.execute(quoting).all():
        message = message_of(row.message)
        if message is None or (left := _unquoted(message, is_one)) == message:
            continue
        connection.execute(update(_INBOX).where(_INBOX.c.id == row.id).values(message=pack(left)))
        gone.note(row.message, message.sent_at)
        for packed in empty(connection, _OUTBOX.c.inbox_id == row.id):
            gone.note(packed, message.sent_at)


def _unquoted(message: Message, is_one: Quoted) -> Message:
    """Return `message` without what is quoted of those, however deep: a button's press quotes what its message quotes."""
    quoted = message.reply_to
    if quoted is None:
        return message
    return replace(message, reply_to=without_words(quoted) if is_one(quoted) else _unquoted(quoted, is_one))


def _is_bare(quoted: Message) -> bool:
    return quoted == without_words(quoted)


def _without(message: Message, blobs: Collection[str]) -> Message:
    quoted = _without(message.reply_to, blobs) if message.reply_to else None
    return replace(message, attachments=tuple(file for file in message.attachments if file.blob not in blobs), reply_to=quoted)


def _text_of(packed: str) -> str:
    message = message_of(packed)
    return message.text if message else ""  # a row that cannot be read is deleted all the same


def _plain(sent: str) -> str:
    return sent.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _in_parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[start : start + AT_ONCE] for start in range(0, len(items), AT_ONCE))
