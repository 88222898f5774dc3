"""Where the time of a search goes: its stages by wall clock and by processor time, in the bot's own library and pool.

    python -m benchmarks.search_stages [--passages 10000] [--questions 210] [--home FOLDER] [--json]

`embed` is the pool by itself; `words` is the leg that runs beside it; `vectors`, `weigh` (candidates, features, order) and `judge`
(the best read again, their sentences marked, the judgement) come after both; `total` is `Shelves.search`, all of it with its
threads. Medians over the questions; each was asked once before, uncounted: ask more than the 32 whose vectors the pool
remembers. A FOLDER that holds a database is asked as it is.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TypeVar

from benchmarks.corpus import corpus, questions
from benchmarks.own import index
from bot.app import App, opened
from bot.config import Settings
from bot.models.tasks import EMBED
from bot.passage import PUBLIC, Scope, Scopes
from bot.retrieval.found import DEPTH, Question
from bot.retrieval.search import Finder

T = TypeVar("T")
Spent = dict[str, tuple[float, float]]
"""Milliseconds by stage: (wall clock, processor of the whole process)."""
SHOWN = 6
"""Passages that the search skill asks for: five, and one to know whether there are more."""
SCOPES = Scopes([PUBLIC, Scope("dm", "console/local/bench")])


def main() -> None:
    """Fill a library, ask it, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=10_000)
    parser.add_argument("--questions", type=int, default=210)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(measured(options.home or Path(folder), options.passages, options.questions))
    print(json.dumps(figures) if options.json else table(figures))


async def measured(home: Path, count: int, asked: int) -> Spent:
    """Return the medians by stage, over `asked` questions of `count` passages."""
    passages = corpus(count)
    async with opened(Settings(home=home)) as app:
        if not (await app.library.status()).passages:
            await index(app, passages)
        finder = Finder(home / "paring.db")
        for text in questions(passages, asked):
            await one(app, finder, text)
        rounds = [await one(app, finder, text) for text in questions(passages, asked)]
        finder.close()
    return {stage: (median(of[stage][0] for of in rounds), median(of[stage][1] for of in rounds)) for stage in rounds[0]}


async def one(app: App, finder: Finder, text: str) -> Spent:
    """Return what the stages of one question took."""
    clock = (time.perf_counter(), time.process_time())
    await app.library.search(text, SCOPES, SHOWN)
    total = _since(clock)
    (vector,) = await app.pool.run(EMBED, [text])
    question = Question(text, vector, app.pool.live(EMBED))
    backwards = " ".join(reversed(text.split()))  # as long, and not among the pool's last answers
    clock = (time.perf_counter(), time.process_time())
    await app.pool.run(EMBED, [backwards])
    embed = _since(clock)
    heard, words = timed(lambda: finder.hear(text, SCOPES))
    _near, vectors = timed(lambda: finder.index.search(vector, count=DEPTH, scopes=heard.scopes))
    _ranked, ranking = timed(lambda: finder.rank(question, SCOPES, count=SHOWN, heard=heard))
    _hits, finding = timed(lambda: finder.find(question, SCOPES, count=SHOWN, heard=heard))
    weigh, judge = _less(ranking, vectors), _less(finding, ranking)
    return {"embed": embed, "words": words, "vectors": vectors, "weigh": weigh, "judge": judge, "total": total}


def timed(work: Callable[[], T]) -> tuple[T, tuple[float, float]]:
    """Return what `work` returns, and the milliseconds that it took: (wall clock, processor)."""
    clock = (time.perf_counter(), time.process_time())
    result = work()
    return result, _since(clock)


def table(figures: Spent) -> str:
    """Return the figures as a table in Markdown."""
    rows = [f"| {stage} | {wall:.2f} | {processor:.2f} |" for stage, (wall, processor) in figures.items()]
    return "\n".join(["| stage, p50 | wall ms | processor ms |", "| --- | --- | --- |", *rows])


def _since(clock: tuple[float, float]) -> tuple[float, float]:
    return (time.perf_counter() - clock[0]) * 1000, (time.process_time() - clock[1]) * 1000


def _less(whole: tuple[float, float], part: tuple[float, float]) -> tuple[float, float]:
    return whole[0] - part[0], whole[1] - part[1]


if __name__ == "__main__":
    main()
