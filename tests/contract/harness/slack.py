"""Slack, as Ann has it: over the fake server, by Socket Mode."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fakes import slack as fake_slack

from bot.channels.channel import Channel
from bot.channels.slack import Slack
from bot.config import Settings, WebSettings
from bot.contract import Harness
from bot.message import Address
from bot.skill import Blobs

READY_S = 30.0


class SlackHarness(Harness):
    here = Address("slack", fake_slack.TEAM, fake_slack.ANN)

    def __init__(self, fake: fake_slack.FakeSlack) -> None:
        self.fake = fake

    def channel(self, blobs: Blobs) -> Slack:
        return Slack(self.fake.settings(), blobs=blobs)

    def settings(self, settings: Settings) -> Settings:
        chosen = {
            "slack": self.fake.settings(), "admins": (f"slack:{fake_slack.ANN}",), "web": WebSettings(enabled=False),
        }  # fmt: skip
        return settings.model_copy(update=chosen)

    async def ready(self, channel: Channel) -> None:
        await asyncio.wait_for(self.fake.connected(), READY_S)

    async def say(self, text: str) -> str:
        return str((await self.fake.say(text))["ts"])


@asynccontextmanager
async def slack(_folder: Path) -> AsyncIterator[SlackHarness]:
    async with fake_slack.slack() as fake:
        yield SlackHarness(fake)
