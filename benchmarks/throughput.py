"""Trivial commands through the whole way: inbox, dispatch, skill, outbox, channel. Messages a second, and order within each chat.

python -m benchmarks.throughput --messages 4000 --chats 50
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bot.app import opened
from bot.channels.channel import Intake, Limits
from bot.config import Settings
from bot.message import Address, Attachment, Command, Message, Reply
from bot.skill import CommandSpec


class Meter:
    """A channel that notes when each reply comes. It is not repeatable, so that every send is marked before it leaves."""

    name, account = "meter", "bench"
    limits = Limits(4096, 0, 0, edits=True, repeatable_sends=False)

    def __init__(self, expected: int) -> None:
        self.arrived: list[tuple[str, str, float]] = []
        self.done = asyncio.Event()
        self._expected = expected

    async def run(self, intake: Intake) -> None:
        await asyncio.Event().wait()

    async def send(self, reply: Reply, to: Address, *, key: str) -> str:
        self.arrived.append((to.chat, reply.reply_to, time.perf_counter()))
        if len(self.arrived) >= self._expected:
            self.done.set()
        return key

    async def edit(self, sent: str, reply: Reply, to: Address) -> str:
        return sent

    async def typing(self, to: Address) -> None:
        return

    async def fetch(self, attachment: Attachment, into: Path) -> None:
        return

    async def publish_commands(self, commands: Sequence[CommandSpec], admin_commands: Sequence[CommandSpec]) -> None:
        return


async def measure(messages: int, chats: int) -> dict[str, float | int | bool]:
    """Return messages_a_second, p50_ms and p95_ms from the commit to the send, and in_order."""
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home))
        async with opened(settings) as app:
            meter, stop = Meter(messages), asyncio.Event()
            serving = asyncio.create_task(app.serve([meter], stop=stop, hopeless=lambda *_why: None))
            begun: dict[str, float] = {}
            start = time.perf_counter()
            await asyncio.gather(*(_chat(app.intake, chat, messages // chats, begun) for chat in range(chats)))
            await meter.done.wait()
            spent = time.perf_counter() - start
            stop.set()
            await serving
    waits = sorted((at - begun[f"{chat}/{number}"]) * 1000 for chat, number, at in meter.arrived)
    by_chat: dict[str, list[int]] = {}
    for chat, number, _at in meter.arrived:
        by_chat.setdefault(chat, []).append(int(number))
    return {
        "messages": messages,
        "messages_a_second": round(messages / spent, 1),
        "p50_ms": round(statistics.median(waits), 1),
        "p95_ms": round(waits[int(0.95 * len(waits))], 1),
        "in_order": all(numbers == sorted(numbers) for numbers in by_chat.values()),
    }


async def _chat(intake: Intake, chat: int, count: int, begun: dict[str, float]) -> None:
    for number in range(count):
        begun[f"{chat}/{number}"] = time.perf_counter()
        address = Address("meter", "bench", str(chat))
        command = Command("lang", "en")
        await intake.accept(Message(address, "ann", str(number), "/lang en", "en", datetime.now(UTC), command=command))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=4000)
    parser.add_argument("--chats", type=int, default=50)
    options = parser.parse_args()
    print(json.dumps(asyncio.run(measure(options.messages, options.chats))))
