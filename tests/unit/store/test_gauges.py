from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text, update

from bot.errors import StoreError
from bot.message import Reply
from bot.store.database import Database
from bot.store.gauges import Gauges
from bot.store.inbox import Inbox
from bot.store.tables import InboxRow
from bot.testing import make_message


async def test_what_waits_is_counted_and_the_oldest_of_it_told(database: Database) -> None:
    inbox, gauges = Inbox(database), Gauges(database)
    for number in range(3):
        await inbox.accept(make_message("hi", id=str(number)))
    early = datetime.now(UTC) - timedelta(hours=2)
    await database.write(
        lambda connection: connection.execute(update(InboxRow).where(InboxRow.id == 1).values(received_at=early))
    )
    await inbox.start(1)
    await inbox.finish(2, make_message("hi", id="1"), [Reply("hello", "en")])
    queues, swaps = await gauges.stored()
    assert (queues["inbox"].waiting, queues["inbox"].dead) == (2, 0)
    assert 7200 <= queues["inbox"].oldest_s < 7800
    assert queues["outbox"].waiting == 1
    assert swaps == {}


async def test_the_counts_read_an_index_alone(database: Database) -> None:
    async with database.read() as connection:
        plan = await connection.execute(text("EXPLAIN QUERY PLAN SELECT count(*) FROM inbox WHERE state = 'received'"))
        assert "COVERING INDEX" in str(plan.all())


async def test_touching_changes_nothing_and_fails_where_nothing_can_be_written(database: Database, tmp_path: Path) -> None:
    gauges = Gauges(database)
    await gauges.touch()
    await gauges.touch()
    await database.write(lambda connection: connection.execute(text("PRAGMA query_only=ON")), durable=False)
    with pytest.raises(StoreError):
        await gauges.touch()
    assert tmp_path.exists()
