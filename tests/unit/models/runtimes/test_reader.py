"""The reader: one verdict for each passage, the same alone and in a batch, by either engine."""

import gc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal
from weakref import WeakValueDictionary

import numpy as np
import pytest
from numpy.typing import NDArray

from bot.errors import ModelError
from bot.models import prepare_reader
from bot.models.runtimes import minilm_ko, reader
from bot.models.runtimes.hangul_inputs import Inputs
from bot.models.runtimes.pages import KINDS, MOST, Pages
from bot.models.runtimes.reader import BATCH_VECTORS, WIDTH_STEP, Reader, load
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.tasks import NOT_READ, ReadInput, Verdict
from bot.text.lexicon import packaged

SPEC = ModelSpec("read.minilm.v1", "read", "reader", "package")
ENGINES: tuple[Literal["openvino", "onnxruntime"], ...] = ("openvino", "onnxruntime")
HOURS = ReadInput("When do we open?", "Hours", "We open at nine. The key hangs in the hall.", ((0, 16), (17, 43)))
KOREAN = ReadInput("몇 시에 열어요?", "이용 안내", "열쇠는 현관에 있어요. 아홉 시에 열어요.", ((0, 12), (13, 23)))
LONG = ReadInput("When?", "Notes", "We paint the doors. " * 200, tuple((at, at + 19) for at in range(0, 4000, 20)))
ODD = ReadInput("\ud800 key?", "\udfff", "The \ud800 key.", ((0, 10),))
ASKED = [HOURS, LONG, KOREAN, ReadInput("", "", "", ()), ODD, replace(HOURS, question=""), replace(HOURS, text="", sentences=())]

