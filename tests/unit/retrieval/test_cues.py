import pytest

from bot.retrieval.cues import ONCE, asks_kind, is_title, kinds


@pytest.mark.parametrize(
    ("question", "holds", "lacks"),
    [
        ("When did it open?", "It opened in 2019.", "It opened in spite of the rain."),
        ("who approves it", "Newton approves it.", "It is approved by the board."),
        ("How much is the fee?", "It is 12 euros.", "It is cheap."),
        ("why was it down", "The cause was an expired key.", "It was down for long."),
        ("Where is it?", "Address: Rua do Ouro", "It is large."),
        ("점검은 언제예요?", "둘째 주 수요일입니다.", "새로 만듭니다."),
        ("담당자가 누구야?", "담당: 박서연입니다", "예약하세요"),
        ("집결지는 어디인가요?", "집결지: 정문 앞", "빨리 걸으세요"),
    ],
)
def test_a_sentence_that_holds_what_is_asked_for_is_told_from_one_that_does_not(question: str, holds: str, lacks: str) -> None:
    held, lacked = kinds(question, [holds, lacks])
    assert asks_kind(question)
    assert held > 0 == lacked


def test_what_the_question_says_itself_is_no_answer() -> None:
    assert kinds("How many were there in 1990?", ["In 1990 there were some.", "In 1990 there were 12."]).tolist() == [0, ONCE]


def test_more_of_it_says_more() -> None:
    assert kinds("언제예요?", ["2025년 행사", "5월 21일 오후 3시"]).tolist() == [ONCE, 1]


def test_nothing_is_asked_for() -> None:
    assert not asks_kind("holiday rules")
    assert kinds("holiday rules", ["There are 12."]).tolist() == [0]


@pytest.mark.parametrize(
    ("line", "first", "title"),
    [
        ("Guest Wi-Fi", True, True), ("Guest Wi-Fi", False, False), ("It is open.", True, False), ("점검을 합니다", True, False),
        ("Name: Kim", True, False), ("- an item", True, False), ("a | b", True, False), ("제목: 안내", False, True), ("x" * 81, True, False),
    ],
)  # fmt: skip
def test_a_title_is_a_short_line_without_an_end(line: str, first: bool, title: bool) -> None:
    assert is_title(line, first=first) is title
