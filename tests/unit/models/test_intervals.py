"""Means and their intervals: bounds that hold the mean, the same for the same values, as wide as few cases deserve."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models.intervals import difference_of, mean_of

scores = st.lists(st.floats(0, 1), min_size=1, max_size=40)


@given(scores)
def test_the_interval_holds_the_mean_and_stays_on_the_scale(values: list[float]) -> None:
    found = mean_of(values)

    assert found.mean == pytest.approx(sum(values) / len(values))
    assert -1e-9 <= found.low <= found.mean <= found.high <= 1 + 1e-9


@given(scores, st.randoms(use_true_random=False))
def test_the_order_of_the_values_does_not_matter(values: list[float], chance: random.Random) -> None:
    shuffled = chance.sample(values, len(values))

    assert mean_of(shuffled) == mean_of(values)
    assert difference_of(values, shuffled) == difference_of(shuffled, values)


def test_one_value_alone_tells_nothing() -> None:
    assert (mean_of([0.7]).low, mean_of([0.7]).high) == (0.0, 1.0)
    assert (difference_of([0.2], [0.7, 0.8]).low, difference_of([0.2], [0.7, 0.8]).high) == (-1.0, 1.0)


def test_more_cases_make_it_narrower() -> None:
    few, many = mean_of([0.2, 0.4, 0.6, 0.8] * 2), mean_of([0.2, 0.4, 0.6, 0.8] * 50)

    assert few.high - few.low > 4 * (many.high - many.low)


def test_it_holds_the_truth_about_as_often_as_it_says() -> None:
    chance = random.Random(5)
    held = 0
    for _sample in range(200):
        found = mean_of([chance.betavariate(2, 2) for _case in range(12)])
        held += found.low <= 0.5 <= found.high

    assert 180 <= held <= 198


def test_a_difference_of_other_cases_is_of_their_means() -> None:
    found = difference_of([0.1, 0.2, 0.3] * 10, [0.7, 0.8, 0.9] * 20)

    assert found.mean == pytest.approx(0.6)
    assert 0.5 < found.low < 0.6 < found.high < 0.7
    assert found.count == 30
