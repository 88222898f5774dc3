"""A file's text, whatever the file is: read in a child process, pictures and scans by the `ocr` slot where there is one.

Owns the order of the two, the files within a file (a mail's attachments, a document's pictures: each in a call of its own, so that
a bad one costs itself alone), and the sentence where a picture cannot be read for want of a model.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import InputError, ModelError, NoModelError, TooLargeError, UnreadableError
from bot.images import opened, scratch
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
MOST_HELD = 50
"""Files in one file that are read with it, pictures as well."""
DEEPEST = 2
"""How deep a file may lie in files that lie in files."""
LEAST_CONFIDENCE = 0.3
"""Below it what an OCR says of a picture is noise: a photograph of leaves reads as letters too."""


class Reader:
    """Reads files."""

    def __init__(self, sandbox: Sandbox, models: Models, limits: LimitSettings) -> None:
        """Use `sandbox` for foreign bytes and the `ocr` slot of `models` for pictures."""
        self._sandbox = sandbox
        self._models = models
        self._limits = limits

    async def look(self, path: Path, *, name: str) -> Document:
        """Return what the file at `path` says by itself: its pictures, scanned pages and the files in it are yet to be read.

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
        return await self._sandbox.call_as(Document, "bot.retrieval.parsers:read", arguments)

    async def read(self, path: Path, *, name: str) -> Document:
        """Return what the file at `path` holds, the files in it as well. Raises as `look` and `whole`."""
        return await self.whole(path, await self.look(path, name=name), name=name)

    async def whole(self, path: Path, document: Document, *, name: str, depth: int = 0) -> Document:
        """Return `document`, which `look` has made of the file at `path`, with what its pictures, scans and the files in it say.

        Raises:
            UnreadableError: it is all pictures, and there is no text in them.
        """
        if document.kind == "image":
            said, arrived = await self._seen(path)
            if not said:
                raise UnreadableError(
                    _("There is no text in {name} that I can read. /caption says what a picture shows.", name=clean(name))
                )
            return replace(document, blocks=(Block("text", said),), arrived=arrived)
        if document.unread:
            document = await self._with_scans(path, document)
        if any(block.kind == "file" for block in document.blocks):
            document = replace(document, blocks=tuple([block async for block in self._with_files(path, document, depth)]))
        if not any(block.text.strip() for block in document.blocks):
            if document.kind == "zip":
                raise nothing_in(name)
            raise UnreadableError(
                _(
                    "The pages of {name} are scans without text, and I could not read them. Nothing was kept; "
                    "please send it with text, or photos of the pages.",
                    name=clean(name),
                )
            )
        return document

    @asynccontextmanager
    async def held(self, path: Path, block: Block) -> AsyncIterator[tuple[Path, bool]]:
        """Give the file that `block` names in the file at `path`, and whether it is a picture. Raises as `bot.retrieval.held.take`."""
        async with scratch(self._sandbox) as folder:
            out = folder / "held"
            arguments: dict[str, Json] = {
                "path": str(path), "name": block.text, "place": block.place, "out": str(out),
                "most_bytes": self._limits.file_mb * MEBIBYTE,
            }  # fmt: skip
            yield out, await self._sandbox.call_as(bool, "bot.retrieval.held:take", arguments)

    async def _with_files(self, path: Path, document: Document, depth: int) -> AsyncIterator[Block]:
        """Yield the blocks of `document` with what the files in it say in their places; what cannot be read of these is left out."""
        seen: set[int] = set()
        lost_s = 0.0
        for block in document.blocks:
            if block.kind != "file":
                yield block
            elif block.place not in seen and len(seen) < MOST_HELD and depth < DEEPEST and lost_s < self._limits.parser_seconds:
                seen.add(block.place)
                begun = time.monotonic()
                try:
                    inner = await self._of_file(path, block, depth)
                except (InputError, ModelError):  # the document says what it says without
                    lost_s += time.monotonic() - begun
                    continue
                for one in inner:
                    yield one

    async def _of_file(self, path: Path, block: Block, depth: int) -> Sequence[Block]:
        """Return what the file that `block` names says, under its name where it has one."""
        async with self.held(path, block) as (file, is_picture):
            if is_picture:
                said = await self._picture(file) if self._models.live(OCR) else ""
                blocks: Sequence[Block] = [Block("text", said, page=block.page)] if said else []
            else:
                document = await self.whole(file, await self.look(file, name=block.text), name=block.text, depth=depth + 1)
                blocks = [replace(one, level=one.level + block.level, page=None) for one in document.blocks]
        return [Block("heading", block.text, block.level, block.page), *blocks] if blocks and block.text else blocks

    async def _picture(self, path: Path) -> str:
        """Return the text in a picture, "" where there is none. Raises NoModelError where nothing can read pictures."""
        said, _arrived = await self._seen(path)
        return said

    async def _seen(self, path: Path) -> tuple[str, float]:
        """Return the same, and the share of the picture that its file holds."""
        async with opened(self._sandbox, path, megapixels=self._limits.image_megapixels) as picture:
            if picture.look.kind == "even":
                return "", picture.arrived
            (reading,) = await self._models.run(OCR, [ImageFile(picture.path)], bulk=True)
        return (clean(reading.text).strip() if reading.confidence >= LEAST_CONFIDENCE else ""), picture.arrived

    async def _with_scans(self, path: Path, document: Document) -> Document:
        """Return `document` with what its scanned pages say, as far as there is a model that reads it."""
        if not self._models.live(OCR):
            return document
        blocks = list(document.blocks)
        async with scratch(self._sandbox) as folder:
            for page in document.unread[:MOST_SCANS]:
                out = folder / f"{page}.png"
                try:
                    await self._sandbox.call_as(
                        bool, "bot.retrieval.parse_pdf:render", {"path": str(path), "page": page, "out": str(out)}
                    )
                    said = await self._picture(out)
                except (InputError, NoModelError):  # what was read by then is kept; another page like this may take as long again
                    break
                blocks += [Block("text", said, page=page)] if said else []
        return replace(document, blocks=tuple(sorted(blocks, key=lambda block: block.page or 0)))


def nothing_in(name: str) -> UnreadableError:
    """Return the error for an archive of which no file can be read."""
    return UnreadableError(
        _("I could read none of the files in {name}. Nothing was kept; please send one of them, and I say why.", name=clean(name))
    )


def as_written(text: str) -> str:
    """Return a text that somebody sent without what is never seen."""
    return clean(text)
