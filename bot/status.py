"""Tables for people: what `paring models` and `paring eval` print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bot.sandbox import Json

if TYPE_CHECKING:
    from bot.models.pool import Pool


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return `rows` (the first one the heading) in columns; numbers to the right."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell.rjust(width) if _is_number(cell) else cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def model_rows(pool: Pool) -> list[Mapping[str, Json]]:
    """Return one mapping a slot: slot, model, health, size_mb, ram_mb, licence, p50_ms."""
    return [
        {
            "slot": status.slot, "model": status.model, "health": status.health,
            "size_mb": round(status.size_bytes / 1e6, 1), "ram_mb": status.ram_mb, "licence": status.licence, "p50_ms": status.p50_ms,
        }
        for status in pool.status()
    ]  # fmt: skip


def model_table(rows: Sequence[Mapping[str, Json]]) -> str:
    """Return the rows of `model_rows` as a table."""
    heading = ["slot", "model", "health", "size MB", "RAM MB", "licence", "p50 ms"]
    return table([heading, *([_cell(value) for value in row.values()] for row in rows)])


def plain_table(result: Mapping[str, object]) -> str:
    """Return a result's figures, one a line; figures of figures are indented."""
    lines = []
    for key, value in result.items():
        if isinstance(value, Mapping):
            lines += [f"{key}:", *(f"  {line}" for line in plain_table(value).splitlines())]
        else:
            lines.append(f"{key:<14} {_cell(value)}")
    return "\n".join(lines)


def _cell(value: object) -> str:
    return "-" if value is None or value == "" else f"{value:.4g}" if isinstance(value, float) else str(value)


def _is_number(cell: str) -> bool:
    return cell.replace(".", "", 1).isdigit() or cell == "-"
