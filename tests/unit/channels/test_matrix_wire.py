"""A homeserver that is looked for, asks to wait, or tells more than is read at once."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.channels import matrix_wire
from bot.channels.matrix_account import found
from bot.channels.matrix_wire import Wire
from bot.config import MatrixSettings
from bot.errors import RetryLaterError

SETTINGS = MatrixSettings(user="@paring:example.org")
WHERE = json.dumps({"m.homeserver": {"base_url": "https://matrix.example.org"}}).encode()


class Answer:
    """An answer whose body comes in two pieces."""

    content_length = None

    def __init__(self, status: int, body: bytes) -> None:
        self.status, self.body, self.content, self.headers = status, body, self, dict[str, str]()

    async def iter_chunked(self, _size: int) -> AsyncIterator[bytes]:
        half = len(self.body) // 2
        for piece in (self.body[:half], self.body[half:]):
            yield piece

    async def read(self, _size: int) -> bytes:
        return self.body[: len(self.body) // 2]


class Session:
    """Gives one answer to all that is asked, or raises it."""

    def __init__(self, answer: Answer | Exception) -> None:
        self.answer, self.asked = answer, 0

    @asynccontextmanager
    async def get(self, *_where: object, **_more: object) -> AsyncIterator[Answer]:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        yield self.answer

    request = post = get


def session(answer: Answer | Exception) -> Any:
    return Session(answer)


async def test_a_homeserver_is_where_its_server_says_it_is() -> None:
    assert await found(SETTINGS, session(Answer(200, WHERE))) == "https://matrix.example.org"


async def test_a_server_that_says_nothing_of_it_is_the_homeserver_itself() -> None:
    assert await found(SETTINGS, session(Answer(404, b"<html>"))) == "https://example.org"


@pytest.mark.parametrize(
    "answer",
    [
        Answer(503, b""), Answer(200, b"<html>"), Answer(200, b"[]"), Answer(200, WHERE.replace(b"https", b"http")),
        Answer(200, WHERE + b" " * (1 << 17)), aiohttp.ClientError(), TimeoutError(), OSError(),
    ],
)  # fmt: skip
async def test_where_that_cannot_be_known_no_other_place_is_taken_for_it(answer: Answer | Exception) -> None:
    with pytest.raises(RetryLaterError):
        await found(SETTINGS, session(answer))


@pytest.mark.parametrize(
    "ask",
    [
        lambda wire, _into: wire.upload(b"x", name="x", media_type="text/plain"),
        lambda wire, into: wire.download("mxc://example.org/x", into, limit_bytes=9),
    ],
)
async def test_files_wait_as_long_as_the_homeserver_asks(ask: Callable[[Wire, Path], Any], tmp_path: Path) -> None:
    line = session(Answer(429, b'{"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 60000}'))
    wire = Wire("https://example.org", session=line)
    for _try in range(2):
        with pytest.raises(RetryLaterError, match="asks to wait"):
            await ask(wire, tmp_path / "file")
    assert line.asked == 1


async def test_a_long_answer_is_read_beside_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    where: list[threading.Thread] = []
    read = matrix_wire._json
    monkeypatch.setattr(matrix_wire, "_json", lambda body: (where.append(threading.current_thread()), read(body))[1])
    for size in (1, 1 << 20):
        body = json.dumps({"said": "x" * size}).encode()
        assert await Wire("https://example.org", session=session(Answer(200, body))).call("GET", "/v3/sync")
    assert [one is threading.main_thread() for one in where] == [True, False]
