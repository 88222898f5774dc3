"""MiniLM without torch says what it should, for every kind of text; that it says what torch says is in tests/e2e."""

import locale
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from bot.errors import ModelError
from bot.models import prepare
from bot.models.runtimes import minilm, minilm_openvino
from bot.models.runtimes.minilm import DIMENSION, MiniLM, choose_engine, load
from bot.models.spec import LoadOptions, ModelSpec

SPEC = ModelSpec("embed.minilm.v1", "embed", "minilm", "package", prepare.DISTRIBUTION, prepare.MINILM_REVISION)
LEAST = {"onnxruntime": 0.9995, "openvino": 0.998}
"""Cosine of a text alone to itself in a batch: OpenVINO gives a batch with few words in it to bfloat16."""
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
        assert model.predict([text])[0] @ vector > LEAST[model.engine]


def test_a_big_batch_is_each_text_on_its_own(model: MiniLM) -> None:
    texts = [f"{'very ' * (index % 7)}note {index}" for index in range(50)]

    together = np.stack(model.predict(texts))
    apart = np.stack([model.predict([text])[0] for text in texts])

    assert (together * apart).sum(axis=1).min() > LEAST[model.engine]


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


@pytest.mark.parametrize(("eight_bits", "engine"), [(True, "openvino"), (False, "onnxruntime")])
def test_auto_takes_openvino_only_where_the_processor_multiplies_eight_bits(
    monkeypatch: pytest.MonkeyPatch, engine: str, *, eight_bits: bool
) -> None:
    monkeypatch.setattr("bot.models.runtimes.minilm.processor_has", lambda flag: eight_bits and flag == "avx512_vnni")

    assert choose_engine(LoadOptions()) == engine
    assert choose_engine(LoadOptions(embed_engine="onnxruntime")) == "onnxruntime"


def test_a_text_alone_has_one_of_few_widths_and_a_longer_one_its_own(model: MiniLM) -> None:
    shapes = []

    def run(ids: minilm.Integers, _mask: minilm.Integers) -> minilm.Rows:
        shapes.append(ids.shape)
        return np.ones((len(ids), minilm.DIMENSION), np.float32)

    loaded = MiniLM(model.tokenizer, run, engine="openvino", bulk_workers=1)
    for texts in (["short"], ["word " * 17], ["word " * 40], ["two", "texts"]):
        loaded.predict(texts)

    assert shapes == [(1, 16), (1, 24), (1, 48), (2, 3)]


def test_a_question_is_near_what_it_is_in_a_batch_whatever_its_length(model: MiniLM) -> None:
    questions = [
        " ".join(["Where", "is", "the", "wiki", "page", "about"][: 1 + length % 6] + ["plans"] * length) for length in range(40)
    ]

    together = np.stack(model.predict(questions))
    apart = np.stack([model.predict([question])[0] for question in questions])

    assert (together * apart).sum(axis=1).min() > LEAST[model.engine]


def test_few_words_and_signs_are_as_near_to_the_original_as_the_rest(folder: Path) -> None:
    texts = [
        "thanks",
        "I.",
        "...",
        "?!",
        ":-)",
        "-----",
        "etc.).",
        "it is?",
        "Where is it?",
        "Who said no?",
        "that point",
        "그래",
    ]
    exact, fast = (load(SPEC, folder, LoadOptions(threads=2, embed_engine=engine)) for engine in ("onnxruntime", "openvino"))

    apart = [exact.predict([text])[0] @ fast.predict([text])[0] for text in texts]
    together = (np.stack(exact.predict(texts)) * np.stack(fast.predict(texts))).sum(axis=1)

    assert min(*apart, *together) > 0.995


def test_an_empty_question_is_what_it_is_in_a_batch(model: MiniLM) -> None:
    (empty, _other) = model.predict(["", "a text beside it"])

    assert model.predict([""])[0] @ empty > 0.9999


def test_an_engine_that_is_not_installed_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.models.runtimes.minilm.find_spec", lambda _name: None)

    with pytest.raises(ModelError, match="pip install openvino"):
        load(SPEC, folder, LoadOptions(embed_engine="openvino"))


def test_a_prepared_folder_is_readable_by_all_users_of_the_install(folder: Path) -> None:
    assert folder.stat().st_mode & 0o555 == 0o555


