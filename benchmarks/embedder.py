"""MiniLM by engine: how soon, how fast, how near to sentence-transformers, in how much memory. Each in a process of its own.

    python -m benchmarks.embedder [--passages 1000] [--json]

Engines on one thread: onnxruntime, openvino, sentence-transformers; then the bot's pool with all cores, and a question's time
while the pool embeds in bulk. `cold_s` is from the start of the process to the first vector; `rested`: after 20 ms in which
nothing was asked.
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
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.corpus import corpus, questions

ENGINES = ("sentence-transformers", "onnxruntime", "openvino", "pool")
COLUMNS = (
    "engine", "cold_s", "query_p50_ms", "query_p95_ms", "query_rested_p50_ms", "passages_a_second", "cosine_least", "cosine_mean",
    "rss_mb",
)  # fmt: skip
QUERIES = 200
WARM_UP = 20
REST_S = 0.02
"""How long the processor rests before a question that comes alone, as people ask; one after the other, its caches are warm."""

Rows = NDArray[np.float32]
Embed = Callable[[Sequence[str]], Rows]


def main() -> None:
    """Run every engine and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--child", choices=ENGINES)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(child(options.child, options.folder)))
        return
    results = measured(options.passages)
    print(json.dumps(results, indent=1) if options.json else table(results))


def measured(count: int) -> list[dict[str, float | str]]:
    """Return one mapping of figures an engine, over `count` passages."""
    passages = corpus(count)
    with tempfile.TemporaryDirectory() as folder:
        texts = Path(folder) / "texts.json"
        texts.write_text(
            json.dumps({"passages": passages, "questions": questions(passages, QUERIES + WARM_UP)}), encoding="utf-8"
        )
        results = []
        for engine in ENGINES:
            begun = time.time()
            command = [sys.executable, "-m", "benchmarks.embedder", "--child", engine, "--folder", folder]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            figures: dict[str, float | str] = json.loads(done.stdout.splitlines()[-1])
            figures["cold_s"] = round(float(figures["cold_s"]) - begun, 2)
            results.append({"engine": engine, **figures, **_cosines(Path(folder), engine)})
    return results


def child(engine: str, folder: Path) -> dict[str, float]:
    """Measure one engine in this process; `cold_s` is the clock's time of the first vector."""
    return asyncio.run(_pool(folder)) if engine == "pool" else _alone(engine, folder)


def table(results: Sequence[dict[str, float | str]]) -> str:
    """Return the figures as a Markdown table."""
    extra = [key for key in results[-1] if key not in COLUMNS]
    columns = [*COLUMNS, *extra]
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(str(figures.get(column, "")) for column in columns) + " |" for figures in results]
    return "\n".join(lines)


def _alone(engine: str, folder: Path) -> dict[str, float]:
    embed = _sentence_transformers() if engine == "sentence-transformers" else _ours(engine)
    embed(["Where is the wiki?"])
    cold = time.time()
    texts = json.loads((folder / "texts.json").read_text(encoding="utf-8"))
    spent = [_timed(lambda question=question: embed([question])) for question in texts["questions"]][WARM_UP:]  # type: ignore[misc]
    rested = []
    for question in texts["questions"]:
        time.sleep(REST_S)
        rested.append(_timed(lambda question=question: embed([question])))  # type: ignore[misc]
    begun = time.perf_counter()
    rows = embed(texts["passages"])
    rate = len(rows) / (time.perf_counter() - begun)
    np.save(folder / f"{engine}.npy", rows)
    return _figures(cold, spent, rested, rate)


async def _pool(folder: Path) -> dict[str, float]:
    from bot.config import Settings
    from bot.models.catalogue import Catalogue
    from bot.models.pool import Pool
    from bot.models.tasks import EMBED

    settings = Settings(home=folder / "home")
    pool = Pool(Catalogue(settings), settings)
    await pool.run(EMBED, ["Where is the wiki?"])
    cold = time.time()
    texts = json.loads((folder / "texts.json").read_text(encoding="utf-8"))

    async def ask(question: str) -> float:
        begun = time.perf_counter()
        await pool.run(EMBED, [question])
        return (time.perf_counter() - begun) * 1000

    spent = [await ask(question) for question in texts["questions"]][WARM_UP:]
    rested = []
    for question in texts["questions"]:
        await asyncio.sleep(REST_S)
        rested.append(await ask(question))
    begun = time.perf_counter()
    rows = np.stack(await pool.run(EMBED, texts["passages"], bulk=True))
    rate = len(rows) / (time.perf_counter() - begun)
    np.save(folder / "pool.npy", rows)
    bulk = asyncio.create_task(pool.run(EMBED, texts["passages"], bulk=True))
    meanwhile = []
    for question in texts["questions"]:
        if bulk.done():
            break
        meanwhile.append(await ask(question))
    await bulk
    await pool.close()
    return {**_figures(cold, spent, rested, rate), "query_p50_ms_in_bulk": round(statistics.median(meanwhile), 1)}


def _figures(cold: float, spent: Sequence[float], rested: Sequence[float], rate: float) -> dict[str, float]:
    from bot.models.memory import resident_mb

    return {
        "cold_s": cold,
        "query_p50_ms": round(statistics.median(spent), 2),
        "query_p95_ms": round(statistics.quantiles(spent, n=20)[-1], 2),
        "query_rested_p50_ms": round(statistics.median(rested), 2),
        "passages_a_second": round(rate, 1),
        "rss_mb": resident_mb(),
    }


def _ours(engine: str) -> Embed:
    from bot.models.prepare import prepared_minilm
    from bot.models.runtimes.minilm import load
    from bot.models.spec import LoadOptions, ModelSpec

    options = LoadOptions(threads=1, embed_engine="onnxruntime" if engine == "onnxruntime" else "openvino")
    model = load(
        ModelSpec("embed.minilm.v1", "embed", "minilm", "package"), prepared_minilm(Path(tempfile.gettempdir())), options
    )
    return lambda texts: np.stack(model.predict(texts))


def _sentence_transformers() -> Embed:
    import torch
    from sentence_transformers import SentenceTransformer

    from benchmarks.peers import minilm

    torch.set_num_threads(1)
    model = SentenceTransformer(minilm(), device="cpu", local_files_only=True)
    return lambda texts: np.asarray(model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False), np.float32)


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000


def _cosines(folder: Path, engine: str) -> dict[str, float]:
    truth, rows = np.load(folder / "sentence-transformers.npy"), np.load(folder / f"{engine}.npy")
    cosines = (truth * rows).sum(axis=1)
    return {"cosine_least": round(float(cosines.min()), 5), "cosine_mean": round(float(cosines.mean()), 5)}


if __name__ == "__main__":
    main()
