"""A swap under load: 50 chats ask for summaries one after another while the model behind them is tried, promoted and taken back.

Each request goes the whole way, inbox to channel. Told are its times before, while the new model is probed (in a child process), around
the promotion, in the shadow and after the way back; and how many requests failed or were answered twice.

python -m benchmarks.swap --seconds 8
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.throughput import Meter
from bot.app import App, opened
from bot.channels.channel import Limits
from bot.config import ModelSettings, Settings
from bot.message import Address, Command, Message, Reply
from bot.passage import Scope

if TYPE_CHECKING:
    from bot.locale import Text

SLOT = "summarise"
TEXT = (
    "The lease of the office in the old town ends on 30 April. Notice has to be given three months before, in writing. The new office "
    "is by the river and has room for sixty. Moving boxes are ordered by Dana; each desk gets four of them. The canteen serves lunch "
    "from half past eleven. The servers are moved on the last weekend, by two people. Parking is in the yard, for bicycles as well."
)
AROUND_S = 2.0
"""How long after a promotion requests are counted to it."""


@dataclass
class Clients(Meter):
    """The channel: it wakes whoever waits for the reply, and counts replies by message."""

    name, groups = "meter", False
    limits = Limits(4096, 0, 0, edits=False, repeatable_sends=False)
    """Without edits there is no status message, which would be taken for the answer."""
    replies: Counter[tuple[str, str]] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    waiting: dict[tuple[str, str], asyncio.Event] = field(default_factory=dict)
    times: list[tuple[float, float]] = field(default_factory=list)
    """(when it was asked, milliseconds until it was answered)"""

    async def send(self, reply: Reply, to: Address, *, key: str) -> str:
        """Note a reply."""
        asked = (to.chat, reply.reply_to)
        self.replies[asked] += 1
        self.models[reply.receipt.model if reply.receipt else "failed"] += 1
        if asked in self.waiting:
            self.waiting[asked].set()
        return key

    async def member(self, person: str, scope: Scope) -> bool | None:
        """Know nobody."""
        return None

    async def workspace(self, chat: str) -> Scope | None:
        """Know none."""
        return None


async def measure(seconds: float, chats: int, model: str, shadowed: int) -> dict[str, object]:
    """Return p50 and p99 in milliseconds by phase, and what failed or was doubled."""
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home), models=ModelSettings(shadow="everybody"))
        async with opened(settings) as app:
            clients, enough, stop = Clients(), asyncio.Event(), asyncio.Event()
            serving = asyncio.create_task(app.serve([clients], stop=stop, hopeless=lambda *_why: None))
            await app.prepare(lambda *_what, **_more: None)
            phases = [asyncio.create_task(_client(app, clients, str(chat), enough)) for chat in range(chats)]
            marks = await _swapped(app, seconds, model, shadowed)
            enough.set()
            await asyncio.gather(*phases)
            stop.set()
            await serving
    answered = sum(clients.replies.values())
    found: dict[str, object] = {name: _times(clients, begin, end) for name, begin, end in marks}
    return found | {
        "requests": answered, "failed": clients.models["failed"], "doubled": sum(count > 1 for count in clients.replies.values()),
        "by_model": dict(clients.models),
    }  # fmt: skip


async def _swapped(app: App, seconds: float, model: str, shadowed: int) -> list[tuple[str, float, float]]:
    """Go through the phases; return (name, begin, end) of each."""
    marks, swapper = [], app.swapper
    await asyncio.sleep(seconds)
    begin = time.perf_counter()
    await asyncio.sleep(seconds)
    marks.append(("before", begin, begin := time.perf_counter()))
    swap = await swapper.propose(SLOT, model, by="bench", tell=untold)
    marks.append(("probed", begin, begin := time.perf_counter()))
    await asyncio.sleep(seconds / 4)
    begin = time.perf_counter()
    await swapper.promote(swap.id, by="bench", tell=untold, reason="a benchmark")
    switched_s = time.perf_counter() - begin
    await asyncio.sleep(AROUND_S)
    marks.append((f"promoted (switched after {1000 * switched_s:.0f} ms)", begin, begin := time.perf_counter()))
    await asyncio.sleep(seconds)
    marks.append(("after", begin, begin := time.perf_counter()))
    await swapper.roll_back(SLOT, by="bench", tell=untold)
    await asyncio.sleep(AROUND_S)
    marks.append(("rolled back", begin, begin := time.perf_counter()))
    swap = await swapper.propose(SLOT, model, by="bench", tell=untold)
    swap = await swapper.shadow(swap.id, shadowed, by="bench")
    begin = time.perf_counter()
    while swap.state == "shadowing":
        await asyncio.sleep(0.5)
        swap = await swapper.one(swap.id)
    marks.append((f"in the shadow of {shadowed}", begin, time.perf_counter()))
    return marks


async def _client(app: App, clients: Clients, chat: str, enough: asyncio.Event) -> None:
    number = 0
    while not enough.is_set():
        number += 1
        await one_request(app, clients, chat, number)


async def one_request(app: App, clients: Clients, chat: str, number: int) -> None:
    """Ask for a summary and wait for it; note how long that took."""
    asked = (chat, str(number))
    answered = clients.waiting[asked] = asyncio.Event()
    begun = time.perf_counter()
    command = Command("sum", f"{TEXT} This is request {number} of chat {chat}.")
    address = Address("meter", "bench", chat)
    message = Message(address, "ann", str(number), f"/sum {command.args}", "en", datetime.now(UTC), command=command)
    await app.intake.accept(message)
    await answered.wait()
    del clients.waiting[asked]
    clients.times.append((begun, (time.perf_counter() - begun) * 1000))


def _times(clients: Clients, begin: float, end: float) -> dict[str, float]:
    """Return p50 and p99 of the requests that were being answered at some moment of the phase."""
    spent = sorted(ms for begun, ms in clients.times if begun < end and begun + ms / 1000 > begin)
    if not spent:
        return {"requests": 0}
    return {
        "requests": len(spent),
        "p50_ms": round(at_share(spent, 0.5), 1),
        "p99_ms": round(at_share(spent, 0.99), 1),
        "seconds": round(end - begin, 1),
    }


def at_share(ordered: list[float], share: float) -> float:
    """Return what `share` of the numbers do not exceed."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def rows(found: dict[str, object]) -> Iterator[str]:
    """Yield the table of the documentation."""
    yield "| | requests | p50 | p99 |"
    yield "| --- | --- | --- | --- |"
    for name, times in found.items():
        if isinstance(times, dict) and "p99_ms" in times:
            yield f"| {name} | {times['requests']} | {times['p50_ms']:.0f} ms | {times['p99_ms']:.0f} ms |"


async def untold(_text: Text) -> None:
    """Tell nobody."""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--chats", type=int, default=50)
    parser.add_argument("--model", default="lexrank")
    parser.add_argument("--shadowed", type=int, default=20)
    options = parser.parse_args()
    measured = asyncio.run(measure(options.seconds, options.chats, options.model, options.shadowed))
    print(json.dumps(measured, indent=1))
    print("\n".join(rows(measured)))
