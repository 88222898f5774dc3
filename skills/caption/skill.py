"""Caption: what a picture shows, as far as it can be known: a captioner's words, the text in it, and what its pixels tell.

Owns: asking the models, and keeping what was found so that the picture is found by it. Leaves to `skills.caption.words`
the sentences, to `bot.images` the pixels. Nothing is said that no model, field or measure supports.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Final

from bot.errors import InputError, ModelError, ParingError
from bot.images import Examined, opened
from bot.locale import Text, phrases
from bot.message import Attachment, AttachmentKind, Message, Reply
from bot.models.tasks import CAPTION, OCR, TRANSLATE, Caption, ImageFile, Reading, TranslationInput
from bot.passage import MESSAGE
from bot.skill import CommandSpec, Kit, Request, Slot
from bot.text.links import held_links_only
from bot.text.shown import isolated, literal, named
from skills.caption.words import Seen, describe, index_text, title_of, uncaptioned

_ = phrases(__file__)

MOST_FILES: Final = 10
LONGEST_TITLE: Final = 80
"""Characters of a file's name over what was found in it."""
LEAST_CONFIDENCE: Final = 0.6
"""Text that was read with less is neither told as text nor kept."""
LEAST_LETTERS: Final = 3


class Captions:
    """Describes pictures."""

    name = "caption"
    title = _("Describe the picture")
    summary = _("I describe a picture: what it shows, the text in it, its colours.")
    slots: tuple[Slot[ImageFile, Caption] | Slot[ImageFile, Reading], ...] = (CAPTION, OCR)
    takes: frozenset[AttachmentKind] = frozenset({"image"})
    commands = (CommandSpec("caption", _("Describe a picture"), aliases=("설명", "describe")),)

    def __init__(self, kit: Kit) -> None:
        """Use the kit's models, library, blobs and sandbox."""
        self._kit = kit

    def claims(self, message: Message) -> bool:
        """Claim a picture; where words came with it, dispatch weighs them first."""
        return any(file.kind == "image" for file in message.attachments)

    async def answer(self, request: Request) -> Reply:
        """Describe the pictures that came with the message or with the one it replies to, and keep what was found.

        Raises:
            InputError: the only picture cannot be read.
        """
        files = [file for file in request.files if file.kind == "image"]
        if not files:
            said = (
                _("That is not a picture. I describe photos and screenshots; /sum shortens documents.")
                if request.files
                else _("Send a picture, or answer one with /caption, and I describe it.")
            )
            return request.reply(said, skill=self.name)
        said_of: list[str] = []
        missing: Text | None = None
        for number, file in enumerate(files[:MOST_FILES], 1):
            if len(files) > 1:
                await request.tell(_("I am looking at picture {number} of {count}.", number=number, count=len(files)))
            try:
                told, why = await self._describe(file, request, alone=len(files) == 1)
                said_of.append(told)
                missing = missing or why
            except InputError as error:
                if len(files) == 1:
                    raise
                said_of.append(
                    f"**{literal(isolated(named(file.name)[:LONGEST_TITLE]))}**\n{error.text.markdown(request.language)}"
                )
        if len(files) > MOST_FILES:
            said_of.append(_("I looked at the first {most}; please send the others again.", most=MOST_FILES).to(request.language))
        if missing is not None and len(files) > 1:
            said_of.append(uncaptioned(missing).to(request.language))
        models = [live for live in (self._kit.models.live(CAPTION), self._kit.models.live(OCR)) if live]
        return request.reply("\n\n".join(said_of), skill=self.name, model=" + ".join(models))

    async def _describe(self, file: Attachment, request: Request, *, alone: bool) -> tuple[str, Text | None]:
        """Return what is said of a picture, and why it has no caption."""
        path = self._kit.blobs.path(file.blob)
        limit = self._kit.settings.limits.image_megapixels
        async with AsyncExitStack() as stack:
            with request.stopwatch("decode"):
                picture = await stack.enter_async_context(opened(self._kit.sandbox, path, megapixels=limit))
            caption, missing = await self._caption(picture, request)
            reading, doubtful = await self._reading(picture, request)
        translated = await self._translated(caption, request)
        seen = Seen(picture, caption, translated, missing, reading, doubtful)
        kept = await self._keep(seen, file, request)
        title = "" if alone else literal(isolated(named(file.name)[:LONGEST_TITLE]))
        return describe(seen, request.language, title=title, kept=kept), missing

    async def _caption(self, picture: Examined, request: Request) -> tuple[str, Text | None]:
        """Return the captioner's words, and why there are none."""
        if picture.look.kind == "even":
            return "", None  # a model would make something up
        try:
            with request.stopwatch("caption"):
                (caption,) = await self._kit.models.run(CAPTION, [ImageFile(picture.path)])
        except ModelError as error:
            return "", error.text
        return held_links_only(caption.text, ()), None

    async def _reading(self, picture: Examined, request: Request) -> tuple[Reading | None, bool]:
        """Return the text in the picture, None where nothing reads, and whether it is too doubtful to be told."""
        if picture.look.kind == "even" and self._kit.models.live(OCR):
            return Reading(
                "", 0.0, "", ()
            ), False  # no letter stands out, and looking for one takes a large picture's time and memory
        try:
            with request.stopwatch("ocr"):
                (reading,) = await self._kit.models.run(OCR, [ImageFile(picture.path)])
        except ModelError:
            return None, False
        letters = sum(letter.isalnum() for letter in reading.text)
        if letters < LEAST_LETTERS:
            return Reading("", 0.0, reading.engine, reading.languages), False
        return reading, reading.confidence < LEAST_CONFIDENCE

    async def _translated(self, caption: str, request: Request) -> str:
        """Return the caption in the asker's language where a translator is there; captioners speak English."""
        if not caption or request.language == "en":
            return ""
        try:
            with request.stopwatch("translate"):
                (said,) = await self._kit.models.run(TRANSLATE, [TranslationInput(caption, "en", request.language)])
        except ParingError:
            return ""
        return held_links_only(said, ())

    async def _keep(self, seen: Seen, file: Attachment, request: Request) -> bool:
        """Keep caption and text in the chat's scope; say whether the picture can be found by them."""
        text = index_text(seen, request.language)
        if not text:
            return False
        message = _carrier(request.message, file)
        address = message.address
        link = f"{MESSAGE}{address.channel}/{address.account}/{address.chat}/{message.id}"
        title = title_of(seen, file.name, message.sent_at, request.language)
        try:
            with request.stopwatch("keep"):
                await self._kit.library.add_text(
                    text, request.home, title=title, link=link, key=f"image:{file.blob}", sender=message.sender
                )
        except ParingError:  # the description is worth telling even so; it is only not called kept
            return False
        return True


def build(kit: Kit) -> Captions:
    """Return the skill; named in the entry-point group `paring.skills`."""
    return Captions(kit)


def _carrier(message: Message, file: Attachment) -> Message:
    """Return the message that holds the picture: this one, or the one that it replies to."""
    return message.reply_to if message.reply_to is not None and file in message.reply_to.attachments else message
