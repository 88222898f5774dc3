from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from bot.dispatch import AS, Dispatcher
from bot.errors import InputError, TooLargeError
from bot.locale import Text
from bot.message import Attachment, Command, Message, Reply, Source
from bot.passage import PUBLIC, Scope, Scopes
from bot.plans import Answer
from bot.skill import CommandSpec, Request
from bot.testing import make_message

PHOTO = Attachment("image", "cat.jpg", "image/jpeg", 10, blob="0" * 64)
PAPER = Attachment("document", "plan.txt", "text/plain", 10, blob="0" * 64)
VOICE = Attachment("audio", "note.ogg", "audio/ogg", 10, blob="0" * 64)


@dataclass(frozen=True)
class Decision:
    skill: str
    score: float = 0.9
    runner_up: str = ""
    runner_up_score: float = 0.05
    action: str = "answer"
    because: tuple[str, ...] = ()


class FakeSkill:
    summary = Text("A skill.")

    def __init__(self, name: str, *, takes=(), claims=(), found: bool = True, score: float = 0.9, slots=("model",)) -> None:
        self.slots = slots
        self.name, self.title, self.takes = name, Text(name.title()), frozenset(takes)
        self.commands = (CommandSpec(name, Text(name), aliases=(f"{name}2", "검색" if name == "search" else f"{name}3")),)
        self._claims, self._found, self._score, self.model = claims, found, score, ""
        self.asked: list[Request] = []

    def claims(self, message: Message) -> bool:
        return any(file.kind in self._claims for file in message.attachments)

    async def answer(self, request: Request) -> Reply:
        self.asked.append(request)
        sources = (Source("plan", "it is blue", "", self._score),) if self._found else ()
        return request.reply(f"{self.name}: {request.text}", sources=sources, model=self.model)


class House:
    """A dispatcher over four fake skills, and what it was asked to keep."""

    def __init__(self, decision: Decision, *, found: bool = True, equipped: bool = True, score: float = 0.9) -> None:
        self.search = FakeSkill("search", claims=("document",), takes=("document",), found=found, score=score)
        self.caption = FakeSkill("caption", claims=("image",), takes=("image",))
        self.ocr = FakeSkill("ocr", takes=("image",))
        self.chat = FakeSkill("chat")
        self.help = FakeSkill("help", slots=())
        self.translate = FakeSkill("translate", takes=("document",))
        self.labels: list[tuple[str, str]] = []
        self.routed: list[str] = []

        async def decide(text: str, language: str) -> Decision:
            self.routed.append(text)
            return decision

        async def keep(message: Message, skill: str) -> None:
            self.labels.append((message.text, skill))

        skills = [self.search, self.caption, self.ocr, self.chat, self.help, self.translate]
        self.dispatcher = Dispatcher(skills, decide, text_bytes=1000, keep_label=keep, equipped=lambda _skill: equipped)

    async def ask(self, message: Message) -> Answer:
        return await self.dispatcher.answer(message)


async def test_a_command_is_never_routed() -> None:
    house = House(Decision("chat"))
    answer = await house.ask(make_message("/ocr now"))
    assert (answer.replies[0].text, house.routed) == ("ocr: now", [])


async def test_a_commands_other_names_work_too() -> None:
    assert (await House(Decision("chat")).ask(make_message("/search2 plan"))).replies[0].text == "search: plan"


async def test_a_folder_of_several_kinds_goes_to_each_skill_that_claims_some_of_it() -> None:
    house = House(Decision("chat"))
    answer = await house.ask(make_message("", attachments=[PAPER, PHOTO, PAPER, VOICE]))
    assert [len(request.files) for request in (*house.search.asked, *house.caption.asked)] == [2, 1]
    assert [answer.replies[0].text, answer.replies[2].text] == ["caption: ", "search: "]
    assert "no skill for this kind" in answer.replies[1].text
    assert (answer.route.skill, answer.route.how) == ("search", "attachment")


