"""Paring over the same passages and questions as the peers, each in a process of its own.

    python -m benchmarks.own PASSAGES.json QUESTIONS.json HOME index|search|idle

`index` keeps every passage through the library; `search` sends questions through the running bot, from the inbox to the outbox,
and gives the stages beside, and what routing a text takes; `idle` serves the web page and Telegram (against a fake server on
loopback), loads search, router and summaries, and reads its memory. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import psutil

from bot.app import App, opened
from bot.config import Settings
from bot.message import Address, Command, Message
from bot.models.tasks import EMBED
from bot.passage import PUBLIC, Scope, Scopes

AT_ONCE = 512
WARM_UP = 10
READER = Scopes([PUBLIC, Scope("dm", "console/local/bench")])


async def index(app: App, passages: Sequence[str]) -> dict[str, float]:
    """Keep every passage; return passages a second."""
    await app.pool.run(EMBED, ["warm"])
    places = asyncio.Semaphore(AT_ONCE)

    async def add(number: int, text: str) -> None:
        async with places:
            await app.library.add_text(text, PUBLIC, title="", link="", key=f"bench:{number}")

    begun = time.perf_counter()
    await asyncio.gather(*(add(number, text) for number, text in enumerate(passages)))
    return {"passages_a_second": len(passages) / (time.perf_counter() - begun)}


async def search(app: App, questions: Sequence[str]) -> dict[str, float]:
    """Ask every question through inbox, dispatch, skill and outbox, one after the other; return medians in milliseconds."""
    whole, stages = [], []
    for question in questions:
        address = Address("console", "local", "bench")
        text = f"/search {question}"
        message = Message(address, "me", uuid.uuid4().hex, text, "en", datetime.now(UTC), command=Command("search", question))
        begun = time.perf_counter()
        (reply,) = await app.say(message)
        whole.append((time.perf_counter() - begun) * 1000)
        assert reply.receipt is not None
        stages.append(dict(reply.receipt.stages_ms))
    embed_and_index = [sum(spent for stage, spent in one.items() if stage in ("embed", "index", "search")) for one in stages]
    nearest = [await _nearest(app, question) for question in questions]
    decisions = [await decision(app, f"please tell me {question}") for question in questions]
    return {
        "p50_ms": statistics.median(whole[WARM_UP:]),
        "nearest_p50_ms": statistics.median(nearest[WARM_UP:]),
        "decision_p50_ms": statistics.median(decisions[WARM_UP:]),
        "p95_ms": sorted(whole[WARM_UP:])[int(0.95 * len(whole[WARM_UP:]))],
        "embed_and_index_p50_ms": statistics.median(embed_and_index[WARM_UP:]),
        "rss_mb": psutil.Process().memory_info().rss / 1e6,
    }


async def _nearest(app: App, question: str) -> float:
    """Return the milliseconds that a peer's call is compared with: the question's vector and the ten passages nearest to it, nothing else."""
    begun = time.perf_counter()
    await app.library.rank(question, READER, count=10, leg="vectors")
    return (time.perf_counter() - begun) * 1000


async def decision(app: App, text: str) -> float:
    """Return the milliseconds in which `text`, not asked before, is embedded and routed."""
    begun = time.perf_counter()
    await app.decide(text, "en")
    return (time.perf_counter() - begun) * 1000


async def idle(home: Path) -> dict[str, float | bool]:
    """Serve web and Telegram, use search, router and summaries once; return resident memory and whether torch is there."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from fakes.program import bot, telegram_settings
    from fakes.telegram_bot_api.client import ANN, running

    async with running() as telegram, bot(home, channels=2, **telegram_settings(telegram)) as program:
        for number, text in enumerate(("where is the plan?", "/sum " + "The plan is blue. We move in March. Ann pays. " * 9), 1):
            await telegram.say(text)
            await telegram.shown(ANN, by_bot=number)
        process = psutil.Process(program.process.pid)
        return {
            "rss_mb": process.memory_info().rss / 1e6,
            "children_mb": sum(child.memory_info().rss for child in process.children(recursive=True)) / 1e6,
            "torch": "libtorch" in program.libraries(),
        }


async def _run(options: argparse.Namespace) -> dict[str, float] | dict[str, float | bool]:
    if options.what == "idle":
        return await idle(options.home)
    async with opened(Settings(home=options.home)) as app:
        if options.what == "index":
            return await index(app, json.loads(options.passages.read_text(encoding="utf-8")))
        return await search(app, json.loads(options.questions.read_text(encoding="utf-8")))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("passages", type=Path)
    parser.add_argument("questions", type=Path)
    parser.add_argument("home", type=Path)
    parser.add_argument("what", choices=["index", "search", "idle"])
    print(json.dumps(asyncio.run(_run(parser.parse_args()))))
