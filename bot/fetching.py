"""The files of a message that is worked on: fetched from its platform into the blob store, once.

Owns what is not fetched (stickers, what is too large, what is here), and that a platform which asks to wait is asked again. Leaves the download
to the channel.

    message = await Files(blobs, channels, most_bytes=20 << 20).of(message)
    message.attachments[0].blob      # its sha256
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bot.channels.channel import Channel
from bot.config import MEBIBYTE
from bot.errors import InputError, RetryLaterError, TooLargeError
from bot.locale import phrases
from bot.logs import Logger
from bot.message import Attachment, Message

if TYPE_CHECKING:
    from bot.store.blobs import BlobStore

_ = phrases(__file__)
log = Logger(__name__)

WAITS_S = (1.0, 2.0, 4.0, 8.0, 15.0)
"""How long it is waited before each further try, longer where the platform says so: half a minute without it costs nobody their file."""


class Files:
    """Fetches what people send."""

    def __init__(
        self,
        blobs: BlobStore,
        channels: Mapping[str, Channel],
        *,
        most_bytes: int,
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """Put it into `blobs`; a file over `most_bytes` is refused."""
        self._pause = pause
        self._blobs = blobs
        self._channels = channels
        self._most_bytes = most_bytes

    async def of(self, message: Message) -> Message:
        """Return `message` with its files, and those of the message it replies to, in the blob store. Raises ParingError."""
        files = tuple([await self._fetched(message, one) for one in message.attachments])
        quoted = message.reply_to
        if quoted is not None and not (
            files and any(map(_is_gone, quoted.attachments))
        ):  # what is sent again stands for what was refused
            quoted = replace(quoted, attachments=tuple([await self._fetched(message, one) for one in quoted.attachments]))
        return replace(message, attachments=files, reply_to=quoted)

    async def _fetched(self, message: Message, file: Attachment) -> Attachment:
        if file.kind == "sticker" or await self._is_here(file):
            return file
        if file.size_bytes > self._most_bytes:
            raise TooLargeError(
                _("{name} is {size} MB; I read files of up to {limit} MB. Nothing was kept.", name=file.name,
                  size=round(file.size_bytes / MEBIBYTE), limit=self._most_bytes // MEBIBYTE)
            )  # fmt: skip
        spool = await asyncio.to_thread(self._blobs.spool)
        try:
            await self._download(self._channels[message.address.channel], file, spool)
            blob = await asyncio.to_thread(self._blobs.keep_file, spool)
            return replace(file, blob=blob, size_bytes=spool.stat().st_size)
        finally:
            spool.unlink(missing_ok=True)

    async def _download(self, channel: Channel, file: Attachment, spool: Path) -> None:
        for wait_s in WAITS_S:
            try:
                return await channel.fetch(file, spool)
            except RetryLaterError as error:
                await self._pause(max(wait_s, error.retry_after_s))
        return await channel.fetch(file, spool)

    async def _is_here(self, file: Attachment) -> bool:
        """Say whether its bytes lie here, whole. Raises InputError where they are lost or refused, and cannot be fetched again."""
        if _is_gone(file):
            raise InputError(
                _(
                    "I could not use {name} when it came, and did not keep it. Please send it once more.",
                    name=file.name or file.kind,
                )
            )
        if not file.blob:
            return False
        if await asyncio.to_thread(self._blobs.holds, file.blob, file.size_bytes):
            return True
        log.error("a file that was sent is missing or cut on the disk", blob=file.blob)
        if not file.ref:
            raise InputError(_("{name} is damaged or gone on my disk. Please send it once more.", name=file.name or file.kind))
        return False


def _is_gone(file: Attachment) -> bool:
    """Say whether it was refused where no platform gives it again (`bot.store.refused`)."""
    return file.kind != "sticker" and not (file.blob or file.ref)