async def test_a_part_of_a_folder_that_fails_costs_no_other_part_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(Decision("chat"))

    async def broken(_request: Request) -> Reply:
        raise InputError(Text("This picture is cut off."))

    monkeypatch.setattr(house.caption, "answer", broken)
    answer = await house.ask(make_message("", attachments=[PHOTO, PAPER]))
    assert [reply.text for reply in answer.replies] == ["**cat.jpg**: This picture is cut off.", "search: "]


async def test_files_that_the_chosen_skill_leaves_are_kept_before_it_answers() -> None:
    house = House(Decision("search"))
    answer = await house.ask(make_message("when does the lease end?", attachments=[PAPER, PHOTO]))
    assert [reply.text for reply in answer.replies] == ["caption: ", "search: when does the lease end?"]
    assert (answer.route.skill, answer.route.how) == ("search", "router")
    assert [file.kind for file in house.caption.asked[0].files] == ["image"]


async def test_an_unknown_command_is_told_with_the_nearest() -> None:
    with pytest.raises(InputError, match="Did you mean /search"):
        await House(Decision("chat")).ask(make_message("/serch plan"))
    with pytest.raises(InputError, match="Did you mean /검색"):
        await House(Decision("chat")).ask(make_message("/겅색 계획"))


async def test_of_commands_that_are_near_one_that_begins_alike_is_meant() -> None:
    with pytest.raises(InputError, match=r"Did you mean /ocr\?"):
        await House(Decision("chat")).ask(make_message("/ocarch"))


async def test_a_bare_photo_goes_to_the_skill_that_claims_it() -> None:
    house = House(Decision("chat"))
    answer = await house.ask(make_message("", attachments=[PHOTO]))
    assert (answer.route.skill, answer.route.how, house.routed) == ("caption", "attachment", [])


async def test_a_photo_with_words_goes_where_the_words_say() -> None:
    house = House(Decision("ocr"))
    await house.ask(make_message("what does it say?", attachments=[PHOTO]))
    assert [(request.files, request.by_files) for request in house.ocr.asked] == [((PHOTO,), False)]


async def test_a_photo_with_words_that_name_no_skill_for_photos_stays_with_its_claimant() -> None:
    house = House(Decision("chat"))
    await house.ask(make_message("lovely, isn't it", attachments=[PHOTO]))
    assert len(house.caption.asked) == 1


@pytest.mark.parametrize("decision", [Decision("", action="none"), Decision("ocr", 0.3, runner_up="chat", action="ask")])
async def test_a_question_with_a_document_that_names_no_skill_is_put_to_the_document(decision: Decision) -> None:
    async def decide(_text: str, _language: str) -> Decision:
        return decision

    async def keep(_message: Message, _skill: str) -> None:
        pass

    skills = [FakeSkill("ocr", takes=("image", "document")), FakeSkill("search", takes=("document",))]
    dispatcher = Dispatcher(skills, decide, text_bytes=1000, keep_label=keep)
    answer = await dispatcher.answer(make_message("how much is the deposit?", attachments=[PAPER]))
    assert (answer.replies[0].text, answer.route.how) == ("search: how much is the deposit?", "attachment")


async def test_who_works_on_documents_is_given_the_text_in_a_photo() -> None:
    house = House(Decision("ocr"))
    house.ocr.takes = frozenset({"document"})
    await house.ask(make_message("make this short", attachments=[PHOTO]))
    assert [request.files for request in house.ocr.asked] == [(PHOTO,)]


async def test_a_question_beside_a_photo_is_not_searched_for_in_place_of_the_photo() -> None:
    house = House(Decision("search"))
    await house.ask(make_message("what is the code?", attachments=[PHOTO]))
    assert [request.by_files for request in house.caption.asked] == [True]


async def test_words_in_reply_to_a_photo_are_about_the_photo() -> None:
    house = House(Decision("ocr"))
    await house.ask(make_message("read it", reply_to=make_message("", attachments=[PHOTO])))
    assert house.ocr.asked[0].files == (PHOTO,)


