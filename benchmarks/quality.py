"""Quality on data sets: routing and summaries. Ranking is measured by `benchmarks.ranking`.

    python -m benchmarks.quality --data DIR

DIR holds `routing/clinc150/` and `summarise/NAME.jsonl`. What is not there is left out. The
router's held-back utterances come with the repository (tests/data/route_heldout.jsonl). Every figure is what the `paring eval` of
its line prints.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
HELDOUT = ROOT / "tests" / "data" / "route_heldout.jsonl"
LONGEST_S = 1800


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    data: Path = parser.parse_args().data
    print("\n".join([*routing(data / "routing" / "clinc150"), *summaries(sorted((data / "summarise").glob("*.jsonl")))]))


def routing(clinc: Path) -> list[str]:
    """Return the figures of the router on utterances that it never saw, and of the same head on CLINC150."""
    seen = evaluated("route", HELDOUT)
    languages = ", ".join(f"{language} {one['accuracy']:.3f} (n {one['n']})" for language, one in seen["by_language"].items())
    rows = [
        "## Routing: `paring eval route tests/data/route_heldout.jsonl`",
        "",
        (
            f"Accuracy {seen['accuracy']:.3f}, macro F1 {seen['macro_f1']:.3f}; by language {languages}; "
            f"told as none of what no skill serves: {seen['by_label']['none']['recall']:.3f}. These utterances were written for the "
            "measuring and are never trained on."
        ),
        "",
    ]
    if (clinc / "train.jsonl").is_file():
        other = evaluated("route", "--train", clinc / "train.jsonl", "--test", clinc / "val.jsonl")
        rows += [
            f"The same head on CLINC150 (`--train train.jsonl --test val.jsonl`, 150 intents): accuracy {other['accuracy']:.3f}.",
            "",
        ]
    return rows


def summaries(sets: list[Path]) -> list[str]:
    """Return the table of `paring eval summarise FILE`, with lead and LexRank of the same run beside."""
    rows = ["## Summaries: `paring eval summarise FILE`", "", "ROUGE F1 in percent, the best of several references.", ""]
    rows += ["| set | Paring R1 / R2 / RL | LexRank | lead |", "| --- | --- | --- | --- |"]
    for file in sets:
        scores = evaluated("summarise", file)
        cells = [
            " / ".join(f"{one[key]:.1f}" for key in ("rouge1", "rouge2", "rougeL"))
            for one in (scores, scores["lexrank"], scores["lead"])
        ]
        rows.append(f"| {file.stem} | {' | '.join(cells)} |")
    return rows


def evaluated(*words: object) -> dict[str, Any]:
    """Run `paring eval WORDS --json` and return what it printed."""
    command = [sys.executable, "-m", "bot", "eval", *map(str, words), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_S, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    print(" ".join(map(str, words)), file=sys.stderr)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


if __name__ == "__main__":
    main()
