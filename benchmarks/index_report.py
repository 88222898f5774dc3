"""The figures of `benchmarks.index_scale` as a table and as a plot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

NAMES = {
    "flat": "flat, half precision", "coded": "one-bit codes, best compared from the database", "rabitq": "RaBitQ fast-scan, best 200 compared",
    "hnsw": "HNSW32, ef 128", "ivf": "IVF, a twentieth of the lists",
}  # fmt: skip
COLUMNS = {
    "build s": "build_s", "MB": "mb", "p50 ms": "100 %, 10 p50", "p99 ms": "100 %, 10 p99", "recall@10": "100 %, 10 recall",
    "p50 of 40": "100 %, 40 p50", "recall@40": "100 %, 40 recall", "1 %: p50": "1 %, 10 p50", "recall": "1 %, 10 recall",
    "0.01 %: p50": "0.01 %, 10 p50", "recall ": "0.01 %, 10 recall", "add ms": "add", "remove ms": "remove",
}  # fmt: skip
STARTS = {"from the database, s": "from_database_s", "from the file, s": "start_s", "file MB": "file_mb"}


BEGIN, END = "<!-- figures -->", "<!-- end of the figures -->"
"""Between them the table stands in the page."""


def with_table(page: str, folder: Path) -> str:
    """Return the page with the newest table."""
    before, _begin, rest = page.partition(BEGIN)
    _old, _end, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table(folder)}\n{END}{after}"


def figures(folder: Path) -> list[tuple[int, str, dict[str, Any]]]:
    """Return (size, method, figures) of all that was measured, by size."""
    found = [
        (int(place.name.partition("-")[2]), method, json.loads((place / f"{method}.json").read_text(encoding="utf-8")))
        for place in folder.glob("scale-*") for method in NAMES if (place / f"{method}.json").exists()
    ]  # fmt: skip
    return sorted(
        ((size, method, own) for size, method, own in found if own), key=lambda row: (row[0], list(NAMES).index(row[1]))
    )


def table(folder: Path) -> str:
    """Return two tables in Markdown: the searches, and the starts of Paring's own."""
    rows = figures(folder)
    lines = [f"| passages | index | {' | '.join(COLUMNS)} |", f"| --- | --- |{' --- |' * len(COLUMNS)}"]
    for size, method, own in rows:
        lines.append(f"| {_size(size, own)} | {NAMES[method]} | {' | '.join(_cell(own.get(key)) for key in COLUMNS.values())} |")
    lines += ["", f"| passages | {' | '.join(STARTS)} |", f"| --- |{' --- |' * len(STARTS)}"]
    for size, method, own in rows:
        if method == "coded" and "start_s" in own:
            lines.append(f"| {size:,} | {' | '.join(_cell(own.get(key)) for key in STARTS.values())} |")
    return "\n".join([*lines, ""])


def draw(folder: Path, picture: Path) -> None:
    """Draw p50 over size, and memory over size, a line a method."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    board, axes = plt.subplots(1, 2, figsize=(10, 4))
    for method, name in NAMES.items():
        own = [(size, one) for size, kind, one in figures(folder) if kind == method]
        for axis, key in zip(axes, ("100 %, 10 p50", "mb"), strict=True):
            axis.plot([size for size, _one in own], [one[key] for _size, one in own], marker="o", label=name)
    for axis, what, goal in zip(axes, ("p50 of a search, ms", "memory, MB"), (8, 250), strict=True):
        axis.set(xscale="log", yscale="log", xlabel="passages", title=what)
        axis.axhline(goal, color="grey", linestyle=":")
    axes[0].legend(fontsize=7)
    board.tight_layout()
    picture.parent.mkdir(parents=True, exist_ok=True)
    board.savefig(picture, dpi=110, metadata={"Software": None})
    plt.close(board)


def _size(size: int, own: dict[str, Any]) -> str:
    return f"{size:,}" if own["real"] >= size else f"{size:,} ({own['real']:,} of texts)"


def _cell(value: float | None) -> str:
    if value is None:
        return "–"
    return "cannot" if value < 0 else f"{value:.3g}"
