"""What a model in the shadow costs those who ask: five people who pause between questions, by turns with and without a shadow.

python -m benchmarks.swap_shadow --rounds 3
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from pathlib import Path

from benchmarks.swap import SLOT, Clients, at_share, one_request, untold
from bot.app import App, opened
from bot.config import ModelSettings, Settings
from bot.models.trial import Swap

PEOPLE, PAUSE_S, PHASE_S = 5, 0.25, 6.0


async def measure(rounds: int, model: str) -> dict[str, object]:
    """Return p50 and p99 in milliseconds without and with a shadow, of as many phases each, and how many requests it computed."""
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home), models=ModelSettings(shadow="everybody"))
        async with opened(settings) as app:
            clients, enough, stop = Clients(), asyncio.Event(), asyncio.Event()
            serving = asyncio.create_task(app.serve([clients], stop=stop, hopeless=lambda *_why: None))
            await app.prepare(lambda *_what, **_more: None)
            cards = [await app.swapper.propose(SLOT, model, by="bench", tell=untold) for _round in range(rounds)]
            people = [asyncio.create_task(_person(app, clients, str(chat), enough)) for chat in range(PEOPLE)]
            marks: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
            computed = 0
            for card in cards:
                marks[False].append(await _phase())
                run, mark = await _shadowed(app, card)
                marks[True].append(mark)
                computed += run
            enough.set()
            await asyncio.gather(*people)
            stop.set()
            await serving
    return {"without": _times(clients, marks[False]), "with a shadow": _times(clients, marks[True]), "computed": computed}


async def _shadowed(app: App, card: Swap) -> tuple[int, tuple[float, float]]:
    """Go through a phase with a shadow; return how many requests it computed, and begin and end."""
    await app.swapper.shadow(card.id, 1000, by="bench")
    await app.watching.look()
    (run,) = app.watching._shadows.runs()  # noqa: SLF001 - what it computed so far is shown nowhere before its end
    mark = await _phase()
    await app.swapper.discard(card.id, by="bench")
    await app.watching.look()
    return len(run.agreed), mark


async def _phase() -> tuple[float, float]:
    begin = time.perf_counter()
    await asyncio.sleep(PHASE_S)
    return begin, time.perf_counter()


async def _person(app: App, clients: Clients, chat: str, enough: asyncio.Event) -> None:
    number = 0
    while not enough.is_set():
        number += 1
        await one_request(app, clients, chat, number)
        await asyncio.sleep(PAUSE_S)


def _times(clients: Clients, phases: list[tuple[float, float]]) -> dict[str, float]:
    spent = sorted(ms for begun, ms in clients.times if any(begin <= begun < end for begin, end in phases))
    return {"requests": len(spent), "p50_ms": round(at_share(spent, 0.5), 1), "p99_ms": round(at_share(spent, 0.99), 1)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", default="lexrank")
    options = parser.parse_args()
    print(json.dumps(asyncio.run(measure(options.rounds, options.model)), indent=1))
