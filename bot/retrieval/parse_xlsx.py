"""XLSX into blocks. Runs in the sandbox's child; the archive's size was checked before.

Reads the parts' XML itself, a row at a time: a sheet of 100,000 rows takes a third of openpyxl's time. Leaves to openpyxl what a
number's format says (is it a date, which one). Source: ECMA-376, part 1, 18.2 (workbook), 18.3 (sheets), 18.4 (strings), 18.8 (styles).
"""

from __future__ import annotations

import datetime as dt
import posixpath
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from bot import lazy
from bot.retrieval.decode import clean
from bot.retrieval.document import Block, Document
from bot.retrieval.parse_text import has_names, rows_to_blocks

MOST_ROWS = 100_000
"""Rows of a sheet that are read."""
MOST_COLUMNS = 1000
MOST_MERGED = 10_000
_REFERENCE = lazy.compile(r"([A-Z]{1,3})(\d{1,7})")
_UNIT = lazy.compile(r'[0#](?:\\? )?(?:"([^"\d]{1,8})"|([가-힣]{1,3}))(?:;|$)')
"""What a cell's format says after the number: `#,##0"원"`. Source: ECMA-376 18.8.31, literal text in a number format."""

Merged = tuple[int, int, int]
"""Column, first row, last row of cells that span rows; columns counted from 0, rows from 1."""


def read_xlsx(file: Path, _name: str) -> Document:
    """Return each sheet under its name, each row with the columns' names; a blank row may end a table."""
    blocks: list[Block] = []
    with zipfile.ZipFile(file) as archive:
        book = _Book(archive)
        for number, (name, path) in enumerate(book.sheets, start=1):
            rows = book.rows(path)
            width = max((index + 1 for row in rows for index, cell in enumerate(row) if cell), default=0)
            if width:
                blocks.append(Block("heading", clean(name), 1, number))
                for table in _tables([row[:width] + [""] * (width - len(row)) for row in rows]):
                    blocks += rows_to_blocks(table, page=number)
        count = len(book.sheets)
    return Document("xlsx", "", tuple(blocks), pages=count)


@dataclass(frozen=True, slots=True)
class _Format:
    """What a cell's style says of its number."""

    date: bool
    duration: bool
    percent: bool
    unit: str


class _Book:
    """The parts of a workbook."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        relations = self._relations("")
        self._path = next((path for kind, path in relations.values() if kind == "officeDocument"), "xl/workbook.xml")
        self._parts = self._relations(self._path)
        self._root = _xml(archive.read(self._path))
        self._dates_from_1904 = any(node.get("date1904") in ("1", "true") for node in self._root.iter("{*}workbookPr"))

    @property
    def sheets(self) -> list[tuple[str, str]]:
        """The sheets' names and the parts that they lie in, in the book's order; charts that fill a sheet are none."""
        found = []
        for sheet in self._root.iter("{*}sheet"):
            number = next((value for name, value in sheet.attrib.items() if str(name).endswith("}id")), "")
            kind, path = self._parts.get(str(number), ("", ""))
            if kind == "worksheet":
                found.append((sheet.get("name") or "", path))
        return found

    def rows(self, path: str) -> list[list[str]]:
        """Return the cells of a sheet as they are shown, a blank row where rows are left out; what spans rows stands in each."""
        numbers: list[int] = []
        rows: list[list[str]] = []
        with self._archive.open(path) as part:
            merged: list[Merged] = []
            for element in _elements(part, "{*}row", "{*}mergeCell"):
                if element.tag.endswith("}mergeCell"):
                    merged += _merged(element.get("ref") or "")[: MOST_MERGED - len(merged)]
                elif len(rows) < MOST_ROWS:
                    number = int(element.get("r") or (numbers[-1] + 1 if numbers else 1))
                    if numbers and number > numbers[-1] + 1:
                        numbers.append(number - 1)
                        rows.append([])
                    numbers.append(number)
                    rows.append(self._cells(element))
        _fill(rows, {number: at for at, number in enumerate(numbers)}, merged)
        return rows

    def _cells(self, row: Any) -> list[str]:  # lxml's elements have no types here
        cells: list[str] = []
        for cell in row:
            reference = _REFERENCE.match(cell.get("r") or "")
            at = _column(reference.group(1)) if reference else len(cells)
            if at >= MOST_COLUMNS:
                break
            cells += [""] * (at - len(cells))
            cells.append(self._cell(cell))
        return cells

    def _cell(self, cell: Any) -> str:
        kind = cell.get("t") or "n"
        if kind == "inlineStr":
            return _text(cell)
        value = next((str(child.text or "") for child in cell if child.tag.endswith("}v")), "")
        if not value:
            return ""
        if kind == "s":
            return self._strings[int(value)]
        if kind in ("str", "e"):
            return clean(value).strip()
        if kind == "b":
            return "TRUE" if value == "1" else "FALSE"
        if kind == "d":
            return value.replace("T", " ").removesuffix(" 00:00:00")
        return self._number(value, int(cell.get("s") or 0))

    def _number(self, written: str, style: int) -> str:
        from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH, from_excel  # noqa: PLC0415 - loaded for what needs it alone

        shown = (
            self._formats[style] if style < len(self._formats) else _Format(date=False, duration=False, percent=False, unit="")
        )
        try:
            number = float(written)
        except ValueError:
            return clean(written).strip()
        if shown.date:
            epoch = MAC_EPOCH if self._dates_from_1904 else WINDOWS_EPOCH
            try:
                return _plain(from_excel(number, epoch, timedelta=shown.duration))
            except (ValueError, OverflowError):
                return written
        if shown.percent:
            return f"{_plain(number * 100)}%"
        return _plain(number) + shown.unit

    @cached_property
    def _strings(self) -> list[str]:
        path = next((path for kind, path in self._parts.values() if kind == "sharedStrings"), "")
        if not path:
            return []
        with self._archive.open(path) as part:
            return [_text(element) for element in _elements(part, "{*}si")]

    @cached_property
    def _formats(self) -> list[_Format]:
        """The formats of the book's cells, by their numbers."""
        from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format  # noqa: PLC0415 - as above

        path = next((path for kind, path in self._parts.values() if kind == "styles"), "")
        root = _xml(self._archive.read(path) if path else b"<none/>")
        own = {int(node.get("numFmtId") or 0): node.get("formatCode") or "" for node in root.iter("{*}numFmt")}
        formats = []
        for cells in root.iter("{*}cellXfs"):
            for one in cells:
                number = int(one.get("numFmtId") or 0)
                code = own.get(number) or str(BUILTIN_FORMATS.get(number, "General"))
                unit = _UNIT.search(code)
                said = (unit.group(1) or unit.group(2)) if unit else ""
                date, duration = bool(is_date_format(code)), bool(is_timedelta_format(code))
                formats.append(_Format(date=date, duration=duration, percent="%" in code, unit=said))
        return formats

    def _relations(self, path: str) -> Mapping[str, tuple[str, str]]:
        """Return what a part is related to: (kind, path in the archive) by number."""
        folder, name = posixpath.split(path)
        try:
            root = _xml(self._archive.read(posixpath.join(folder, "_rels", f"{name}.rels")))
        except KeyError:
            return {}
        return {
            node.get("Id") or "": (
                (node.get("Type") or "").rpartition("/")[2],
                posixpath.normpath(posixpath.join("/", folder, node.get("Target") or "")).lstrip("/"),
            )
            for node in root.iter("{*}Relationship")
        }


