"""A file's text, whatever the file is: read in a child process, pictures and scans by the `ocr` slot where there is one.

Owns the order of the two, and the sentence where a picture cannot be read for want of a model.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import NoModelError, TooLargeError, UnreadableError
from bot.images import opened
from bot.locale import phrases
from bot.models.tasks import OCR, ImageFile
from bot.retrieval.decode import clean
from bot.retrieval.document import Block, Document

if TYPE_CHECKING:
    from bot.config import LimitSettings
    from bot.sandbox import Json, Sandbox
    from bot.skill import Models

_ = phrases(__file__)

MEBIBYTE = 1024 * 1024
MOST_SCANS = 50
"""Scanned pages of one file that are read: a minute or two of work."""
LEAST_CONFIDENCE = 0.3
"""Below it what an OCR says of a picture is noise: a photograph of leaves reads as letters too."""


class Reader:
    """Reads files."""

    def __init__(self, sandbox: Sandbox, models: Models, limits: LimitSettings) -> None:
        """Use `sandbox` for foreign bytes and the `ocr` slot of `models` for pictures."""
        self._sandbox = sandbox
        self._models = models
        self._limits = limits

    async def read(self, path: Path, *, name: str) -> Document:
        """Return what the file at `path` holds.

        Raises:
            UnreadableError: locked, broken, without text, or of a kind that is not read.
            TooLargeError: over the limits of the settings.
        """
        if (size := (await asyncio.to_thread(path.stat)).st_size) > self._limits.file_mb * MEBIBYTE:
            raise TooLargeError(
                _(
                    "{name} has {size} MB; I read at most {most}. Nothing was kept; please send a part of it.",
                    name=clean(name), size=size // MEBIBYTE, most=self._limits.file_mb,
                )
            )  # fmt: skip
        arguments: dict[str, Json] = {"path": str(path), "name": clean(name), "archive_growth": self._limits.archive_growth}
        document = await self._sandbox.call_as(Document, "bot.retrieval.parsers:read", arguments)
        if document.kind == "image":
            said = await self._picture(path)
            if not said:
                raise UnreadableError(
                    _("There is no text in {name} that I can read, so there is nothing to search in it.", name=clean(name))
                )
            return replace(document, blocks=(Block("text", said),))
        if document.unread:
            document = await self._with_scans(path, document)
        if not any(block.text.strip() for block in document.blocks):
            raise UnreadableError(
                _(
                    "The pages of {name} are scans without text, and I could not read them. Nothing was kept; "
                    "please send it with text, or photos of the pages.",
                    name=clean(name),
                )
            )
        return document

    async def _picture(self, path: Path) -> str:
        """Return the text in a picture, "" where there is none. Raises NoModelError where nothing can read pictures."""
        async with opened(self._sandbox, path, megapixels=self._limits.image_megapixels) as picture:
            (reading,) = await self._models.run(OCR, [ImageFile(picture.path)], bulk=True)
        return clean(reading.text).strip() if reading.confidence >= LEAST_CONFIDENCE else ""

    async def _with_scans(self, path: Path, document: Document) -> Document:
        """Return `document` with what its scanned pages say, as far as there is a model that reads it."""
        if not self._models.live(OCR):
            return document
        folder = Path(tempfile.mkdtemp(prefix="paring-scan-"))
        blocks = list(document.blocks)
        try:
            for page in document.unread[:MOST_SCANS]:
                arguments: dict[str, Json] = {"path": str(path), "page": page, "out": str(folder / f"{page}.png")}
                await self._sandbox.call("bot.retrieval.parse_pdf:render", arguments)
                if said := await self._picture(folder / f"{page}.png"):
                    blocks.append(Block("text", said, page=page))
        except NoModelError:
            return document
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return replace(document, blocks=tuple(sorted(blocks, key=lambda block: block.page or 0)))


def as_written(text: str) -> str:
    """Return a text that somebody sent without what is never seen."""
    return clean(text)
