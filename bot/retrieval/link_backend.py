"""Connections for httpcore: to addresses that were checked and to no other, with every byte that comes counted.

The only file that imports httpcore when it is itself imported; `bot.retrieval.link_wire` does so where a link is fetched.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import httpcore

from bot.errors import UnreadableError
from bot.locale import phrases

_ = phrases(__file__)

HEAD_BYTES: Final = 256 * 1024
"""All that may come before the body: header fields, any number of 1xx answers."""
PIECE_BYTES: Final = 8 * 1024
"""What is read at once: a body of thousands of tiny chunks must not hold the event loop."""


@dataclass(slots=True)
class Allowance:
    """Bytes that may still come over the connection."""

    left: int = HEAD_BYTES


class Pinned(httpcore.AsyncNetworkBackend):
    """Connects to the first of `addresses` that takes the connection, whatever the host is called."""

    def __init__(self, addresses: Sequence[str], allowance: Allowance) -> None:
        """Take what was checked, at least one address, and what may come."""
        self._addresses = addresses
        self._allowance = allowance
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,  # noqa: ARG002 - a name, whose addresses are known
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - a signature of httpcore's
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Return a counted connection. Raises as httpcore's own where no address takes one."""
        for address in self._addresses[:-1]:
            try:
                stream = await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue  # a machine without IPv6 is given such addresses all the same
            return _Counted(stream, self._allowance)
        last = await self._inner.connect_tcp(self._addresses[-1], port, timeout, local_address, socket_options)
        return _Counted(last, self._allowance)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class _Counted(httpcore.AsyncNetworkStream):
    def __init__(self, stream: httpcore.AsyncNetworkStream, allowance: Allowance) -> None:
        self._stream = stream
        self._allowance = allowance

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - a signature of httpcore's
        piece = await self._stream.read(min(max_bytes, PIECE_BYTES), timeout)
        self._allowance.left -= len(piece)
        if self._allowance.left < 0:
            raise UnreadableError(_("The site sends without end, so I stopped listening. Please paste the text."))
        return piece

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - as above
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - as above
    ) -> httpcore.AsyncNetworkStream:
        try:
            return _Counted(await self._stream.start_tls(ssl_context, server_hostname, timeout), self._allowance)
        except (httpcore.NetworkError, httpcore.TimeoutException, ssl.SSLError, OSError) as error:
            raise UnreadableError(
                _(
                    "{host} offers no secure connection that I can trust (its certificate, or its TLS). Please paste the text.",
                    host=server_hostname or "",
                )
            ) from error

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)
