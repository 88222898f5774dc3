"""The fake Bot API server against python-telegram-bot's own client: what a real bot would see."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from fakes.telegram_bot_api.client import ANN, TOKEN, FakeTelegram, running
from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    MessageEntity,
    ReplyParameters,
)
from telegram.error import BadRequest, ChatMigrated, Conflict, Forbidden, InvalidToken, NetworkError, RetryAfter
from telegram.request import HTTPXRequest

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[FakeTelegram]:
    async with running() as telegram:
        yield telegram


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def fake(server: FakeTelegram) -> AsyncIterator[FakeTelegram]:
    await server.order("reset")
    await server.order("person", id=ANN, first_name="Ann", language_code="en")
    yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bot(server: FakeTelegram) -> AsyncIterator[Bot]:
    async with client(server, TOKEN) as bot:
        yield bot


def client(fake: FakeTelegram, token: str) -> Bot:
    calls, polls = (HTTPXRequest(connection_pool_size=4, pool_timeout=20) for _request in range(2))
    return Bot(token, fake.base_url, fake.base_file_url, request=calls, get_updates_request=polls)


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_bot_is_told_who_it_is(bot: Bot) -> None:
    assert (bot.id, bot.username, bot.bot.is_bot) == (7, "ParBot", True)


@pytest.mark.parametrize("token", ["7:WRONG", "nonsense"])
async def test_a_wrong_token_is_refused(fake: FakeTelegram, token: str) -> None:
    with pytest.raises(InvalidToken):
        async with client(fake, token):
            pass


async def test_updates_come_in_order_until_an_offset_confirms_them(fake: FakeTelegram, bot: Bot) -> None:
    first = await fake.say("one")
    await fake.say("two")
    assert [update.message.text for update in await bot.get_updates() if update.message] == ["one", "two"]
    assert [update.message.text for update in await bot.get_updates(offset=first["update_id"] + 1) if update.message] == ["two"]
    assert await bot.get_updates(offset=first["update_id"] + 2) == ()
    await fake.settled()


async def test_a_long_poll_is_answered_when_something_comes(fake: FakeTelegram, bot: Bot) -> None:
    poll = asyncio.create_task(bot.get_updates(timeout=30))
    await fake.calls("getUpdates", tried=True, count=1)
    await fake.say("hi /start @ParBot")
    (update,) = await poll
    assert update.message is not None
    assert [entity.type for entity in update.message.entities] == ["bot_command", "mention"]


async def test_a_second_poll_ends_the_first(fake: FakeTelegram, bot: Bot) -> None:
    poll = asyncio.create_task(bot.get_updates(timeout=30))
    await fake.calls("getUpdates", tried=True, count=1)
    await bot.get_updates(timeout=0)
    with pytest.raises(Conflict, match=r"(?i)other getUpdates"):
        await poll


async def test_only_the_wanted_kinds_come(fake: FakeTelegram, bot: Bot) -> None:
    await bot.get_updates(allowed_updates=["edited_message"])
    said = await fake.say("old")
    await fake.order("edit", chat=ANN, message_id=said["message_id"], text="new")
    (update,) = await bot.get_updates()
    assert update.edited_message is not None
    assert update.edited_message.edit_date is not None


async def test_a_poll_beside_a_webhook_conflicts(fake: FakeTelegram, bot: Bot) -> None:
    await bot.set_webhook("https://bot.example.org/hook")
    with pytest.raises(Conflict, match=r"(?i)webhook is active"):
        await bot.get_updates()
    assert (await bot.get_webhook_info()).url == "https://bot.example.org/hook"
    await bot.delete_webhook()
    assert await bot.get_updates() == ()


async def test_a_webhook_must_be_https(bot: Bot) -> None:
    with pytest.raises(BadRequest, match=r"(?i)HTTPS"):
        await bot.set_webhook("http://bot.example.org/hook")


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "text is empty"), (" \n ", "text is empty"), ("x" * 4097, "too long"), ("😀" * 2049, "too long")],
    ids=["empty", "blank", "4097", "4098"],
)
async def test_a_text_has_1_to_4096_utf_16_units(bot: Bot, text: str, said: str) -> None:
    with pytest.raises(BadRequest, match=f"(?i){said}"):
        await bot.send_message(ANN, text)


async def test_a_text_of_4096_units_is_taken_and_trimmed(bot: Bot) -> None:
    assert (await bot.send_message(ANN, "😀" * 2048)).text == "😀" * 2048
    sent = await bot.send_message(ANN, "  bold \n", entities=[MessageEntity("bold", 2, 5)])
    assert sent.text == "bold"
    assert [(entity.offset, entity.length) for entity in sent.entities] == [(0, 4)]


@pytest.mark.parametrize(
    ("entity", "said"),
    [
        (MessageEntity("bold", 0, 99), "out of the text"),
        (MessageEntity("bold", 1, 2), "middle of a UTF-16 symbol"),
        (MessageEntity("text_link", 0, 2), "url"),
        (MessageEntity("loud", 0, 2), "unsupported type"),
    ],
)
async def test_entities_must_lie_in_the_text_and_on_its_signs(bot: Bot, entity: MessageEntity, said: str) -> None:
    with pytest.raises(BadRequest, match=f"(?i){said}"):
        await bot.send_message(ANN, "😀 hi", entities=[entity])


async def test_a_stranger_cannot_be_written_to(bot: Bot) -> None:
    with pytest.raises(BadRequest, match=r"(?i)chat not found"):
        await bot.send_message(999, "hi")


async def test_who_blocked_the_bot_is_forbidden(fake: FakeTelegram, bot: Bot) -> None:
    await fake.order("close_chat", chat=ANN)
    with pytest.raises(Forbidden, match=r"(?i)blocked"):
        await bot.send_message(ANN, "hi")


async def test_a_group_that_moved_names_its_new_id(fake: FakeTelegram, bot: Bot) -> None:
    await fake.order("group", id=-5, type="group")
    await fake.order("migrate", **{"chat": -5, "to": -1005, "from": {"id": ANN}})
    with pytest.raises(ChatMigrated) as caught:
        await bot.send_message(-5, "hi")
    assert caught.value.new_chat_id == -1005
    told = [update.message for update in await bot.get_updates()]
    assert [(said.migrate_to_chat_id, said.migrate_from_chat_id) for said in told if said] == [(-1005, None), (None, -5)]


async def test_an_edit_must_change_something_of_the_bots_own(fake: FakeTelegram, bot: Bot) -> None:
    sent = await bot.send_message(ANN, "one")
    edited = await bot.edit_message_text("two", ANN, sent.message_id)
    assert not isinstance(edited, bool)
    assert edited.text == "two"
    with pytest.raises(BadRequest, match=r"(?i)not modified"):
        await bot.edit_message_text("two", ANN, sent.message_id)
    with pytest.raises(BadRequest, match=r"(?i)not found"):
        await bot.edit_message_text("two", ANN, 999)
    theirs = await fake.say("hers")
    with pytest.raises(BadRequest, match=r"(?i)can't be edited"):
        await bot.edit_message_text("two", ANN, theirs["message_id"])
    assert await bot.delete_message(ANN, sent.message_id)


@pytest.mark.parametrize("data", ["", "x" * 65, "가" * 22], ids=["0", "65", "66"])
async def test_callback_data_has_1_to_64_bytes(bot: Bot, data: str) -> None:
    markup = InlineKeyboardMarkup([[InlineKeyboardButton("b", callback_data=data)]])
    with pytest.raises(BadRequest, match=r"(?i)BUTTON_DATA_INVALID|unallowed"):
        await bot.send_message(ANN, "hi", reply_markup=markup)


async def test_a_press_is_answered_once(fake: FakeTelegram, bot: Bot) -> None:
    sent = await bot.send_message(
        ANN, "hi", reply_markup=InlineKeyboardMarkup([[InlineKeyboardButton("More", callback_data="t1")]])
    )
    await fake.press(sent.message_id, label="More")
    (update,) = await bot.get_updates()
    assert update.callback_query is not None
    assert update.callback_query.data == "t1"
    assert await bot.answer_callback_query(update.callback_query.id, text="ok")
    with pytest.raises(BadRequest, match=r"(?i)query is too old"):
        await bot.answer_callback_query(update.callback_query.id)


async def test_replies_need_their_message_unless_told_otherwise(bot: Bot) -> None:
    with pytest.raises(BadRequest, match=r"(?i)replied not found"):
        await bot.send_message(ANN, "hi", reply_parameters=ReplyParameters(999))
    assert await bot.send_message(ANN, "hi", reply_parameters=ReplyParameters(999, allow_sending_without_reply=True))


async def test_topics_are_kept_apart(fake: FakeTelegram, bot: Bot) -> None:
    await fake.order("group", id=-100, is_forum=True)
    topic = await bot.create_forum_topic(-100, "plans")
    sent = await bot.send_message(-100, "hi", message_thread_id=topic.message_thread_id)
    assert (sent.message_thread_id, sent.is_topic_message) == (topic.message_thread_id, True)
    said = await fake.say("in it", chat=-100, topic=topic.message_thread_id)
    assert said["reply_to_message"]["forum_topic_created"]["name"] == "plans"
    await bot.close_forum_topic(-100, topic.message_thread_id)
    with pytest.raises(BadRequest, match=r"(?i)TOPIC_CLOSED"):
        await bot.send_message(-100, "hi", message_thread_id=topic.message_thread_id)
    with pytest.raises(BadRequest, match=r"(?i)thread not found"):
        await bot.send_message(-100, "hi", message_thread_id=999)


async def test_photos_and_documents_are_taken_and_can_be_fetched(bot: Bot) -> None:
    sent = await bot.send_photo(ANN, PNG, caption="a picture", filename="p.png")
    fetched = await (await bot.get_file(sent.photo[-1].file_id)).download_as_bytearray()
    assert bytes(fetched) == PNG
    assert (await bot.send_document(ANN, b"text", filename="a.txt")).document
    with pytest.raises(BadRequest, match=r"(?i)IMAGE_PROCESS_FAILED"):
        await bot.send_photo(ANN, b"no picture")
    with pytest.raises(BadRequest, match=r"(?i)caption is too long"):
        await bot.send_photo(ANN, PNG, caption="x" * 1025)


async def test_files_over_20_mb_are_not_given_away(fake: FakeTelegram, bot: Bot) -> None:
    large = await fake.file(b"large", size=20 * 1024 * 1024 + 1)
    with pytest.raises(BadRequest, match=r"(?i)too big"):
        await bot.get_file(large["file_id"])
    with pytest.raises(BadRequest, match=r"(?i)wrong file_id"):
        await bot.get_file("nonsense")


async def test_reactions_actions_members_and_chats(fake: FakeTelegram, bot: Bot) -> None:
    said = await fake.say("hi")
    assert await bot.set_message_reaction(ANN, said["message_id"], "👍")
    with pytest.raises(BadRequest, match=r"(?i)REACTION_INVALID"):
        await bot.set_message_reaction(ANN, said["message_id"], "🦷")
    assert await bot.send_chat_action(ANN, "typing")
    with pytest.raises(BadRequest, match=r"(?i)wrong parameter action"):
        await bot.send_chat_action(ANN, "dancing")
    await fake.order("group", id=-100, members={str(ANN): "administrator"})
    assert (await bot.get_chat_member(-100, 7)).status == "member"
    with pytest.raises(BadRequest, match=r"(?i)user not found"):
        await bot.get_chat_member(-100, 999)


async def test_commands_are_kept_by_scope_and_language(bot: Bot) -> None:
    menu = [BotCommand("help", "도움말")]
    await bot.set_my_commands(menu, scope=BotCommandScopeAllPrivateChats(), language_code="ko")
    assert await bot.get_my_commands(BotCommandScopeAllPrivateChats(), "ko") == tuple(menu)
    assert await bot.get_my_commands(BotCommandScopeAllPrivateChats()) == ()
    with pytest.raises(BadRequest, match=r"(?i)BOT_COMMAND_INVALID"):
        await bot.set_my_commands([BotCommand("Help me", "x")])
    with pytest.raises(BadRequest, match=r"(?i)chat not found"):
        await bot.set_my_commands(menu, scope=BotCommandScopeChat(999))


async def test_a_programmed_429_names_the_seconds(fake: FakeTelegram, bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "1")
    await fake.fault("refuse", "sendMessage", parameters={"retry_after": 3}, skip=1)
    await bot.send_message(ANN, "first")
    with pytest.raises(RetryAfter) as caught:
        await bot.send_message(ANN, "second")
    assert caught.value.retry_after.total_seconds() == 3  # type: ignore[union-attr]
    await bot.send_message(ANN, "third")
    assert [message["text"] for message in await fake.shown()] == ["first", "third"]


@pytest.mark.parametrize(("kind", "shown"), [("cut_before", 0), ("cut_after", 1), ("garbage_after", 1)])
async def test_a_cut_connection_tells_nothing_of_what_was_done(fake: FakeTelegram, bot: Bot, kind: str, shown: int) -> None:
    await fake.fault(kind, "sendMessage")
    with pytest.raises(Exception, match=r"(?i)disconnect|Read|Invalid server response") as caught:
        await bot.send_message(ANN, "hi")
    assert isinstance(caught.value, NetworkError) or kind == "garbage_after"
    assert len(await fake.shown()) == shown


async def test_several_chats_are_seen_at_once(fake: FakeTelegram, bot: Bot) -> None:
    await fake.order("person", id=43, first_name="Ben")
    await bot.send_message(ANN, "one")
    await bot.send_message(43, "two")
    shown = await fake.shown_in([ANN, 43])
    assert {chat: [message["text"] for message in messages] for chat, messages in shown.items()} == {ANN: ["one"], 43: ["two"]}
    assert await fake.shown_in([]) == {}


async def test_what_may_be_cancelled_is_no_answer_yet(fake: FakeTelegram, bot: Bot) -> None:
    cancel = InlineKeyboardMarkup([[InlineKeyboardButton("Cancel", callback_data="c")]])
    status = await bot.send_message(ANN, "I am at it.", reply_markup=cancel)
    waiting = asyncio.create_task(fake.answers(ANN, by_bot=1))
    assert [message["text"] for message in await fake.shown(by_bot=1)] == ["I am at it."]
    await bot.edit_message_text("Here it is.", ANN, status.message_id)
    assert [message["text"] for message in await waiting] == ["Here it is."]