def test_a_long_text_does_not_pad_short_ones() -> None:
    assert [len(batch) for batch in minilm._batches([8, 8, 8, 8, 120])] == [4, 1]
    assert [len(batch) for batch in minilm._batches([60, 62, 64, 64])] == [4]


def test_each_text_is_in_one_batch_and_no_batch_is_too_large() -> None:
    lengths = [(7 * number) % 250 + 2 for number in range(200)]

    batches = list(minilm._batches(lengths))

    assert sorted(index for batch in batches for index in batch) == list(range(200))
    assert max(len(batch) * minilm._width(max(lengths[index] for index in batch)) for batch in batches) <= minilm.BATCH_TOKENS


def test_what_was_compiled_once_is_kept_and_says_the_same(folder: Path, tmp_path: Path) -> None:
    own = tmp_path / "minilm"
    shutil.copytree(folder, own, ignore=shutil.ignore_patterns(minilm_openvino.COMPILED, "*.onnx"))
    options = LoadOptions(threads=1, embed_engine="openvino")
    made = load(SPEC, own, options)
    kept = list((own / minilm_openvino.COMPILED).iterdir())
    again = load(SPEC, own, options)

    assert kept
    assert list((own / minilm_openvino.COMPILED).iterdir()) == kept
    assert np.array_equal(made.predict(TEXTS), again.predict(TEXTS))


def test_what_was_cut_short_is_compiled_anew(folder: Path, tmp_path: Path) -> None:
    own = tmp_path / "minilm"
    shutil.copytree(folder, own, ignore=shutil.ignore_patterns(minilm_openvino.COMPILED, "*.onnx"))
    options = LoadOptions(threads=1, embed_engine="openvino")
    whole = load(SPEC, own, options).predict(TEXTS)
    for kept in (own / minilm_openvino.COMPILED).iterdir():
        kept.chmod(0o600)
        kept.write_bytes(kept.read_bytes()[: kept.stat().st_size // 2])

    assert np.array_equal(load(SPEC, own, options).predict(TEXTS), whole)


def test_forms_that_are_compiled_at_once_leave_the_locale_as_it_was(folder: Path) -> None:
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        for _round in range(3):
            model = load(SPEC, folder, LoadOptions(threads=2, embed_engine="openvino"))
            texts = ["word " * 20, "word " * 28, "word " * 40, "hi"]
            with ThreadPoolExecutor(len(texts)) as threads:
                list(threads.map(lambda text, model=model: model.predict([text]), texts))
        after = locale.setlocale(locale.LC_CTYPE)
    finally:
        locale.setlocale(locale.LC_CTYPE, before)

    assert after == before


def test_the_first_array_of_a_process_comes_to_openvino_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = []
    original = minilm_openvino._Form.__call__

    def recorded(form: minilm_openvino._Form, *arrays: np.ndarray) -> np.ndarray:
        alone.append(minilm_openvino._ONE_AT_A_TIME.locked())
        return original(form, *arrays)

    monkeypatch.setattr(minilm_openvino._Form, "__call__", recorded)
    load(SPEC, folder, LoadOptions(threads=2, embed_engine="openvino"))

    assert alone == [True]


def test_the_converter_of_models_is_not_imported() -> None:
    program = """
import sys
from bot.models.runtimes.minilm_openvino import _import_openvino
_import_openvino()
print([name for name in sys.modules if name.startswith("openvino.tools.ovc") or name == "absl"])
"""
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)

    assert said.stdout.strip() == "[]"


def test_a_signal_after_the_model_is_let_go_of_on_another_thread_ends_nothing(folder: Path) -> None:
    program = """
import gc, os, signal, sys, threading
from pathlib import Path
from bot.models.runtimes.minilm import load
from bot.models.spec import LoadOptions, ModelSpec

spec = ModelSpec("embed.minilm.v1", "embed", "minilm", "package")
held = [load(spec, Path(sys.argv[1]), LoadOptions(threads=1, embed_engine="openvino"))]

def let_go():
    held.pop().close()
    gc.collect()

thread = threading.Thread(target=let_go)
thread.start()
thread.join()
signal.signal(signal.SIGUSR1, lambda *_: print("heard"))
os.kill(os.getpid(), signal.SIGUSR1)
"""
    said = subprocess.run([sys.executable, "-c", program, str(folder)], capture_output=True, text=True, check=False, timeout=60)

    assert (said.returncode, said.stdout.strip()) == (0, "heard")
