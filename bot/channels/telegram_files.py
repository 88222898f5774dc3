"""What came with a Telegram message, as attachments: what kind, how called, how large, and by which id it is fetched.

Owns which of a photo's sizes is taken. Leaves the download to `telegram.py`.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePosixPath
from typing import TypeAlias

from telegram import Animation, Audio, Document, ExternalReplyInfo, PhotoSize, Sticker, Video, VideoNote, Voice
from telegram import Message as TelegramMessage

from bot.channels.incoming import clean_name, kind_of, media_type_of
from bot.channels.rich_text import clean
from bot.message import Attachment, AttachmentKind

LARGEST = 2**53
"""Bytes: what no file has."""
_File: TypeAlias = Animation | Audio | Document | PhotoSize | Sticker | Video | VideoNote | Voice


def attachments_of(said: TelegramMessage | ExternalReplyInfo, download_bytes: int) -> tuple[Attachment, ...]:
    """Return the message's file, if it has one: a Telegram message has at most one."""
    if said.photo:
        return (_photo(said.photo, said.date if isinstance(said, TelegramMessage) else said.origin.date, download_bytes),)
    if said.sticker:
        sticker = said.sticker
        kind = "video/webm" if sticker.is_video else "application/x-tgsticker" if sticker.is_animated else "image/webp"
        return (_attachment("sticker", clean(sticker.emoji or "sticker"), kind, sticker),)
    if said.voice:
        voice = said.voice
        return (_attachment("audio", "voice.ogg", _type(voice.mime_type) or "audio/ogg", voice),)
    if said.video_note:
        return (_attachment("video", "video.mp4", "video/mp4", said.video_note),)
    return _named(said)


def _named(said: TelegramMessage | ExternalReplyInfo) -> tuple[Attachment, ...]:
    """Return a file that bears a name. An animation also comes as a document; it is told as what it is: a video."""
    if said.animation or said.video:
        film = said.animation or said.video
        assert film is not None  # noqa: S101 - one of the two is there
        name, kind = _name(film.file_name, "video.mp4"), _type(film.mime_type) or "video/mp4"
        return (_attachment("video", name, kind, film),)
    if said.audio:
        audio = said.audio
        return (_attachment("audio", _name(audio.file_name, "audio.mp3"), _type(audio.mime_type) or "audio/mpeg", audio),)
    if said.document:
        document = said.document
        declared = _type(document.mime_type)
        name = _name(document.file_name, _nameless(said, declared))
        media_type = media_type_of(name, declared=declared)
        return (_attachment(kind_of(media_type, name=name), name, media_type, document),)
    return ()


def _nameless(said: TelegramMessage | ExternalReplyInfo, media_type: str) -> str:
    """Return a name that no other file without one has: two of one name would be two versions of one document."""
    sent_at, number = (said.date, f"_{said.message_id}") if isinstance(said, TelegramMessage) else (said.origin.date, "")
    return f"document_{sent_at:%Y-%m-%d_%H-%M-%S}{number}{mimetypes.guess_extension(media_type) or ''}"


def _photo(sizes: Sequence[PhotoSize], sent_at: datetime, download_bytes: int) -> Attachment:
    """Return the largest size that may be downloaded; where none may, the smallest: it is refused by its size.

    A photo has no name; it is given the one that Telegram's own apps give it when they save it.
    """
    ordered = sorted(sizes, key=lambda size: size.width * size.height)
    fitting = [size for size in ordered if _size(size) <= download_bytes]
    chosen = fitting[-1] if fitting else ordered[0]
    return _attachment("image", f"photo_{sent_at:%Y-%m-%d_%H-%M-%S}.jpg", "image/jpeg", chosen)


def _attachment(kind: AttachmentKind, name: str, media_type: str, file: _File) -> Attachment:
    """Return the attachment. Raises TypeError where the file has no id by which it could be fetched."""
    ref: object = file.file_id
    if not isinstance(ref, str):
        raise TypeError(f"a file's id is a text, not {type(ref).__name__}")
    return Attachment(kind, name, media_type, _size(file), ref)


def _size(file: _File) -> int:
    """Return the file's size in bytes, 0 where it is not told, or is none."""
    told: object = file.file_size
    return told if isinstance(told, int) and not isinstance(told, bool) and 0 < told < LARGEST else 0


def _type(told: object) -> str:
    return told if isinstance(told, str) else ""


def _name(given: str | None, otherwise: str) -> str:
    """Return the last part of a foreign file name, made harmless."""
    told = clean(given or "").strip("/\\. ")
    return PurePosixPath(clean_name(told)).name if told else otherwise
