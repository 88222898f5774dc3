"""RapidOCR reads English with the wheel's own models, and says that it knows no Hangul."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from bot.errors import ModelError
from bot.models.runtimes import rapidocr
from bot.models.runtimes.rapidocr import RapidReader, _latin
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.tasks import ImageFile
from skills.ocr.golden.make import HERE, Case, cases

SPEC = ModelSpec("ocr.rapidocr.v1", "ocr", "rapidocr", "package", "rapidocr")


@pytest.fixture(scope="module")
def model() -> Iterator[RapidReader]:
    loaded = rapidocr.load(SPEC, Path(), LoadOptions())
    yield loaded
    loaded.close()


@pytest.mark.parametrize("case", [case for case in cases() if case.language == "en"], ids=lambda case: case.file)
def test_the_english_golden_pictures_are_read(case: Case, model: RapidReader) -> None:
    (reading,) = model.predict([ImageFile(HERE / case.file)])
    assert reading.text.split() == case.text.split()
    assert reading.confidence > 0.9
    assert (reading.engine, reading.languages) == ("rapidocr", ("en",))


def test_korean_is_left_out_rather_than_misread(model: RapidReader) -> None:
    korean, mixed = model.predict([ImageFile(HERE / "chat-ko.png"), ImageFile(HERE / "mixed-ko.png")])
    assert (korean.text, korean.confidence) == ("", 0.0)
    assert "Please bring the report." in mixed.text.splitlines()
    assert all(letter.isascii() for letter in mixed.text)


def test_nothing_is_read_where_there_is_nothing(model: RapidReader, tmp_path: Path) -> None:
    Image.new("RGB", (300, 200), "white").save(tmp_path / "a.png")
    (reading,) = model.predict([ImageFile(tmp_path / "a.png")])
    assert (reading.text, reading.confidence) == ("", 0.0)
    assert model.predict([]) == []


def test_its_models_are_files_of_the_wheel_and_nothing_is_fetched() -> None:
    files = rapidocr.model_files()
    assert files is not None
    assert set(files) == {"Det", "Cls", "Rec"}
    assert all(file.is_file() for file in files.values())
    assert rapidocr.available()


def test_without_its_models_it_is_not_available(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rapidocr, "FILES", {"Det": "*_no_such_*.onnx"})
    assert not rapidocr.available()
    with pytest.raises(ModelError, match="pip install rapidocr"):
        rapidocr.load(SPEC, Path(), LoadOptions())


def test_a_missing_file_and_a_closed_reader_are_told(tmp_path: Path) -> None:
    reader = RapidReader(lambda _path: pytest.fail("asked"))  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="no picture"):
        reader.predict([ImageFile(tmp_path / "gone.png")])
    reader.close()
    with pytest.raises(ModelError, match="unloaded"):
        reader.predict([ImageFile(tmp_path / "gone.png")])


@pytest.mark.parametrize(
    ("read", "kept"), [("昌Team chat", "Team chat"), ("百原lo章百", ""), ("café №5", "café No5"), ("...", ""), ("12:30", "12:30")]
)
def test_signs_that_nobody_wrote_are_left_out(read: str, kept: str) -> None:
    assert _latin(read) == kept
