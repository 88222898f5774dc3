from dataclasses import replace
from pathlib import Path

import pytest
from fakes.past import indexing_of

from bot.forgetting import Forgetting
from bot.house import House
from bot.message import Command, Message, Reply
from bot.passage import PUBLIC, Scope, Scopes
from bot.route import Route
from bot.store.blobs import BlobStore
from bot.store.chats import Chats
from bot.store.database import Database
from bot.store.erasing import Eraser
from bot.store.history import History
from bot.store.inbox import Inbox
from bot.talk import Said
from bot.testing import fake_kit, make_message, make_request


class Fixture:
    def __init__(self, database: Database, folder: Path) -> None:
        self.inbox, self.chats = Inbox(database), Chats(database)
        self.library = fake_kit(folder).library
        eraser = Eraser(database, BlobStore(folder / "blobs"))
        self.history = History(database)
        forgetting = self.forgetting = Forgetting(self.history, self.library, eraser)
        self.house = House(
            self.history,
            self.chats,
            self.library,
            forgetting,
            "/srv/paring",
            indexing=indexing_of(database, self.chats, self.library),
        )

    async def say(self, text: str | Message) -> Reply:
        return await self.house.answer(make_request(text))

    async def answered(self, message: Message, route: Route) -> None:
        number = await self.inbox.accept(message)
        assert number is not None
        await self.inbox.finish(number, message, [Reply("ok", "en")], route=route)


@pytest.fixture
def fixture(database: Database, tmp_path: Path) -> Fixture:
    return Fixture(database, tmp_path)


async def test_why_tells_the_scores_and_what_weighed(fixture: Fixture) -> None:
    route = Route("search", "router", 0.914, "chat", 0.05, because=("where is",))
    await fixture.answered(make_message("where is the plan?", id="0"), route)
    said = (await fixture.say("/why")).text
    assert all(piece in said for piece in ("where is the plan?", "**search**", "91 %", "5 % to chat", "`where is`"))


async def test_why_tells_how_sure_the_router_was_that_no_skill_serves(fixture: Fixture) -> None:
    await fixture.answered(make_message("turn off the lights", id="0"), Route("none", "router", 0.996, "chat", 0.004, "none"))
    said = (await fixture.say("/why")).text
    assert "No skill took “turn off the lights”" in said
    assert "100 % to “none of them”" in said
    assert "too little" not in said


async def test_why_tells_both_skills_where_it_was_asked_which(fixture: Fixture) -> None:
    await fixture.answered(make_message("alt text", id="0"), Route("chat", "router", 0.32, "caption", 0.29, "ask"))
    said = (await fixture.say("/why")).text
    assert "may be for **chat** or for **caption**" in said
    assert "too close" in said


async def test_why_tells_that_the_router_was_not_sure_enough_of_any(fixture: Fixture) -> None:
    await fixture.answered(make_message("blue", id="0"), Route("none", "router", 0.1, "chat", 0.2, "none"))
    assert "too little to act on" in (await fixture.say("/why")).text


async def test_why_tells_the_rule_where_a_rule_decided(fixture: Fixture) -> None:
    await fixture.answered(make_message("", id="0"), Route("caption", "attachment"))
    assert "The file that you sent" in (await fixture.say("/why")).text


async def test_why_before_anything_was_said_is_told(fixture: Fixture) -> None:
    assert "no message of yours" in (await fixture.say("/why")).text


@pytest.mark.parametrize(
    ("word", "language", "said"), [("ko", "ko", "이제부터"), ("영어", "en", "English"), ("auto", None, "its own")]
)
async def test_lang_settles_the_chats_language(fixture: Fixture, word: str, language: str | None, said: str) -> None:
    reply = await fixture.say(make_message(f"/lang {word}", language="en"))
    assert said in reply.text
    assert (await fixture.chats.settings(make_message().address)).language == language


async def test_an_unknown_language_is_told_which_there_are(fixture: Fixture) -> None:
    assert "/lang ko" in (await fixture.say("/lang klingon")).text


@pytest.mark.parametrize(("word", "on"), [("on", True), ("켜기", True), ("off", False), ("", False)])
async def test_index_is_said_on_and_off(fixture: Fixture, word: str, on: bool) -> None:
    await fixture.say(f"/index {word}".strip())
    assert (await fixture.chats.settings(make_message().address)).indexing is on


async def test_privacy_names_the_folder_in_both_languages(fixture: Fixture) -> None:
    assert "/srv/paring" in (await fixture.say(make_message("/privacy", language="en"))).text
    assert "보관하는 것" in (await fixture.say(make_message("/privacy", language="ko"))).text


async def test_privacy_tells_what_else_leaves_the_machine(fixture: Fixture) -> None:
    fixture.house = House(
        fixture.history, fixture.chats, fixture.library, fixture.forgetting, "/srv/paring", links=True, server="models.example"
    )  # fmt: skip
    said = (await fixture.say(make_message("/privacy", language="en"))).text
    assert (
        "own platform, and a link that you send, which is fetched from its own site, and what you ask of the chat model" in said
    )
    assert "which goes to models.example." in said
    said = (await fixture.say(make_message("/privacy", language="ko"))).text
    assert (
        "가는 것, 보내 주신 링크를 그 사이트에서 받아 오는 것, 대화 모델에게 물으신 것을 models.example 서버로 보내는 것 말고는"
        in said
    )


