"""Ocr: the text in a picture or a scanned PDF, as text, with the engine and how sure it is.

Owns: which files are read, and how the text is shown. Leaves the decoding to `bot.images`, the reading to the model in
the slot `ocr`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.errors import InputError
from bot.image_pages import Book, rendered
from bot.images import cut_off, opened
from bot.locale import Language, Text, phrases
from bot.message import Attachment, AttachmentKind, Message, Reply
from bot.models.tasks import OCR, ImageFile, Reading
from bot.refusing import refused
from bot.skill import CommandSpec, Kit, Request, Slot
from bot.text.shown import isolated, literal, named

_ = phrases(__file__)

MOST_FILES: Final = 10
LONGEST_TITLE: Final = 80
"""Characters of a file's name over what was found in it."""
MOST_PAGES: Final = 10
SURE: Final = 0.8
"""Mean confidence under which a sharper picture is asked for. Right readings of made pictures had .89 to .97, wrong ones under .8."""
ENGINES: Final = {"tesseract": "Tesseract", "rapidocr": "RapidOCR"}
NAMES: Final[dict[str, Text]] = {"ko": _("Korean"), "en": _("English")}


@dataclass(frozen=True, slots=True)
class _Piece:
    """What was read of one picture or page. `arrived` is under 1 for a file that is cut off."""

    title: str
    reading: Reading
    arrived: float = 1.0
    own: bool = False
    """True for the text that a page of a PDF carries itself: nothing was guessed."""


class Ocr:
    """Reads text in pictures."""

    name = "ocr"
    title = _("Read the text")
    summary = _("I read the text in a picture, a screenshot or a scanned page.")
    slots: tuple[Slot[ImageFile, Reading], ...] = (OCR,)
    takes: frozenset[AttachmentKind] = frozenset({"image", "document"})
    commands = (CommandSpec("ocr", _("Read the text in a picture"), aliases=("글자", "text")),)

    def __init__(self, kit: Kit) -> None:
        """Use the kit's models, blobs and sandbox."""
        self._kit = kit

    def claims(self, message: Message) -> bool:
        """Claim nothing: a bare photo is the caption's, which reads its text as well; this skill is asked for."""
        del message
        return False

    async def answer(self, request: Request) -> Reply:
        """Return the text of the pictures that came with the message or with the one it replies to.

        Raises:
            InputError: the only picture cannot be read.
            NoModelError: no reader is installed.
        """
        files = [file for file in request.files if file.kind == "image" or _is_pdf(file)]
        if not files:
            return request.reply(_no_picture(request.files), skill=self.name)
        pieces: list[_Piece | str] = []
        for number, file in enumerate(files[:MOST_FILES], 1):
            if len(files) > 1:
                await request.tell(_("I am reading picture {number} of {count}.", number=number, count=len(files)))
            try:
                pieces += await self._pieces(file, request, alone=len(files) == 1)
            except InputError as error:
                if len(files) == 1:
                    raise
                pieces.append(refused(file, error).markdown(request.language))
        if len(files) > MOST_FILES:
            pieces.append(_("I read the first {most}; please send the others again.", most=MOST_FILES).to(request.language))
        said = [piece if isinstance(piece, str) else _show(piece, request.language) for piece in pieces]
        read = [piece for piece in pieces if isinstance(piece, _Piece) and not piece.own]
        model = self._kit.models.live(OCR) if read else ""
        return request.reply("\n\n".join([*said, *_notes(read, request.language)]), skill=self.name, model=model)

    async def _pieces(self, file: Attachment, request: Request, *, alone: bool) -> list[_Piece]:
        path = self._kit.blobs.path(file.blob)
        title = "" if alone else literal(isolated(named(file.name)[:LONGEST_TITLE]))
        async with AsyncExitStack() as stack:
            if _is_pdf(file):
                with request.stopwatch("decode"):
                    book = await stack.enter_async_context(rendered(self._kit.sandbox, path, count=MOST_PAGES))
                return await self._book(book, title, request)
            with request.stopwatch("decode"):
                limit = self._kit.settings.limits.image_megapixels
                picture = await stack.enter_async_context(opened(self._kit.sandbox, path, megapixels=limit))
            return [_Piece(title, await self._read(picture.path, request), arrived=picture.arrived)]

    async def _book(self, book: Book, title: str, request: Request) -> list[_Piece]:
        """Read the pages one after another, so that other questions come between them."""
        pieces = []
        for page in book.pages:
            name = _("page {number} of {total}", number=page.number, total=book.total).to(request.language)
            name = f"{title}, {name}" if title else name
            if page.image is None:
                pieces.append(_Piece(name, Reading(page.text, 1.0, "", ()), own=True))
                continue
            await request.tell(_("I am reading page {number} of {total}.", number=page.number, total=book.total))
            pieces.append(_Piece(name, await self._read(page.image, request)))
        return pieces

    async def _read(self, image: Path, request: Request) -> Reading:
        with request.stopwatch("ocr"):
            (reading,) = await self._kit.models.run(OCR, [ImageFile(image)])
        return reading


def build(kit: Kit) -> Ocr:
    """Return the skill; named in the entry-point group `paring.skills`."""
    return Ocr(kit)


def _show(piece: _Piece, language: Language) -> str:
    """Return what was read as a block that keeps its lines, under its title, over how it was read."""
    head = [f"**{piece.title}**"] if piece.title else []
    reading = piece.reading
    if not reading.text.strip():
        return "\n".join(
            [*head, _("I read no text in it. If there is some, please send a larger or sharper picture.").to(language)]
        )
    block = "```\n" + reading.text.strip().replace("```", "\u2018\u2018\u2018") + "\n```"
    if piece.own:
        return "\n".join([*head, block, _("*This is the PDF's own text: nothing had to be read.*").to(language)])
    told = _(
        "*Read by {engine} ({languages}), confidence {percent} %.*",
        engine=ENGINES.get(reading.engine, reading.engine),
        languages=", ".join(NAMES[name].to(language) if name in NAMES else name for name in reading.languages),
        percent=round(100 * reading.confidence),
    )
    lines = [*head, block, told.to(language)]
    if reading.confidence < SURE:
        lines.append(
            _("I am not sure of this. A sharper picture, cut to the text and taken straight from the front, would help.").to(
                language
            )
        )
    return "\n".join(lines)


def _notes(pieces: Sequence[_Piece], language: Language) -> list[str]:
    """Return what is to be known about all pieces: a cut file, a reader without Korean."""
    notes = []
    if any(piece.arrived < 1 for piece in pieces):
        notes.append(cut_off(min(piece.arrived for piece in pieces)).to(language))
    if any("ko" not in piece.reading.languages for piece in pieces):
        text = _(
            "This reader knows no Hangul. An admin can type: sudo apt install tesseract-ocr tesseract-ocr-kor, and start again."
        )
        notes.append(text.to(language))
    return notes


def _no_picture(files: Sequence[Attachment]) -> Text:
    if files:
        return _("That is not a picture. I read text in pictures and scanned PDFs; /sum shortens documents.")
    return _("Send a picture with /ocr under it, or answer one with /ocr, and I write down the text in it.")


def _is_pdf(file: Attachment) -> bool:
    return file.media_type == "application/pdf" or file.name.lower().endswith(".pdf")
