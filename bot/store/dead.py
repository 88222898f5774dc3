"""What was set aside: messages on which the bot broke, and replies that no platform took; taken up again, or dropped.

Owns the rows. Nothing of what was said leaves it: who, where, when, how long, and why. What is taken up again is nobody's, so that
the bot that serves its channel takes it over within seconds (`bot.feed`), whichever process ordered it.

    dead = DeadLetters(database)
    for letter in await dead.last(10): ...
    await dead.replay("a91f3c")      # None where nothing is set aside under that reference, or it was taken up already
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from sqlalchemy import Select, Table, and_, func, select, update

from bot import lazy
from bot.message import Address, Message, Reply, unpack
from bot.route import unpack_route
from bot.store.tables import InboxRow, OutboxRow

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bot.store.database import Database

REPLY: Final = "o"
"""What the reference of a reply begins with, before its number; that of a message is what the person was told."""
IN_DOUBT: Final = "tried too often"
"""Why a reply was given up that may have arrived: sent again, it says so."""
LONGEST_NUMBER = 18
_INBOX, _OUTBOX = cast("Table", InboxRow.__table__), cast("Table", OutboxRow.__table__)

_QUOTED = lazy.compile(r"""(?<!\w)["'“‘«].*?(?:["'”’»](?!\w)|\Z)""", re.DOTALL)
"""A platform that refuses a reply may quote it: Unsupported start tag "…" at byte offset 3."""
_SET_ASIDE = and_(_INBOX.c.state == "dead", _INBOX.c.reference != "")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One thing that was set aside. `at` is aware, UTC; `who` is CHANNEL:USER, "" for what was told by itself."""

    reference: str
    kind: Literal["message", "reply"]
    id: int
    address: Address
    who: str
    name: str
    at: datetime
    skill: str
    """The skill that answered or the command that was given, "" where neither is known."""
    characters: int
    files: int
    why: str


class DeadLetters:
    """Reads and settles what was set aside."""

    def __init__(self, database: Database) -> None:
        """Use `database`."""
        self._database = database

    async def last(self, count: int) -> list[DeadLetter]:
        """Return the newest, at most so many, the newest first."""
        async with self._database.read() as connection:
            messages = (await connection.execute(_messages().order_by(_INBOX.c.id.desc()).limit(count))).all()
            replies = (await connection.execute(_replies().order_by(_OUTBOX.c.id.desc()).limit(count))).all()
        letters = [*map(_message, messages), *map(_reply, replies)]
        return sorted(letters, key=lambda letter: letter.at, reverse=True)[:count]

    async def count(self) -> int:
        """Return how many there are."""
        async with self._database.read() as connection:
            messages = await connection.scalar(select(func.count()).where(_SET_ASIDE))
            replies = await connection.scalar(select(func.count()).where(_OUTBOX.c.state == "dead"))
        return int(messages or 0) + int(replies or 0)

    async def replay(self, reference: str) -> DeadLetter | None:
        """Have it worked on, or sent, once more; None where nothing is set aside under `reference` (any more)."""
        return await self._settle(reference, again=True)

    async def drop(self, reference: str) -> DeadLetter | None:
        """List it no more: it stays among what was said, and is never worked on or sent again."""
        return await self._settle(reference, again=False)

    async def _settle(self, reference: str, *, again: bool) -> DeadLetter | None:
        meant = reference.strip().lower()

        def work(connection: Connection) -> DeadLetter | None:
            letter = _found(connection, meant)
            if letter is not None:
                (_again if again else _dropped)(connection, letter)
            return letter

        return await self._database.write(work)


def _messages() -> Select[Any]:
    names = ("id", "channel", "account", "chat", "thread", "sender", "message", "route", "error", "reference", "received_at")
    return select(*(_INBOX.c[name] for name in names)).where(_SET_ASIDE)


def _replies() -> Select[Any]:
    asked = (_INBOX.c.sender, _INBOX.c.message, _INBOX.c.route)
    names = ("id", "channel", "account", "chat", "thread", "kind", "reply", "error", "created_at")
    joined = _OUTBOX.outerjoin(_INBOX, _INBOX.c.id == _OUTBOX.c.inbox_id)
    return select(*(_OUTBOX.c[name] for name in names), *asked).select_from(joined).where(_OUTBOX.c.state == "dead")


def _message(row: Any) -> DeadLetter:
    said = _unpacked(row.message)
    address = said.address if said else Address(row.channel, row.account, row.chat, row.thread)
    return DeadLetter(
        row.reference, "message", row.id, address, f"{row.channel}:{row.sender}",
        said.sender_name if said else "", row.received_at, _skill(row.route, said),
        len(said.text) if said else 0, len(said.attachments) if said else 0, row.error,
    )  # fmt: skip


def _reply(row: Any) -> DeadLetter:
    said = _unpacked(row.message) if row.message else None
    reply: Reply | None = None
    with suppress(ValueError):
        reply = unpack(Reply, row.reply)
    skill = (reply.receipt.skill if reply and reply.receipt else "") or _skill(row.route or "", said)
    return DeadLetter(
        f"{REPLY}{row.id}", "reply", row.id, Address(row.channel, row.account, row.chat, row.thread, row.kind),
        f"{row.channel}:{row.sender}" if row.sender else "", said.sender_name if said else "", row.created_at, skill,
        len(reply.text) if reply else 0, len(reply.images) if reply else 0, _QUOTED.sub('"…"', row.error),
    )  # fmt: skip


def _unpacked(packed: str) -> Message | None:
    try:
        return unpack(Message, packed)
    except ValueError:  # written by another version of the bot, or what cannot be read is why it was set aside
        return None


def _skill(route: str, said: Message | None) -> str:
    if route:
        with suppress(ValueError):
            return unpack_route(route).skill
    return f"/{said.command.name}" if said and said.command else ""


def _found(connection: Connection, reference: str) -> DeadLetter | None:
    number = reference.removeprefix(REPLY)
    if number != reference:
        if not (number.isascii() and number.isdigit() and len(number) <= LONGEST_NUMBER):
            return None
        row = connection.execute(_replies().where(_OUTBOX.c.id == int(number))).first()
        return _reply(row) if row else None
    row = connection.execute(_messages().where(_INBOX.c.reference == reference).limit(1)).first()
    return _message(row) if row else None


def _again(connection: Connection, letter: DeadLetter) -> None:
    """Have it wait as on its first day, nobody's; what was told of its failure becomes the answer, where that can be edited."""
    if letter.kind == "message":
        told = select(_OUTBOX.c.platform_id).where(_OUTBOX.c.inbox_id == letter.id, _OUTBOX.c.platform_id != "")
        place = connection.execute(told.order_by(_OUTBOX.c.id.desc()).limit(1)).scalar()
        fresh: dict[str, Any] = {"state": "received", "attempts": 0, "error": "", "reference": "", "owner": "", "done_at": None}
        connection.execute(
            update(_INBOX).where(_INBOX.c.id == letter.id).values({**fresh, **({"placeholder": place} if place else {})})
        )
        return
    state = "ambiguous" if letter.why == IN_DOUBT else "ready"
    anew: dict[str, Any] = {"state": state, "attempts": 0, "error": "", "owner": "", "not_before": None}
    connection.execute(update(_OUTBOX).where(_OUTBOX.c.id == letter.id).values(anew))


def _dropped(connection: Connection, letter: DeadLetter) -> None:
    table = _INBOX if letter.kind == "message" else _OUTBOX
    connection.execute(update(table).where(table.c.id == letter.id).values(state="dropped"))
