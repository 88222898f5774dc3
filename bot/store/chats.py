"""What was settled for a chat, the buttons that were shown in it, and what people said of the routing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from sqlalchemy import Table, delete, func, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert

from bot.locale import Language
from bot.message import Address, Command, Message, unpack
from bot.store.tables import ButtonRow, ChatRow, InboxRow, LabelRow

if TYPE_CHECKING:
    from bot.store.database import Database


_CHATS = cast("Table", ChatRow.__table__)
_UPSERT = upsert(_CHATS)
_SETTLE = _UPSERT.on_conflict_do_update(
    index_elements=["channel", "account", "chat"], set_={name: _UPSERT.excluded[name] for name in ("language", "indexing")}
)


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """A chat's own settings: its language ("" where none was set), and whether its messages are indexed."""

    language: Language | None = None
    indexing: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """What a button orders: a command about a message, for its owner, until it expires."""

    command: Command
    owner: str
    about: Message
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Label:
    """A person's word on what a text should have been routed to."""

    text: str
    language: Language
    label: str
    instead_of: str


class Chats:
    """Settings by chat, kept in memory as well: every message asks for them."""

    def __init__(self, database: Database) -> None:
        """Use `database`."""
        self._database = database
        self._known: dict[tuple[str, str, str], ChatSettings] = {}

    async def settings(self, address: Address) -> ChatSettings:
        """Return what was settled for the chat at `address`."""
        key = _key(address)
        if key not in self._known:
            query = select(ChatRow.language, ChatRow.indexing).where(
                ChatRow.channel == key[0], ChatRow.account == key[1], ChatRow.chat == key[2]
            )
            async with self._database.read() as connection:
                row = (await connection.execute(query)).first()
            self._known[key] = ChatSettings(row.language or None, row.indexing) if row else ChatSettings()
        return self._known[key]

    async def set_language(self, address: Address, language: Language | None) -> None:
        """Settle the chat's language; None: as each message is."""
        await self._set(address, ChatSettings(language, (await self.settings(address)).indexing))

    async def set_indexing(self, address: Address, *, on: bool) -> None:
        """Settle whether the chat's messages are indexed."""
        await self._set(address, ChatSettings((await self.settings(address)).language, on))

    def reread(self, address: Address) -> None:
        """Ask the database again for the chat's settings: they were written by somebody else."""
        self._known.pop(_key(address), None)

    async def order(self, token: str) -> Order | None:
        """Return what the button with `token` orders, None for a token that was never given out or whose message is gone."""
        query = (
            select(ButtonRow.command, ButtonRow.owner, ButtonRow.expires_at, InboxRow.message)
            .join(InboxRow, InboxRow.id == ButtonRow.inbox_id)
            .where(ButtonRow.token == token)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        return Order(unpack(Command, row.command), row.owner, unpack(Message, row.message), row.expires_at) if row else None

    async def drop_expired_buttons(self) -> None:
        """Delete the buttons whose time is over."""
        now = datetime.now(UTC)
        await self._database.write(lambda connection: connection.execute(delete(ButtonRow).where(ButtonRow.expires_at < now)))

    async def keep_label(self, label: Label) -> None:
        """Keep a person's word for the router's next training."""
        row = {
            "text": label.text, "language": label.language, "label": label.label, "instead_of": label.instead_of,
            "said_at": datetime.now(UTC),
        }  # fmt: skip
        await self._database.write(lambda connection: connection.execute(insert(LabelRow).values(row)))

    async def labels(self) -> list[Label]:
        """Return every label, oldest first."""
        query = select(LabelRow.text, LabelRow.language, LabelRow.label, LabelRow.instead_of).order_by(LabelRow.id)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [Label(row.text, row.language, row.label, row.instead_of) for row in rows]

    async def complaints(self, *, since: datetime, skill: str = "") -> int:
        """Return how many people said since then that a message had gone to the wrong skill; with `skill`, to that one."""
        query = select(func.count()).select_from(LabelRow).where(LabelRow.said_at >= since)
        if skill:
            query = query.where(LabelRow.instead_of == skill, LabelRow.label != skill)
        async with self._database.read() as connection:
            return int((await connection.execute(query)).scalar_one())

    async def _set(self, address: Address, settings: ChatSettings) -> None:
        channel, account, chat = _key(address)
        row = {
            "channel": channel, "account": account, "chat": chat,
            "language": settings.language or "", "indexing": settings.indexing,
        }  # fmt: skip
        await self._database.write(lambda connection: connection.execute(_SETTLE, row))
        self._known[channel, account, chat] = settings


def _key(address: Address) -> tuple[str, str, str]:
    return address.channel, address.account, address.chat