Array = NDArray[np.float32]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare_reader.prepared_reader(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module", params=ENGINES)
def model(folder: Path, request: pytest.FixtureRequest) -> Iterator[Reader]:
    loaded = load(SPEC, folder, LoadOptions(threads=1, embed_engine=request.param))
    yield loaded
    loaded.close()


@pytest.fixture(scope="module")
def inputs(folder: Path) -> Inputs:
    return minilm_ko.shared_inputs(lambda: reader._inputs(folder))


def made(inputs: Inputs, seen: list[tuple[int, int]]) -> Reader:
    """Return a reader whose engine says of each vector its place, and of its page the number of vectors; notes what it was given."""

    def run(rows: Array, mask: NDArray[np.int64]) -> Array:
        seen.append(mask.shape)
        counts = np.repeat(mask.sum(axis=1, keepdims=True), mask.shape[1], axis=1)
        return np.stack([counts, np.cumsum(mask, axis=1) - 1], axis=2).astype(np.float32)

    kinds = np.zeros((2, 384), np.float32), np.zeros((KINDS, 384), np.float32)
    return Reader(Pages(inputs, packaged()), kinds, run)


def near(one: Verdict, other: Verdict, *, by: float) -> bool:
    return len(one.sentences) == len(other.sentences) and bool(
        np.allclose([one.odds, *one.sentences], [other.odds, *other.sentences], atol=by)
    )


def test_each_passage_has_a_verdict_alone_as_in_a_batch(model: Reader) -> None:
    together = model.predict(ASKED)

    assert [len(said.sentences) for said in together] == [len(item.sentences) for item in ASKED]
    assert all(np.isfinite([said.odds, *said.sentences]).all() for said in together)
    assert len({said.odds for said in together}) > 1
    for item, said in zip(ASKED, together, strict=True):
        (alone,) = model.predict([item])
        assert near(alone, said, by=0.05)
    assert model.predict([]) == []


def test_both_engines_say_the_same(folder: Path) -> None:
    models = [load(SPEC, folder, LoadOptions(threads=1, embed_engine=engine)) for engine in ENGINES]
    eight_bits, exact = (one.predict([HOURS, KOREAN, LONG]) for one in models)
    for one in models:
        one.close()

    assert all(near(small, whole, by=1.0) for small, whole in zip(eight_bits, exact, strict=True))


def test_the_question_the_passage_and_their_order_count(model: Reader) -> None:
    turned = replace(HOURS, question=HOURS.text, text=HOURS.question, sentences=((0, 16),))
    said = model.predict([HOURS, replace(HOURS, question="Who paints the door?"), replace(HOURS, title="Doors"), turned])

    assert len({one.odds for one in said}) == len(said)


def test_odds_are_the_first_vectors_and_a_sentences_number_is_the_mean_of_its_own(inputs: Inputs) -> None:
    (said,) = made(inputs, []).predict([ReadInput("who", "shed", "Ann paints. Ben.", ((0, 11), (12, 16)))])

    # [CLS] who [SEP] shed [SEP], ann paints ., ben ., [SEP]
    assert said == Verdict(11.0, (6.0, 8.5))


def test_a_sentence_beyond_the_room_or_without_a_word_is_told_as_not_read(inputs: Inputs) -> None:
    empty = replace(LONG, sentences=((0, 0), *LONG.sentences))
    (said,) = made(inputs, []).predict([empty])

    assert said.odds == MOST
    assert said.sentences[0] == NOT_READ
    assert said.sentences[1] > 0
    assert said.sentences[-1] == NOT_READ
    assert list(said.sentences[1:]) == sorted(said.sentences[1:], key=lambda number: (number == NOT_READ, number))


def test_passages_are_read_together_by_length_and_answered_in_order(inputs: Inputs) -> None:
    seen: list[tuple[int, int]] = []
    said = made(inputs, seen).predict([LONG, HOURS, LONG, KOREAN, LONG, HOURS])
    alone = [made(inputs, []).predict([item])[0] for item in (LONG, HOURS, LONG, KOREAN, LONG, HOURS)]

    assert said == alone
    assert seen[0][0] >= 3
    assert sum(count for count, _width in seen) == 6
    assert all(width % WIDTH_STEP == 0 and count * width <= BATCH_VECTORS + WIDTH_STEP * count for count, width in seen)


def test_what_is_learnt_of_sides_and_matches_is_added(inputs: Inputs) -> None:
    given: list[Array] = []

    def run(rows: Array, mask: NDArray[np.int64]) -> Array:
        given.append(rows)
        return np.zeros((*mask.shape, 2), np.float32)

    pages = Pages(inputs, packaged())
    sides = np.repeat(np.array([[100], [200]], np.float32), 384, axis=1)
    matches = np.repeat(1000 * np.arange(KINDS, dtype=np.float32)[:, None], 384, axis=1)
    Reader(pages, (sides, matches), run).predict([HOURS])
    page = pages.of(HOURS)

    added = given[0][0, : len(page.rows)] - page.rows
    assert np.allclose(added[:, 0], np.where(page.sides == 0, 100, 200) + 1000 * page.matches, atol=0.01)
    assert len(set(page.matches.tolist())) > 1
    assert not given[0][0, len(page.rows) :].any()


def test_a_closed_reader_says_that_it_is_closed(folder: Path) -> None:
    closed = load(SPEC, folder, LoadOptions(threads=1))
    closed.close()

    with pytest.raises(ModelError, match="unloaded"):
        closed.predict([HOURS])


def test_an_engine_that_is_not_here_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "find_spec", lambda _name: None)

    with pytest.raises(ModelError, match="pip install openvino"):
        load(SPEC, folder, LoadOptions(embed_engine="openvino"))


@pytest.mark.parametrize("damage", ["gone", "no tensors"])
def test_a_file_that_is_damaged_is_told(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str) -> None:
    if damage == "no tensors":
        (tmp_path / reader.LEARNT).write_bytes(b"no tensors")
    monkeypatch.setattr(reader, "files", lambda _package: tmp_path)

    with pytest.raises(ModelError, match="Install Paring again"):
        load(SPEC, folder, LoadOptions(threads=1))


def test_korean_is_held_once_by_the_reader_and_the_embedder_and_gone_after_both(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(minilm_ko, "_SHARED", WeakValueDictionary())
    options = LoadOptions(threads=1, embed_engine="onnxruntime")
    minilm = prepare_reader.prepared_minilm(folder.parent)
    embedder = minilm_ko.load(replace(SPEC, name="embed.minilm-ko.v3", slot="embed", family="minilm-ko"), minilm, options)
    loaded = load(SPEC, folder, options)

    shared = [id(embedder._inputs), id(loaded._pages and loaded._pages.inputs), *map(id, minilm_ko._SHARED.values())]
    assert len(set(shared)) == 1
    said, vector = loaded.predict([KOREAN]), embedder.predict(["휴가"])
    embedder.close()
    assert loaded.predict([KOREAN]) == said
    again = minilm_ko.load(replace(SPEC, name="embed.minilm-ko.v3", slot="embed", family="minilm-ko"), minilm, options)
    assert id(again._inputs) == shared[0]
    loaded.close()
    assert np.allclose(again.predict(["휴가"]), vector)
    again.close()
    gc.collect()
    assert not minilm_ko._SHARED
