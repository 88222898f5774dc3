"""The tests' side of the server: starts the process, plays people, orders faults, asks what was sent.

async with running() as telegram:
    telegram.base_url  # for PARING_TELEGRAM__BASE_URL
    await telegram.say("hello", user=ANN)
    (answer,) = await telegram.shown(ANN, by_bot=1)
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from fakes import leaks
from fakes.leaks import TOKEN
from fakes.waiting import LONGEST_S

Json = dict[str, Any]
ANN = 42
GRACE_S = 30.0
USERNAME = "ParBot"
_PROGRAM = Path(__file__).parents[1] / "telegram_server.py"


class FakeTelegram:
    """One running server. `user` and `chat` are ids; a private chat has its person's."""

    def __init__(self, port: int, session: aiohttp.ClientSession) -> None:
        self.port = port
        self.root = f"http://127.0.0.1:{port}"
        self.base_url = f"{self.root}/bot"
        self.base_file_url = f"{self.root}/file/bot"
        self._session = session

    async def order(self, order: str, /, **told: Any) -> Any:
        body = io.BytesIO(json.dumps(told).encode())
        async with self._session.post(f"{self.root}/_control/{order}", data=body) as answer:
            return await _body(answer)

    async def ask(self, question: str, /, **asked: str | int) -> Any:
        async with self._session.get(f"{self.root}/_control/{question}", params=asked) as answer:
            return await _body(answer)

    async def say(self, text: str | None = None, *, user: int = ANN, chat: int | None = None, **told: Any) -> Any:
        """Let a person say something; `told` as the order `say` takes it. Returns the message, with update_id."""
        leaks.said(text)
        person = {"id": user, **told.pop("person", {})}
        told |= {"text": text} if text is not None else {}
        return await self.order("say", **{"from": person, "chat": chat or user, **told})

    async def press(self, message_id: int, *, user: int = ANN, chat: int | None = None, **told: Any) -> Any:
        return await self.order("press", **{"from": {"id": user}, "chat": chat or user, "message_id": message_id, **told})

    async def file(self, content: bytes, **told: Any) -> Any:
        return await self.order("file", content=base64.b64encode(content).decode(), **told)

    async def fault(self, kind: str, method: str = "*", **told: Any) -> None:
        await self.order("fault", kind=kind, method=method, **told)

    async def calls(self, method: str = "", *, count: int = 0, tried: bool = False, timeout: float = LONGEST_S) -> Any:  # noqa: ASYNC109 - the server waits
        asked: dict[str, str | int] = {"method": method, "count": count, "timeout": str(timeout)}
        return await self.ask("calls", **asked, **({"tried": 1} if tried else {}))

    async def shown(self, chat: int = ANN, *, by_bot: int = 0) -> Any:
        """Return what the bot shows in a chat, once that are at least `by_bot` messages."""
        return (await self.ask("shown", chats=str(chat), by_bot=by_bot))[str(chat)]

    async def answers(self, chat: int, *, by_bot: int) -> list[Json]:
        """Return what the bot shows in a chat, once that are at least `by_bot` messages and the last is no status that becomes an answer."""
        answers: list[Json] = (await self.ask("shown", chats=str(chat), by_bot=by_bot, done=1))[str(chat)]
        return answers

    async def shown_in(self, chats: Iterable[int]) -> dict[int, list[Json]]:
        """Return what the bot shows in each of `chats`."""
        told = ",".join(map(str, chats))
        return {int(chat): messages for chat, messages in (await self.ask("shown", chats=told)).items()} if told else {}

    async def settled(self) -> None:
        """Return once every update is confirmed."""
        await self.ask("settled")


@asynccontextmanager
async def running(token: str = TOKEN, username: str = USERNAME) -> AsyncIterator[FakeTelegram]:
    """Run a server while the context lasts; it ends when its standard input does."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(_PROGRAM), "--port", "0", "--token", token, "--username", username,
        "--ends-with-stdin",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        port = int(await process.stdout.readline())
        async with aiohttp.ClientSession(trust_env=False) as session:
            yield FakeTelegram(port, session)
    finally:
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), GRACE_S)
        except TimeoutError:
            process.kill()
            await process.wait()
            raise AssertionError("the fake server did not end with its standard input") from None


async def _body(answer: aiohttp.ClientResponse) -> Any:
    body = await answer.json()
    if answer.status != 200:
        raise AssertionError(body.get("description", body))
    return body
