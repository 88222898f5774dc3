"""Documents as a reader opens them: the passages in their order, in no scope but the reader's.

Owns the reading of one document. Leaves to `bot.store.passages` how it is kept, and to a channel how it is shown.

    opened = await Documents(database).find(12, scopes, near=digest_of(source.text))
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, and_, func, or_, select

from bot.passage import Held, Scope, Scopes
from bot.store.tables import DocumentRow, PassageRow, ScopeRow

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.store.database import Database

WINDOW = 120
"""Passages that are read at a time: about 100 kB of text."""
BEFORE = 20
"""Passages that are read before the one that is looked for."""
DIGEST_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Part:
    """One passage of an open document; `found` says that it is the one that was looked for."""

    text: str
    heading: str
    page: int | None
    found: bool = False


@dataclass(frozen=True, slots=True)
class Opened:
    """A document, and some of its passages: those from the place `first` (counted from 0), of `total`."""

    number: int
    title: str
    kind: str
    sha256: str
    key: str
    link: str
    size_bytes: int
    updated_at: datetime
    parts: tuple[Part, ...]
    first: int
    total: int


class Documents:
    """What may be opened."""

    def __init__(self, database: Database) -> None:
        """Use `database`."""
        self._database = database

    async def find(self, number: int, scopes: Scopes, *, near: str = "", first: int | None = None) -> Opened | None:
        """Return the document `number`, None where there is none in `scopes`.

        Its passages are those from `first`, else those around the one whose text has the digest `near`, else the first ones.
        """
        async with self._database.read() as connection:
            asked = await connection.execute(
                select(DocumentRow)
                .join(ScopeRow)
                .where(DocumentRow.id == number, ScopeRow.name.in_([str(one) for one in scopes]))
            )
            row = asked.first()
            if row is None:
                return None
            own = and_(PassageRow.document_id == number, PassageRow.version == row.version)
            place = await _place(connection, own, near) if near else None
            begin = max(0, first if first is not None else (place or 0) - BEFORE)
            total = (await connection.execute(select(func.count()).select_from(PassageRow).where(own))).scalar_one()
            window = select(PassageRow.text, PassageRow.heading, PassageRow.page).where(own).order_by(PassageRow.position)
            texts = await connection.execute(window.offset(begin).limit(WINDOW))
            parts = tuple(Part(*columns, found=begin + at == place) for at, columns in enumerate(texts))
        updated_at = row.updated_at.astimezone(UTC)
        return Opened(row.id, row.title, row.kind, row.sha256, row.key, row.link, row.size_bytes, updated_at, parts, begin, total)

    async def keys(self, scope: Scope, *, beginning: str) -> list[str]:
        """Return the keys of the documents in `scope` that begin so, in the order in which they came."""
        own = (
            select(DocumentRow.key)
            .join(ScopeRow)
            .where(ScopeRow.name == str(scope), DocumentRow.key.startswith(beginning, autoescape=True))
        )
        async with self._database.read() as connection:
            return list((await connection.execute(own.order_by(DocumentRow.id))).scalars())

    async def held(self, scope: Scope, *, sender: str | None = None) -> list[Held]:
        """Return the documents in `scope` that `sender` brought, all of them for None, the newest first."""
        query = select(DocumentRow.key, DocumentRow.title, DocumentRow.sha256).join(ScopeRow).where(ScopeRow.name == str(scope))
        if sender is not None:
            query = query.where(DocumentRow.sender == sender)
        async with self._database.read() as connection:
            return [Held(*row) for row in await connection.execute(query.order_by(DocumentRow.id.desc()))]

    async def holds(self, scopes: Scopes, blob: str) -> bool:
        """Say whether a document in `scopes` was read from the file of this sha256, or is kept in it."""
        names = [str(scope) for scope in scopes]
        query = select(DocumentRow.id).join(ScopeRow).where(ScopeRow.name.in_(names)).limit(1)
        query = query.where(or_(DocumentRow.sha256 == blob, DocumentRow.key.like(f"%:{blob}")))
        async with self._database.read() as connection:
            return (await connection.execute(query)).first() is not None

    async def count(self, scopes: Scopes) -> int:
        """Return how many documents there are in `scopes`."""
        names = [str(scope) for scope in scopes]
        query = select(func.count()).select_from(DocumentRow).join(ScopeRow).where(ScopeRow.name.in_(names))
        async with self._database.read() as connection:
            return int((await connection.execute(query)).scalar_one())


def digest_of(text: str) -> str:
    """Return the digits by which a passage of this text is found again in its document."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:DIGEST_DIGITS]


async def _place(connection: AsyncConnection, own: ColumnElement[bool], near: str) -> int | None:
    """Return where in its document the passage of that digest stands, None where the document has it no more."""
    texts = await connection.execute(select(PassageRow.text).where(own).order_by(PassageRow.position))
    return next((at for at, (text,) in enumerate(texts) if digest_of(text) == near), None)
