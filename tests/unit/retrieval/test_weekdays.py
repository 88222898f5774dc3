import pytest

from bot.retrieval.weekdays import asked_day, days_of


@pytest.mark.parametrize(
    ("line", "days"),
    [
        ("Sat: 8:00 - 16:00", {5}),
        ("Tue-Fri: 6:30 - 18:00", {1, 2, 3, 4}),
        ("Delivered Tue + Fri", {1, 4}),
        ("Monday to Thursday", {0, 1, 2, 3}),
        ("closed Fri-Mon", {4, 5, 6, 0}),
        ("open on weekdays", {0, 1, 2, 3, 4}),
        ("Thurs. only", {3}),
        ("토: 09:30~14:00", {5}),
        ("월·화·목·금: 09:30~18:30", {0, 1, 3, 4}),
        ("일·공휴일: 휴진", {6}),
        ("수리 기사는 화·금에 온다", {1, 4}),
        ("월요일~수요일", {0, 1, 2}),
        ("월~금 9시", {0, 1, 2, 3, 4}),
        ("12월 9일(수) 오전 10시", {2}),
        ("평일과 주말", {0, 1, 2, 3, 4, 5, 6}),
    ],
)
def test_a_line_names_days_in_short(line: str, days: set[int]) -> None:
    assert days_of(line) == days


@pytest.mark.parametrize(
    "line", ["The sun sat low.", "a satellite", "Sunil pays", "3월, 4월", "월 2만 원", "수 3개", "화·목질", "일을 한다"]
)
def test_what_only_looks_like_a_day_is_none(line: str) -> None:
    assert days_of(line) == set()


def test_the_terms_of_a_question_are_days() -> None:
    assert (asked_day("saturday"), asked_day("일요일"), asked_day("sat")) == (5, 6, None)
