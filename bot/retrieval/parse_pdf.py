"""A PDF into blocks by page. Runs in the sandbox's child.

A page that shows something but has no text is reported as unread: a scan, whose text the `ocr` slot may read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bot.errors import UnreadableError
from bot.locale import phrases
from bot.retrieval.decode import clean
from bot.retrieval.document import Block, Document
from bot.retrieval.parsers import locked

_ = phrases(__file__)

FULL_LINE = 0.75
"""Share of the page's usual line length from which a line is taken to go on in the next."""
_ENDS = re.compile(r"[.!?:;。…]['\")\]”’]*$")
_ITEM = re.compile(r"^\s*(?:[-•*▪◦·○●□■※]|\(?\d{1,3}[.)]|[가-하][.)]|[①-⑳])\s")
_HYPHEN = re.compile(r"(?<=[a-z])[-\u00ad\ufffe\u0002]$")
MOST_PAGES = 5000


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
        raise UnreadableError(
            _("{name} is cut off or damaged. Nothing was kept; please send it again, or save it anew first.", name=name)
        ) from error
    try:
        return _pages(pdf)
    finally:
        pdf.close()


def _pages(pdf: object) -> Document:
    blocks: list[Block] = []
    unread: list[int] = []
    count = len(pdf)  # type: ignore[arg-type]
    for number in range(1, min(count, MOST_PAGES) + 1):
        page = pdf[number - 1]  # type: ignore[index]
        words = page.get_textpage()
        text = clean(words.get_text_range().replace("\ufffe", "-"))
        words.close()
        if text.strip():
            blocks += [Block("text", paragraph, page=number) for paragraph in paragraphs(text.split("\n"))]
        elif next(page.get_objects(max_depth=2), None) is not None:
            unread.append(number)
        page.close()
    title = clean(str(pdf.get_metadata_value("Title") or "")).strip()  # type: ignore[attr-defined]
    return Document("pdf", title, tuple(blocks), pages=count, unread=tuple(unread))


def paragraphs(lines: Sequence[str]) -> list[str]:
    """Return `lines` of a page joined into paragraphs: a full line that ends no sentence goes on in the next."""
    usual = median(len(line) for line in lines if line.strip()) if any(line.strip() for line in lines) else 0
    done: list[str] = []
    open_line = False
    for line in (line.rstrip() for line in lines):
        if not line.strip():
            open_line = False
        elif open_line and not _ITEM.match(line):
            done[-1] = _joined(done[-1], line.strip())
            open_line = _goes_on(line, usual)
        else:
            done.append(line.strip())
            open_line = _goes_on(line, usual)
    return done


def _goes_on(line: str, usual: float) -> bool:
    return len(line) >= FULL_LINE * usual and not _ENDS.search(line)


def _joined(before: str, line: str) -> str:
    if _HYPHEN.search(before) and line[:1].islower():
        return before[:-1] + line
    return f"{before} {line}"


def render(*, path: str, page: int, out: str) -> None:
    """Draw one page, counted from 1, into the PNG file `out`, at 200 dots an inch and at most 12 million pixels."""
    import pypdfium2  # noqa: PLC0415 - loaded for what needs it alone

    pdf = pypdfium2.PdfDocument(path)
    try:
        drawn = pdf[page - 1]
        width, height = drawn.get_size()
        scale = min(200 / 72, (12_000_000 / max(width * height, 1)) ** 0.5)
        drawn.render(scale=scale).to_pil().save(out, "PNG")
    finally:
        pdf.close()
