"""The benchmark's figures as rows, as a page and as bars.

Owns: which figures make which row, and what "reached" means. Leaves the measuring to `benchmarks.__main__`. A figure that is
missing (not measured yet, or its program failed) is a dash, never a guess, and what needs it is not reached.

    figures = Figures(index={"paring": {"passages_a_second": 180.0}}, cold={}, warm=[], idle={}, throughput={})
    print(table(rows(figures)))
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

NAMES = ("paring", "txtai", "st")

Measured = Mapping[str, float]
"""What one program printed."""


@dataclass
class Figures:
    """What has been measured so far, by the name of the program; {} where one failed."""

    index: dict[str, Measured] = field(default_factory=dict)
    cold: dict[str, list[float]] = field(default_factory=dict)
    """Seconds of each cold start."""
    warm: list[dict[str, Measured]] = field(default_factory=list)
    idle: Measured = field(default_factory=dict)
    throughput: Measured = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """One figure with its peers' (None where there is none) and what was to be reached."""

    what: str
    unit: str
    paring: float | None
    txtai: float | None
    st: float | None
    goal: str
    reached: bool
    less_is_better: bool = True


def rows(figures: Figures) -> list[Row]:
    """Return the rows of the page."""
    first = {name: median(figures.cold.get(name, ())) for name in NAMES}
    search = {name: _warm(figures, name, "p50_ms") for name in NAMES}
    memory = {name: _warm(figures, name, "rss_mb") for name in NAMES}
    stages = _warm(figures, "paring", "embed_and_index_p50_ms")
    hybrid = _warm(figures, "txtai-hybrid", "p50_ms")
    nearest = _warm(figures, "paring", "nearest_p50_ms")
    decision = _warm(figures, "paring", "decision_p50_ms")
    added = {name: figures.index.get(name, {}).get("passages_a_second") for name in NAMES}
    resident, messages = figures.idle.get("rss_mb"), figures.throughput.get("messages_a_second")
    slower = min((value for value in (first["txtai"], first["st"]) if value is not None), default=None)
    return [
        Row("first answer of a cold process", "s", first["paring"], first["txtai"], first["st"], "under 2.5 s and 4x sooner",
            holds(lambda own, peer: own < 2.5 and peer >= 4 * own, first["paring"], slower)),
        Row("a search, inbox to outbox, p50; the peers' bare calls", "ms", search["paring"], search["txtai"], search["st"],
            "under 25 ms and 3x faster than txtai", holds(lambda own, peer: own < 25 and peer >= 3 * own, search["paring"], search["txtai"])),
        Row("of which embedding and index, p50; txtai's hybrid call", "ms", stages, hybrid, None,
            "under 6 ms and 3x faster than txtai, hybrid", holds(lambda own, peer: own < 6 and peer >= 3 * own, stages, hybrid)),
        Row("a question's vector and its nearest passages alone, p50", "ms", nearest, search["txtai"], search["st"], "3x faster than txtai",
            holds(lambda own, peer: peer >= 3 * own, nearest, search["txtai"])),
        Row("a routing decision, p50", "ms", decision, None, None, "under 5 ms", holds(lambda own: own < 5, decision)),
        Row("passages indexed a second", "1/s", added["paring"], added["txtai"], added["st"], "3x txtai",
            holds(lambda own, peer: own >= 3 * peer, added["paring"], added["txtai"]), less_is_better=False),
        Row("resident memory, web and Telegram served, all loaded", "MB", resident, memory["txtai"], memory["st"],
            "under 400 MB, no torch", holds(lambda own: own < 400 and not figures.idle["torch"], resident)),
        Row("trivial commands through the whole way", "1/s", messages, None, None, "200 a second, in order",
            holds(lambda own: own >= 200 and bool(figures.throughput["in_order"]), messages), less_is_better=False),
    ]  # fmt: skip


def holds(reached: Callable[..., bool], *values: float | None) -> bool:
    """Say whether `reached` is true of `values`, all of which were measured."""
    return None not in values and reached(*values)


def median(values: Sequence[float]) -> float | None:
    """Return the median, None of nothing."""
    return statistics.median(values) if values else None


def _warm(figures: Figures, name: str, key: str) -> float | None:
    return median([one[name][key] for one in figures.warm if key in one.get(name, {})])


def table(shown: Iterable[Row]) -> str:
    """Return the rows as a table in Markdown."""
    lines = [
        "| | Paring | txtai | sentence-transformers + FAISS | to reach | reached |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in shown:
        cells = [f"{value:.3g} {row.unit}" if value is not None else "–" for value in (row.paring, row.txtai, row.st)]
        lines.append(f"| {row.what} | {' | '.join(cells)} | {row.goal} | {'yes' if row.reached else '**no**'} |")
    return "\n".join(lines)


def draw(shown: Iterable[Row], picture: Path) -> None:
    """Draw the rows that have all three figures as bars."""
    whole = [(row, values) for row in shown if None not in (values := (row.paring, row.txtai, row.st))]
    if not whole:
        return
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, len(whole), figsize=(3.4 * len(whole), 3.2), squeeze=False)
    for axis, (row, values) in zip(axes[0], whole, strict=True):
        bars = axis.bar(["Paring", "txtai", "s-t + FAISS"], values, color=["#2f6f4f", "#b9bdb7", "#d5d8d3"])
        axis.bar_label(bars, fmt="%.3g", padding=2)
        axis.set_title(f"{row.what}\n({row.unit}, {'less' if row.less_is_better else 'more'} is better)", fontsize=8)
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=8)
    figure.tight_layout()
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, dpi=150)
