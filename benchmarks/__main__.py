"""`make bench`: everything side by side, in one run; writes docs/benchmarks.md and docs/img/benchmarks.png.

    python -m benchmarks [--passages 10000] [--rounds 5] [--out docs]

The page is written anew after each part, so that what was measured is kept whatever comes after; a program that fails leaves a
dash, and its complaint on stderr.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.corpus import corpus, questions
from benchmarks.report import Figures, Measured, draw, rows, table

ROOT = Path(__file__).parents[1]
LONGEST_S = 1800
"""One program's; the whole of 10,000 passages takes some 15 minutes on two cores."""
MOST_WARM = 3


def main() -> None:
    """Measure, write, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, default=10_000)
    parser.add_argument("--questions", type=int, default=210, help="of which the first ten only warm up")
    parser.add_argument("--rounds", type=int, default=5, help="cold starts")
    parser.add_argument("--out", type=Path, default=ROOT / "docs", help="folder of benchmarks.md and img/benchmarks.png")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    page = ""
    with tempfile.TemporaryDirectory() as folder:
        for figures in measure(Path(folder), options.passages, options.questions, options.rounds):
            shown = rows(figures)
            page = written(table(shown), options)
            (options.out / "benchmarks.md").write_text(page, encoding="utf-8")
            draw(shown, options.out / "img" / "benchmarks.png")
    print(page)


def measure(folder: Path, count: int, asked: int, rounds: int) -> Iterator[Figures]:
    """Run Paring and the peers over the same passages; yield what is known after each part."""
    passages, ask = folder / "passages.json", folder / "questions.json"
    texts = corpus(count)
    passages.write_text(json.dumps(texts), encoding="utf-8")
    ask.write_text(json.dumps(questions(texts, asked)), encoding="utf-8")
    home = folder / "home"

    def own(what: str) -> Measured:
        return run("benchmarks.own", passages, ask, home, what)

    def peer(name: str, what: str) -> Measured:
        return run("benchmarks.peers", name, passages, ask, folder / name, what)

    def each(what: str) -> Iterator[tuple[str, Measured]]:
        yield "paring", own(what)
        yield from ((name, peer(name, what)) for name in ("txtai", "st", "txtai-hybrid"))

    figures = Figures(cold={"paring": [], "txtai": [], "st": []})
    for name, measured in each("index"):
        figures.index[name] = measured
        yield figures
    question = questions(texts, asked)[0]
    for _round in range(rounds):
        for name, first in (
            ("paring", lambda: say(home, question)),
            ("txtai", lambda: bool(peer("txtai", "cold"))),
            ("st", lambda: bool(peer("st", "cold"))),
        ):
            if (spent := timed(first)) is not None:
                figures.cold[name].append(spent)
        yield figures
    for _round in range(min(MOST_WARM, rounds)):
        figures.warm.append(dict(each("search")))
        yield figures
    figures.idle = own("idle")
    yield figures
    figures.throughput = run("benchmarks.throughput", "--messages", "4000")
    yield figures


def run(module: str, *words: object) -> Measured:
    """Run a module in a process of its own and return the JSON of its last line; {} where it failed."""
    command = [sys.executable, "-W", "ignore", "-m", module, *map(str, words)]
    name = " ".join([module, *map(str, words[-2:])])
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=LONGEST_S, check=True)
        figures: Measured = json.loads(done.stdout.splitlines()[-1])
    except subprocess.CalledProcessError as error:
        print(f"{name} failed:\n{error.stderr[-3000:]}", file=sys.stderr)
        return {}
    except (subprocess.TimeoutExpired, IndexError, ValueError) as error:
        print(f"{name} failed: {error}", file=sys.stderr)
        return {}
    print(f"{name}: {done.stdout.splitlines()[-1]}", file=sys.stderr)
    return figures


def say(home: Path, question: str) -> bool:
    """Ask one question of a cold `paring say`; return whether it was answered."""
    environment = os.environ | {"PARING_HOME": str(home)}
    command = [sys.executable, "-m", "bot", "say", f"/search {question}"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, timeout=LONGEST_S, check=False)
    if done.returncode:
        print(f"paring say failed:\n{done.stderr[-3000:]}", file=sys.stderr)
    return not done.returncode


def timed(work: Callable[[], bool]) -> float | None:
    """Return the seconds that `work()` took, None where it failed."""
    begun = time.perf_counter()
    return time.perf_counter() - begun if work() else None


def written(figures: str, options: argparse.Namespace) -> str:
    """Return the page."""
    lines = ["# Benchmarks", "", _conditions(options), "", figures, "", "![The same figures as bars](img/benchmarks.png)", ""]
    return "\n".join(lines)


def _conditions(options: argparse.Namespace) -> str:
    return (
        f"`make bench` on {datetime.now(UTC):%Y-%m-%d}: {os.cpu_count()} cores ({processor()}), Python {platform.python_version()}; "
        f"{options.passages} passages (docstrings of installed packages), {options.questions} questions, medians of "
        f"{options.rounds} cold starts and {min(MOST_WARM, options.rounds)} warm runs. The peers run the same MiniLM over the same "
        "passages, in the same run: txtai with its defaults, which finds by vectors alone; txtai with `hybrid=True`, which finds by vectors "
        "and words (BM25); sentence-transformers over a flat FAISS index. A peer's search is its bare library call; Paring's goes from the "
        "inbox to the outbox, commits to disk included. “Embedding and index” is what the search itself takes of that: vectors, words, "
        "ranking, reading, and of the embedding what was not done while the question was being written down. Beside it stands "
        "txtai's hybrid call, which embeds, looks for vectors and words, and reads the texts. “A question's vector and its nearest "
        "passages alone” is the work of the other two calls: the vector and ten passages, of which txtai reads the texts as well."
    )


def processor() -> str:
    """Return the processor's name, as far as the system tells."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main()
