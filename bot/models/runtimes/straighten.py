"""A grey picture of text as an engine reads it best: with its full contrast, its lines level, its top above.

Owns: how a picture is stretched and turned. Leaves to `bot.models.runtimes.tesseract` when that is worth a try, and which one reads
best.

    for other in straightened(grey):      # level, then a quarter to the left, a quarter to the right, on its head
        ...
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from PIL.Image import Image

FAINT: Final = 140
"""Lightness (0..255) between the darkest and the lightest of a picture, below which it is stretched."""
OUTLIERS: Final = 0.1
"""Percent of the pixels at either end that do not count."""
STEEPEST: Final = 12.0
"""Degrees that lines may rise or fall."""
LEAST: Final = 0.5
"""Degrees below which lines are level."""
SEEN: Final = 600
"""Pixels of the longer side on which the angle is looked for."""


def stretched(grey: Image) -> Image:
    """Return a faint picture with its full contrast, any other as it is."""
    from PIL import ImageOps  # noqa: PLC0415 - heavy

    full = ImageOps.autocontrast(grey, cutoff=OUTLIERS)
    counts = grey.histogram()
    darkest, lightest = _edge(counts), 255 - _edge(counts[::-1])
    return full if 0 < lightest - darkest < FAINT else grey


def straightened(grey: Image) -> Iterator[Image]:
    """Yield `grey` with its lines made level where they are not, then turned to the left, to the right and upside down."""
    from PIL.Image import Resampling, Transpose  # noqa: PLC0415 - heavy

    angle = slope(grey)
    if abs(angle) >= LEAST:
        yield grey.rotate(-angle, expand=True, resample=Resampling.BICUBIC, fillcolor=_ground(grey))
    for turn in (Transpose.ROTATE_90, Transpose.ROTATE_270, Transpose.ROTATE_180):
        yield grey.transpose(turn)


def slope(grey: Image) -> float:
    """Return by how many degrees the lines of text rise: at that turn, rows of pixels differ most from one another."""
    small = grey.copy()
    small.thumbnail((SEEN, SEEN))
    coarse = max(range(-int(STEEPEST), int(STEEPEST) + 1), key=lambda angle: _evenness(small, angle))
    return max((coarse + step / 4 for step in range(-3, 4)), key=lambda angle: _evenness(small, angle))


def _evenness(small: Image, angle: float) -> float:
    """Return how much the rows of the picture differ, turned back by `angle`: most where lines and the white between are rows."""
    import numpy as np  # noqa: PLC0415 - the picture is small by now, the library is loaded anyway

    turned = np.asarray(small.rotate(-angle, fillcolor=_ground(small)), np.float64)
    return float(np.square(np.diff(turned.mean(axis=1))).sum())


def _ground(grey: Image) -> int:
    counts = grey.histogram()
    return counts.index(max(counts))


def _edge(counts: list[int]) -> int:
    """Return the first lightness at which more than OUTLIERS percent of the pixels have been counted."""
    least, seen = sum(counts) * OUTLIERS / 100, 0
    for lightness, count in enumerate(counts):
        seen += count
        if seen > least:
            return lightness
    return len(counts) - 1
