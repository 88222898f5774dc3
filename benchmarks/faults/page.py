"""The matrix as a page: a table a section, and who measured it where."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.faults import SECTIONS, Fault, Row

PAGE = Path("docs/faults.md")
BEGIN, END = "<!-- the matrix begins -->", "<!-- the matrix ends -->"
LATER = ". Of a later run, by themselves: "
COLUMNS = "| what is done | tried | lost | doubled | leaked | failed | worst wait | |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |"


def table(rows: Mapping[str, Row], faults: Sequence[Fault]) -> str:
    """Return the tables of the faults that have a row, by section."""
    parts = []
    for section, title in SECTIONS.items():
        lines = [_line(fault, rows[fault.name]) for fault in faults if fault.section == section and fault.name in rows]
        if lines:
            parts.append("\n".join([f"### {title}", "", COLUMNS, *lines]))
    return "\n\n".join(parts)


def written(page: str, tables: str, *, seed: int, scale: float, minutes: float) -> str:
    """Return `page` with the matrix between its marks. Raises ValueError where it has none."""
    head, _begin, rest = page.partition(BEGIN)
    _old, _end, tail = rest.partition(END)
    if not _begin or not _end:
        msg = f"{PAGE} has no place for the matrix: expected {BEGIN} and {END}"
        raise ValueError(msg)
    how = (
        f"Seed {seed}, scale {scale:g}, {minutes:.0f} minutes, on {os.cpu_count()} cores, {platform.machine()}, "
        f"Python {platform.python_version()}."
    )
    return f"{head}{BEGIN}\n\n{how}\n\n{tables}\n\n{END}{tail}"


def replaced(page: str, rows: Mapping[str, Row], faults: Sequence[Fault]) -> str:
    """Return `page` with the rows of `faults` alone written anew, and a word on it that they are of a later run.

    Raises ValueError where it has no such row.
    """
    for fault in faults:
        begin = f"| {fault.done} | "
        old = next((line for line in page.splitlines() if line.startswith(begin)), "")
        if not old:
            msg = f"{PAGE} has no row “{fault.name}”: run the whole matrix"
            raise ValueError(msg)
        page = page.replace(old, _line(fault, rows[fault.name]))
    how = next(line for line in page.splitlines() if line.startswith("Seed "))
    before, _later, named = how.partition(LATER)
    names = sorted({*filter(None, named.rstrip(".").split(", ")), *(f"`{fault.name}`" for fault in faults)})
    return page.replace(how, f"{before.rstrip('.')}.{LATER.removeprefix('.')}{', '.join(names)}.")


def _line(fault: Fault, row: Row) -> str:
    wait = "" if row.worst_wait_s is None else f"{row.worst_wait_s:.2f} s"
    note = "; ".join(part for part in (row.note, fault.known) if part)
    counts = " | ".join(str(count) for count in (row.lost, row.doubled, row.leaked, row.failed))
    return f"| {fault.done} | {row.tried:,} {row.what} | {counts} | {wait} | {note} |"
