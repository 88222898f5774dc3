"""The way out: outbox -> channel, in order within a chat, waiting where a platform asks to.

Owns: what is done about a send that fails, and about one whose fate is unknown. Leaves to the channel how it is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from bot.channels.channel import AmbiguousSendError, Channel, ChannelError, GoneError, RetryLaterError
from bot.errors import StoreError
from bot.lanes import Lanes
from bot.locale import phrases

if TYPE_CHECKING:
    from bot.message import Reply
    from bot.store.outbox import Outbox, Parcel

_ = phrases(__file__)
log = structlog.get_logger(__name__)

MOST_READ = 500
MOST_ATTEMPTS = 8
CHATS_AT_ONCE = 32
LONGEST_WAIT_S = 300.0


class Delivery:
    """Sends what the outbox holds for `channels`."""

    def __init__(self, outbox: Outbox, channels: Mapping[str, Channel]) -> None:
        """Deliver to `channels`, by name."""
        self._outbox = outbox
        self._channels = channels
        self._lanes = Lanes(at_once=CHATS_AT_ONCE)
        self._wake = asyncio.Event()
        self._read_up_to = 0

    def wake(self) -> None:
        """Look into the outbox now."""
        self._wake.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        names = list(self._channels)
        if lost := await self._outbox.recover(names):
            log.warning("sends were interrupted", replies=lost)
        self._wake.set()
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                parcels = await self._outbox.pending(names, after=self._read_up_to, most=MOST_READ)
                for parcel in parcels:
                    self._queue(parcel)
                if len(parcels) == MOST_READ:
                    self._wake.set()
        finally:
            await self._lanes.close()

    async def idle(self) -> None:
        """Return once everything that was read has been seen to."""
        await self._lanes.idle()

    async def finish(self, *, within_s: float) -> bool:
        """Send what is ready; return False where some of it took longer than `within_s`."""
        for parcel in await self._outbox.pending(list(self._channels), after=self._read_up_to, most=MOST_READ):
            self._queue(parcel)
        try:
            await asyncio.wait_for(self.idle(), within_s)
        except TimeoutError:
            return False
        return True

    def _queue(self, parcel: Parcel) -> None:
        self._read_up_to = max(self._read_up_to, parcel.id)
        to = parcel.to
        self._lanes.put((to.channel, to.account, to.chat), lambda: self._outlive(parcel))

    async def _outlive(self, parcel: Parcel) -> None:
        """Deliver a reply; where the database fails, leave it to the next start, and where the channel breaks, set it aside."""
        try:
            await self.deliver(parcel)
        except StoreError as error:
            log.error("the store failed while a reply was sent", outbox=parcel.id, why=str(error))
        except Exception:  # a channel's mistake must not stop the other replies
            log.exception("a channel broke on a reply", outbox=parcel.id, channel=parcel.to.channel)
            await self._outbox.dead(parcel.id, "the channel broke")

    async def deliver(self, parcel: Parcel) -> None:
        """Send one reply, again where that is called for, until it is sent or dead.

        Being told to wait counts as no attempt: a platform that is away for long loses no reply.
        """
        channel = self._channels[parcel.to.channel]
        await _until(parcel.not_before)
        attempt = 0
        while attempt < MOST_ATTEMPTS:
            try:
                await self._outbox.sent(parcel.id, await self._send(channel, parcel))
            except RetryLaterError as error:
                wait_s = min(error.retry_after_s, LONGEST_WAIT_S)
                await self._outbox.later(parcel.id, datetime.now(UTC) + timedelta(seconds=wait_s), str(error))
                await asyncio.sleep(wait_s)
            except AmbiguousSendError as error:
                await self._outbox.ambiguous(parcel.id, str(error))
                parcel = replace(parcel, state="ambiguous")
                attempt += 1
                await asyncio.sleep(min(2.0**attempt, LONGEST_WAIT_S) / 10)
            except GoneError as error:
                return await self._outbox.dead(parcel.id, str(error))
            except ChannelError as error:
                log.error("a reply was refused", outbox=parcel.id, channel=channel.name, why=str(error))
                return await self._outbox.dead(parcel.id, str(error))
            else:
                return None
        log.error("a reply could not be sent", outbox=parcel.id, channel=channel.name, attempts=MOST_ATTEMPTS)
        return await self._outbox.dead(parcel.id, "tried too often")

    async def _send(self, channel: Channel, parcel: Parcel) -> str:
        if parcel.edits:
            return await channel.edit(parcel.edits, parcel.reply, parcel.to)
        if channel.limits.repeatable_sends:
            return await channel.send(parcel.reply, parcel.to, key=str(parcel.id))
        await self._outbox.sending(parcel.id)
        reply = _again(parcel.reply) if parcel.state == "ambiguous" else parcel.reply
        return await channel.send(reply, parcel.to, key=str(parcel.id))


def _again(reply: Reply) -> Reply:
    note = _("(Sent again: I was interrupted and cannot tell whether the first one reached you.)").to(reply.language)
    return replace(reply, text=f"{reply.text}\n\n*{note}*")


async def _until(moment: datetime | None) -> None:
    if moment is not None:
        await asyncio.sleep(max(0.0, (moment - datetime.now(UTC)).total_seconds()))
