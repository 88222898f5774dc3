"""What comes in by the webhook."""

from __future__ import annotations

import asyncio
import io
import json
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from urllib.parse import urlsplit

import aiohttp
import pytest
import pytest_asyncio
from fakes.telegram_bench import PNG, Blobs, Inbox, built, live
from fakes.telegram_bot_api.client import FakeTelegram
from fakes.waiting import LONGEST_S
from pydantic import SecretStr

from bot.config import TelegramSettings
from bot.errors import StoreError
from bot.message import Message

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def hooked(settings: TelegramSettings, blobs: Blobs, inbox: Inbox, fake: FakeTelegram) -> AsyncIterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/telegram"
    update = {"webhook_url": url, "webhook_port": port, "webhook_secret": SecretStr("s3cret")}
    async with live(built(settings.model_copy(update=update), blobs), inbox):
        await fake.calls("setWebhook", count=1)
        yield url


async def test_a_webhook_takes_updates_once_they_are_kept(fake: FakeTelegram, hooked: str, inbox: Inbox) -> None:
    inbox.failures = [StoreError("locked")]
    await fake.say("one")
    await fake.say("two")
    await fake.settled()
    assert inbox.texts == ["one", "two"]
    (call,) = await fake.calls("setWebhook")
    assert (
        call["parameters"]["allowed_updates"]
        == '["message", "edited_message", "callback_query", "my_chat_member", "chat_member"]'
    )


@pytest.mark.parametrize(
    ("code", "description"), [(429, "Too Many Requests"), (503, "Service Unavailable"), (401, "Unauthorized")]
)
async def test_a_webhook_that_cannot_be_set_just_now_is_set_later(
    fake: FakeTelegram, settings: TelegramSettings, blobs: Blobs, inbox: Inbox, code: int, description: str
) -> None:
    await fake.fault("refuse", "setWebhook", code=code, description=description)
    update = {"webhook_url": "http://127.0.0.1:9/x", "webhook_port": 0, "webhook_secret": SecretStr("s3cret")}
    async with live(built(settings.model_copy(update=update), blobs), inbox):
        assert len(await fake.calls("setWebhook", count=1)) == 1


async def test_an_album_behind_a_webhook_is_committed_picture_by_picture_and_told_to_be_one(
    fake: FakeTelegram, hooked: str, inbox: Inbox
) -> None:
    assert hooked
    for caption in ("/ocr", "", ""):
        photo = await fake.file(PNG, folder="photos")
        said = {"caption": caption} if caption else {}
        await fake.say(fields={"photo": [{**photo, "width": 8, "height": 6}], "media_group_id": "a1"}, **said)
    await fake.say("another thing")
    await fake.settled()
    told = [(item.part_of, len(item.attachments)) for item in inbox.items if isinstance(item, Message)]
    assert told == [("album a1", 1), ("album a1", 1), ("album a1", 1), ("", 0)]


@pytest.mark.parametrize(
    ("secret", "body", "status"),
    [
        (None, b'{"update_id": 1}', 401),
        ("wrong", b'{"update_id": 1}', 401),
        ("비밀", b'{"update_id": 1}', 401),
        ("s3cre", b'{"update_id": 1}', 401),
        ("s3crets", b'{"update_id": 1}', 401),
        ("S3CRET", b'{"update_id": 1}', 401),
        ("x" * 60_000, b'{"update_id": 1}', 401),
        ("wrong", io.BytesIO(b"x" * (1024 * 1024 + 1)), 401),
        ("s3cret", b'{"update_id": true}', 400),
        ("s3cret", b'{"update_id": -1}', 400),
        ("s3cret", b'{"update_id": 1e3}', 400),
        ("s3cret", b'{"update_id": %d}' % 2**70, 400),
        ("s3cret", b'{"update_id": ' + b"9" * 9999 + b"}", 400),
        ("s3cret", b"", 400),
        ("s3cret", b"{", 400),
        ("s3cret", b"\xff\xfe", 400),
        ("s3cret", b"[1]", 400),
        ("s3cret", b'{"update_id": "1"}', 400),
        ("s3cret", b"[" * 100_000, 400),
        ("s3cret", io.BytesIO(b"x" * (1024 * 1024 + 1)), 413),
        ("s3cret", b'{"update_id": 1, "message": {"odd": 1}}', 200),
    ],
)
async def test_a_webhook_refuses_who_does_not_know_the_secret_and_what_is_no_update(
    hooked: str, inbox: Inbox, secret: str | None, body: bytes | io.BytesIO, status: int
) -> None:
    headers = {"X-Telegram-Bot-Api-Secret-Token": secret} if secret else {}
    headers["Content-Type"] = "application/json"
    async with aiohttp.ClientSession() as session, session.post(hooked, data=body, headers=headers) as answer:
        assert answer.status == status
    assert inbox.items == []


