"""The meter of trivial commands is a channel that the house serves: each message is answered once, in its chat's order."""

import asyncio

from benchmarks.throughput import measure


async def test_a_few_messages_are_answered_and_measured_where_they_do_not_divide_by_the_chats() -> None:
    async with asyncio.timeout(60):
        figures = await measure(messages=7, chats=3)
    assert figures["messages"] == 6
    assert figures["in_order"] is True
    assert figures["messages_a_second"] > 0
