"""What came with a Telegram message, as attachments: what kind, how called, how large, and by which id it is fetched.

Owns which of a photo's sizes is taken. Leaves the download to `telegram.py`.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePosixPath

from telegram import ExternalReplyInfo, PhotoSize
from telegram import Message as TelegramMessage

from bot.channels.incoming import clean_name, kind_of, media_type_of
from bot.channels.rich_text import clean
from bot.message import Attachment


def attachments_of(said: TelegramMessage | ExternalReplyInfo, download_bytes: int) -> tuple[Attachment, ...]:
    """Return the message's file, if it has one: a Telegram message has at most one."""
    if said.photo:
        return (_photo(said.photo, said.date if isinstance(said, TelegramMessage) else said.origin.date, download_bytes),)
    if said.sticker:
        sticker = said.sticker
        kind = "video/webm" if sticker.is_video else "application/x-tgsticker" if sticker.is_animated else "image/webp"
        return (Attachment("sticker", clean(sticker.emoji or "sticker"), kind, sticker.file_size or 0, sticker.file_id),)
    if said.voice:
        voice = said.voice
        return (Attachment("audio", "voice.ogg", voice.mime_type or "audio/ogg", voice.file_size or 0, voice.file_id),)
    if said.video_note:
        return (Attachment("video", "video.mp4", "video/mp4", said.video_note.file_size or 0, said.video_note.file_id),)
    return _named(said)


def _named(said: TelegramMessage | ExternalReplyInfo) -> tuple[Attachment, ...]:
    """Return a file that bears a name. An animation also comes as a document; it is told as what it is: a video."""
    if said.animation or said.video:
        film = said.animation or said.video
        assert film is not None  # noqa: S101 - one of the two is there
        name, kind = _name(film.file_name, "video.mp4"), film.mime_type or "video/mp4"
        return (Attachment("video", name, kind, film.file_size or 0, film.file_id),)
    if said.audio:
        audio = said.audio
        return (
            Attachment(
                "audio", _name(audio.file_name, "audio.mp3"), audio.mime_type or "audio/mpeg", audio.file_size or 0, audio.file_id
            ),
        )
    if said.document:
        document = said.document
        name = _name(document.file_name, _nameless(said, document.mime_type or ""))
        media_type = media_type_of(name, declared=document.mime_type or "")
        return (Attachment(kind_of(media_type, name=name), name, media_type, document.file_size or 0, document.file_id),)
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
    fitting = [size for size in ordered if (size.file_size or 0) <= download_bytes]
    chosen = fitting[-1] if fitting else ordered[0]
    return Attachment("image", f"photo_{sent_at:%Y-%m-%d_%H-%M-%S}.jpg", "image/jpeg", chosen.file_size or 0, chosen.file_id)


def _name(given: str | None, otherwise: str) -> str:
    """Return the last part of a foreign file name, made harmless."""
    told = clean(given or "").strip("/\\. ")
    return PurePosixPath(clean_name(told)).name if told else otherwise
