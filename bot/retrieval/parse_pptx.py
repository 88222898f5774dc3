"""PPTX into blocks. Runs in the sandbox's child; the archive's size was checked before.

The XML reader of python-pptx resolves no entities.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot import lazy
from bot.retrieval.decode import clean
from bot.retrieval.document import Block, Document
from bot.retrieval.held import pictures_of
from bot.retrieval.parse_text import rows_to_blocks
from bot.retrieval.parsers import broken

MOST_ROWS = 100_000
SHORT_SLIDE = 500
"""Characters of a slide that make one passage."""
_POINT = lazy.compile(r"[-–•·*]\s|\d{1,2}[.)]\s")
"""What a line begins with that is a point already."""


def read_pptx(file: Path, name: str) -> Document:
    """Return each slide as a page: its title, texts and notes, then its tables and charts.

    Raises:
        UnreadableError: it is damaged.
    """
    from pptx.exc import PythonPptxError  # noqa: PLC0415 - loaded for what needs it alone

    try:
        return _slides(file)
    except PythonPptxError as error:
        raise broken(name) from error


def _slides(file: Path) -> Document:
    import pptx  # noqa: PLC0415 - as above

    slides = pptx.Presentation(str(file))
    with zipfile.ZipFile(file) as archive:
        lying = pictures_of(archive.infolist(), "ppt/media/")
    blocks: list[Block] = []
    for number, slide in enumerate(slides.slides, start=1):
        title = slide.shapes.title
        if title is not None and title.text_frame.text.strip():
            blocks.append(Block("heading", clean(" ".join(title.text_frame.text.split())), 1, number))
        tables: list[Block] = []
        for shape in _shapes(slide.shapes):
            if title is not None and shape.shape_id == title.shape_id:
                continue
            if shape.has_text_frame and (said := _said(shape.text_frame)):
                blocks.append(Block("text", said, page=number))
            if getattr(shape, "has_table", False):
                tables += rows_to_blocks(_rows(shape.table), page=number)
            if (place := _picture(shape, lying)) is not None:
                blocks.append(Block("file", "", page=number, place=place))
            if getattr(shape, "has_chart", False):
                tables += _chart(shape.chart, number)
        frame = slide.notes_slide.notes_text_frame if slide.has_notes_slide else None
        if frame is not None and (notes := clean(frame.text).strip()):
            blocks.append(Block("text", notes, page=number))
        blocks += [replace(table, kind="text") for table in tables] if _is_short(blocks + tables, number) else tables
    return Document("pptx", clean(slides.core_properties.title or "").strip(), tuple(blocks), pages=len(slides.slides))


def _said(frame: Any) -> str:
    """Return the text of a frame: a line a paragraph, several as the points that they are on a slide, which end without a stop."""
    lines = [line for paragraph in frame.paragraphs if (line := clean(" ".join(paragraph.text.split())))]
    return "\n".join(line if len(lines) == 1 or _POINT.match(line) else f"- {line}" for line in lines)


def _picture(shape: Any, lying: Mapping[str, int]) -> int | None:
    """Return where in the archive the picture of a shape lies, None where it has none that could say anything."""
    number = getattr(shape._element, "blip_rId", None)  # noqa: SLF001 - `image` would read and hash it
    try:
        return lying.get(str(shape.part.related_part(number).partname).lstrip("/")) if number else None
    except KeyError:  # linked from elsewhere
        return None


def _is_short(blocks: Sequence[Block], page: int) -> bool:
    """Say whether a slide is one passage, its tables among its texts: what is said beside a table tells what it is of."""
    return sum(len(block.text) for block in blocks if block.page == page) <= SHORT_SLIDE


def _rows(table: Any) -> list[list[str]]:
    """Return the cells of a slide's table; one that spans rows in each of them, one that spans columns where it begins."""
    rows: list[list[str]] = []
    for row in table.rows:
        cells = [clean(" ".join(cell.text.split())) for cell in row.cells]
        origins = [cell.is_merge_origin for cell in row.cells]
        for at, cell in enumerate(row.cells):
            if cell.is_spanned and not cells[at] and rows and not any(origins[:at]):
                cells[at] = rows[-1][at]
        rows.append(cells)
    return rows


def _chart(chart: Any, page: int) -> Iterator[Block]:
    """Yield the numbers that a chart shows: a line a category, each series by its name."""
    try:
        plot = next(iter(chart.plots))
        columns = [(str(series.name), list(series.values)) for series in plot.series]
        lines = [
            " | ".join([str(category), *(f"{name}: {_plain(values[at])}" for name, values in columns)])
            for at, category in enumerate(plot.categories)
        ]
    except (StopIteration, IndexError, ValueError, KeyError, TypeError, AttributeError):  # a chart without data of its own
        return
    if chart.has_title and chart.chart_title.has_text_frame and (title := clean(chart.chart_title.text_frame.text).strip()):
        lines.insert(0, title)
    if lines:
        yield Block("table", clean("\n".join(lines)), page=page)


def _shapes(shapes: Any) -> Iterator[Any]:
    """Yield shapes, those in groups as well, from top to bottom."""
    flat = []
    for shape in shapes:
        flat += list(_shapes(shape.shapes)) if hasattr(shape, "shapes") else [shape]
    yield from sorted(flat, key=lambda shape: ((shape.top or 0) // 200_000, shape.left or 0))


def _plain(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else f"{value:.12g}"
    return clean(str(value)).strip()
