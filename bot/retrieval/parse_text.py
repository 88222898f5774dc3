r"""Plain text, Markdown, CSV and JSON into blocks. Runs in the sandbox's child.

read_csv("name,phone\nKim,123")   # Document("csv", "", (Block("table", "name: Kim | phone: 123"),))
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from bot import lazy
from bot.retrieval.document import Block, Document

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"

_HEADING = lazy.compile(r"^(#{1,6})\s+(.+?)\s*#*\s*$")
_UNDERLINE = lazy.compile(r"^(=+|-+)\s*$")
_FENCE = lazy.compile(r"^\s*(`{3,}|~{3,})")
_RULE = lazy.compile(r"^\s*+(?:\|\s*+)?:?-++:?\s*+(?:\|\s*+:?-++:?\s*+)*+\|?\s*+$")
_ESCAPED = lazy.compile(r"\\([!-/:-@\[\]-`{-~])")
_BAR = lazy.compile(r"(?<!\\)\|")
_FRONT_MATTER = lazy.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
_DIGIT = lazy.compile(r"\d")
_YEAR = lazy.compile(r"(?:19|20)\d\d\s?년?|[QH][1-4]|[1-4]\s?분기|\d{1,2}월")
_KEYED = lazy.compile(r"\s*$|\s*#|\s+\S|\s*- |[\w .-]{1,60}:(?:\s|$)|[\]})]")
_TITLE = lazy.compile(r"^title:\s*[\"']?(.+?)[\"']?\s*$", re.MULTILINE)
_DIVIDERS = ",\t;|"
"""What may divide the cells of a row; the first of those that divide as well."""
_IN_APOSTROPHES = lazy.compile(r"(?:^|[,\t;|]) ?'[^'\n]*'(?=[,\t;|]|$)", re.MULTILINE)
SAMPLE = 8192
"""Characters of a table by which it is told what divides it."""
FEW_DIGITS = 0.5
"""Share of digits above which a cell is a number."""
LONGEST_NAME = 60
"""Characters of a column's name: what is longer is a sentence."""
MIXED = 0.25
"""Share of a column's cells with a number, and of those without, from which they are of no one kind."""
MOST_CELLS = 200


def read_plain(text: str) -> Document:
    """Return plain text as one block: sentences, lists and paragraphs are told apart later."""
    return Document("text", "", (Block("text", text),))


def read_markdown(text: str) -> Document:
    """Return Markdown by its headings, code fences and tables; the first top heading is the title."""
    title = ""
    if (front := _FRONT_MATTER.match(text)) and _is_front_matter(front.group(1)):
        title = found.group(1) if (found := _TITLE.search(front.group(1))) else ""
        text = text[front.end() :]
    blocks = tuple(_markdown_blocks(text.split("\n")))
    first = next((block for block in blocks if block.kind == "heading"), None)
    return Document("markdown", title or (first.text if first and first.level == 1 else ""), blocks)


def _is_front_matter(said: str) -> bool:
    """Say whether it is keys and values, lists or remarks line by line, not words between two rules."""
    return all(_KEYED.match(line) for line in said.split("\n"))


def read_csv(text: str) -> Document:
    """Return each row with the header's names: `name: Kim | phone: 123`."""
    csv.field_size_limit(1 << 24)
    head = text if len(text) <= SAMPLE else text[:SAMPLE].rpartition("\n")[0] or text[:SAMPLE]
    quote = "'" if '"' not in head and _IN_APOSTROPHES.search(head) else '"'
    divider = max(_DIVIDERS, key=lambda one: _evenness(_rows(head, one, quote)))
    return Document("csv", "", tuple(rows_to_blocks(_rows(text, divider, quote))))


def _rows(text: str, divider: str, quote: str) -> list[list[str]]:
    rows = csv.reader(io.StringIO(text), delimiter=divider, quotechar=quote, skipinitialspace=True)
    return [[cell.strip() for cell in row] for row in rows]


def _evenness(rows: Sequence[Sequence[str]]) -> float:
    """Return the share of the rows that have as many cells as most have, of those that have several.

    `csv.Sniffer` takes the fourth power of how many quotes stand in a row.
    """
    cells = Counter(len(row) for row in rows if len(row) > 1)
    return max(cells.values(), default=0) / max(1, sum(map(bool, rows)))


def read_json(text: str) -> Document:
    """Return an object a line, nested names joined by dots, and so each object of a list within the outermost; else it is code."""
    try:
        value: Value = json.loads(text)
    except (ValueError, RecursionError):
        try:
            value = [json.loads(line) for line in text.split("\n") if line.strip()]
        except (ValueError, RecursionError):
            return Document("json", "", (Block("code", text),))
    lines = [" | ".join(_leaves(record, name)) for name, record in _records(value)]
    return Document("json", "", (Block("table", "\n".join(line for line in lines if line)),))


def rows_to_blocks(rows: Iterable[Sequence[str]], *, page: int | None = None) -> Iterator[Block]:
    """Yield a table block of `rows`: with the columns' names where there are any, else cells side by side.

    What stands alone in the rows above the names is the table's caption; names in two rows, the upper ones over several columns,
    become one (`2024 Q1`).
    """
    filled = [row[:MOST_CELLS] for row in rows if any(cell for cell in row)]
    if not filled:
        return
    lines, filled = _captions(filled)
    header, rest = _header(filled)
    two = not header and max(map(len, filled), default=0) == 2  # noqa: PLR2004 - a name and its value
    for row in rest:
        cells = [
            f"{header[index]}: {cell}" if header and index < len(header) and header[index] else cell
            for index, cell in enumerate(row) if cell
        ]  # fmt: skip
        named = two and len(cells) == 2 and len(cells[0]) < LONGEST_NAME and not _is_number(cells[0])  # noqa: PLR2004 - as above
        lines.append((": " if named else " | ").join(" ".join(cell.split()) for cell in cells))
    if lines:
        yield Block("table", "\n".join(lines), page=page)


