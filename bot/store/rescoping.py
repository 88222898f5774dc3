"""What may be searched of a chat that got another number: its scope, under the new name.

A scope is a number in passages, in the word index and in every index in memory, and a name in one row. Where the new chat has no
passages yet, that row is renamed and nothing else moves. Where it has some, those of the old one get new numbers, as if they had
just come: so every reader learns of it from what came and what went, in this process or another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from sqlalchemy import Table, and_, bindparam, delete, insert, literal, not_, select, text, update
from sqlalchemy import func as sql

from bot.message import Address
from bot.passage import MESSAGE, Scope
from bot.store.passages import drop_passages
from bot.store.shelf import NO_PASSAGE
from bot.store.tables import DocumentRow, PassageRow, RemovalRow, ScopeRow

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

_DOCUMENTS = cast("Table", DocumentRow.__table__)
_MOVE = (
    (
        "INSERT INTO passages (id, document_id, scope_id, version, position, heading, text, page, starts_at, ends_at, language, hangul,"
        " terms, sentences) SELECT :new, document_id, :scope, version, position, heading, text, page, starts_at, ends_at, language,"
        " hangul, terms, sentences FROM passages WHERE id = :old"
    ),
    (
        "INSERT INTO passage_words (rowid, scope, title, heading, body)"
        " SELECT :new, '§' || :scope, title, heading, body FROM passage_words WHERE rowid = :old"
    ),
    (
        "INSERT INTO vectors (passage_id, generation_id, data)"
        " SELECT :new, generation_id, data FROM vectors WHERE passage_id = :old"
    ),
    "INSERT INTO removals (passage_id) VALUES (:old)",
    "DELETE FROM vectors WHERE passage_id = :old",
    "DELETE FROM passage_words WHERE rowid = :old",
    "DELETE FROM passages WHERE id = :old",
)
"""One passage, with its words and its vectors of every generation."""


def move_scope(connection: Connection, old: Address, new: Address) -> None:
    """Give the new chat what stands in the old one's scope, within the caller's transaction."""
    before, after = (_scope(connection, address) for address in (old, new))
    if before is None:
        return
    _rename_documents(connection, before, old, new)
    if after is None:
        connection.execute(update(ScopeRow).where(ScopeRow.id == before).values(name=str(Scope.of(new))))
        # Readers remember which scopes there are until a passage comes or goes.
        connection.execute(insert(RemovalRow).values(passage_id=NO_PASSAGE))
        return
    _drop_doubles(connection, before, after)
    _move_passages(connection, before, after)
    connection.execute(update(_DOCUMENTS).where(_DOCUMENTS.c.scope_id == before).values(scope_id=after))
    connection.execute(delete(ScopeRow).where(ScopeRow.id == before))


def _scope(connection: Connection, address: Address) -> int | None:
    return connection.execute(select(ScopeRow.id).where(ScopeRow.name == str(Scope.of(address)))).scalar()


def _rename_documents(connection: Connection, scope: int, old: Address, new: Address) -> None:
    """Let the old chat's messages be no message of the new one, which counts its own from 1."""
    here = _DOCUMENTS.c.scope_id == scope
    key = literal(f"{MESSAGE}{old.chat}/") + sql.substr(_DOCUMENTS.c.key, len(MESSAGE) + 1)
    connection.execute(update(_DOCUMENTS).where(here, _counted(_DOCUMENTS.c.key)).values(key=key))
    answers = literal(f"{MESSAGE}{old.chat}/") + sql.substr(_DOCUMENTS.c.answers, len(MESSAGE) + 1)
    connection.execute(update(_DOCUMENTS).where(here, _counted(_DOCUMENTS.c.answers)).values(answers=answers))
    connection.execute(update(_DOCUMENTS).where(here, _DOCUMENTS.c.sender == old.chat).values(sender=new.chat))


def _counted(key: ColumnElement[str]) -> ColumnElement[bool]:
    """Say whether it is the key of a message that its chat counted: an id of another kind is the same in the new chat."""
    return and_(key.op("GLOB")(f"{MESSAGE}[0-9]*"), not_(key.op("GLOB", is_comparison=True)(f"{MESSAGE}*[^0-9]*")))


def _drop_doubles(connection: Connection, before: int, after: int) -> None:
    """Drop what stands in both scopes under one key: what is in the new chat is the newer one."""
    known = select(DocumentRow.key).where(DocumentRow.scope_id == after)
    doubles = select(DocumentRow.id).where(DocumentRow.scope_id == before, DocumentRow.key.in_(known))
    for document in connection.execute(doubles).scalars().all():
        drop_passages(connection, document)
        connection.execute(delete(DocumentRow).where(DocumentRow.id == document))


def _move_passages(connection: Connection, before: int, after: int) -> None:
    passages = select(PassageRow.id).where(PassageRow.scope_id == bindparam("scope")).order_by(PassageRow.id)
    numbers = connection.execute(passages, {"scope": before}).scalars().all()
    first = (connection.execute(text("SELECT seq FROM sqlite_sequence WHERE name = 'passages'")).scalar() or 0) + 1
    moves = [{"old": number, "new": place, "scope": after} for place, number in enumerate(numbers, start=first)]
    for statement in _MOVE if moves else ():
        connection.execute(text(statement), moves)
