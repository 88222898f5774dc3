from datetime import UTC, datetime

import pytest

from bot.retrieval.spoken import heard, is_question, tells

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
"""A Friday."""


@pytest.mark.parametrize(
    ("question", "about", "kind"),
    [
        ("who said they would fix the login?", "would fix the login?", "who"),
        ("Who promised to send the quote?", "send the quote?", "who"),
        ("로그인 고치겠다고 누가 했지?", "로그인 고치겠다고", "who"),
        ("예제 써 준다고 한 사람 누구야?", "예제 써 준다고", "who"),
        ("모니터 옮겨 놓겠다고 한 게 누구지", "모니터 옮겨 놓겠다고", "who"),
        ("what did Sofia say about the timeout?", "Sofia what the timeout?", "what"),
        ("when did Minji say the release is?", "Minji when the release is?", "when"),
        ("데모가 언제라고 했지?", "데모가 언제라고", "when"),
        ("민지님이 뭐라고 했어?", "민지님이", "what"),
    ],
)
def test_what_was_said_is_looked_for_without_who_said_it(question: str, about: str, kind: str) -> None:
    asked = heard(question, now=NOW)
    assert (" ".join(asked.about.split()), asked.kind, asked.saying) == (about, kind, True)


@pytest.mark.parametrize(
    "question",
    [
        "where is the spare adapter?",
        "who is on call?",
        "회고 몇 시로 정했지?",
        "VPN 인증서 언제 만료돼?",
        "lunch menu on Monday",
        "",
    ],
)
def test_other_questions_are_looked_for_as_they_are(question: str) -> None:
    asked = heard(question, now=NOW)
    assert (asked.about, asked.saying, asked.question) == (question, False, False)


@pytest.mark.parametrize("question", ["who asked about the adapter?", "어댑터 어디 있냐고 누가 물어봤지?"])
def test_who_asked_is_told_from_who_said(question: str) -> None:
    assert heard(question, now=NOW).question
    assert not heard(question.replace("asked", "talked").replace("물어봤", "말했"), now=NOW).question


def test_the_speaker_is_told_from_others_who_are_named() -> None:
    assert heard("what did Sofia say about Jun?", now=NOW).speaker == "Sofia"
    assert heard("who told Jun about it?", now=NOW).speaker == ""


@pytest.mark.parametrize(
    ("question", "begin", "end"),
    [
        ("what did Ann say yesterday?", 26, 27),
        ("어제 민지가 뭐라고 했어?", 26, 27),
        ("오늘 아침 민지가 뭐라고 했어?", 27, 28),
        ("그저께 누가 말했지?", 25, 26),
        ("what did Ann say last week?", 16, 23),
        ("지난주에 민지가 뭐라고 했지", 16, 23),
        ("3일 전에 민지가 뭐라고 했지", 24, 25),
        ("what did Ann say on Wednesday?", 25, 26),
        ("월요일에 민지가 뭐라고 했지", 23, 24),
    ],
)
def test_a_day_that_is_named_narrows_the_time(question: str, begin: int, end: int) -> None:
    asked = heard(question, now=NOW)
    assert asked.period is not None
    assert [moment.day for moment in asked.period] == [begin, end]
    assert not any(
        word in asked.about for word in ("yesterday", "어제", "오늘", "last week", "지난주", "전에", "Wednesday", "월요일")
    )


@pytest.mark.parametrize(
    "named",
    [
        "earlier today", "This evening", "the day before yesterday", "Last night", "this week", "last month", "2 days ago", "last FRIDAY",
        "그제", "엊그제", "어젯밤", "저번 주", "이번 주", "지난달", "저번달", "2일 전", "지난 금요일에",
    ],
)  # fmt: skip
def test_a_day_is_heard_however_it_is_named(named: str) -> None:
    assert heard(f"{named} plan", now=NOW).period is not None


@pytest.mark.parametrize(
    "text", ["who fixes the login?", "does anyone know", "로그인 누가 고칠 수 있나요", "같이 가실 분", "is it? I think so."]
)
def test_a_question_is_known(text: str) -> None:
    assert is_question(text)


@pytest.mark.parametrize("text", ["I fix the login", "제가 고칠게요", "who fixes it first wins a cake.", "완료했습니다", ""])
def test_what_tells_something_is_no_question(text: str) -> None:
    assert not is_question(text)


GAP = " " * 4000
"""Tried in every way, it takes minutes to hours, and the bot answers nobody meanwhile."""


@pytest.mark.parametrize("question", ["로그인 고친다고{gap}x", "who{gap}fixes it", "언제라고{gap}했지?{gap}x"])
def test_a_long_gap_in_a_question_is_looked_through_once(question: str) -> None:
    assert heard(question.format(gap=GAP), now=NOW) == heard(question.format(gap=" "), now=NOW)


def test_a_long_gap_in_what_is_said_is_looked_through_once() -> None:
    told = " ".join(f"고쳐 주나요{GAP}줘{GAP}다" for _each in range(50)) + "x"
    assert not is_question(told)
    assert not tells(told)
