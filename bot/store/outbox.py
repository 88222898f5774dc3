"""The outbox: every reply, until the platform has it.

A row goes ready -> sending -> sent | ambiguous | dead. "sending" is committed before a send that must not be repeated blindly
is begun: a row found so at a start is one whose fate is unknown.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select, update

from bot.message import Address, Button, Message, Reply, pack, unpack
from bot.store.tables import ButtonRow, OutboxRow

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bot.store.database import Database

BUTTON_LIFE = timedelta(days=7)
TOKEN_BYTES = 16


@dataclass(frozen=True, slots=True)
class Parcel:
    """A reply on its way, the outbox's number of it, where it goes, and the message that it is edited into ("" for a new one)."""

    id: int
    reply: Reply
    to: Address
    edits: str
    attempts: int
    state: str
    not_before: datetime | None


class Outbox:
    """What goes out."""

    def __init__(self, database: Database) -> None:
        """Use `database`."""
        self._database = database

    async def pending(self, channels: Sequence[str], *, after: int, most: int) -> list[Parcel]:
        """Return replies of `channels` that are to be sent and have a number over `after`, oldest first."""
        query = (
            select(OutboxRow)
            .where(OutboxRow.state.in_(("ready", "ambiguous")), OutboxRow.channel.in_(channels), OutboxRow.id > after)
            .order_by(OutboxRow.id)
            .limit(most)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [_parcel(row) for row in rows]

    async def of(self, inbox_id: int) -> list[Parcel]:
        """Return the replies to a message, in order."""
        async with self._database.read() as connection:
            rows = (
                await connection.execute(select(OutboxRow).where(OutboxRow.inbox_id == inbox_id).order_by(OutboxRow.id))
            ).all()
        return [_parcel(row) for row in rows]

    async def sending(self, number: int) -> None:
        """Mark that the send is about to leave."""
        await self._set(number, state="sending", attempts=OutboxRow.attempts + 1)

    async def sent(self, number: int, platform_id: str) -> None:
        """Mark that the platform has it, under this id."""
        await self._set(number, state="sent", platform_id=platform_id, sent_at=datetime.now(UTC), not_before=None)

    async def later(self, number: int, not_before: datetime, why: str) -> None:
        """Mark that nothing was sent and when to try again."""
        await self._set(number, state="ready", not_before=not_before, error=why)

    async def ambiguous(self, number: int, why: str) -> None:
        """Mark that it is unknown whether the platform has it."""
        await self._set(number, state="ambiguous", error=why)

    async def dead(self, number: int, why: str) -> None:
        """Mark that it can never be sent."""
        await self._set(number, state="dead", error=why)

    async def recover(self, channels: Sequence[str]) -> int:
        """Mark what was leaving when the bot stopped as ambiguous; return how many replies."""

        def work(connection: Connection) -> int:
            changed = connection.execute(
                update(OutboxRow).where(OutboxRow.state == "sending", OutboxRow.channel.in_(channels)).values(state="ambiguous")
            )
            return int(changed.rowcount)

        return await self._database.write(work)

    async def counts(self) -> dict[str, int]:
        """Return how many replies there are in each state."""
        async with self._database.read() as connection:
            rows = (await connection.execute(select(OutboxRow.state, func.count()).group_by(OutboxRow.state))).all()
        return {row[0]: row[1] for row in rows}

    async def _set(self, number: int, **changes: object) -> None:
        await self._database.write(
            lambda connection: connection.execute(update(OutboxRow).where(OutboxRow.id == number).values(**changes))
        )


def put(connection: Connection, inbox_id: int, message: Message, reply: Reply, *, edits: str) -> int:
    """Add `reply` to `message` within the caller's transaction, its buttons given tokens; return its number."""
    now = datetime.now(UTC)
    buttons = tuple(replace(button, token=secrets.token_urlsafe(TOKEN_BYTES)) for button in reply.buttons)
    if buttons:
        rows = [_button_row(button, inbox_id, message.sender, now + BUTTON_LIFE) for button in buttons]
        connection.execute(insert(ButtonRow), rows)
    to = message.address
    row = {
        "inbox_id": inbox_id, "channel": to.channel, "account": to.account, "chat": to.chat, "thread": to.thread, "kind": to.kind,
        "reply": pack(replace(reply, buttons=buttons)), "state": "ready", "edits": edits, "platform_id": "", "attempts": 0,
        "error": "", "created_at": now,
    }  # fmt: skip
    added = connection.execute(insert(OutboxRow).values(row).returning(OutboxRow.id))
    return int(added.scalar_one())


def _button_row(button: Button, inbox_id: int, owner: str, expires_at: datetime) -> dict[str, object]:
    return {
        "token": button.token,
        "inbox_id": inbox_id,
        "owner": owner,
        "command": pack(button.command),
        "expires_at": expires_at,
    }


def _parcel(row: object) -> Parcel:
    place = Address(row.channel, row.account, row.chat, row.thread, row.kind)  # type: ignore[attr-defined]
    return Parcel(
        row.id, unpack(Reply, row.reply), place, row.edits, row.attempts, row.state, row.not_before,  # type: ignore[attr-defined]
    )  # fmt: skip
