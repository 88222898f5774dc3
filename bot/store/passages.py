"""Documents and their passages, as they are written: text, words and vectors in one transaction.

Owns: adding, replacing, removing and forgetting. Leaves to `bot.store.shelf` how they are read for a search, and to
`bot.retrieval` what a passage is.

    kept = await Passages(database).add([document], generation=1)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, TypeVar

from sqlalchemy import ColumnElement, bindparam, delete, func, insert, or_, select, text, update
from sqlalchemy.dialects.sqlite import insert as insert_or

from bot.errors import InputError
from bot.locale import Language, phrases
from bot.passage import WITHIN, Scope
from bot.store.generations import live_now, written_now
from bot.store.shelf import NO_PASSAGE
from bot.store.tables import DocumentRow, PassageRow, RemovalRow, ScopeRow, VectorRow
from bot.store.withdrawing import Withdrawal

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bot.store.database import Database
    from bot.talk import Said

_ = phrases(__file__)
T = TypeVar("T")

MOST_NAMED = 500
"""Passages that one statement names; SQLite takes some thousands."""
BEGUN = "begun:"
"""Before the sha256 of a document of which the last part has not come yet: nobody takes it for the file."""


@dataclass(frozen=True, slots=True)
class NewPassage:
    """A passage to be kept. `words`: terms of title, heading and body, a space between two; `terms`, `sentences`: see PassageRow."""

    text: str
    heading: str
    page: int | None
    start: int
    end: int
    language: Language
    hangul: float
    words: tuple[str, str, str]
    terms: bytes
    sentences: bytes
    vector: bytes
    """float16, little-endian; b"" where there is no embedder."""
    others: tuple[tuple[int, bytes], ...] = ()
    """Its vectors of other generations that are written to: (generation, vector)."""


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document to be kept, whole."""

    scope: Scope
    key: str
    title: str
    link: str
    sha256: str
    kind: str
    size_bytes: int
    passages: tuple[NewPassage, ...]
    sender: str = ""
    once: bool = False
    """True where the same bytes under another key in the scope are the same document."""
    first: int = 0
    """Of a part of a long document: the place of its first passage; the parts come in order."""
    more: bool = False
    """True for all parts but the last: until that has come, the document is begun."""
    said: Said | None = None
    """Of a message: by whom, when and where."""
    of_then: bool = False
    """True for a message that is as old as it was said: it goes when that is too long ago, however late it is kept."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a document: its number, and how many passages it has now."""

    document: int
    passages: int
    status: Literal["added", "replaced", "unchanged"]
    title: str


@dataclass(frozen=True, slots=True)
class Unembedded:
    """A passage that has no vector in a generation yet, with what is embedded of it."""

    id: int
    title: str
    heading: str
    text: str


Choose = Callable[["Connection", Sequence[NewDocument]], Sequence[NewDocument]]
"""Says, within the transaction that keeps documents, which of them are kept, and writes beside them what belongs to that."""


