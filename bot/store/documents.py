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

from bot.passage import Held, Listed, Listing, Passage, Scope, Scopes
from bot.store.tables import DocumentRow, PassageRow, ScopeRow

if TYPE_CHECKING:
    from collections.abc import Sequence

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

    async def key(self, scope: Scope, number: int) -> str:
        """Return the key of the document `number` in `scope`, "" where there is none."""
        own = select(DocumentRow.key).join(ScopeRow).where(ScopeRow.name == str(scope), DocumentRow.id == number)
        async with self._database.read() as connection:
            return (await connection.execute(own)).scalar_one_or_none() or ""

    async def held(self, scope: Scope, *, sender: str | None = None) -> list[Held]:
        """Return the documents in `scope` that `sender` brought, all of them for None, the newest first."""
        query = select(DocumentRow.key, DocumentRow.title, DocumentRow.sha256).join(ScopeRow).where(ScopeRow.name == str(scope))
        if sender is not None:
            query = query.where(DocumentRow.sender == sender)
        async with self._database.read() as connection:
            return [Held(*row) for row in await connection.execute(query.order_by(DocumentRow.id.desc()))]

    async def listing(self, scopes: Scopes, *, words: Sequence[str], first: int, count: int, headed: bool = False) -> Listing:
        """Return `count` documents in `scopes` whose titles hold all of `words`, from the place `first`, the newest first.

        `headed`, whose titles and the headings that they begin with do, together.
        """
        if headed:
            return await self._headed(scopes, words, first=first, count=count)
        own = ScopeRow.name.in_([str(scope) for scope in scopes])
        named = and_(own, DocumentRow.said_at.is_(None), *(DocumentRow.title.icontains(word, autoescape=True) for word in words))
        query = select(DocumentRow.id, DocumentRow.title, ScopeRow.name, DocumentRow.updated_at).join(ScopeRow).where(named)
        query = query.order_by(DocumentRow.updated_at.desc(), DocumentRow.id.desc()).offset(first).limit(count)
        counted = select(func.count(DocumentRow.id)).join(ScopeRow)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
            held = await _passages_of(connection, [row.id for row in rows])
            total = (await connection.execute(counted.where(named))).scalar_one()
            messages = (await connection.execute(counted.where(own, DocumentRow.said_at.is_not(None)))).scalar_one()
        found = (
            Listed(row.id, row.title, Scope.parse(row.name), held.get(row.id, 0), row.updated_at.astimezone(UTC)) for row in rows
        )
        return Listing(tuple(one for one in found if one.scope in scopes), total, messages)

    async def _headed(self, scopes: Scopes, words: Sequence[str], *, first: int, count: int) -> Listing:
        own = and_(ScopeRow.name.in_([str(scope) for scope in scopes]), DocumentRow.said_at.is_(None), PassageRow.position == 0)
        name = DocumentRow.title + " " + PassageRow.heading
        query = (
            select(DocumentRow.id, DocumentRow.title, ScopeRow.name, DocumentRow.updated_at, PassageRow.heading)
            .join(ScopeRow, ScopeRow.id == DocumentRow.scope_id)
            .join(PassageRow, and_(PassageRow.document_id == DocumentRow.id, PassageRow.version == DocumentRow.version))
            .where(own, *(name.icontains(word, autoescape=True) for word in words))
            .order_by(DocumentRow.updated_at.desc(), DocumentRow.id.desc())
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query.offset(first).limit(count))).all()
            held = await _passages_of(connection, [row.id for row in rows])
            total = (await connection.execute(select(func.count()).select_from(query.order_by(None).subquery()))).scalar_one()
        found = (
            Listed(row.id, row.title, Scope.parse(row.name), held.get(row.id, 0), row.updated_at.astimezone(UTC), row.heading)
            for row in rows
        )
        return Listing(tuple(one for one in found if one.scope in scopes), total)

    async def whole(self, number: int, scopes: Scopes, *, most: int) -> list[Passage]:
        """Return the first `most` passages of the document `number` in reading order; none where it is in none of `scopes`."""
        query = (
            select(PassageRow, DocumentRow.title, DocumentRow.link, ScopeRow.name)
            .join(DocumentRow, and_(DocumentRow.id == PassageRow.document_id, DocumentRow.version == PassageRow.version))
            .join(ScopeRow, and_(ScopeRow.id == DocumentRow.scope_id, ScopeRow.id == PassageRow.scope_id))
            .where(DocumentRow.id == number, ScopeRow.name.in_([str(scope) for scope in scopes]))
            .order_by(PassageRow.position)
            .limit(most)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [
            Passage(
                row.id, Scope.parse(row.name), row.title, row.heading, row.text, row.link or f"document:{number}",
                "ko" if row.language == "ko" else "en", row.page,
            )
            for row in rows
        ]  # fmt: skip

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


async def _passages_of(connection: AsyncConnection, documents: Sequence[int]) -> dict[int, int]:
    """Return how many passages each of `documents` has now."""
    current = and_(DocumentRow.id == PassageRow.document_id, DocumentRow.version == PassageRow.version)
    query = select(PassageRow.document_id, func.count()).join(DocumentRow, current).where(DocumentRow.id.in_(documents))
    return {row[0]: row[1] for row in await connection.execute(query.group_by(PassageRow.document_id))}


async def _place(connection: AsyncConnection, own: ColumnElement[bool], near: str) -> int | None:
    """Return where in its document the passage of that digest stands, None where the document has it no more."""
    texts = await connection.execute(select(PassageRow.text).where(own).order_by(PassageRow.position))
    return next((at for at, (text,) in enumerate(texts) if digest_of(text) == near), None)
