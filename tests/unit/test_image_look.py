"""What a picture's pixels tell: colours by name, kind with evidence, sharpness."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from bot.image_look import PROTOTYPES, SCREENS, Look, look_at


def look(image: Image.Image, *, camera: bool = False, tagged: bool = False) -> Look:
    return look_at(image.convert("RGB"), size=image.size, camera=camera, tagged=tagged)


def window(size: tuple[int, int]) -> Image.Image:
    image = Image.new("RGB", size, "#c8d8e8")
    ImageDraw.Draw(image).rectangle((0, 0, size[0], size[1] // 8), fill="#14213d")
    return image


def slopes(*, noise: float = 12) -> Image.Image:
    down, across = np.mgrid[0:480, 0:640]
    colours = np.stack([down / 2.2, across / 3, 128 + 90 * np.sin(across / 80 + down / 50)], axis=-1)
    chance = np.random.default_rng(5)
    return Image.fromarray(np.clip(colours + chance.normal(0, noise, colours.shape), 0, 255).astype(np.uint8))


@pytest.mark.parametrize(("code", "name"), [(codes[0], name) for name, codes in PROTOTYPES.items()])
def test_each_colour_has_its_name(code: str, name: str) -> None:
    seen = look(Image.new("RGB", (64, 64), f"#{code}")).colours
    assert [(colour.name, colour.share) for colour in seen] == [(name, 1.0)]


@pytest.mark.parametrize(
    ("colour", "name"), [("#fa5050", "red"), ("#00c040", "green"), ("#2030d0", "blue"), ("#e8e8ec", "white")]
)
def test_a_near_colour_has_the_nearest_name(colour: str, name: str) -> None:
    assert look(Image.new("RGB", (64, 64), colour)).colours[0].name == name


def test_colours_come_with_their_shares_most_first_and_specks_are_left_out() -> None:
    image = Image.new("RGB", (200, 100), "white")
    image.paste("#1c71d8", (0, 0, 50, 100))
    image.paste("#e01b24", (60, 0, 64, 100))
    assert [(colour.name, round(colour.share, 1)) for colour in look(image).colours] == [("white", 0.7), ("blue", 0.2)]


def test_the_file_s_own_word_is_certain() -> None:
    assert look(slopes(), camera=True).kind == "photo"
    assert look(slopes(), camera=True).certain
    assert look(slopes(), tagged=True).evidence == ("tag",)


@pytest.mark.parametrize("turned", [False, True])
def test_the_size_of_a_screen_with_even_areas_makes_a_screenshot(*, turned: bool) -> None:
    size = (1080, 2400)
    seen = look(window((size[1], size[0]) if turned else size))
    assert (seen.kind, seen.certain, seen.evidence) == ("screenshot", False, ("screen_size", "flat"))


def test_a_photo_of_the_size_of_a_screen_is_no_screenshot() -> None:
    image = slopes().resize((1080, 1920), Image.Resampling.NEAREST)
    noisy = np.clip(np.asarray(image, dtype=np.int16) + np.random.default_rng(1).integers(-9, 9, (1920, 1080, 3)), 0, 255)
    assert look(Image.fromarray(noisy.astype(np.uint8))).kind == "photo"


def test_many_blending_colours_make_a_photo_without_certainty() -> None:
    seen = look(slopes())
    assert (seen.kind, seen.certain, seen.blurred) == ("photo", False, False)


def test_even_areas_in_few_colours_make_a_graphic() -> None:
    assert look(window((300, 200))).kind == "graphic"


def test_a_white_picture_with_ink_is_like_a_page() -> None:
    page = Image.new("RGB", (400, 560), "white")
    for row in range(40, 520, 20):
        ImageDraw.Draw(page).line((40, row, 360, row), fill="black", width=3)
    assert look(page).kind == "page"


def test_one_colour_is_nothing_to_see() -> None:
    assert look(Image.new("RGB", (300, 300), "#113355")).kind == "even"


def test_a_blurred_photo_is_called_so() -> None:
    assert look(slopes(noise=40).filter(ImageFilter.GaussianBlur(6)), camera=True).blurred


def test_brightness_follows_the_light() -> None:
    assert look(Image.new("L", (50, 50), 8)).brightness < 0.2
    assert look(Image.new("L", (50, 50), 250)).brightness > 0.95


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (2, 2)])
def test_the_smallest_pictures_are_looked_at_too(size: tuple[int, int]) -> None:
    assert look(Image.new("RGB", size, "red")).colours[0].name == "red"


def test_screens_are_listed_shorter_side_first() -> None:
    assert all(short <= long for short, long in SCREENS)
