"""The same update again: four times at once, by long polling and by the webhook, and after a restart.

A platform that had no answer in time delivers again, and so do proxies: each message, edit and press is to be answered once.
"""

from __future__ import annotations

import asyncio
import random
import socket
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from fakes.telegram_bot_api.client import FakeTelegram, running

from benchmarks.faults import Fault, Plan, Row
from benchmarks.faults.street import READY_S, Bot, Street, order, speaker

TIMES = 4
SECRET = "s3cret"  # noqa: S105 - of a bot that lives for a minute
Update = dict[str, Any]


@dataclass(slots=True)
class Insistent:
    """People whose every word comes four times."""

    street: Street
    session: aiohttp.ClientSession
    hook: str = ""
    """Where updates are posted; "" where they are polled."""
    delivered: list[Update] = field(default_factory=list)

    @property
    def telegram(self) -> FakeTelegram:
        """The platform."""
        return self.street.telegram

    async def speak(self, chat: int) -> None:
        """Ask in `chat` by a message, by an edit of one, or by a press."""
        kind = self.street.chance.random()
        await (self._ask(chat) if kind < 0.5 else self._edit(chat) if kind < 0.75 else self._press(chat))

    async def again(self, update: Update) -> None:
        """Deliver an update four times at once, twice of these under other numbers where numbers are not what is posted."""
        await asyncio.gather(*(self._deliver(update, renumbered=time > TIMES) for time in range(1, TIMES + 3)))

    async def _ask(self, chat: int) -> None:
        one = self.street.asks(chat)
        await self._happened("message", await self.telegram.say(order("echo", chat, one.token), user=speaker(chat), chat=chat))

    async def _edit(self, chat: int) -> None:
        """Say something, and make it the question by an edit."""
        said = await self.telegram.say(order("echo", chat, "draft"), user=speaker(chat), chat=chat)
        await self._happened("message", said)
        one = self.street.asks(chat)
        text = order("echo", chat, one.token)
        await self._happened(
            "edited_message", await self.telegram.order("edit", chat=chat, message_id=said["message_id"], text=text)
        )

    async def _press(self, chat: int) -> None:
        """Ask for a button, and press it."""
        one = self.street.asks(chat)
        await self.telegram.say(order("offer", chat, one.token), user=speaker(chat), chat=chat)
        offer = await self._offer(chat, one.token)
        pressed = await self.telegram.press(offer["message_id"], user=speaker(chat), chat=chat, label="Echo")
        button = offer["reply_markup"]["inline_keyboard"][0][0]
        person = {"id": speaker(chat), "is_bot": False, "first_name": "Ann"}
        content = {"from": person, "message": offer, "chat_instance": str(chat), "data": button["callback_data"]}
        await self._happened("callback_query", content | pressed)

    async def _offer(self, chat: int, token: str) -> Update:
        async with asyncio.timeout(60):
            while True:
                for message in await self.telegram.shown(chat):
                    if f"offer {token}" in message.get("text", "") and "reply_markup" in message:
                        return dict(message)
                await asyncio.sleep(0.02)

    async def _happened(self, kind: str, content: Update) -> None:
        """Deliver again what the platform delivers by itself just now."""
        number = content.pop("update_id")
        update = {"update_id": number, kind: content}
        self.delivered.append(update)
        await self.again(update)

    async def _deliver(self, update: Update, *, renumbered: bool) -> None:
        (kind,) = update.keys() - {"update_id"}
        if self.hook and not renumbered:
            with suppress(aiohttp.ClientError):
                async with self.session.post(self.hook, json=update, headers={"X-Telegram-Bot-Api-Secret-Token": SECRET}):
                    return
        number = {} if renumbered else {"update_id": update["update_id"]}
        await self.telegram.order("update", kind=kind, content=update[kind], also=number)


async def repeats(plan: Plan) -> Row:
    """Have people talk in turns with a bot that polls and one that is posted to, over one home; kill it between."""
    lives, asked_in_each = plan.times(4, least=2), plan.times(4, least=1)
    chance = random.Random(plan.seed)  # noqa: S311 - chats and ways, no secret
    async with running() as telegram, aiohttp.ClientSession(trust_env=False) as session:
        street = Street(telegram, chance)
        people = Insistent(street, session)
        await street.open()
        for life in range(lives):
            bot, people.hook = await _begun(telegram, plan, posted=life % 2 == 0)
            for update in chance.sample(people.delivered, min(len(people.delivered), 20)):
                await people.again(update)
            await asyncio.gather(*(_talked(people, chat, asked_in_each) for chat in street.chats))
            if life < lives - 1:
                await bot.kill()
        await street.answered()
        await telegram.settled()
        counted = await street.counted()
        await bot.stop()
    return Row(
        counted.asked,
        "messages, edits and presses",
        lost=counted.lost + counted.set_aside,
        doubled=counted.doubled_quick,
        failed=counted.disordered + len(bot.complaints()),
        worst_wait_s=counted.worst_wait_s,
        note=f"{lives} lives, by webhook and by polling in turn; sent again with a word that says so: {counted.told_again}",
    )


async def _begun(telegram: FakeTelegram, plan: Plan, *, posted: bool) -> tuple[Bot, str]:
    port = _free_port()
    hook = f"http://127.0.0.1:{port}/telegram" if posted else ""
    settings = {"WEBHOOK_URL": hook, "WEBHOOK_PORT": str(port), "WEBHOOK_SECRET": SECRET} if posted else {}
    bot = Bot.on(telegram, plan.scratch / "home", **{f"PARING_TELEGRAM__{name}": value for name, value in settings.items()})
    before = len(await telegram.calls("setWebhook"))
    await bot.spawn()
    await bot.ready()
    if posted:
        await _listens(telegram, before)
    await telegram.settled()  # what the platform still has is delivered by itself, and before what comes
    return bot, hook


async def _listens(telegram: FakeTelegram, before: int) -> None:
    """Return once the bot has told the platform, which it had told so often before, where to post: it listens then."""
    async with asyncio.timeout(READY_S):
        while True:
            if len(await telegram.calls("setWebhook")) > before:
                return
            await asyncio.sleep(0.02)


async def _talked(people: Insistent, chat: int, times: int) -> None:
    for _time in range(times):
        await people.speak(chat)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


FAULTS: tuple[Fault, ...] = (
    Fault(
        "repeats",
        "delivery",
        "each message, edit and press is delivered four times at once under one number and twice more under others, by webhook and "
        "by polling, and again after each of three `kill -9`",
        repeats,
        most_s=90,
    ),
)
