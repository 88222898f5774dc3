"""What goes out: replies, edits, files, menus."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.telegram_bench import GROUP, HERE, IN_GROUP, PNG, Blobs, Inbox, built, reply
from fakes.telegram_bot_api.client import ANN, FakeTelegram

from bot.channels.telegram import Telegram
from bot.channels.waits import Waits
from bot.config import TelegramSettings
from bot.errors import AmbiguousSendError, ChannelError, GoneError, RetryLaterError, TooLargeError
from bot.locale import Text
from bot.message import Address, Attachment, Button, Command, Picture, Source
from bot.skill import CommandSpec

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_markdown_is_sent_as_entities(fake: FakeTelegram, channel: Telegram) -> None:
    await channel.send(reply("😀 **굵게** [여기](https://a.example/x)\n```py\nx = 1\n```"), HERE, key="k")
    (shown,) = await fake.shown()
    assert shown["text"] == "😀 굵게 여기\nx = 1"
    assert [(entity["type"], entity["offset"], entity["length"]) for entity in shown["entities"]] == [
        ("bold", 3, 2),
        ("text_link", 6, 2),
        ("pre", 9, 5),
    ]


async def test_a_long_reply_is_split_with_its_buttons_last_and_its_quote_first(fake: FakeTelegram, channel: Telegram) -> None:
    said = await fake.say("question", chat=GROUP)
    text = "\n\n".join(f"**{number}** " + "가나다 😀 " * 60 for number in range(30))
    answer = reply(text, buttons=(Button("More", Command("more"), "tok"),), reply_to=str(said["message_id"]))
    first = await channel.send(answer, IN_GROUP, key="k")
    shown = (await fake.shown(GROUP))[1:]
    assert first == str(shown[0]["message_id"])
    assert len(shown) == 4
    assert "".join("".join(part["text"].split()) for part in shown) == "".join(text.replace("*", "").split())
    assert ["reply_markup" in part for part in shown] == [False, False, False, True]
    assert ["reply_to_message" in part for part in shown] == [True, False, False, False]


async def test_parts_that_were_sent_are_not_sent_again_with_the_same_key(
    fake: FakeTelegram, settings: TelegramSettings, blobs: Blobs
) -> None:
    now = [0.0]
    channel = Telegram(settings, blobs=blobs, waits=Waits(lambda: now[0]))
    answer = reply("\n\n".join("가나다라마바사 " * 400 for _part in range(4)))
    await fake.fault("refuse", "sendMessage", skip=2, parameters={"retry_after": 7})
    with pytest.raises(RetryLaterError) as caught:
        await channel.send(answer, HERE, key="k")
    assert caught.value.retry_after_s == 7
    now[0] = 7.0
    first = await channel.send(answer, HERE, key="k")
    again = await channel.send(answer, HERE, key="k")
    shown = await fake.shown()
    assert len(shown) == 4
    assert first == again == str(shown[0]["message_id"])


async def test_a_chat_that_asks_to_wait_is_left_alone_until_then_and_others_are_not(
    fake: FakeTelegram, settings: TelegramSettings, blobs: Blobs
) -> None:
    now = [0.0]
    channel = Telegram(settings, blobs=blobs, waits=Waits(lambda: now[0]))
    status = await channel.send(reply("Working…"), HERE, key="status")
    await fake.fault("refuse", "editMessageText", parameters={"retry_after": 7})
    with pytest.raises(RetryLaterError):
        await channel.edit(status, reply("Still working…"), HERE)
    now[0] = 6.0
    await channel.typing(HERE)
    for too_early in (channel.edit(status, reply("Done."), HERE), channel.send(reply("Done."), HERE, key="k")):
        with pytest.raises(RetryLaterError) as caught:
            await too_early
        assert caught.value.retry_after_s == 1.0
    await channel.send(reply("elsewhere"), IN_GROUP, key="k2")
    now[0] = 7.0
    await channel.edit(status, reply("Done."), HERE)
    calls = [call["method"] for call in await fake.calls(tried=True)]
    assert calls == ["sendMessage", "editMessageText", "sendMessage", "editMessageText"]


async def test_a_send_cut_after_it_left_is_ambiguous_and_one_never_connected_is_not(
    fake: FakeTelegram, settings: TelegramSettings, channel: Telegram, blobs: Blobs
) -> None:
    for kind in ("cut_before", "cut_after", "garbage_after"):
        await fake.fault(kind, "sendMessage")
        with pytest.raises(AmbiguousSendError):
            await channel.send(reply("x"), HERE, key=kind)
    await fake.fault("refuse", "sendMessage", code=504, description="Gateway Timeout")
    with pytest.raises(AmbiguousSendError):
        await channel.send(reply("x"), HERE, key="504")
    await fake.fault("hang_after", "sendMessage")
    with pytest.raises(AmbiguousSendError):
        await built(settings, blobs, read_s=0.2).send(reply("x"), HERE, key="slow")
    nowhere = settings.model_copy(update={"base_url": "http://127.0.0.1:9/bot"})
    with pytest.raises(RetryLaterError):
        await built(nowhere, blobs).send(reply("x"), HERE, key="n")


async def test_an_ambiguous_part_is_repeated_alone_and_with_the_note_that_was_added(
    fake: FakeTelegram, channel: Telegram
) -> None:
    answer = reply("\n\n".join("가나다라마바사 " * 400 for _part in range(3)))
    await fake.fault("cut_after", "sendMessage", skip=1)
    with pytest.raises(AmbiguousSendError):
        await channel.send(answer, HERE, key="k")
    await channel.send(replace(answer, text=f"{answer.text}\n\n*(Sent again.)*"), HERE, key="k")
    shown = [part["text"][-12:] for part in await fake.shown()]
    assert [text.endswith("(Sent again.)"[-12:]) for text in shown] == [False, False, False, True]


async def test_calls_that_may_be_repeated_are_only_later_when_they_are_cut(
    fake: FakeTelegram, channel: Telegram, tmp_path: Path
) -> None:
    file = await fake.file(b"x")
    for method in ("getFile", "setMyCommands"):
        await fake.fault("cut_after", method)
    with pytest.raises(RetryLaterError):
        await channel.fetch(Attachment("document", "x", "text/plain", 1, file["file_id"]), tmp_path / "f")
    with pytest.raises(RetryLaterError):
        await channel.publish_commands([CommandSpec("help", Text("Help"))], [])


@pytest.mark.parametrize("description", ["bot was blocked by the user", "bot was kicked from the supergroup chat"])
async def test_who_shut_the_bot_out_is_gone(fake: FakeTelegram, channel: Telegram, description: str) -> None:
    await fake.order("close_chat", chat=ANN, description=description)
    with pytest.raises(GoneError):
        await channel.send(reply("x"), HERE, key="k")
    with pytest.raises(GoneError):
        await channel.send(reply("x"), replace(HERE, chat="999"), key="k2")


async def test_a_refused_message_is_told(fake: FakeTelegram, channel: Telegram) -> None:
    await fake.fault(
        "refuse", "sendMessage", code=400, description="Bad Request: not enough rights to send text messages to the chat"
    )
    with pytest.raises(ChannelError, match="not enough rights"):
        await channel.send(reply("x"), HERE, key="k")
    with pytest.raises(ChannelError, match="empty"):
        await channel.send(reply(" \n"), HERE, key="k2")


async def test_a_group_that_moved_is_followed(fake: FakeTelegram, channel: Telegram, inbox: Inbox) -> None:
    await fake.order("group", id=-5, type="group")
    await fake.order("migrate", **{"chat": -5, "to": -1005, "from": {"id": ANN}, "announced": False})
    old = Address("telegram", "7", "-5", kind="group")
    await channel.send(reply("one"), old, key="k")
    await channel.send(reply("two"), old, key="k2")
    assert [shown["text"] for shown in await fake.shown(-1005)] == ["one", "two"]
    assert len([call for call in await fake.calls("sendMessage", tried=True) if call["parameters"]["chat_id"] == "-5"]) == 1


async def test_plain_text_is_the_way_out_when_entities_are_refused(fake: FakeTelegram, channel: Telegram) -> None:
    await fake.fault("refuse", "sendMessage", code=400, description="Bad Request: can't parse entities: whatever")
    await channel.send(reply("**a** [b](https://c.example)"), HERE, key="k")
    (shown,) = await fake.shown()
    assert shown["text"] == "a b (https://c.example)"


@pytest.mark.parametrize("description", ["message thread not found", "TOPIC_CLOSED", "TOPIC_DELETED"])
async def test_a_topic_that_takes_no_more_does_not_lose_the_answer(
    fake: FakeTelegram, channel: Telegram, description: str
) -> None:
    await fake.fault("refuse", "sendMessage", code=400, description=f"Bad Request: {description}")
    await channel.send(reply("x"), replace(IN_GROUP, thread="999"), key="k")
    assert (await fake.shown(GROUP))[-1]["text"] == "x"
    assert len(await fake.calls("sendMessage", tried=True)) == 2


async def test_sources_are_listed_with_the_marked_sentence_bold(fake: FakeTelegram, channel: Telegram) -> None:
    text = "앞 문장. 예산은 300만 원이다. 뒷 문장."
    marked = (text.index("예산"), text.index(" 뒷"))
    sources = (
        Source("회의록.md, p. 2", text, "https://files.example/1", 0.9, marked),
        Source("local", "plain", "file:///etc/passwd", 0.5),
    )
    await channel.send(reply("300만 원이에요.", sources=sources), HERE, key="k")
    (shown,) = await fake.shown()
    assert shown["text"] == f"300만 원이에요.\n\n1. 회의록.md, p. 2\n{text}\n2. local\nplain"
    kinds = [(entity["type"], entity.get("url")) for entity in shown["entities"]]
    assert kinds == [
        ("text_link", "https://files.example/1"), ("expandable_blockquote", None), ("bold", None), ("expandable_blockquote", None),
    ]  # fmt: skip


async def test_pictures_follow_the_text_and_a_picture_telegram_cannot_show_goes_as_a_file(
    fake: FakeTelegram, channel: Telegram, blobs: Blobs
) -> None:
    pictures = (Picture(blobs.keep(PNG), "a cat"), Picture(blobs.keep(b"<svg/>"), "a plan", "image/svg+xml"))
    await channel.send(reply("Here:", images=pictures), HERE, key="k")
    text, photo, file = await fake.shown()
    assert (text["text"], photo["caption"], file["caption"]) == ("Here:", "a cat", "a plan")
    assert "photo" in photo
    assert "document" in file
    with pytest.raises(ChannelError, match="gone"):
        await channel.send(reply("", images=(Picture("no-such", "x"),)), HERE, key="k2")


async def test_a_status_becomes_the_answer_by_an_edit(fake: FakeTelegram, channel: Telegram) -> None:
    sent = await channel.send(reply("Working…"), HERE, key="k")
    for status in ("Step 1", "Step 2", "Step 1"):
        assert await channel.edit(sent, reply(status), HERE) == sent
    answer = reply("Done. " * 1000, buttons=(Button("More", Command("more"), "tok"),))
    assert await channel.edit(sent, answer, HERE) == sent
    shown = await fake.shown()
    assert [part["text"][:4] for part in shown] == ["Done", "Done"]
    assert ["reply_markup" in part for part in shown] == [False, True]


@pytest.mark.parametrize("parts", [1, 2, 5])
async def test_a_split_answer_that_is_edited_leaves_no_old_part_standing(
    fake: FakeTelegram, channel: Telegram, parts: int
) -> None:
    first = await channel.send(reply("\n\n".join("오래된 답 " * 500 for _part in range(4))), HERE, key="k")
    await channel.edit(first, reply("\n\n".join(f"새 답 {part} " * 500 for part in range(parts))), HERE)
    shown = [message["text"] for message in await fake.shown()]
    assert not [text for text in shown if "오래된" in text]
    assert "새 답 0" in shown[0]
    await channel.edit(first, reply("짧게"), HERE)
    assert [message["text"] for message in await fake.shown()] == ["짧게"]


async def test_repeating_an_edit_is_harmless_and_a_cut_one_is_only_later(fake: FakeTelegram, channel: Telegram) -> None:
    sent = await channel.send(reply("a"), HERE, key="k")
    await fake.fault("cut_after", "editMessageText")
    with pytest.raises(RetryLaterError):
        await channel.edit(sent, reply("b"), HERE)
    assert await channel.edit(sent, reply("b"), HERE) == sent
    assert [part["text"] for part in await fake.shown()] == ["b"]


async def test_a_message_that_is_gone_is_sent_anew(fake: FakeTelegram, channel: Telegram) -> None:
    assert await channel.edit("999", reply("b"), HERE) != "999"
    assert [part["text"] for part in await fake.shown()] == ["b"]


LACKING = [("page", 404, "Not Found"), ("page", 405, "Method Not Allowed"), ("refuse", 501, "Not Implemented")]
"""How servers of one's own say that they have no such method."""


