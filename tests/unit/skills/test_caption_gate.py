"""The gate of the captioners: what is named counts, and one caption for everything is told."""

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest
from PIL import Image

from bot.image_look import look_at
from bot.locale import LANGUAGES, Language
from bot.models.tasks import Caption, ImageFile
from skills.caption.gate import HERE, CaptionGate, golden

GATE = CaptionGate()
KOREAN = {"red": "빨간", "blue": "파란", "green": "초록", "yellow": "노란", "black": "검은"}
SHAPES = {"circle": "동그라미", "square": "네모", "triangle": "세모", "star": "별"}


def words(file: Path) -> tuple[str, str]:
    ink, _dash, shape = file.stem.partition("-")
    return ink, shape


def english(batch: Sequence[ImageFile]) -> list[Caption]:
    return [Caption(f"A {ink} {shape} on a white background") for ink, shape in (words(one.path) for one in batch)]


def korean(batch: Sequence[ImageFile]) -> list[Caption]:
    return [Caption(f"흰 바탕에 {KOREAN[ink]} {SHAPES[shape]}") for ink, shape in (words(one.path) for one in batch)]


def colour_blind(batch: Sequence[ImageFile]) -> list[Caption]:
    return [Caption(f"A {words(one.path)[1]}") for one in batch]


def quality(predict: object, language: Language) -> float:
    return fmean(one.score for one in GATE.evaluate(predict, lambda _texts: np.zeros((0, 0)), [language]))  # type: ignore[arg-type]


def test_both_points_count_in_each_language() -> None:
    assert quality(english, "en") == quality(korean, "ko") == 1.0
    assert quality(colour_blind, "en") == 0.5
    assert quality(english, "ko") == quality(korean, "en") == 0.0


@pytest.mark.parametrize("case", golden(["en"]), ids=lambda case: case.file)
def test_the_pictures_are_what_their_names_say(case: object) -> None:
    with Image.open(HERE / case.file) as file:  # type: ignore[attr-defined]
        seen = look_at(file.convert("RGB"), size=file.size, camera=False, tagged=False)
    assert {one.name for one in seen.colours} == {"white", case.file.partition("-")[0]}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("captions", "said"),
    [
        (("a red circle", "a blue square"), None),
        (("a picture", "a picture"), "says the same"),
        (("", "a square"), "no words"),
        (("a", "very " * 400), "come to an end"),
    ],
)
def test_what_is_no_caption_is_told(captions: tuple[str, str], said: str | None) -> None:
    fault = GATE.fault(GATE.canaries(), [Caption(text) for text in captions], LANGUAGES)
    assert fault is None if said is None else fault is not None and said in fault.to("en")
