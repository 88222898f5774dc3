"""Tables for people: what `paring models` and `paring eval` print."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from bot.cli_help import columns
from bot.locale import Language, Text, phrases
from bot.models.health import HEALTH, health_of
from bot.sandbox import Json

if TYPE_CHECKING:
    from bot.models.places import SlotStatus

_ = phrases(__file__)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return `rows` (the first one the heading) in columns; a column of numbers to the right."""
    widths = [max(columns(row[place]) for row in rows) for place in range(len(rows[0]))]
    right = [_are_numbers([row[place] for row in rows[1:]]) for place in range(len(rows[0]))]
    return "\n".join("  ".join(map(_padded, row, widths, right)).rstrip() for row in rows)


def model_rows(found: Iterable[SlotStatus]) -> list[Mapping[str, Json]]:
    """Return one mapping a slot: slot, model, health, size_mb, ram_mb, licence, p50_ms."""
    return [
        {
            "slot": status.slot, "model": status.model, "health": status.health,
            "size_mb": round(status.size_bytes / 1e6, 1), "ram_mb": status.ram_mb, "licence": status.licence, "p50_ms": status.p50_ms,
        }
        for status in found
    ]  # fmt: skip


def model_table(found: Sequence[SlotStatus], known: Mapping[str, Sequence[str]], language: Language) -> str:
    """Return the same as a table for people; below it what failed and why, and the names of other models `known` for each slot."""
    heading = (_("slot"), _("model"), _("health"), _("size MB"), _("RAM MB"), _("licence"), _("p50 ms"))
    rows = [
        [status.slot, status.model, (_("failed") if status.failure else HEALTH[status.health]).to(language),
         round(status.size_bytes / 1e6, 1), status.ram_mb, status.licence, status.p50_ms]
        for status in found
    ]  # fmt: skip
    shown = table([[title.to(language) for title in heading], *([_cell(value) for value in row] for row in rows)])
    notes = [f"{status.slot}: {health_of(status).to(language)}" for status in found if status.failure]
    notes += [
        _("Others known for {slot}: {names}", slot=slot, names=", ".join(names)).to(language)
        for slot, names in known.items()
        if names
    ]
    return "\n\n".join([shown, "\n".join(notes)] if notes else [shown])


def plain_table(result: Mapping[str, object], language: Language) -> str:
    """Return a result's figures, one a line, measures under the field's own names; figures of figures are indented."""
    lines = []
    for key, value in result.items():
        name = (_FIGURES[key] if key in _FIGURES else Text(key)).to(language)
        if isinstance(value, Mapping):
            lines += [f"{name}:", *(f"  {line}" for line in plain_table(value, language).splitlines())]
        else:
            lines.append(f"{_padded(name, 14, right=False)} {_cell(value)}")
    return "\n".join(lines)


_FIGURES = {
    "accuracy": _("accuracy"), "macro_f1": _("macro F1"), "n": _("lines"), "asked": _("asked"), "by_label": _("by label"),
    "by_language": _("by language"), "precision": _("precision"), "recall": _("recall"), "f1": Text("F1"), "ko": _("Korean"), "en": _("English"),
    "p50_ms": _("p50 ms"), "p95_ms": _("p95 ms"), "queries": _("queries"), "documents": _("documents"), "passages": _("passages"),
    "leg": _("leg"), "model": _("model"), "length": _("length"), "lead": _("lead"), "lexrank": Text("LexRank"),
}  # fmt: skip
"""What the figures are called for people, by their names for machines; the field's own names of measures stay."""


def _padded(cell: str, width: int, right: bool) -> str:  # noqa: FBT001 - mapped over a row
    room = " " * (width - columns(cell))
    return room + cell if right else cell + room


def _cell(value: object) -> str:
    return "-" if value is None or value == "" else f"{value:.4g}" if isinstance(value, float) else str(value)


def _are_numbers(cells: Sequence[str]) -> bool:
    return all(cell == "-" or cell.replace(".", "", 1).isdigit() for cell in cells) and any(cell != "-" for cell in cells)
