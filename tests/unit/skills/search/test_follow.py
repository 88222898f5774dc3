"""What goes on from a question, and which of two findings it means."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.message import Command, Message
from bot.passage import PUBLIC, Passage
from bot.skill import Before
from bot.testing import FakeLibrary, fake_kit, make_attachment, make_message, make_request
from skills.search.follow import goes_on, is_meant
from skills.search.skill import Search, build

QUESTION = make_message("who cleans the Berlin office", id="asked")
FOUND = Before(QUESTION, "search", make_message("an answer", by_bot=True))


@pytest.fixture
def library() -> FakeLibrary:
    return FakeLibrary()


@pytest.fixture
def search(tmp_path: Path, library: FakeLibrary) -> Search:
    return build(fake_kit(tmp_path, library=library, models={"embed": lambda text: text}))


def passage(number: int, text: str) -> Passage:
    return Passage(number, PUBLIC, f"{number}.txt", "", text, "", "en")


def meant(search: Search, said: str, *, before: Before = FOUND) -> Message:
    """Return the message as the host gives it to the skill."""
    found = search.goes_on(said, [before])
    assert found is not None
    return replace(make_message(said, id="now"), command=found[0], reply_to=found[1])


@pytest.mark.parametrize(
    "said",
    [
        "and for the Seoul office?", "and for seoul?", "why was it moved?", "how long does it run?", "and business?", "what about Berlin?",
        "how about on Sundays", "when?", "ok and when exactly?", "so who owns it", "and in Berlin?", "and the deposit?", "And if I am ill?",
        "최대는?", "그럼 반차는?", "담당자는", "몇시에?", "몇 시에 시작해?", "언제까지?", "어디서?", "누가 해?", "그럼 주말도 돼?", "왜?",
        "얼마야?", "그리고 제주는?", "보증금은요",
    ],
)  # fmt: skip
def test_what_may_go_on_from_a_question(search: Search, said: str) -> None:
    assert goes_on(said)
    assert search.may_go_on(said)


@pytest.mark.parametrize(
    "said",
    [
        "who signs the lease?", "영어로는?", "세 줄로는?", "넌 누구야?", "너는?", "저는요?", "shorter", "thanks", "누구야?", "how does it work?",
        "what can you do", "and you?", "how are you", "how about you?", "translate it", "and translate it please", "and summarise the lease",
        "when does the canteen open?", "연차 며칠이야", "휴가 규정 요약해줘", "고마워", "네", "왜 안돼?", "어떻게 해?", "ok", "delete it",
        "무슨 문서가 있어?", "what files are there?", "그럼 안녕", "이건?", "", "who? " * 40,
    ],
)  # fmt: skip
def test_what_stands_for_itself(said: str) -> None:
    assert not goes_on(said)


async def test_it_is_looked_for_with_the_question_before_it(search: Search, library: FakeLibrary) -> None:
    library.passages = [passage(1, "seoul budget and money"), passage(2, "lee cleans the seoul office and kim the berlin office")]
    reply = await search.answer(make_request(meant(search, "and for seoul?"), scopes=[PUBLIC]))
    assert reply.sources[0].title == "2.txt"
    assert is_meant("and for seoul?", library.passages[1], library.passages[0])


async def test_what_names_something_else_is_looked_for_by_itself(search: Search, library: FakeLibrary) -> None:
    library.passages = [passage(1, "the deposit is paid by march"), passage(2, "kim cleans the berlin office")]
    reply = await search.answer(make_request(meant(search, "and the deposit?"), scopes=[PUBLIC]))
    assert reply.sources[0].title == "1.txt"


def test_of_one_passage_the_sentence_for_what_was_said_is_meant() -> None:
    rates = passage(1, "Jeju 130, Busan 110")
    assert not is_meant("and Busan?", rates, rates)
    assert is_meant("when?", rates, rates)
    assert is_meant("and Daegu?", rates, None)


async def test_its_buttons_ask_the_whole_question(search: Search, library: FakeLibrary) -> None:
    library.passages = [passage(number, "kim cleans the berlin office") for number in range(1, 9)]
    asked = meant(search, "why?")
    reply = await search.answer(make_request(asked, scopes=[PUBLIC]))
    whole = "who cleans the Berlin office why?"
    assert [button.command for button in reply.buttons] == [
        Command("search", f"--count 1 {whole}"), Command("search", f"--count 10 {whole}"),
    ]  # fmt: skip
    press = replace(make_message("", id="press:1"), command=reply.buttons[1].command, reply_to=make_message("why?", id="now"))
    assert len((await search.answer(make_request(press, scopes=[PUBLIC]))).sources) == 8


def test_it_goes_on_from_what_was_searched_for_alone(search: Search) -> None:
    listed = [make_message("which files do you have?"), make_message("/files lease"), make_message("list docs about the lease")]
    for asked in (*listed, make_message("")):
        assert search.goes_on("and for seoul?", [replace(FOUND, message=asked)]) is None
    assert search.goes_on("and for seoul?", [replace(FOUND, skill="summarise")]) is None
    assert search.goes_on("and for seoul?", [replace(FOUND, message=make_message("/search berlin"))]) is not None


async def test_a_file_that_came_with_the_question_is_not_kept_again(search: Search, library: FakeLibrary, tmp_path: Path) -> None:
    file = make_attachment(fake_kit(tmp_path), "document", "a.txt", b"kim cleans the berlin office")
    asked = meant(search, "why?", before=replace(FOUND, message=replace(QUESTION, attachments=(file,))))
    library.passages = [passage(1, "kim cleans the berlin office")]
    assert "I have" not in (await search.answer(make_request(asked, scopes=[PUBLIC]))).text
    assert asked.reply_to is not None
    assert asked.reply_to.attachments == ()
