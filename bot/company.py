"""Keeps a person company while an answer is worked on: typing, and after two seconds one status message with a way to stop.

Owns the status message, which the answer is edited into. Leaves the answer to `bot.worker`.

    company = Company(channel, inbox, waiting)
    company.begin()
    ...                        # await company.tell(text) changes the status
    await company.end()        # company.placeholder is the status message's id, "" where none was shown
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from bot.channels.channel import Channel, ChannelError, ShowsState
from bot.delivery import PartByPart
from bot.errors import AmbiguousSendError, RetryLaterError, StoreError
from bot.locale import Text, phrases
from bot.logs import Logger
from bot.message import Address, Button, Command, Reply

if TYPE_CHECKING:
    from bot.store.inbox import Inbox, Waiting

_ = phrases(__file__)
log = Logger(__name__)

TYPING_AFTER_S = 0.15
"""What is answered sooner shows no typing: it would only come with the answer."""
TYPING_EVERY_S = 4.0
STATUS_AFTER_S = 2.0
STATUS_EVERY_S = 1.0
"""A status is changed no more often: platforms count edits."""
END_WITHIN_S = 10.0
"""An answer waits no longer for the status that it is to replace."""
CANCEL = "cancel"
"""The hidden command of the status message's button: its argument is the inbox's number of the message."""


class Company:
    """For one message, once."""

    def __init__(
        self, channel: Channel | None, inbox: Inbox, waiting: Waiting, *, is_through: Callable[[Address], bool] = lambda _to: True
    ) -> None:
        """Show it on `channel` (None: nowhere), the status only once the chat `is_through` with the answers before.

        The answer will stand where the status does: one that overtook what waits to be sent would stand above it.
        """
        self._channel = channel
        self._is_through = is_through
        self._inbox = inbox
        self._waiting = waiting
        self.placeholder = waiting.placeholder
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._status: Text = _("I am working on it …")
        self._waits: list[Text] = []
        self._buttons: tuple[Button, ...] = ()
        self._shown: Text | None = None
        self._shown_at = float("-inf")
        self._sending = asyncio.Lock()
        self._in_doubt = waiting.attempts > 0 and not waiting.placeholder
        """Whether one may be shown of which nothing is known: one that was cut off, or of a former life."""
        self._over = False

    def begin(self) -> None:
        """Start the clock."""
        if self._channel is not None:
            self._timer = asyncio.get_running_loop().call_later(TYPING_AFTER_S, self._sit_down, self._channel)

    async def tell(self, status: Text) -> None:
        """Show `status` from now on: at once where a status is shown already, and was not changed just now."""
        self._status = status
        await self._changed()

    @asynccontextmanager
    async def meanwhile(self, what: Text) -> AsyncIterator[None]:
        """Show `what` in place of the status for as long as this is held: what has to be waited for."""
        self._waits.append(what)
        try:
            await self._changed()
            yield
        finally:
            self._waits.remove(what)
        await self._changed()

    @property
    def _now(self) -> Text:
        return self._waits[-1] if self._waits else self._status

    async def _changed(self) -> None:
        channel: object = self._channel
        if isinstance(channel, ShowsState):
            channel.state(self._now.to(self._waiting.message.language), self._waiting.message.address)
        due = asyncio.get_running_loop().time() - self._shown_at >= STATUS_EVERY_S
        if self._channel is not None and self.placeholder and due and not self._over:
            await self._show(self._channel)

    async def end(self) -> None:
        """Stop; a status that is on its way is waited for, so that it becomes the answer."""
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
        task, self._task = self._task, None
        with suppress(TimeoutError):
            async with asyncio.timeout(END_WITHIN_S), self._sending:
                if self._in_doubt and self._channel is not None and self._channel.limits.finds_sent:
                    await self._put(self._channel)
        if task is None:
            return
        task.cancel()
        _done, stuck = await asyncio.wait([task], timeout=END_WITHIN_S)
        if stuck:
            log.error("typing or the status does not end though it was cancelled", inbox=self._waiting.id)
        elif not task.cancelled() and (error := task.exception()) is not None:
            log.error("typing or the status broke", inbox=self._waiting.id, why=error)

    def _sit_down(self, channel: Channel) -> None:
        self._task = asyncio.create_task(self._sit(channel), name=f"company {self._waiting.id}")

    async def _sit(self, channel: Channel) -> None:
        to = self._waiting.message.address
        await channel.typing(to)
        await asyncio.sleep(STATUS_AFTER_S - TYPING_AFTER_S)
        while True:
            if channel.limits.edits and self._shown is not self._now and (self.placeholder or self._is_through(to)):
                await self._show(channel)
            await channel.typing(to)
            await asyncio.sleep(TYPING_EVERY_S)

    async def _show(self, channel: Channel) -> None:
        async with self._sending:
            if not self._over:
                await self._put(channel)

    async def _put(self, channel: Channel) -> None:
        """Show the status as it is now; where it is not known whether one was shown, the channel finds it by its key."""
        message = self._waiting.message
        try:
            self._buttons = self._buttons or (await self._stop_button(),)
            now = self._now
            reply = Reply(now.markdown(message.language), message.language, buttons=self._buttons, reply_to=message.id)
            self._shown, self._shown_at = now, asyncio.get_running_loop().time()
            if self.placeholder:
                self.placeholder = await channel.edit(self.placeholder, reply, message.address)
            else:
                self.placeholder = await self._sent(channel, reply)
                await self._inbox.placeholder(self._waiting.id, self.placeholder)
            self._in_doubt = False
        except (ChannelError, StoreError) as error:
            if isinstance(error, AmbiguousSendError):
                self._in_doubt = not self.placeholder
            if isinstance(error, RetryLaterError) or (self._in_doubt and channel.limits.finds_sent):
                self._shown = None  # nothing was sent, or it will be found: it is tried again at the next beat
            log.info("the status could not be shown", inbox=self._waiting.id, why=str(error))

    async def _sent(self, channel: Channel, reply: Reply) -> str:
        """Send the status, unless a channel that can look finds it there. Raises as `Channel.send`."""
        to, key = self._waiting.message.address, f"status {self._waiting.id}"
        if self._in_doubt and channel.limits.finds_sent and isinstance(channel, PartByPart):
            return await channel.send_parts(reply, to, key=key, edits="", sent=(), went_out=_nothing, in_doubt=True)
        return await channel.send(reply, to, key=key)

    async def _stop_button(self) -> Button:
        message = self._waiting.message
        label = _("Cancel").to(message.language)
        return await self._inbox.button(self._waiting.id, message.sender, label, Command(CANCEL, str(self._waiting.id)))


async def _nothing(_parts: Sequence[str]) -> None:
    """Remember nothing: a status has one part."""
