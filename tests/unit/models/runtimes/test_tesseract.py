"""Tesseract reads the golden pictures, in both languages, and nothing where there is nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from bot.errors import ModelError
from bot.models.gates.measures import character_accuracy
from bot.models.runtimes import tesseract
from bot.models.runtimes.tesseract import Tesseract
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.tasks import ImageFile
from skills.ocr.golden.make import HERE, cases

SPEC = ModelSpec("ocr.tesseract.v1", "ocr", "tesseract", "builtin")
MAX_ERROR = 0.05

installed = pytest.mark.skipif(
    not tesseract.available() or len(tesseract.installed(tesseract.tessdata() or Path())) < 2,
    reason="Tesseract's data for Korean and English is not installed: apt install tesseract-ocr tesseract-ocr-kor",
)


@pytest.fixture(scope="module")
def model() -> Iterator[Tesseract]:
    loaded = tesseract.load(SPEC, Path(), LoadOptions())
    yield loaded
    loaded.close()


@installed
@pytest.mark.parametrize("name", ["chat-ko.png", "dark-ko.png", "mixed-ko.png", "small-en.png", "dark-en.png", "shadow-en.png"])
def test_common_pictures_are_read(name: str, model: Tesseract) -> None:
    (reading,) = model.predict([ImageFile(HERE / name)])
    (text,) = [case.text for case in cases() if case.file == name]
    assert character_accuracy(reading.text, text) >= 1 - MAX_ERROR
    assert reading.confidence >= 0.85
    assert reading.engine == "tesseract"
    assert set(reading.languages) == {"ko", "en"}


@installed
def test_lines_stay_lines_and_korean_words_stay_whole(model: Tesseract) -> None:
    (reading,) = model.predict([ImageFile(HERE / "chat-ko.png")])
    assert reading.text.splitlines()[0] == "내일 오후 3시에 회의가 있어요."
    assert len(reading.text.splitlines()) == 3


@installed
def test_nothing_is_kept_of_a_picture_that_was_read(model: Tesseract) -> None:
    model.predict([ImageFile(HERE / "chat-ko.png")])
    engine = model._engine
    assert engine is not None
    assert engine.GetThresholdedImage() is None


@installed
def test_a_batch_keeps_its_order_and_may_be_empty(model: Tesseract) -> None:
    readings = model.predict([ImageFile(HERE / name) for name in ("small-en.png", "chat-ko.png")])
    assert [reading.text.split()[0] for reading in readings] == ["The", "내일"]
    assert model.predict([]) == []


@installed
@pytest.mark.parametrize("kind", ["blank", "noise", "one pixel"])
def test_nothing_is_read_where_there_is_nothing(kind: str, model: Tesseract, tmp_path: Path) -> None:
    grain = np.random.default_rng(2).integers(0, 255, (160, 240, 3), dtype=np.uint8)
    pictures = {
        "blank": Image.new("RGB", (300, 200), "white"),
        "noise": Image.fromarray(grain),
        "one pixel": Image.new("L", (1, 1)),
    }
    pictures[kind].save(tmp_path / "a.png")
    (reading,) = model.predict([ImageFile(tmp_path / "a.png")])
    assert (reading.text, reading.confidence) == ("", 0.0)


@installed
@pytest.mark.parametrize("turn", [90, 180, 270, 6, -4])
@pytest.mark.parametrize("name", ["chat-ko.png", "small-en.png"])
def test_a_turned_picture_is_read_as_the_upright_one(name: str, turn: int, model: Tesseract, tmp_path: Path) -> None:
    with Image.open(HERE / name) as file:
        upright = file.convert("L")
    large = upright.resize((upright.width * 2, upright.height * 2))
    large.rotate(turn, expand=True, fillcolor=255, resample=Image.Resampling.BICUBIC).save(tmp_path / "a.png")
    large.save(tmp_path / "b.png")
    turned, straight = model.predict([ImageFile(tmp_path / "a.png"), ImageFile(tmp_path / "b.png")])
    assert character_accuracy(turned.text, straight.text) >= 1 - MAX_ERROR


@installed
def test_a_picture_that_took_long_is_read_in_no_further_turn(
    model: Tesseract, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Image.open(HERE / "chat-ko.png") as file:
        file.convert("L").rotate(180).save(tmp_path / "a.png")
    (patient,) = model.predict([ImageFile(tmp_path / "a.png")])
    monkeypatch.setattr(tesseract, "PATIENCE_S", -1.0)
    (hasty,) = model.predict([ImageFile(tmp_path / "a.png")])
    assert "회의" in patient.text
    assert "회의" not in hasty.text


@installed
@pytest.mark.parametrize("name", ["chat-ko.png", "small-en.png"])
def test_a_faint_picture_is_read(name: str, model: Tesseract, tmp_path: Path) -> None:
    with Image.open(HERE / name) as file:
        clear = file.convert("L")
    clear.point(lambda lightness: 150 + lightness // 5).save(tmp_path / "a.png")
    faint, plain = model.predict([ImageFile(tmp_path / "a.png"), ImageFile(HERE / name)])
    assert character_accuracy(faint.text, plain.text) >= 1 - MAX_ERROR


@installed
def test_a_dark_panel_beside_a_light_one_is_read_as_well(model: Tesseract, tmp_path: Path) -> None:
    with Image.open(HERE / "small-en.png") as file:
        light = file.convert("L").resize((file.width * 2, file.height * 2))
    both = Image.new("L", (light.width, light.height * 2), 255)
    both.paste(light, (0, 0))
    both.paste(ImageOps.invert(light), (0, light.height))
    both.save(tmp_path / "a.png")
    (reading,) = model.predict([ImageFile(tmp_path / "a.png")])
    assert reading.text.count("pull request") == 2


@installed
def test_a_file_that_is_no_picture_is_told(model: Tesseract, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="no picture"):
        model.predict([ImageFile(tmp_path / "a.png")])


@installed
@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted as Linux tells them")
def test_it_reads_on_one_thread_and_leaves_threads_to_others() -> None:
    program = (
        "import os, sys; from pathlib import Path\n"
        "from bot.models.runtimes import tesseract; from bot.models.spec import LoadOptions, ModelSpec\n"
        "from bot.models.tasks import ImageFile\n"
        "threads = lambda: len(os.listdir('/proc/self/task'))\n"
        "model = tesseract.load(ModelSpec('ocr.tesseract.v1', 'ocr', 'tesseract', 'builtin'), Path(), LoadOptions())\n"
        "import numpy; before = threads(); model.predict([ImageFile(Path(sys.argv[1]))]); alone = threads() - before\n"
        "import torch; torch.set_num_threads(2); before = threads(); torch.exp(torch.rand(4_000_000)); print(alone, threads() - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(HERE / "price-en.png")], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.split() == ["0", "1"]


@installed
def test_after_close_it_says_so() -> None:
    loaded = tesseract.load(SPEC, Path(), LoadOptions())
    loaded.close()
    loaded.close()
    with pytest.raises(ModelError, match="unloaded"):
        loaded.predict([ImageFile(HERE / "small-en.png")])


def test_without_data_it_is_not_available_and_says_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tesseract, "FOLDERS", (str(tmp_path),))
    monkeypatch.delenv("TESSDATA_PREFIX", raising=False)
    assert not tesseract.available()
    with pytest.raises(ModelError, match="apt install tesseract-ocr tesseract-ocr-kor"):
        tesseract.load(SPEC, Path(), LoadOptions())


def test_the_folder_with_most_languages_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder, names in {"one": ("eng",), "two": ("eng", "kor"), "none": ()}.items():
        (tmp_path / folder).mkdir()
        for name in names:
            (tmp_path / folder / f"{name}.traineddata").touch()
    monkeypatch.setattr(tesseract, "FOLDERS", (str(tmp_path / "one"), str(tmp_path / "two")))
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path / "none"))
    assert tesseract.tessdata() == tmp_path / "two"
    assert tesseract.tessdata(tmp_path / "one") == tmp_path / "two"
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path / "two"))
    assert tesseract.tessdata() == tmp_path / "two"


def test_columns_are_told_from_lines_below_each_other() -> None:
    assert tesseract._in_columns([(0, 0, 100, 400), (120, 20, 220, 420)])
    assert not tesseract._in_columns([(0, 0, 300, 200), (0, 220, 300, 420)])
    assert not tesseract._in_columns([(0, 0, 100, 400)])
