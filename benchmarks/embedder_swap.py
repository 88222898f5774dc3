"""A swap of the embedder under questions: how long it takes, what people notice of it, and the way back.

    python -m benchmarks.embedder_swap [--passages 10000] [--from embed.static.v1] [--to embed.minilm.v1] [--askers 4] [--pause 0.5]

A temporary home holds the passages (docstrings, as in `python -m benchmarks`) with the one embedder; askers put questions to the library,
each the next a pause after its answer; the other embedder is compared, published and taken back, meanwhile. Times of answers are told
for before, during and after apart. Prints JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.corpus import corpus, questions
from benchmarks.own import index
from bot.app import App, opened
from bot.config import ModelSettings, Settings
from bot.locale import Text
from bot.message import Address, Message, Reply
from bot.passage import PUBLIC, Scopes
from bot.retrieval.swapping import EmbedderPublisher
from bot.route import Route

EVERYONE = Scopes([PUBLIC])
WARM_UP_S = 10.0
HUNDRED = 100
QUESTIONS = 400


@dataclass(slots=True)
class Asked:
    """What the askers went through, by phase: milliseconds of each answer, and how many failed or found nothing."""

    phase: str = "warming up"
    spent_ms: dict[str, list[float]] = field(default_factory=dict)
    empty: dict[str, int] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def figures(self) -> dict[str, dict[str, float]]:
        """Return what each phase was like."""
        return {
            phase: {
                "answers": len(spent), "found_nothing": self.empty.get(phase, 0), "p50_ms": round(statistics.median(spent), 1),
                "p99_ms": round(statistics.quantiles(spent, n=HUNDRED)[-1], 1), "most_ms": round(max(spent), 1),
            }
            for phase, spent in self.spent_ms.items()
            if len(spent) > 1
        }  # fmt: skip


def main() -> None:
    """Read what to measure, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, default=10_000)
    parser.add_argument("--from", dest="first", default="embed.static.v1")
    parser.add_argument("--to", dest="second", default="embed.minilm.v1")
    parser.add_argument("--askers", type=int, default=4)
    parser.add_argument("--pause", type=float, default=0.5, help="seconds from an answer to the same asker's next question")
    parser.add_argument("--threads", type=int, default=0, help="of arithmetic; 0: all cores")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="paring-swap-") as home:
        settings = Settings(home=Path(home), models=ModelSettings(threads=options.threads, choose={"embed": options.first}))
        sys.stdout.write(json.dumps(asyncio.run(_measured(settings, options)), indent=1) + "\n")


async def _measured(settings: Settings, options: argparse.Namespace) -> dict[str, object]:
    texts = corpus(options.passages)
    asked = questions(texts, min(len(texts), QUESTIONS))
    async with opened(settings) as app:
        rate = await index(app, texts)
        await app.decide("Where is the plan?", "en")  # as a bot that runs: the router has its head for this embedder
        await _said(app, asked[:50])
        meter = Asked()
        askers = [asyncio.create_task(_ask(app, asked[place:], options.pause, meter)) for place in range(options.askers)]
        spans = await _swapped(app, options, meter)
        for asker in askers:
            asker.cancel()
        sound = (await app.library.verify()).sound
    return {
        "passages": len(texts), "from": options.first, "to": options.second, "indexed_a_second": round(rate["passages_a_second"]),
        **spans, "answers": meter.figures(), "failed": meter.failed, "index_sound": sound,
    }  # fmt: skip


async def _swapped(app: App, options: argparse.Namespace, meter: Asked) -> dict[str, object]:
    publisher = EmbedderPublisher(app.library, app.database, app.pool)
    told: list[str] = []

    async def tell(text: Text) -> None:
        told.append(str(text))

    async def during(phase: str, name: str) -> float:
        meter.phase, begun = phase, time.perf_counter()
        await publisher.publish(app.catalogue.find(name), by="bench", tell=tell)
        return round(time.perf_counter() - begun, 1)

    await asyncio.sleep(WARM_UP_S)
    meter.phase = "before"
    await asyncio.sleep(2 * WARM_UP_S)
    meter.phase, begun = "comparing", time.perf_counter()
    notes = [str(note) for note in await publisher.notes(app.catalogue.find(options.second))]
    compared_s = round(time.perf_counter() - begun, 1)
    published_s = await during("while embedded anew", options.second)
    meter.phase = "after"
    await asyncio.sleep(2 * WARM_UP_S)
    back_s = await during("while taken back", options.first)
    meter.phase = "after the way back"
    await asyncio.sleep(WARM_UP_S)
    return {"notes": notes, "compared_s": compared_s, "published_s": published_s, "taken_back_s": back_s, "told": told}


async def _ask(app: App, asked: list[str], pause_s: float, meter: Asked) -> None:
    for question in itertools.cycle(asked):
        phase, begun = meter.phase, time.perf_counter()
        try:
            hits = await app.library.search(question, EVERYONE, 3)
        except Exception as error:  # noqa: BLE001 - what fails is what is counted
            meter.failed.append(f"{phase}: {error!r}"[:200])
            hits = []
        meter.spent_ms.setdefault(phase, []).append((time.perf_counter() - begun) * 1000)
        meter.empty[phase] = meter.empty.get(phase, 0) + (not hits)
        await asyncio.sleep(pause_s)


async def _said(app: App, asked: list[str]) -> None:
    """Put questions into the inbox as answered ones, so that there are some of last week."""
    for number, question in enumerate(asked):
        message = Message(Address("console", "local", "bench"), "me", str(number), question, "en", datetime.now(UTC))
        row = await app.inbox.accept(message)
        if row is not None:
            await app.inbox.finish(row, message, [Reply("-", "en")], route=Route("search", "router", 1.0))


if __name__ == "__main__":
    main()