def _xml(data: bytes) -> Any:
    from lxml import etree  # noqa: PLC0415 - loaded for what needs it alone

    return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False))


def _elements(part: IO[bytes], *tags: str) -> Iterator[Any]:
    """Yield the elements of these tags, each gone once the next is asked for."""
    from lxml import etree  # noqa: PLC0415 - as above

    for _event, element in etree.iterparse(
        part, tag=tags, remove_comments=True, remove_pis=True, resolve_entities=False, no_network=True, huge_tree=False
    ):
        yield element
        element.clear()
        while (before := element.getprevious()) is not None:
            element.getparent().remove(before)


def _text(element: Any) -> str:
    """Return the text of a string's runs, without what tells how to speak it."""
    runs = [node.text or "" for node in element.iter("{*}t") if not node.getparent().tag.endswith("}rPh")]
    return clean("".join(runs)).strip()


def _merged(reference: str) -> list[Merged]:
    cells = [_REFERENCE.match(corner) for corner in reference.split(":")]
    if len(cells) != 2 or cells[0] is None or cells[1] is None or cells[0].group(2) == cells[1].group(2):  # noqa: PLR2004 - corners
        return []
    return [(_column(cells[0].group(1)), int(cells[0].group(2)), int(cells[1].group(2)))]


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - 64
    return number - 1


def _fill(rows: list[list[str]], place: Mapping[int, int], merged: Sequence[Merged]) -> None:
    """Say what spans rows in each of them; `place` tells where the row of a number is."""
    for column, top, bottom in merged:
        first = place.get(top)
        said = rows[first][column] if first is not None and column < len(rows[first]) else ""
        for number in range(top + 1, min(bottom, top + MOST_ROWS) + 1) if said else ():
            if (at := place.get(number)) is not None:
                rows[at] += [""] * (column + 1 - len(rows[at]))
                rows[at][column] = rows[at][column] or said


def _tables(rows: Sequence[list[str]]) -> Iterator[list[list[str]]]:
    """Yield the tables of a sheet: what follows a blank row is one of its own where it has names of its own."""
    table: list[list[str]] = []
    blank = False
    for at, row in enumerate(rows):
        if not any(row):
            blank = True
            continue
        if blank and table and has_names([other for other in rows[at : at + 8] if any(other)]):
            yield table
            table = []
        blank = False
        table.append(row)
    if table:
        yield table


def _plain(value: object) -> str:
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ", "minutes")
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else f"{value:.12g}"
    return str(value)
