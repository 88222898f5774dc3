"""MiniLM and the static embedder that is made of it, side by side: quality, speed, memory. Each in a process of its own.

    python -m benchmarks.embedders --data DIR [--queries 600] [--out docs/img/embedders.png] [--json] [--speed] [--quality FILE]

DIR holds retrieval/ (collections in BEIR layout) and similarity/ (JSON lines with a, b and score). nDCG@10 is of the vectors alone and of
both legs fused, over the English collections; "told" and "answered" are of squad-open-en: of questions whose passage was taken away, told
"nothing found", and of the others, answered, by the first look alone. Speed is of one process of the bot's pool,
passages are docstrings of installed packages.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from benchmarks.corpus import corpus, questions
from bot.config import ModelSettings, Settings
from bot.evaluate.search import Collection, filled_library, ndcg
from bot.models.catalogue import Catalogue
from bot.models.memory import resident_mb
from bot.models.pool import Pool
from bot.models.tasks import EMBED
from bot.passage import PUBLIC, Scopes
from bot.retrieval.library import Shelves

EMBEDDERS = ("embed.minilm.v1", "embed.static.v1")
COLLECTIONS = ("cranfield-en", "cisi-en", "squad-open-en")
JUDGED = "squad-open-en"
PASSAGES, QUESTIONS, WARM_UP = 2000, 200, 20
DEPTH = 60

Figures = Mapping[str, float | str]


def main() -> None:
    """Measure each embedder, print the table, draw the plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--queries", type=int, default=600, help="of each collection, at most")
    parser.add_argument("--out", type=Path, help="where the plot goes")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--speed", action="store_true", help="measure speed and memory alone (under a minute)")
    parser.add_argument(
        "--quality", type=Path, metavar="FILE", help="what --json printed before; its quality is shown with this speed"
    )
    parser.add_argument("--child", choices=EMBEDDERS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(asyncio.run(measured(options.child, options.data, options.queries, quality=not options.speed))))
        return
    before = json.loads(options.quality.read_text(encoding="utf-8")) if options.quality else [{} for _name in EMBEDDERS]
    results = [{**known, **_in_child(name, options)} for name, known in zip(EMBEDDERS, before, strict=True)]
    print(json.dumps(results, indent=1) if options.json else table(results))
    if options.out:
        draw(results, options.out)


def table(results: Sequence[Figures]) -> str:
    """Return the figures as a Markdown table, an embedder a column."""
    rows = [["", *(str(result["embedder"]) for result in results)], ["---"] * (1 + len(results))]
    rows += [[key, *(f"{float(result[key]):.4g}" for result in results)] for key in results[0] if key != "embedder"]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def draw(results: Sequence[Figures], file: Path) -> None:
    """Draw quality over speed: the mean nDCG@10 of the vectors alone and fused, over passages a second."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(6.4, 4))
    for leg, colour in (("fused", "#2f6f4f"), ("vectors", "#b9bdb7")):
        speed = [float(result["passages a second"]) for result in results]
        quality = [statistics.fmean(float(result[f"{name} {leg}"]) for name in COLLECTIONS) for result in results]
        axes.plot(speed, quality, marker="o", color=colour, label="with words, fused" if leg == "fused" else "vectors alone")
        for x, y, result in zip(speed, quality, results, strict=True):
            axes.annotate(str(result["embedder"]), (x, y), textcoords="offset points", xytext=(0, 8), ha="center", fontsize=8)
    axes.set_xscale("log")
    axes.margins(0.2)
    axes.set_xlabel("passages embedded a second")
    axes.set_ylabel("nDCG@10, mean of three collections")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=150)


async def measured(name: str, data: Path, most: int, *, quality: bool) -> dict[str, float | str]:
    """Measure one embedder in this process, with its `quality` or its speed alone."""
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home), models=ModelSettings(choose={"embed": name}))
        pool = Pool(Catalogue(settings), settings)
        figures: dict[str, float | str] = {"embedder": name, **await _speed(pool)}
        if quality:
            figures["STS-B dev, Spearman"] = await _similarity(pool, data / "similarity" / "stsb-en-dev.jsonl")
        for collection in COLLECTIONS if quality else ():
            figures |= await _retrieval(data / "retrieval" / collection, pool, settings, most)
        await pool.close()
    return figures


async def _speed(pool: Pool) -> dict[str, float]:
    before = resident_mb()
    await pool.run(EMBED, ["warm"])
    passages = corpus(PASSAGES)
    spent = []
    for question in questions(passages, QUESTIONS + WARM_UP):
        begun = time.perf_counter()
        await pool.run(EMBED, [question])
        spent.append((time.perf_counter() - begun) * 1000)
    await pool.run(EMBED, passages[:64], bulk=True)
    begun = time.perf_counter()
    await pool.run(EMBED, passages, bulk=True)
    rate = PASSAGES / (time.perf_counter() - begun)
    return {
        "question p50 ms": round(statistics.median(spent[WARM_UP:]), 3), "passages a second": round(rate, 1),
        "RAM MB": float(resident_mb() - before),
    }  # fmt: skip


async def _similarity(pool: Pool, file: Path) -> float:
    rows = [json.loads(line) for line in (await asyncio.to_thread(file.read_text, encoding="utf-8")).splitlines()]
    one, other = [np.stack(await pool.run(EMBED, [row[side] for row in rows], bulk=True)) for side in ("a", "b")]
    return round(float(spearmanr((one * other).sum(axis=1), [row["score"] for row in rows])[0]), 4)


async def _retrieval(folder: Path, pool: Pool, settings: Settings, most: int) -> dict[str, float]:
    collection = Collection.load(folder)
    asked = collection.queries[:most]
    figures = {}
    scopes = Scopes([PUBLIC])
    async with filled_library(collection, models=pool, settings=settings, report=_silent) as (library, names):
        for leg in ("vectors", "fused"):
            gained = []
            for number, text in asked:
                found = await library.rank(text, scopes, count=DEPTH, leg=leg)
                ranking = list(dict.fromkeys(names[document] for document in found.documents))
                gained.append(ndcg(ranking, collection.gains[number]))
            figures[f"{folder.name} {leg}"] = round(statistics.fmean(gained), 4)
        if folder.name == JUDGED:
            figures |= await _judged(library, collection, names, asked)
    return figures


async def _judged(
    library: Shelves, collection: Collection, names: Mapping[int, str], asked: Sequence[tuple[str, str]]
) -> dict[str, float]:
    numbers = {name: number for number, name in names.items()}
    scopes = Scopes([PUBLIC])
    answered, told = [], []
    for number, text in asked:
        gone = [numbers[document] for document in collection.gains[number]]
        answered.append(bool(await library.search(text, scopes, 1)))
        told.append(not await library.search(text, scopes, 1, without=gone))
    return {"told nothing": round(statistics.fmean(told), 4), "answered": round(statistics.fmean(answered), 4)}


def _in_child(name: str, options: argparse.Namespace) -> Figures:
    command = [sys.executable, "-m", "benchmarks.embedders", "--child", name, "--data", str(options.data)]
    command += ["--queries", str(options.queries), *(["--speed"] if options.speed else [])]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def _silent(_now: object, _done: int, _total: int) -> None:
    """Tell nobody."""


if __name__ == "__main__":
    main()
