"""The table of the legs and their peers as Markdown and as bars; a part of docs/quality.md between two marks.

print(page(rows))
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bot.evaluate.search import SearchScores

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "quality.md"
PICTURE = ROOT / "docs" / "img" / "ranking.png"
BEGIN, END = "<!-- ranking: python -m benchmarks.ranking -->", "<!-- /ranking -->"
GOALS: Mapping[str, float] = {
    "cranfield-en": 0.44,
    "cisi-en": 0.46,
    "squad-open-en": 0.89,
    "korquad-open-ko": 0.96,
    "msmarco-open-ko": 0.87,
}
"""What was to be reached: shown, and never used."""
SHOWN = ("words", "vectors", "fused")


@dataclass(frozen=True)
class Row:
    """One set: the figures of Paring's legs, and nDCG@10 of the peers, 0..1."""

    name: str
    legs: Mapping[str, SearchScores]
    bm25: float
    rrf: float
    txtai: float

    @classmethod
    def from_json(cls, text: str) -> Row:
        """Return what `to_json` has written."""
        kept = json.loads(text)
        return cls(**{**kept, "legs": {leg: SearchScores(**scores) for leg, scores in kept["legs"].items()}})

    def to_json(self) -> str:
        """Return it as JSON."""
        return json.dumps(asdict(self))

    @property
    def peers(self) -> tuple[float, ...]:
        """Return nDCG@10 of BM25, vectors, RRF, txtai and Paring, in this order."""
        return (self.bm25, self.legs["vectors"].ndcg_at_10, self.rrf, self.txtai, self.legs["fused"].ndcg_at_10)


def page(rows: Sequence[Row], file: Path = PAGE) -> str:
    """Return both tables, and write them between the marks of `file`. Raises ValueError where it has none."""
    text = "\n".join([*peers(rows), "", *legs(rows)])
    before, begin, rest = file.read_text(encoding="utf-8").partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not begin or not end:
        msg = f"{file} has no marks {BEGIN} and {END} between which the tables would stand"
        raise ValueError(msg)
    file.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")
    return text


def peers(rows: Sequence[Row]) -> list[str]:
    """Return nDCG@10 beside the peers'."""
    lines = [
        "| set | questions | plain BM25 | vectors | RRF of both | txtai, hybrid | Paring | to reach | to the better of BM25 and vectors |",
        "|" + " --- |" * 9,
    ]
    for row in rows:
        cells = " | ".join(_short(value) for value in row.peers[:-1])
        own = row.peers[-1]
        goal = _short(GOALS[row.name]) if row.name in GOALS else "–"
        asked = row.legs["fused"].queries
        lines.append(f"| {row.name} | {asked} | {cells} | **{_short(own)}** | {goal} | {own - max(row.peers[:2]):+.3f} |")
    return lines


def legs(rows: Sequence[Row]) -> list[str]:
    """Return all figures of each leg."""
    lines = ["| set | leg | nDCG@10 | recall@10 | recall@100 | MRR@10 | p50 ms | p95 ms |", "|" + " --- |" * 8]
    for row in rows:
        for leg in SHOWN:
            one = row.legs[leg]
            cells = (one.ndcg_at_10, one.recall_at_10, one.recall_at_100, one.mrr_at_10)
            lines.append(f"| {row.name} | {leg} | {' | '.join(map(_short, cells))} | {one.p50_ms:.1f} | {one.p95_ms:.1f} |")
    return lines


def draw(rows: Sequence[Row], picture: Path = PICTURE) -> None:
    """Draw nDCG@10 of every set as bars, Paring's beside its peers'."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axis = plt.subplots(figsize=(1.9 * len(rows), 3.4))
    names = ("plain BM25", "vectors", "RRF", "txtai, hybrid", "Paring")
    colours = ("#d5d8d3", "#b9bdb7", "#9aa39b", "#7b8a80", "#2f6f4f")
    for place, (name, colour) in enumerate(zip(names, colours, strict=True)):
        at = [number + 0.16 * (place - 2) for number in range(len(rows))]
        axis.bar(at, [row.peers[place] for row in rows], width=0.15, color=colour, label=name)
    for number, row in enumerate(rows):
        if row.name in GOALS:
            axis.hlines(GOALS[row.name], number - 0.42, number + 0.42, colors="#b2452f", linewidth=1)
    axis.set_xticks(range(len(rows)), [row.name for row in rows], fontsize=8)
    axis.set_title("nDCG@10; the red line is what was to be reached", fontsize=9)
    axis.legend(fontsize=7, ncols=5, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.1))
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize=8)
    figure.tight_layout()
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, dpi=150)


def _short(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")
