"""A workspace that is searched: what was said before the bot came, by whom it is found, how it ends; killed in the middle."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fakes.program import bot, telegram_settings
from fakes.slack import ANN, BEN, BOT, DIRECT, GENERAL, FakeSlack, Fault, slack
from fakes.telegram_bot_api.client import ANN as TELEGRAM_ANN
from fakes.telegram_bot_api.client import FakeTelegram, running

RANDOM, SECRET, JOINT, GUEST = "C2", "C3", "C4", "U3"
KEY = "The spare key of the bicycle lies under the third flower pot."
ROOF = "The roof of the Mapo office is repaired on the ninth of October by Hanbit."


@pytest.fixture
async def fake() -> AsyncIterator[FakeSlack]:
    async with slack() as made:
        made.users[GUEST] = {"is_restricted": True}
        made.members |= {GENERAL: [ANN, BEN, GUEST], RANDOM: [BEN], SECRET: [ANN, BOT], JOINT: [ANN]}
        made.closed |= {SECRET: {"is_private": True}, JOINT: {"is_ext_shared": True}}
        made.page = 3
        yield made


def settings(fake: FakeSlack) -> dict[str, str]:
    return fake.variables(PARING_ADMINS=f"slack:{ANN}", PARING_SLACK__HISTORY_A_MINUTE="100000")


async def answer(fake: FakeSlack, text: str, *, words: str, **more: Any) -> dict[str, Any]:
    """Return what the bot answers, once it holds the words."""
    chat = more.get("chat", DIRECT)
    before = len(fake.shown(chat))
    await fake.say(text, **more)
    return await fake.until(lambda: next((one for one in fake.shown(chat)[before:] if words in json.dumps(one)), None))


async def ordered(fake: FakeSlack, groups: int) -> None:
    await answer(fake, "/index workspace", words="From now on I index")
    await fake.until(
        lambda: [c for c in (GENERAL, RANDOM) if "An admin has the public" in json.dumps(fake.shown(c))][groups - 1 :]
    )


async def linked(fake: FakeSlack, telegram: FakeTelegram, home: Path) -> None:
    """Have Ann be one person in Slack and in Telegram: what she may read in Slack she finds in Telegram from then on."""

    await telegram.order("person", id=TELEGRAM_ANN, first_name="Ann", language_code="en")

    async def said(text: str, words: str) -> str:
        before = len(await telegram.shown())
        await telegram.say(text)
        for count in range(before + 1, before + 9):  # a status may stand before the answer
            told = json.dumps((await telegram.shown(by_bot=count))[before:])
            if words in told:
                return told
        raise AssertionError(told)

    assert "flower pot" not in await said("/search the spare key of the bicycle", "nothing")
    shown = await answer(fake, "/link", words="ten minutes")
    code = re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}", shown["text"])
    assert code
    for file in home.glob("paring.db*"):
        assert code[0].encode() not in file.read_bytes()
    assert "slack:U1" in await said(f"/link {code[0]}", "shown to")
    await said("/link yes", "one person")
    await fake.until(lambda: [one for one in fake.shown(DIRECT) if "telegram:42" in json.dumps(one)])
    assert f"contract.slack.com/archives/{RANDOM}/p" in await said("/search the spare key of the bicycle", "flower pot")
    assert "slack:U1" in await said("/privacy", "one person")
    await said("/models", "Only an admin")  # to be an admin is of one account alone
    for file in home.glob("paring.db*"):
        assert code[0].encode() not in file.read_bytes()
    await said("/unlink", "no more with slack:U1")
    assert "flower pot" not in await said("/search the spare key of the bicycle", "nothing")


async def read(fake: FakeSlack) -> None:
    """Return once `/index workspace` says that all is read."""
    while "Still to be read" in json.dumps(await answer(fake, "/index workspace", words="Read:")):
        pass


async def test_a_workspace_is_read_in_and_found_by_who_may(fake: FakeSlack, tmp_path: Path) -> None:
    for number in range(7):
        fake.stands(f"Lunch on day {number} is at noon in the canteen.", chat=GENERAL)
    fake.stands(KEY, chat=RANDOM, user=BEN)
    root = fake.stands("Who repairs the roof of the office?", chat=GENERAL)
    fake.stands(ROOF, chat=GENERAL, user=BEN, thread_ts=root["ts"])
    fake.stands("has joined the channel", chat=GENERAL, subtype="channel_join")
    fake.stands("The robot says that the password of the roof is tulip.", chat=GENERAL, bot_id="B9")
    fake.stands("The secret of the cellar is that its lock is broken.", chat=SECRET)
    fake.stands("The joint project with Acme is called Nightingale.", chat=JOINT)
    fake.stands(f"<@{BOT}> /sum 5", chat=GENERAL)
    async with running() as telegram, bot(tmp_path / "home", channels=2, **settings(fake), **telegram_settings(telegram)):
        await fake.connected()
        await answer(fake, "/index workspace", words="Only an admin", user=BEN)
        await ordered(fake, 2)
        await read(fake)
        told = await answer(fake, "Where is the spare key of the bicycle?", words="flower pot")
        assert f"https://contract.slack.com/archives/{RANDOM}/p" in json.dumps(told)
        assert "ninth of October" in json.dumps(
            await answer(fake, "When is the roof of the Mapo office repaired?", words="ninth of")
        )
        assert f"thread_ts={root['ts']}" in json.dumps(fake.shown(DIRECT)[-1])
        for question in ("/search secret of the cellar", "/search joint project with Acme Nightingale"):
            told = await answer(fake, question, words="")
            assert "Nightingale is" not in json.dumps(told)
            assert "lock is broken" not in json.dumps(told)
        await linked(fake, telegram, tmp_path / "home")
        # what is said from now on
        await fake.say("The printer on the second floor wants blue paper.", chat=RANDOM, user=BEN)
        there = {"chat": RANDOM, "user": BEN}  # asked there it comes after what was said there; elsewhere it may overtake it
        await answer(fake, f"<@{BOT}> what does the printer want?", words="blue paper", **there)
        await answer(fake, "What does the printer on the second floor want?", words="blue paper")
        # in a channel with a guest in it nothing of another one is shown; without them, it is
        asked = {"chat": GENERAL, "user": BEN}
        before = json.dumps(
            await answer(fake, f"<@{BOT}> where is the spare key of the bicycle?", words="found nothing", **asked)
        )
        assert "flower pot" not in before
        fake.members[GENERAL].remove(GUEST)
        await fake.tell({"type": "member_left_channel", "user": GUEST, "channel": GENERAL})
        await answer(fake, f"<@{BOT}> where is the spare key of the bicycle?", words="flower pot", **asked)
        # a person's own words, and the end of it
        assert not [
            method for method, said in fake.calls if method == "conversations.history" and said["channel"] in {SECRET, JOINT}
        ]
        await answer(fake, "/index workspace off", words="indexed no more")
        await answer(fake, "Where is the spare key of the bicycle?", words="found nothing")
        await fake.say("The ladder stands behind the red door.", chat=RANDOM, user=BEN)
        await answer(fake, f"<@{BOT}> hi", words="", **there)
        await answer(fake, "Where does the ladder stand?", words="found nothing")


async def test_a_bot_that_is_killed_while_it_reads_goes_on_where_it_was(fake: FakeSlack, tmp_path: Path) -> None:
    for number in range(20):
        fake.stands(f"Room {number} is painted by the firm Tulip{number} in the colour of its door.", chat=GENERAL)
    fake.stands(KEY, chat=RANDOM, user=BEN)
    async with bot(tmp_path / "home", **settings(fake)) as program:
        await fake.connected()
        fake.faults.append(Fault("conversations.history", "ratelimited", times=2, retry_after=1))
        await ordered(fake, 1)
        await fake.until(lambda: len([1 for method, _said in fake.calls if method == "conversations.history"]) > 4)
        program.kill()
    read_before = [said.get("latest") for method, said in fake.calls if method == "conversations.history"]
    fake.calls.clear()
    fake.stands("Room 99 is painted by the firm Crocus99 in the colour of its door.", chat=GENERAL)
    async with bot(tmp_path / "home", **settings(fake)):
        await fake.connected()
        await read(fake)
        await answer(fake, "Which firm paints room 3?", words="Tulip3")
        await answer(fake, "Which firm paints room 99?", words="Crocus99")  # said while it was away
        await answer(fake, "Where is the spare key of the bicycle?", words="flower pot")
        again = [
            said.get("latest") for method, said in fake.calls if method == "conversations.history" and said["channel"] == GENERAL
        ]
        assert len((set(read_before) & set(again)) - {None}) <= 1
        assert again.count(None) == 1  # the newest page, for what was said meanwhile
