import pytest

from bot.passage import PUBLIC, Passage
from bot.retrieval.chunk import Piece
from bot.retrieval.embed import draft, unpack_sentences
from bot.retrieval.evidence import EVIDENCE
from bot.retrieval.features import weigh
from bot.retrieval.mark import OWN, Sentences, read
from bot.store.shelf import Shown
from bot.text.words import terms


def sentences(*texts: str, title: str = "") -> Sentences:
    drafts = [draft([Piece(text, "", None, 0, len(text))], title=title)[0] for text in texts]
    return unpack_sentences(
        [
            Shown(Passage(1, PUBLIC, title, "", text, "", "en"), drafted.terms, drafted.sentences)
            for text, drafted in zip(texts, drafts, strict=True)
        ]
    )


def marked(question: str, text: str, title: str = "") -> str | None:
    cut = terms(text)
    asked = weigh(terms(question), dict.fromkeys(cut, 1), 10, question)
    (reading,) = read(question, [text], asked, sentences(text, title=title))
    assert reading.evidence.shape == (OWN,)
    return None if reading.span is None else text[slice(*reading.span)]


@pytest.mark.parametrize("texts", [["The lease ends."], ["The lease ends.", "Kim orders boxes.", ""]])
def test_a_question_without_a_word_marks_nothing(texts: list[str]) -> None:
    readings = read("\ufffd\ufffd", texts, weigh([], {}, 10, "\ufffd\ufffd"), sentences(*texts))
    assert [reading.span for reading in readings] == [None] * len(texts)


@pytest.mark.parametrize(
    ("question", "text", "answer"),
    [
        ("When did the office open?", "The office is in Busan. It opened in 2019. It is blue.", "It opened in 2019."),
        (
            "Who approves the leave?",
            "Leave is granted for a year. The leave is approved by Minji Kim.",
            "The leave is approved by Minji Kim.",
        ),
        ("How many days of leave are there?", "Leave is for everyone. There are 25 days of it.", "There are 25 days of it."),
        (
            "육아휴직은 최대 몇 년인가요?",
            "육아휴직은 누구나 씁니다. 기간은 최대 1년입니다. 승인이 필요합니다.",
            "기간은 최대 1년입니다.",
        ),
        (
            "When is the release of Paydesk 3.2?",
            "1. Release of Paydesk 3.2\nThe export is done. The release moves to 18 March.",
            "The release moves to 18 March.",
        ),
        (
            "Harbour Street saturday hours",
            "3 Harbour Street, by the ferry.\n\nMon-Fri: 7:00 - 15:00\nSat: 8:00 - 16:00",
            "Sat: 8:00 - 16:00",
        ),
        (
            "Is it open on wednesday?",
            "Open hours below.\n\nMon: closed\nTue-Fri: 6:30 - 18:00\nSat: 7:30",
            "Tue-Fri: 6:30 - 18:00",
        ),
        ("목요일 진료시간", "월·수·금: 10:00~19:00\n화·목: 10:00~21:00\n토: 09:00~13:00", "화·목: 10:00~21:00"),
        (
            "서버 점검은 언제 하나요?",
            "서버 정기 점검\n\n점검은 둘째 주 수요일에 합니다.\n\n담당자: 박지훈",
            "점검은 둘째 주 수요일에 합니다.",
        ),
        (
            "소방훈련은 언제예요?",
            "제목: 소방훈련 실시 안내\n일시: 5월 21일 오후 3시\n집결지: 1층 주차장",
            "일시: 5월 21일 오후 3시",
        ),
        ("What is the guest password?", "Guest Wi-Fi\nNetwork: Guests\nPassword: blue-otter", "Password: blue-otter"),
        ("회의는 언제 시작하나요?", "회의는 2층에서 합니다. 회의는 오후 3시에 시작합니다.", "회의는 오후 3시에 시작합니다."),
    ],
)
def test_the_sentence_that_answers_is_marked(question: str, text: str, answer: str) -> None:
    assert marked(question, text) == answer


