"""The admin verbs in every channel, from the words to the presses, through the whole bot: a channel is tested by being listed."""

from __future__ import annotations

import asyncio
import io
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
import pytest
from fakes import slack as fake_slack
from fakes.hub import FakeHub
from fakes.swapping import figures
from fakes.telegram_bot_api.client import ANN, FakeTelegram, running
from pydantic import SecretStr
from rich.console import Console as Terminal
from safetensors.numpy import save

from bot.app import App, channels_of, opened
from bot.channels.channel import Channel
from bot.channels.console import Console
from bot.config import LinkSettings, Settings, TelegramSettings, WebSettings
from bot.house import House
from bot.locale import Text
from bot.message import Reply
from bot.models.fetch import Place
from bot.models.tasks import SUMMARISE
from bot.models.trial import Figures
from bot.skill import Request

LONGEST_S = 60.0
TOKEN = "7:ADMIN"
pytestmark = pytest.mark.timeout(120)


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
                await fake.envelope("interactive", {
                    "type": "block_actions", "team": {"id": fake_slack.TEAM}, "user": {"id": fake_slack.ANN},
                    "container": {"channel_id": fake_slack.DIRECT}, "actions": [action],
                })  # fmt: skip

            chat.say, chat.press, chat.slack = fake.say, press, fake
            yield chat


CHANNELS = (web, console, telegram, slack)


def token(reply: Reply, label: str) -> str:
    return next(button.token for button in reply.buttons if button.label == label)


def labels(reply: Reply) -> list[str]:
    return [button.label for button in reply.buttons]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", language="en", links=LinkSettings(enabled=False))


