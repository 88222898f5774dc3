"""How far each account was read, for platforms that are asked "what came since?" (a Matrix sync token).

Owns the one row an account. It is moved in the transaction that stores what came up to there: a bot that is killed loses
nothing of it, and takes nothing twice.

    move_to(connection, Position("matrix", "@paring:example.org", "s72594_4483_1934"))
    position_of(connection, "matrix", "@paring:example.org")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from sqlalchemy import Table, select
from sqlalchemy.dialects.sqlite import insert

from bot.store.tables import PositionRow

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bot.message import Position


_TABLE = cast("Table", PositionRow.__table__)


def move_to(connection: Connection, position: Position) -> None:
    """Know, within the caller's transaction, that the account was read up to there."""
    row = {"channel": position.channel, "account": position.account, "at": position.at}
    connection.execute(insert(_TABLE).values(row).on_conflict_do_update(index_elements=["channel", "account"], set_=row))


def position_of(connection: Connection, channel: str, account: str) -> str:
    """Return how far the account was read, "" where that was never kept."""
    here = select(_TABLE.c.at).where(_TABLE.c.channel == channel, _TABLE.c.account == account)
    return str(connection.execute(here).scalar_one_or_none() or "")
