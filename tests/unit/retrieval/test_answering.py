from datetime import UTC, datetime, timedelta

import pytest

from bot.retrieval.answering import Heard, choose, pledges
from bot.retrieval.spoken import Asked, heard

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def talk(*lines: tuple[str, str, float]) -> list[Heard]:
    return [
        Heard(who, text, own, NOW - timedelta(minutes=len(lines) - place), f"message:{place}")
        for place, (who, text, own) in enumerate(lines)
    ]


def asked(question: str) -> Asked:
    return heard(question, now=NOW)


LOGIN = talk(
    ("Ann", "the login page is broken", 0.9), ("Ben", "who has time to fix that?", 0.5), ("Cho", "점심 먹었어요", 0.0),
    ("Dan", "I'll do it", 0.0), ("Ben", "thanks", 0.0),
)  # fmt: skip


def test_who_takes_it_on_answers_though_the_words_stand_in_the_question() -> None:
    choice = choose(LOGIN, asked("who said they would fix the login page?"))
    assert (LOGIN[choice.best].who, choice.unanswered) == ("Dan", False)


def test_who_told_of_it_answers_where_no_deed_is_asked_for() -> None:
    assert LOGIN[choose(LOGIN, asked("who said the login page is broken?")).best].who == "Ann"


def test_who_asked_is_the_question_itself() -> None:
    lines = talk(("Ann", "where is the adapter?", 0.8), ("Ben", "the adapter is in the drawer", 0.8))
    assert lines[choose(lines, asked("who asked about the adapter?")).best].who == "Ann"


def test_a_question_that_nobody_answered_is_told_so() -> None:
    assert choose(talk(("Ann", "who fixes the login?", 1.0)), asked("who fixes the login?")).unanswered
    assert choose(talk(("Ann", "who fixes it?", 1.0), ("Ann", "anyone?", 0.0)), asked("who fixes it?")).unanswered


def test_a_reply_answers_what_it_replies_to_and_not_what_stands_between() -> None:
    lines = [
        *talk(("Ann", "who fixes the login?", 1.0), ("Ben", "which room today?", 0.0), ("Cho", "room four", 0.0)),
        Heard("Dan", "me", 0.0, NOW, "message:9", "message:0"),
    ]
    assert lines[choose(lines, asked("who fixes the login?")).best].who == "Dan"


def test_why_is_answered_by_what_comes_after() -> None:
    lines = talk(("Ann", "임계값을 80%로 올렸어요", 1.0), ("Ben", "why?", 0.0), ("Ann", "새벽마다 울려서요", 0.0))
    assert choose(lines, asked("임계값 왜 올렸대?")).best == 2


def test_the_words_of_the_named_person_are_asked_for() -> None:
    lines = talk(("Ann", "the timeout is 30 seconds", 0.9), ("Sofia", "12 is enough", 0.4))
    assert choose(lines, asked("what did Sofia say about the timeout?"), speakers={"Sofia"}).best == 1
    assert choose(lines, asked("what did Ann say about the timeout?"), speakers={"Ann"}).best == 0


def test_the_day_that_is_named_decides_between_equals() -> None:
    lines = [Heard("Ann", "deploy", 1.0, NOW - timedelta(days=2)), Heard("Ann", "deploy", 1.0, NOW - timedelta(days=1))]
    assert choose(lines, asked("what did Ann say yesterday about the deploy?")).best == 1


@pytest.mark.parametrize(
    "text", ["I'll do it", "on it", "제가 할게요", "다시 만들게요", "갱신할게", "I can take it", "알아보겠습니다"]
)
def test_who_takes_something_on_is_known(text: str) -> None:
    assert pledges(text)


@pytest.mark.parametrize("text", ["it is done", "그게 뭐죠", "아무개요", "he will come", ""])
def test_what_takes_nothing_on_is_told_apart(text: str) -> None:
    assert not pledges(text)
