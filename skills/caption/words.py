"""The sentences of the caption skill: what was seen of a picture, said without more certainty than there is.

Owns: the order, the wording, and what is kept for the search. Leaves the finding to `skills.caption.skill`.

    describe(seen, "en", title="", kept=True)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot import lazy
from bot.image_look import Look
from bot.images import Examined
from bot.locale import Language, Text, phrases
from bot.models.tasks import Reading

_ = phrases(__file__)

COLOURS: Final[dict[str, Text]] = {
    "black": _("black"), "white": _("white"), "grey": _("grey"), "red": _("red"), "orange": _("orange"), "yellow": _("yellow"),
    "green": _("green"), "turquoise": _("turquoise"), "light blue": _("light blue"), "blue": _("blue"), "navy": _("navy"),
    "purple": _("purple"), "pink": _("pink"), "brown": _("brown"), "beige": _("beige"),
}  # fmt: skip
KINDS: Final[dict[str, Text]] = {
    "photo": _("Photo"), "screenshot": _("Screenshot"), "page": _("Picture"), "graphic": _("Picture"), "even": _("Picture"),
    "unknown": _("Picture"),
}  # fmt: skip
ENGINES: Final = {"tesseract": "Tesseract", "rapidocr": "RapidOCR"}
KEPT: Final = _("*It is kept in this chat's index: search for what is in it to find it again.*")
DARK_BELOW: Final = 0.3
SHOWN_LINES: Final = 14
SHOWN_CHARACTERS: Final = 1200
GENERIC_NAME: Final = lazy.compile(
    r"((photo|image|img|dsc|pxl|picture|file|blob|screenshot|kakaotalk)([-_ ]?(?=\S*\d)[\w-]+)?"
    r"|(pasted|clipboard)[-_ ]?image|[\d_ -]+)(\.\w{2,5})?",
    re.IGNORECASE,
)
"""Names that a camera or a platform gives: they say nothing."""


@dataclass(frozen=True, slots=True)
class Seen:
    """All that was found out about a picture. `reading` is None where there is no reader, `missing` why there is no caption."""

    picture: Examined
    caption: str = ""
    translated: str = ""
    missing: Text | None = None
    reading: Reading | None = None
    doubtful: bool = False
    """True where there seems to be text, but what was read of it is not worth telling."""

    @property
    def text(self) -> str:
        """The text in it, "" where none was read that is worth telling."""
        return self.reading.text.strip() if self.reading is not None and not self.doubtful else ""


def describe(seen: Seen, language: Language, *, title: str, kept: bool) -> str:
    """Return the answer: the caption, what can be told, the text, and whether it can be found again.

    Without a caption the text, where there is any, comes first, and why there is none last; of one among several (`title`) that is left out.
    """
    parts = [f"**{title}**"] if title else []
    facts = "\n".join(f"- {fact.to(language)}" for fact in _facts(seen))
    text = [part.to(language) if isinstance(part, Text) else part for part in _text(seen)]
    if seen.missing is not None and seen.text:
        why = [] if title else [_("What else it shows I cannot tell. {why}", why=seen.missing).to(language)]
        parts += [*text, facts, *why]
    else:
        parts += [_said(seen, alone=not title).to(language), facts, *text]
    if kept:
        parts.append(KEPT.to(language))
    return "\n\n".join(parts)


def uncaptioned(why: Text) -> Text:
    """Return what is said once below several pictures of which none has a caption."""
    return _("What pictures show I cannot tell. {why}", why=why)


def index_text(seen: Seen, language: Language) -> str:
    """Return what the search finds the picture by, "" where nothing in it has words."""
    words = [seen.caption, seen.translated, seen.text]
    if not any(words):
        return ""
    colours = ", ".join(COLOURS[colour.name].to(language) for colour in seen.picture.look.colours)
    kind = KINDS[seen.picture.look.kind].to(language)
    return "\n".join([*(word for word in words if word), f"{kind}: {colours}" if colours else kind])


def title_of(seen: Seen, name: str, sent_at: datetime, language: Language) -> str:
    """Return the file's own name where a person gave it one, else what it is and when it came: `Photo, 2026-11-23 14:02`."""
    if name and not GENERIC_NAME.fullmatch(name):
        return name
    return f"{KINDS[seen.picture.look.kind].to(language)}, {sent_at:%Y-%m-%d %H:%M}"


