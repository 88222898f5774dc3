"""Trivial commands through the whole way: inbox, dispatch, skill, outbox, channel.

Messages a second in a flood with the processor's time for each, order within each chat, and how long one that comes alone takes.

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
from bot.passage import Scope
from bot.skill import CommandSpec

ALONE = 100


class Meter:
    """A channel that notes when each reply comes. It is not repeatable, so that every send is marked before it leaves."""

    name, account = "meter", "bench"
    limits = Limits(4096, 0, 0, edits=True, repeatable_sends=False)
    groups = False

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

    async def member(self, person: str, scope: Scope) -> bool | None:
        return None

    async def workspace(self, chat: str) -> Scope | None:
        return None

    async def fetch(self, attachment: Attachment, into: Path) -> None:
        return

    async def publish_commands(self, commands: Sequence[CommandSpec], admin_commands: Sequence[CommandSpec]) -> None:
        return


async def measure(messages: int, chats: int) -> dict[str, float | int | bool]:
    """Return messages_a_second, cpu_ms a message, p50_ms and p95_ms from its arrival to the send, in_order, and alone_p50_ms.

    Each of the chats has as many `messages` as the others: what is left over is not sent.
    """
    messages -= messages % chats
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home))
        async with opened(settings) as app:
            meter, stop = Meter(messages), asyncio.Event()
            serving = asyncio.create_task(app.serve([meter], stop=stop, hopeless=lambda *_why: None))
            begun: dict[str, float] = {}
            start, processor = time.perf_counter(), time.process_time()
            await asyncio.gather(*(_chat(app.intake, chat, messages // chats, begun) for chat in range(chats)))
            await meter.done.wait()
            spent, processor = time.perf_counter() - start, time.process_time() - processor
            alone = await _alone(app.intake, meter)
            stop.set()
            await serving
    flood = meter.arrived[:messages]
    waits = sorted((at - begun[f"{chat}/{number}"]) * 1000 for chat, number, at in flood)
    by_chat: dict[str, list[int]] = {}
    for chat, number, _at in flood:
        by_chat.setdefault(chat, []).append(int(number))
    return {
        "messages": messages,
        "messages_a_second": round(messages / spent, 1),
        "cpu_ms": round(1000 * processor / messages, 2),
        "p50_ms": round(statistics.median(waits), 1),
        "p95_ms": round(waits[int(0.95 * len(waits))], 1),
        "in_order": all(numbers == sorted(numbers) for numbers in by_chat.values()),
        "alone_p50_ms": round(1000 * statistics.median(alone), 1),
    }


async def _chat(intake: Intake, chat: int, count: int, begun: dict[str, float]) -> None:
    for number in range(count):
        begun[f"{chat}/{number}"] = time.perf_counter()
        await intake.accept(_command(str(chat), number))


async def _alone(intake: Intake, meter: Meter) -> list[float]:
    """Return the seconds that each of some commands takes which come one after the other's answer."""
    waits = []
    for number in range(ALONE):
        meter.done.clear()
        start = time.perf_counter()
        await intake.accept(_command("alone", number))
        await meter.done.wait()
        waits.append(time.perf_counter() - start)
    return waits


def _command(chat: str, number: int) -> Message:
    """Return a command that changes the chat's setting each time."""
    language = "en" if number % 2 else "ko"
    command = Command("lang", language)
    address = Address("meter", "bench", chat)
    return Message(address, "ann", str(number), f"/lang {language}", "en", datetime.now(UTC), command=command)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=4000)
    parser.add_argument("--chats", type=int, default=50)
    options = parser.parse_args()
    print(json.dumps(asyncio.run(measure(options.messages, options.chats))))
