"""What corrects the question before it, what it is asked as anew, and what is no correction."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.message import Command, Message
from bot.passage import PUBLIC, Passage
from bot.skill import Before
from bot.testing import FakeLibrary, fake_kit, make_message, make_request
from skills.search.correct import Correction, asked_anew, is_about, read
from skills.search.skill import Search, build

QUESTION = make_message("who cleans the Berlin office?", id="asked")
ANSWER = make_message("kim cleans the berlin office, lee the seoul office", by_bot=True)
FOUND = Before(QUESTION, "search", ANSWER)


@pytest.fixture
def library() -> FakeLibrary:
    return FakeLibrary()


@pytest.fixture
def search(tmp_path: Path, library: FakeLibrary) -> Search:
    return build(fake_kit(tmp_path, library=library, models={"embed": lambda text: text}))


def meant(search: Search, said: str, *before: Before) -> Message:
    """Return the message as the host gives it to the skill."""
    found = search.goes_on(said, before or [FOUND])
    assert found is not None
    return replace(make_message(said, id="now"), command=found[0], reply_to=found[1])


@pytest.mark.parametrize(
    ("said", "right", "wrong"),
    [
        ("no, I meant the Seoul office", "the Seoul office", ""), ("I meant the one from 2024", "from 2024", ""),
        ("no, Seoul not Berlin", "Seoul", "Berlin"), ("not Berlin, Seoul", "Seoul", "Berlin"), ("Seoul instead of Berlin", "Seoul", "Berlin"),
        ("not Berlin but Seoul", "Seoul", "Berlin"), ("sorry, Seoul", "Seoul", ""), ("no, Seoul instead", "Seoul", ""),
        ("아니 베를린 말고 서울", "서울", "베를린"), ("베를린이 아니라 서울이요", "서울", "베를린"), ("베를린 말고 서울은?", "서울", "베를린"),
        ("아니, 서울 사무소 말이야", "서울 사무소", ""), ("서울 사무소 물어본 거야", "서울 사무소", ""), ("아 미안 서울이요", "서울", ""),
        ("그게 아니라 서울", "서울", ""),
    ],
)  # fmt: skip
def test_what_is_meant_and_what_is_not_is_read(search: Search, said: str, right: str, wrong: str) -> None:
    correction = read(said)
    assert correction is not None
    assert (correction.meant, correction.rejected) == (right, wrong)
    assert search.may_go_on(said)


@pytest.mark.parametrize(
    "said",
    [
        "no", "no, thanks", "no thank you", "no, that's wrong", "no problem", "no, I don't need it", "no, translate it", "not now, later",
        "no idea", "well done", "ok cool", "I'm looking for the audit findings", "어 알았어", "그게 뭔 말이야",
        "I meant to say thanks", "I mean it", "sorry", "actually, summarise the lease", "not bad", "no, in English please",
        "who cleans the Seoul office?", "why not?", "make it shorter", "no, Paul told me that it is closed",
        "아니", "아니 괜찮아", "아니야 됐어", "아니요 고마워요", "아니 진짜 웃기네", "그거 말고 다른 거",
        "정말이야", "주말이야", "그게 무슨 말이야", "내 말이야",
        "미안해", "아니 영어로",
        "아니 영어로 번역해 줘", "한국어 말고 영어로", "아니 왜", "연차 며칠이야", "아 그래", "아니 요약해줘",
        "아니 " + "베를린 말고 " * 20 + "서울",
    ],
)  # fmt: skip
def test_what_is_no_correction(said: str) -> None:
    assert read(said) is None


@pytest.mark.parametrize(
    ("asked", "said", "anew"),
    [
        ("who cleans the Berlin office?", "no, Seoul not Berlin", "who cleans the Seoul office?"),
        ("who cleans the Berlin office?", "no, I meant the Seoul office", "who cleans the Seoul office?"),
        ("who cleans the Berlin office?", "sorry, Seoul", "who cleans the Seoul office?"),
        ("what does the plan of 2023 say?", "I meant the one from 2024", "what does the plan of 2024 say?"),
        ("what's Anna's number", "I meant Ben's", "what's Ben's number"),
        ("who has room 4?", "actually room 12", "who has room 12?"),
        ("베를린 사무소는 누가 청소해?", "아니 베를린 말고 서울", "서울 사무소는 누가 청소해?"),
        ("베를린에서는 누가 청소해?", "베를린이 아니라 서울", "서울 누가 청소해?"),
        ("휴가는 며칠이야?", "아니, 병가 말이야", "병가 며칠이야?"),
        ("김민수 과장 번호", "아 미안 이지은 대리", "이지은 대리 번호"),
        ("임대차는 언제 끝나?", "언제 말고 어디서", "임대차는 어디서 끝나?"),
        ("김민수 자리 번호", "아니 이지은 말이야", "이지은 자리 번호"),
        ("who pays?", "I meant the deposit", "who pays the deposit"),
    ],
)  # fmt: skip
def test_the_question_is_asked_anew(asked: str, said: str, anew: str) -> None:
    correction = read(said)
    assert correction is not None
    assert is_about(correction, asked, "")
    assert asked_anew(correction, asked)[0] == anew


def test_of_a_korean_question_what_stood_before_the_exchanged_words_is_asked_with_them_alone_too() -> None:
    correction = read("수수료 말고 마감")
    assert correction is not None
    assert asked_anew(correction, "세무사 수수료가 얼마야?") == ("세무사 마감 얼마야?", "세무사 마감")


def test_bare_words_correct_what_the_question_or_the_answer_holds_alone() -> None:
    bare = Correction("서울", "", told=False)
    assert not is_about(bare, "베를린 사무소는 누가 청소해?", "김 씨")
    assert is_about(bare, "베를린 사무소는 누가 청소해?", "베를린은 김 씨, 서울은 이 씨")
    assert not is_about(Correction("music", "", told=False), "who cleans the Berlin office?", "kim")
    apart = Correction("guests", "staff", told=False)
    assert not is_about(apart, "what is the network called?", "ask the desk")
    assert is_about(apart, "what is the network called?", "the staff network is called blue")


async def test_it_is_looked_for_anew(search: Search, library: FakeLibrary) -> None:
    library.passages = [
        Passage(1, PUBLIC, "1.txt", "", "kim cleans the berlin office", "", "en"),
        Passage(2, PUBLIC, "2.txt", "", "lee cleans the seoul office", "", "en"),
    ]
    reply = await search.answer(make_request(meant(search, "no, I meant the Seoul office"), scopes=[PUBLIC]))
    assert reply.sources[0].title == "2.txt"


def test_what_goes_on_from_the_question_may_begin_with_no(search: Search) -> None:
    assert search.may_go_on("no I mean when does it close")
    assert search.may_go_on("아니 몇 시에 시작해?")
    assert not search.may_go_on("no, when does the shop close?")
    asked = meant(search, "no, when does it close?")
    assert asked.command is not None
    assert asked.command.args == "--after when does it close?"


def test_an_ordinary_message_is_left_to_the_others(search: Search) -> None:
    assert search.goes_on("no, music", [FOUND]) is None
    assert search.goes_on("no, Seoul", [replace(FOUND, skill="summarise")]) is None


def test_what_was_corrected_before_stays_so(search: Search) -> None:
    once = Before(make_message("no, Seoul", id="2"), "search", ANSWER, went_on=True)
    after = meant(search, "seoul 말고 busan", once, FOUND).reply_to
    assert after is not None
    assert after.text == "who cleans the Seoul office?"
    other = Before(make_message("and for Rome?", id="2"), "search", ANSWER, went_on=True)
    asked = meant(search, "no, Oslo not Rome", other, FOUND)
    assert (asked.command, asked.reply_to) == (Command("search", "--after and for Oslo?"), QUESTION)
    asked = meant(search, "no, Seoul not Berlin", replace(other, message=make_message("and when?", id="2")), FOUND)
    assert asked.reply_to is not None
    assert (asked.command, asked.reply_to.text) == (
        Command("search", "--instead no, Seoul not Berlin"), "who cleans the Berlin office and when?",
    )  # fmt: skip
    topic = replace(other, message=make_message("그럼 반차는?", id="2"))
    assert meant(search, "아니 병가 말이야", topic, FOUND).command == Command("search", "--after 그럼 병가?")