@pytest.mark.parametrize("message_id", ["press:1", "1"])
async def test_a_button_under_a_question_about_a_photo_brings_that_photo(message_id: str) -> None:
    house = House(Decision("search"))
    question = make_message("what is the code?", reply_to=make_message("", attachments=[PHOTO]))
    await house.ask(make_message("/ocr", id=message_id, reply_to=question))
    assert house.ocr.asked[0].files == ((PHOTO,) if message_id == "press:1" else ())


async def test_a_sure_route_answers_and_offers_the_runner_up() -> None:
    house = House(Decision("chat", runner_up="search"), found=False)
    (reply,) = (await house.ask(make_message("hello"))).replies
    assert reply.text == "chat: hello"
    assert [button.command for button in reply.buttons] == [Command(AS, "search")]


async def test_a_search_that_has_found_nothing_is_not_offered() -> None:
    house = House(Decision("chat", 0.7, runner_up="search"), found=False)
    (reply,) = (await house.ask(make_message("how long is one away for a wedding"))).replies
    assert (reply.text, reply.buttons) == ("chat: how long is one away for a wedding", ())


async def test_a_runner_up_without_its_model_is_not_offered() -> None:
    house = House(Decision("chat", 0.99, runner_up="ocr"), found=False, equipped=False)
    (reply,) = (await house.ask(make_message("hello"))).replies
    assert (reply.text, reply.buttons) == ("chat: hello", ())


async def test_two_close_skills_are_asked_about() -> None:
    house = House(Decision("chat", runner_up="ocr", action="ask"), found=False)
    (reply,) = (await house.ask(make_message("hm"))).replies
    assert [button.command.args for button in reply.buttons] == ["chat", "ocr"]
    assert house.chat.asked == []


async def test_where_the_documents_had_nothing_only_the_other_skill_is_asked_about() -> None:
    house = House(Decision("chat", runner_up="search", action="ask"), found=False)
    (reply,) = (await house.ask(make_message("who owns the house"))).replies
    assert reply.text.startswith("I found nothing about this")
    assert [button.command.args for button in reply.buttons] == ["chat"]


async def test_a_doubtful_route_to_who_says_the_same_whatever_is_asked_tells_that_nothing_was_found() -> None:
    house = House(Decision("help", 0.7, runner_up="search", runner_up_score=0.3), found=False)
    (reply,) = (await house.ask(make_message("where is the plotter"))).replies
    assert reply.text.startswith("I found nothing about this")
    assert [button.command.args for button in reply.buttons] == ["help"]
    house = House(Decision("help", 0.7, runner_up="search", runner_up_score=0.01), found=False)
    assert (await house.ask(make_message("how does one begin"))).replies[0].text == "help: how does one begin"
    house = House(Decision("help", 0.9, runner_up="search", runner_up_score=0.1), found=False)
    assert (await house.ask(make_message("how does one begin"))).replies[0].text == "help: how does one begin"


async def test_where_the_other_skill_has_no_model_the_search_says_that_it_found_nothing() -> None:
    house = House(Decision("chat", runner_up="search", action="ask"), found=False, equipped=False)
    answer = await house.ask(make_message("who owns the house"))
    assert (answer.replies[0].text, answer.route.skill) == ("search: who owns the house", "search")
    assert len(house.search.asked) == 1


async def test_a_question_that_no_skill_is_sure_of_is_answered_where_the_documents_answer_it() -> None:
    house = House(Decision("none", action="none"))
    answer = await house.ask(make_message("what colour is the plan"))
    assert (answer.route.skill, answer.route.how) == ("search", "found")


async def test_where_they_do_not_it_is_told_that_no_skill_serves() -> None:
    house = House(Decision("none", action="none"), found=False)
    answer = await house.ask(make_message("turn on the light"))
    assert "None of my skills" in answer.replies[0].text
    assert answer.route.action == "none"


