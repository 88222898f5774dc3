"""The static embedder that comes with the install: every kind of text has a vector, and near texts have near ones."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bot.errors import ModelError
from bot.models import distil
from bot.models.runtimes.static import Static, load, pooled
from bot.models.spec import LoadOptions, ModelSpec

SPEC = ModelSpec("embed.static.v1", "embed", "static", "package")
TEXTS = [
    "Where is the page about parental leave?",
    "연차 휴가 신청은 어디에서 하나요?",
    "",
    "…!",
    "budget " * 4000,
    "\ud800",
    "leave",
]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Static]:
    loaded = load(SPEC, distil.prepared_static(tmp_path_factory.mktemp("home")), LoadOptions())
    yield loaded
    loaded.close()


def test_rows_are_unit_float32_in_the_order_of_the_texts(model: Static) -> None:
    vectors = model.predict(TEXTS)

    assert [(vector.shape, vector.dtype) for vector in vectors] == [((distil.DIMENSION,), np.float32)] * len(TEXTS)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    for text, vector in zip(TEXTS, vectors, strict=True):
        assert model.predict([text])[0] @ vector > 0.9999
    assert model.predict([]) == []


def test_near_texts_are_nearer_than_far_ones(model: Static) -> None:
    asked, near, far = model.predict(
        ["how do I reset my password?", "passwords are changed on the account page", "bake the bread"]
    )

    assert asked @ near > asked @ far + 0.1


def test_the_table_is_small(tmp_path: Path) -> None:
    folder = distil.prepared_static(tmp_path)

    assert sum(file.stat().st_size for file in folder.iterdir()) < 10_000_000
    assert distil.intact(folder, thorough=True)


def test_a_text_without_a_known_token_has_a_vector_that_is_near_nothing_twice() -> None:
    rows = pooled(np.array([[3, 4], [0, 0]], np.int8), np.array([1, 0], np.float32), [[0, 0], [1], []])

    assert np.allclose(rows, [[0.6, 0.8], [0.5**0.5, 0.5**0.5], [0.5**0.5, 0.5**0.5]])


def test_closed_and_damaged_it_says_so(tmp_path: Path) -> None:
    model = Static(None, np.zeros((1, 2), np.int8), np.ones(1, np.float32))  # type: ignore[arg-type]
    model.close()
    with pytest.raises(ModelError, match="unloaded"):
        model.predict(["a"])
    (tmp_path / "static.safetensors").write_bytes(b"cut")
    with pytest.raises(ModelError, match="cannot be read"):
        load(SPEC, tmp_path, LoadOptions())
