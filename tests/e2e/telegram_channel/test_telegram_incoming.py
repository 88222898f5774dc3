"""What comes in by long polling, against the fake Bot API server."""

from __future__ import annotations

import asyncio
import random

import pytest
from fakes.telegram_bench import CANARY, GROUP, HERE, IN_GROUP, PNG, Blobs, Inbox, built, heard, live, reply
from fakes.telegram_bot_api.client import ANN, FakeTelegram
from fakes.waiting import LONGEST_S

from bot.channels.backoff import Backoff
from bot.channels.channel import Taken
from bot.channels.telegram import Telegram
from bot.config import TelegramSettings
from bot.errors import StoreError
from bot.message import Button, Command, Message, Press

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_direct_message_reaches_the_intake_with_all_that_is_known(
    fake: FakeTelegram, channel: Telegram, inbox: Inbox
) -> None:
    message = await heard(fake, channel, inbox, lambda: fake.say("회의록 어디 있어?"))
    assert message.address == HERE
    assert (message.sender, message.sender_name, message.text, message.language) == ("42", "Ann Lee", "회의록 어디 있어?", "ko")
    assert (message.addressed, message.version, message.command, message.attachments) == (True, 0, None, ())
    assert message.sent_at.utcoffset() is not None


async def test_a_platform_language_is_used_where_there_is_no_text(fake: FakeTelegram, channel: Telegram, inbox: Inbox) -> None:
    photo = await fake.file(PNG, folder="photos")
    fields = {"photo": [{**photo, "width": 8, "height": 6}]}
    message = await heard(fake, channel, inbox, lambda: fake.say(fields=fields))
    assert message.language == "ko"
    assert [(file.kind, file.size_bytes) for file in message.attachments] == [("image", len(PNG))]


async def test_an_update_is_confirmed_only_when_it_is_kept(fake: FakeTelegram, channel: Telegram, inbox: Inbox) -> None:
    inbox.failures = [StoreError("disk full"), StoreError("disk full")]
    async with live(channel, inbox):
        await fake.say("one")
        await fake.say("two")
        await fake.settled()
    assert inbox.texts == ["one", "two"]


async def test_nothing_is_confirmed_while_nothing_is_kept(fake: FakeTelegram, channel: Telegram) -> None:
    class Full(Inbox):
        async def accept(self, item: Message | Press) -> Taken:
            self.arrived.set()
            raise StoreError("disk full")

    full = Full()
    async with live(channel, full):
        await fake.say("one")
        await full.arrived.wait()
        await fake.calls("getUpdates", count=3)
    assert [update["message"]["text"] for update in (await fake.ask("state"))["waiting"]] == ["one"]


async def test_who_writes_while_nothing_is_kept_is_told_once_that_it_waits(fake: FakeTelegram, channel: Telegram) -> None:
    class Full(Inbox):
        async def accept(self, item: Message | Press) -> Taken:
            raise StoreError("disk full")

    async with live(channel, Full()):
        await fake.say("하나")
        await fake.say("two", user=77)
        await fake.say("in a group", user=77, chat=GROUP)
        await fake.calls("getUpdates", count=5)
        await fake.calls("sendMessage", count=2)
    told = {chat: [one.get("text", "")[:8] for one in await fake.shown(chat)] for chat in (ANN, 77, GROUP)}
    assert [told[ANN].count("지금은 디스크나"), told[77].count("I cannot"), told[GROUP].count("I cannot")] == [1, 1, 0]


async def test_what_is_no_update_does_not_stand_in_the_way(fake: FakeTelegram, channel: Telegram, inbox: Inbox) -> None:
    async with live(channel, inbox):
        odd: tuple[object, ...] = (
            {"message_id": "x"},
            None,
            [],
            {"message_id": 5, "date": 1, "chat": {"id": 1}},
            7,
            {"chat": {"type": 3}},
        )
        for content in odd:
            await fake.order("update", kind="message", content=content)
        await fake.order("update", kind="something_new", content={"a": 1})
        await fake.say("still here")
        await fake.settled()
    assert inbox.texts == ["still here"]