@pytest.mark.parametrize(("kind", "code", "said"), [*LACKING, ("refuse", 400, "Bad Request: method not found")])
async def test_where_a_server_edits_nothing_the_answer_is_sent_anew(
    fake: FakeTelegram, channel: Telegram, kind: str, code: int, said: str
) -> None:
    sent = await channel.send(reply("Working…"), HERE, key="k")
    await fake.fault(kind, "editMessageText", code=code, description=said, times=-1)
    assert await channel.edit(sent, reply("Done."), HERE) != sent
    assert [part["text"] for part in await fake.shown()] == ["Working…", "Done."]


@pytest.mark.parametrize(("kind", "code", "said"), LACKING)
async def test_a_server_without_menus_is_not_asked_for_them_again(
    fake: FakeTelegram, channel: Telegram, kind: str, code: int, said: str
) -> None:
    await fake.fault(kind, "setMyCommands", code=code, description=said, times=-1)
    await channel.publish_commands([CommandSpec("sum", Text("Make it short"))], ())


async def test_a_picture_takes_the_place_of_a_status(fake: FakeTelegram, channel: Telegram, blobs: Blobs) -> None:
    sent = await channel.send(reply("Drawing…"), HERE, key="k")
    now = await channel.edit(sent, reply("", images=(Picture(blobs.keep(PNG), "a cat"),)), HERE)
    (shown,) = await fake.shown()
    assert now == str(shown["message_id"]) != sent
    assert "photo" in shown


