"""Classes that stand for tables, as SQLAlchemy's ORM declares them, without the ORM: rows are never objects here.

Owns: what a class's annotations say of its columns. Leaves to `bot.store.tables` the tables, to type checkers SQLAlchemy's own types.

    class PositionRow(Base):
        __tablename__ = "positions"
        channel: Mapped[str] = mapped_column(String(32), primary_key=True)

    select(PositionRow.channel)        # and insert(PositionRow), join(PositionRow, ...): the class stands for its table

The ORM and its mappings of 33 classes are a tenth of a start.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Boolean, Column, Double, ForeignKey, Integer, LargeBinary, MetaData, String, Table
from sqlalchemy.types import TypeEngine

_ANNOTATION = re.compile(r"Mapped\[(\w+)( \| None)?\]")
_TYPES: Mapping[str, type[TypeEngine[Any]]] = {
    "int": Integer, "str": String, "bool": Boolean, "float": Double, "bytes": LargeBinary,
}  # fmt: skip


class Declared(type):
    """Makes the table of a class that names one; where an expression is wanted, the class is its table."""

    metadata: MetaData
    __table__: Table

    def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any], **options: Any) -> Declared:
        """Make the class, its columns in the order in which they are written."""
        made = super().__new__(cls, name, bases, body, **options)
        if "__tablename__" in body:
            written = [(key, _ANNOTATION.fullmatch(kind)) for key, kind in body["__annotations__"].items()]
            columns = [_column(made, key, kind[1], empty=bool(kind[2]), said=body.get(key)) for key, kind in written if kind]
            arguments = body.get("__table_args__", ())
            told = arguments[-1] if arguments and isinstance(arguments[-1], dict) else {}
            others = [one for one in arguments if one is not told]
            made.__table__ = Table(body["__tablename__"], made.metadata, *columns, *others, **told)
            for column in columns:
                setattr(made, column.key, column)
        return made

    def __clause_element__(cls) -> Table:
        """Return what SQLAlchemy is to read in the class's place."""
        return cls.__table__


class DeclarativeBase(metaclass=Declared):
    """The base of the class that all tables inherit: it has their `metadata` and `type_annotation_map`."""


class mapped_column:  # noqa: N801 - the name that it has in SQLAlchemy
    """What is said of a column besides its annotation, until its class is made."""

    def __init__(self, *arguments: TypeEngine[Any] | ForeignKey, **options: Any) -> None:
        """Keep it."""
        self.arguments, self.options = arguments, options


def _column(made: Any, key: str, kind: str, *, empty: bool, said: mapped_column | None) -> Column[Any]:
    arguments: tuple[Any, ...] = said.arguments if said else ()
    options = said.options if said else {}
    if not any(isinstance(one, TypeEngine) for one in arguments):
        own = {named.__name__: of for named, of in made.type_annotation_map.items()}
        arguments = (own.get(kind) or _TYPES[kind], *arguments)
    nullable = {} if options.get("primary_key") else {"nullable": empty}
    return Column(key, *arguments, **nullable | options)