def test_what_the_title_says_counts_less_than_what_the_sentence_alone_says() -> None:
    text = "- Address: 10.2.0.12\n- Admin console: https://boreas.example\n- Owner: Mina"
    assert marked("what is the address of boreas", text, title="Server boreas") == "- Address: 10.2.0.12"


def test_a_passage_of_one_sentence_is_marked_whole() -> None:
    assert marked("where are the drawings", "The drawings lie in the blue cabinet.") == "The drawings lie in the blue cabinet."


def test_why_is_answered_by_the_sentence_that_says_because() -> None:
    text = "- 돌산5의 출시를 9월로 미룬다. 방수 시험이 끝나지 않았기 때문이다."
    assert marked("돌산5 출시는 왜 미뤘나요?", text) == "방수 시험이 끝나지 않았기 때문이다."


def test_a_price_is_the_sentence_with_the_sum() -> None:
    text = "The Gull Mini is a drifter of 4.5 kg for schools. It costs 890,000 won. It floats."
    assert marked("price of the Gull Mini", text) == "It costs 890,000 won."


def test_a_headline_with_a_colon_answers_nothing() -> None:
    text = "Incident report: outage of 17 April\n\nNo buoy could send. The cause was an expired key.\n"
    assert marked("why was there an outage on 17 April", text) == "The cause was an expired key."
    assert marked("담당자가 누구예요", "담당자: 박지훈\n\n전화: 119") == "담당자: 박지훈"


@pytest.mark.parametrize(
    ("question", "text", "answer"),
    [
        (
            "환불은 언제까지 되나요?",
            "배송은 얼마나 걸리나요?\n영업일 3일입니다.\n환불은 언제까지 되나요?\n14일까지입니다.",
            "14일까지입니다.",
        ),
        (
            "where is the paper for the printer",
            "Q. Where is the paper for the printer?\nA. In the second drawer. It is white.",
            "A. In the second drawer.",
        ),
        ("database port", "database:\n  host: db.example\n  port: 6543\n", "port: 6543"),
        ("where is the printer", "Was it moved? Where is the printer?", "Where is the printer?"),
    ],
)
def test_a_question_is_not_marked_but_what_answers_it(question: str, text: str, answer: str) -> None:
    assert marked(question, text) == answer


def test_rows_that_are_equal_by_their_terms_are_told_apart_by_their_letters() -> None:
    text = "이름: 서미나 | 직급: 팀장 | 전화: 4415\n이름: 서미란 | 직급: 팀장 | 전화: 6150"
    assert marked("서미란 팀장 전화", text) == "이름: 서미란 | 직급: 팀장 | 전화: 6150"


def test_nothing_is_marked_where_nothing_fits() -> None:
    assert marked("elephants", "The office is closed. The lamp is blue.") is None


def test_an_empty_passage_is_read_without_harm() -> None:
    assert marked("anything", " ") is None


def test_passages_read_together_are_read_as_each_alone() -> None:
    question = "When did the Busan office of the lamp makers open?"
    texts = [
        "The lamp makers have a house in Busan. Their office opened in 2019. It is blue.",
        " ",
        "The office opened. It did so in 2019, on a Monday.",
        "It is here.",
        "Dogs bark. The lamp makers like them. In 1999 they had two.",
    ]
    asked = weigh(terms(question), {"lamp": 4, "offic": 3, "open": 2, "busan": 1}, 10, question)
    together = read(question, texts, asked, sentences(*texts))
    alone = [read(question, [text], asked, sentences(text))[0] for text in texts]
    assert [reading.span for reading in together] == [reading.span for reading in alone]
    assert sum(reading.span is not None for reading in together) == 3
    own = [at for at, name in enumerate(EVIDENCE[:OWN]) if name not in ("others_hold", "ahead_of_others")]
    assert together[0].evidence[own].tolist() == alone[0].evidence[own].tolist()
    assert [reading.evidence.tolist() for reading in together[1:]] == [reading.evidence[:2].tolist() for reading in alone[1:]]