async def test_it_is_told_that_the_documents_were_asked_too_and_their_search_is_not_offered_again() -> None:
    decision = Decision("none", 0.7, "search", 0.3, action="none")
    (reply,) = (await House(decision, found=False).ask(make_message("which wine goes with the fish"))).replies
    assert "I found nothing about it in what you may read here" in reply.text
    assert reply.buttons == ()
    certain = Decision("none", 0.99, action="none")
    (reply,) = (await House(certain, found=False).ask(make_message("turn on the light"))).replies
    assert "found nothing" not in reply.text


@pytest.mark.parametrize(("near", "offered"), [(0.3, ["chat"]), (0.01, [])])
async def test_the_skill_that_came_nearest_is_offered_where_it_came_near(near: float, offered: list[str]) -> None:
    decision = Decision("none", 0.7, "chat", near, action="none")
    (reply,) = (await House(decision, found=False).ask(make_message("turn on the light"))).replies
    assert [button.command.args for button in reply.buttons] == offered


async def test_a_skill_without_its_model_is_not_offered() -> None:
    house = House(Decision("none", 0.7, "chat", 0.3, action="none"), found=False, equipped=False)
    assert (await house.ask(make_message("turn on the light"))).replies[0].buttons == ()


@pytest.mark.parametrize("quoted", [None, make_message("", attachments=[PHOTO])])
async def test_what_a_skill_claims_by_its_words_is_not_routed(monkeypatch: pytest.MonkeyPatch, quoted: Message | None) -> None:
    house = House(Decision("search"))
    monkeypatch.setattr(house.chat, "claims", lambda message: message.text == "thanks")
    answer = await house.ask(make_message("thanks", reply_to=quoted))
    assert (answer.route.skill, answer.route.how, house.routed) == ("chat", "words", [])


async def test_a_doubtful_route_is_not_taken_where_the_documents_answer() -> None:
    house = House(Decision("chat", 0.55))
    assert (await house.ask(make_message("how long is the lease"))).route.how == "found"
    assert (await House(Decision("chat", 0.55), found=False).ask(make_message("how long is the lease"))).route.skill == "chat"


async def test_a_good_answer_of_the_documents_goes_before_talk_that_the_router_is_sure_of() -> None:
    assert (await House(Decision("chat", 0.9)).ask(make_message("what do I need for sick leave"))).route.how == "found"
    assert (await House(Decision("chat", 0.9), score=0.4).ask(make_message("what do you think"))).route.skill == "chat"
    assert (await House(Decision("chat", 0.99)).ask(make_message("hello there"))).route.skill == "chat"
    assert (await House(Decision("ocr", 0.99)).ask(make_message("read the picture"))).route.skill == "ocr"


async def test_an_answer_of_the_documents_goes_before_the_question_which_of_two_was_meant() -> None:
    house = House(Decision("chat", 0.45, runner_up="ocr", action="ask"), score=0.4)
    assert (await house.ask(make_message("on which day is plastic collected"))).route.how == "found"


async def test_a_good_answer_of_the_documents_goes_before_the_reading_of_a_picture_that_did_not_come() -> None:
    assert (await House(Decision("ocr", 0.9)).ask(make_message("number plate of the truck"))).route.how == "found"
    assert (await House(Decision("ocr", 0.9), score=0.4).ask(make_message("read the picture"))).route.skill == "ocr"
    with_it = make_message("number plate of the truck", attachments=(PHOTO,))
    assert (await House(Decision("ocr", 0.9)).ask(with_it)).route.skill == "ocr"


async def test_a_skill_without_its_model_lets_the_documents_go_first() -> None:
    house = House(Decision("chat", 0.99), equipped=False)
    assert (await house.ask(make_message("tell me about the lease"))).route.how == "found"
    house = House(Decision("chat", 0.9), equipped=False, score=0.3)
    assert (await house.ask(make_message("tell me about the lease"))).route.how == "found"


