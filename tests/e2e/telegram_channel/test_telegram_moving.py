"""A group that becomes a supergroup, told by its service messages or by a refused send."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes.telegram_bench import PNG, Blobs, Inbox, live, reply
from fakes.telegram_bot_api.client import ANN, FakeTelegram

from bot.channels.telegram import Telegram
from bot.errors import StoreError
from bot.message import Address, Picture

pytestmark = pytest.mark.asyncio(loop_scope="module")

OLD = Address("telegram", "7", "-5", kind="group")
NEW = replace(OLD, chat="-1005")


async def grown(fake: FakeTelegram, *, announced: bool) -> None:
    await fake.order("migrate", **{"chat": -5, "to": -1005, "from": {"id": ANN}, "announced": announced})


async def test_the_intake_is_told_before_the_update_is_confirmed(fake: FakeTelegram, channel: Telegram, inbox: Inbox) -> None:
    await fake.order("group", id=-5, type="group")
    inbox.failures = [StoreError("disk full")]
    async with live(channel, inbox):
        await grown(fake, announced=True)
        await fake.say("/help@ParBot", chat=-1005)
        await fake.settled()
    assert inbox.moves == [(OLD, NEW)]
    assert inbox.message.address == NEW


async def test_a_refused_send_tells_the_intake_and_the_reply_quotes_nothing_in_the_new_chat(
    fake: FakeTelegram, channel: Telegram, inbox: Inbox
) -> None:
    await fake.order("group", id=-5, type="group")
    await grown(fake, announced=False)
    await fake.say("the first message of the new chat", chat=-1005)
    async with live(channel, inbox):
        await fake.settled()
        inbox.failures = [StoreError("locked")]
        await channel.send(reply("one", reply_to="1"), OLD, key="k")
        assert inbox.moves == []
        await fake.order("group", id=-6, type="group")
        await fake.order("migrate", **{"chat": -6, "to": -1006, "from": {"id": ANN}, "announced": False})
        await channel.send(reply("two"), replace(OLD, chat="-6"), key="k3")
    assert inbox.moves == [(OLD, NEW), (replace(OLD, chat="-6"), replace(OLD, chat="-1006"))]
    assert [("text" in shown, "reply_to_message" in shown) for shown in await fake.shown(-1005)] == [(True, False)]


async def test_a_move_learnt_before_the_channel_runs_is_told_when_it_does(
    fake: FakeTelegram, channel: Telegram, inbox: Inbox
) -> None:
    await fake.order("group", id=-5, type="group")
    await grown(fake, announced=False)
    await channel.send(reply("one"), OLD, key="k")
    async with live(channel, inbox):
        await fake.say("hi")
        await fake.settled()
    assert inbox.moves == [(OLD, NEW)]


async def test_a_status_of_the_old_chat_becomes_no_message_of_the_new_one_and_the_answer_follows(
    fake: FakeTelegram, channel: Telegram
) -> None:
    await fake.order("group", id=-5, type="group")
    status = await channel.send(reply("Working…"), OLD, key="k")
    await grown(fake, announced=False)
    await channel.send(reply("not to be overwritten"), NEW, key="k2")
    now = await channel.edit(status, reply("Still working…"), OLD)
    assert await channel.edit(now, reply("Done."), OLD) == now
    shown = {str(one["message_id"]): one["text"] for one in await fake.shown(-1005)}
    assert (len(shown), shown[now]) == (2, "Done.")
    assert "not to be overwritten" in shown.values()


async def test_a_picture_takes_no_message_of_the_new_chat_away(fake: FakeTelegram, channel: Telegram, blobs: Blobs) -> None:
    await fake.order("group", id=-5, type="group")
    status = await channel.send(reply("Drawing…"), OLD, key="k")
    await grown(fake, announced=False)
    other = await channel.send(reply("not to be deleted"), NEW, key="k2")
    assert other == status
    await channel.edit(status, reply("", images=(Picture(blobs.keep(PNG), "a cat"),)), OLD)
    assert [shown.get("text", "a picture") for shown in await fake.shown(-1005)] == ["not to be deleted", "a picture"]


async def test_a_group_that_only_got_another_number_is_not_greeted(fake: FakeTelegram, channel: Telegram, inbox: Inbox) -> None:
    await fake.order("group", id=-5, type="group")
    me = {"id": 7, "is_bot": True, "first_name": "ParBot"}
    joined = {
        "chat": {"id": -1005, "type": "supergroup", "title": "Team"}, "from": {"id": ANN}, "date": 1,
        "old_chat_member": {"user": me, "status": "left"}, "new_chat_member": {"user": me, "status": "member"},
    }  # fmt: skip
    async with live(channel, inbox):
        await grown(fake, announced=True)
        await fake.order("update", kind="my_chat_member", content=joined)
        await fake.say("@ParBot where?", chat=-1005)
        await fake.settled()
    assert inbox.texts == ["where?"]
    assert await fake.shown(-1005) == []
