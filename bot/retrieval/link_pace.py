"""How much is fetched at once, and how often from one place: nobody can use the bot to flood a site, or to hold it up.

Counted by address (IPv6: by /64), not by name: a hundred names of one's own may all lead to somebody else's machine.

    async with pace.place():                                 # one of those that are fetched at the same time
        async with pace.turn("93.184.215.14", "example.org"):
            ...                                              # one request
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from bot.errors import RefusedLinkError
from bot.locale import phrases

_ = phrases(__file__)

AT_ONCE: Final = 8
AT_ONCE_THERE: Final = 2
BURST: Final = 20
"""Requests to one address that are made without a pause."""
A_SECOND: Final = 1.0
"""Requests a second after these."""
LONGEST_WAIT_S: Final = 5.0
"""Who would wait longer is told to come back."""
MOST_SITES: Final = 1024


@dataclass(slots=True)
class _Site:
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE_THERE))
    free_at: float = 0.0
    """When the next request would be due, were all of them a second apart; BURST of them may be ahead of it."""
    users: int = 0


class Pace:
    """One for all links of a bot."""

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        """Begin with nothing fetched."""
        self._clock = clock
        self._sleep = sleep
        self._places = asyncio.Semaphore(AT_ONCE)
        self._sites: dict[str, _Site] = {}

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold one of the places. Raises RefusedLinkError where none is free in time."""
        try:
            async with asyncio.timeout(LONGEST_WAIT_S):
                await self._places.acquire()
        except TimeoutError:
            raise RefusedLinkError(
                _("I am fetching as many links as I can just now. Please send it again in a minute.")
            ) from None
        try:
            yield
        finally:
            self._places.release()

    @asynccontextmanager
    async def turn(self, address: str, host: str) -> AsyncIterator[None]:
        """Wait for a turn at `address`. Raises RefusedLinkError, with the name of `host`, where too many wait for it."""
        site = self._site(_network(address))
        now = self._clock()
        wait_s = site.free_at - now - BURST / A_SECOND
        if wait_s > LONGEST_WAIT_S:
            raise RefusedLinkError(
                _(
                    "I have fetched a lot from {host} just now, and I do not press a site. Please try again in a minute.",
                    host=host,
                )
            )
        site.free_at = max(site.free_at, now) + 1 / A_SECOND
        site.users += 1
        try:
            if wait_s > 0:
                await self._sleep(wait_s)
            async with site.turns:
                yield
        finally:
            site.users -= 1

    def _site(self, network: str) -> _Site:
        if len(self._sites) >= MOST_SITES:
            now = self._clock()
            self._sites = {name: site for name, site in self._sites.items() if site.users or site.free_at > now}
        return self._sites.setdefault(network, _Site())


def _network(address: str) -> str:
    ip = ipaddress.ip_address(address.partition("%")[0])
    return str(ipaddress.ip_network((ip, 64), strict=False)) if ip.version == 6 else str(ip)  # noqa: PLR2004 - IPv6
