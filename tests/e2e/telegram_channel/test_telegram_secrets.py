"""The token is told to nobody but Telegram."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Awaitable
from pathlib import Path

import pytest
from fakes.telegram_bench import HERE, Blobs, Inbox, built, live, reply
from fakes.telegram_bot_api.client import FakeTelegram

from bot.config import TelegramSettings
from bot.errors import ChannelError
from bot.locale import Text
from bot.message import Attachment
from bot.skill import CommandSpec

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_token_is_in_no_log_line_no_error_and_no_repr(
    fake: FakeTelegram, settings: TelegramSettings, blobs: Blobs, inbox: Inbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told: list[str] = []
    channel = built(settings, blobs, read_s=0.3, poll_s=0)
    nowhere = built(settings.model_copy(update={"base_url": "http://127.0.0.1:9/bot"}), blobs)
    odd = built(settings.model_copy(update={"base_url": "http://exa mple\x00/bot"}), blobs)
    file = await fake.file(b"x")
    for kind in ("cut_before", "cut_after", "garbage_after", "hang_before"):
        await fake.fault(kind, "getUpdates")
        await fake.fault(kind, "sendMessage")
        await fake.fault(kind, "getFile")
    async with live(channel, inbox):
        await fake.say("hi")
        for number in range(5):
            told.append(await _failing(channel.send(reply("x"), HERE, key=f"{number}")))
            told.append(await _failing(channel.fetch(Attachment("document", "x", "x", 0, file["file_id"]), tmp_path / "f")))
        await fake.settled()
    for broken in (nowhere, odd):
        told.append(await _failing(broken.send(reply("x"), HERE, key="k")))
        told.append(await _failing(broken.publish_commands([CommandSpec("help", Text("x"))], [])))
        told.append(await _failing(broken.typing(HERE)))
    told.extend((repr(channel), str(vars(channel)), repr(settings), caplog.text))
    assert len([text for text in told if "Error" in text]) >= 10
    assert not [text for text in told if "CANARY" in text]


async def _failing(work: Awaitable[object]) -> str:
    try:
        await work
    except ChannelError as error:
        return "".join(traceback.format_exception(error)) + repr(error)
    return ""