async def test_small_talk_that_hardly_touches_a_document_is_not_answered_by_it_where_no_model_talks() -> None:
    house = House(Decision("chat", 0.99), equipped=False, score=0.3)
    assert (await house.ask(make_message("what shall we have for lunch?"))).replies[
        0
    ].text == "chat: what shall we have for lunch?"


async def test_what_is_to_be_translated_is_not_looked_for_whether_there_is_a_model_or_not() -> None:
    house = House(Decision("translate", 0.9), equipped=False)
    assert (await house.ask(make_message("in Korean: the plan is blue"))).replies[
        0
    ].text == "translate: in Korean: the plan is blue"
    assert house.search.asked == []


async def test_wrong_skill_sends_the_message_on_and_keeps_the_label() -> None:
    house = House(Decision("chat"))
    press = replace(make_message("", id="press:1", reply_to=make_message("hello")), command=Command(AS, "search"))
    answer = await house.ask(press)
    assert answer.replies[0].text == "search: hello"
    assert house.labels == [("hello", "search")]


async def test_the_receipt_says_what_the_routing_was() -> None:
    house = House(Decision("chat", 0.83, "search", 0.1), found=False)
    receipt = (await house.ask(make_message("hello"))).replies[0].receipt
    assert (receipt.skill, receipt.route_score, receipt.runner_up, receipt.runner_up_score) == ("chat", 0.83, "search", 0.1)
    assert [stage for stage, _ms in receipt.stages_ms][:2] == ["route", "answer"]


@pytest.mark.parametrize("text", ["", "  \n "])
async def test_an_empty_message_gets_a_sentence(text: str) -> None:
    assert "nothing in this" in (await House(Decision("chat")).ask(make_message(text))).replies[0].text


async def test_a_sticker_gets_a_sentence() -> None:
    sticker = Attachment("sticker", "", "", 0)
    assert "stickers" in (await House(Decision("chat")).ask(make_message("", attachments=[sticker]))).replies[0].text


async def test_a_text_over_the_limit_gets_a_sentence() -> None:
    with pytest.raises(TooLargeError, match="Nothing was kept"):
        await House(Decision("chat")).ask(make_message("x" * 1001))


async def test_a_voice_note_that_nobody_claims_is_routed_by_nothing_and_told() -> None:
    answer = await House(Decision("none", action="none"), found=False).ask(make_message("", attachments=[VOICE]))
    assert answer.replies


async def test_in_korean_it_is_told_in_korean() -> None:
    answer = await House(Decision("none", action="none"), found=False).ask(make_message("불 켜줘"))
    assert "기능은 없어요" in answer.replies[0].text


async def test_talk_that_is_not_for_the_bot_is_not_answered() -> None:
    house = House(Decision("chat"))
    answer = await house.ask(replace(make_message("between us", kind="group"), addressed=False))
    assert answer.replies == ()
    assert house.routed == []


class Leaving:
    """Says what may be read before and after the asker has left a group."""

    def __init__(self) -> None:
        self.changes = 0
        self.scopes = [
            Scopes([Scope("dm", "test/bot/1"), Scope("group", "test/bot/2"), PUBLIC]),
            Scopes([Scope("dm", "test/bot/1"), PUBLIC]),
        ]

    async def scopes_of(self, message: Message) -> Scopes:
        return self.scopes[min(self.changes, 1)]


async def test_who_leaves_a_group_while_they_are_answered_is_answered_again_without_it() -> None:
    house, access = House(Decision("search")), Leaving()
    answer = house.search.answer

    async def leave_meanwhile(request: Request) -> Reply:
        access.changes = 1
        return await answer(request)

    house.search.answer = leave_meanwhile  # type: ignore[method-assign]
    house.dispatcher.asking._access = access  # type: ignore[assignment]
    assert len((await house.ask(make_message("where is the plan?"))).replies) == 1
    assert [request.scopes for request in house.search.asked] == access.scopes


