"""Updates whose fields are of other types than Telegram's: taken or left out, never broken by, and nothing else is lost."""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from fakes.strange import strange
from fakes.telegram_bench import GROUP, Blobs, built, live
from fakes.telegram_bot_api.client import ANN, FakeTelegram
from pydantic import SecretStr

from bot.config import TelegramSettings
from bot.intake import Reception
from bot.store.blobs import BlobStore
from bot.store.chats import Chats
from bot.store.database import Database
from bot.store.inbox import Inbox, Waiting
from bot.store.moving import Moves

pytestmark = pytest.mark.asyncio(loop_scope="module")

AT_ONCE = 16
BOT = {"id": 7, "is_bot": True, "first_name": "ParBot", "username": "ParBot"}
WHO = {"id": ANN, "is_bot": False, "first_name": "Ann", "language_code": "ko"}
DIRECT = {"id": ANN, "type": "private", "first_name": "Ann"}
TEAM = {"id": GROUP, "type": "supergroup", "title": "Team", "is_forum": True}
PHOTO = {"file_id": "f1", "file_unique_id": "u1", "width": 8, "height": 6, "file_size": 9}
HEAD = {"message_id": 5, "date": 1700000000, "chat": DIRECT, "from": WHO}
SAID = {**HEAD, "text": "/sum hi", "entities": [{"type": "bot_command", "offset": 0, "length": 4}]}
CALLED = {
    **HEAD,
    "chat": TEAM,
    "text": "@ParBot hi",
    "entities": [{"type": "mention", "offset": 0, "length": 7}],
    "message_thread_id": 3,
}
UPDATES: dict[str, dict[str, Any]] = {
    "said": {"message": SAID},
    "edited": {"edited_message": {**SAID, "edit_date": 1700000009}},
    "called": {"message": {**CALLED, "is_topic_message": True, "reply_to_message": {**HEAD, "from": BOT, "text": "yes?"}}},
    "photo": {"message": {**HEAD, "photo": [PHOTO], "caption": "what?", "media_group_id": "a1"}},
    "document": {"message": {**HEAD, "document": {**PHOTO, "file_name": "a.pdf", "mime_type": "application/pdf"}}},
    "voice": {"message": {**HEAD, "voice": {**PHOTO, "duration": 3, "mime_type": "audio/ogg"}}},
    "sticker": {"message": {**HEAD, "sticker": {**PHOTO, "emoji": "x", "type": "regular", "is_animated": False, "is_video": False}}},
    "forwarded": {"message": {**SAID, "forward_origin": {"type": "user", "date": 1, "sender_user": WHO}, "via_bot": BOT}},
    "quoted": {"message": {**SAID, "quote": {"text": "x", "position": 0}, "external_reply": {"origin": {"type": "user", "date": 1,
               "sender_user": WHO}}}},
    "place": {"message": {**HEAD, "location": {"latitude": 1.0, "longitude": 2.0}, "contact": {"phone_number": "1", "first_name": "A"}}},
    "press": {"callback_query": {"id": "q1", "from": WHO, "chat_instance": "c", "data": "t0ken", "message": {**HEAD, "from": BOT}}},
    "group press": {"callback_query": {"id": "q2", "from": WHO, "chat_instance": "c", "data": "t", "message": {**HEAD, "chat": TEAM}}},
    "came": {"message": {**HEAD, "chat": TEAM, "new_chat_members": [BOT, WHO]}},
    "went": {"message": {**HEAD, "chat": TEAM, "left_chat_member": WHO}},
    "moved": {"message": {**HEAD, "chat": {**TEAM, "type": "group"}, "migrate_to_chat_id": -200}},
    "moved from": {"message": {**HEAD, "chat": TEAM, "migrate_from_chat_id": -50}},
    "bot's own": {"my_chat_member": {"chat": TEAM, "from": WHO, "date": 1, "old_chat_member": {"user": BOT, "status": "left"},
                                     "new_chat_member": {"user": BOT, "status": "member"}}},
    "members": {"chat_member": {"chat": TEAM, "from": WHO, "date": 1, "old_chat_member": {"user": WHO, "status": "member"},
                                "new_chat_member": {"user": WHO, "status": "restricted", "is_member": False}}},
}  # fmt: skip


@pytest_asyncio.fixture(loop_scope="module")
async def arrived() -> list[Waiting]:
    return []


@pytest_asyncio.fixture(loop_scope="module")
async def door(
    settings: TelegramSettings, blobs: Blobs, fake: FakeTelegram, tmp_path: Path, arrived: list[Waiting]
) -> AsyncIterator[str]:
    raised: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: raised.append(context))
    database = await Database.open(tmp_path / "paring.db")
    chats = Chats(database)
    reception: Any = Reception(
        Inbox(database), chats, BlobStore(tmp_path), Moves(database, chats), arrived=arrived.append, stop=lambda _number: False,
        default="en", text_bytes=10_000,
    )  # fmt: skip
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/telegram"
    update = {"webhook_url": url, "webhook_port": port, "webhook_secret": SecretStr("s3cret")}
    async with live(built(settings.model_copy(update=update), blobs), reception):
        await fake.calls("setWebhook", count=1)
        yield url
    await database.close()
    gc.collect()  # a task whose error nobody asked for tells it as it goes
    loop.set_exception_handler(None)
    assert raised == []


@pytest.mark.parametrize("name", sorted(UPDATES))
async def test_a_value_of_another_type_is_no_fault_of_the_bots(
    door: str, arrived: list[Waiting], name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    numbers, at_once = itertools.count(1), asyncio.Semaphore(AT_ONCE)
    headers = {"X-Telegram-Bot-Api-Secret-Token": "s3cret", "Content-Type": "application/json"}
    async with aiohttp.ClientSession() as session:

        async def post(update: dict[str, Any]) -> tuple[int, dict[str, Any]]:
            body = json.dumps({"update_id": next(numbers), **update}).encode()
            async with at_once, session.post(door, data=body, headers=headers) as answer:
                return answer.status, update

        answered = await asyncio.gather(*map(post, strange(UPDATES[name])))
        assert [one for one in answered if one[0] not in {200, 400}] == []
        told = capfd.readouterr()
        assert "Traceback" not in told.out + told.err
        assert (await post({"message": {**HEAD, "message_id": 99, "text": "after all of it"}}))[0] == 200
    assert arrived[-1].message.text == "after all of it"
