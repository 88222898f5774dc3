"""A class of `bot.store.declared` stands for the table that SQLAlchemy's ORM would make of it; the ORM itself is not loaded."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime

import pytest
import sqlalchemy.orm as theirs
from sqlalchemy import ForeignKey, Index, MetaData, String, UniqueConstraint, insert, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Mapped
from sqlalchemy.schema import CreateTable

import bot.store.declared as ours
from bot.store.tables import NAMING, InboxRow, Moment

TABLES = '''
class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: Moment}


class HouseRow(Base):
    __tablename__ = "houses"
    id: Mapped[int] = mapped_column(primary_key=True)


class PersonRow(Base):
    __tablename__ = "people"
    __table_args__ = (UniqueConstraint("name", "age"), Index("ix_people_age", "age"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    house_id: Mapped[int] = mapped_column(ForeignKey("houses.id"))
    name: Mapped[str] = mapped_column(String(64), default="", server_default="nobody")
    """A name."""
    age: Mapped[int | None]
    weight: Mapped[float] = mapped_column(default=0.0)
    awake: Mapped[bool] = mapped_column(default=False)
    face: Mapped[bytes]
    born: Mapped[datetime]
    died: Mapped[datetime | None]
'''


def _made(library: object) -> dict[str, object]:
    names: dict[str, object] = {
        "DeclarativeBase": library.DeclarativeBase, "mapped_column": library.mapped_column, "Mapped": Mapped,  # type: ignore[attr-defined]
        "MetaData": MetaData, "NAMING": NAMING, "datetime": datetime, "Moment": Moment, "UniqueConstraint": UniqueConstraint, "Index": Index,
        "ForeignKey": ForeignKey, "String": String, "__name__": __name__,
    }  # fmt: skip
    exec(f"from __future__ import annotations\n{TABLES}", names)  # noqa: S102 - the same classes of both
    return names


@pytest.mark.parametrize("row", ["HouseRow", "PersonRow"])
def test_it_makes_the_table_that_the_orm_makes(row: str) -> None:
    table, expected = (_made(library)[row].__table__ for library in (ours, theirs))  # type: ignore[attr-defined]

    assert str(CreateTable(table).compile(dialect=sqlite.dialect())) == str(
        CreateTable(expected).compile(dialect=sqlite.dialect())
    )
    assert [repr(column.type) for column in table.c] == [repr(column.type) for column in expected.c]
    assert [(one.name, one.nullable, str(one.default)) for one in table.c] == [
        (one.name, one.nullable, str(one.default)) for one in expected.c
    ]
    assert sorted(index.name for index in table.indexes) == sorted(index.name for index in expected.indexes)


def test_the_class_stands_for_its_table() -> None:
    assert str(select(InboxRow.id).join(InboxRow.__table__.alias(), InboxRow.id == InboxRow.id)).startswith("SELECT inbox.id")
    assert str(select(InboxRow)) == str(select(InboxRow.__table__))
    assert str(insert(InboxRow)) == str(insert(InboxRow.__table__))  # type: ignore[arg-type]


def test_the_store_is_opened_without_the_orm_which_can_be_had_afterwards() -> None:
    code = (
        "import sys, bot.store.database, bot.store.inbox, bot.store.history\n"
        "assert 'sqlalchemy.orm' not in sys.modules\n"
        "from bot.store.async_engine import create_async_engine\n"
        "from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine as theirs\n"
        "assert create_async_engine is theirs"
    )

    subprocess.run([sys.executable, "-c", code], check=True)