async def test_where_that_changes_again_and_again_nothing_is_told() -> None:
    house, access = House(Decision("search")), Leaving()
    answer = house.search.answer

    async def come_and_go(request: Request) -> Reply:
        access.changes += 1
        return await answer(request)

    house.search.answer = come_and_go  # type: ignore[method-assign]
    access.scopes_of = lambda _message: _next(access)  # type: ignore[assignment, method-assign]
    house.dispatcher.asking._access = access  # type: ignore[assignment]
    with pytest.raises(InputError, match="ask once more"):
        await house.ask(make_message("where is the plan?"))


async def _next(access: Leaving) -> Scopes:
    """Return less each time that somebody came or left."""
    return Scopes([PUBLIC, *[Scope("group", f"test/bot/{number}") for number in range(9 - access.changes)]])


async def test_admin_commands_stand_in_no_menu_but_an_admins() -> None:
    async def decide(_text: str, _language: str) -> Decision:
        raise AssertionError("nothing is routed")

    async def keep_label(_message: Message, _skill: str) -> None:
        raise AssertionError("nothing is labelled")

    admin = FakeSkill("admin")
    admin.commands = (CommandSpec("swap", Text("-"), admin=True), CommandSpec("promote", Text("-"), listed=False, admin=True))
    dispatcher = Dispatcher([FakeSkill("search"), admin], decide, text_bytes=1000, keep_label=keep_label)
    assert [spec.name for spec in dispatcher.commands] == ["search"]
    assert [spec.name for spec in dispatcher.admin_commands] == ["swap"]
    for text, long in (("/swap a b", True), ("/promote 3", True), ("/search x", False), ("/nothing", False), ("x", False)):
        assert dispatcher.takes_long(make_message(text)) is long
    assert not dispatcher.wants_files(make_message("/swap a b"))


@pytest.mark.parametrize(("said", "replies"), [("too much", ["too much"]), ("", [])])
async def test_an_answer_that_is_one_too_many_is_not_made(said: str, replies: list[str]) -> None:
    house, asked = House(Decision("chat")), []

    @asynccontextmanager
    async def charged(skill: str, message: Message) -> AsyncIterator[str | None]:
        asked.append((skill, message.text))
        yield said if skill == "ocr" else None

    house.dispatcher.charged = charged

    answer = await house.ask(make_message("/ocr now"))

    assert [reply.text for reply in answer.replies] == replies
    assert (house.ocr.asked, asked) == ([], [("ocr", "/ocr now")])
    assert [reply.text for reply in (await house.ask(make_message("/caption"))).replies] == ["caption: "]


@pytest.mark.parametrize(
    ("row", "watched", "labels"),
    [(True, "", ["👍", "👎"]), (True, "chat", ["👍", "👎"]), (False, "chat", ["👎"]), (False, "", [])],
)
async def test_a_models_answer_has_thumbs_where_the_platform_has_a_row_for_them(
    row: bool, watched: str, labels: list[str]
) -> None:
    house = House(Decision("chat"))
    house.chat.model = "m@1"
    house.dispatcher.asking._watched = lambda _skill: watched
    house.dispatcher.asking.thumbs = lambda _channel: row
    (reply,) = (await house.ask(make_message("/chat hello"))).replies
    assert [button.label for button in reply.buttons if button.label in "👍👎"] == labels
    assert {button.command.args for button in reply.buttons if button.label in "👍👎"} <= {watched}
    house.chat.model = ""
    (reply,) = (await house.ask(make_message("/chat hello"))).replies
    assert not [button for button in reply.buttons if button.label in "👍👎"]


@pytest.mark.parametrize(("certainty", "score", "how"), [(0.9, 0.7, "found"), (0.99, 0.7, "router"), (0.99, 0.85, "found")])
async def test_documents_must_answer_well_where_the_router_is_certain_that_no_skill_serves(
    certainty: float, score: float, how: str
) -> None:
    house = House(Decision("none", certainty, action="none"), score=score)
    assert (await house.ask(make_message("how is the weather"))).route.how == how
