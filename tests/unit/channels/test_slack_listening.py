"""What is posted to the bot by Slack, and by whoever says that they are."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import io
import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

import pytest
from aiohttp import ClientSession

from bot.channels import slack_listening
from bot.channels.slack_listening import MAX_BODY_BYTES, application, posted

SECRET, PATH = "8f742231b10e8888abcd99yyyzzz85a5", "/slack/events"
EVENT = {"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": {"type": "message", "text": "안녕"}}


@dataclass
class Door:
    session: ClientSession
    url: str
    taken: list[Mapping[str, object]] = field(default_factory=list)
    status: int = 200

    async def take(self, body: Mapping[str, object]) -> int:
        self.taken.append(body)
        return self.status

    async def post(
        self, body: bytes, *, kind: str = "application/json", headers: Mapping[str, str] | None = None, at: int = 0
    ) -> int:
        async with self.session.post(
            self.url, data=body, headers=signed(body, at=at) | {"Content-Type": kind} | dict(headers or {})
        ) as answer:
            self.said = await answer.text()
            return answer.status


def signed(body: bytes, *, at: int = 0, secret: str = SECRET, version: str = "v0") -> dict[str, str]:
    stamp = str(int(time.time()) + at)
    made = hmac.new(secret.encode(), f"{version}:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"{version}={made}"}


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with ClientSession() as session:
        made = Door(session, "")
        async with posted("127.0.0.1", 0, PATH, application(made.take), signing_secret=SECRET) as port:
            made.url = f"http://127.0.0.1:{port}{PATH}"
            yield made


async def test_what_slack_signed_is_taken_as_it_is_said_also_told_again(door: Door) -> None:
    body = json.dumps(EVENT).encode()
    assert await door.post(body) == 200
    assert await door.post(body, headers={"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"}) == 200
    assert await door.post(urlencode({"command": "/paring", "text": "요약", "team_id": "T1"}).encode(),
                           kind="application/x-www-form-urlencoded") == 200  # fmt: skip
    assert door.taken[:2] == [EVENT, EVENT]
    assert door.taken[2]["text"] == "요약"


async def test_what_is_not_committed_is_not_acknowledged(door: Door) -> None:
    door.status = 503
    assert await door.post(json.dumps(EVENT).encode()) == 503


async def test_slacks_own_question_is_answered_with_its_word(door: Door) -> None:
    assert await door.post(json.dumps({"type": "url_verification", "challenge": "3eZb"}).encode()) == 200
    assert "3eZb" in door.said
    assert not door.taken


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Slack-Signature": ""}, {"X-Slack-Signature": "v0="}, {"X-Slack-Signature": "v0=ü"}, {"X-Slack-Request-Timestamp": ""},
        {"X-Slack-Request-Timestamp": "soon"}, {"X-Slack-Request-Timestamp": "9" * 400}, {"X-Slack-Request-Timestamp": "1e9"},
        signed(b'{"a": 1}'), signed(json.dumps(EVENT).encode(), secret="another"), signed(json.dumps(EVENT).encode(), version="v1"),
        {"X-Slack-Signature": "v0=" + "0" * 40_000},
    ],
)  # fmt: skip
async def test_what_slack_did_not_sign_so_is_not_read(door: Door, headers: Mapping[str, str]) -> None:
    assert await door.post(json.dumps(EVENT).encode(), headers=headers) == 401
    assert not door.taken


@pytest.mark.parametrize("at", [-301, 301, -10_000_000])
async def test_what_was_signed_more_than_five_minutes_ago_or_will_be_is_not_read(door: Door, at: int) -> None:
    assert await door.post(json.dumps(EVENT).encode(), at=at) == 401
    assert not door.taken


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"\xff\xfe", b"[" * 100_000, b"payload=%7B", b'{"event": 5}', b"null"])
@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "text/plain"])
async def test_signed_nonsense_harms_nobody(door: Door, body: bytes, kind: str) -> None:
    assert await door.post(body, kind=kind) in {200, 400, 401, 404}
    assert await door.post(json.dumps(EVENT).encode()) == 200


async def test_a_huge_body_is_refused_before_it_is_read_whole(door: Door) -> None:
    whole = b"x" * (MAX_BODY_BYTES + 1)
    async with door.session.post(door.url, data=io.BytesIO(whole), headers=signed(whole)) as answer:
        assert answer.status == 413

    async def pieces() -> AsyncIterator[bytes]:
        for _piece in range(20):
            yield b"x" * (MAX_BODY_BYTES // 10)

    async with door.session.post(door.url, data=pieces(), headers=signed(whole)) as answer:
        assert answer.status == 413


async def test_a_body_that_does_not_come_is_not_waited_for(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slack_listening, "BODY_S", 0.05)
    begun, never = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"{"
        begun.set()
        await never.wait()

    async with door.session.post(door.url, data=slow(), headers=signed(b"{")) as answer:
        assert answer.status == 408


async def test_other_paths_and_methods_are_nothing(door: Door) -> None:
    async with door.session.get(door.url) as answer:
        assert answer.status == 405
    async with door.session.post(door.url + "/x", data=b"", headers=signed(b"")) as answer:
        assert answer.status == 404
