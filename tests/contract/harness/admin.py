"""Who gives a running bot its orders, in every channel: what they say and press there, and what they are shown.

In Matrix over a real homeserver, whose rooms tell who has power; the other platforms by servers on loopback.
"""

from __future__ import annotations

import asyncio
import io
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
from contract.harness.matrix import KEY
from fakes import slack as fake_slack
from fakes.homeserver import Account, Homeserver
from fakes.matrix_person import Person, person
from fakes.telegram_bot_api.client import ANN, FakeTelegram, running
from fakes.waiting import LONGEST_S
from pydantic import SecretStr
from rich.console import Console as Terminal

from bot.app import App, channels_of, opened
from bot.channels.channel import Channel
from bot.channels.console import Console
from bot.config import MatrixSettings, Settings, TelegramSettings, WebSettings
from bot.message import Reply
from bot.models.tasks import SUMMARISE

TOKEN = "7:ADMIN"


@dataclass
class Chat:
    """One person in front of one channel of a bot that runs: what they say and press, and what they are shown."""

    app: App
    who: str
    shown: asyncio.Queue[Reply] = field(default_factory=asyncio.Queue)
    telegram: FakeTelegram | None = None
    slack: fake_slack.FakeSlack | None = None
    say: Callable[[str], Awaitable[object]] = field(default=lambda _text: asyncio.sleep(0))
    press: Callable[[Reply, str], Awaitable[object]] = field(default=lambda _reply, _label: asyncio.sleep(0))

    async def ask(self, text: str) -> Reply:
        await self.say(text)
        return await self.answer()

    async def order(self, reply: Reply, label: str) -> Reply:
        await self.press(reply, label)
        return await self.answer()

    @property
    def fake(self) -> FakeTelegram:
        assert self.telegram is not None
        return self.telegram

    def live(self) -> str:
        return self.app.pool.live(SUMMARISE).partition("@")[0]

    async def answer(self) -> Reply:
        while True:
            reply = await asyncio.wait_for(self.shown.get(), LONGEST_S)
            if not any(button.command.name == "cancel" for button in reply.buttons):  # a status, which becomes the answer
                return reply


def overheard(channel: Channel, chat: Chat) -> Channel:
    """Have `chat` know what the channel has shown, once it has."""

    def listening(method: Callable[..., Awaitable[str]], place: int) -> Callable[..., Awaitable[str]]:
        async def listen(*args: object, **named: object) -> str:
            sent = await method(*args, **named)
            reply = args[place]
            assert isinstance(reply, Reply)
            chat.shown.put_nowait(reply)
            return sent

        return listen

    for name, place in (("send", 0), ("edit", 1), ("send_parts", 0)):
        if hasattr(channel, name) and not (name == "send" and channel.name == "web"):  # whose send is an edit
            setattr(channel, name, listening(getattr(channel, name), place))
    return channel


@asynccontextmanager
async def served(settings: Settings, channel_of: Callable[[App], Channel], who: str) -> AsyncIterator[tuple[Chat, Channel]]:
    async with opened(settings) as app:
        chat = Chat(app, who)
        channel = overheard(channel_of(app), chat)
        stop = asyncio.Event()
        serving = asyncio.create_task(app.serve([channel], stop=stop, hopeless=lambda _name, _why: None))
        try:
            yield chat, channel
        finally:
            stop.set()
            await asyncio.wait([serving], timeout=LONGEST_S)
            await serving


@asynccontextmanager
async def web(settings: Settings, *, admin: bool) -> AsyncIterator[Chat]:
    chosen = settings.model_copy(update={"web": WebSettings(port=0, admin=admin)})
    async with served(chosen, lambda app: channels_of(app)[0], "web:me") as (chat, channel):
        await asyncio.wait_for(channel.ready.wait(), LONGEST_S)  # type: ignore[attr-defined]
        async with httpx.AsyncClient(base_url=channel.url, headers={"x-paring": "en"}) as client:  # type: ignore[attr-defined]
            ids = iter(f"{number:016x}" for number in range(1000))
            chat.say = lambda text: client.post("/api/say", json={"id": next(ids), "text": text})
            chat.press = lambda reply, label: client.post("/api/press", json={"id": next(ids), "token": token(reply, label)})
            yield chat


