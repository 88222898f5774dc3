"""Web servers on loopback that do not keep to the rules: each says what it is told to, byte for byte.

async with lying_site({"/robots.txt": MISSING, "/": b"HTTP/1.1 200 OK\\r\\n\\r\\nhello"}) as site:
    site.url        # http://wiki.intra:41234
    site.asked      # the request heads that came
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Said = bytes | Callable[[], Iterator[bytes]]
"""An answer whole, or in pieces that may have no end."""
MISSING = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
NAME = "wiki.intra"


@dataclass
class Site:
    """A running site: where it is, and the heads of the requests that it got."""

    port: int
    asked: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{NAME}:{self.port}"


def page(body: bytes, *fields: str, status: str = "200 OK", kind: str = "text/html") -> bytes:
    """Return an honest answer."""
    head = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *fields]
    return "\r\n".join([*head, "", ""]).encode() + body


@asynccontextmanager
async def lying_site(answers: Mapping[str, Said], *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Site]:
    """Serve `answers` by path; what has none gets 404, an empty one is never answered."""
    site = Site(0)

    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        try:
            head = (await reader.read(65536)).decode("latin-1")
            site.asked.append(head)
            said = answers.get(head.split(" ")[1] if " " in head else "", MISSING)
            for piece in [said] if isinstance(said, bytes) else said():
                writer.write(piece)
                await writer.drain()
            if said == b"":
                await reader.read()
            writer.close()
            await writer.wait_closed()
        except (ConnectionError, asyncio.CancelledError):  # who asked is gone, or the site is: what is unsent would keep it open
            writer.transport.abort()
        finally:
            serving.discard(task)

    server = await asyncio.start_server(serve, host, port)
    site.port = server.sockets[0].getsockname()[1]
    try:
        yield site
    finally:
        server.close()
        await asyncio.sleep(0)  # who has just come is served by a task that has not begun yet
        for task in list(serving):
            task.cancel()
        await asyncio.gather(*serving)
