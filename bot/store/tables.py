"""The tables. Migrations under migrations/ build the same; a test compares the two."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import DateTime, Dialect, ForeignKey, Index, MetaData, String, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime; kept without its zone, because SQLite has none."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - a signature of SQLAlchemy's
        """Return the UTC moment without its zone."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - a signature of SQLAlchemy's
        """Return the moment with its zone."""
        return None if value is None else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """The base of all tables."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: Moment}  # noqa: RUF012 - SQLAlchemy reads it off the class


class InboxRow(Base):
    """A message as it was received: received -> working -> done | dead -> dropped."""

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("channel", "account", "chat", "message_id", "version"),
        Index("ix_inbox_state_id", "state", "id"),
        Index("ix_inbox_chat_sent_at", "channel", "account", "chat", "sent_at"),
        Index("ix_inbox_sender_received_at", "channel", "account", "sender", "received_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(String(32))
    account: Mapped[str] = mapped_column(String(128))
    chat: Mapped[str] = mapped_column(String(255))
    thread: Mapped[str] = mapped_column(String(255), default="")
    sender: Mapped[str] = mapped_column(String(255))
    message_id: Mapped[str] = mapped_column(String(255))
    version: Mapped[int] = mapped_column(default=0)
    message: Mapped[str]
    """The packed Message."""
    state: Mapped[str] = mapped_column(String(16), default="received")
    owner: Mapped[str] = mapped_column(String(32), default="", server_default="")
    """The lease of the bot that works on it (`bot.store.lease`), "" for nobody's."""
    attempts: Mapped[int] = mapped_column(default=0)
    counted: Mapped[str] = mapped_column(default="", server_default="")
    """What of it is in the counts of its person (`bot.store.usage`), separated by spaces: it counts once, however often it is begun."""
    placeholder: Mapped[str] = mapped_column(String(255), default="")
    """The platform's id of the status message that is to be edited into the answer; "" while there is none."""
    route: Mapped[str] = mapped_column(default="")
    """How it was routed, packed; "" until then. `/why` reads it."""
    error: Mapped[str] = mapped_column(default="")
    reference: Mapped[str] = mapped_column(String(16), default="", server_default="")
    """What the person was told to name when they ask an admin about it; "" where nothing went wrong."""
    sent_at: Mapped[datetime]
    received_at: Mapped[datetime]
    done_at: Mapped[datetime | None]


class OutboxRow(Base):
    """A reply on its way: ready -> sending -> sent | ambiguous | dead -> dropped."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_state_id", "state", "id"),
        Index("ix_outbox_chat_id", "channel", "account", "chat", "id"),
        Index("ix_outbox_inbox_id", "inbox_id"),
        Index("ix_outbox_sent", "channel", "account", "chat", "platform_id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    inbox_id: Mapped[int]
    channel: Mapped[str] = mapped_column(String(32))
    account: Mapped[str] = mapped_column(String(128))
    chat: Mapped[str] = mapped_column(String(255))
    thread: Mapped[str] = mapped_column(String(255), default="")
    kind: Mapped[str] = mapped_column(String(8), default="direct")
    reply: Mapped[str]
    """The packed Reply."""
    state: Mapped[str] = mapped_column(String(16), default="ready")
    edits: Mapped[str] = mapped_column(String(255), default="")
    """The platform's id of the message that this reply is edited into; "" for a new message."""
    platform_id: Mapped[str] = mapped_column(String(255), default="")
    """The platform's id of what was sent."""
    parts: Mapped[str] = mapped_column(default="", server_default="")
    """JSON: the platform's ids of those parts of a split reply that went out; "" while it is not known to be split."""
    owner: Mapped[str] = mapped_column(String(32), default="", server_default="")
    """The lease of the bot that sends it."""
    attempts: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class ButtonRow(Base):
    """A button that was shown: its token, who may press it, until when, and what it orders."""

    __tablename__ = "buttons"
    __table_args__ = (Index("ix_buttons_expires_at", "expires_at"),)

    token: Mapped[str] = mapped_column(String(32), primary_key=True)
    inbox_id: Mapped[int]
    """The message that was answered; the order is about it."""
    owner: Mapped[str] = mapped_column(String(255))
    command: Mapped[str]
    """The packed Command."""
    expires_at: Mapped[datetime]


class PositionRow(Base):
    """How far an account was read, in its platform's own word."""

    __tablename__ = "positions"

    channel: Mapped[str] = mapped_column(String(32), primary_key=True)
    account: Mapped[str] = mapped_column(String(128), primary_key=True)
    at: Mapped[str]


