"""Who is in a group, asked of the server; and joins and leaves, of which it tells."""

from __future__ import annotations

import pytest
from fakes.telegram_bench import Blobs, Inbox, built, live
from fakes.telegram_bot_api.client import ANN, FakeTelegram

from bot.channels.telegram import Telegram
from bot.config import TelegramSettings
from bot.passage import Scope

pytestmark = pytest.mark.asyncio(loop_scope="module")

BEN, BOT, TEAM = 43, 7, -200
SCOPE = Scope("group", f"telegram/7/{TEAM}")


async def group(fake: FakeTelegram, **members: str) -> None:
    told = {str({"ann": ANN, "ben": BEN, "bot": BOT}[name]): status for name, status in members.items()}
    await fake.order("person", id=BEN, first_name="Ben")
    await fake.order("group", id=TEAM, members=told)


@pytest.mark.parametrize(
    ("status", "member"),
    [
        ("creator", True), ("administrator", True), ("member", True), ("restricted", True),
        ("restricted outside", False), ("left", False), ("kicked", False),
    ],
)  # fmt: skip
async def test_a_persons_status_says_whether_they_are_a_member(
    fake: FakeTelegram, channel: Telegram, status: str, member: bool
) -> None:
    await group(fake, ann=status)
    assert await channel.member(str(ANN), SCOPE) is member


async def test_nobody_is_a_member_for_the_bot_where_it_is_not_itself(fake: FakeTelegram, channel: Telegram) -> None:
    await group(fake, ann="member")
    await fake.order("member", chat=TEAM, user=BOT, status="kicked")
    assert await channel.member(str(ANN), SCOPE) is False


async def test_an_unknown_person_group_and_account_is_no(fake: FakeTelegram, channel: Telegram) -> None:
    await group(fake)
    assert await channel.member("4711", SCOPE) is False
    assert await channel.member(str(ANN), Scope("group", "telegram/7/-404")) is False
    assert await channel.member("-200", SCOPE) is False
    assert await channel.member(str(ANN), Scope("group", "telegram/7/no number")) is False


async def test_a_server_that_fails_asks_to_wait_or_does_not_answer_has_not_said_anything(
    fake: FakeTelegram, settings: TelegramSettings, blobs: Blobs
) -> None:
    channel = built(settings, blobs)
    await group(fake, ann="member")
    for kind in ("refuse", "cut_before", "cut_after"):
        await fake.fault(kind, "getChatMember")
        assert await channel.member(str(ANN), SCOPE) is None, kind
    assert await channel.member(str(ANN), SCOPE) is True


async def test_the_intake_is_told_of_joins_and_leaves_before_they_are_confirmed(
    fake: FakeTelegram, channel: Telegram, inbox: Inbox
) -> None:
    await group(fake, ann="member", ben="member")
    async with live(channel, inbox):
        await fake.settled()
        await fake.order("member", chat=TEAM, user=BEN, status="left")
        await fake.settled()
        assert inbox.members == [(str(TEAM), str(BEN))]
        await fake.order("member", chat=TEAM, user=BEN, status="member")
        await fake.order("member", chat=TEAM, user=BOT, status="kicked")
        await fake.settled()
    assert inbox.members[1:] == [(str(TEAM), str(BEN)), (str(TEAM), "")]
    assert inbox.items == []


async def test_an_administrator_is_told_of_leaves_that_no_message_shows(
    fake: FakeTelegram, channel: Telegram, inbox: Inbox
) -> None:
    await group(fake, ben="member", bot="administrator")
    async with live(channel, inbox):
        await fake.say("hello", chat=TEAM)
        await fake.settled()
        await fake.order("member", chat=TEAM, user=BEN, status="kicked", by=ANN, shown=False)
        await fake.settled()
    assert inbox.members == [(str(TEAM), str(BEN))]
