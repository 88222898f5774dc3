"""DOCX, PPTX, XLSX and HWPX into blocks. Runs in the sandbox's child; the archive's size was checked before.

The XML readers of python-docx and python-pptx resolve no entities; expat, under openpyxl, bounds them.
"""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bot.retrieval.decode import clean
from bot.retrieval.document import Block, Document
from bot.retrieval.parse_text import rows_to_blocks

MOST_ROWS = 100_000
_LEVEL = re.compile(r"^(?:heading|제목)\s*(\d)", re.IGNORECASE)
_HWPX = "{http://www.hancom.co.kr/hwpml/2011/paragraph}"


def read_docx(file: Path, _name: str) -> Document:
    """Return paragraphs, headings by their styles, and tables, in order."""
    import docx  # noqa: PLC0415 - loaded for what needs it alone
    from docx.table import Table  # noqa: PLC0415 - loaded for what needs it alone

    document = docx.Document(str(file))
    blocks: list[Block] = []
    for part in document.iter_inner_content():
        if isinstance(part, Table):
            blocks += rows_to_blocks(_rows(part))
        elif said := clean(part.text).strip():
            level = _docx_level(part)
            blocks.append(Block("heading", said, level) if level else Block("text", _as_item(part, said)))
    return Document("docx", clean(document.core_properties.title or "").strip(), tuple(_joined(blocks)))


def read_pptx(file: Path, _name: str) -> Document:
    """Return each slide as a page: its title, texts, tables and notes."""
    import pptx  # noqa: PLC0415 - loaded for what needs it alone

    slides = pptx.Presentation(str(file))
    blocks: list[Block] = []
    for number, slide in enumerate(slides.slides, start=1):
        title = slide.shapes.title
        if title is not None and title.text_frame.text.strip():
            blocks.append(Block("heading", clean(" ".join(title.text_frame.text.split())), 1, number))
        for shape in _shapes(slide.shapes):
            if title is not None and shape.shape_id == title.shape_id:
                continue
            if shape.has_text_frame and (said := clean(shape.text_frame.text).strip()):
                blocks.append(Block("text", said, page=number))
            if getattr(shape, "has_table", False):
                blocks += rows_to_blocks(_rows(shape.table), page=number)
        if slide.has_notes_slide and (notes := clean(slide.notes_slide.notes_text_frame.text).strip()):
            blocks.append(Block("text", notes, page=number))
    return Document("pptx", clean(slides.core_properties.title or "").strip(), tuple(blocks), pages=len(slides.slides))


def read_xlsx(file: Path, _name: str) -> Document:
    """Return each sheet under its name, each row with the header's names."""
    import openpyxl  # noqa: PLC0415 - loaded for what needs it alone

    blocks: list[Block] = []
    with file.open("rb") as opened:  # by its name it would be refused: a kept file has no suffix
        book = openpyxl.load_workbook(opened, read_only=True, data_only=True)
        for number, sheet in enumerate(book.worksheets, start=1):
            rows = [[_cell(value) for value in row] for row in sheet.iter_rows(values_only=True, max_row=MOST_ROWS)]
            width = max((index + 1 for row in rows for index, cell in enumerate(row) if cell), default=0)
            if width:
                blocks.append(Block("heading", clean(sheet.title), 1, number))
                blocks += rows_to_blocks([row[:width] for row in rows], page=number)
        book.close()
    return Document("xlsx", "", tuple(blocks), pages=len(book.worksheets))


def read_hwpx(file: Path, _name: str) -> Document:
    """Return the paragraphs of a Hangul document (HWPX). Source: KS X 6101, OWPML: `hp:p` holds `hp:run`, which holds `hp:t`."""
    from lxml import etree  # noqa: PLC0415 - loaded for what needs it alone

    blocks: list[Block] = []
    with zipfile.ZipFile(file) as archive:
        names = sorted((name for name in archive.namelist() if re.fullmatch(r"Contents/section\d+\.xml", name)), key=_number)
        for name in names:
            parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
            root = etree.fromstring(archive.read(name), parser)
            for paragraph in root.iter(f"{_HWPX}p"):
                said = "".join("".join(map(str, run.itertext())) for run in paragraph.findall(f"{_HWPX}run/{_HWPX}t"))
                if clean(said).strip():
                    blocks.append(Block("text", clean(said).strip()))
    return Document("hwpx", "", tuple(_joined(blocks)))


def _number(name: str) -> int:
    return int("".join(letter for letter in name if letter.isdigit()))


def _docx_level(paragraph: Any) -> int:  # python-docx has no types
    style = getattr(paragraph.style, "name", None) or ""
    if style == "Title":
        return 1
    found = _LEVEL.match(style)
    return min(int(found.group(1)), 6) if found else 0


def _as_item(paragraph: Any, said: str) -> str:
    style = getattr(paragraph.style, "name", None) or ""
    return f"- {said}" if style.startswith("List") and not said.startswith(("-", "•")) else said


def _joined(blocks: list[Block]) -> Iterator[Block]:
    """Yield blocks with the paragraphs that follow one another as one text, a blank line between."""
    run: list[str] = []
    for block in blocks:
        if block.kind == "text":
            run.append(block.text)
            continue
        if run:
            yield Block("text", "\n\n".join(run))
            run = []
        yield block
    if run:
        yield Block("text", "\n\n".join(run))


def _rows(table: Any) -> list[list[str]]:
    """Return the cells of a table; a merged cell once, where it begins."""
    rows = []
    for row in table.rows:
        seen: set[object] = set()
        cells = []
        for cell in row.cells:
            repeated = getattr(cell, "_tc", cell) in seen
            seen.add(getattr(cell, "_tc", cell))
            cells.append("" if repeated else clean(" ".join(cell.text.split())))
        rows.append(cells)
    return rows


def _shapes(shapes: Any) -> Iterator[Any]:
    """Yield shapes, those in groups as well, from top to bottom."""
    flat = []
    for shape in shapes:
        flat += list(_shapes(shape.shapes)) if hasattr(shape, "shapes") else [shape]
    yield from sorted(flat, key=lambda shape: ((shape.top or 0) // 200_000, shape.left or 0))


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ", "minutes")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return clean(str(value)).strip()
