"""The server of the page: a socket that listens, uvicorn on it, and an end that is waited for only so long.

Owns the port and the server's life. Leaves to `bot.channels.web` what is served.

    listener = listen("127.0.0.1", 8080)
    await serve(application, listener, ready=ready)     # until cancelled
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bot.errors import ChannelError, refusal
from bot.locale import phrases

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

_ = phrases(__file__)

MESSAGE_BYTES = 256 * 1024
"""Largest message of a socket: the page's own are a few hundred bytes."""
BACKLOG = 32
"""Connections that are taken at once: each takes a descriptor before `BoundedConnection` can refuse it, and the bot has a thousand."""
STOP_S = 2
LONGEST_STOP_S = 3.0 * STOP_S
LAST_PORT = 65535


def is_loopback(host: str) -> bool:
    """Say whether only this machine reaches `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens. Raises ChannelError, which says what to type, where it cannot."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            free = port + 1 if port < LAST_PORT else 0
            raise ChannelError(
                _(
                    "Port {port} is taken by another program, perhaps by a Paring that runs already."
                    " PARING_WEB__PORT={free} paring run takes another.",
                    port=port, free=free,
                )
            ) from error  # fmt: skip
        why = refusal(error)
        raise ChannelError(
            _(
                "The web page cannot listen on {host}, port {port}: {why}. Set PARING_WEB__HOST or PARING_WEB__PORT to others.",
                host=host,
                port=port,
                why=why,
            )
        ) from error
    # What is accepted inherits it: asyncio sets it only where a socket names its protocol, and `create_server` names none.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def address_of(listener: socket.socket, host: str) -> str:
    """Return what a person types to reach `listener`."""
    return f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"


async def serve(application: ASGIApp, listener: socket.socket, *, ready: asyncio.Event, proxies: Sequence[str] = ()) -> None:
    """Serve until cancelled or until the server ends by itself; `ready` is set once it answers.

    What `proxies` say of whom they speak for is believed, and nobody else.

    Raises:
        ChannelError: it did not come up.
    """
    server = _server(application, ready, proxies)
    serving = asyncio.ensure_future(_serve(server, listener))
    try:
        await asyncio.shield(serving)
    finally:
        await _end(server, serving)


async def _serve(server: uvicorn.Server, listener: socket.socket) -> None:
    try:
        await server.serve(sockets=[listener])
    except SystemExit as error:  # uvicorn would end the process where its application does not start
        raise ChannelError(
            _("The web page did not start. PARING_LOG_LEVEL=info paring run says more; nothing that was said is lost.")
        ) from error


async def _end(server: uvicorn.Server, serving: asyncio.Future[None]) -> None:
    """Stop the server; one that does not end in time is cancelled and left, so that the bot can end."""
    server.should_exit = True
    done, _waiting = await asyncio.wait([serving], timeout=LONGEST_STOP_S)
    if not done:
        server.force_exit = True
        serving.cancel()
    elif not serving.cancelled():
        serving.exception()  # whoever waited has it; one that was cancelled meanwhile does not want it


def _server(application: ASGIApp, ready: asyncio.Event, proxies: Sequence[str]) -> uvicorn.Server:
    """Return a server that leaves signals to the process and says when it listens."""
    import uvicorn  # noqa: PLC0415 - only a process that serves pays for it

    from bot.channels.web_wire import BoundedConnection  # noqa: PLC0415 - as above

    class Server(uvicorn.Server):
        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets=sockets)
            ready.set()

    return Server(
        uvicorn.Config(
            application, log_config=None, access_log=False, lifespan="on", ws="websockets-sansio", server_header=False,
            timeout_graceful_shutdown=STOP_S, http=BoundedConnection, ws_max_size=MESSAGE_BYTES, proxy_headers=bool(proxies),
            forwarded_allow_ips=list(proxies), backlog=BACKLOG,
        )
    )  # fmt: skip
