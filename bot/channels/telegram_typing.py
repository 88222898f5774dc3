"""Shows "typing" in Telegram's chats without anybody waiting for it.

Owns how often it is asked for: Telegram shows it for about five seconds, or until a message comes. Leaves to the worker how long
an answer is worked on. A request that has left is never cancelled, because that would close its connection. When many messages
come at once, it is shown for the first of them alone: what takes long is shown by the worker's heartbeat all the same.

    typing.hurry(42, None)    # as a message comes in
    typing.show(42, None)     # while it is worked on

Source: https://core.telegram.org/bots/api#sendchataction
"""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from telegram.error import TelegramError

from bot.channels.telegram_errors import translated
from bot.channels.waits import Waits
from bot.errors import RetryLaterError

SHOWN_S = 3.5
"""For so long it is not asked for again; less than Telegram shows it, and than the worker's heartbeat."""
HURRIES = 20
"""How often a second it is shown for what has only come in."""
KEPT = 4096
_log = logging.getLogger(__name__)
_Place = tuple[int | str, int | None]


class Api(Protocol):
    """What of python-telegram-bot's Bot is used."""

    async def send_chat_action(self, chat_id: int | str, action: str, *, message_thread_id: int | None = None) -> bool:
        """Show it. Raises TelegramError."""
        ...


class Typing:
    """What is shown in which chat and topic."""

    def __init__(self, bot: Api, waits: Waits) -> None:
        """Take the bot that is shown, and the chats for which Telegram asked to wait."""
        self._bot = bot
        self._waits = waits
        self._shown_until: dict[_Place, float] = {}
        self._credit, self._counted_at = float(HURRIES), 0.0
        self._under_way: set[asyncio.Task[None]] = set()

    def hurry(self, chat: int | str, thread: int | None) -> None:
        """Show it as a message comes in, unless many come. Returns at once."""
        now = asyncio.get_running_loop().time()
        self._credit = min(HURRIES, self._credit + (now - self._counted_at) * HURRIES)
        self._counted_at = now
        if self._credit >= 1:
            self._credit -= 1
            self.show(chat, thread)

    def show(self, chat: int | str, thread: int | None) -> None:
        """Show it now, unless it is shown already. Returns at once."""
        place, now = (chat, thread), asyncio.get_running_loop().time()
        if self._shown_until.get(place, 0.0) > now or self._waits.left_s(chat):
            return
        if len(self._shown_until) >= KEPT:
            self._shown_until.clear()
        self._shown_until[place] = now + SHOWN_S
        task = asyncio.create_task(self._ask(place))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    def over(self, chat: int | str, thread: int | None) -> None:
        """Know that a message was sent there: Telegram shows it no more."""
        self._shown_until.pop((chat, thread), None)

    async def finish(self, *, within_s: float) -> None:
        """Wait for what is under way."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=within_s)

    async def _ask(self, place: _Place) -> None:
        chat, thread = place
        try:
            await self._bot.send_chat_action(chat, "typing", message_thread_id=thread)
        except TelegramError as error:
            house = translated(error)
            _log.debug("typing was not shown: %s", house)
            if isinstance(house, RetryLaterError) and house.asked:  # else only this went wrong: the answer need not wait
                self._waits.hold(chat, house.retry_after_s)