class Passages:
    """What may be searched, as it is written."""

    def __init__(self, database: Database) -> None:
        """Use `database`."""
        self._database = database

    async def add(self, documents: Sequence[NewDocument], *, generation: int, choose: Choose | None = None) -> list[Kept]:
        """Keep `documents` in one transaction, their vectors in `generation`; a known key in a scope replaces its old self.

        `choose`, in the same transaction, says which of them are kept. Answers that quote what somebody has said or sent anew are emptied.
        """

        def work(connection: Connection, gone: list[int]) -> list[Kept]:
            chosen = documents if choose is None else choose(connection, documents)
            return [_add(connection, document, generation, gone) for document in chosen]

        return await self._emptying(work)

    async def begun(self, scope: Scope, *, key: str, sha256: str) -> list[str]:
        """Return the texts that are kept of a document of which the last part has not come yet, in order; [] where there is none."""
        query = (
            select(PassageRow.text)
            .join(DocumentRow, PassageRow.document_id == DocumentRow.id)
            .join(ScopeRow, DocumentRow.scope_id == ScopeRow.id)
            .where(ScopeRow.name == str(scope), DocumentRow.key == key, DocumentRow.sha256 == BEGUN + sha256)
            .order_by(PassageRow.position)
        )
        async with self._database.read() as connection:
            return list((await connection.execute(query)).scalars())

    async def add_among(
        self, documents: Sequence[NewDocument], *, generation: int, written: Collection[int], choose: Choose | None = None
    ) -> list[Kept] | None:
        """Do as `add`, where the generations that are written to are `written`; None where they are others, and nothing is kept."""

        def work(connection: Connection, gone: list[int]) -> list[Kept] | None:
            if written_now(connection) != set(written):
                return None
            chosen = documents if choose is None else choose(connection, documents)
            return [_add(connection, document, generation, gone) for document in chosen]

        return await self._emptying(work)

    async def _emptying(self, work: Callable[[Connection, list[int]], T]) -> T:
        """Do `work`, which puts the passages that it replaces into its list; then empty the answers that quote those."""
        gone: list[int] = []

        def anew(connection: Connection) -> T:
            gone.clear()
            return work(connection, gone)

        kept = await self._database.write(anew)
        await Withdrawal(self._database).of_passages(gone)
        return kept

    async def remove(self, scope: Scope, *, key: str, alone: bool = False) -> int:
        """Remove the document under `key` in `scope`; return how many passages went. With an archive goes what was in it, but `alone`.

        Answers that quote what somebody has said or sent are emptied.
        """
        own = DocumentRow.key == key
        inner = DocumentRow.key.startswith(key + WITHIN, autoescape=True)
        scopes, wanted = ScopeRow.name == str(scope), own if alone else or_(own, inner)
        sent = await self._forget(scopes, wanted, DocumentRow.sender != "")
        await Withdrawal(self._database).of_passages(sent)
        return len(sent) + len(await self._forget(scopes, wanted))

    async def forget_beginning(self, scope: Scope, *, beginning: str, documents: int) -> list[int] | None:
        """Remove so many documents of `scope` whose keys begin so; return the passages that went, None where there is none any more."""
        named = DocumentRow.key.startswith(beginning, autoescape=True)
        some = select(DocumentRow.id).join(ScopeRow).where(ScopeRow.name == str(scope), named).limit(documents)
        async with self._database.read() as connection:
            numbers = list((await connection.execute(some)).scalars())
        return await self._forget(ScopeRow.name == str(scope), DocumentRow.id.in_(numbers)) if numbers else None

    async def forget(self, scope: Scope, *, sender: str | None = None, keys: Collection[str] | None = None) -> list[int]:
        """Remove what `sender` said in `scope`, of that what is kept under `keys`; None: all of it. Return the passages that went."""
        mine = () if sender is None else (DocumentRow.sender == sender,)
        named = () if keys is None else (DocumentRow.key.in_(sorted(keys)),)
        return await self._forget(ScopeRow.name == str(scope), *mine, *named)

    async def forget_everywhere(self, channel: str, account: str, *, sender: str) -> list[int]:
        """Remove what `sender` said in any chat of the account; return the passages that went."""
        chats = (ScopeRow.name.startswith(f"{kind}:{channel}/{account}/", autoescape=True) for kind in ("dm", "group"))
        return await self._forget(or_(*chats), DocumentRow.sender == sender)

    async def age(self, before: datetime, *, beside: str, documents: int) -> list[int] | None:
        """Remove so many documents of chats that came before `before` (aware), but those whose keys begin with `beside`.

        Return the passages that went; None where there is no such document any more.
        """
        chats = or_(*(ScopeRow.name.startswith(f"{kind}:") for kind in ("dm", "group")))
        old = (chats, DocumentRow.updated_at < before, ~DocumentRow.key.startswith(beside, autoescape=True))
        some = select(DocumentRow.id).join(ScopeRow).where(*old).order_by(DocumentRow.id).limit(documents)
        async with self._database.read() as connection:
            numbers = list((await connection.execute(some)).scalars())
        return await self._forget(*old[:1], *old[1:], DocumentRow.id.in_(numbers)) if numbers else None

    async def unembedded(self, generation: int, *, count: int, after: int = 0) -> list[Unembedded]:
        """Return at most `count` passages above `after` that have no vector in `generation`, oldest first."""
        missing = ~select(1).where(VectorRow.passage_id == PassageRow.id, VectorRow.generation_id == generation).exists()
        query = (
            select(PassageRow.id, DocumentRow.title, PassageRow.heading, PassageRow.text)
            .join(DocumentRow, PassageRow.document_id == DocumentRow.id)
            .where(missing, PassageRow.id > after).order_by(PassageRow.id).limit(count)
        )  # fmt: skip
        async with self._database.read() as connection:
            return [Unembedded(*row) for row in await connection.execute(query)]

    async def texts(self, ids: Sequence[int]) -> list[Unembedded]:
        """Return those of the passages `ids` that are there, by number, with what is embedded of them."""
        query = (
            select(PassageRow.id, DocumentRow.title, PassageRow.heading, PassageRow.text)
            .join(DocumentRow, PassageRow.document_id == DocumentRow.id)
            .order_by(PassageRow.id)
        )
        found: list[Unembedded] = []
        async with self._database.read() as connection:
            for begin in range(0, len(ids), MOST_NAMED):
                some = query.where(PassageRow.id.in_(ids[begin : begin + MOST_NAMED]))
                found += [Unembedded(*row) for row in await connection.execute(some)]
        return found

    async def newest(self) -> int:
        """Return the highest number of a passage, 0 where there is none."""
        async with self._database.read() as connection:
            return int((await connection.execute(select(func.coalesce(func.max(PassageRow.id), 0)))).scalar_one())

    async def add_vectors(self, generation: int, vectors: Sequence[tuple[int, bytes]]) -> None:
        """Keep (passage, vector) pairs; those whose passage has gone meanwhile are dropped, all where the generation is not written to.

        They survive the end of the process; a power cut may take the last, which are then missing, not wrong.
        """

        def work(connection: Connection) -> None:
            if generation not in written_now(connection):
                return
            here = select(PassageRow.id).where(PassageRow.id.in_([passage for passage, _data in vectors]))
            alive = set((connection.execute(here)).scalars())
            rows = [
                {"passage_id": passage, "generation_id": generation, "data": data}
                for passage, data in vectors
                if passage in alive
            ]
            if rows:
                connection.execute(insert_or(VectorRow).on_conflict_do_nothing(), rows)
                if generation == live_now(connection):  # whoever has the index of it reads it again
                    connection.execute(insert(RemovalRow).values(passage_id=NO_PASSAGE))

        await self._database.write(work, durable=False)

    async def wordless(self) -> list[Unembedded]:
        """Drop entries of the word index that belong to no passage; return the passages that have none."""

        def work(connection: Connection) -> list[Unembedded]:
            connection.execute(text("INSERT INTO passage_words(passage_words) VALUES ('rebuild')"))
            connection.execute(text("DELETE FROM passage_words WHERE rowid NOT IN (SELECT id FROM passages)"))
            query = (
                select(PassageRow.id, DocumentRow.title, PassageRow.heading, PassageRow.text)
                .join(DocumentRow, PassageRow.document_id == DocumentRow.id)
                .where(text("passages.id NOT IN (SELECT rowid FROM passage_words)"))
            )
            return [Unembedded(*row) for row in connection.execute(query)]

        return await self._database.write(work)

    async def add_words(self, words: Sequence[tuple[int, tuple[str, str, str]]]) -> None:
        """Enter (passage, words by field) into the word index; those whose passage has gone meanwhile are dropped."""

        def work(connection: Connection) -> None:
            for number, (title, heading, body) in words:
                connection.execute(
                    text(
                        "INSERT INTO passage_words(rowid, scope, title, heading, body)"
                        " SELECT id, '§' || scope_id, :title, :heading, :body FROM passages WHERE id = :id"
                    ),
                    {"id": number, "title": title, "heading": heading, "body": body},
                )
            connection.execute(
                insert(RemovalRow).values(passage_id=NO_PASSAGE)
            )  # whoever remembers a word's passages reads them again

        await self._database.write(work)

    async def _forget(self, scopes: ColumnElement[bool], *wanted: ColumnElement[bool]) -> list[int]:
        def work(connection: Connection) -> list[int]:
            found = connection.execute(select(DocumentRow.id).join(ScopeRow).where(scopes, *wanted))
            gone: list[int] = []
            for document in list(found.scalars()):
                gone += connection.execute(select(PassageRow.id).where(PassageRow.document_id == document)).scalars()
                drop_passages(connection, document)
                connection.execute(delete(DocumentRow).where(DocumentRow.id == document))
            return gone

        return await self._database.write(work)


