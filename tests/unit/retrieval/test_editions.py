import numpy as np
import pytest

from bot.retrieval.editions import NEAR, Edition, edition_of, preferred

BOTH = ["prices 2025.xlsx", "prices 2026.xlsx"]
ALL_HELD = np.ones((2, 3), bool)


@pytest.mark.parametrize(
    ("title", "edition"),
    [
        ("prices 2026.xlsx", Edition("prices.xlsx", 2026)),
        ("prices 2025 OLD.xlsx", Edition("prices.xlsx", 2025, retired=True)),
        ("2026 진료비 안내.xlsx", Edition("진료비 안내.xlsx", 2026)),
        ("주차 안내 (2024, 폐지).txt", Edition("주차 안내.txt", 2024, retired=True)),
        ("사무실 이전 안내.txt", Edition("사무실 이전 안내.txt", None)),
        ("Season 2025/26", Edition("season", 2025)),
        ("team/2024/leave.md", Edition("team/ /leave.md", 2024)),
    ],
)
def test_a_title_tells_of_what_it_is_an_edition(title: str, edition: Edition) -> None:
    assert edition_of(title) == edition


@pytest.mark.parametrize(
    "title",
    [
        "2026-03 inspection",
        "minutes 2026.txt",
        "2026년 3월 회의",
        "March 2026",
        "2024 to 2026",
        "제48차 2026",
    ],
)
def test_what_tells_of_a_day_or_a_meeting_is_none(title: str) -> None:
    assert edition_of(title) is None


def exchanged(question: str, *, year: int = 2026, titles: list[str] = BOTH, scores: tuple[float, float] = (2.0, 1.0)) -> bool:
    """Say whether the edition that ranked second is first now."""
    given = np.array(scores, np.float32)
    return bool(np.argmax(preferred(titles, given, lambda: ALL_HELD, question, year=year).scores) != np.argmax(given))


@pytest.mark.parametrize("question", ["how much is rye", "rye this year", "호밀빵 얼마예요"])
def test_the_present_edition_answers(question: str) -> None:
    assert exchanged(question)
    assert not exchanged(question, scores=(1.0, 2.0))


@pytest.mark.parametrize("question", ["how much was rye last year", "작년엔 얼마였어?", "지난해 가격"])
def test_who_asks_for_the_last_year_is_told_of_it(question: str) -> None:
    assert not exchanged(question)
    assert exchanged(question, scores=(1.0, 2.0))


@pytest.mark.parametrize("question", ["rye in 2025", "the old price of rye", "이전 가격", "25년 가격"])
def test_who_says_which_is_believed(question: str) -> None:
    assert not exchanged(question)
    assert not exchanged(question, scores=(1.0, 2.0))


def test_an_edition_that_has_not_begun_waits_for_its_year() -> None:
    titles = ["prices 2027", "prices 2026"]
    assert exchanged("rye", titles=titles)
    assert not exchanged("rye", titles=titles, year=2027)
    assert not exchanged("rye next year", titles=titles)


def test_an_edition_that_fits_far_less_or_says_less_stays_behind() -> None:
    assert not exchanged("rye", scores=(2.0, 2.0 - NEAR - 0.1))
    lacks = np.array([[True, True], [True, False]])
    scores = np.array([2.0, 1.0], np.float32)
    assert preferred(BOTH, scores, lambda: lacks, "rye", year=2026).scores.tolist() == [2.0, 1.0]


def test_two_documents_that_are_no_editions_of_one_stay_as_they_are() -> None:
    assert not exchanged("rye", titles=["prices 2025.xlsx", "wages 2026.xlsx"])
    assert preferred([], np.zeros(0, np.float32), lambda: ALL_HELD, "rye", year=2026).scores.tolist() == []


def test_one_that_says_that_it_holds_no_more_gives_way() -> None:
    assert exchanged("rye", titles=["prices (old).txt", "prices.txt"])
    assert exchanged("주차비", titles=["주차 안내 (2026, 폐지).txt", "주차 안내.txt"])
    assert exchanged("rye", titles=["prices 2026 old.txt", "prices 2025.txt"])
    assert not exchanged("rye", titles=["prices.txt", "prices (old).txt"])
    assert not exchanged("rye", titles=["prices.txt", "prices 2026.txt"])
    assert not exchanged("rye", titles=["prices old.txt", "prices expired.txt"])


@pytest.mark.parametrize(
    ("question", "told"), [("rye last year", "last year"), ("작년 가격", "작년"), ("rye", ""), ("rye next year", "")]
)
def test_the_words_that_named_the_edition_are_told(question: str, told: str) -> None:
    assert preferred(BOTH, np.array([2.0, 1.0], np.float32), lambda: ALL_HELD, question, year=2026).told == told
