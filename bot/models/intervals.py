"""Means with their 95 % intervals, by resampling: how sure a figure over few cases is.

Owns: the statistics. Leaves what follows from them to `bot.models.card`. The same values give the same interval, in whatever order.

    mean_of([0.2, 0.4, 0.9])                 # Estimate(mean=0.5, low=…, high=…, count=3)
    difference_of([0.2, 0.4], [0.3, 0.8])    # of the second to the first, apart
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

RESAMPLES: Final = 4000
SEED: Final = 20_260
MISSED: Final = 0.05
"""The share of intervals that may miss the truth."""
_BLOCK: Final = 1 << 20
"""Draws that are held in memory at once."""

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over `count` cases, and the bounds of its 95 % interval."""

    mean: float
    low: float
    high: float
    count: int


def mean_of(values: Sequence[float], *, least: float = 0.0, most: float = 1.0) -> Estimate:
    """Return the mean of `values`, each within least..most; of one value alone the interval is all of that.

    Source: T. Hesterberg, "What Teachers Should Know about the Bootstrap" (2014), section 4.3: the percentile interval, its
    quantiles moved outwards as Student's t and n-1 ask for, because that of a small sample is too narrow.
    """
    found = _sorted(values)
    mean = float(found.mean())
    if len(found) == 1:
        return Estimate(mean, least, most, 1)
    tail = _tail(len(found))
    low, high = np.quantile(_resampled(found, np.random.default_rng(SEED)), [tail, 1 - tail])
    return Estimate(mean, min(float(low), mean), max(float(high), mean), len(found))


def difference_of(before: Sequence[float], after: Sequence[float]) -> Estimate:
    """Return how much higher the mean of `after` is than that of `before`, which are of other cases; both within 0..1."""
    old, new = _sorted(before), _sorted(after)
    mean, count = float(new.mean() - old.mean()), min(len(old), len(new))
    if count == 1:
        return Estimate(mean, -1.0, 1.0, 1)
    chance = np.random.default_rng(SEED)
    tail = _tail(count)
    low, high = np.quantile(_resampled(new, chance) - _resampled(old, chance), [tail, 1 - tail])
    return Estimate(mean, min(float(low), mean), max(float(high), mean), count)


def _sorted(values: Sequence[float]) -> Values:
    return np.sort(np.asarray(values, dtype=np.float64))


def _resampled(values: Values, chance: np.random.Generator) -> Values:
    """Return the means of RESAMPLES samples of the values' own size, drawn from them with replacement."""
    size = len(values)
    rows = max(1, _BLOCK // size)
    blocks = [values[chance.integers(0, size, (min(rows, RESAMPLES - start), size))] for start in range(0, RESAMPLES, rows)]
    return np.concatenate([block.mean(axis=1) for block in blocks])


def _tail(count: int) -> float:
    """Return the share of resampled means that lies outside on either side."""
    from scipy.special import ndtr, stdtrit  # noqa: PLC0415 - 60 ms that only who draws up a card pays

    return float(ndtr(np.sqrt(count / (count - 1)) * stdtrit(count - 1, MISSED / 2)))