class ChatRow(Base):
    """What was settled for a chat: its language, and whether its messages are indexed."""

    __tablename__ = "chats"

    channel: Mapped[str] = mapped_column(String(32), primary_key=True)
    account: Mapped[str] = mapped_column(String(128), primary_key=True)
    chat: Mapped[str] = mapped_column(String(255), primary_key=True)
    language: Mapped[str] = mapped_column(String(8), default="")
    indexing: Mapped[bool] = mapped_column(default=False)


class MoveRow(Base):
    """A chat that its platform gave another number: what still comes for the old one, after a crash too, is for the new one."""

    __tablename__ = "moves"

    channel: Mapped[str] = mapped_column(String(32), primary_key=True)
    account: Mapped[str] = mapped_column(String(128), primary_key=True)
    chat: Mapped[str] = mapped_column(String(255), primary_key=True)
    """The old number."""
    now: Mapped[str] = mapped_column(String(255))


class LabelRow(Base):
    """A person's word that a message was routed wrongly, kept for the router's next training."""

    __tablename__ = "labels"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]
    language: Mapped[str] = mapped_column(String(8))
    label: Mapped[str] = mapped_column(String(64))
    instead_of: Mapped[str] = mapped_column(String(64))
    said_at: Mapped[datetime]


class AssignmentRow(Base):
    """The model that an admin put into a slot."""

    __tablename__ = "assignments"

    slot: Mapped[str] = mapped_column(String(64), primary_key=True)
    model: Mapped[str] = mapped_column(String(255))
    assigned_by: Mapped[str] = mapped_column(String(255))
    assigned_at: Mapped[datetime]
    failure: Mapped[str] = mapped_column(default="", server_default="")
    """JSON: why it could not be followed, by language; "" where it could, or was not tried yet."""


class AuditRow(Base):
    """An admin command that was given, and what came of it."""

    __tablename__ = "audit"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    who: Mapped[str] = mapped_column(String(255))
    command: Mapped[str]
    outcome: Mapped[str] = mapped_column(String(32))
    at: Mapped[datetime]


