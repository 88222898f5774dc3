import pytest

from bot.passage import PUBLIC, Passage
from bot.retrieval.chunk import Piece
from bot.retrieval.embed import draft, unpack_sentences
from bot.retrieval.features import weigh
from bot.retrieval.mark import EVIDENCE, OWN, Sentences, read, weigh_up
from bot.store.shelf import Shown
from bot.text.words import terms


def sentences(text: str, title: str = "") -> Sentences:
    (drafted,) = draft([Piece(text, "", None, 0, len(text))], title=title)
    return unpack_sentences(Shown(Passage(1, PUBLIC, title, "", text, "", "en"), drafted.terms, drafted.sentences))


def marked(question: str, text: str, title: str = "") -> str | None:
    cut = terms(text)
    reading = read(question, text, weigh(terms(question), dict.fromkeys(cut, 1), 10, question), sentences(text, title))
    assert reading.evidence.shape == (OWN,)
    return None if reading.span is None else text[slice(*reading.span)]


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
        ("회의는 언제 시작하나요?", "회의는 2층에서 합니다. 회의는 오후 3시에 시작합니다.", "회의는 오후 3시에 시작합니다."),
    ],
)
def test_the_sentence_that_answers_is_marked(question: str, text: str, answer: str) -> None:
    assert marked(question, text) == answer


def test_a_passage_of_one_sentence_has_no_mark() -> None:
    assert marked("where is it", "It is here.") is None


def test_nothing_is_marked_where_nothing_fits() -> None:
    assert marked("elephants", "The office is closed. The lamp is blue.") is None


def test_an_empty_passage_is_read_without_harm() -> None:
    assert marked("anything", " ") is None


def test_being_ahead_of_rivals_is_evidence() -> None:
    asked = weigh(["blue", "lamp"], {"blue": 1, "lamp": 1}, 10, "blue lamp")
    good, bad = (read("blue lamp", text, asked, sentences(text)) for text in ("A blue lamp. A dog.", "A dog. A cat."))
    ahead = EVIDENCE.index("ahead")
    assert weigh_up(good, [bad])[ahead] > weigh_up(good, [good])[ahead] == 0
    assert weigh_up(good, []).shape == (len(EVIDENCE),)
