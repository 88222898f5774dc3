from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from bot.channels import web_server
from bot.channels.web_server import address_of, listen, serve
from bot.errors import ChannelError

Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def application(*, starts: bool = True, stops: bool = True) -> Application:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete" if starts else "lifespan.startup.failed"})
            await receive()
            if not stops:
                await asyncio.Event().wait()
            await send({"type": "lifespan.shutdown.complete"})
            return
        start: Message = {"type": "http.response.start", "status": 200, "headers": []}
        await send(start)
        await send({"type": "http.response.body", "body": b"here"})

    return answer


async def test_it_answers_once_it_is_ready_and_frees_its_port_when_it_is_cancelled() -> None:
    listener = listen("127.0.0.1", 0)
    url, ready = address_of(listener, "127.0.0.1"), asyncio.Event()
    serving = asyncio.create_task(serve(application(), listener, ready=ready))
    await ready.wait()
    async with httpx.AsyncClient() as client:
        assert (await client.get(url)).text == "here"
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    listen("127.0.0.1", int(url.rpartition(":")[2])).close()


def test_an_answer_in_several_pieces_is_sent_at_once() -> None:
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        taken, _there = listener.accept()
        with taken:
            assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_an_application_that_does_not_start_is_told_and_does_not_end_the_process() -> None:
    with listen("127.0.0.1", 0) as listener, pytest.raises(ChannelError, match="did not start"):
        await serve(application(starts=False), listener, ready=asyncio.Event())


async def test_an_application_that_does_not_stop_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_server, "LONGEST_STOP_S", 0.3)
    ready = asyncio.Event()
    with listen("127.0.0.1", 0) as listener:
        serving = asyncio.create_task(serve(application(stops=False), listener, ready=ready))
        await ready.wait()
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving


async def test_one_that_is_cancelled_while_it_starts_ends() -> None:
    begun = asyncio.Event()

    async def never(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    with listen("127.0.0.1", 0) as listener:
        serving = asyncio.create_task(serve(never, listener, ready=asyncio.Event()))
        await begun.wait()
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving


@asynccontextmanager
async def served(inside: Application) -> AsyncIterator[int]:
    ready = asyncio.Event()
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        serving = asyncio.create_task(serve(inside, listener, ready=ready))
        await ready.wait()
        yield port
        serving.cancel()
        await asyncio.wait([serving])


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"HEAD_S": 0.05, "BODY_S": 0.05, "SLOWEST_BYTES_S": 1 << 30, "LOOK_S": 0.02}.items():
        monkeypatch.setattr(f"bot.channels.web_wire.{name}", value)


async def _reading(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await application()(scope, receive, send)
    while (await receive()).get("more_body"):
        pass


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(
    "said", [b"", b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nx"]
)
async def test_a_request_that_does_not_come_to_its_end_is_ended(said: bytes) -> None:
    async with served(_reading) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(said)
        with suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), 20) == b""
        writer.close()


@pytest.mark.usefixtures("hasty")
async def test_an_answer_that_takes_longer_than_its_request_may_comes_all_the_same() -> None:
    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            reader, writer = await asyncio.open_connection("127.0.0.1", scope["server"][1])
            with suppress(ConnectionResetError):
                await reader.read()  # until the server ends one that came later and says nothing
            writer.close()
        await application()(scope, receive, send)

    async with served(slow) as port, httpx.AsyncClient() as client:
        assert (await client.get(f"http://127.0.0.1:{port}")).text == "here"


async def test_one_connection_too_many_ends_the_oldest_that_waits_and_a_visitor_is_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.channels.web_wire.MOST_CONNECTIONS", 3)
    async with served(application()) as port:
        idle = [await asyncio.open_connection("127.0.0.1", port) for _number in range(6)]
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"http://127.0.0.1:{port}")).text == "here"
        with suppress(ConnectionResetError):
            assert await asyncio.wait_for(idle[0][0].read(), 20) == b""
        for _reader, writer in idle:
            writer.close()


async def test_a_thousand_who_connect_at_once_do_not_take_all_descriptors() -> None:
    def descriptors() -> int:
        return sum(1 for _descriptor in Path("/proc/self/fd").iterdir())

    async with served(application()) as port:
        with ExitStack() as ends:
            crowd = [ends.enter_context(socket.socket()) for _number in range(1000)]
            without = descriptors()
            for one in crowd:
                one.settimeout(0)
                one.connect_ex(("127.0.0.1", port))
            most = without
            for _turn in range(300):
                await asyncio.sleep(0)
                most = max(most, descriptors())

    assert 0 < most - without <= 128


@pytest.mark.parametrize("head", [b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 200_000, b"GET /" + b"x" * 200_000])
async def test_a_head_without_end_is_refused_before_it_fills_the_memory(head: bytes) -> None:
    async with served(application()) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with suppress(ConnectionError):
            writer.write(head)
            await writer.drain()
            assert b" 400 " in await asyncio.wait_for(reader.read(), 20)
        writer.close()


@pytest.mark.parametrize(("proxies", "seen"), [((), ("127.0.0.1", "http")), (("127.0.0.1",), ("6.6.6.6", "https"))])
async def test_what_a_proxy_says_is_believed_only_of_one_that_the_settings_name(
    proxies: tuple[str, ...], seen: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    told: list[tuple[str, str]] = []

    async def noting(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            told.append((scope["client"][0], scope["scheme"]))
        await application()(scope, receive, send)

    ready = asyncio.Event()
    with listen("127.0.0.1", 0) as listener:
        serving = asyncio.create_task(serve(noting, listener, ready=ready, proxies=proxies))
        await ready.wait()
        async with httpx.AsyncClient() as client:
            spoofed = {"x-forwarded-for": "6.6.6.6", "x-forwarded-proto": "https"}
            await client.get(f"http://127.0.0.1:{listener.getsockname()[1]}", headers=spoofed)
        serving.cancel()
        await asyncio.wait([serving])
    assert told == [seen]


@pytest.mark.parametrize(("host", "url"), [("127.0.0.1", "http://127.0.0.1:"), ("::1", "http://[::1]:")])
def test_the_address_is_one_that_can_be_typed(host: str, url: str) -> None:
    with listen("127.0.0.1", 0) as listener:
        assert address_of(listener, host).startswith(url)
