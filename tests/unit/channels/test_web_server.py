from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

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


@pytest.mark.parametrize(("host", "url"), [("127.0.0.1", "http://127.0.0.1:"), ("::1", "http://[::1]:")])
def test_the_address_is_one_that_can_be_typed(host: str, url: str) -> None:
    with listen("127.0.0.1", 0) as listener:
        assert address_of(listener, host).startswith(url)
