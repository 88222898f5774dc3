"""A picture of lines is made level and stretched."""

import pytest
from PIL import Image, ImageDraw

from bot.models.runtimes.straighten import FAINT, LEAST, slope, straightened, stretched


def lines(*, paper: int = 255, ink: int = 0) -> Image.Image:
    picture = Image.new("L", (600, 400), paper)
    draw = ImageDraw.Draw(picture)
    for top in range(60, 340, 40):
        for left in range(60, 520, 60):
            draw.rectangle((left, top, left + 44, top + 14), fill=ink)
    return picture


@pytest.mark.parametrize("angle", [-9.0, -3.0, 0.0, 2.0, 7.5])
def test_the_slope_of_lines_is_found(angle: float) -> None:
    turned = lines().rotate(angle, expand=True, fillcolor=255, resample=Image.Resampling.BICUBIC)
    assert abs(slope(turned) - angle) < LEAST


def test_a_sloping_picture_is_made_level_first() -> None:
    first, *turns = straightened(lines().rotate(5, expand=True, fillcolor=255, resample=Image.Resampling.BICUBIC))
    assert abs(slope(first)) < LEAST
    assert len(turns) == 3


def test_a_level_picture_is_turned_three_ways() -> None:
    picture = lines()
    assert [turned.size for turned in straightened(picture)] == [(400, 600), (400, 600), (600, 400)]


def test_a_faint_picture_is_stretched_and_any_other_left_alone() -> None:
    faint = lines(paper=200, ink=160)
    assert stretched(faint).getextrema() == (0, 255)
    clear = lines(paper=230, ink=230 - FAINT)
    assert stretched(clear) is clear
    blank = Image.new("L", (30, 30), 200)
    assert stretched(blank) is blank
