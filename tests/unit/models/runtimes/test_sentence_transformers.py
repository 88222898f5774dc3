"""A sentence-transformers model in a folder, made by the test: loaded from safetensors, unit rows, nothing foreign run."""

import json
from pathlib import Path

import numpy as np
import pytest
from fakes.tiny_embedder import tiny_embedder

from bot.errors import ModelError, UnsafeModelError
from bot.models.folders import read_folder
from bot.models.runtimes.sentence_transformers import Embedder, load
from bot.models.spec import LoadOptions, ModelSpec

SPEC = ModelSpec("mine", "embed", "sentence-transformers", "folder", location="mine")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_embedder(tmp_path_factory.mktemp("models") / "mine")


@pytest.fixture(scope="module")
def model(made: Path) -> Embedder:
    return load(SPEC, made, LoadOptions(threads=1))


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "mine"
    for file in made.rglob("*"):
        if file.is_file():
            (copy / file.relative_to(made)).parent.mkdir(parents=True, exist_ok=True)
            (copy / file.relative_to(made)).write_bytes(file.read_bytes())
    return copy


def test_rows_are_unit_float32_in_order(model: Embedder) -> None:
    texts = ["hello there", "", "a" * 3000, "lone \ud83d", "nul \x00 nul", "hello"]

    vectors = model.predict(texts)

    assert [(vector.shape, vector.dtype) for vector in vectors] == [((model.dimension,), np.float32)] * len(texts)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.allclose(vectors[0], model.predict(["hello there"])[0], atol=1e-5)
    assert model.predict([]) == []


def test_the_folder_is_known_for_what_it_is(made: Path) -> None:
    spec = read_folder(made, made.parent)

    assert (spec.slot, spec.family, spec.source, spec.location) == ("embed", "sentence-transformers", "folder", "mine")


def test_after_closing_it_says_so(made: Path) -> None:
    model = load(SPEC, made, LoadOptions(threads=1))
    model.close()

    with pytest.raises(ModelError, match="unloaded"):
        model.predict(["hello"])


def test_a_module_of_a_stranger_is_refused(folder: Path) -> None:
    modules = json.loads((folder / "modules.json").read_text())
    modules[0]["type"] = "stranger.Module"
    (folder / "modules.json").write_text(json.dumps(modules))

    with pytest.raises(UnsafeModelError, match=r"stranger\.Module"):
        load(SPEC, folder, LoadOptions(threads=1))


def test_a_pickle_beside_the_weights_is_refused(folder: Path) -> None:
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04K\x01.")

    with pytest.raises(UnsafeModelError, match=r"pytorch_model\.bin"):
        load(SPEC, folder, LoadOptions(threads=1))


def test_a_folder_without_weights_is_refused(folder: Path) -> None:
    (folder / "model.safetensors").unlink()

    with pytest.raises(ModelError):
        load(SPEC, folder, LoadOptions(threads=1))


def test_weights_that_are_cut_off_are_refused(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])

    with pytest.raises(UnsafeModelError, match="cut off"):
        load(SPEC, folder, LoadOptions(threads=1))
