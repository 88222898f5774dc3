"""MiniLM with Korean beside it: English as MiniLM says it, Korean near its English."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from bot.config import Settings
from bot.errors import ModelError
from bot.models import prepare
from bot.models.catalogue import Catalogue
from bot.models.runtimes import minilm, minilm_ko
from bot.models.runtimes.minilm_ko import TABLE, TABLES, Bilingual, hangul_share, load
from bot.models.spec import LoadOptions, ModelSpec

NAMES = ("embed.minilm-ko.v1", "embed.minilm-ko.v2", "embed.minilm-ko.v3")
SPEC = ModelSpec(NAMES[-1], "embed", "minilm-ko", "package")
PAIRS = [
    ("고양이가 소파에서 자고 있다.", "A cat is sleeping on the sofa."),
    ("한 남자가 기타를 치고 있다.", "A man is playing the guitar."),
    ("내일은 비가 올 것 같아요.", "It looks like it will rain tomorrow."),
    ("병원에서 의사를 만났어요.", "I met the doctor at the hospital."),
    ("은행 계좌를 어떻게 만드나요?", "How do I open a bank account?"),
    ("회의는 몇 시에 시작하나요?", "What time does the meeting start?"),
    ("감자를 삶는 데 얼마나 걸리나요?", "How long does it take to boil potatoes?"),
    ("대통령이 새 법에 서명했다.", "The president signed the new law."),
]
ODD = ["", "…!", "\ud800", "ㅋㅋㅋ", "뷁", "휴가 " * 4000, "한국어와 English가 섞인 sentence with more words in it.", "日本語"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare.prepared_minilm(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module", params=NAMES[1:])
def model(folder: Path, request: pytest.FixtureRequest) -> Iterator[Bilingual]:
    loaded = load(replace(SPEC, name=request.param), folder, LoadOptions())
    yield loaded
    loaded.close()


def test_english_is_what_minilm_says(model: Bilingual, folder: Path) -> None:
    texts = [english for _korean, english in PAIRS]
    original = minilm.load(SPEC, folder, LoadOptions())

    assert np.array_equal(model.predict(texts), original.predict(texts))
    original.close()


def test_korean_is_nearer_to_its_own_english_than_to_any_other(model: Bilingual) -> None:
    korean, english = (np.stack(model.predict(texts)) for texts in zip(*PAIRS, strict=True))

    found = ((korean @ english.T).argmax(axis=1) == np.arange(len(PAIRS))).mean()
    assert found >= (0.75 if model._inputs is None else 1.0)


def test_every_text_has_a_unit_vector_alone_as_in_a_batch(model: Bilingual) -> None:
    texts = [*ODD, *(korean for korean, _english in PAIRS)]
    together = model.predict(texts)

    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-4)
    for text, vector in zip(texts, together, strict=True):
        assert vector.dtype == np.float32
        assert model.predict([text])[0] @ vector > (0.999 if model._english.engine == "onnxruntime" else 0.9965)
    assert model.predict([]) == []


def test_bulk_work_is_weighed_text_by_text(model: Bilingual) -> None:
    korean, english = model.weigh(["휴가는 언제 쓸 수 있나요?", "When may I take my holidays?"])

    assert korean < english
    if model._inputs is not None:
        assert korean > model.weigh(["휴가"])[0]


def test_a_closed_model_says_that_it_is_closed(folder: Path) -> None:
    closed = load(SPEC, folder, LoadOptions())
    closed.close()

    with pytest.raises(ModelError, match="unloaded"):
        closed.predict(["휴가"])


@pytest.mark.parametrize(
    ("text", "least", "most"), [("plain", 0, 0), ("한국어", 1, 1), ("API 키를 바꾸는 법", 0.7, 0.9), ("", 0, 0)]
)
def test_hangul_counts_by_what_a_syllable_says(text: str, least: float, most: float) -> None:
    assert least <= hangul_share(text) <= most


def test_where_a_word_stands_counts(folder: Path) -> None:
    """In a sum of words it does not."""
    model = load(SPEC, folder, LoadOptions())
    assert model._korean is not None
    one, other = "개가 고양이를 물었다", "고양이가 개를 물었다"

    assert np.allclose(*model._korean.vectors([one, other]), atol=1e-5)
    assert np.linalg.norm(np.subtract(*model.predict([one, other]))) > 0.01
    model.close()


def test_a_file_that_is_damaged_is_told(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / TABLE).write_bytes(b"no tensors")
    monkeypatch.setattr(minilm_ko, "files", lambda _package: tmp_path)

    with pytest.raises(ModelError, match="Install Paring again"):
        load(SPEC, folder, LoadOptions())


@pytest.mark.parametrize("name", NAMES)
def test_the_catalogue_names_the_table_that_comes_with_the_install(tmp_path: Path, name: str) -> None:
    sha256 = hashlib.sha256((files("bot.models") / TABLES.get(name, TABLE)).read_bytes()).hexdigest()

    assert Catalogue(Settings(home=tmp_path)).find(name).revision == f"{prepare.MINILM_REVISION}-{sha256[:8]}"


def test_a_home_from_before_has_the_table_that_it_was_made_with(model: Bilingual, folder: Path) -> None:
    former = load(replace(SPEC, name=NAMES[0]), folder, LoadOptions())
    korean, english = PAIRS[0]

    assert np.array_equal(former.predict([english]), model.predict([english]))
    assert former.predict([korean])[0] @ model.predict([korean])[0] < 0.99
    former.close()
