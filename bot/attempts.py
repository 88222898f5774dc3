"""Has a skill answer: within its time, and again where it breaks.

Owns how often and for how long it is tried, and what counts as the skill's own fault. Leaves to `bot.worker` what people are told of it.

    answer = await Attempts(dispatcher, minutes=10).answer(message, tell, number=17)
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

from bot.errors import ParingError
from bot.locale import Text
from bot.logs import Logger
from bot.message import Message
from bot.suspects import MOST_ATTEMPTS

if TYPE_CHECKING:
    from bot.dispatch import Dispatcher
    from bot.plans import Answer

log = Logger(__name__)

Tell: TypeAlias = Callable[[Text], Awaitable[None]]
TRIED_WITHIN_S = 10.0
"""What breaks is tried again, up to MOST_ATTEMPTS times, for so long: nobody waits long to be told."""


class BrokenError(Exception):
    """A skill broke; what it raised is the cause."""


class Attempts:
    """Tries what the dispatcher chooses."""

    def __init__(self, dispatcher: Dispatcher, *, minutes: float) -> None:
        """Give an answer so many minutes."""
        self._dispatcher = dispatcher
        self._minutes = minutes

    async def answer(self, message: Message, tell: Tell, *, number: int) -> Answer:
        """Have a message answered within the limit: what never ends would keep its place, and enough of it all places.

        Raises:
            BrokenError: it broke, or took too long.
        """
        if self._dispatcher.takes_long(message):
            return await self._tried(message, tell, number)
        try:
            async with asyncio.timeout(60 * self._minutes) as limit:
                return await self._tried(message, tell, number)
        except TimeoutError as error:
            if limit.expired():
                raise BrokenError from error
            raise

    async def _tried(self, message: Message, tell: Tell, number: int) -> Answer:
        """Have it answered; what breaks is tried again, but for an admin's order, which may have been carried out in part.

        Raises:
            BrokenError: each time, or for too long.
        """
        clock = asyncio.get_running_loop().time
        begun = clock()
        for left in reversed(range(MOST_ATTEMPTS)):
            try:
                return await self._dispatcher.answer(message, progress=tell)
            except ParingError:
                raise
            except BaseException as error:
                if not _is_of_the_skill(error):
                    self._dispatcher.heard(message, error, clock() - begun)
                    raise
                if not left or clock() - begun > TRIED_WITHIN_S or self._dispatcher.takes_long(message):
                    self._dispatcher.heard(message, error, clock() - begun)
                    raise BrokenError from error
                log.warning("a skill broke; it is tried again", inbox=number, why=fault(error))
        raise AssertionError


def fault(error: BaseException | None) -> str:
    """Return what broke and where, without what it said: that may quote people."""
    if error is None:
        return "unknown"
    where, trace = "", error.__traceback__
    while trace is not None:
        name = str(trace.tb_frame.f_globals.get("__name__", ""))
        where, trace = (
            (name if name and not name.startswith(("bot.attempts", "bot.worker", "bot.dispatch")) else where),
            trace.tb_next,
        )
    return type(error).__name__ + (f" in {where}" if where else "")


def _is_of_the_skill(error: BaseException) -> bool:
    """Say whether a skill broke: it may also end itself, or be cancelled by what it waits for. The bot's own end is none."""
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is not None and not task.cancelling()
    return not isinstance(error, GeneratorExit)
