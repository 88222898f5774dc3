"""The whole bot as a program, and the channel alone, against npm's `emulate` as Slack's Web API, with the manifest's rights and no others."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fakes.program import bot
from fakes.slack import BOT, Fault
from fakes.slack_emulated import EmulatedSlack, emulated, emulator, installed

from bot.channels.channel import Taken
from bot.channels.slack import Slack
from bot.errors import AmbiguousSendError, GoneError
from bot.message import Address, Picture, Reply
from bot.passage import Scope
from bot.store.blobs import BlobStore

LEASE = "The lease of the Mapo office ends on 30 June 2027. Mina Park keeps the keys of the roof."
PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


@pytest.fixture
async def fake() -> AsyncIterator[EmulatedSlack]:
    """A workspace of the test's own: it is there in 0.2 s."""
    if not installed():
        pytest.skip("emulate is not installed: npm install --prefix .emulate emulate@0.12.2")
    with emulator() as url:
        async with emulated(url) as made:
            yield made


async def written(fake: EmulatedSlack, chat: str, words: str, thread: str = "") -> dict[str, Any]:
    """Return the bot's message there with the words, once it stands there: asked after each call of the bot's."""
    while True:
        calls = len(fake.calls)
        for message in await fake.history(chat, thread):
            if words in message["text"]:
                return message
        await fake.until(lambda calls=calls: len(fake.calls) > calls)


async def test_a_document_is_asked_about_and_the_answers_stand_where_they_belong_once(
    fake: EmulatedSlack, tmp_path: Path
) -> None:
    async with bot(tmp_path / "home", **fake.variables()) as program:
        await fake.send_file("lease.txt", LEASE.encode())
        await written(fake, fake.direct, "lease.txt")
        fake.faults.append(Fault("chat.postMessage", "cut"))
        asked = await fake.say("When does the lease of the Mapo office end?")
        answer = await written(fake, fake.direct, "30 June 2027")
        assert answer["blocks"][0]["type"] == "rich_text"
        assert "feedback_buttons" in json.dumps(answer["blocks"])
        await fake.until(
            lambda: ("reactions.remove", asked["ts"]) in [(method, said.get("timestamp")) for method, said in fake.calls]
        )

        edited = {
            **asked,
            "text": "Who keeps the keys of the roof?",
            "edited": {"user": fake.people["ann"], "ts": "1900000000.000000"},
        }
        await fake.tell({"type": "message", "subtype": "message_changed", "channel": fake.direct, "channel_type": "im",
                         "ts": fake.ts(), "message": edited, "previous_message": asked})  # fmt: skip
        assert (await written(fake, fake.direct, "Mina Park"))["ts"] == answer["ts"]

        root = await fake.say("We meet on Tuesday at nine in the blue room.", chat=fake.general, by="ben")
        called = await fake.say(f"<@{BOT}> tl;dr", chat=fake.general, thread_ts=root["ts"])
        await written(fake, fake.general, "blue room", root["ts"])
        await fake.tell({**called, "type": "app_mention"})
        await fake.tell({"type": "app_home_opened", "tab": "home", "user": fake.people["ann"], "channel": fake.direct})
        await fake.until(lambda: "views.publish" in [method for method, _said in fake.calls])
        await program.stop()
    assert len(await fake.history(fake.direct)) == 2
    assert len(await fake.history(fake.general, root["ts"])) == 1


class Nothing:
    """Takes nothing in."""

    async def accept(self, _item: object) -> Taken:
        return Taken(fresh=False)


async def test_pictures_doubts_readers_and_closed_channels_are_as_the_emulator_says(fake: EmulatedSlack, tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path)
    channel = Slack(fake.settings(), blobs=blobs)
    running = asyncio.create_task(channel.run(Nothing()))  # type: ignore[arg-type]
    await fake.connected()
    ann, office = Address("slack", fake.team, fake.people["ann"]), Address("slack", fake.team, fake.general, kind="group")

    await channel.send(Reply("drawn", "en", images=(Picture(blobs.keep(PIXEL), "a dot"),)), ann, key="1")
    picture = (await fake.history(fake.direct))[-1]
    assert picture["blocks"][0]["slack_file"]["id"].startswith("F")

    fake.faults.append(Fault("chat.postMessage", "cut"))
    with pytest.raises(AmbiguousSendError):
        await channel.send(Reply("once", "en", reply_to="16.1"), office, key="2")
    await channel.send_parts(
        Reply("once", "en", reply_to="16.1"), office, key="2", edits="", sent=(), went_out=None, in_doubt=True
    )
    assert [one["text"] for one in await fake.history(fake.general)].count("once") == 1

    group = Scope("group", f"slack/{fake.team}/{fake.general}")
    assert await channel.member(fake.people["ben"], group)
    assert not await channel.member("U404", group)
    await channel.send(Reply("you alone", "en"), Address("slack", fake.team, fake.people["ann"], f"in:{fake.general}"), key="3")
    assert "you alone" not in [one["text"] for one in await fake.history(fake.general)]

    await fake.ask("conversations.archive", "xoxp-ann", channel=fake.general)
    with pytest.raises(GoneError, match="is_archived"):
        await channel.send(Reply("too late", "en"), office, key="4")
    await fake.ask("conversations.unarchive", "xoxp-ann", channel=fake.general)
    assert "is_archived" in fake.refusals
    assert "missing_scope" not in fake.refusals
    running.cancel()
