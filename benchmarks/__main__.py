"""`make bench`: everything side by side, in one run; writes docs/benchmarks.md and docs/img/benchmarks.png.

python -m benchmarks [--passages 10000] [--rounds 5]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.corpus import corpus, questions

ROOT = Path(__file__).parents[1]
PAGE, PICTURE = ROOT / "docs" / "benchmarks.md", ROOT / "docs" / "img" / "benchmarks.png"
LONGEST_S = 3600


@dataclass(frozen=True)
class Row:
    """One figure with its peers' (None where a peer has none) and what was to be reached."""

    what: str
    unit: str
    paring: float
    txtai: float | None
    st: float | None
    goal: str
    reached: bool
    less_is_better: bool = True


def main() -> None:
    """Measure, write, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=10_000)
    parser.add_argument("--questions", type=int, default=210)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(Path(folder), options.passages, options.questions, options.rounds)
    page = written(rows, options)
    PAGE.write_text(page, encoding="utf-8")
    draw(rows)
    print(page)


def measure(folder: Path, count: int, asked: int, rounds: int) -> list[Row]:
    """Run Paring and the peers over the same passages; return the rows."""
    passages, ask = folder / "passages.json", folder / "questions.json"
    texts = corpus(count)
    passages.write_text(json.dumps(texts), encoding="utf-8")
    ask.write_text(json.dumps(questions(texts, asked)), encoding="utf-8")
    home, txtai, st = folder / "home", folder / "txtai", folder / "st"

    def own(what: str) -> dict[str, float]:
        return run("benchmarks.own", passages, ask, home, what)

    def peer(name: str, place: Path, what: str) -> dict[str, float]:
        return run("benchmarks.peers", name, passages, ask, place, what)

    index = {"paring": own("index"), "txtai": peer("txtai", txtai, "index"), "st": peer("st", st, "index")}
    cold: dict[str, list[float]] = {"paring": [], "txtai": [], "st": []}
    question = questions(texts, asked)[0]
    for _round in range(rounds):
        cold["paring"].append(timed(lambda: say(home, question)))
        cold["txtai"].append(timed(lambda: peer("txtai", txtai, "cold")))
        cold["st"].append(timed(lambda: peer("st", st, "cold")))
    warm = [
        {"paring": own("search"), "txtai": peer("txtai", txtai, "search"), "st": peer("st", st, "search")}
        for _round in range(min(3, rounds))
    ]
    idle = own("idle")
    throughput = run("benchmarks.throughput", "--messages", "4000")
    return _rows(index, cold, warm, idle, throughput)


def _rows(
    index: dict[str, dict[str, float]],
    cold: dict[str, list[float]],
    warm: list[dict[str, dict[str, float]]],
    idle: dict[str, float],
    throughput: dict[str, float],
) -> list[Row]:
    first = {name: statistics.median(spent) for name, spent in cold.items()}
    search = {name: statistics.median(one[name]["p50_ms"] for one in warm) for name in ("paring", "txtai", "st")}
    stages = statistics.median(one["paring"]["embed_and_index_p50_ms"] for one in warm)
    added = {name: one["passages_a_second"] for name, one in index.items()}
    slower = min(first["txtai"], first["st"])
    return [
        Row("first answer of a cold process", "s", first["paring"], first["txtai"], first["st"], "under 2.5 s and 4x sooner",
            first["paring"] < 2.5 and slower / first["paring"] >= 4),
        Row("a search, inbox to outbox, p50", "ms", search["paring"], search["txtai"], search["st"], "under 25 ms and 3x faster than txtai",
            search["paring"] < 25 and search["txtai"] / search["paring"] >= 3),
        Row("of which embedding and index, p50", "ms", stages, None, None, "under 6 ms", stages < 6),
        Row("passages indexed a second", "1/s", added["paring"], added["txtai"], added["st"], "3x txtai",
            added["paring"] / added["txtai"] >= 3, less_is_better=False),
        Row("resident memory, web and Telegram served, all loaded", "MB", idle["rss_mb"], warm[0]["txtai"]["rss_mb"], warm[0]["st"]["rss_mb"],
            "under 400 MB, no torch", idle["rss_mb"] < 400 and not idle["torch"]),
        Row("trivial commands through the whole way", "1/s", throughput["messages_a_second"], None, None, "200 a second, in order",
            throughput["messages_a_second"] >= 200 and bool(throughput["in_order"]), less_is_better=False),
    ]  # fmt: skip


def run(module: str, *words: object) -> dict[str, float]:
    """Run a module in a process of its own and return the JSON of its last line."""
    command = [sys.executable, "-W", "ignore", "-m", module, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=LONGEST_S, check=False)
    if done.returncode:
        sys.exit(f"{module} failed:\n{done.stderr[-3000:]}")
    print(f"{' '.join(map(str, words[-2:]))}: {done.stdout.splitlines()[-1]}", file=sys.stderr)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def say(home: Path, question: str) -> None:
    """Ask one question of a cold `paring say`."""
    environment = os.environ | {"PARING_HOME": str(home)}
    command = [sys.executable, "-m", "bot", "say", f"/search {question}"]
    subprocess.run(command, capture_output=True, env=environment, timeout=LONGEST_S, check=True)


def timed(work: object) -> float:
    """Return the seconds that `work()` took."""
    assert callable(work)
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def written(rows: list[Row], options: argparse.Namespace) -> str:
    """Return the page."""
    lines = [
        "# Benchmarks",
        "",
        _conditions(options),
        "",
        "| | Paring | txtai | sentence-transformers + FAISS | to reach | reached |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        cells = [f"{value:.3g} {row.unit}" if value is not None else "–" for value in (row.paring, row.txtai, row.st)]
        lines.append(f"| {row.what} | {' | '.join(cells)} | {row.goal} | {'yes' if row.reached else '**no**'} |")
    return "\n".join([*lines, "", "![The same figures as bars](img/benchmarks.png)", ""])


def _conditions(options: argparse.Namespace) -> str:
    return (
        f"`make bench` on {datetime.now(UTC):%Y-%m-%d}: {os.cpu_count()} cores ({processor()}), Python {platform.python_version()}; "
        f"{options.passages} passages (docstrings of installed packages), {options.questions} questions, medians of "
        f"{options.rounds} cold starts and {min(3, options.rounds)} warm runs. The peers (txtai with its defaults, "
        "sentence-transformers over a flat FAISS index) run the same MiniLM over the same passages, in the same run. A peer's search is its "
        "library call; Paring's goes from the inbox to the outbox, commits to disk included."
    )


def draw(rows: list[Row]) -> None:
    """Draw the rows that have peers as bars."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    shown = [row for row in rows if row.txtai is not None]
    figure, axes = plt.subplots(1, len(shown), figsize=(3.4 * len(shown), 3.2))
    for axis, row in zip(axes, shown, strict=True):
        bars = axis.bar(
            ["Paring", "txtai", "s-t + FAISS"], [row.paring, row.txtai, row.st], color=["#2f6f4f", "#b9bdb7", "#d5d8d3"]
        )
        axis.bar_label(bars, fmt="%.3g", padding=2)
        axis.set_title(f"{row.what}\n({row.unit}, {'less' if row.less_is_better else 'more'} is better)", fontsize=8)
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=8)
    figure.tight_layout()
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PICTURE, dpi=150)


def processor() -> str:
    """Return the processor's name, as far as the system tells."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main()
