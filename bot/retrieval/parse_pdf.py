"""A PDF into blocks by page. Runs in the sandbox's child.

A page that shows something but has no text is reported as unread: a scan, whose text the `ocr` slot may read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.retrieval.decode import clean
from bot.retrieval.document import Block, Document
from bot.retrieval.parse_pdf_layout import layout, paragraphs
from bot.retrieval.parse_pdf_lines import Line, read_lines
from bot.retrieval.parsers import broken, locked

MOST_PAGES = 5000
PAGE_PIXELS = 12_000_000
MOST_LAID_OUT = 400
"""Pages whose headings and tables are looked for: it takes a fiftieth of a second each. Later ones are read as plain lines."""


def read_pdf(file: Path, name: str) -> Document:
    """Return the text of each page, its lines joined into paragraphs.

    Raises:
        UnreadableError: locked with a password, or broken.
    """
    import pypdfium2  # noqa: PLC0415 - loaded for what needs it alone

    try:
        pdf = pypdfium2.PdfDocument(file)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise locked(name) from error
        raise broken(name) from error
    try:
        return _pages(pdf, name)
    finally:
        pdf.close()


@dataclass(frozen=True, slots=True)
class _Page:
    """What one page says: its lines with their places, else its text without them, else whether it shows anything."""

    lines: Sequence[Line] = ()
    text: str = ""
    shows: bool = False
    height: float = 0.0


def _pages(pdf: Any, name: str) -> Document:  # pypdfium2 has no types
    from pypdfium2 import PdfiumError  # noqa: PLC0415 - loaded for what needs it alone

    pages: list[_Page] = []
    lost = 0
    count = len(pdf)
    for number in range(1, min(count, MOST_PAGES) + 1):
        try:
            pages.append(_page(pdf, number))
        except PdfiumError:  # a damaged page costs itself alone
            pages.append(_Page())
            lost += 1
    if pages and lost == len(pages):
        raise broken(name)
    plain = [
        Block("text", paragraph, page=number)
        for number, page in enumerate(pages, 1) if page.text for paragraph in paragraphs(page.text.split("\n"))
    ]  # fmt: skip
    unread = tuple(number for number, page in enumerate(pages, 1) if page.shows)
    blocks = sorted(
        [*layout([page.lines for page in pages], [page.height for page in pages]), *plain], key=lambda block: block.page or 0
    )
    return Document("pdf", _title(pdf), tuple(blocks), pages=count, unread=unread)


def _page(pdf: Any, number: int) -> _Page:
    page = pdf[number - 1]
    try:
        lines = read_lines(page) if number <= MOST_LAID_OUT else []
        text = "" if lines else _plain(page)
        shows = not lines and not text and next(page.get_objects(max_depth=2), None) is not None
        return _Page(lines, text, shows, page.get_height())
    finally:
        page.close()


def _plain(page: Any) -> str:
    words = page.get_textpage()
    try:
        return clean(words.get_text_range().replace("\ufffe", "-")).strip()
    finally:
        words.close()


def _title(pdf: Any) -> str:
    return clean(str(pdf.get_metadata_value("Title") or "")).strip()


def render(*, path: str, page: int, out: str) -> bool:
    """Draw one page, counted from 1, into the PNG file `out`, at 200 dots an inch and at most 12 million pixels.

    Raises:
        UnreadableError: it cannot be drawn.
    """
    import pypdfium2  # noqa: PLC0415 - loaded for what needs it alone

    from bot.image_pages import draw  # noqa: PLC0415 - as above

    try:
        pdf = pypdfium2.PdfDocument(path)
        try:
            draw(pdf[page - 1], pixels=PAGE_PIXELS).save(out, "PNG")
        finally:
            pdf.close()
    except (pypdfium2.PdfiumError, OSError, ValueError, IndexError) as error:
        raise broken(Path(path).name) from error
    return True
