import numpy as np
import pytest

from bot.retrieval.closer import AROUND, CLOSENESS, around, closeness

SAID = tuple("abcdefgh")


@pytest.mark.parametrize("marked", range(len(SAID)))
def test_the_sentences_around_the_marked_one_are_looked_at(marked: int) -> None:
    said, place = around(SAID, marked)
    assert said[place] == SAID[marked]
    assert set(said) == set(SAID[max(0, marked - AROUND) : marked + AROUND + 1])


def test_a_passage_of_one_sentence_is_looked_at_whole() -> None:
    assert around(["only"], 0) == (("only",), 0)
    numbers = closeness(np.array([[0.6, 0.8]], np.float32), 0, np.array([1, 0], np.float32), passage=0.6)
    assert dict(zip(CLOSENESS, numbers.round(4).tolist(), strict=True)) == pytest.approx(
        {"marked": 0.6, "nearest": 0.6, "mean": 0.6, "second": 0.6, "marked_is_nearest": 1, "ahead_of_passage": 0}
    )


def test_a_sentence_nearer_than_the_marked_one_is_told() -> None:
    vectors = np.array([[1, 0], [0, 1]], np.float32)
    told = dict(zip(CLOSENESS, closeness(vectors, 0, np.array([0, 1], np.float32), passage=0.25).tolist(), strict=True))
    assert told["marked"] == 0
    assert told["nearest"] == 1
    assert told["marked_is_nearest"] == 0
    assert told["ahead_of_passage"] == 0.75
