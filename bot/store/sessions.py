"""The sessions of the web page that are open: the SHA-256 of each one's token, until it runs out or its person signs out.

await sessions.begin(token, until)
await sessions.holds(token)     # True, in every process of this home, until `end`
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, cast

from sqlalchemy import Table, delete, insert, select

from bot.store.tables import SessionRow

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bot.store.database import Database

MOST: Final = 500
"""Sessions that are kept; who signs in once more ends the one that would run out first."""
_TABLE = cast("Table", SessionRow.__table__)


class Sessions:
    """Keeps `bot.channels.web_door.Sessions`."""

    def __init__(self, database: Database) -> None:
        """Use `database`."""
        self._database = database

    async def begin(self, token: str, until: datetime) -> None:
        """Open a session."""
        row = {"token_hash": _hashed(token), "expires_at": until}
        newest = select(_TABLE.c.token_hash).order_by(_TABLE.c.expires_at.desc()).limit(MOST - 1)

        def work(connection: Connection) -> None:
            connection.execute(delete(_TABLE).where(_TABLE.c.expires_at <= datetime.now(UTC)))
            connection.execute(delete(_TABLE).where(_TABLE.c.token_hash.not_in(newest)))
            connection.execute(insert(_TABLE).values(row))

        await self._database.write(work)

    async def holds(self, token: str) -> bool:
        """Say whether the session is open, by what the database holds now."""
        query = select(_TABLE.c.expires_at).where(_TABLE.c.token_hash == _hashed(token))
        async with self._database.read() as connection:
            return (await connection.execute(query)).first() is not None

    async def end(self, token: str) -> None:
        """Close a session."""

        def work(connection: Connection) -> None:
            connection.execute(delete(_TABLE).where(_TABLE.c.token_hash == _hashed(token)))

        await self._database.write(work)


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
