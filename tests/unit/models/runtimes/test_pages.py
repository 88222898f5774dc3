"""What a reader is given of a question and a passage: words in order, whose they are, and what the other side has of them."""

from itertools import pairwise

import numpy as np
import pytest

from bot.models import prepare
from bot.models.runtimes import minilm_ko, reader
from bot.models.runtimes.hangul_inputs import BEGIN, END, Inputs
from bot.models.runtimes.pages import ACROSS, ALIKE, EMPTY, MOST, MOST_ASKED, MOST_TITLE, NOWHERE, SAME, Page, Pages
from bot.models.tasks import ReadInput
from bot.text.lexicon import Lexicon

LINES = ("repair\t고치\tmend", "고치\trepair\t수리", "the\t그\t")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    folder = prepare.prepared_minilm(tmp_path_factory.mktemp("home"))
    return minilm_ko.shared_inputs(lambda: reader._inputs(folder))


@pytest.fixture(scope="module")
def pages(inputs: Inputs) -> Pages:
    return Pages(inputs, Lexicon(sorted(LINES)))


def asked(question: str, title: str, *sentences: str) -> ReadInput:
    text = " ".join(sentences)
    starts = [sum(len(one) + 1 for one in sentences[:at]) for at in range(len(sentences))]
    return ReadInput(
        question, title, text, tuple((start, start + len(one)) for start, one in zip(starts, sentences, strict=True))
    )


def said_of(page: Page, side: int) -> list[int]:
    """Return what is said of the words of a side, signs and ends with them."""
    return page.matches[page.sides == side].tolist()


def test_question_title_and_sentences_stand_in_one_row_each_with_its_number(pages: Pages, inputs: Inputs) -> None:
    page = pages.of(asked("who paints", "shed", "Ann paints.", "Ben rests."))
    begin, end = (inputs.words[token].astype(np.float32) for token in (BEGIN, END))

    assert page.rows.shape == (13, 384)
    assert page.rows.dtype == np.float32
    assert page.sides.tolist() == [0] * 4 + [1] * 9
    assert page.sentences.tolist() == [-1] * 6 + [0] * 3 + [1] * 3 + [-1]
    assert np.array_equal(page.rows[0], begin)
    assert all(np.array_equal(page.rows[at], end) for at in (3, 5, 12))
    assert [at for at in range(13) if np.array_equal(page.rows[at], end)] == [3, 5, 12]


def test_korean_stands_by_its_morphemes(pages: Pages, inputs: Inputs) -> None:
    page = pages.of(asked("휴가", "", "휴가는 길다."))
    (alone,) = inputs.rows(["휴가"])

    assert np.array_equal(page.rows[1], alone[1])
    assert np.array_equal(page.rows[4], alone[1]), "the particle behind it has no vector"


@pytest.mark.parametrize(
    ("question", "sentence", "of_question", "of_sentence"),
    [
        ("bike", "Bikes.", SAME, SAME),
        ("who", "Who?", EMPTY, EMPTY),
        ("bike", "Boat.", NOWHERE, NOWHERE),
        ("repair", "고치다.", ACROSS, ACROSS),
        ("고치다", "Repaired.", ACROSS, ACROSS),
        ("repairs", "Mend.", ALIKE, ALIKE),
        ("the", "그.", NOWHERE, NOWHERE),
        ("1,000", "1000.", SAME, SAME),
    ],
)
def test_of_each_word_is_said_whether_the_other_side_has_it(
    pages: Pages, question: str, sentence: str, of_question: int, of_sentence: int
) -> None:
    """By stem or morpheme, and by the list of words: what it stands for in the other language, and in the same one."""
    page = pages.of(asked(question, "", sentence))

    assert said_of(page, 0)[1] == of_question
    assert page.matches[page.sentences == 0][0] == of_sentence


def test_a_word_itself_counts_before_what_says_the_same(pages: Pages) -> None:
    page = pages.of(asked("repair", "", "Repair, mend, 고치다."))

    assert said_of(page, 0) == [NOWHERE, SAME, NOWHERE]
    assert {SAME, ALIKE, ACROSS} <= set(said_of(page, 1))


def test_the_title_is_of_the_pages_side_and_of_no_sentence(pages: Pages) -> None:
    page = pages.of(asked("bike", "bike", "Boat."))
    (at,) = np.flatnonzero((page.matches == SAME) & (page.sides == 1))

    assert said_of(page, 0)[1] == SAME
    assert page.sentences[at] == -1


def test_long_parts_are_cut_and_what_has_no_room_is_left_out(pages: Pages) -> None:
    page = pages.of(asked("when " * 300, "shed " * 300, *["Ann paints it blue."] * 100))
    of_title = (page.sides == 1) & (page.sentences == -1)

    assert len(page.rows) == MOST
    assert (page.sides == 0).sum() == MOST_ASKED + 2
    assert of_title.sum() == MOST_TITLE + 2
    assert 0 < page.sentences.max() < 99
    assert all(later - former in (0, 1) for former, later in pairwise(page.sentences[page.sentences >= 0].tolist()))


def test_no_more_sentences_are_looked_at_than_could_have_room(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    placed = Inputs.placed

    def counted(self: Inputs, texts: list[str]) -> object:
        seen.append(len(texts))
        return placed(self, texts)

    monkeypatch.setattr(Inputs, "placed", counted)
    pages.of(asked("when", "", *["Now."] * 5000))

    assert seen == [MOST + 2]


def test_where_nothing_is_said_there_are_ends_alone(pages: Pages) -> None:
    page = pages.of(ReadInput("", "", "", ()))

    assert page.sides.tolist() == [0, 0, 1, 1]
    assert page.sentences.tolist() == [-1] * 4


def test_what_is_not_within_a_sentence_is_not_read(pages: Pages) -> None:
    text = "# heading\nAnn paints."
    page = pages.of(ReadInput("who", "", text, ((10, len(text)),)))

    assert (page.sentences == 0).sum() == len(page.rows) - 5
