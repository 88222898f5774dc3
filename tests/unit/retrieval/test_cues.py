import pytest

from bot.retrieval.cues import NO_MONEY, ONCE, asked_for, is_title, kinds, plainly


@pytest.mark.parametrize(
    ("question", "holds", "lacks"),
    [
        ("When did it open?", "It opened in 2019.", "It opened in spite of the rain."),
        ("who approves it", "Newton approves it.", "It is approved by the board."),
        ("How much is the fee?", "It is 12 euros.", "It is cheap."),
        ("why was it down", "The cause was an expired key.", "It was down for long."),
        ("Where is it?", "Address: Rua do Ouro", "It is large."),
        ("점검은 언제예요?", "둘째 주 수요일입니다.", "새로 만듭니다."),
        ("며칠까지 되나요?", "한 주에 이틀까지 됩니다.", "기본급의 50퍼센트입니다."),
        ("담당자가 누구야?", "담당: 박서연입니다", "예약하세요"),
        ("when do wages come", "They are paid on the 25th.", "They are paid by hand."),
        ("when is it delivered", "Tue + Fri", "by van"),
        ("saturday hours", "8:00 - 16:00", "beside the ferry"),
        ("무슨 요일에 와?", "화·금에 온다", "차로 온다"),
        ("집결지는 어디인가요?", "집결지: 정문 앞", "빨리 걸으세요"),
    ],
)
def test_a_sentence_that_holds_what_is_asked_for_is_told_from_one_that_does_not(question: str, holds: str, lacks: str) -> None:
    held, lacked = kinds(question, [holds, lacks])
    assert asked_for(question)
    assert held > 0 == lacked


def test_what_the_question_says_itself_is_no_answer() -> None:
    assert kinds("How many were there in 1990?", ["In 1990 there were some.", "In 1990 there were 9."]).tolist() == [0, ONCE]


def test_a_number_is_compared_whole() -> None:
    assert kinds("2025년 한도는 얼마인가요?", ["2025년에 정했다.", "25를 넘지 않는다."]).tolist() == [0, 1]


def test_money_says_more_than_another_number_where_money_is_asked_for() -> None:
    assert kinds("빔프로젝터 예산", ["3층에 둔다.", "1,450,000원이다."]).tolist() == [ONCE * NO_MONEY, 1]
    assert kinds("What does it cost?", ["It has 16 screws.", "It costs 40 euros.", "USD 40"]).tolist() == [NO_MONEY, 1, 1]
    assert kinds("합계 금액", ["합계(만원): 31000"]).tolist() == [1]
    assert kinds("repair of the pedal how much", ["It has 28 inches.", "It costs 340 pounds."]).tolist() == [NO_MONEY, 1]
    amount, day = kinds("월 임대료는 매달 며칠에 내나요?", ["1,350만원으로 한다.", "매달 15일에 낸다."])
    assert amount < day


def test_a_field_and_a_product_are_no_persons() -> None:
    assert kinds("who tested it", ["Object: the Dolsan 3", "Tested by Hannah Voss"]).tolist() == [0, 1]


def test_what_is_asked_for_is_plainly_held() -> None:
    assert plainly("왜 미뤘나요?", ["시험이 끝나지 않았기 때문이다."]).all()
    assert plainly("why was it down", ["The cause was an expired key."]).all()
    assert not plainly("why was it down", ["It was down since May."]).any()
    assert not plainly("when was it down", ["The cause was an expired key."]).any()
    assert plainly("price of the drifter", ["It costs 890,000 won."]).all()
    assert not plainly("price of the drifter", ["It weighs 4.5 kg."]).any()
    assert not plainly("when is the rent paid", ["The rent is 900 euros."]).any()


def test_more_of_it_says_more() -> None:
    assert kinds("언제예요?", ["2025년 행사", "5월 21일 오후 3시"]).tolist() == [ONCE, 1]


def test_nothing_is_asked_for() -> None:
    assert not asked_for("holiday rules")
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
