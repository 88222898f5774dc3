"""Which audiences there are that have passages.

shared = await Audiences(database).shared("telegram", "7", most=200)    # [Scope("group", "telegram/7/-100")]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import or_, select

from bot.passage import Scope
from bot.store.tables import PassageRow, ScopeRow

if TYPE_CHECKING:
    from bot.store.database import Database


class Audiences:
    """Reads the scopes."""

    def __init__(self, database: Database) -> None:
        """Use `database`."""
        self._database = database

    async def shared(self, channel: str, account: str, *, most: int) -> list[Scope]:
        """Return the groups and workspaces of an account that have passages, the newest first, at most so many."""
        of_account = or_(
            ScopeRow.name.startswith(f"group:{channel}/{account}/", autoescape=True),
            ScopeRow.name == f"workspace:{channel}/{account}",
        )
        newest = (
            select(PassageRow.id)
            .where(PassageRow.scope_id == ScopeRow.id)
            .order_by(PassageRow.id.desc())
            .limit(1)
            .scalar_subquery()
        )
        query = select(ScopeRow.name).where(of_account, newest.is_not(None)).order_by(newest.desc()).limit(most)
        async with self._database.read() as connection:
            return [Scope.parse(name) for name in (await connection.execute(query)).scalars()]
