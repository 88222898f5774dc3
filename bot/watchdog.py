"""Starts a channel again that neither works nor fails: one that is silent beyond its own word.

What raises is started again by `bot.supervise`. A loop that hangs raises nothing; it breaks the word that it gave to its pulse. It is
cancelled, and that is raised as an error which `supervise` logs and after which it starts the channel anew. A channel that
does not even let itself be cancelled is not started beside itself: two would take each other's updates away.

    await watched(channel, lambda: channel.run(intake), stuck=count)
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from bot.channels.channel import Beats, Channel
from bot.errors import RetryLaterError
from bot.locale import phrases
from bot.logs import Logger

_ = phrases(__file__)
log = Logger(__name__)

LOOK_EVERY_S: Final = 1.0
START_S: Final = 120.0
"""How long a channel's start may take before it gives its first word."""
END_WITHIN_S: Final = 10.0


async def watched(
    channel: Channel, run: Callable[[], Awaitable[None]], *, stuck: Callable[[str], None] = lambda _name: None,
    look_every_s: float = LOOK_EVERY_S,
) -> None:  # fmt: skip
    """Run until it ends. `stuck` is told the channel's name each time it is found silent.

    Raises:
        RetryLaterError: it was silent beyond its word and has been cancelled; it is to be started again.
    """
    if not isinstance(channel, Beats):
        return await run()
    channel.pulse.due(START_S)
    running = asyncio.ensure_future(run())
    try:
        while True:
            done, _running = await asyncio.wait([running], timeout=look_every_s)
            if done:
                return running.result()
            if channel.pulse.overdue_s > 0:
                stuck(channel.name)
                log.error("a channel is stuck and is ended, to be started again", channel=channel.name)
                await _ended(running, channel.name)
                why = _("{channel} gave no sign of life and was started again.", channel=channel.name)
                raise RetryLaterError(why, retry_after_s=0.0)
    finally:
        channel.pulse.rest()
        channel.pulse.lost()
        running.cancel()
        await asyncio.wait([running], timeout=END_WITHIN_S)


async def _ended(running: asyncio.Future[None], name: str) -> None:
    """Return once it has ended; until then it says that it does not."""
    running.cancel()
    while True:
        done, _left = await asyncio.wait([running], timeout=END_WITHIN_S)
        if done:
            if not running.cancelled():
                running.exception()  # whatever it raised at its end: it is started again
            return
        log.error("a stuck channel does not end though it was cancelled; a restart of the bot heals it", channel=name)
        running.cancel()
