"""A real ngircd on loopback, and people in it over raw sockets.

async with ircd(folder) as server, server.person("ann") as ann:
ann.say("paring", "hello")
await ann.hears("hi")
"""

from __future__ import annotations

import asyncio
import re
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

NGIRCD = Path("/usr/sbin/ngircd")
NAME = "irc.test.example"
LONGEST_S = 120.0
CLIENT_BYTES = 400
CONFIGURATION = """
[Global]
Name = {name}
Info = test
Listen = 127.0.0.1
Ports = {port}
AdminInfo1 = test
{password}
[Limits]
MaxConnectionsIP = 0
MaxNickLength = 20
MaxPenaltyTime = {penalty}
PingTimeout = 30
PongTimeout = 10
[Options]
DNS = no
Ident = no
PAM = no
"""


class Person:
    """Somebody with an IRC client; `lines` is all that the server sent, `said` what others said."""

    def __init__(self, nick: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.nick = nick
        self.lines: list[str] = []
        self._reader, self._writer = reader, writer
        self._came = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    @property
    def said(self) -> list[str]:
        """What the bot said to this person or where they are, in its order."""
        return [text for _target, text in self.heard]

    @property
    def heard(self) -> list[tuple[str, str]]:
        """The same, with whom or where it was said to."""
        found = (re.fullmatch(r":paring_*!\S+ PRIVMSG (\S+) :(.*)", line) for line in self.lines)
        return [(one[1], one[2]) for one in found if one]

    def write(self, line: str) -> None:
        self._writer.write(line.encode() + b"\r\n")

    def say(self, target: str, text: str) -> None:
        """Say it, in as many lines as it takes, as clients do."""
        line = ""
        for word in text.split(" "):
            if len(f"{line} {word}".encode()) > CLIENT_BYTES:
                self.write(f"PRIVMSG {target} :{line}")
                line = word
            else:
                line = f"{line} {word}" if line else word
        self.write(f"PRIVMSG {target} :{line}")

    async def until(self, pattern: str, *, after: int = 0) -> str:
        """Return the first line after so many that `pattern` is found in, once it has come."""
        async with asyncio.timeout(LONGEST_S):
            while True:
                if found := next((line for line in self.lines[after:] if re.search(pattern, line)), None):
                    return found
                if self._reading.done():
                    raise EOFError(f"{self.nick} is not connected any more: {self.lines[-3:]}")
                self._came.clear()
                await self._came.wait()

    async def hears(self, pattern: str, *, after: int = 0) -> str:
        """Return the first thing of the bot's after so many in which `pattern` is found, once it is said."""
        async with asyncio.timeout(LONGEST_S):
            while not (found := next((text for text in self.said[after:] if re.search(pattern, text)), None)):
                self._came.clear()
                await self._came.wait()
        return found

    async def settle(self) -> None:
        """Return once all has come that was said before."""
        token = secrets.token_hex(8)
        self.write(f"PING :{token}")
        await self.until(f"PONG .*{token}")

    async def is_there(self, nick: str = "paring") -> None:
        """Return once somebody with this nick is logged in."""
        async with asyncio.timeout(LONGEST_S):
            while True:
                before = len(self.lines)
                self.write(f"USERHOST {nick}")
                if "=" in (await self.until(r" 302 ", after=before)):
                    return
                await asyncio.sleep(0.02)

    async def leave(self) -> None:
        self._writer.close()
        self._reading.cancel()
        with suppress(asyncio.CancelledError, OSError):
            await self._reading
        with suppress(OSError):
            await self._writer.wait_closed()

    async def _read(self) -> None:
        try:
            while line := await self._reader.readline():
                said = line.decode("utf-8").rstrip("\r\n")  # a letter that is cut raises
                assert len(line) <= 512, line
                if said.startswith("PING"):
                    self.write(f"PONG{said[4:]}")
                self.lines.append(said)
                self._came.set()
        except OSError:
            pass
        finally:
            self._came.set()


class Ircd:
    """One server, which may be ended and started again on its port."""

    def __init__(self, folder: Path, *, penalty: int = 0, password: str = "") -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._file = folder / "ngircd.conf"
        told = f"Password = {password}" if password else ""
        self._file.write_text(CONFIGURATION.format(name=NAME, port=self.port, penalty=penalty, password=told))
        self._file.chmod(0o644)
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            NGIRCD, "-n", "-f", self._file, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        async with asyncio.timeout(LONGEST_S):
            while True:
                with suppress(OSError):
                    _reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                    writer.close()
                    return
                await asyncio.sleep(0.01)

    async def end(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.terminate()
            await self._process.wait()

    @asynccontextmanager
    async def person(self, nick: str, *, channel: str = "", password: str = "", user: str = "") -> AsyncIterator[Person]:
        person = Person(nick, *await asyncio.open_connection("127.0.0.1", self.port))
        try:
            if password:
                person.write(f"PASS {password}")
            person.write(f"NICK {nick}")
            person.write(f"USER {user or nick} 0 * :{nick}")
            await person.until(r" (376|422) ")
            if channel:
                person.write(f"JOIN {channel}")
                await person.until(r" 366 ")
            yield person
        finally:
            await person.leave()


@asynccontextmanager
async def ircd(folder: Path, *, penalty: int = 0, password: str = "") -> AsyncIterator[Ircd]:
    server = Ircd(folder, penalty=penalty, password=password)
    await server.start()
    try:
        yield server
    finally:
        await server.end()
