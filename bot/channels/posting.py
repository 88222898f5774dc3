"""A listener for what a platform posts to the bot: short requests, few connections, no patience with others.

Owns the sockets and their bounds. Leaves to its `handler` who may post and what it says, and to a proxy of the installation TLS.

    async with hosted(handler, "127.0.0.1", 8443, patience, most_bytes=1 << 20) as port: ...
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial

from aiohttp import web

LONGEST_FIELD = 64 * 1024
"""Bytes of a header: one that is longer than any secret is a wrong secret (401), not a broken request."""
HEAD_S, KEEP_S = 10.0, 75.0
"""How long a request's head may take, and a connection wait for its next request."""
LINGER_S, STOP_S, LOOK_S = 1.0, 2.0, 1.0
MOST_CONNECTIONS = 128
"""Telegram opens 40, and 100 at most. Source: https://core.telegram.org/bots/api#setwebhook (max_connections)"""
BACKLOG = 32
"""Connections that are taken at once: each takes a descriptor before anything can be said of it, and the bot has a thousand."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class CannotListenError(Exception):
    """The port cannot be had."""

    def __init__(self, reason: str) -> None:
        """Take the system's word for why."""
        super().__init__(reason)
        self.reason = reason


@asynccontextmanager
async def hosted(handler: Handler, host: str, port: int, patience: Patience, *, most_bytes: int) -> AsyncIterator[int]:
    """Listen while the context lasts; give the port. A body of over `most_bytes` is refused. Raises CannotListenError."""
    application = web.Application(client_max_size=most_bytes)
    application.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(
        application, access_log=None, handle_signals=False, max_field_size=LONGEST_FIELD, max_line_size=LONGEST_FIELD,
        keepalive_timeout=KEEP_S, lingering_time=LINGER_S, shutdown_timeout=STOP_S,
    )  # fmt: skip
    await runner.setup()
    watching = asyncio.create_task(patience.watch(runner))
    listener: asyncio.Server | None = None
    try:
        connected = partial(patience.connected, runner)
        try:
            listener = await asyncio.get_running_loop().create_server(connected, host, port, backlog=BACKLOG)
        except OSError as error:
            raise CannotListenError(error.strerror or type(error).__name__) from error
        yield int(listener.sockets[0].getsockname()[1])
    finally:
        watching.cancel()
        if listener is not None:
            listener.close()
        await runner.cleanup()


class Patience:
    """Ends connections on which no request comes to its end, and the oldest of too many as they come: aiohttp waits for ever."""

    def __init__(self) -> None:
        """Know no connection yet."""
        self._since: dict[object, float] = {}
        self._at_work: set[object] = set()

    @contextmanager
    def at_work(self, connection: object) -> Iterator[None]:
        """Let a request that knows the secret take its time; the next one on its connection may be long in coming."""
        self._at_work.add(connection)
        try:
            yield
        finally:
            self._at_work.discard(connection)
            self._since[connection] = time.monotonic() + KEEP_S

    def connected(self, runner: web.AppRunner) -> asyncio.Protocol:
        """Return who speaks with somebody who connects; of too many who ask nothing, the one that has waited longest is ended for it."""
        assert runner.server is not None  # noqa: S101 - it is set up
        idle = self._idle(runner)
        if len(idle) + len(self._at_work) >= MOST_CONNECTIONS and idle:
            self._end(idle[0])
        made = runner.server()
        self._since[made] = time.monotonic()
        return made

    async def watch(self, runner: web.AppRunner) -> None:
        """Look every second; until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            now = time.monotonic()
            connections = runner.server.connections if runner.server is not None else []
            self._since = {one: self._since.get(one, now) for one in connections}
            for one in self._idle(runner):
                if now - self._since[one] > HEAD_S:
                    self._end(one)

    def _idle(self, runner: web.AppRunner) -> list[web.RequestHandler]:
        """Return the connections that are open and ask nothing, the one that has waited longest first."""
        connections = runner.server.connections if runner.server is not None else []
        open_ = [one for one in connections if one.transport is not None and not one.transport.is_closing()]
        return sorted((one for one in open_ if one not in self._at_work), key=lambda one: self._since.get(one, math.inf))

    @staticmethod
    def _end(connection: web.RequestHandler) -> None:
        if connection.transport is not None:
            connection.transport.abort()
