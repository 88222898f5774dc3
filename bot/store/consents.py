"""What an admin said a second yes to, and what the files hashed to when they were first seen here.

await Consents(database).say_yes("hub:owner/name@0123…", by="telegram:4711", files=files)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert

from bot.store.tables import ConsentRow

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bot.store.database import Database


@dataclass(frozen=True, slots=True)
class Consent:
    """A subject (`hub:owner/name@revision`), who said yes to it ("" for nobody: it needed none), and sha256 by path as first seen."""

    subject: str
    by: str
    at: datetime
    files: Mapping[str, str]


class Consents:
    """Every second yes, and every first hash."""

    def __init__(self, database: Database) -> None:
        """Use `database`."""
        self._database = database

    async def of(self, subject: str) -> Consent | None:
        """Return what is known of `subject`, None for nothing."""
        query = select(ConsentRow.said_by, ConsentRow.said_at, ConsentRow.files).where(ConsentRow.subject == subject)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else Consent(subject, row[0], row[1], json.loads(row[2]) if row[2] else {})

    async def say_yes(self, subject: str, *, by: str, files: Mapping[str, str]) -> None:
        """Keep that `by` said yes to `subject` with `files` (sha256 by path); hashes that were seen before stay."""
        await self._keep(subject, files, by=by)

    async def seen(self, subject: str, files: Mapping[str, str]) -> None:
        """Keep what the files of `subject` hashed to; hashes that were seen before stay, and so does who said yes."""
        await self._keep(subject, files, by="")

    async def _keep(self, subject: str, files: Mapping[str, str], *, by: str) -> None:
        def work(connection: Connection) -> None:
            query = select(ConsentRow.said_by, ConsentRow.said_at, ConsentRow.files).where(ConsentRow.subject == subject)
            row = connection.execute(query).first()
            was_by, was_at, was_files = row or ("", datetime.now(UTC), "")
            first = json.loads(was_files) if was_files else {}
            values = {
                "said_by": by or was_by,
                "said_at": datetime.now(UTC) if by else was_at,
                "files": json.dumps({**files, **first}),
            }
            statement = insert(ConsentRow).values(subject=subject, **values)
            connection.execute(statement.on_conflict_do_update(index_elements=["subject"], set_=values))

        await self._database.write(work)