async def test_typing_is_shown_and_never_raises(fake: FakeTelegram, channel: Telegram) -> None:
    await channel.typing(IN_GROUP)
    (call,) = await fake.calls("sendChatAction", count=1)
    assert call["parameters"] == {"chat_id": str(GROUP), "action": "typing"}
    await fake.fault("cut_before", "sendChatAction")
    await channel.typing(HERE)
    await channel.typing(replace(HERE, chat="999"))
    tried = await fake.calls("sendChatAction", count=3, tried=True)  # what is under way would reach the next test
    assert {call["parameters"]["chat_id"] for call in tried[1:]} == {HERE.chat, "999"}


async def test_a_file_is_fetched_whole_or_not_at_all(fake: FakeTelegram, channel: Telegram, tmp_path: Path) -> None:
    content = random.Random(1).randbytes(700_000)
    file = await fake.file(content, name="회의 록.pdf")
    into = tmp_path / "file"
    await channel.fetch(Attachment("document", "x", "application/pdf", len(content), file["file_id"]), into)
    assert into.read_bytes() == content
    gone = tmp_path / "gone"
    with pytest.raises(ChannelError):
        await channel.fetch(Attachment("document", "x", "application/pdf", 0, "nonsense"), gone)
    assert not gone.exists()


@pytest.mark.parametrize(
    ("true_size", "told_by_file", "declared"), [(10, None, 2 * 2**20), (10, 2 * 2**20, 0), (2**20 + 1, 5, 5), (10, 30 * 2**20, 5)]
)
async def test_a_file_over_the_limit_is_refused_before_during_and_after_its_size_is_known(
    fake: FakeTelegram, channel: Telegram, tmp_path: Path, true_size: int, told_by_file: int | None, declared: int
) -> None:
    told = {"size": told_by_file} if told_by_file is not None else {}
    file = await fake.file(bytes(true_size), **told)
    into = tmp_path / "file"
    with pytest.raises(TooLargeError, match="1 MB"):
        await channel.fetch(Attachment("document", "x", "text/plain", declared, file["file_id"]), into)
    assert not into.exists()
    assert (await fake.calls("getFile", tried=True) == []) == (declared > 2**20)