def _add(connection: Connection, document: NewDocument, generation: int, gone: list[int]) -> Kept:
    scope_id = _scope_id(connection, str(document.scope))
    if document.first:
        return _go_on(connection, document, scope_id, generation)
    if document.once and (same := connection.execute(_SAME, {"scope": scope_id, "sha256": document.sha256}).first()):
        return Kept(same[0], same[2], "unchanged", same[1])
    now = document.said.at if document.of_then and document.said is not None else datetime.now(UTC)
    sha256 = BEGUN + document.sha256 if document.more else document.sha256
    values = {
        "title": document.title, "link": document.link, "sha256": sha256, "kind": document.kind,
        "size_bytes": document.size_bytes, "sender": document.sender, "updated_at": now, **_said(document.said),
    }  # fmt: skip
    known = connection.execute(_KNOWN, {"scope": scope_id, "key": document.key}).first()
    if known is None:
        row = {"scope_id": scope_id, "key": document.key, "version": 1, "added_at": now, **values}
        number, version = connection.execute(_ADD_DOCUMENT, row).scalar_one(), 1
    else:
        number, version = known[0], known[1] + 1
        if document.sender:  # what a person said or sent: no later /forget of it would know these numbers
            gone += connection.execute(select(PassageRow.id).where(PassageRow.document_id == number)).scalars()
        drop_passages(connection, number)
        connection.execute(update(DocumentRow).where(DocumentRow.id == number).values(version=version, **values))
    _add_passages(connection, document, number, version, scope_id, generation)
    return Kept(number, len(document.passages), "added" if known is None else "replaced", document.title)


