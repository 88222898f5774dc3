"""A connection of lines, as IRC and its kin speak: opened in TLS or not, read in time, asked with an answer to wait for.

    async with LineWire.opened("irc.example.org", 6697, tls=True) as wire:
        wire.write("NICK paring")
        async for line in wire.lines(asking="PING :there?"): ...
    told = await wire.asked("WHO #team", "PING :7f3a", ends="7f3a")    # from elsewhere, while the lines are read

Owns the socket: no line that is written has a line feed in it. Leaves to who opens it what the lines mean.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, Self

from bot.errors import RetryLaterError
from bot.locale import phrases

_ = phrases(__file__)

CONNECT_S: Final = 30.0
ANSWER_S: Final = 20.0
SILENT_S: Final = 60.0
CLOSE_S: Final = 1.0
_NONE_OF: Final = {ord(sign): None for sign in "\r\n\0"}


@dataclass
class _Question:
    ends: str
    came: list[str] = field(default_factory=list)
    answer: asyncio.Future[list[str]] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class LineWire:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take its two ends."""
        self._reader, self._writer = reader, writer
        self._one_at_a_time = asyncio.Lock()
        self._question: _Question | None = None
        self._late = ""
        """What ended the last question: where no answer to it came in time, it comes before the next one's."""
        self._over = False

    @classmethod
    @asynccontextmanager
    async def opened(cls, host: str, port: int, *, tls: bool) -> AsyncIterator[Self]:
        """Connect; the certificate is checked. Raises OSError, TimeoutError."""
        context = ssl.create_default_context() if tls else None
        async with asyncio.timeout(CONNECT_S):
            wire = cls(*await asyncio.open_connection(host, port, ssl=context))
        try:
            yield wire
        finally:
            await wire._end()

    def write(self, *lines: str) -> None:
        """Write lines, each with its end."""
        self._writer.write(b"".join(line.translate(_NONE_OF).encode("utf-8", "replace") + b"\r\n" for line in lines))

    async def lines(self, *, asking: str, silent_s: float = SILENT_S) -> AsyncIterator[str]:
        """Yield what comes until the connection ends. After so long a silence `asking` is written; after as long again it is over.

        Raises:
            TimeoutError: the other side is silent.
            EOFError: it sends no lines.
        """
        while line := await self._next(asking, silent_s):
            said = line.decode("utf-8", "replace").rstrip("\r\n")
            question = self._question
            if question is not None and not question.answer.done():
                question.came.append(said)
                if said.endswith(question.ends):
                    question.answer.set_result(question.came)
                elif self._late and said.endswith(self._late):
                    question.came.clear()
            yield said

    async def asked(self, *lines: str, ends: str) -> list[str]:
        """Write `lines`; return what came from then on, up to a line that ends with `ends`: a word that nobody else can guess.

        Raises:
            EOFError, TimeoutError: no such line came. What was written may have arrived or not.
            RetryLaterError: the connection is over; nothing was written.
        """
        async with self._one_at_a_time:
            if self._over:
                raise RetryLaterError(
                    _("The connection is over. Nothing was sent; it is tried again by itself."), retry_after_s=2.0
                )
            question = self._question = _Question(ends)
            try:
                self.write(*lines)
                return await asyncio.wait_for(question.answer, ANSWER_S)
            finally:
                self._question, self._late = None, ends

    async def _next(self, asking: str, silent_s: float) -> bytes:
        try:
            try:
                async with asyncio.timeout(silent_s):
                    return await self._reader.readline()
            except TimeoutError:
                self.write(asking)
            async with asyncio.timeout(silent_s):
                return await self._reader.readline()
        except ValueError as error:
            raise EOFError("a line without end") from error

    async def _end(self) -> None:
        self._over = True
        if self._question is not None and not self._question.answer.done():
            self._question.answer.set_exception(EOFError())
        self._writer.close()
        with suppress(OSError, TimeoutError):
            await asyncio.wait_for(self._writer.wait_closed(), CLOSE_S)
