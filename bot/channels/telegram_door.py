"""The door of a Telegram bot: who may talk to it, and what it says of itself without being asked.

Owns the lists of the settings, the refusal, and the greeting in a group. Leaves sending to `telegram_sending`. What a person who
may not talk to the bot writes is kept nowhere. Who was told is kept in memory: after a restart each is told once more.

    door = Door(settings, admins=lambda: {"4711"}, sending=sending, moves=moves)
    if not door.admits(message): door.refuse(message, "en")
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable, Collection

from bot.channels.telegram_moving import Moves
from bot.channels.telegram_sending import Sending
from bot.config import TelegramSettings
from bot.errors import ChannelError, RetryLaterError
from bot.locale import Language, Text, phrases
from bot.message import Address, Message, Press, Reply

_ = phrases(__file__)

TRIES = 3
TOLD = 10_000
"""People and groups that are remembered as told."""
_log = logging.getLogger(__name__)


class Door:
    """Admits everybody while both lists are empty."""

    def __init__(
        self, settings: TelegramSettings, *, admins: Callable[[], Collection[str]], sending: Sending, moves: Moves
    ) -> None:
        """Take the lists, the admins (who are always admitted), how to say something, and the groups that have another number."""
        self._users = frozenset(settings.allowed_users)
        self._chats = frozenset(settings.allowed_chats)
        self._admins = admins
        self._sending = sending
        self._moves = moves
        self._told: set[tuple[str, str]] = set()
        self._numbers = itertools.count()
        self._under_way: set[asyncio.Task[None]] = set()

    def admits(self, item: Message | Press) -> bool:
        """Say whether the bot works for who said it, or for the chat in which it was said."""
        if not self._users and not self._chats:
            return True
        chat = item.address.chat
        return (
            item.sender in self._users
            or item.sender in self._admins()
            or not self._chats.isdisjoint((chat, self._moves.former(chat)))
        )

    def refusal(self, item: Message | Press) -> Text:
        """Return the sentence that says so, and what an admin needs to know."""
        if item.address.kind == "group":
            return _(
                "I may not work in this group. Its admin can ask mine to allow it: the number of this group is {chat}.",
                chat=item.address.chat,
            )
        return _(
            "I may not work for you: I answer only the people on my admin's list. Nothing was kept. Your number, should you want "
            "to be on it: {user}.",
            user=item.sender,
        )

    def refuse(self, message: Message, language: Language) -> None:
        """Tell a person once that the bot may not answer; nothing waits for it."""
        self._tell_once(("refused", f"{message.address.chat} {message.sender}"), self.refusal(message), message.address, language)

    def greet(self, group: Address, language: Language) -> None:
        """Say once in a group what the bot is good for; nothing waits for it. One that only got another number knows it."""
        if self._moves.former(group.chat):
            return
        said = _(
            "Hello! I am Paring. Here I answer who mentions me, replies to me or writes a command; /help shows what I can do. "
            "I read nothing else, unless somebody writes /index on."
        )
        self._tell_once(("greeted", group.chat), said, group, language)

    def moved(self, old: str, new: str) -> None:
        """Tell the admin of a group whose number on the list is no longer its own: it is admitted until the next start."""
        if old in self._chats and new not in self._chats:
            _log.warning(
                "The group %s is %s now. Put the new number into telegram.allowed_chats before the next start.", old, new
            )

    def left(self, chat: str) -> None:
        """Forget that a group was greeted: the bot was put out of it."""
        self._told.discard(("greeted", chat))

    async def finish(self, *, within_s: float) -> None:
        """Wait for what is under way."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=within_s)

    def _tell_once(self, what: tuple[str, str], said: Text, to: Address, language: Language) -> None:
        if what in self._told:
            return
        if len(self._told) >= TOLD:
            self._told.clear()
        self._told.add(what)
        task = asyncio.create_task(self._tell(Reply(said.to(language), language), to, f"door {next(self._numbers)}"))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _tell(self, reply: Reply, to: Address, key: str) -> None:
        for _try in range(TRIES):
            try:
                await self._sending.send(reply, to, key)
            except RetryLaterError as error:
                await asyncio.sleep(error.retry_after_s)
            except ChannelError as error:
                _log.info("Something the bot says on its own was not sent: %s", error)
                return
            else:
                return
