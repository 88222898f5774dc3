"""The loop: inbox -> dispatch -> outbox. Every message ends in a reply or a told error, whatever a skill does.

Owns: order within a chat, typing and the status message, what is told when a skill fails. Leaves to `bot.dispatch` who
answers, to `bot.delivery` how it gets out.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from bot.channels.channel import Channel, ChannelError, RetryLaterError
from bot.errors import ParingError, StoreError, TooLargeError
from bot.lanes import Lanes
from bot.locale import Text, phrases
from bot.message import Attachment, Message, Reply

if TYPE_CHECKING:
    from bot.config import LimitSettings
    from bot.dispatch import Answer, Dispatcher
    from bot.store.blobs import BlobStore
    from bot.store.inbox import Inbox, Waiting

_ = phrases(__file__)
log = structlog.get_logger(__name__)

MOST_READ = 500
MOST_ATTEMPTS = 3
CHATS_AT_ONCE = 16
TYPING_EVERY_S = 4.0
STATUS_AFTER_S = 2.0
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0
MEBIBYTE = 1024 * 1024


class Worker:
    """Answers what the inbox holds for `channels`."""

    def __init__(
        self,
        inbox: Inbox,
        dispatcher: Dispatcher,
        blobs: BlobStore,
        channels: Mapping[str, Channel],
        *,
        limits: LimitSettings,
        replied: Callable[[], None],
    ) -> None:
        """Work for `channels`, by name; call `replied` whenever a reply is in the outbox."""
        self._inbox = inbox
        self._dispatcher = dispatcher
        self._blobs = blobs
        self._channels = channels
        self._limits = limits
        self._replied = replied
        self._lanes = Lanes(at_once=CHATS_AT_ONCE)
        self._wake = asyncio.Event()
        self._read_up_to = 0

    def wake(self) -> None:
        """Look into the inbox now."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled."""
        names = list(self._channels)
        if left := await self._inbox.recover(names):
            log.warning("messages were interrupted and are answered now", messages=left)
        self._wake.set()
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                messages = await self._inbox.waiting(names, after=self._read_up_to, most=MOST_READ)
                for waiting in messages:
                    self._queue(waiting)
                if len(messages) == MOST_READ:
                    self._wake.set()
        finally:
            await self._lanes.close()

    async def idle(self) -> None:
        """Return once everything that was read has been answered."""
        await self._lanes.idle()

    async def finish(self, *, within_s: float) -> bool:
        """End what is being answered now; what waits is answered at the next start. False where some of it took longer."""
        return await self._lanes.finish(within_s=within_s)

    def _queue(self, waiting: Waiting) -> None:
        self._read_up_to = max(self._read_up_to, waiting.id)
        at = waiting.message.address
        self._lanes.put((at.channel, at.account, at.chat), lambda: self._outlive(waiting))

    async def _outlive(self, waiting: Waiting) -> None:
        """Handle a message; where the database cannot take it now, wait and try again: nothing that was acknowledged is dropped."""
        wait_s = FIRST_WAIT_S
        while True:
            try:
                return await self.handle(waiting)
            except StoreError as error:
                log.error("the store failed; the message waits", inbox=waiting.id, why=str(error), wait_s=wait_s)
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)

    async def handle(self, waiting: Waiting) -> None:
        """Answer one message; its replies are in the outbox when this returns."""
        message = waiting.message
        if waiting.attempts >= MOST_ATTEMPTS:
            return await self._set_aside(waiting, "it stopped the bot each time")
        company = _Company(self._channels.get(message.address.channel), self._inbox, waiting)
        await self._inbox.start(waiting.id)
        company.begin()
        try:
            message = await self._fetched(waiting.id, message)
            answer = await self._dispatcher.answer(message, progress=company.tell)
        except ParingError as error:
            await company.end()
            await self._finish(waiting, Reply(error.sentence(message.language), message.language), company.placeholder)
        except Exception:  # the loop must outlive any skill
            reference = secrets.token_hex(3)
            log.exception("a message could not be answered", reference=reference, inbox=waiting.id)
            await company.end()
            await self._broken(waiting, company.placeholder, reference)
        else:
            await company.end()
            await self._answered(waiting, message, answer, company.placeholder)
        finally:
            await company.end()
        return None

    async def _answered(self, waiting: Waiting, message: Message, answer: Answer, placeholder: str) -> None:
        replies = [replace(reply, reply_to=reply.reply_to or message.id) for reply in answer.replies]
        await self._inbox.finish(waiting.id, message, replies, route=answer.route, edits=placeholder)
        self._replied()

    async def _finish(self, waiting: Waiting, reply: Reply, placeholder: str, *, error: str = "") -> None:
        quoted = replace(reply, reply_to=waiting.message.id)
        await self._inbox.finish(waiting.id, waiting.message, [quoted], edits=placeholder, error=error)
        self._replied()

    async def _broken(self, waiting: Waiting, placeholder: str, reference: str) -> None:
        said = _(
            "Something in me broke while I worked on this (ref {reference}). Your message is kept; try again, or tell the admin.",
            reference=reference,
        )
        language = waiting.message.language
        await self._finish(waiting, Reply(said.to(language), language), placeholder, error=f"ref {reference}")

    async def _set_aside(self, waiting: Waiting, why: str) -> None:
        reference = secrets.token_hex(3)
        log.error("a message is set aside", reference=reference, inbox=waiting.id, why=why)
        said = _("I could not work on this (ref {reference}); it is kept. Please tell the admin.", reference=reference)
        language = waiting.message.language
        await self._finish(waiting, Reply(said.to(language), language), waiting.placeholder, error=f"ref {reference}: {why}")

    async def _fetched(self, number: int, message: Message) -> Message:
        """Return `message` with its files, and those of the message it replies to, in the blob store."""
        files = tuple([await self._fetch(message, one) for one in message.attachments])
        quoted = message.reply_to
        if quoted is not None:
            quoted = replace(quoted, attachments=tuple([await self._fetch(message, one) for one in quoted.attachments]))
        if (files, quoted) == (message.attachments, message.reply_to):
            return message
        fetched = replace(message, attachments=files, reply_to=quoted)
        await self._inbox.rewrite(number, fetched)
        return fetched

    async def _fetch(self, message: Message, file: Attachment) -> Attachment:
        if file.blob or not file.ref or file.kind == "sticker":
            return file
        if file.size_bytes > self._limits.file_mb * MEBIBYTE:
            raise TooLargeError(
                _("{name} is {size} MB; I read files of up to {limit} MB. Nothing was kept.", name=file.name,
                  size=round(file.size_bytes / MEBIBYTE), limit=self._limits.file_mb)
            )  # fmt: skip
        spool = await asyncio.to_thread(self._blobs.spool)
        try:
            await self._download(self._channels[message.address.channel], file, spool)
            blob = await asyncio.to_thread(self._blobs.keep_file, spool)
            return replace(file, blob=blob, size_bytes=spool.stat().st_size)
        finally:
            spool.unlink(missing_ok=True)

    async def _download(self, channel: Channel, file: Attachment, spool: Path) -> None:
        for attempt in range(MOST_ATTEMPTS):
            try:
                return await channel.fetch(file, spool)
            except RetryLaterError as error:
                if attempt == MOST_ATTEMPTS - 1:
                    raise
                await asyncio.sleep(error.retry_after_s)
        return None