def _said(seen: Seen, *, alone: bool) -> Text:
    if seen.translated:
        return _(
            "The captioner sees: **{translated}** (in its own words: “{caption}”)",
            translated=seen.translated,
            caption=seen.caption,
        )
    if seen.caption:
        return _("The captioner sees: **{caption}**", caption=seen.caption)
    if seen.picture.look.kind == "even":
        return _("There is nothing in it to describe. What can be told:")
    if seen.missing is not None:
        if not alone:
            return _("What it shows I cannot tell. What can be told:")
        return _("What it shows I cannot tell. {why} What can be told without one:", why=seen.missing)
    return _("The captioner found no words for it. What can be told without it:")


def _facts(seen: Seen) -> list[Text]:
    picture, told = seen.picture, seen.picture.inspection
    kind = _kind(picture.look, camera=told.camera, has_text=bool(seen.text))
    facts = [kind] if kind is not None else []
    if told.taken_at:
        facts.append(_("Taken at {moment}, by the camera's clock", moment=told.taken_at.replace("T", " ")[:16]))
    if picture.look.colours:
        facts.append(_colours(picture.look))
    if picture.look.kind == "photo" and picture.look.brightness < DARK_BELOW:
        facts.append(_("It is dark"))
    if picture.look.blurred:
        facts.append(_("It is blurred: no edge in it is sharp"))
    size = {"width": told.width, "height": told.height, "shape": _shape(told.width, told.height), "format": told.format}
    facts.append(_("{width} × {height} pixels, {shape}, {format}", **size))
    if told.frames > 1:
        facts.append(_("It has {frames} frames or pages; I looked at the first", frames=told.frames))
    if picture.arrived < 1:
        facts.append(_("The file is cut off: only the upper {percent} % arrived", percent=round(100 * picture.arrived)))
    return facts


def _kind(look: Look, *, camera: str, has_text: bool) -> Text | None:
    """Return the kind with the evidence for it: certain only where the file itself says so."""
    if look.kind == "photo" and look.certain:
        return (
            _("A photo, taken with {camera}", camera=camera)
            if camera != "?"
            else _("A photo: the file holds a camera's settings")
        )
    if look.kind == "screenshot":
        return (
            _("A screenshot: the file says so")
            if look.certain
            else _("Most likely a screenshot: it has the size of a screen, and large even areas")
        )
    return {
        "photo": _("Most likely a photo: its colours are very many and blend into each other"),
        "page": _("Mostly white with text, like a page or a window") if has_text else _("Mostly white"),
        "graphic": _("A drawing or a part of a screen: large even areas in few colours"),
        "even": _("One even colour: there is nothing in it to see"),
    }.get(look.kind)


def _colours(look: Look) -> Text:
    """Return up to three colours with their shares, as one sentence of nested sentences."""
    shown = [_("{colour} {percent} %", colour=COLOURS[one.name], percent=round(100 * one.share)) for one in look.colours[:3]]
    if len(shown) == 1:
        return _("Colour: {first}", first=shown[0])
    if len(shown) == 2:  # noqa: PLR2004 - two
        return _("Colours: {first}, {second}", first=shown[0], second=shown[1])
    return _("Colours: {first}, {second}, {third}", first=shown[0], second=shown[1], third=shown[2])


def _shape(width: int, height: int) -> Text:
    if abs(width - height) <= max(width, height) // 50:
        return _("square")
    return _("landscape") if width > height else _("portrait")


def _text(seen: Seen) -> list[Text | str]:
    if seen.reading is None:
        return []
    if seen.doubtful:
        return [_("There may be text in it that I cannot make out. Send it larger or sharper with /ocr under it.")]
    if not seen.text:
        return [_("I read no text in it.")]
    told = _(
        "Text in it (read by {engine}, confidence {percent} %):",
        engine=ENGINES.get(seen.reading.engine, seen.reading.engine),
        percent=round(100 * seen.reading.confidence),
    )
    shown = "\n".join(seen.text.splitlines()[:SHOWN_LINES])[:SHOWN_CHARACTERS]
    block = "```\n" + shown.replace("```", "\u2018\u2018\u2018") + "\n```"
    return (
        [told, block] if shown == seen.text else [told, block, _("There is more; /ocr in answer to the picture gives all of it.")]
    )
