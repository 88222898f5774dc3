r"""Plain text, Markdown, CSV, JSON and code into blocks. Runs in the sandbox's child.

read_csv("name,phone\nKim,123")   # Document("csv", "", (Block("table", "name: Kim | phone: 123"),))
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from bot.retrieval.document import Block, Document

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"

_HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*#*\s*$")
_UNDERLINE = re.compile(r"^(=+|-+)\s*$")
_FENCE = re.compile(r"^\s*(`{3,}|~{3,})")
_RULE = re.compile(r"^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$")
_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
_TITLE = re.compile(r"^title:\s*[\"']?(.+?)[\"']?\s*$", re.MULTILINE)
FEW_DIGITS = 0.5
"""Share of digits above which a cell is a number."""
LONGEST_NAME = 60
"""Characters of a column's name: what is longer is a sentence."""
MOST_CELLS = 200


def read_plain(text: str) -> Document:
    """Return plain text as one block: sentences, lists and paragraphs are told apart later."""
    return Document("text", "", (Block("text", text),))


def read_code(text: str) -> Document:
    """Return source code as one block."""
    return Document("code", "", (Block("code", text),))


def read_markdown(text: str) -> Document:
    """Return Markdown by its headings, code fences and tables; the first top heading is the title."""
    title = ""
    if front := _FRONT_MATTER.match(text):
        title = found.group(1) if (found := _TITLE.search(front.group(1))) else ""
        text = text[front.end() :]
    blocks = tuple(_markdown_blocks(text.split("\n")))
    first = next((block for block in blocks if block.kind == "heading"), None)
    return Document("markdown", title or (first.text if first and first.level == 1 else ""), blocks)


def read_csv(text: str) -> Document:
    """Return each row with the header's names: `name: Kim | phone: 123`."""
    try:
        dialect: type[csv.Dialect] | csv.Dialect = csv.Sniffer().sniff(text[:8192], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel_tab if "\t" in text.partition("\n")[0] else csv.excel
    csv.field_size_limit(1 << 24)
    rows = csv.reader(io.StringIO(text), dialect)
    return Document("csv", "", tuple(rows_to_blocks([[cell.strip() for cell in row] for row in rows])))


def read_json(text: str) -> Document:
    """Return an object a line, nested names joined by dots; what is no JSON is read as code."""
    try:
        value: Value = json.loads(text)
    except (ValueError, RecursionError):
        try:
            value = [json.loads(line) for line in text.split("\n") if line.strip()]
        except (ValueError, RecursionError):
            return Document("json", "", (Block("code", text),))
    records = value if isinstance(value, list) else [value]
    lines = [" | ".join(_leaves(record)) for record in records]
    return Document("json", "", (Block("table", "\n".join(line for line in lines if line)),))


def rows_to_blocks(rows: Iterable[Sequence[str]], *, page: int | None = None) -> Iterator[Block]:
    """Yield a table block of `rows`: with a header's names where the first row looks like one, else cells side by side."""
    filled = [row for row in rows if any(cell for cell in row)]
    if not filled:
        return
    header = filled[0] if len(filled) > 1 and _is_header(filled[0]) else None
    lines = []
    for row in filled[1:] if header else filled:
        cells = [
            f"{header[index]}: {cell}" if header and index < len(header) and header[index] else cell
            for index, cell in enumerate(row[:MOST_CELLS]) if cell
        ]  # fmt: skip
        lines.append(" | ".join(" ".join(cell.split()) for cell in cells))
    yield Block("table", "\n".join(lines), page=page)


def _is_header(row: Sequence[str]) -> bool:
    """Say whether a row names columns: all cells filled, none twice, few of them numbers, none long."""
    numbers = sum(1 for cell in row if cell and sum(letter.isdigit() for letter in cell) > FEW_DIGITS * len(cell))
    named = [cell for cell in row if cell]
    whole = len(named) >= max(1, len(row) - 1) and len(set(named)) == len(named)
    return whole and not numbers and all(len(cell) < LONGEST_NAME for cell in named)


def _leaves(value: Value, name: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        if any(isinstance(inner, (dict, list)) for inner in value):
            for inner in value:
                yield from _leaves(inner, name)
        elif value:
            yield f"{name}: {', '.join(str(inner) for inner in value)}" if name else ", ".join(str(inner) for inner in value)
    elif value is not None and value != "":
        said = " ".join(str(value).split())
        yield f"{name}: {said}" if name else said


def _markdown_blocks(lines: Sequence[str]) -> Iterator[Block]:
    text: list[str] = []
    index = 0
    while index < len(lines):
        line = lines[index]
        if fence := _FENCE.match(line):
            yield from _said(text)
            end = _end_of_fence(lines, index + 1, fence.group(1))
            yield Block("code", "\n".join(lines[index + 1 : end]))
            index = end + 1
        elif heading := _HEADING.match(line):
            yield from _said(text)
            yield Block("heading", heading.group(2), len(heading.group(1)))
            index += 1
        elif line.strip() and index + 1 < len(lines) and _UNDERLINE.match(lines[index + 1]) and not text and "|" not in line:
            yield Block("heading", line.strip(), 1 if lines[index + 1].startswith("=") else 2)
            index += 2
        elif "|" in line and index + 1 < len(lines) and "-" in lines[index + 1] and _RULE.match(lines[index + 1]):
            yield from _said(text)
            end = next((at for at in range(index + 2, len(lines)) if "|" not in lines[at]), len(lines))
            yield from rows_to_blocks([_cells(row) for at, row in enumerate(lines[index:end]) if at != 1])
            index = end
        else:
            text.append(line)
            if not line.strip():
                yield from _said(text)
            index += 1
    yield from _said(text)


def _said(text: list[str]) -> Iterator[Block]:
    said = "\n".join(text).strip("\n")
    text.clear()
    if said.strip():
        yield Block("text", said)


def _end_of_fence(lines: Sequence[str], start: int, fence: str) -> int:
    return next((at for at in range(start, len(lines)) if lines[at].strip().startswith(fence)), len(lines))


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().strip("|").split("|")]
