"""`/healthz`, `/readyz` and `/metrics` on a port of their own, on this machine alone: for a bot without a page, or with a proxy before it.

Owns the little of HTTP that this takes: GET, no body, one answer a connection. Every other request is refused.

    async with listening(9464, health) as port: ...
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Final, Protocol

from bot.errors import ChannelError, refusal
from bot.locale import phrases

_ = phrases(__file__)

HERE: Final = "127.0.0.1"
REQUEST_BYTES: Final = 8192
REQUEST_S: Final = 5.0
MOST_AT_ONCE: Final = 16
OWN_NAMES: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})


class Answer(Protocol):
    """What is answered."""

    @property
    def status(self) -> int:
        """HTTP's status."""
        ...

    @property
    def media_type(self) -> str:
        """The body's type."""
        ...

    @property
    def body(self) -> str:
        """The body."""
        ...


class HealthDesk(Protocol):
    """Who knows how the bot is. Implemented by `bot.health.Health`."""

    async def look(self, path: str) -> Answer | None:
        """Answer a request for `path`, None where there is no such page."""
        ...


@asynccontextmanager
async def listening(port: int, desk: HealthDesk) -> AsyncIterator[int]:
    """Serve on loopback while the context lasts; give the port. Raises ChannelError where it cannot listen."""
    places = asyncio.Semaphore(MOST_AT_ONCE)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, TimeoutError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(2 * REQUEST_S), places:
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(await _answered(head.decode("latin-1"), desk))
                await writer.drain()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    try:
        server = await asyncio.start_server(serve, HERE, port, limit=REQUEST_BYTES)
    except OSError as error:
        raise ChannelError(
            _("The health port {port} cannot be used: {why}. Set PARING_METRICS__PORT to another.", port=port, why=refusal(error))
        ) from error
    async with server:
        yield int(server.sockets[0].getsockname()[1])


async def _answered(head: str, desk: HealthDesk) -> bytes:
    first, _end, rest = head.partition("\r\n")
    method, _space, target = first.partition(" ")
    path = target.partition(" ")[0].partition("?")[0]
    if method not in {"GET", "HEAD"}:
        return _written(HTTPStatus.METHOD_NOT_ALLOWED, "text/plain", "GET alone.", method)
    if _host(rest) not in OWN_NAMES:  # a page elsewhere whose name leads here
        return _written(HTTPStatus.MISDIRECTED_REQUEST, "text/plain", "This server answers only to its own name.", method)
    found = await desk.look(path)
    if found is None:
        return _written(HTTPStatus.NOT_FOUND, "text/plain", "There is no such page.", method)
    return _written(HTTPStatus(found.status), found.media_type, found.body, method)


def _host(headers: str) -> str:
    for line in headers.split("\r\n"):
        name, _colon, value = line.partition(":")
        if name.strip().lower() == "host":
            host = value.strip().lower()
            return host[: host.index("]") + 1] if host.startswith("[") and "]" in host else host.partition(":")[0]
    return ""


def _written(status: HTTPStatus, media_type: str, body: str, method: str) -> bytes:
    told = body.encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {media_type}\r\nContent-Length: {len(told)}\r\n"
        "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + (b"" if method == "HEAD" else told)
