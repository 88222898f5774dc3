"""How the time of a function grows with the length of a text, on a machine that does other things as well.

Owns the measure: the processor's time of this thread, the least of some tries, at lengths that double. A function is linear where ten
times as long a text takes about ten times as long (`STEEP` allows for what is noise).

    slope(len, "a", most=16_000)   # None: too quick to be steep
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import suppress

STEEP = 1.3
"""The exponent from which on a function is not linear: 2 is quadratic, 1.1 the n log n of a sort."""
SIGNS_A_SECOND = 100_000.0
"""What takes longer than this by the sign at a length is measured at others; a quick one cannot be steep enough to be felt."""
TRIES = 3
QUICK_S = 0.0005
"""What is done sooner is as quick as anything: a first call, a page of memory."""
CLEAR_S = 16 * QUICK_S
"""What takes this long at a length is slower than quick at a quarter of it, too, if its time grows as the square."""
FIRST, STEP = 32, 8

Function = Callable[[str], object]


def slope(function: Function, piece: str, *, most: int, suffix: str = "", a_second: float = SIGNS_A_SECOND) -> float | None:
    """Return by which power of the length the time grows; None where all lengths up to `most` are done quickly."""
    length = FIRST
    while (spent := seconds(function, _text(piece, length, suffix))) <= length / a_second and length < most:
        length = min(most, length * STEP)
    if spent <= length / a_second:
        return None
    while spent < CLEAR_S and length < most:
        length = min(most, length * 2)
        spent = seconds(function, _text(piece, length, suffix))
    power = _power(function, piece, suffix, length)
    if power > STEEP and length < most:  # a step between two lengths looks like it; what is steep is so further on, too
        power = min(power, _power(function, piece, suffix, min(most, 4 * length)))
    return power


def _power(function: Function, piece: str, suffix: str, length: int) -> float:
    """Return by which power the time grows up to `length`."""
    sizes = (length, length // 2, length // 4)
    times = [min(seconds(function, _text(piece, size, suffix)) for _try in range(TRIES)) for size in sizes]
    return math.log2(max(times[0], QUICK_S) / max(times[-1], QUICK_S)) / 2


def seconds(function: Function, text: str) -> float:
    """Return the processor's seconds of one call; an error is an end like another."""
    begun = time.thread_time()
    with suppress(Exception):  # what a function refuses, it has looked at
        function(text)
    return time.thread_time() - begun


def _text(piece: str, length: int, suffix: str) -> str:
    return (piece * (length // len(piece) + 1))[:length] + suffix