@pytest.mark.parametrize("order", ["/forget", "/delete", "/잊기", "/삭제"])
async def test_forget_deletes_what_was_said_here(fixture: Fixture, order: str) -> None:
    await fixture.answered(make_message("my secret", id="0"), Route("chat", "router"))
    assert (await fixture.say(order)).text.startswith(("Forgotten: 1 messages", "지웠어요: 보내신 메시지 1개"))
    assert await fixture.history.last(make_message("", id="9")) == []


async def test_what_was_said_is_kept_with_who_when_and_where(fixture: Fixture) -> None:
    said = replace(make_message("the plan is blue", kind="group", thread="9"), sender_name="Ann Lee")
    await fixture.say(replace(said, addressed=False, reply_to=make_message("what colour?", id="0")))
    scope = Scope.of(said.address)
    assert fixture.library.said[scope, "message:1"] == Said("Ann Lee", said.sent_at, "9", "message:0")
    (hit,) = await fixture.library.search("blue", Scopes([scope]))
    assert (hit.passage.title, hit.passage.link) == ("Ann Lee", "message:test/bot/1/1?thread=9")


@pytest.mark.parametrize("text", ["/sum@OtherBot 50", "/요약 10", "  "])
async def test_an_order_is_not_kept_and_an_edit_into_one_takes_it_back(fixture: Fixture, text: str) -> None:
    said = replace(make_message("the plan is blue", kind="group"), addressed=False)
    await fixture.say(said)
    await fixture.say(replace(said, text=text, version=7))
    assert fixture.library.kept == {}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("the door code is 4711", True), ("문 비밀번호는 4711이에요", True), ("what is the door code?", False),
        ("문 비밀번호 알려 줘", False), ("door code", False), ("find the door code of the garage", False),
    ],
)  # fmt: skip
async def test_what_is_told_to_the_bot_is_kept_where_the_chat_is_indexed_and_what_is_asked_is_not(
    fixture: Fixture, text: str, kept: bool
) -> None:
    await fixture.say(text)
    assert fixture.library.kept == {}
    await fixture.say("/index on")
    await fixture.say(text)
    assert list(fixture.library.kept.values()) == ([text] if kept else [])


async def test_overheard_talk_is_kept_for_the_search_under_who_said_it(fixture: Fixture) -> None:
    overheard = replace(make_message("the plan is blue", kind="group"), addressed=False)
    reply = await fixture.say(overheard)
    assert reply.text == ""
    assert await fixture.library.remove(Scope.of(overheard.address), key="message:1") == 1


@pytest.mark.parametrize(
    "said",
    [
        "delete lease.pdf",
        "please remove the file “lease.pdf”",
        "lease.pdf 삭제해줘",
        "lease.pdf 파일 지워 주세요",
        "Can you delete my document lease.pdf?",
    ],
)
async def test_who_asks_in_words_to_delete_a_file_is_offered_to_have_it_forgotten(fixture: Fixture, said: str) -> None:
    assert fixture.house.claims(make_message(said))
    reply = await fixture.say(said)
    assert "lease.pdf" in reply.text
    assert [button.command for button in reply.buttons] == [Command("forget", "lease.pdf")]


@pytest.mark.parametrize("said", ["delete handbook.pdf", "/forget handbook.pdf", "handbook.pdf 삭제해줘"])
async def test_what_is_there_for_everybody_is_not_offered_to_be_forgotten(fixture: Fixture, said: str) -> None:
    await fixture.library.add_text("Leave is 20 days.", PUBLIC, title="handbook.pdf", link="", key="handbook.pdf")
    reply = await fixture.say(said)
    assert (reply.buttons, "paring remove" in reply.text) == ((), True)
    assert len(await fixture.library.held(PUBLIC)) == 1
    await fixture.library.add_text(
        "My lease.", Scope.of(make_message("").address), title="handbook.pdf", link="", key="handbook.pdf"
    )
    assert "paring remove" not in (await fixture.say(said)).text


async def test_who_asks_in_words_is_spoken_to_in_that_language_from_then_on(fixture: Fixture) -> None:
    asked = make_message("answer in Korean please")
    assert fixture.house.claims(asked)
    assert "한국어로" in (await fixture.say(asked)).text
    assert (await fixture.chats.settings(asked.address)).language == "ko"


async def test_who_asks_in_words_what_is_kept_is_told_as_by_the_command(fixture: Fixture) -> None:
    assert fixture.house.claims(make_message("is this private?"))
    assert (await fixture.say("is this private?")).text == (await fixture.say("/privacy")).text


def test_what_is_quoted_is_asked_about_and_not_the_house(fixture: Fixture) -> None:
    assert not fixture.house.claims(make_message("is this private?", reply_to=make_message("The pool.", id="0")))


@pytest.mark.parametrize(
    "said", ["delete the third line", "who may delete lease.pdf?", "lease.pdf에서 삭제된 조항은?", "forget it", "remove.pdf"]
)
def test_a_question_about_deleting_is_none(fixture: Fixture, said: str) -> None:
    assert not fixture.house.claims(make_message(said))