async def test_the_menu_is_set_by_scope_and_language(fake: FakeTelegram, channel: Telegram) -> None:
    commands = [CommandSpec("help", Text("Help")), CommandSpec("hidden", Text("x"), listed=False)]
    await channel.publish_commands(commands, [CommandSpec("swap", Text("Swap a model"))])
    menus = {scope: [entry["command"] for entry in menu] for scope, menu in (await fake.ask("commands")).items()}
    everyone, admins = ["help"], ["help", "swap"]
    assert menus == {
        "all_private_chats": everyone, "all_private_chats ko": everyone, "all_group_chats": everyone,
        "all_group_chats ko": everyone, "chat:42": admins, "chat:42 ko": admins,
    }  # fmt: skip


async def test_who_is_no_admin_any_more_has_everybodys_menu(fake: FakeTelegram, channel: Telegram) -> None:
    commands, admin_commands = [CommandSpec("help", Text("Help"))], [CommandSpec("swap", Text("Swap a model"))]
    await channel.publish_commands(commands, admin_commands)
    channel.admins_are({"43"})
    await fake.order("person", id=43, first_name="Bob")
    await fake.say("hello", user=43)
    await channel.publish_commands(commands, admin_commands)
    assert {scope for scope in await fake.ask("commands") if scope.startswith("chat:")} == {"chat:43", "chat:43 ko"}


async def test_an_admin_who_never_wrote_does_not_spoil_the_menu(
    fake: FakeTelegram, settings: TelegramSettings, blobs: Blobs
) -> None:
    channel = Telegram(settings, blobs=blobs, admins=("999", "not-a-number"))
    await channel.publish_commands([CommandSpec("help", Text("Help"))], [])
    assert set(await fake.ask("commands")) == {
        "all_private_chats", "all_private_chats ko", "all_group_chats", "all_group_chats ko",
    }  # fmt: skip


async def test_a_refusal_that_quotes_what_was_said_is_told_without_it(fake: FakeTelegram, channel: Telegram) -> None:
    quoting = 'Bad Request: can\'t parse entities: Unsupported start tag "canary" at byte offset 5 of hers alone'
    await fake.fault("refuse", "sendMessage", code=400, description=quoting, times=-1)
    with pytest.raises(ChannelError, match="Unsupported start tag") as caught:
        await channel.send(reply("Hers alone: <canary>, TOPIC_CLOSED"), HERE, key="1")
    assert not any(word in str(caught.value) for word in ("canary", "alone"))