def _go_on(connection: Connection, document: NewDocument, scope_id: int, generation: int) -> Kept:
    """Add a further part of a document that was begun. Raises InputError where it has become another one meanwhile."""
    begun = {"scope": scope_id, "key": document.key, "sha256": BEGUN + document.sha256}
    row = connection.execute(_BEGUN, begun).first()
    if row is None or row.passages != document.first:
        raise InputError(
            _("{title} was changed while I read it, or is being read twice. Please add it again.", title=document.title)
        )
    _add_passages(connection, document, row.id, row.version, scope_id, generation)
    if not document.more:
        connection.execute(update(DocumentRow).where(DocumentRow.id == row.id).values(sha256=document.sha256))
    passages = row.passages + len(document.passages)
    return Kept(row.id, passages, "added" if row.version == 1 else "replaced", document.title)


def _said(said: Said | None) -> dict[str, str | datetime | None]:
    if said is None:
        return {"author": "", "thread": "", "answers": "", "said_at": None}
    return {"author": said.who, "thread": said.thread, "answers": said.answers, "said_at": said.at}


def _scope_id(connection: Connection, name: str) -> int:
    found = connection.execute(_SCOPE, {"name": name}).scalar()
    return (
        found
        if found is not None
        else int(connection.execute(insert(ScopeRow).values(name=name).returning(ScopeRow.id)).scalar_one())
    )


def _add_passages(
    connection: Connection, document: NewDocument, number: int, version: int, scope_id: int, generation: int
) -> None:
    if not document.passages:
        return
    first = (connection.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = 'passages'").scalar() or 0) + 1
    numbered = list(enumerate(document.passages, start=first))
    connection.exec_driver_sql(
        "INSERT INTO passages (id, document_id, scope_id, version, position, heading, text, page, starts_at, ends_at, language,"
        " hangul, terms, sentences) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                id_, number, scope_id, version, document.first + id_ - first, passage.heading, passage.text, passage.page, passage.start,
                passage.end, passage.language, passage.hangul, passage.terms, passage.sentences,
            )
            for id_, passage in numbered
        ],
    )  # fmt: skip
    connection.exec_driver_sql(
        "INSERT INTO passage_words (rowid, scope, title, heading, body) VALUES (?, ?, ?, ?, ?)",
        [(id_, f"§{scope_id}", *passage.words) for id_, passage in numbered],
    )
    vectors = [(id_, generation, passage.vector) for id_, passage in numbered if passage.vector]
    vectors += [(id_, other, vector) for id_, passage in numbered for other, vector in passage.others]
    if vectors:
        connection.exec_driver_sql("INSERT INTO vectors (passage_id, generation_id, data) VALUES (?, ?, ?)", vectors)


def drop_passages(connection: Connection, document: int) -> int:
    """Remove a document's passages, words and vectors; return how many passages went."""
    of_document = select(PassageRow.id).where(PassageRow.document_id == document)
    connection.execute(insert(RemovalRow).from_select(["passage_id"], of_document))
    words = text("DELETE FROM passage_words WHERE rowid IN (SELECT id FROM passages WHERE document_id = :document)")
    connection.execute(words, {"document": document})
    connection.execute(delete(VectorRow).where(VectorRow.passage_id.in_(of_document)))
    gone = connection.execute(delete(PassageRow).where(PassageRow.document_id == document))
    return gone.rowcount


_SCOPE = select(ScopeRow.id).where(ScopeRow.name == bindparam("name"))
_KNOWN = select(DocumentRow.id, DocumentRow.version).where(
    DocumentRow.scope_id == bindparam("scope"), DocumentRow.key == bindparam("key")
)
_PASSAGES = select(func.count()).where(PassageRow.document_id == DocumentRow.id).scalar_subquery()
_SAME = select(DocumentRow.id, DocumentRow.title, _PASSAGES).where(
    DocumentRow.scope_id == bindparam("scope"), DocumentRow.sha256 == bindparam("sha256")
)
_BEGUN = (
    select(DocumentRow.id, DocumentRow.version, _PASSAGES.label("passages"))
    .where(DocumentRow.scope_id == bindparam("scope"), DocumentRow.key == bindparam("key"))
    .where(DocumentRow.sha256 == bindparam("sha256"))
)
_ADD_DOCUMENT = insert(DocumentRow).returning(DocumentRow.id)
