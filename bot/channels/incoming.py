"""What channels share about what comes in: commands typed with a slash, kinds of files, names and texts made harmless.

Owns nothing of any platform. Leaves to a channel where the text and the file came from.

    parse_command("/sum 50")           # Command("sum", "50")
    kind_of("", name="photo.HEIC")     # "image"
"""

from __future__ import annotations

import mimetypes
import re
import unicodedata

from bot import lazy
from bot.language import NAMING, of_order
from bot.message import AttachmentKind, Command, Message
from bot.text.normal import normal

LONGEST_NAME = 200
"""Characters of an attachment's name: folders keep more than a file system's 255 bytes would hold in Hangul."""

_COMMAND = lazy.compile(r"/([a-z가-힣][a-z0-9_가-힣]{0,31})(?:\s+(.*))?", re.DOTALL | re.IGNORECASE)
_NUMBER = lazy.compile(r"[#!]([1-9][0-9]?)")
_TYPES_UNKNOWN_TO_PYTHON = {
    ".avif": "image/avif",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".eml": "message/rfc822",
    ".flac": "audio/flac",
    ".heic": "image/heic",
    ".m4a": "audio/mp4",
    ".md": "text/markdown",
    ".oga": "audio/ogg",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".webp": "image/webp",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_ANYTHING = "application/octet-stream"
_DRAWINGS = frozenset({"image/svg+xml", "image/vnd.dxf", "image/vnd.dwg"})
"""Images by name that no picture model reads: they are documents."""
_LONE = lazy.compile("[\ud800-\udfff]")
_MEDIA_TYPE = lazy.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,127}")


def parse_command(text: str) -> Command | None:
    """Return the command that `text` is, None for any other text: a path (`/etc/hosts`) is none."""
    found = _COMMAND.fullmatch(text.strip())
    return Command(found[1].lower(), (found[2] or "").strip()) if found else None


def typed_order(text: str) -> Command | None:
    """Return the command that is typed as `!sum 50`, too: where a client takes a slash for its own, nobody can send one."""
    said = text.strip()
    return parse_command(f"/{said[1:]}" if said.startswith("!") else said)


def pressed_number(text: str) -> int:
    """Return the number of the button that is pressed by writing `#2` or `!2`, 0 for any other words."""
    found = _NUMBER.fullmatch(text.strip())
    return int(found[1]) if found else 0


def telling_words(message: Message) -> str:
    """Return the words that tell the message's language: of a command what is said after it."""
    if message.command is None or of_order(message.text) or message.command.name in NAMING:
        return message.text
    return message.command.args


def media_type_of(name: str, *, declared: str = "") -> str:
    """Return `declared` where it says anything, else what the extension of `name` stands for."""
    plain = declared.partition(";")[0].strip().lower()
    if plain != _ANYTHING and _MEDIA_TYPE.fullmatch(plain):
        return plain
    extension = "." + name.rpartition(".")[2].lower() if "." in name else ""
    return _TYPES_UNKNOWN_TO_PYTHON.get(extension) or mimetypes.guess_type(f"file{extension}")[0] or _ANYTHING


def kind_of(media_type: str, *, name: str = "") -> AttachmentKind:
    """Return which kind of attachment a file is, by its media type or, where that says nothing, by its name."""
    known = media_type_of(name, declared=media_type)
    family = known.partition("/")[0]
    if family == "image":
        return "document" if known in _DRAWINGS else "image"
    if family == "audio":
        return "audio"
    return "video" if family == "video" else "document"


def clean_text(text: str) -> str:
    """Return `text` without NUL, and with U+FFFD in the place of lone surrogates: what every encoder and database takes."""
    return _LONE.sub("\ufffd", text.replace("\0", ""))


def clean_name(name: str) -> str:
    """Return a relative name with `/` between folders: no `..`, no drive, no control or direction-changing character.

    The folders stay, because two files of one name in two folders are two documents. "file" where nothing is left.
    """
    visible = "".join(letter for letter in clean_text(name) if unicodedata.category(letter) not in {"Cc", "Cf"})
    parts = [part.strip() for part in normal("NFC", visible).replace("\\", "/").split("/")]
    kept = [part for part in parts if part.strip(". ") and not re.fullmatch(r"[A-Za-z]:", part)]
    return "/".join(kept)[-LONGEST_NAME:].lstrip("/") or "file"
