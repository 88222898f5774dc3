import numpy as np
import pytest

from bot.retrieval.closer import AROUND, CLOSENESS, MOST, around, closeness

COUNT = 8


@pytest.mark.parametrize("marked", range(COUNT))
def test_the_sentences_around_the_marked_one_are_looked_at(marked: int) -> None:
    assert set(around(COUNT, marked)) == {at for at in range(COUNT) if abs(at - marked) <= AROUND}


@pytest.mark.parametrize(("count", "looked_at"), [(3, 3), (MOST + 5, MOST)])
def test_without_a_marked_one_the_first_sentences_are_looked_at(count: int, looked_at: int) -> None:
    assert list(around(count, None)) == list(range(looked_at))


def test_a_passage_of_one_sentence_is_looked_at_whole() -> None:
    assert list(around(1, 0)) == [0]
    numbers = closeness(np.array([[0.6, 0.8]], np.float32), 0, np.array([1, 0], np.float32), passage=0.6)
    assert dict(zip(CLOSENESS, numbers.round(4).tolist(), strict=True)) == pytest.approx(
        {"marked": 0.6, "nearest": 0.6, "mean": 0.6, "second": 0.6, "marked_is_nearest": 1, "ahead_of_passage": 0}
    )


def test_without_a_marked_one_the_nearest_counts_for_it() -> None:
    vectors, question = np.array([[1, 0], [0, 1]], np.float32), np.array([0, 1], np.float32)
    unmarked, marked = (closeness(vectors, place, question, passage=0.25).tolist() for place in (None, 1))
    assert unmarked == marked


def test_a_sentence_nearer_than_the_marked_one_is_told() -> None:
    vectors = np.array([[1, 0], [0, 1]], np.float32)
    told = dict(zip(CLOSENESS, closeness(vectors, 0, np.array([0, 1], np.float32), passage=0.25).tolist(), strict=True))
    assert told["marked"] == 0
    assert told["nearest"] == 1
    assert told["marked_is_nearest"] == 0
    assert told["ahead_of_passage"] == 0.75
