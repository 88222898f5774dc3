"""RapidOCR reads English with the wheel's own models, and says that it knows no Hangul."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from bot.errors import ModelError
from bot.models.runtimes import rapidocr
from bot.models.runtimes.rapidocr import RapidReader, _meant
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.tasks import ImageFile
from skills.ocr.golden.make import HERE, Case, cases

SPEC = ModelSpec("ocr.rapidocr.v1", "ocr", "rapidocr", "package", "rapidocr")
ENGLISH = ("small-en.png", "dark-en.png", "shadow-en.png")
"""A few of the golden pictures; all are read where a model is tried."""


@pytest.fixture(scope="module")
def model() -> Iterator[RapidReader]:
    loaded = rapidocr.load(SPEC, Path(), LoadOptions())
    yield loaded
    loaded.close()


@pytest.mark.parametrize("case", [case for case in cases() if case.file in ENGLISH], ids=lambda case: case.file)
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


def a_recogniser(file: Path, said: str) -> None:
    """Write an ONNX model that reads `said`, whatever it is shown; its letters stand in its metadata as RapidOCR's own have them."""
    letters = sorted(set(said))
    steps = np.zeros((1, 2 * len(said), len(letters) + 2), np.float32)
    for place, letter in enumerate(said):
        steps[0, 2 * place, 1 + letters.index(letter)] = 1
        steps[0, 2 * place + 1, 0] = 1
    nodes = [
        helper.make_node("ReduceMean", ["x", "axes"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        helper.make_node("Reshape", ["nothing", "shape"], ["row"]),
        helper.make_node("Add", ["row", "steps"], ["y"]),
    ]
    values = {
        "axes": np.array([1, 2, 3], np.int64), "zero": np.zeros(1, np.float32), "shape": np.array([-1, 1, 1], np.int64),
        "steps": steps,
    }  # fmt: skip
    graph = helper.make_graph(
        nodes,
        "reads",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 48, "width"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", "steps", len(letters) + 2])],
        [numpy_helper.from_array(value, name) for name, value in values.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    helper.set_model_props(model, {"character": "\n".join(letters)})
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(model.SerializeToString())


def test_a_recogniser_that_is_brought_reads_what_the_wheels_own_models_find(tmp_path: Path) -> None:
    a_recogniser(tmp_path / "cyrillic" / "cyrillic-v1-rec.onnx", "Да")
    a_recogniser(tmp_path / "korean" / "korean-v1-rec.onnx", "회의OK")
    spec = ModelSpec("ocr.rapidocr-korean.v1", "ocr", "rapidocr", "hub", "a/b", languages=("ko", "en"))
    brought = rapidocr.load(spec, tmp_path, LoadOptions())
    (reading,) = brought.predict([ImageFile(HERE / "chat-ko.png")])
    brought.close()
    assert set(reading.text.split()) == {"회의OK"}
    assert reading.languages == ("ko", "en")


def test_hangul_of_a_recogniser_that_does_not_claim_it_is_left_out(tmp_path: Path) -> None:
    a_recogniser(tmp_path / "my_rec_infer.onnx", "회의OK")
    brought = rapidocr.load(SPEC, tmp_path, LoadOptions())
    (reading,) = brought.predict([ImageFile(HERE / "chat-ko.png")])
    brought.close()
    assert set(reading.text.split()) == {"OK"}


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
    assert _meant(read) == kept