class SwapRow(Base):
    """One wish for another model, and what became of it (`bot.models.trial.Swap`)."""

    __tablename__ = "swaps"
    __table_args__ = (
        Index("ix_swaps_slot_id", "slot", "id"),
        Index("ix_swaps_state", "state"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    slot: Mapped[str] = mapped_column(String(64))
    word: Mapped[str]
    model: Mapped[str] = mapped_column(String(255), default="", server_default="")
    before: Mapped[str] = mapped_column(String(255), default="", server_default="")
    asked_by: Mapped[str] = mapped_column(String(255))
    origin: Mapped[str] = mapped_column(default="", server_default="")
    owner: Mapped[str] = mapped_column(String(32), default="", server_default="")
    """The lease of the process that is at it."""
    state: Mapped[str] = mapped_column(String(16))
    step: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(default="", server_default="")
    card: Mapped[str] = mapped_column(default="", server_default="")
    """JSON of a Card; "" until it is there."""
    said: Mapped[str] = mapped_column(default="", server_default="")
    """JSON: how it ended, by language."""
    asked_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class ConsentRow(Base):
    """An admin's second yes: hashes that were seen for the first time, a licence that nobody knows."""

    __tablename__ = "consents"

    subject: Mapped[str] = mapped_column(String(255), primary_key=True)
    """What was said yes to, such as `hub:owner/name@revision`."""
    said_by: Mapped[str] = mapped_column(String(255))
    said_at: Mapped[datetime]
    files: Mapped[str] = mapped_column(default="", server_default="")
    """JSON: sha256 and size of each file as they were then."""


class AdminRow(Base):
    """An admin whom another admin added; those of the settings are not kept here."""

    __tablename__ = "admins"

    person: Mapped[str] = mapped_column(String(255), primary_key=True)
    """CHANNEL:USER."""
    added_by: Mapped[str] = mapped_column(String(255))
    added_at: Mapped[datetime]


class GuestRow(Base):
    """A person whom an admin let in by a pairing code; those of the settings' lists are not kept here."""

    __tablename__ = "guests"

    person: Mapped[str] = mapped_column(String(255), primary_key=True)
    """CHANNEL:USER."""
    admitted_by: Mapped[str] = mapped_column(String(255))
    admitted_at: Mapped[datetime]


class PairingRow(Base):
    """A pairing code that was shown to a person and waits for an admin."""

    __tablename__ = "pairings"
    __table_args__ = (Index("ix_pairings_code_hash", "code_hash"),)

    person: Mapped[str] = mapped_column(String(255), primary_key=True)
    """CHANNEL:USER."""
    code_hash: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the code: who reads the database cannot show it."""
    origin: Mapped[str]
    """The packed Address to which it was shown."""
    asked_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class SessionRow(Base):
    """An open session of the web page."""

    __tablename__ = "sessions"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of the token in the cookie: who reads the database cannot use it."""
    expires_at: Mapped[datetime]


class UsageRow(Base):
    """How much a person or a group asked for: on a day, and at what pace."""

    __tablename__ = "usage"

    who: Mapped[str] = mapped_column(String(255), primary_key=True)
    """CHANNEL:USER, or CHANNEL:CHAT of a group."""
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    """messages | costly | pace | group messages | group pace."""
    day: Mapped[str] = mapped_column(String(10))
    """The day, by the bot's clock on the wall, for which `used` and `more` count."""
    used: Mapped[int]
    more: Mapped[int]
    """What an admin gave besides for that day."""
    at: Mapped[datetime]
    """When the last message was said."""
    full_at: Mapped[datetime]
    """Of a pace: when there is room again for as many messages as a minute takes."""
    shut: Mapped[bool]
    """Of a pace: nothing is taken that was said before `full_at`."""
    told_at: Mapped[datetime | None]
    """When the person was told last that it was too much."""
    told_for: Mapped[str]
    """The message that was answered by it."""


class ScopeRow(Base):
    """An audience, by its name as `bot.passage.Scope` writes it; its id stands for it in passages and in the word index."""

    __tablename__ = "scopes"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(512), unique=True)


class DocumentRow(Base):
    """A file, page or message that may be searched. The same key in a scope is the same document, in a newer version."""

    __tablename__ = "documents"
    __table_args__ = (
        UniqueConstraint("scope_id", "key"),
        Index("ix_documents_scope_id_sha256", "scope_id", "sha256"),
        Index("ix_documents_scope_id_sender", "scope_id", "sender"),
        Index("ix_documents_said_at", "scope_id", "thread", "said_at", sqlite_where=text("said_at IS NOT NULL")),
        Index("ix_documents_answers", "scope_id", "answers", sqlite_where=text("said_at IS NOT NULL")),
        Index("ix_documents_author", "scope_id", "author", sqlite_where=text("said_at IS NOT NULL")),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    scope_id: Mapped[int] = mapped_column(ForeignKey("scopes.id"))
    key: Mapped[str]
    title: Mapped[str]
    link: Mapped[str] = mapped_column(default="")
    """Where a reader opens it; "" where the bot itself shows it as `document:ID`."""
    sha256: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(16))
    size_bytes: Mapped[int] = mapped_column(default=0)
    sender: Mapped[str] = mapped_column(String(255), default="")
    author: Mapped[str] = mapped_column(String(255), default="", server_default="")
    """Of a message: the name of who said it, as the platform shows it."""
    thread: Mapped[str] = mapped_column(String(255), default="", server_default="")
    answers: Mapped[str] = mapped_column(default="", server_default="")
    """The key of the message that it replies to."""
    said_at: Mapped[datetime | None]
    """When a message was said; None for all that is none."""
    version: Mapped[int] = mapped_column(default=1)
    added_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class PassageRow(Base):
    """A piece of a document. Ids grow and are never used again, so that what came after a known one is what is new."""

    __tablename__ = "passages"
    __table_args__ = (
        Index("ix_passages_document_id_position", "document_id", "position"),
        Index("ix_passages_scope_id", "scope_id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("documents.id"))
    scope_id: Mapped[int] = mapped_column(ForeignKey("scopes.id"))
    version: Mapped[int] = mapped_column(default=1)
    """The version of the document that it is of."""
    position: Mapped[int]
    heading: Mapped[str] = mapped_column(default="")
    text: Mapped[str]
    page: Mapped[int | None]
    starts_at: Mapped[int] = mapped_column(default=0)
    ends_at: Mapped[int] = mapped_column(default=0)
    """Where the text stands in its page, in characters."""
    language: Mapped[str] = mapped_column(String(8))
    hangul: Mapped[float] = mapped_column(default=0.0)
    """Share of Hangul among its letters."""
    terms: Mapped[bytes]
    """uint32, little-endian: how many terms title and heading have, then the fingerprints of title, heading and text."""
    sentences: Mapped[bytes]
    """int32, little-endian: of each sentence of the text where it begins, where it ends, and how many terms it has."""


class RemovalRow(Base):
    """A passage that is gone, so that an index in memory learns of it. The number is all that is left."""

    __tablename__ = "removals"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    passage_id: Mapped[int]


class GenerationRow(Base):
    """All vectors of one embedder: building -> live -> retired -> dropped (its vectors are being deleted)."""

    __tablename__ = "generations"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    embedder: Mapped[str] = mapped_column(String(255))
    """`name@revision`."""
    dimension: Mapped[int]
    state: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime]
    live_at: Mapped[datetime | None]
    """When it became live the last time; None while it never was."""
    rate: Mapped[float] = mapped_column(default=0.0, server_default="0")
    """Passages a second, as they were embedded for it last."""


class VectorRow(Base):
    """A passage's vector in one generation: float16, little-endian, unit length."""

    __tablename__ = "vectors"
    __table_args__ = (Index("ix_vectors_generation_id", "generation_id"), {"sqlite_with_rowid": False})

    passage_id: Mapped[int] = mapped_column(ForeignKey("passages.id"), primary_key=True, autoincrement=False)
    generation_id: Mapped[int] = mapped_column(ForeignKey("generations.id"), primary_key=True, autoincrement=False)
    data: Mapped[bytes]


class PastRow(Base):
    """A group whose past is, or was, read in: [entering ->] reading -> done; off (it was taken back) | lost (it cannot be read).

    The row without a chat is an admin's order for all open groups of a workspace.
    """

    __tablename__ = "pasts"

    channel: Mapped[str] = mapped_column(String(32), primary_key=True)
    account: Mapped[str] = mapped_column(String(128), primary_key=True)
    chat: Mapped[str] = mapped_column(String(255), primary_key=True)
    state: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(255), default="", server_default="")
    of_workspace: Mapped[bool] = mapped_column(default=False)
    """Whether it is read by the order for the workspace, not by one of its own."""
    before: Mapped[str] = mapped_column(default="", server_default="")
    """From where the channel goes on: its own mark, "" for the end."""
    until: Mapped[datetime | None]
    """What was said before is here already; None where all of it is to be read."""
    reached: Mapped[datetime | None]
    """When the oldest message was said that was read in this turn."""
    kept: Mapped[int] = mapped_column(default=0)
    """Messages that were kept, in all turns."""
    ordered_by: Mapped[str] = mapped_column(String(255))
    """CHANNEL:USER."""
    origin: Mapped[str]
    """The packed Address where it was ordered."""
    language: Mapped[str] = mapped_column(String(8))
    ordered_at: Mapped[datetime]
    why: Mapped[str] = mapped_column(default="", server_default="")
    """Of what is lost, JSON: why, by language."""


class UnreadRow(Base):
    """What is not to be read in again from a past, for somebody had it forgotten. "" is any: chat, sender, message."""

    __tablename__ = "unread_pasts"
    __table_args__ = (Index("ix_unread_pasts_channel_account", "channel", "account"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(String(32))
    account: Mapped[str] = mapped_column(String(128))
    chat: Mapped[str] = mapped_column(String(255))
    sender: Mapped[str] = mapped_column(String(255))
    message: Mapped[str] = mapped_column(String(255))
    at: Mapped[datetime]
    """What was said after it is read."""


class LinkedRow(Base):
    """One of the accounts of a person who has several, each on a channel of its own: those with the same `whole` are one person."""

    __tablename__ = "linked"
    __table_args__ = (Index("ix_linked_whole", "whole"),)

    channel: Mapped[str] = mapped_column(String(32), primary_key=True)
    account: Mapped[str] = mapped_column(String(128), primary_key=True)
    user: Mapped[str] = mapped_column(String(255), primary_key=True)
    whole: Mapped[str] = mapped_column(String(32))
    direct: Mapped[str]
    """The packed Address of their own chat with the bot."""
    name: Mapped[str] = mapped_column(String(255))
    linked_at: Mapped[datetime]


class LinkCodeRow(Base):
    """A code that was shown to somebody, by which another account becomes theirs; and who typed it, until they say yes."""

    __tablename__ = "link_codes"
    __table_args__ = (Index("ix_link_codes_code_hash", "code_hash"),)

    channel: Mapped[str] = mapped_column(String(32), primary_key=True)
    account: Mapped[str] = mapped_column(String(128), primary_key=True)
    user: Mapped[str] = mapped_column(String(255), primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the code: who reads the database cannot type it."""
    direct: Mapped[str]
    name: Mapped[str] = mapped_column(String(255))
    typed_by: Mapped[str] = mapped_column(default="", server_default="")
    """JSON of channel, account, user of the one who typed it; "" for nobody yet."""
    expires_at: Mapped[datetime]
