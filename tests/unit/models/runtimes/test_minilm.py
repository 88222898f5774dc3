"""MiniLM without torch says what it should, for every kind of text; that it says what torch says is in tests/e2e."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from bot.errors import ModelError
from bot.models import prepare
from bot.models.runtimes.minilm import DIMENSION, MiniLM, choose_engine, load
from bot.models.spec import LoadOptions, ModelSpec

SPEC = ModelSpec("embed.minilm.v1", "embed", "minilm", "package", prepare.DISTRIBUTION, prepare.MINILM_REVISION)
TEXTS = [
    "Where is the page about parental leave?",
    "연차 휴가 신청은 어디에서 하나요?",
    "",
    "budget " * 400,
    "leave",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare.prepared_minilm(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module", params=["onnxruntime", "openvino"])
def model(folder: Path, request: pytest.FixtureRequest) -> Iterator[MiniLM]:
    loaded = load(SPEC, folder, LoadOptions(threads=2, embed_engine=request.param))
    yield loaded
    loaded.close()


def test_an_empty_batch_has_no_vectors(model: MiniLM) -> None:
    assert model.predict([]) == []


def test_rows_are_unit_float32_in_the_order_of_the_texts(model: MiniLM) -> None:
    vectors = model.predict(TEXTS)

    assert [(vector.shape, vector.dtype) for vector in vectors] == [((DIMENSION,), np.float32)] * len(TEXTS)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    for text, vector in zip(TEXTS, vectors, strict=True):
        assert model.predict([text])[0] @ vector > 0.9995


def test_a_big_batch_is_each_text_on_its_own(model: MiniLM) -> None:
    texts = [f"{'very ' * (index % 7)}note {index}" for index in range(50)]

    together = np.stack(model.predict(texts))
    apart = np.stack([model.predict([text])[0] for text in texts])

    assert (together * apart).sum(axis=1).min() > 0.9995


def test_near_texts_are_near(model: MiniLM) -> None:
    near, also, far = model.predict(["How do I reset my password?", "I forgot my password", "The soup needs more salt"])

    assert near @ also > near @ far + 0.3


@pytest.mark.parametrize("text", ["a\x00b", "\ud83d", "tail \udc00", "\ud83d\ude00 pair", "\x00", "👩‍👩‍👧 family", "\u202e rtl"])
def test_odd_characters_have_a_finite_vector(model: MiniLM, text: str) -> None:
    (vector,) = model.predict([text])

    assert np.isfinite(vector).all()
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_a_surrogate_pair_is_the_character_that_it_means(model: MiniLM) -> None:
    pair, whole = model.predict(["smile \ud83d\ude00", "smile 😀"])

    assert pair @ whole > 0.9999


def test_what_lies_past_the_limit_of_tokens_is_not_read(model: MiniLM) -> None:
    cut, longer = model.predict(["word " * 254, "word " * 254 + "whale " * 200_000])

    assert cut @ longer > 0.9999


def test_two_threads_get_their_own_answers(model: MiniLM) -> None:
    texts = [f"question number {index} about {'tea' if index % 2 else 'rockets'}" for index in range(40)]
    alone = [model.predict([text])[0] for text in texts]

    with ThreadPoolExecutor(model.workers) as threads:
        at_once = list(threads.map(lambda text: model.predict([text])[0], texts))

    assert min(float(one @ other) for one, other in zip(alone, at_once, strict=True)) > 0.9999


def test_after_closing_it_says_so(folder: Path) -> None:
    model = load(SPEC, folder, LoadOptions(embed_engine="onnxruntime"))
    model.close()

    with pytest.raises(ModelError, match="unloaded"):
        model.predict(["hello"])


@pytest.mark.parametrize(("bfloat16", "engine"), [(True, "openvino"), (False, "onnxruntime")])
def test_auto_takes_openvino_only_where_the_processor_has_bfloat16(
    monkeypatch: pytest.MonkeyPatch, engine: str, *, bfloat16: bool
) -> None:
    monkeypatch.setattr("bot.models.runtimes.minilm._processor_has_bfloat16", lambda: bfloat16)

    assert choose_engine(LoadOptions()) == engine
    assert choose_engine(LoadOptions(embed_engine="onnxruntime")) == "onnxruntime"


def test_an_engine_that_is_not_installed_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.models.runtimes.minilm.find_spec", lambda _name: None)

    with pytest.raises(ModelError, match="pip install openvino"):
        load(SPEC, folder, LoadOptions(embed_engine="openvino"))


def test_a_prepared_folder_is_readable_by_all_users_of_the_install(folder: Path) -> None:
    assert folder.stat().st_mode & 0o555 == 0o555
