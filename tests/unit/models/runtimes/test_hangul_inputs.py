"""Korean as MiniLM's own input: which vectors a text goes in with, whatever was learnt."""

import unicodedata
from pathlib import Path

import numpy as np
import pytest

from bot.models import prepare
from bot.models.runtimes import minilm
from bot.models.runtimes.hangul import Table, Vocabulary, key_of
from bot.models.runtimes.hangul_inputs import BEGIN, END, MOST, TAGS, Inputs, Learnt
from bot.models.spec import LoadOptions, ModelSpec

KNOWN = ("휴가", "며칠")


@pytest.fixture(scope="module")
def english(tmp_path_factory: pytest.TempPathFactory) -> minilm.MiniLM:
    folder = prepare.prepared_minilm(tmp_path_factory.mktemp("home"))
    return minilm.load(
        ModelSpec("embed.minilm.v1", "embed", "minilm", "package"), folder, LoadOptions(embed_engine="onnxruntime")
    )


@pytest.fixture(scope="module")
def inputs(english: minilm.MiniLM) -> Inputs:
    chance = np.random.default_rng(0)
    keys = np.array([key_of(word) for word in KNOWN], np.uint32)
    vocabulary = Vocabulary(keys, np.ones(len(KNOWN), np.float32), unknown=1.0, pieces=50)
    rows = chance.integers(-127, 127, (len(KNOWN) + 50, 8)).astype(np.int8)
    table = Table(
        vocabulary, rows, np.full(len(rows), 0.01, np.float32), np.eye(8, 384, dtype=np.float32), np.zeros(384, np.float32)
    )
    leave = english.tokenizer.encode("vacation", add_special_tokens=False).ids
    learnt = Learnt(
        np.eye(384, dtype=np.float32), np.zeros(384, np.float32), chance.normal(0, 0.1, (TAGS, 384)).astype(np.float32),
        np.full((len(KNOWN), 384), 10, np.int8), np.array([0.1, 0.0], np.float32),
        np.array([key_of("휴가")], np.uint32), np.array([[*leave, 0, 0]], np.int32),
    )  # fmt: skip
    assert english.body is not None
    return Inputs(table, learnt, english.body.words, english.tokenizer)


def test_morphemes_and_tokens_stand_in_reading_order_without_particles(inputs: Inputs) -> None:
    (placed,) = inputs.placed(["휴가는 API로 며칠인가요?"])

    said = [one.term or inputs.tokenizer.id_to_token(one.token) for one in placed]
    assert [word for word in said if word in {"휴가", "api", "며칠", "?"}] == ["휴가", "api", "며칠", "?"]
    assert not {"는", "로"} & set(said)


def test_a_text_begins_and_ends_as_english_does(inputs: Inputs) -> None:
    rows, nothing = inputs.rows(["휴가", ""])

    assert np.array_equal(rows[[0, -1]], inputs.words[[BEGIN, END]].astype(np.float32))
    assert (len(rows), len(nothing)) == (3, 2)


def test_english_has_the_vectors_of_its_tokens(inputs: Inputs) -> None:
    ids = inputs.tokenizer.encode("Where is the wiki?").ids

    assert np.array_equal(inputs.rows(["Where is the wiki?"])[0], inputs.words[ids].astype(np.float32))


def test_a_morpheme_is_between_its_row_and_its_english_with_what_is_its_own(inputs: Inputs) -> None:
    (placed,), (rows,) = inputs.placed(["휴가"]), inputs.rows(["휴가"])
    said = inputs.words[inputs.learnt.tokens[0][:1]].astype(np.float32)[0]

    expected = (inputs.table.vectors_of([["휴가"]])[0] + said) / 2 + 1.0 + inputs.learnt.tags[placed[0].tag]
    assert np.allclose(rows[1], expected, atol=2e-3)


def test_a_word_that_nobody_knows_has_the_vector_of_its_pieces(inputs: Inputs) -> None:
    first, again, other = (inputs.rows([text])[0][1] for text in ("뷁뷁시스템", "뷁뷁시스템", "쀍쀍시스템"))

    assert np.array_equal(first, again)
    assert np.isfinite(first).all()
    assert not np.allclose(first, other)


def test_taken_apart_hangul_is_the_same_text(inputs: Inputs) -> None:
    whole, apart = inputs.rows(["휴가는 며칠인가요?", unicodedata.normalize("NFD", "휴가는 며칠인가요?")])

    assert np.array_equal(whole, apart)


def test_a_long_text_is_cut_where_minilm_cuts(inputs: Inputs) -> None:
    assert len(inputs.rows(["휴가 며칠 " * 500])[0]) == MOST + 2 == minilm.MAX_TOKENS


def test_what_was_learnt_is_read_as_it_was_written(inputs: Inputs) -> None:
    read = Learnt.read(inputs.learnt.tensors())

    assert np.allclose(read.tags, inputs.learnt.tags, atol=1e-3)
    assert np.array_equal(read.own, inputs.learnt.own)
    assert np.array_equal(read.tokens, inputs.learnt.tokens)
    with pytest.raises(KeyError):
        Learnt.read({})


def test_vectors_go_through_the_body_as_ids_do(english: minilm.MiniLM) -> None:
    assert english.body is not None
    texts = ["Where is the wiki?", "plans " * 40]
    rows = [english.body.words[english.tokenizer.encode(text).ids].astype(np.float32) for text in texts]

    assert np.allclose(english.body(rows), np.stack(english.predict(texts)), atol=1e-4)


def test_a_closed_model_holds_no_body(tmp_path: Path) -> None:
    folder = prepare.prepared_minilm(tmp_path)
    closed = minilm.load(ModelSpec("embed.minilm.v1", "embed", "minilm", "package"), folder, LoadOptions())
    closed.close()

    assert closed.body is None
