"""Telegram, as Ann has it: over the fake server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fakes.telegram_bot_api.client import ANN, FakeTelegram, running
from pydantic import SecretStr

from bot.channels.telegram import Telegram
from bot.config import Settings, TelegramSettings, WebSettings
from bot.contract import Harness
from bot.message import Address
from bot.skill import Blobs

TOKEN = "7:CONTRACT"


class TelegramHarness(Harness):
    here = Address("telegram", "7", str(ANN))

    def __init__(self, fake: FakeTelegram) -> None:
        self.fake = fake
        self.own = TelegramSettings(token=SecretStr(TOKEN), base_url=fake.base_url, base_file_url=fake.base_file_url)

    def channel(self, blobs: Blobs) -> Telegram:
        return Telegram(self.own, blobs=blobs, poll_s=1)

    def settings(self, settings: Settings) -> Settings:
        chosen = {"telegram": self.own, "admins": (f"telegram:{ANN}",), "web": WebSettings(enabled=False)}
        return settings.model_copy(update=chosen)

    async def say(self, text: str) -> str:
        return str((await self.fake.say(text))["message_id"])


@asynccontextmanager
async def telegram(_folder: Path) -> AsyncIterator[TelegramHarness]:
    async with running(TOKEN) as fake:
        await fake.order("person", id=ANN, first_name="Ann", language_code="en")
        yield TelegramHarness(fake)
