from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.channels.line_wire import LineWire
from bot.errors import RetryLaterError


@asynccontextmanager
async def server(*answers: bytes, silent: bool = False) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Answer each line that comes with the next of `answers`; end after the last one unless `silent`. Gives the port and what came."""
    came: list[bytes] = []
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())  # type: ignore[arg-type]
        left = list(answers)
        while left and (line := await reader.readline()):
            came.append(line)
            writer.write(left.pop(0))
        if silent:
            await reader.read()
        writer.close()
        await writer.wait_closed()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield listener.sockets[0].getsockname()[1], came
    finally:
        listener.close()
        await asyncio.wait_for(asyncio.gather(*serving, return_exceptions=True), 60)


async def read(wire: LineWire, **more: float) -> list[str]:
    return [line async for line in wire.lines(asking="PING", **more)]


async def test_lines_go_and_come_and_none_that_is_written_has_a_feed_in_it() -> None:
    async with server(b":a 001 x\r\n\xff\xea\xb0\x80\n") as (port, came), LineWire.opened("127.0.0.1", port, tls=False) as wire:
        wire.write("NICK a\r\nQUIT\0")
        assert await read(wire) == [":a 001 x", "\ufffd가"]
    assert came == [b"NICK aQUIT\r\n"]


async def test_an_answer_is_all_that_came_up_to_its_last_line() -> None:
    answers = b"352 one\r\n", b"352 two\r\nPONG :k7\r\n"
    async with server(*answers, silent=True) as (port, _came), LineWire.opened("127.0.0.1", port, tls=False) as wire:
        reading = asyncio.create_task(read(wire))
        assert await wire.asked("WHO", "PING :k7", ends="k7") == ["352 one", "352 two", "PONG :k7"]
        reading.cancel()


async def test_a_question_ends_with_its_connection() -> None:
    asking: asyncio.Task[list[str]] | None = None
    async with server(b"") as (port, _came), LineWire.opened("127.0.0.1", port, tls=False) as wire:
        asking = asyncio.create_task(wire.asked("WHO", ends="never"))
        assert await read(wire) == []
    with pytest.raises(EOFError):
        await asking
    with pytest.raises(RetryLaterError):  # nothing was written
        await wire.asked("WHO", ends="never")


async def test_a_late_answer_is_none_to_the_next_question(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = b"", b"401 ann\r\nPONG :k1\r\n302 ben\r\nPONG :k2\r\n"
    async with server(*answers, silent=True) as (port, _came), LineWire.opened("127.0.0.1", port, tls=False) as wire:
        reading = asyncio.create_task(read(wire))
        with monkeypatch.context() as patched:
            patched.setattr("bot.channels.line_wire.ANSWER_S", 0.01)
            with pytest.raises(TimeoutError):
                await wire.asked("PING :k1", ends="k1")
        assert await wire.asked("PING :k2", ends="k2") == ["302 ben", "PONG :k2"]
        reading.cancel()


async def test_who_is_silent_is_asked_once_and_then_left() -> None:
    async with server(b"PONG\r\n", b"", silent=True) as (port, came), LineWire.opened("127.0.0.1", port, tls=False) as wire:
        with pytest.raises(TimeoutError):
            await read(wire, silent_s=0.05)
    assert came == [b"PING\r\n", b"PING\r\n"]


async def test_a_line_without_end_is_no_line() -> None:
    async with server(b"x" * 200_000) as (port, _came), LineWire.opened("127.0.0.1", port, tls=False) as wire:
        wire.write("NICK a")
        with pytest.raises(EOFError):
            await read(wire)


async def test_a_line_without_end_after_a_silence_is_no_line() -> None:
    async with server(b"x" * 200_000) as (port, _came), LineWire.opened("127.0.0.1", port, tls=False) as wire:
        with pytest.raises(EOFError):
            await read(wire, silent_s=0.05)


async def test_a_server_that_speaks_no_tls_is_an_error_of_the_system() -> None:
    async with server(b"hello\r\n") as (port, _came):
        with pytest.raises(OSError):  # noqa: PT011 - ssl's own, each version in other words
            async with LineWire.opened("127.0.0.1", port, tls=True):
                pass
