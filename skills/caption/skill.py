"""Caption: what a picture shows, as far as it can be known: a captioner's words, the text in it, and what its pixels tell.

Owns: asking the models, keeping what was found so that the picture is found by it, and answering a question that comes with it by
its text, where that answers. Leaves to `skills.caption.words` the sentences, to `bot.images` the pixels. Nothing is said that no
model, field or measure supports.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

from bot.errors import InputError, ModelError, ParingError
from bot.images import Examined, opened
from bot.locale import Text, phrases
from bot.message import Attachment, AttachmentKind, Button, Command, Message, Reply
from bot.models.tasks import CAPTION, OCR, TRANSLATE, Caption, ImageFile, Reading, TranslationInput
from bot.passage import MESSAGE, Hit
from bot.skill import CommandSpec, Kit, Request, Slot
from bot.text.links import held_links_only
from bot.text.shown import isolated, literal, named
from skills.caption.asked import question_in
from skills.caption.quoting import quote, source, text_part
from skills.caption.words import Seen, describe, index_text, title_of, uncaptioned

_ = phrases(__file__)

MOST_FILES: Final = 10
LONGEST_TITLE: Final = 80
"""Characters of a file's name over what was found in it."""
LEAST_CONFIDENCE: Final = 0.6
"""Text that was read with less is neither told as text nor kept."""
LEAST_LETTERS: Final = 3
NOTHING: Final = Text("")


@dataclass(frozen=True, slots=True)
class _Looked:
    """A picture, what was seen of it (None and why, where it cannot be read), and the document that this is kept as."""

    file: Attachment
    seen: Seen | None = None
    document: int | None = None
    error: Text = NOTHING


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
        looked = await self._looked(files, request)
        if answer := await self._answered(looked, request):
            return answer
        said_of: list[str] = []
        missing: Text | None = None
        for one in looked:
            title = "" if len(files) == 1 else literal(isolated(named(one.file.name)[:LONGEST_TITLE]))
            if one.seen is None:
                said_of.append(f"**{title}**\n{one.error.markdown(request.language)}")
                continue
            said_of.append(describe(one.seen, request.language, title=title, kept=one.document is not None))
            missing = missing or one.seen.missing
        if len(files) > MOST_FILES:
            said_of.append(_("I looked at the first {most}; please send the others again.", most=MOST_FILES).to(request.language))
        if missing is not None and len(files) > 1:
            said_of.append(uncaptioned(missing).to(request.language))
        models = [live for live in (self._kit.models.live(CAPTION), self._kit.models.live(OCR)) if live]
        return request.reply("\n\n".join(said_of), skill=self.name, model=" + ".join(models))

    async def _looked(self, files: Sequence[Attachment], request: Request) -> list[_Looked]:
        """Look at the pictures, one after the other. Raises InputError where the only one cannot be read."""
        looked: list[_Looked] = []
        for number, file in enumerate(files[:MOST_FILES], 1):
            if len(files) > 1:
                await request.tell(_("I am looking at picture {number} of {count}.", number=number, count=len(files)))
            try:
                looked.append(await self._see(file, request))
            except InputError as error:
                if len(files) == 1:
                    raise
                looked.append(_Looked(file, error=error.text))
        return looked

    async def _answered(self, looked: Sequence[_Looked], request: Request) -> Reply | None:
        """Return the answer of a picture's text to the question that came with it; None where nothing is asked, or it does not answer."""
        asked = question_in(request.text) if request.by_files and request.message.command is None else ""
        read = {one.document: one.seen for one in looked if one.document is not None and one.seen is not None and one.seen.text}
        if not asked or not read:
            return None
        try:
            with request.stopwatch("search"):
                hits = await self._kit.library.search_in(asked, read, request.scopes, k=1)
        except ParingError:  # the description is worth telling even so
            return None
        for hit, seen in itertools.product(hits, read.values()):
            if (part := text_part(seen, hit)) is not None:
                return self._quoted(seen, hit, part, request)
        return None

    def _quoted(self, seen: Seen, hit: Hit, part: tuple[int, int], request: Request) -> Reply:
        return request.reply(
            quote(seen, hit, part, request.language),
            skill=self.name,
            model=self._kit.models.live(OCR),
            buttons=[
                Button(_("All of its text").to(request.language), Command("ocr")),
                Button(self.title.to(request.language), Command("caption")),
            ],
            sources=[source(hit, part)],
        )

    async def _see(self, file: Attachment, request: Request) -> _Looked:
        """Return what is seen of a picture, and keep it."""
        path = self._kit.blobs.path(file.blob)
        limit = self._kit.settings.limits.image_megapixels
        async with AsyncExitStack() as stack:
            with request.stopwatch("decode"):
                picture = await stack.enter_async_context(opened(self._kit.sandbox, path, megapixels=limit))
            caption, missing = await self._caption(picture, request)
            reading, doubtful = await self._reading(picture, request)
        translated = await self._translated(caption, request)
        seen = Seen(picture, caption, translated, missing, reading, doubtful)
        return _Looked(file, seen, await self._keep(seen, file, request))

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

    async def _keep(self, seen: Seen, file: Attachment, request: Request) -> int | None:
        """Keep caption and text in the chat's scope; return the document, None where the picture cannot be found by them."""
        text = index_text(seen, request.language)
        if not text:
            return None
        message = _carrier(request.message, file)
        address = message.address
        link = f"{MESSAGE}{address.channel}/{address.account}/{address.chat}/{message.id}"
        title = title_of(seen, file.name, message.sent_at, request.language)
        try:
            with request.stopwatch("keep"):
                added = await self._kit.library.add_text(
                    text, request.home, title=title, link=link, key=f"image:{file.blob}", sender=message.sender
                )
        except ParingError:  # the description is worth telling even so; it is only not called kept
            return None
        return added.document


def build(kit: Kit) -> Captions:
    """Return the skill; named in the entry-point group `paring.skills`."""
    return Captions(kit)


def _carrier(message: Message, file: Attachment) -> Message:
    """Return the message that holds the picture: this one, or the one that it replies to; of a button, what its own replies to."""
    at: Message | None = message
    while at is not None and file not in at.attachments:
        at = at.reply_to
    return at or message