async def test_an_error_nobody_foresaw_is_tried_three_times_and_set_aside(
    fake: FakeTelegram, channel: Telegram, inbox: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    inbox.failures = [ZeroDivisionError("a"), ZeroDivisionError("b"), ZeroDivisionError("c")]
    async with live(channel, inbox):
        await fake.say("poison")
        await fake.say("next")
        await fake.settled()
    assert inbox.texts == ["next"]
    assert "left out" in caplog.text


async def test_an_edit_is_a_new_version_of_the_same_message(fake: FakeTelegram, channel: Telegram, inbox: Inbox) -> None:
    async with live(channel, inbox):
        said = await fake.say("/sum 5")
        edited = await fake.order("edit", chat=ANN, message_id=said["message_id"], text="/sum 50")
        await fake.settled()
    first, second = inbox.items
    assert isinstance(first, Message)
    assert isinstance(second, Message)
    assert first.id == second.id
    assert (first.version, second.version) == (0, edited["edit_date"])
    assert second.command == Command("sum", "50")


async def test_a_reply_to_the_bot_is_one_where_a_server_does_not_say_who_wrote_what_is_replied_to(
    fake: FakeTelegram, channel: Telegram, inbox: Inbox
) -> None:
    async with live(channel, inbox):
        sent = await channel.send(reply("an answer"), IN_GROUP, key="k")
        here = {"id": GROUP, "type": "supergroup", "title": "Team"}
        for number, quoted in enumerate((int(sent), 9_999)):
            old = {"message_id": quoted, "date": 1_700_000_000, "chat": here, "text": "an answer"}
            who = {"id": ANN, "is_bot": False, "first_name": "Ann"}
            said = {"message_id": 500 + number, "date": 1_700_000_000, "chat": here, "from": who, "text": "and then?"}
            await fake.order("update", kind="message", content={**said, "reply_to_message": old})
        await fake.settled()
    assert [item.addressed for item in inbox.items if isinstance(item, Message)] == [True, False]


async def test_in_a_group_only_who_calls_the_bot_speaks_to_it(fake: FakeTelegram, channel: Telegram, inbox: Inbox) -> None:
    async with live(channel, inbox):
        await channel.send(reply("an answer"), IN_GROUP, key="k")
        (_topic, answer) = await fake.shown(GROUP, by_bot=2)
        await fake.say("just talk", chat=GROUP)
        await fake.say("@parbot, 지난주 회의록 찾아줘", chat=GROUP)
        await fake.say("thanks", chat=GROUP, reply_to=answer["message_id"])
        await fake.say("/sum@ParBot 50", chat=GROUP)
        await fake.say("/sum@OtherBot 50", chat=GROUP)
        await fake.settled()
    assert [(item.text, item.addressed) for item in inbox.items if isinstance(item, Message)] == [
        ("just talk", False),
        ("지난주 회의록 찾아줘", True),
        ("thanks", True),
        ("/sum 50", True),
        ("/sum@OtherBot 50", False),
    ]
    thanks, order, others = [item for item in inbox.items if isinstance(item, Message)][2:]
    assert thanks.reply_to is not None
    assert (thanks.reply_to.text, thanks.reply_to.by_bot) == ("an answer", True)
    assert (order.command, others.command) == (Command("sum", "50"), None)


async def test_a_name_that_the_server_does_not_mark_calls_the_bot_and_orders_it_in_korean(
    fake: FakeTelegram, channel: Telegram, inbox: Inbox
) -> None:
    async with live(channel, inbox):
        await fake.say("누가 해? @PARBOT", chat=GROUP, entities=[{"type": "bold", "offset": 0, "length": 2}])
        await fake.say("@parbot /요약 10", chat=GROUP)
        await fake.say("/요약 10", chat=GROUP)
        await fake.say("/요약 10")
        await fake.settled()
    called, ordered, overheard, direct = [item for item in inbox.items if isinstance(item, Message)]
    assert (called.addressed, called.text) == (True, "누가 해?")
    assert ordered.command == direct.command == Command("요약", "10")
    assert (overheard.addressed, overheard.command) == (False, None)


async def test_the_quoted_photo_comes_along_and_the_answer_stays_in_the_topic(
    fake: FakeTelegram, channel: Telegram, inbox: Inbox
) -> None:
    topics = (await fake.order("group", id=-200, is_forum=True, topics=["plans"]))["topics"]
    photo = await fake.file(PNG, folder="photos")
    async with live(channel, inbox):
        fields = {"photo": [{**photo, "width": 8, "height": 6}]}
        quoted = await fake.say(chat=-200, caption="the board", topic=topics["plans"], fields=fields)
        await fake.say("@ParBot what is it?", chat=-200, reply_to=quoted["message_id"], topic=topics["plans"])
        await fake.settled()
        asked = inbox.message
        assert asked.reply_to is not None
        assert (asked.reply_to.text, [file.ref for file in asked.reply_to.attachments]) == ("the board", [photo["file_id"]])
        assert asked.address.thread == str(topics["plans"])
        await channel.send(reply("A board.", reply_to=asked.id), asked.address, key="k")
    answer = (await fake.shown(-200, by_bot=2))[-1]
    assert (answer["message_thread_id"], answer["reply_to_message"]["message_id"]) == (topics["plans"], int(asked.id))


async def test_a_press_is_answered_at_once_with_its_note(fake: FakeTelegram, channel: Telegram, inbox: Inbox) -> None:
    inbox.note = "This button has expired."
    async with live(channel, inbox):
        sent = await channel.send(reply("x", buttons=(Button("More", Command("more"), "tok-1"),)), HERE, key="k")
        press = await fake.press(int(sent), label="More")
        await fake.press(int(sent), data="tok-2", old=True)
        first, second = await fake.calls("answerCallbackQuery", count=2)
    assert first["parameters"] == {"callback_query_id": press["id"], "text": "This button has expired."}
    assert second["ok"]
    assert [(item.token, item.sender, item.address) for item in inbox.items if isinstance(item, Press)] == [
        ("tok-1", "42", HERE),
        ("tok-2", "42", HERE),
    ]


async def test_a_button_pressed_again_before_it_is_answered_is_meant_once_and_both_presses_are_told(
    fake: FakeTelegram, channel: Telegram, inbox: Inbox
) -> None:
    inbox.note = "I am stopping it."
    buttons = (Button("More", Command("more"), "tok-1"), Button("Less", Command("less"), "tok-2"))
    sent = await channel.send(reply("x", buttons=buttons), HERE, key="k")
    for label in ("More", "More", "Less", "More"):
        await fake.press(int(sent), label=label)
    async with live(channel, inbox):
        await fake.calls("answerCallbackQuery", count=4)
        await channel.send(reply("more"), HERE, key="answer")
        await fake.press(int(sent), label="More")
        answers = await fake.calls("answerCallbackQuery", count=5)
    assert [item.token for item in inbox.items if isinstance(item, Press)] == ["tok-1", "tok-2", "tok-1", "tok-1"]
    assert [answer["parameters"].get("text") for answer in answers] == ["I am stopping it."] * 5


@pytest.mark.parametrize(("retry_after", "answered"), [(3, True), (60, False)])
async def test_an_answer_to_a_press_that_has_to_wait_is_tried_again_while_somebody_waits_for_it(
    fake: FakeTelegram, channel: Telegram, inbox: Inbox, retry_after: int, answered: bool
) -> None:
    await fake.fault("refuse", "answerCallbackQuery", parameters={"retry_after": retry_after})
    async with live(channel, inbox):
        sent = await channel.send(reply("x"), HERE, key="k")
        await fake.press(int(sent), data="t")
        await fake.calls("answerCallbackQuery", count=2 if answered else 1, tried=True)
    assert len(await fake.calls("answerCallbackQuery")) == answered


async def test_an_answer_to_a_press_that_hangs_holds_up_nobody(
    fake: FakeTelegram, settings: TelegramSettings, blobs: Blobs
) -> None:
    inbox = Inbox()
    channel = built(settings, blobs, read_s=2 * LONGEST_S)
    await fake.fault("hang_before", "answerCallbackQuery")
    async with live(channel, inbox):
        sent = await channel.send(reply("x"), HERE, key="k")
        await fake.press(int(sent), data="t")
        await fake.say("after it")
        await fake.settled()
        assert inbox.texts == ["after it"]


async def test_a_token_nobody_knows_is_told_once_and_tried_ever_later_until_it_is_known(
    fake: FakeTelegram, settings: TelegramSettings, blobs: Blobs, inbox: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    waits: list[float] = []
    patient = asyncio.Event()

    async def pause(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 12:
            patient.set()
        await asyncio.sleep(0)

    await fake.order("revoke", token="7:OTHER")
    channel = Telegram(settings, blobs=blobs, backoff=Backoff(pause, random.Random(0)))
    async with live(channel, inbox):
        await patient.wait()
        await fake.order("revoke", token=CANARY)
        await fake.say("known again")
        await fake.settled()
    assert inbox.texts == ["known again"]
    told = [
        record for record in caplog.records if "PARING_TELEGRAM__TOKEN" in record.getMessage() and record.levelname != "DEBUG"
    ]
    assert [record.levelname for record in told] == ["ERROR"]
    assert waits[8] > 60
    assert max(waits) <= 300


async def test_a_token_that_is_revoked_while_running_is_asked_for_again(
    fake: FakeTelegram, channel: Telegram, inbox: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    async with live(channel, inbox):
        await fake.say("one")
        await fake.settled()
        await fake.order("revoke", token="7:OTHER")
        await fake.order("update", kind="message", content={})
        while "PARING_TELEGRAM__TOKEN" not in caplog.text:
            await asyncio.sleep(0)
        await fake.order("revoke", token=CANARY)
        await fake.say("two")
        await fake.settled()
    assert inbox.texts == ["one", "two"]


async def test_polling_heals_after_faults_of_every_kind(fake: FakeTelegram, channel: Telegram, inbox: Inbox) -> None:
    await fake.fault("cut_after", "getMe")
    for kind in ("cut_before", "cut_after", "garbage_after"):
        await fake.fault(kind, "getUpdates", skip=1)
    await fake.fault("refuse", "getUpdates", code=502, description="Bad Gateway", times=2)
    await fake.fault("refuse", "getUpdates", code=429, parameters={"retry_after": 1})
    async with live(channel, inbox):
        for number in range(20):
            await fake.say(str(number))
        await fake.settled()
    assert list(dict.fromkeys(inbox.texts)) == [str(number) for number in range(20)]


async def test_a_webhook_in_the_way_is_deleted_and_another_poller_is_told(
    fake: FakeTelegram, channel: Telegram, inbox: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    await fake.order("hook", url="https://old.example.org")
    description = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
    await fake.fault("refuse", "getUpdates", code=409, description=description, skip=1)
    async with live(channel, inbox):
        await fake.say("hi")
        await fake.settled()
    assert inbox.texts == ["hi"]
    assert (await fake.ask("state"))["hook"]["url"] == ""
    assert "webhook is set" in caplog.text


async def test_a_restart_takes_up_what_was_not_confirmed(fake: FakeTelegram, settings: TelegramSettings, blobs: Blobs) -> None:
    first, second = Inbox(), Inbox()
    async with live(built(settings, blobs), first):
        await fake.say("one")
        await fake.settled()
    await fake.say("two")
    async with live(built(settings, blobs), second):
        await fake.settled()
    assert (first.texts, second.texts) == (["one"], ["two"])


async def test_the_kinds_of_updates_are_named(fake: FakeTelegram, channel: Telegram, inbox: Inbox) -> None:
    async with live(channel, inbox):
        await fake.say("hi")
        await fake.settled()
    assert (await fake.ask("state"))["allowed"] == [
        "message",
        "edited_message",
        "callback_query",
        "my_chat_member",
        "chat_member",
    ]
