"""What comes in by the webhook."""

from __future__ import annotations

import io
import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio
from fakes.telegram_bench import PNG, Blobs, Inbox, built, live
from fakes.telegram_bot_api.client import FakeTelegram
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
    async with aiohttp.ClientSession() as session, session.post(hooked, data=body, headers=headers) as answer:
        assert answer.status == status
    assert inbox.items == []
