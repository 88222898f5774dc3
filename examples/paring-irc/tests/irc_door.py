"""An IRC server on another port, for the bot: its lines go through, until something is to break.

async with door(server.port) as through:
    through.fault = "lost"      # the bot's next line to somebody is not carried out, and its connection is cut
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

Cut = Literal["", "lost", "doubt", "away"]
"""Of the bot's next line to somebody. lost: cut before it; doubt: cut after it, before the server's answer; away: as lost, and the bot's
next connection is refused."""


class Door:
    """One server behind a port of its own."""

    def __init__(self, server: int) -> None:
        self.port = 0
        self.fault: Cut = ""
        self._server, self._refused = server, 0
        self._mute = False

    async def enters(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until either side ends it, or it breaks."""
        if self._refused:
            self._refused -= 1
            writer.close()
            return
        self._mute = False
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._server)
        ways = [asyncio.ensure_future(self._out(reader, far_writer)), asyncio.ensure_future(self._back(far_reader, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            for end in (far_writer, writer):
                end.close()

    async def _out(self, reader: asyncio.StreamReader, server: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            if self.fault and line.startswith(b"PRIVMSG "):
                fault, self.fault = self.fault, ""
                self._refused = fault == "away"
                if fault != "doubt":
                    return
                self._mute = True
            server.write(line)

    async def _back(self, server: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await server.readline():
            if self._mute and b" PONG " in line:  # what was asked after the line: it was carried out
                return
            if not self._mute:
                writer.write(line)


@asynccontextmanager
async def door(server: int) -> AsyncIterator[Door]:
    """Serve it while the context lasts."""
    made = Door(server)
    listening = await asyncio.start_server(made.enters, "127.0.0.1", 0)
    made.port = listening.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        listening.close()
