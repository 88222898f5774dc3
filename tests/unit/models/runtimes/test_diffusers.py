import importlib.util
import io
import json
from pathlib import Path

import pytest
from fakes import tiny_models
from PIL import Image

from bot.errors import ModelError, UnsafeModelError
from bot.models.runtimes import diffusers
from bot.models.runtimes.diffusers import CONSISTENCY, FULL, TURBO, Painter, load, pace_of
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.tasks import DrawingInput

SPEC = ModelSpec("tiny", "imagine", "diffusers", "folder")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Painter:
    return load(SPEC, tiny_models.diffusion(tmp_path_factory.mktemp("diffusers") / "sd"), LoadOptions())


def test_the_same_words_and_seed_give_the_same_picture_and_another_seed_another(model: Painter) -> None:
    fox = DrawingInput("a red fox", 64, 64, seed=1)
    first, again, other = model.predict([fox, fox, DrawingInput("a red fox", 64, 64, seed=2)])
    assert first == again
    assert first != other
    picture = Image.open(io.BytesIO(first))
    assert (picture.format, picture.size) == ("PNG", (64, 64))
    assert model.predict([]) == []


def test_sizes_are_brought_to_what_the_network_takes(model: Painter) -> None:
    assert [diffusers._fitting(size) for size in (1, 130, 512, 5000)] == [64, 128, 512, 1024]
    assert Image.open(io.BytesIO(model.predict([DrawingInput("x", 70, 130)])[0])).size == (64, 128)


def test_few_steps_are_taken_by_what_was_distilled(model: Painter, tmp_path: Path) -> None:
    def scheduler(**said: str) -> Path:
        (tmp_path / "scheduler").mkdir(exist_ok=True)
        (tmp_path / "scheduler" / "scheduler_config.json").write_text(json.dumps(said))
        return tmp_path

    assert model._pace == CONSISTENCY
    assert pace_of(SPEC, scheduler(_class_name="EulerDiscreteScheduler", timestep_spacing="trailing")) == TURBO
    assert pace_of(SPEC, scheduler(_class_name="PNDMScheduler")) == FULL
    assert pace_of(ModelSpec("imagine.sd-turbo.v1", "imagine", "diffusers", "hub"), tmp_path / "none") == TURBO


def test_without_the_extra_a_sentence_says_what_to_type(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(diffusers, "find_spec", lambda _name: None)
    with pytest.raises(ModelError, match=r"pip install 'paring\[draw\]'"):
        load(SPEC, tmp_path, LoadOptions())


def test_a_folder_of_pickles_is_refused(tmp_path: Path) -> None:
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet" / "diffusion_pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(UnsafeModelError):
        load(SPEC, tmp_path, LoadOptions())


def test_a_pipeline_of_its_own_code_runs_no_line(tmp_path: Path, model: Painter) -> None:
    folder = tiny_models.diffusion(tmp_path / "hostile")
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\nclass Evil: pass\n")
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps({**index, "_class_name": ["evil", "Evil"]}))
    with pytest.raises(ModelError):
        load(SPEC, folder, LoadOptions())
    assert not (tmp_path / "ran").exists()


def test_a_closed_model_is_told_in_a_sentence(tmp_path: Path) -> None:
    closed = load(SPEC, tiny_models.diffusion(tmp_path / "closed"), LoadOptions())
    closed.close()
    with pytest.raises(ModelError, match="unloaded"):
        closed.predict([DrawingInput("x")])


def test_the_extra_is_looked_for_without_an_import() -> None:
    assert diffusers.available() is (importlib.util.find_spec("diffusers") is not None)
