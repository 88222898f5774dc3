"""Telegram's own ways, with the program as a whole: a group that grows, an album behind a webhook, a kill in the middle of both."""

from __future__ import annotations

import io
import socket
from pathlib import Path
from typing import Any

from fakes.program import bot, paring, telegram_settings
from fakes.telegram_bot_api.client import ANN, FakeTelegram, running
from fakes.waiting import LONGEST_S
from PIL import Image

OLD, NEW = -5, -1005
FACT = "The red box was ordered by Kim on Friday."


async def search(telegram: FakeTelegram, chat: int, *, shown: int) -> str:
    """Ask in `chat`, which then shows so many messages of the bot's; return the last one, once it is no status any more."""
    await telegram.say("/search who ordered the red box", chat=chat)
    await telegram.ask("chat", chat=chat, by_bot=shown, timeout=str(LONGEST_S))
    answer = (await telegram.shown(chat))[-1]
    if answer["text"].startswith("I am working on it"):  # a busy machine: the status becomes the answer
        await telegram.calls("editMessageText", count=1, timeout=LONGEST_S)
        answer = (await telegram.shown(chat))[-1]
    return str(answer["text"])


async def test_a_group_that_becomes_a_supergroup_keeps_what_it_said_and_its_waiting_answer_comes(tmp_path: Path) -> None:
    home = tmp_path / "home"
    await paring(home, "setup")
    async with running() as telegram:
        await telegram.order("group", id=OLD, type="group")
        async with bot(home, channels=2, **telegram_settings(telegram)) as program:
            await telegram.say("/index on", chat=OLD)
            await telegram.ask("chat", chat=OLD, by_bot=1, timeout=str(LONGEST_S))
            await telegram.say(FACT, chat=OLD)
            await telegram.settled()
            assert FACT in await search(telegram, OLD, shown=2)
            await telegram.order("migrate", **{"chat": OLD, "to": NEW, "from": {"id": ANN}, "announced": False})
            await telegram.say("/search who ordered the red box", chat=OLD)
            await telegram.ask("chat", chat=NEW, by_bot=1, timeout=str(LONGEST_S))
            for _number in range(3):
                await telegram.say("Lunch is at noon.", chat=NEW)
            await telegram.settled()
            program.kill()
        async with bot(home, channels=2, **telegram_settings(telegram)):
            assert FACT in await search(telegram, NEW, shown=2)
    code, out, _complaints = await paring(home, "index", "verify")
    assert (code, "agrees" in out) == (0, True)


async def test_an_album_behind_a_webhook_is_answered_once_though_the_bot_is_killed_within_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    await paring(home, "setup")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with running() as telegram:
        settings = telegram_settings(telegram) | {
            "PARING_TELEGRAM__WEBHOOK_URL": f"http://127.0.0.1:{port}/telegram",
            "PARING_TELEGRAM__WEBHOOK_PORT": str(port),
            "PARING_TELEGRAM__WEBHOOK_SECRET": "s3cret",
        }
        async with bot(home, channels=2, **settings) as program:
            await telegram.calls("setWebhook", count=1, timeout=LONGEST_S)
            for colour in ("red", "green"):
                await picture(telegram, colour, caption="/caption" if colour == "red" else "")
            await telegram.settled()
            program.kill()
        await picture(telegram, "blue")
        async with bot(home, channels=2, **settings):
            await telegram.ask("chat", chat=ANN, by_bot=1, timeout=str(LONGEST_S))
            await telegram.say("/lang")
            await telegram.ask("chat", chat=ANN, by_bot=2, timeout=str(LONGEST_S))
            described, _lang = await telegram.shown()
    assert [described["text"].count(colour) > 0 for colour in ("red", "green", "blue")] == [True, True, True]


async def picture(telegram: FakeTelegram, colour: str, *, caption: str = "") -> None:
    bytes_ = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(bytes_, "JPEG")
    file = await telegram.file(bytes_.getvalue(), folder="photos", name=f"{colour}.jpg")
    said: dict[str, Any] = {"caption": caption} if caption else {}
    await telegram.say(fields={"photo": [{**file, "width": 64, "height": 48}], "media_group_id": "a1"}, **said)
