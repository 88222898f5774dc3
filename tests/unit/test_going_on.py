"""What goes on from what was asked before: which message is meant, and what stands for itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from bot.going_on import GoingOn
from bot.language import asked_for
from bot.message import Attachment, Command, Message
from bot.skill import Before, Skill
from bot.testing import fake_kit, make_message
from skills.help.skill import build as build_help
from skills.search.skill import build as build_search
from skills.summarise.order import option
from skills.summarise.skill import build as build_summarise
from skills.translate.ask import only_language
from skills.translate.skill import build as build_translate

TEXT = make_message("/sum a long text", id="text")
SHORT = make_message("a short text", id="answer", by_bot=True)
SUMMED = Before(TEXT, "summarise", SHORT)


@dataclass
class Talk:
    """What was said, each before the next."""

    said: dict[str, Before] = field(default_factory=dict)

    async def before(self, message: Message) -> Before | None:
        return self.said.get(message.id)


def going_on(said: dict[str, Before], *, translates: bool = False, house: bool = False) -> GoingOn:
    kit = fake_kit()
    skills: list[Skill] = [build_search(kit), build_summarise(kit), build_translate(kit), build_help(kit)]
    by_name = {skill.name: skill for skill in skills} | ({"house": skills[-1]} if house else {})
    return GoingOn(by_name, Talk(said).before, equipped=lambda _skill: translates)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("and in three lines?", "--lines 3"), ("In 5 sentences, please", "--lines 5"), ("in 5 sentences please", "--lines 5"),
        ("three lines", "--lines 3"), ("shorter", "--length short"), ("even shorter please", "--length short"),
        ("can you make it longer?", "--length long"), ("in more detail", "--length long"), ("as two bullets", "--lines 2"),
        ("그리고 세 줄로?", "--lines 3"), ("세 줄로 줄여줘", "--lines 3"), ("다섯 문장으로 해 주세요", "--lines 5"), ("3줄로요", "--lines 3"),
        ("더 짧게", "--length short"), ("좀 더 길게 해줘", "--length long"), ("더 자세히", "--length long"),
        ("in three lines, who won?", ""), ("a shorter way to the station?", ""), ("세 줄이 뭐야?", ""), ("what is short?", ""), ("", ""),
    ],
)  # fmt: skip
def test_another_length_is_read(said: str, meant: str) -> None:
    assert option(said) == meant


@pytest.mark.parametrize(
    ("said", "language"),
    [
        ("and in Korean?", "ko"), ("in english please", "en"), ("what about in Korean", "ko"), ("그리고 한국어로?", "ko"),
        ("영어로는요?", "en"),
        ("영어로 다시 말해줘", "en"), ("한국어로 해 주세요", "ko"), ("is it in Korean?", None), ("한국어로 뭐라고 해?", None),
        ("in German", None),
    ],
)  # fmt: skip
def test_a_language_is_read(said: str, language: str | None) -> None:
    assert asked_for(said) == language


@pytest.mark.parametrize(
    ("said", "language"),
    [
        ("and in Japanese?", "ja"),
        ("일본어로는?", "ja"),
        ("in Korean please", "ko"),
        ("to the station", ""),
        ("독일어로 번역해줘", "de"),
    ],
)
def test_any_language_is_read(said: str, language: str) -> None:
    assert only_language(said) == language


async def test_a_length_is_about_what_was_summarised() -> None:
    meant = await going_on({"1": SUMMED}).of(make_message("and in three lines?"))
    assert meant is not None
    assert (meant.skill.name, meant.command, meant.about) == ("summarise", Command("sum", "--lines 3"), TEXT)


async def test_a_length_after_a_length_is_about_the_same_text() -> None:
    asked = make_message("in three lines", id="2")
    talk = {"1": Before(asked, "summarise", SHORT, went_on=True), "2": SUMMED}
    meant = await going_on(talk).of(make_message("shorter"))
    assert meant is not None
    assert (meant.command, meant.about) == (Command("sum", "--length short"), TEXT)


async def test_a_length_of_something_else_is_about_its_answer() -> None:
    found = Before(make_message("when?", id="2"), "search", SHORT)
    meant = await going_on({"1": found}).of(make_message("in two lines"))
    assert meant is not None
    assert (meant.command, meant.about) == (Command("sum", "--lines 2"), SHORT)


async def test_a_language_after_a_translation_is_about_the_same_text() -> None:
    asked = make_message("/tr de good morning", id="2")
    meant = await going_on({"1": Before(asked, "translate", SHORT)}, translates=True).of(make_message("and in Korean?"))
    assert meant is not None
    assert (meant.skill.name, meant.command, meant.about) == ("translate", Command("tr", "--into ko"), asked)


async def test_a_language_after_a_summary_is_about_the_summary() -> None:
    meant = await going_on({"1": SUMMED}, translates=True).of(make_message("그리고 한국어로?"))
    assert meant is not None
    assert (meant.command, meant.about) == (Command("tr", "ko"), SHORT)


async def test_what_the_bot_says_itself_is_said_again_in_the_language() -> None:
    asked = make_message("/help", id="2")
    meant = await going_on({"1": Before(asked, "help", SHORT)}, translates=True).of(make_message("and in Korean?"))
    assert meant is not None
    assert (meant.skill.name, meant.command, meant.about, meant.language) == ("help", None, asked, "ko")


@pytest.mark.parametrize("command", ["forget", "index", "lang"])
async def test_nothing_is_done_twice_for_another_language(command: str) -> None:
    asked = make_message(f"/{command} on", id="2")
    meant = await going_on({"1": Before(asked, "house", SHORT)}).of(make_message("and in Korean?"))
    assert meant is None or meant.about is SHORT


@pytest.mark.parametrize(("asker", "again"), [("ann", True), ("ben", False)])
async def test_what_the_bot_says_of_a_person_is_said_again_to_that_person_alone(asker: str, again: bool) -> None:
    asked = make_message("/quota", id="2", kind="group", sender="ann")
    meant = await going_on({"1": Before(asked, "house", SHORT)}, house=True).of(
        make_message("and in Korean?", kind="group", sender=asker)
    )
    assert (meant is not None and meant.about is asked) == again


async def test_what_stands_for_itself_goes_on_from_nothing() -> None:
    on = going_on({"1": SUMMED})
    file = Attachment("document", "a.txt", "text/plain", 1)
    assert await on.of(make_message("when does the canteen open?")) is None
    assert await on.of(make_message("/sum shorter")) is None
    assert await on.of(make_message("shorter", attachments=[file])) is None
    assert await on.of(replace(make_message("shorter"), id="first")) is None


@pytest.mark.parametrize(
    ("said", "skill"),
    [("and in three lines?", "summarise"), ("and in Japanese?", "translate"), ("and in Seoul?", "search"), ("왜?", "search")],
)
async def test_after_a_question_the_others_understand_their_own_words_first(said: str, skill: str) -> None:
    asked = make_message("who cleans the office", id="asked")
    meant = await going_on({"1": Before(asked, "search", SHORT)}).of(make_message(said))
    assert meant is not None
    assert meant.skill.name == skill


async def test_a_reply_to_what_a_person_said_is_about_that() -> None:
    on = going_on({"1": SUMMED})
    quoted = make_message("The meeting moved to Thursday.", id="quoted", sender="ben", kind="group", thread="root")
    asked = make_message("summarise this in one sentence", reply_to=quoted, kind="group", thread="root")
    assert await on.of(asked) is None
    begun = replace(asked, reply_to=replace(quoted, id="root"))
    assert (await on.of(begun) or asked) is not asked
    assert (await on.of(replace(asked, reply_to=replace(quoted, by_bot=True))) or asked) is not asked
