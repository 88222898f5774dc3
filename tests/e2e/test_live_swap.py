"""The demonstration of docs/models.md: under questions, an admin in Telegram swaps a model, is refused, insists, and everything comes right.

The summary model is swapped for a worse one: the gate refuses it; it is forced; what people say of its answers takes it back by itself.
Then the embedder is swapped, all passages are embedded anew while questions are answered, and taken back in one word.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes.program import bot, paring, telegram_settings
from fakes.telegram_bot_api.client import ANN, FakeTelegram, running

pytestmark = pytest.mark.timeout(600)

ASKERS = range(101, 104)
UNHAPPY = range(201, 204)
PASSAGES = 300
WAIT_S = 250.0
LONG = (
    "Mina: Morning everyone. Did you all sleep well?\nJoe: Not really, but I am here.\nMina: Where are we with the login bug?\n"
    "Joe: I found the cause. The session cookie expires one hour too early because the server uses local time.\n"
    "Joe: I will ship the fix on Thursday after Priya reviews it.\nPriya: I can review it tomorrow.\nMina: And the invoice export?\n"
    "Priya: It works, but files over 10 MB fail. I need the storage quota raised.\nMina: I will ask Tom to raise the quota today."
)
Shown = list[dict[str, Any]]


async def until(telegram: FakeTelegram, chat: int, holds: Callable[[Shown], bool]) -> Shown:
    """Return what the bot shows in `chat` once it is as wanted; looked at after each of the bot's calls."""
    shown: Shown = []
    try:
        async with asyncio.timeout(WAIT_S):
            while not holds(shown := await telegram.shown(chat)):
                await telegram.calls(count=len(await telegram.calls()) + 1, timeout=WAIT_S)
    except TimeoutError:
        raise AssertionError([text(one) for one in shown]) from None
    return shown


def says(*parts: str) -> Callable[[Shown], bool]:
    return lambda shown: any(all(part in text(one) for part in parts) for one in shown)


def text(message: dict[str, Any]) -> str:
    return str(message.get("text") or message.get("caption") or "")


def waits(message: dict[str, Any]) -> bool:
    """Say whether a message is a status, which becomes the answer."""
    return text(message).startswith("I am working on it")


def labels(message: dict[str, Any]) -> list[str]:
    return [button["text"] for row in message.get("reply_markup", {}).get("inline_keyboard", []) for button in row]


def with_button(shown: Shown, label: str) -> dict[str, Any]:
    return next(one for one in reversed(shown) if label in labels(one))


class Crowd:
    """People who ask one question after the other, each once the one before is answered."""

    def __init__(self, telegram: FakeTelegram) -> None:
        self._telegram = telegram
        self._over = asyncio.Event()
        self.asked: dict[int, int] = {}

    async def ask_on(self, person: int) -> None:
        number = 0
        while not self._over.is_set():
            number += 1
            await self._telegram.say(f"/search who keeps key {(person * 7 + number) % PASSAGES}", user=person)
            await until(self._telegram, person, lambda shown, number=number: len(shown) == number and not waits(shown[-1]))
        self.asked[person] = number

    def leave(self) -> None:
        self._over.set()


async def test_a_model_is_refused_forced_taken_back_and_the_embedder_swapped_under_questions(tmp_path: Path) -> None:
    home, folder = tmp_path / "home", tmp_path / "keys"
    folder.mkdir()
    for number in range(PASSAGES):
        (folder / f"{number}.txt").write_text(f"Key {number} is kept by warden {number * 3 % 1000} of house {number % 17}.\n")
    await paring(home, "setup")
    assert (await paring(home, "add", str(folder)))[0] == 0
    async with running() as telegram, bot(home, channels=2, PARING_ADMINS=f"telegram:{ANN}", **telegram_settings(telegram)):
        crowd = Crowd(telegram)
        async with asyncio.TaskGroup() as group:
            for person in ASKERS:
                group.create_task(crowd.ask_on(person))
            await swap_the_summaries(telegram)
            await swap_the_embedder(telegram)
            crowd.leave()
        for person, asked in crowd.asked.items():
            assert len(await telegram.shown(person)) == asked, "an answer was lost or doubled"
    _code, out, _complaints = await paring(home, "audit", "20")
    assert all(verb in out for verb in ("/swap summarise lead", "--force", "/swap embed static", "/rollback embed"))


async def complains(telegram: FakeTelegram, person: int) -> None:
    """Ask for summaries until one can be called bad, which is from the bot's next look at its swaps on; and call it bad."""
    number = 0
    while True:
        number += 1
        await telegram.say(f"/sum {LONG}", user=person)
        (*_before, answer) = await until(telegram, person, lambda shown: len(shown) == number and not waits(shown[-1]))  # noqa: B023 - awaited here
        if "👎" in labels(answer):
            await telegram.press(answer["message_id"], user=person, label="👎")
            return


async def swap_the_summaries(telegram: FakeTelegram) -> None:
    await telegram.say("/swap summarise lead")
    shown = await until(telegram, ANN, says("It is not offered for use"))
    card = with_button(shown, "Discard")
    assert "Promote" not in labels(card)
    await until(telegram, ANN, lambda shown: any("photo" in one for one in shown))

    await telegram.say('/swap summarise lead --force "a demonstration"')
    await until(telegram, ANN, says("answers with", "summarise.lead.v1"))
    for person in UNHAPPY:
        await complains(telegram, person)
    await until(telegram, ANN, says("Taken back by itself", "summarise.extract.v1"))


async def swap_the_embedder(telegram: FakeTelegram) -> None:
    await telegram.say('/swap embed static --force "a small machine"')
    await until(telegram, ANN, says("answers with", "embed.static.v1"))
    await telegram.say("/models embed")
    await until(telegram, ANN, says("embed.static.v1", "Others that are known"))
    await telegram.say("/rollback embed")
    await until(telegram, ANN, says("embed is back at embed.minilm"))