@asynccontextmanager
async def console(settings: Settings, *, admin: bool) -> AsyncIterator[Chat]:
    assert admin, "who types in the machine's own terminal always is"
    lines: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def read(_prompt: str) -> str:
        return asyncio.run_coroutine_threadsafe(lines.get(), loop).result()

    def terminal(app: App) -> Console:
        return Console(blobs=app.blobs, read=read, terminal=Terminal(file=io.StringIO(), width=100))

    async with served(settings, terminal, "console:me") as (chat, _channel):
        chat.say = lines.put
        chat.press = lambda reply, label: lines.put(f"#{[button.label for button in reply.buttons].index(label) + 1}")
        yield chat
        await lines.put("/quit")


@asynccontextmanager
async def telegram(settings: Settings, *, admin: bool) -> AsyncIterator[Chat]:
    async with running(TOKEN) as fake:
        own = TelegramSettings(token=SecretStr(TOKEN), base_url=fake.base_url, base_file_url=fake.base_file_url)
        admins = (f"telegram:{ANN}",) if admin else ()
        chosen = settings.model_copy(
            update={"telegram": own, "admins": admins, "front_door": "everybody", "web": WebSettings(enabled=False)}
        )
        await fake.order("person", id=ANN, first_name="Ann", language_code="en")
        async with served(chosen, lambda app: channels_of(app)[0], f"telegram:{ANN}") as (chat, _channel):

            async def press(_reply: Reply, label: str) -> None:
                labelled = [one for one in await fake.shown(ANN) if label in str(one.get("reply_markup", ""))]
                await fake.press(labelled[-1]["message_id"], label=label)

            chat.say, chat.press, chat.telegram = fake.say, press, fake
            yield chat


@asynccontextmanager
async def slack(settings: Settings, *, admin: bool) -> AsyncIterator[Chat]:
    async with fake_slack.slack() as fake:
        admins = (f"slack:{fake_slack.ANN}",) if admin else ()
        chosen = settings.model_copy(update={"slack": fake.settings(), "admins": admins, "web": WebSettings(enabled=False)})
        async with served(chosen, lambda app: channels_of(app)[0], f"slack:{fake_slack.ANN}") as (chat, _channel):
            ids = itertools.count(1)

            async def press(reply: Reply, label: str) -> None:
                action = {"action_id": "paring:0", "value": token(reply, label), "action_ts": f"{next(ids)}.1"}
                await fake.act("interactive", {
                    "type": "block_actions", "team": {"id": fake_slack.TEAM}, "user": {"id": fake_slack.ANN},
                    "container": {"channel_id": fake_slack.DIRECT}, "actions": [action],
                })  # fmt: skip

            chat.say, chat.press, chat.slack = fake.say, press, fake
            yield chat


@asynccontextmanager
async def matrix(server: Homeserver, settings: Settings, *, admin: bool) -> AsyncIterator[Chat]:
    account = await server.register("paring")
    async with person(server, "ann") as ann:
        own = matrix_settings(server, account, allowed_users=(ann.user,))
        chosen = settings.model_copy(
            update={"matrix": own, "admins": (f"matrix:{ann.user}",) if admin else (), "web": WebSettings(enabled=False)}
        )
        async with served(chosen, lambda app: channels_of(app)[0], f"matrix:{ann.user}") as (chat, _channel):
            room = await direct(ann, account.user)
            chat.say = lambda text: ann.say(room, text)
            chat.press = lambda _reply, label: react(ann, room, account.user, label)
            yield chat


def matrix_settings(server: Homeserver, account: Account, **more: object) -> MatrixSettings:
    return MatrixSettings.model_validate(
        {"homeserver": server.url, "user": account.user, "password": SecretStr(account.password), **more}
    )


async def direct(who: Person, bot: str) -> str:
    """Return the room of a direct chat with a bot that runs, once it has come."""
    room = await who.direct(bot)
    await who.until(lambda: bot in who.members(room))
    return room


async def react(who: Person, room: str, bot: str, label: str) -> None:
    """Press by a reaction the button of the last message that shows one of this label; once more where it was pressed before."""

    def found() -> list[tuple[str, str]]:
        return [(one.id, key["key"]) for one in who.said(room, by=bot) for key in KEY.finditer(one.text) if key["label"] == label]

    await who.sync(timeout_ms=0)
    shown, key = (await who.until(found))[-1]
    related = {"rel_type": "m.annotation", "event_id": shown, "key": key}
    for event in who.raw(room):
        if event["type"] == "m.reaction" and event["sender"] == who.user and event["content"].get("m.relates_to") == related:
            await who.redact(room, event["event_id"])
    await who.react(room, shown, key)


def token(reply: Reply, label: str) -> str:
    return next(button.token for button in reply.buttons if button.label == label)
