"""Which channels this bot serves itself, and for which it stands by because another bot of the same home serves them.

Two bots with one token would take each other's updates away, and two pages do not fit on one port. So a channel names its `post`,
which one process holds at a time; the next takes it within LOOK_EVERY_S of the first one's end, however that ended.

    duty = Duty(home)
    async with duty.of(channel, standing_by=tell):    # waits while another is on duty
        await channel.run(intake)
    await duty.begun(channel)                         # elsewhere: once it is held
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from bot.channels.channel import Channel
from bot.logs import Logger
from bot.store.posts import Posts

log = Logger(__name__)

LOOK_EVERY_S = 1.0


class Duty:
    """One process's channels."""

    def __init__(self, home: Path) -> None:
        """Share the posts of `home` with its other processes."""
        self._posts = Posts(home)
        self._begun: dict[str, asyncio.Event] = {}
        self._waiting: set[str] = set()

    @asynccontextmanager
    async def of(self, channel: Channel, *, standing_by: Callable[[str], None]) -> AsyncIterator[None]:
        """Hold the channel's post; while another holds it, wait, after `standing_by` was told the channel's name."""
        post = post_of(channel)
        if post:
            await self._taken(post, channel.name, standing_by)
        self._event(channel).set()
        try:
            yield
        finally:
            self._event(channel).clear()
            self._posts.leave(post)

    async def begun(self, channel: Channel) -> None:
        """Return once this process serves the channel."""
        await self._event(channel).wait()

    def serves(self, channel: Channel) -> bool:
        """Say whether this process serves the channel now."""
        return self._event(channel).is_set()

    def stands_by(self, channel: Channel) -> bool:
        """Say whether the channel waits for the end of another process that serves it."""
        return channel.name in self._waiting

    async def _taken(self, post: str, name: str, standing_by: Callable[[str], None]) -> None:
        told = False
        try:
            while not await asyncio.to_thread(self._posts.take, post):
                if not told:
                    log.warning("another bot of this home serves it; this one stands by", part=name)
                    standing_by(name)
                told = True
                self._waiting.add(name)
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            self._waiting.discard(name)
        if told:
            log.warning("the other bot has ended; this one serves it now", part=name)

    def _event(self, channel: Channel) -> asyncio.Event:
        return self._begun.setdefault(channel.name, asyncio.Event())


def post_of(channel: Channel) -> str:
    """Return what only one process may do at a time of what the channel does; "" where several may serve it side by side."""
    return str(getattr(channel, "post", ""))