def has_names(rows: Sequence[Sequence[str]]) -> bool:
    """Say whether `rows` plainly begin a table: a caption or names without a number above a row that has one."""
    if len(rows) < 2:  # noqa: PLR2004 - names and one row below
        return False
    _said, below = _captions(rows)
    header, rest = _header(below)
    return bool(header) and (len(below) < len(rows) or any(map(_is_number, rest[0])))


def _captions(rows: Sequence[Sequence[str]]) -> tuple[list[str], list[Sequence[str]]]:
    """Return what stands alone above a table of several columns, a line each, and the rows below it."""
    alone = next((at for at, row in enumerate(rows) if sum(map(bool, row)) > 1), 0)
    said = [" ".join(" ".join(cell for cell in row if cell).split()) for row in rows[:alone]]
    return said, list(rows[alone:])


def _header(rows: Sequence[Sequence[str]]) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
    """Return the columns' names (empty where there are none) and the rows below them."""
    if len(rows) > 2 and _is_upper_header(rows[0], rows[1], rows[2]):  # noqa: PLR2004 - two rows of names and one of values
        return _joined_names(rows[0], rows[1]), rows[2:]
    if len(rows) > 1 and _is_header(rows[0]) and not _are_pairs(rows):
        return rows[0], rows[1:]
    return (), rows


def _is_header(row: Sequence[str]) -> bool:
    """Say whether a row names columns: all cells filled, none twice, none a number but years, none long."""
    named = [cell for cell in row if cell]
    whole = len(named) >= max(1, len(row) - 1) and len(set(named)) == len(named)
    return whole and not any(map(_is_number, named)) and all(len(cell) < LONGEST_NAME for cell in named)


def _is_upper_header(upper: Sequence[str], lower: Sequence[str], values: Sequence[str]) -> bool:
    """Say whether two rows name columns: the upper leaves out what it spans, the lower fills it, above numbers."""
    spanned = [at for at, cell in enumerate(upper) if at and not cell]
    named = [cell for cell in (*upper, *lower) if cell]
    below = all(at < len(lower) and lower[at] and at < len(values) and _is_number(values[at]) for at in spanned)
    return bool(spanned) and below and not any(map(_is_number, named)) and all(len(cell) < LONGEST_NAME for cell in named)


def _joined_names(upper: Sequence[str], lower: Sequence[str]) -> list[str]:
    names: list[str] = []
    above = ""
    for at, cell in enumerate(lower):
        above = (upper[at] if at < len(upper) else "") or above
        names.append(above if not cell or cell == above else f"{above} {cell}".strip())
    return names


def _are_pairs(rows: Sequence[Sequence[str]]) -> bool:
    """Say whether two columns are names and values from the first row on.

    The first value has a number or ends a sentence; or the values below are of many kinds, some with a number and some without:
    a form (name, birthday, address) and no column.
    """
    if any(len(row) != 2 for row in rows):  # noqa: PLR2004 - two columns
        return False
    value, below = rows[0][1], rows[1:]
    numbers = sum(1 for row in below if _DIGIT.search(row[1]))
    if MIXED * len(below) <= numbers <= (1 - MIXED) * len(below):
        return True
    return bool(_DIGIT.search(value) and not _YEAR.fullmatch(value)) or "@" in value or value.endswith((".", "다"))


def _is_number(cell: str) -> bool:
    return sum(map(str.isdigit, cell)) > FEW_DIGITS * len(cell) and not _YEAR.fullmatch(cell)


def _records(value: Value) -> Iterator[tuple[str, Value]]:
    """Yield (name, record): the elements of a list; of an object, what it says itself and then the elements of each list of objects."""
    if isinstance(value, list):
        yield from (("", record) for record in value)
    elif isinstance(value, dict):
        lists = {
            key: inner for key, inner in value.items() if isinstance(inner, list) and any(isinstance(one, dict) for one in inner)
        }
        yield "", {key: inner for key, inner in value.items() if key not in lists}
        yield from ((key, record) for key, inner in lists.items() for record in inner)
    else:
        yield "", value


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
            yield Block("heading", _unescaped(heading.group(2)), len(heading.group(1)))
            index += 1
        elif line.strip() and index + 1 < len(lines) and _UNDERLINE.match(lines[index + 1]) and not text and "|" not in line:
            yield Block("heading", _unescaped(line.strip()), 1 if lines[index + 1].startswith("=") else 2)
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
        yield Block("text", _unescaped(said))


def _unescaped(text: str) -> str:
    r"""Return Markdown's text with `10\~18` as it is shown; `\\` stays, for people write paths. Source: CommonMark 0.31, 2.4."""
    return _ESCAPED.sub(r"\1", text)


def _end_of_fence(lines: Sequence[str], start: int, fence: str) -> int:
    return next((at for at in range(start, len(lines)) if lines[at].strip().startswith(fence)), len(lines))


def _cells(row: str) -> list[str]:
    return [_unescaped(cell.strip()) for cell in _BAR.split(row.strip().strip("|"))]