class _Company:
    """Keeps the person company while an answer is worked on: typing, and after two seconds one status message."""

    def __init__(self, channel: Channel | None, inbox: Inbox, waiting: Waiting) -> None:
        self._channel = channel
        self._inbox = inbox
        self._waiting = waiting
        self.placeholder = waiting.placeholder
        self._task: asyncio.Task[None] | None = None
        self._status: Text = _("I am working on it …")
        self._sending = asyncio.Lock()
        self._over = False

    def begin(self) -> None:
        if self._channel is not None:
            self._task = asyncio.create_task(self._sit(self._channel), name=f"company {self._waiting.id}")

    async def tell(self, status: Text) -> None:
        self._status = status
        if self._channel is not None and self.placeholder and not self._over:
            await self._show(self._channel)

    async def end(self) -> None:
        self._over = True
        if self._task is None:
            return
        async with self._sending:
            self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self._task = None

    async def _sit(self, channel: Channel) -> None:
        to = self._waiting.message.address
        await channel.typing(to)
        await asyncio.sleep(STATUS_AFTER_S)
        if channel.limits.edits:
            await self._show(channel)
        while True:
            await channel.typing(to)
            await asyncio.sleep(TYPING_EVERY_S)

    async def _show(self, channel: Channel) -> None:
        message = self._waiting.message
        reply = Reply(self._status.to(message.language), message.language, reply_to=message.id)
        async with self._sending:
            if self._over:
                return
            try:
                if self.placeholder:
                    self.placeholder = await channel.edit(self.placeholder, reply, message.address)
                else:
                    self.placeholder = await channel.send(reply, message.address, key=f"status {self._waiting.id}")
                    await self._inbox.placeholder(self._waiting.id, self.placeholder)
            except ChannelError as error:
                log.info("the status could not be shown", why=str(error))
