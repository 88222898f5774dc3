"""By which power of a text's length a time grows, told from times that are made up."""

from collections.abc import Callable

import pytest

from benchmarks.faults import text_growth
from benchmarks.faults.text_growth import STEEP, slope


@pytest.mark.parametrize(
    ("takes", "power"),
    [
        (lambda length: 1e-6 * length, None),
        (lambda length: 2e-5 * length, 1.0),
        (lambda length: 1e-8 * length**2, 2.0),
        (lambda length: (2e-6 if length < 6_000 else 2e-5) * length, 1.0),  # a step is no power
    ],
)
def test_a_square_is_told_from_a_step(
    monkeypatch: pytest.MonkeyPatch, takes: Callable[[int], float], power: float | None
) -> None:
    monkeypatch.setattr(text_growth, "seconds", lambda _function, text: takes(len(text)))
    found = slope(len, "a", most=64_000)
    assert (found is None) is (power is None)
    if found is not None and power is not None:
        assert found == pytest.approx(power, abs=0.1)
        assert (found > STEEP) is (power > STEEP)
