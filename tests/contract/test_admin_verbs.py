"""The admin verbs in every channel, from the words to the presses, through the whole bot: a channel is tested by being listed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from contract.harness.admin import (
    LONGEST_S,
    Chat,
    console,
    direct,
    matrix,
    matrix_settings,
    react,
    served,
    slack,
    telegram,
    web,
)  # fmt: skip
from fakes.homeserver import Homeserver
from fakes.hub import FakeHub
from fakes.matrix_person import Person, person
from fakes.swapping import figures
from fakes.telegram_bot_api.client import ANN
from safetensors.numpy import save

from bot.app import App, channels_of
from bot.config import LinkSettings, Settings, WebSettings
from bot.house import House
from bot.locale import Text
from bot.message import Reply
from bot.models.fetch import Place
from bot.models.trial import Figures
from bot.skill import Request

CHANNELS = (web, console, telegram, slack, matrix)
Opening = Callable[..., AbstractAsyncContextManager[Chat]]


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
def channel(request: pytest.FixtureRequest) -> Opening:
    """How a bot is run in front of somebody in the channel: given the settings, and whether they are an admin."""
    return partial(matrix, request.getfixturevalue("homeserver")) if request.param is matrix else request.param  # type: ignore[no-any-return]


@pytest.fixture
async def chat(channel: Opening, settings: Settings, scores: dict[str, float]) -> AsyncIterator[Chat]:
    async with channel(settings, admin=True) as made:
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


@pytest.mark.parametrize("channel", [web, telegram, slack, matrix], ids=lambda channel: channel.__name__, indirect=True)
async def test_nobody_else_is_obeyed_by_word_or_by_an_old_button(
    channel: Opening, settings: Settings, scores: dict[str, float]
) -> None:
    async with channel(settings, admin=False) as chat:
        for order in ("/models", "/swap summarise lead", "/교체 요약 lead", "/promote 1", "/admins add telegram:42"):
            assert chat.who in (await chat.ask(order)).text
        assert {outcome for _who, _command, outcome in await outcomes(chat.app)} == {"not an admin"}
        assert "/swap" not in (await chat.ask("/help")).text
        if chat.who.startswith("telegram"):
            await chat.app.roles.add(chat.who, by="terminal")
            shown = await chat.ask("/admins")
            await chat.app.roles.remove(chat.who, by="terminal")
            assert "Only an admin" in (await chat.order(shown, f"Remove {chat.who}")).text


async def test_in_matrix_who_has_power_in_the_admins_room_swaps_by_commands_and_reactions_until_it_is_taken_from_them(
    settings: Settings, homeserver: Homeserver, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried, taken = asyncio.Queue[str](), asyncio.Event()

    async def slowly(_settings: object, place: Place, *, embedder: object, report: object) -> Figures:
        tried.put_nowait(place.spec.name)
        if place.spec.name == "summarise.lead.v1":
            await asyncio.wait_for(taken.wait(), LONGEST_S)
        return figures(place.spec.identity)

    monkeypatch.setattr("bot.swapping._probed", slowly)
    account = await homeserver.register("paring")
    async with person(homeserver, "ann") as ann, person(homeserver, "ben") as ben:
        admins = await ann.room(account.user, ben.user)
        await ben.join(admins)
        own = matrix_settings(homeserver, account, admin_room=admins, allowed_users=(ann.user, ben.user))
        chosen = settings.model_copy(update={"matrix": own, "web": WebSettings(enabled=False)})
        async with served(chosen, lambda app: channels_of(app)[0], f"matrix:{ben.user}") as (chat, _channel):
            hers, his = await direct(ann, account.user), await direct(ben, account.user)
            chat.say = lambda text: ben.say(his, text)
            assert chat.who in (await chat.ask("!swap summarise lexrank")).text
            await give_power(ann, admins, ben, 50)
            card = await chat.ask("!swap summarise lexrank")
            assert (labels(card), len(card.images)) == (["Promote", "Shadow 50", "Discard"], 1)
            assert labels(await chat.ask("!1")) == ["Back to extract"]
            assert chat.live() == "summarise.lexrank.v1"

            await chat.say("!swap summarise lead")
            while await asyncio.wait_for(tried.get(), LONGEST_S) != "summarise.lead.v1":
                pass
            await give_power(ann, admins, ben, 49)
            taken.set()
            assert "Promote" in labels(await chat.answer())
            await react(ben, his, account.user, "Promote")
            assert "Only an admin" in (await chat.answer()).text
            assert "Only an admin" in (await chat.ask("!1")).text
            assert "Only an admin" in (await chat.ask("!rollback summarise")).text
            assert chat.live() == "summarise.lexrank.v1"
            await ann.say(hers, "!rollback summarise")
            assert "back at summarise.extract.v1" in (await chat.answer()).text
            written = await outcomes(chat.app)
    by_ann, by_ben = f"matrix:{ann.user}", chat.who
    assert written[-1] == (by_ann, "/rollback summarise (as creator of the admins' room)", "done")
    obeyed = [command for who, command, outcome in written if (who, outcome) == (by_ben, "done")]
    assert all(command.endswith("(as power 50 in the admins' room)") for command in obeyed), written
    assert [outcome for who, _command, outcome in written if who == by_ben] == [
        "not an admin", "done", "done", "done", "not an admin", "not an admin", "not an admin"
    ]  # fmt: skip


async def give_power(by: Person, room: str, whom: Person, level: int) -> None:
    levels = await by.call("GET", f"/v3/rooms/{room}/state/m.room.power_levels/")
    await by.call("PUT", f"/v3/rooms/{room}/state/m.room.power_levels/", levels | {"users": levels["users"] | {whom.user: level}})


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
