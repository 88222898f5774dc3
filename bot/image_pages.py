"""Renders the pages of a scanned PDF as pictures. It runs in the sandbox's child.

Owns: which pages have text of their own, and the size at which the others are drawn. Leaves to `bot.models.runtimes` the
reading, to `bot.retrieval` the documents that are kept.

    async with rendered(kit.sandbox, path, count=10) as book:
        [page.image for page in book.pages if page.image]
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bot.errors import UnreadableError
from bot.images import LONGEST_SIDE, MILLION, scratch
from bot.locale import phrases

if TYPE_CHECKING:
    import pypdfium2 as pdfium
    from PIL.Image import Image

    from bot.sandbox import Json
    from bot.skill import Sandbox

_ = phrases(__file__)

LEAST_LETTERS: Final = 16
"""A page with fewer letters of its own is taken for a scan: a stamp or a page number says nothing."""
DOTS_PER_INCH: Final = 200
POINTS_PER_INCH: Final = 72
PAGE_PIXELS: Final = 8 * MILLION


@dataclass(frozen=True, slots=True)
class Page:
    """A page, counted from 1: its own text, or the file of its picture where it has none."""

    number: int
    text: str
    image: Path | None = None


@dataclass(frozen=True, slots=True)
class Book:
    """The first pages of a PDF, and how many it has."""

    pages: tuple[Page, ...]
    total: int


@asynccontextmanager
async def rendered(sandbox: Sandbox, path: Path, *, count: int) -> AsyncIterator[Book]:
    """Open a PDF in the sandbox; the pictures of its first `count` pages are gone after the `with`.

    Raises:
        UnreadableError: locked by a password, broken, or no PDF.
    """
    async with scratch(sandbox) as folder:
        arguments: dict[str, Json] = {"path": str(path), "folder": str(folder), "count": count}
        yield await sandbox.call_as(Book, "bot.image_pages:render", arguments)


def render(path: str, folder: str, count: int) -> Book:
    """Return the first `count` pages; those without text are drawn into `folder`. Raises as `rendered`."""
    import pypdfium2 as pdfium  # noqa: PLC0415 - heavy, and in the child only

    try:
        with pdfium.PdfDocument(path) as document:
            total = len(document)
            return Book(tuple(_page(document[index], index + 1, Path(folder)) for index in range(min(count, total))), total)
    except pdfium.PdfiumError as error:
        if "password" in str(error).lower():
            raise UnreadableError(
                _("This PDF is locked with a password. Nothing was kept; please send it without one, or as pictures.")
            ) from error
        raise UnreadableError(_("This PDF is cut off or damaged. Nothing was kept; please send it again.")) from error


def _page(page: pdfium.PdfPage, number: int, folder: Path) -> Page:
    text = page.get_textpage().get_text_bounded().replace("\r\n", "\n").replace("\x00", "")
    text = text.encode("utf-8", "ignore").decode()
    if sum(letter.isalnum() for letter in text) >= LEAST_LETTERS:
        return Page(number, text.strip())
    image = folder / f"page-{number}.png"
    draw(page, pixels=PAGE_PIXELS, grayscale=True).save(image, "PNG", compress_level=1)
    return Page(number, "", image)


def draw(page: pdfium.PdfPage, *, pixels: int, grayscale: bool = False) -> Image:
    """Return the picture of a page: at 200 dots an inch, or as many as `pixels` and LONGEST_SIDE allow."""
    width, height = (max(1.0, side) for side in page.get_size())
    scale = min(DOTS_PER_INCH / POINTS_PER_INCH, (pixels / (width * height)) ** 0.5, LONGEST_SIDE / max(width, height))
    picture: Image = page.render(scale=scale, grayscale=grayscale).to_pil()
    return picture
