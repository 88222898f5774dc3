"""One fake Bot API server a file, made new for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from fakes.telegram_bench import CANARY, GROUP, Blobs, Inbox, built
from fakes.telegram_bot_api.client import ANN, FakeTelegram, running
from pydantic import SecretStr

from bot.channels.telegram import Telegram
from bot.config import TelegramSettings


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[FakeTelegram]:
    async with running(CANARY) as telegram:
        yield telegram


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def fake(server: FakeTelegram) -> FakeTelegram:
    await server.order("reset")
    await server.order("person", id=ANN, first_name="Ann", last_name="Lee", language_code="ko")
    await server.order("group", id=GROUP, title="Team", is_forum=True, topics=["plans"])
    return server


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path)


@pytest.fixture
def settings(fake: FakeTelegram) -> TelegramSettings:
    return TelegramSettings(token=SecretStr(CANARY), base_url=fake.base_url, base_file_url=fake.base_file_url, download_mb=1)


@pytest.fixture
def channel(settings: TelegramSettings, blobs: Blobs) -> Telegram:
    return built(settings, blobs)


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()
