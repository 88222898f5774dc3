"""What an outsider's server and people do: albums, cut texts, odd presses, refused forms, groups that are joined, strangers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from fakes.telegram_bench import GROUP, HERE, PNG, Blobs, Inbox, built, heard, live, reply
from fakes.telegram_bot_api.client import ANN, FakeTelegram
from fakes.waiting import LONGEST_S

from bot.channels.backoff import Backoff
from bot.channels.telegram import Telegram
from bot.channels.telegram_polling import SETTLE_S
from bot.config import TelegramSettings
from bot.errors import ChannelError, RetryLaterError
from bot.locale import Language, Text
from bot.message import Address, Attachment, Button, Command, Message
from bot.skill import CommandSpec

pytestmark = pytest.mark.asyncio(loop_scope="module")

BOT = {"id": 7, "is_bot": True, "first_name": "ParBot", "username": "ParBot"}
BOB = 43


async def album(fake: FakeTelegram, *captions: str, chat: int = ANN) -> None:
    for caption in captions:
        photo = await fake.file(PNG, folder="photos")
        fields = {"photo": [{**photo, "width": 8, "height": 6}], "media_group_id": "a1"}
        said: dict[str, Any] = {"caption": caption} if caption else {}
        await fake.say(chat=chat, fields=fields, **said)


def changed(before: str, now: str) -> dict[str, Any]:
    chat = {"id": GROUP, "type": "supergroup", "title": "Team"}
    members = {"old_chat_member": {"user": BOT, "status": before}, "new_chat_member": {"user": BOT, "status": now}}
    return {"chat": chat, "from": {"id": ANN, "is_bot": False, "first_name": "Ann", "language_code": "ko"}, "date": 1, **members}


async def test_an_album_is_one_message(fake: FakeTelegram, channel: Telegram, inbox: Inbox) -> None:
    await album(fake, "/ocr", "", "")
    async with live(channel, inbox):
        await fake.settled()
    (item,) = inbox.items
    assert inbox.message is item
    assert (inbox.message.command, len(inbox.message.attachments)) == (Command("ocr"), 3)


async def test_an_album_that_comes_bit_by_bit_is_waited_for_and_nobody_else_waits(
    fake: FakeTelegram, settings: TelegramSettings, blobs: Blobs, inbox: Inbox
) -> None:
    late = ["", "@ParBot what is this?"]
    before: list[int] = []

    async def pause(seconds: float) -> None:
        assert seconds == SETTLE_S
        before.append(len(inbox.items))
        if late:
            await album(fake, late.pop(), chat=GROUP)

    await album(fake, "", chat=GROUP)
    await fake.say("hello", user=BOB)
    async with live(Telegram(settings, blobs=blobs, backoff=Backoff(pause)), inbox):
        await fake.settled()
    assert inbox.texts == ["hello", "what is this?"]
    assert len(inbox.message.attachments) == 3
    assert before == [1, 1, 1]


async def test_a_picture_that_comes_after_its_album_is_asked_the_same(
    fake: FakeTelegram, channel: Telegram, inbox: Inbox
) -> None:
    async with live(channel, inbox):
        await album(fake, "/ocr")
        await fake.settled()
        await album(fake, "")
        await fake.settled()
    assert [item.command for item in inbox.items if isinstance(item, Message)] == [Command("ocr"), Command("ocr")]


async def test_a_text_that_the_app_cut_is_one_message(fake: FakeTelegram, channel: Telegram, inbox: Inbox) -> None:
    await fake.say("/sum " + "긴 글 " * 1022)
    await fake.say("끝")
    await fake.say("another thing")
    async with live(channel, inbox):
        await fake.settled()
    assert [text[-1] for text in inbox.texts] == ["끝", "g"]


@pytest.mark.parametrize(
    "content",
    [
        {"data": "tok"},
        {"data": "tok", "inline_message_id": "x"},
        {"game_short_name": "g", "message": {"message_id": 1, "date": 0, "chat": {"id": ANN, "type": "private"}}},
        {"data": 5, "message": {"chat": 3}},
    ],
)
async def test_a_press_of_which_nothing_can_be_made_is_answered_all_the_same(
    fake: FakeTelegram, channel: Telegram, inbox: Inbox, content: dict[str, Any]
) -> None:
    who = {"id": ANN, "is_bot": False, "first_name": "Ann", "language_code": "ko"}
    async with live(channel, inbox):
        await fake.order("update", kind="callback_query", content={"id": "q1", "from": who, "chat_instance": "c", **content})
        (call,) = await fake.calls("answerCallbackQuery", count=1, tried=True)
    assert call["parameters"]["callback_query_id"] == "q1"
    assert "다시 물어봐" in call["parameters"]["text"]
    assert inbox.items == []


async def test_content_that_cannot_be_read_is_a_message_without_words(
    fake: FakeTelegram, channel: Telegram, inbox: Inbox
) -> None:
    said = await heard(fake, channel, inbox, lambda: fake.say(fields={"poll": {"question": "q"}}))
    assert (said.text, said.attachments) == ("", ())


async def test_a_field_that_cannot_be_read_takes_nothing_else_along(fake: FakeTelegram, channel: Telegram, inbox: Inbox) -> None:
    odd = {"poll": 5, "reply_to_message": {"message_id": "?"}, "link_preview_options": 3}
    said = await heard(fake, channel, inbox, lambda: fake.say("where is the plan?", fields=odd))
    assert said.text == "where is the plan?"


async def test_a_server_that_spells_out_what_an_update_has_not_is_understood(
    fake: FakeTelegram, channel: Telegram, inbox: Inbox
) -> None:
    nothing = {"edit_date": None, "media_group_id": None, "reply_to_message": None, "forward_origin": None, "entities": None}
    async with live(channel, inbox):
        said = await fake.say("where is the plan?", fields=nothing)
        await fake.settled()
        message = {**said, **nothing}
        message.pop("update_id")
        await fake.order("update", kind="message", content={**message, "message_id": 99}, also={"my_chat_member": None})
        await fake.settled()
    assert inbox.texts == ["where is the plan?", "where is the plan?"]


async def test_who_speaks_without_a_name_is_the_chat(fake: FakeTelegram, channel: Telegram, inbox: Inbox) -> None:
    async with live(channel, inbox):
        chat = {"id": GROUP, "type": "supergroup", "title": "Team"}
        await fake.order("update", kind="message", content={"message_id": 5, "date": 1, "chat": chat, "text": "/help@ParBot"})
        await fake.settled()
    assert (inbox.message.sender, inbox.message.command) == (str(GROUP), Command("help"))


async def test_a_group_is_greeted_once_when_the_bot_comes(
    fake: FakeTelegram, channel: Telegram, inbox: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    async with live(channel, inbox):
        await fake.order("update", kind="my_chat_member", content=changed("left", "member"))
        await fake.say(chat=GROUP, fields={"new_chat_members": [BOT]})
        await fake.order("update", kind="my_chat_member", content=changed("member", "administrator"))
        await fake.settled()
    assert [shown["text"][:5] for shown in (await fake.shown(GROUP))[1:]] == ["안녕하세요"]
    assert inbox.items == []
    assert "left out" not in caplog.text


async def test_a_group_that_put_the_bot_out_and_takes_it_back_is_greeted_anew(
    fake: FakeTelegram, channel: Telegram, inbox: Inbox
) -> None:
    async with live(channel, inbox):
        for before, now in (("left", "member"), ("member", "kicked"), ("kicked", "member")):
            await fake.order("update", kind="my_chat_member", content=changed(before, now))
        await fake.settled()
    assert len((await fake.shown(GROUP))[1:]) == 2


async def test_what_the_intake_says_to_a_stranger_is_said_where_they_wrote_and_typing_is_not_shown(
    fake: FakeTelegram, channel: Telegram, inbox: Inbox
) -> None:
    inbox.strangers = "I do not know you yet."
    async with live(channel, inbox):
        await fake.say("where is the plan?")
        await fake.say("@ParBot me?", chat=GROUP)
        await fake.settled()
        told = [(await fake.shown(chat, by_bot=count))[-1]["text"] for chat, count in ((ANN, 1), (GROUP, 2))]
        assert await fake.calls("sendChatAction") == []
    assert told == [inbox.strangers] * 2
    assert inbox.items == []


async def test_a_flood_of_strangers_is_told_no_more_at_once_than_a_few_can_be(
    fake: FakeTelegram, channel: Telegram, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.channels.telegram_door.MOST_UNDER_WAY", 2)
    await fake.fault("hang_before", "sendMessage", times=9)
    inbox.strangers = "I do not know you yet."
    async with live(channel, inbox):
        for number in range(5):
            await fake.say("hello", user=100 + number)
        await fake.settled()
        assert len(await fake.calls("sendMessage", count=2, tried=True)) == 2


async def test_who_puts_the_bot_into_a_group_is_told_to_the_intake_and_what_it_says_takes_the_greetings_place(
    fake: FakeTelegram, channel: Telegram, inbox: Inbox
) -> None:
    inbox.instead = "I do not know this group yet."
    async with live(channel, inbox):
        await fake.order("update", kind="my_chat_member", content=changed("left", "member"))
        await fake.settled()
    assert inbox.groups == [(str(GROUP), str(ANN))]
    assert [shown["text"] for shown in (await fake.shown(GROUP))[1:]] == [inbox.instead]


@pytest.mark.parametrize(
    "description", ["unsupported entity type", "LINK_PREVIEW_OPTIONS_INVALID", "BUTTON_TYPE_INVALID", "what is this?"]
)
async def test_a_form_that_a_server_does_not_know_is_left_out(fake: FakeTelegram, channel: Telegram, description: str) -> None:
    refused = {"unsupported": 1, "LINK": 2, "BUTTON": 1, "what": 3}[description.replace("_", " ").split()[0]]
    await fake.fault("refuse", "sendMessage", code=400, description=f"Bad Request: {description}", times=refused)
    await channel.send(reply("**a** b", buttons=(Button("More", Command("more"), "tok"),)), HERE, key="k")
    (shown,) = await fake.shown()
    assert shown["text"] == "a b"


async def test_where_nothing_can_be_edited_the_answer_is_sent(fake: FakeTelegram, channel: Telegram) -> None:
    sent = await channel.send(reply("Working…"), HERE, key="k")
    await fake.fault("refuse", "editMessageText", code=404, description="Not Found")
    assert await channel.edit(sent, reply("Done."), HERE) != sent
    assert [shown["text"] for shown in await fake.shown()] == ["Working…", "Done."]


async def test_typing_is_shown_at_once_and_not_asked_for_again_before_it_fades(
    fake: FakeTelegram, channel: Telegram, inbox: Inbox
) -> None:
    async with live(channel, inbox):
        await fake.say("where is the plan?")
        await fake.settled()
        await fake.calls("sendChatAction", count=1)
        await channel.typing(HERE)
        await channel.send(reply("x"), HERE, key="k")
        await channel.typing(HERE)
        calls = await fake.calls("sendChatAction", count=2)
    assert len(calls) == 2


async def test_typing_that_hangs_holds_up_nobody(fake: FakeTelegram, settings: TelegramSettings, blobs: Blobs) -> None:
    inbox, channel = Inbox(), built(settings, blobs, read_s=2 * LONGEST_S)
    await fake.fault("hang_before", "sendChatAction")
    async with live(channel, inbox):
        await fake.say("one")
        await fake.settled()
        await asyncio.wait_for(channel.send(reply("x"), HERE, key="k"), LONGEST_S)
    assert inbox.texts == ["one"]


async def test_a_file_that_does_not_come_is_told_in_words_that_are_true(
    fake: FakeTelegram, channel: Telegram, tmp_path: Path
) -> None:
    file = await fake.file(b"x")
    await fake.fault("cut_before", "getFile")
    wanted = Attachment("document", "x", "text/plain", 1, file["file_id"])
    with pytest.raises(RetryLaterError, match="please send it once more"):
        await channel.fetch(wanted, tmp_path / "f")
    with pytest.raises(ChannelError, match="please send it again"):
        await channel.fetch(Attachment("document", "x", "text/plain", 1, "none"), tmp_path / "g")


async def test_a_server_without_menus_is_no_trouble(fake: FakeTelegram, channel: Telegram) -> None:
    await fake.fault("refuse", "setMyCommands", code=404, description="Not Found", times=9)
    await channel.publish_commands([], [])


async def test_a_menu_that_is_refused_takes_no_other_along(fake: FakeTelegram, channel: Telegram) -> None:
    await fake.fault("refuse", "setMyCommands", code=400, description="Bad Request: unsupported scope", skip=1)
    with pytest.raises(ChannelError, match="unsupported scope"):
        await channel.publish_commands([CommandSpec("help", Text("Help"))], [])
    assert set(await fake.ask("commands")) == {
        "all_private_chats", "all_group_chats", "all_group_chats ko", "chat:42", "chat:42 ko",
    }  # fmt: skip


async def test_the_menu_waits_for_a_token_that_is_known(fake: FakeTelegram, channel: Telegram) -> None:
    await fake.order("revoke", token="7:OTHER")
    with pytest.raises(RetryLaterError, match="PARING_TELEGRAM__TOKEN"):
        await channel.publish_commands([], [])


@pytest.mark.parametrize(
    ("said", "language"),
    [("/start", "ko"), ("/index on", "ko"), ("/sum today", "ko"), ("/search the old plan", "en"), ("/tr 안녕", "ko")],
)
async def test_a_command_has_the_language_of_what_is_said_after_it_else_the_apps(
    fake: FakeTelegram, channel: Telegram, inbox: Inbox, said: str, language: str
) -> None:
    assert (await heard(fake, channel, inbox, lambda: fake.say(said))).language == language


async def test_who_tells_no_language_goes_on_in_the_last_one(fake: FakeTelegram, channel: Telegram) -> None:
    class Detecting(Inbox):
        async def language(self, address: Address, text: str, platform_language: str) -> Language:
            return "ko" if "어디" in text or platform_language == "ko" else "en"

    inbox = Detecting()
    async with live(channel, inbox):
        await fake.say("어디 있어?", user=BOB)
        await fake.say("/why", user=BOB)
        await fake.settled()
    assert [item.language for item in inbox.items] == ["ko", "ko"]