@pytest.fixture
def scores(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """How well each model is taken to answer, by its name; 0.9 for what is not named. No model is tried."""
    known: dict[str, float] = {}

    async def tried(_settings: object, place: Place, *, embedder: object, report: object) -> Figures:
        return figures(place.spec.identity, score=known.get(place.spec.name, 0.9))

    monkeypatch.setattr("bot.swapping._probed", tried)
    return known


@pytest.fixture(params=CHANNELS, ids=lambda channel: channel.__name__)
async def chat(request: pytest.FixtureRequest, settings: Settings, scores: dict[str, float]) -> AsyncIterator[Chat]:
    async with request.param(settings, admin=True) as made:
        yield made


async def outcomes(app: App) -> list[tuple[str, str, str]]:
    return [(entry.who, entry.command, entry.outcome) for entry in reversed(await app.audit.last(100))]


async def test_from_the_models_to_a_swap_and_back_by_buttons(chat: Chat, scores: dict[str, float]) -> None:
    scores["summarise.lead.v1"] = 0.1
    models = await chat.ask("/models")
    slot = await chat.order(models, "summarise")
    assert "`summarise.extract.v1`" in slot.text
    card = await chat.order(slot, "Try lexrank")
    assert chat.app.blobs.path(card.images[0].blob).read_bytes().startswith(b"\x89PNG")
    assert labels(card) == ["Promote", "Shadow 50", "Discard"]
    live = await chat.order(card, "Promote")
    assert labels(live) == ["Back to extract"]
    assert chat.live() == "summarise.lexrank.v1"
    assert "back at summarise.extract.v1" in (await chat.order(live, "Back to extract")).text
    assert chat.live() == "summarise.extract.v1"
    if chat.who != "console:me":  # where the buttons are those of the last answer alone
        assert "Nothing was changed" in (await chat.order(live, "Back to extract")).text
    refused = await chat.ask("/swap summarise lead")
    assert labels(refused) == ["Shadow 50", "Discard"]
    forced = await chat.ask('/swap summarise lead --force "to compare"')
    assert ("summarise.lead.v1" in forced.text, chat.live()) == (True, "summarise.lead.v1")
    await chat.ask("/rollback summarise")
    assert chat.live() == "summarise.extract.v1"
    written = await outcomes(chat.app)
    assert {who for who, _command, _outcome in written} == {chat.who}
    assert (chat.who, '/swap summarise lead --force "to compare"', "done") in written
    assert (chat.who, "/swap summarise lead", "refused") in written


async def test_memory_audit_and_admins(chat: Chat) -> None:
    assert "Memory" in (await chat.ask("/ram")).text
    assert "is an admin from now on" in (await chat.ask("/admins add telegram:5")).text
    assert "no admin any more" in (await chat.order(await chat.ask("/admins"), "Remove telegram:5")).text
    assert "/admins remove telegram:5" in (await chat.ask("/audit")).text
    assert "Did you mean summarise" in (await chat.ask("/swap sumarise lead")).text


async def test_what_broke_is_set_aside_and_replayed_by_a_button_in_the_place_of_what_was_told(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_house: House, _request: Request) -> Reply:
        raise RuntimeError("my secret")

    monkeypatch.setattr("bot.feed.LOOK_EVERY_S", 0.05)
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(House, "answer", broken)
        told = await chat.ask("/privacy")
    (letter,) = await chat.app.dead.last(5)
    assert f"(ref {letter.reference})" in told.text
    shown = await chat.ask("/dead")
    assert labels(shown) == [f"Replay {letter.reference}", f"Drop {letter.reference}"]
    await chat.press(shown, f"Replay {letter.reference}")
    texts = sorted([(await chat.answer()).text, (await chat.answer()).text], key=len)
    assert ("worked on again" in texts[0], "secret" in "".join(texts)) == (True, False)
    assert await chat.app.dead.count() == 0
    if chat.who.startswith("telegram"):
        first = (await chat.fake.shown(ANN, by_bot=3))[0]
        assert (first["text"].startswith("I could not"), "edit_date" in first) == (False, True)


@pytest.mark.parametrize("channel", [web, telegram, slack], ids=lambda channel: channel.__name__)
async def test_nobody_else_is_obeyed_by_word_or_by_an_old_button(
    channel: Callable[..., object], settings: Settings, scores: dict[str, float]
) -> None:
    async with channel(settings, admin=False) as chat:  # type: ignore[attr-defined]
        for order in ("/models", "/swap summarise lead", "/교체 요약 lead", "/promote 1", "/admins add telegram:42"):
            assert chat.who in (await chat.ask(order)).text
        assert {outcome for _who, _command, outcome in await outcomes(chat.app)} == {"not an admin"}
        assert "/swap" not in (await chat.ask("/help")).text
        if chat.who.startswith("telegram"):
            await chat.app.roles.add(chat.who, by="terminal")
            shown = await chat.ask("/admins")
            await chat.app.roles.remove(chat.who, by="terminal")
            assert "Only an admin" in (await chat.order(shown, f"Remove {chat.who}")).text


async def test_in_telegram_one_message_tells_the_steps_and_becomes_the_card_whose_picture_follows(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown, seen = asyncio.Event(), asyncio.Event()

    async def tried(_settings: object, place: Place, *, embedder: object, report: Callable[[Text], Awaitable[None]]) -> Figures:
        await report(Text("probing 1 of 2"))
        shown.set()
        await asyncio.wait_for(seen.wait(), LONGEST_S)
        return figures(place.spec.identity)

    monkeypatch.setattr("bot.swapping._probed", tried)
    for name in ("TYPING_AFTER_S", "STATUS_AFTER_S", "STATUS_EVERY_S"):
        monkeypatch.setattr(f"bot.company.{name}", 0.0)
    async with telegram(settings, admin=True) as chat:
        await chat.say("/swap summarise lexrank")
        await asyncio.wait_for(shown.wait(), LONGEST_S)
        (status,) = await chat.fake.shown(ANN, by_bot=1)
        assert "Cancel" in str(status["reply_markup"])
        seen.set()
        card = await chat.answer()
        text, picture = await chat.fake.shown(ANN, by_bot=2)
    assert text["message_id"] == status["message_id"]
    assert "lexrank" in text["text"]
    assert "Promote" in str(text["reply_markup"])
    assert picture["photo"]
    assert card.images[0].alt in picture["caption"]


async def test_a_trial_is_cancelled_by_the_button_under_its_status_and_nothing_is_changed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = asyncio.Event()

    async def tried(*_told: object, **_named: object) -> Figures:
        shown.set()
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr("bot.swapping._probed", tried)
    for name in ("TYPING_AFTER_S", "STATUS_AFTER_S"):
        monkeypatch.setattr(f"bot.company.{name}", 0.0)
    async with telegram(settings, admin=True) as chat:
        await chat.say("/swap summarise lexrank")
        await asyncio.wait_for(shown.wait(), LONGEST_S)
        await chat.fake.shown(ANN, by_bot=1)
        await chat.press(Reply("", "en"), "Cancel")
        assert "Stopped" in (await chat.answer()).text
        assert chat.live() == "summarise.extract.v1"
        assert await outcomes(chat.app) == [(chat.who, "/swap summarise lexrank", "stopped")]
        assert [swap.state for swap in await chat.app.swapper.history()] == ["discarded"]


async def test_in_telegram_the_menu_follows_who_is_added_and_removed_while_the_bot_runs(settings: Settings) -> None:
    async with telegram(settings, admin=False) as chat:
        await chat.ask("/help")
        await chat.fake.calls("setMyCommands", count=4)
        await chat.app.roles.add(chat.who, by="terminal")
        await chat.fake.calls("setMyCommands", count=10)
        menus = await chat.fake.ask("commands")
        assert "swap" in [entry["command"] for entry in menus[f"chat:{ANN}"]]
        assert "swap" not in [entry["command"] for entry in menus["all_private_chats"]]
        await chat.app.roles.remove(chat.who, by="terminal")
        await chat.fake.calls("deleteMyCommands", count=2)
        assert f"chat:{ANN}" not in await chat.fake.ask("commands")


async def test_what_a_hub_offers_is_found_said_yes_to_fetched_and_tried_by_buttons(
    settings: Settings, scores: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "config.json": json.dumps({"model_type": "bart", "architectures": ["BartForConditionalGeneration"]}).encode(),
        "tokenizer.json": b"{}",
        "model.safetensors": save({"shared.weight": np.zeros((2, 2), np.float32)}),
    }
    async with FakeHub() as hub:
        seen = hub.add("ann/tiny-news", files, card={"license": "other"}, pipeline_tag="summarization")
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        async with console(settings, admin=True) as chat:
            found = await chat.ask("/models search summarise: tiny")
            asked = await chat.order(found, "Try tiny-news")
            assert labels(asked) == ["Yes, fetch it"]
            assert asked.buttons[0].command.args == f"summarise hub:ann/tiny-news@{seen} --yes"
            hub.add("ann/tiny-news", files | {"tokenizer.json": b'{"moved": "meanwhile"}'})
            card = await chat.order(asked, "Yes, fetch it")
            assert labels(card) == ["Promote", "Shadow 50", "Discard"]
            (swap, refused) = await chat.app.swapper.history()
    assert (refused.state, swap.state, swap.model) == ("refused", "reported", f"hub:ann/tiny-news@{seen}")
