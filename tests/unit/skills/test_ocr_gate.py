"""The gate of the readers: worse readings have less, and what is no reading is told."""

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

import pytest
from PIL import Image

from bot.locale import LANGUAGES
from bot.models.runtimes import tesseract
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.tasks import ImageFile, Reading
from skills.ocr.gate import OcrGate, golden
from skills.ocr.golden.make import HERE

GATE = OcrGate()
SPEC = ModelSpec("ocr.tesseract.v1", "ocr", "tesseract", "builtin")
TRUTH = {HERE / case.file: case.text for case in golden(())}

installed = pytest.mark.skipif(
    not tesseract.available() or len(tesseract.installed(tesseract.tessdata() or Path())) < 2,
    reason="Tesseract's data for Korean and English is not installed: apt install tesseract-ocr tesseract-ocr-kor",
)


def perfect(batch: Sequence[ImageFile]) -> list[Reading]:
    return [Reading(TRUTH.get(image.path, ""), 1.0, "x", ("ko", "en")) for image in batch]


def without(letter: str) -> object:
    return lambda batch: [Reading(one.text.replace(letter, ""), 1.0, "x", ("ko", "en")) for one in perfect(batch)]


def quality(predict: object) -> dict[str, float]:
    scored = GATE.evaluate(predict, lambda _texts: None, ())  # type: ignore[arg-type,return-value]
    return {language: fmean(one.score for one in scored if one.language == language) for language in LANGUAGES}


def test_a_perfect_reader_has_all_and_each_lost_letter_is_seen() -> None:
    assert quality(perfect) == {"ko": 1.0, "en": 1.0}
    lost = quality(without("e"))
    assert lost["en"] < 1 - 2 * GATE.tolerance
    assert lost["ko"] > lost["en"]
    assert quality(without("다"))["ko"] < 1 - GATE.tolerance


@installed
def test_tesseract_reads_both_languages() -> None:
    model = tesseract.load(SPEC, Path(), LoadOptions())
    read = quality(model.predict)
    model.close()
    assert read["en"] > 0.98
    assert read["ko"] > 0.8


@pytest.mark.parametrize("case", golden(()), ids=lambda case: case.file)
def test_every_case_has_its_picture(case: object) -> None:
    with Image.open(HERE / case.file) as picture:  # type: ignore[attr-defined]
        assert picture.width >= case.size  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("index", "reading", "said"),
    [
        (0, Reading("", 0.0, "x", ()), "read nothing"),
        (1, Reading("Americano 4,500", 0.9, "x", ()), "not in the script"),
        (0, Reading("플랫 화이트", 0.9, "x", ()), "not in the script"),
        (2, Reading("ghost", 0.9, "x", ()), "holds none"),
        (0, Reading("Flat white", 7.0, "x", ()), "between 0 and 1"),
    ],
)
def test_what_is_no_reading_is_told(index: int, reading: Reading, said: str) -> None:
    readings = perfect(GATE.canaries())
    assert GATE.fault(GATE.canaries(), readings, LANGUAGES) is None
    readings[index] = reading
    fault = GATE.fault(GATE.canaries(), readings, LANGUAGES)
    assert fault is not None
    assert said in fault.to("en")


def test_a_reader_without_hangul_is_not_asked_for_it() -> None:
    assert {case.language for case in golden(["en"])} == {"en"}
    nothing = [one if index != 1 else Reading("", 0.0, "x", ("en",)) for index, one in enumerate(perfect(GATE.canaries()))]
    assert GATE.fault(GATE.canaries(), nothing, ["en"]) is None
