"""The least of functions whose least is known."""

import numpy as np
import pytest

from bot.models.heads.descent import Rows, least


def test_a_bowl_of_unlike_widths_is_gone_down() -> None:
    width = np.geomspace(1, 1000, 12).astype(np.float32).reshape(4, 3)
    goal = np.arange(12, dtype=np.float32).reshape(4, 3)

    def slope(weights: Rows) -> tuple[float, Rows]:
        off = weights - goal
        return 0.5 * float((width * off * off).sum()), width * off

    assert least(slope, np.zeros((4, 3), np.float32), rounds=100) == pytest.approx(goal, abs=1e-2)


def test_each_round_goes_down() -> None:
    def slope(weights: Rows) -> tuple[float, Rows]:
        off = weights - 3
        return float(np.sqrt(1 + off * off).sum()), off / np.sqrt(1 + off * off)

    values = [slope(least(slope, np.full((5, 1), -4, np.float32), rounds=rounds))[0] for rounds in range(8)]
    assert values == sorted(values, reverse=True)
    assert values[-1] == pytest.approx(5.0, abs=0.05)


def test_a_flat_place_is_left_as_it_is() -> None:
    begin = np.ones((2, 2), np.float32)
    assert least(lambda weights: (0.0, np.zeros_like(weights)), begin, rounds=5) is begin


def test_who_is_told_how_steeply_each_row_bends_arrives_sooner() -> None:
    width = np.geomspace(1, 10_000, 40).astype(np.float32).reshape(40, 1)

    def slope(weights: Rows) -> tuple[float, Rows]:
        off = weights - 1
        return 0.5 * float((width * off * off).sum()), width * off

    begin = np.zeros((40, 1), np.float32)
    untold, told = (slope(least(slope, begin, rounds=6, bends=bends))[0] for bends in (None, np.sqrt(width)))
    assert told < untold / 10
