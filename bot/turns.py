"""Who waits long is told so, and which number they are; the answer takes the place of that.

Owns when and to whom: the next message of each chat that has had no place for TOLD_AFTER_S, a few at a time, so that it keeps no
answer from being sent. Leaves to `bot.company` what is shown once it is worked on, in the same message.

    turns = Turns(inbox, channels, feed.queued, is_through=delivery.is_through)
    await turns.run()                # until cancelled
    await turns.come(number)         # its turn has come; True: it was told something, and its row holds where
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final

from bot.channels.channel import Channel, ChannelError, ShowsState
from bot.errors import StoreError
from bot.locale import phrases
from bot.logs import Logger
from bot.message import Reply

if TYPE_CHECKING:
    from bot.message import Address
    from bot.store.inbox import Inbox

_ = phrases(__file__)
log = Logger(__name__)

TOLD_AFTER_S: Final = 10.0
"""Who gets a place sooner is told nothing."""
TOLD_AGAIN_AFTER_S: Final = 30.0
"""A number that has changed is shown so often."""
LOOK_EVERY_S: Final = 1.0
AT_ONCE: Final = 8
"""So many are told side by side, and begun in a second: the answers are sent over the same wire."""
END_WITHIN_S: Final = 10.0
"""An answer waits no longer for what it is to replace."""

Queued = Callable[[], Iterable[tuple[int, float]]]
"""The next row of each chat that has no place, in their turn, and for how many seconds the chat has waited for one."""


class Turns:
    """Tells those who wait."""

    def __init__(
        self, inbox: Inbox, channels: Mapping[str, Channel], queued: Queued, *, is_through: Callable[[Address], bool]
    ) -> None:
        """Tell on `channels`, by name, a chat that `is_through` with what it was answered before."""
        self._inbox = inbox
        self._channels = channels
        self._queued = queued
        self._is_through = is_through
        self._told: dict[int, tuple[int, float]] = {}
        """By row: the number that was told, and when."""
        self._telling: dict[int, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Look who waits, until cancelled."""
        try:
            while True:
                await asyncio.sleep(LOOK_EVERY_S)
                self.look()
        finally:
            for task in self._telling.values():
                task.cancel()
            self._told.clear()

    def look(self) -> None:
        """Begin to tell those who are to be told now: first who was told nothing yet."""
        now = asyncio.get_running_loop().time()
        due: list[tuple[bool, int, int]] = []
        for place, (number, waited_s) in enumerate(self._queued(), start=1):
            before, at = self._told.get(number, (0, float("-inf")))
            if waited_s >= TOLD_AFTER_S and number not in self._telling and place != before and now - at >= TOLD_AGAIN_AFTER_S:
                due.append((before > 0, place, number))
        for _told, place, number in sorted(due)[: max(0, AT_ONCE - len(self._telling))]:
            self._told[number] = place, now
            task = self._telling[number] = asyncio.create_task(self._tell(number, place), name=f"turn of {number}")
            task.add_done_callback(lambda _task, number=number: self._telling.pop(number, None))  # type: ignore[misc]

    async def come(self, number: int) -> bool:
        """Know that the turn of a row has come; return once nothing is being told of it, and whether anything was."""
        if (task := self._telling.get(number)) is not None:
            _done, stuck = await asyncio.wait([task], timeout=END_WITHIN_S)
            for one in stuck:
                one.cancel()
        return self._told.pop(number, None) is not None

    async def _tell(self, number: int, place: int) -> None:
        try:
            waiting = await self._inbox.one(number)
            message = waiting.message
            channel = self._channels.get(message.address.channel)
            if channel is None or not message.addressed or message.part_of:
                return
            said = _("I am busy with others just now: you are number {number}. You need not do anything.", number=place)
            if not channel.limits.edits:
                if isinstance(channel, ShowsState):
                    channel.state(said.to(message.language), message.address)
                return
            reply = Reply(said.markdown(message.language), message.language, reply_to=message.id)
            if waiting.placeholder:
                shown = await channel.edit(waiting.placeholder, reply, message.address)
            elif self._is_through(message.address):
                shown = await channel.send(reply, message.address, key=f"status {number}")
            else:
                return
            if shown != waiting.placeholder:
                await self._inbox.placeholder(number, shown)
        except LookupError:
            return  # forgotten meanwhile
        except (ChannelError, StoreError, ValueError) as error:
            log.info("who waits could not be told so", inbox=number, why=str(error))
