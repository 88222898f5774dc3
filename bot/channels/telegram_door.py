"""What a Telegram bot says of itself without being asked: the greeting in a group, and a stranger's refusal.

Owns that each of it is said once, and that nothing waits for it. Leaves to `telegram_sending` the sending, and to the intake
(`bot.front_door`) who may talk, and what a stranger is told. What was said is known in memory: after a restart a group is greeted once more.

    door = Door(sending=sending, moves=moves)
    door.say("I do not know you yet …", address, "en")
"""

from __future__ import annotations

import itertools
import logging

from bot.channels.beside import Beside, patiently
from bot.channels.telegram_moving import Moves
from bot.channels.telegram_sending import Sending
from bot.errors import ChannelError
from bot.locale import Language, phrases
from bot.message import Address, Reply
from bot.recent import Recent

_ = phrases(__file__)

GREETED = 10_000
"""Groups that are remembered as greeted."""
MOST_UNDER_WAY = 64
"""Sentences that wait for Telegram; a flood of strangers is told no more than that at once."""
_log = logging.getLogger(__name__)


class Door:
    """Says things beside the outbox."""

    def __init__(self, *, sending: Sending, moves: Moves) -> None:
        """Take how to say something, and the groups that have another number."""
        self._sending = sending
        self._moves = moves
        self._greeted: Recent[str, None] = Recent(most=GREETED)
        self._numbers = itertools.count()
        self._beside: Beside[None] = Beside(most=MOST_UNDER_WAY)

    def greet(self, group: Address, instead: str, language: Language) -> None:
        """Say once in a group what the bot is good for, or `instead`. One that only got another number knows it."""
        if self._moves.former(group.chat) or group.chat in self._greeted:
            return
        self._greeted[group.chat] = None
        said = _(
            "Hello! I am Paring. Here I answer who mentions me, replies to me or writes a command; /help shows what I can do. "
            "I read nothing else, unless somebody writes /index on."
        )
        self.say(instead or said.to(language), group, language)

    def left(self, chat: str) -> None:
        """Greet a chat anew that put the bot out and takes it back."""
        self._greeted.pop(chat, None)

    def say(self, said: str, to: Address, language: Language) -> None:
        """Say something; nothing waits for it."""
        key = f"door {next(self._numbers)}"
        if self._beside.start(lambda: self._tell(Reply(said, language), to, key)) is None:
            _log.info("Too much is being said to strangers just now: one is told nothing.")

    async def finish(self, *, within_s: float) -> None:
        """Wait for what is under way; end what takes longer."""
        await self._beside.finish(within_s=within_s)

    async def _tell(self, reply: Reply, to: Address, key: str) -> None:
        try:
            await patiently(lambda: self._sending.send(reply, to, key))
        except ChannelError as error:
            _log.info("Something the bot says on its own was not sent: %s", error)