async def said(hooked: str, request: bytes) -> bytes:
    """Return the first line that the webhook answers to bytes as they are, b"" where it only ends the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(urlsplit(hooked).port or 0))
    try:
        writer.write(request)
        return (await asyncio.wait_for(reader.read(), LONGEST_S)).partition(b"\r\n")[0]
    except ConnectionError:
        return b""
    finally:
        writer.close()


GOOD = b"X-Telegram-Bot-Api-Secret-Token: s3cret\r\n"
JSON = b"Content-Type: application/json\r\nContent-Length: 15\r\n\r\n" + b'{"update_id":1}'


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"POST /telegram HTTP/1.1\r\nHost: a\r\nX-Telegram-Bot-Api-Secret-Token: \xff\xfe\xed\xa0\x80\r\n" + JSON, 401),
        (b"POST /telegram HTTP/1.1\r\nHost: a\r\nX-Telegram-Bot-Api-Secret-Token: wrong\r\n" + GOOD + JSON, 401),
        (b"POST /telegram HTTP/1.1\r\nHost: a\r\n" + GOOD + GOOD + JSON, 401),
        (b"GET /telegram HTTP/1.1\r\nHost: a\r\n\r\n", 401),
        (b"GET /telegram HTTP/1.1\r\nHost: a\r\n" + GOOD + b"\r\n", 405),
        (b"PUT /telegram HTTP/1.1\r\nHost: a\r\n" + GOOD + JSON, 405),
        (b"POST /elsewhere HTTP/1.1\r\nHost: a\r\n" + GOOD + JSON, 404),
        (b"POST /telegram HTTP/1.1\r\nHost: a\r\n" + GOOD + JSON.replace(b"application/json", b"text/plain"), 415),
        (b"POST /telegram HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\n" + GOOD + JSON, 415),
        (b"POST /telegram HTTP/1.1\r\nHost: a\r\n" + GOOD + JSON.replace(b": 15", b": 9999999"), 413),
        (b"POST /telegram HTTP/1.1\r\nHost: a\r\n" + GOOD + JSON.replace(b": 15", b": -15"), 400),
        (b"garbage\r\n\r\n", 400),
    ],
)
async def test_what_is_no_post_of_telegrams_is_refused_and_its_connection_closed(
    hooked: str, inbox: Inbox, request_: bytes, status: int
) -> None:
    assert b" %d " % status in await said(hooked, request_)
    assert inbox.items == []


async def test_a_proxy_may_cut_the_path_off(hooked: str) -> None:
    assert b" 200 " in await said(hooked, b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + GOOD + JSON)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"", b""),
        (b"POST /telegram HTTP/1.1\r\nHost: a\r\nX-Slow: ", b""),
        (b"POST /telegram HTTP/1.1\r\nHost: a\r\n" + GOOD + JSON[:-3], b" 408 "),
    ],
)
async def test_a_request_that_does_not_come_to_its_end_is_ended(
    hooked: str, monkeypatch: pytest.MonkeyPatch, request_: bytes, status: bytes
) -> None:
    for name in ("posting.HEAD_S", "telegram_webhook.BODY_S", "posting.LOOK_S"):
        monkeypatch.setattr(f"bot.channels.{name}", 0.05)
    assert status in await said(hooked, request_)


@pytest.fixture
def unwatched(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"MOST_CONNECTIONS": 4, "LOOK_S": 3600.0}.items():
        monkeypatch.setattr(f"bot.channels.posting.{name}", value)


async def test_one_connection_too_many_ends_the_oldest_that_asks_nothing_as_it_comes(
    unwatched: None, hooked: str, fake: FakeTelegram, inbox: Inbox
) -> None:
    del unwatched
    port = urlsplit(hooked).port
    held = [await asyncio.open_connection("127.0.0.1", port) for _number in range(12)]
    with suppress(ConnectionResetError):
        assert await asyncio.wait_for(held[0][0].read(), LONGEST_S) == b""
    await fake.say("still heard")
    await fake.settled()
    for _reader, writer in held:
        writer.close()

    assert inbox.texts == ["still heard"]


async def test_an_update_that_nests_deeper_than_any_is_left_out_or_refused_and_the_next_one_is_taken(
    fake: FakeTelegram, hooked: str, inbox: Inbox
) -> None:
    headers = {"X-Telegram-Bot-Api-Secret-Token": "s3cret"}
    async with aiohttp.ClientSession() as session:
        for depth in (50, 500, 900, 2000, 40_000):
            nested = json.dumps({"update_id": depth, "message": "?"}).replace(
                '"?"', '{"reply_to_message":' * depth + "1" + "}" * depth
            )
            async with session.post(
                hooked, data=io.BytesIO(nested.encode()), headers=headers | {"Content-Type": "application/json"}
            ) as answer:
                assert answer.status in (200, 400, 503)
    await fake.say("still here?")
    await fake.settled()
    assert inbox.texts[-1] == "still here?"
