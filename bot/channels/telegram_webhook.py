"""The webhook: updates are posted to us, and acknowledged only when they are kept.

Owns the listener, the secret header, the size of a body and how long one may take. Leaves to its `take` what an update says, and to a
proxy of the installation TLS. Telegram posts an update again until it is answered with 2xx.

    async with listening(host, port, secret, take) as port: ...

Source: https://core.telegram.org/bots/api#setwebhook
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import math
import re
import time
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import cast

from aiohttp import web

from bot.channels.telegram_lenient import padded
from bot.channels.telegram_polling import Take
from bot.errors import ChannelError, SettingsError, StoreError
from bot.locale import phrases

_ = phrases(__file__)

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the header's name
MAX_BODY_BYTES = 1024 * 1024
LONGEST_FIELD = 64 * 1024
"""Bytes of a header: one that is longer than any secret is a wrong secret (401), not a broken request."""
LARGEST_UPDATE = 2**53
BODY_S, HEAD_S, KEEP_S = 10.0, 10.0, 75.0
"""How long a body may take, a request's head, and a connection wait for its next request."""
LINGER_S, STOP_S, LOOK_S = 1.0, 2.0, 1.0
MOST_CONNECTIONS = 128
"""Telegram opens 40, and 100 at most. Source: https://core.telegram.org/bots/api#setwebhook (max_connections)"""
BACKLOG = 32
"""Connections that are taken at once: each takes a descriptor before anything can be said of it, and the bot has a thousand."""
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_log = logging.getLogger(__name__)


def check_secret(secret: str) -> None:
    """Raise SettingsError where `secret` is none that Telegram takes."""
    if not _SECRET.fullmatch(secret):
        raise SettingsError(
            _(
                "A Telegram webhook needs a secret, so that nobody else can post to it. Set PARING_TELEGRAM__WEBHOOK_SECRET "
                "to 1 to 256 letters, digits, _ or -, or unset telegram.webhook_url to poll."
            )
        )


@asynccontextmanager
async def listening(host: str, port: int, secret: str, take: Take, *, path: str = "/") -> AsyncIterator[int]:
    """Listen while the context lasts; give the port. Raises ChannelError where the port cannot be had.

    What is posted to `path` is taken, or to / behind a proxy that cuts the path off.
    """
    patience = _Patience()
    application = web.Application(client_max_size=MAX_BODY_BYTES)
    application.router.add_route("*", "/{path:.*}", _handler(secret, take, {path or "/", "/"}, patience))
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
            raise ChannelError(
                _(
                    "The Telegram webhook cannot listen on {host}:{port} ({reason}). Set telegram.webhook_port to a free port.",
                    host=host,
                    port=port,
                    reason=error.strerror or type(error).__name__,
                )
            ) from error
        yield int(listener.sockets[0].getsockname()[1])
    finally:
        watching.cancel()
        if listener is not None:
            listener.close()
        await runner.cleanup()


def _handler(secret: str, take: Take, paths: Collection[str], patience: _Patience) -> web.Handler:  # type: ignore[name-defined]
    async def handle(request: web.Request) -> web.Response:
        if not _knows(request, secret):
            return _refused(401)
        with patience.at_work(request.protocol):
            status = _unfit(request, paths)
            return _refused(status) if status else await taken(request)

    async def taken(request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(BODY_S):
                update = json.loads(await request.read())
        except TimeoutError:
            return _refused(408)
        except (ValueError, RecursionError):
            return _refused(400)
        if not isinstance(update, dict) or not _is_number(update.get("update_id")):
            return _refused(400)
        try:
            await take([cast("dict[str, object]", padded(update))])
        except StoreError as error:
            _log.warning("An update could not be kept (%s); Telegram posts it again.", error)
            return web.Response(status=503)
        return web.Response()

    return handle


def _knows(request: web.Request, secret: str) -> bool:
    """Say whether exactly one secret was sent, and it is ours; in the time that any other of its length takes."""
    given = request.headers.getall(SECRET_HEADER, [])
    return len(given) == 1 and hmac.compare_digest(given[0].encode("utf-8", "surrogateescape"), secret.encode())


def _unfit(request: web.Request, paths: Collection[str]) -> int:
    """Return with which status a request is refused by its head alone, 0 for one that may be Telegram's."""
    if request.method != "POST":
        return 405
    if request.path not in paths:
        return 404
    if request.content_type != "application/json" or "Content-Encoding" in request.headers:
        return 415
    return 413 if (request.content_length or 0) > MAX_BODY_BYTES else 0


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_UPDATE


def _refused(status: int) -> web.Response:
    """Return a refusal; what still comes of the request is not waited for."""
    answer = web.Response(status=status)
    answer.force_close()
    return answer


class _Patience:
    """Ends connections on which no request comes to its end, and the oldest of too many as they come: aiohttp waits for ever."""

    def __init__(self) -> None:
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
