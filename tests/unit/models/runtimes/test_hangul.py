"""The table of Korean: which rows a text has, what they come to, and that a file gives back what was written."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from bot.models.runtimes.hangul import Table, Vocabulary, key_of, read_table

WORDS = ("휴가", "위키")
PIECES = 50


@pytest.fixture
def vocabulary() -> Vocabulary:
    keys = np.array([key_of(word) for word in WORDS], np.uint32)
    return Vocabulary(keys, np.array([2.0, 3.0], np.float32), unknown=5.0, pieces=PIECES)


@pytest.fixture
def table(vocabulary: Vocabulary) -> Table:
    chance = np.random.default_rng(7)
    rows = chance.integers(-127, 128, (len(WORDS) + PIECES, 8)).astype(np.int8)
    scales = chance.random(len(rows), np.float32).astype(np.float16).astype(np.float32)
    out, middle = (chance.normal(size=size).astype(np.float16).astype(np.float32) for size in ((8, 384), (384,)))
    return Table(vocabulary, rows, scales, out, middle)


def test_a_known_morpheme_has_a_row_of_its_own_and_its_syllables(vocabulary: Vocabulary) -> None:
    bag = vocabulary.bag(["휴가"])

    assert bag.rows[0] == 0
    assert all(len(WORDS) <= row < len(WORDS) + PIECES for row in bag.rows[1:])
    assert len(bag.rows) == 1 + len({"휴", "가", "<휴", "휴가", "가>", "<휴가", "휴가>"})
    assert np.isclose(sum(weight**2 for weight in bag.weights), 2.0**2)


def test_an_unknown_morpheme_has_its_syllables_alone(vocabulary: Vocabulary) -> None:
    bag = vocabulary.bag(["백문백답"])

    assert min(bag.rows) >= len(WORDS)
    assert np.isclose(sum(weight**2 for weight in bag.weights), 5.0**2)


def test_a_repeated_morpheme_weighs_more_but_less_than_twice(vocabulary: Vocabulary) -> None:
    once, twice = vocabulary.bag(["휴가"]), vocabulary.bag(["휴가", "휴가"])

    assert twice.rows == once.rows
    assert once.weights[0] < twice.weights[0] < 2 * once.weights[0]


def test_vectors_have_unit_length_and_nothing_said_is_zeros(table: Table) -> None:
    said, unsaid = table.vectors(["휴가는 며칠인가요?", "…"])

    assert np.isclose(np.linalg.norm(said), 1, atol=1e-5)
    assert not unsaid.any()


def test_a_file_gives_back_the_table(table: Table, tmp_path: Path) -> None:
    save_file(table.tensors(), tmp_path / "table.safetensors")
    texts = ["휴가는 며칠인가요?", "위키 주소"]

    assert np.allclose(read_table(tmp_path / "table.safetensors").vectors(texts), table.vectors(texts), atol=1e-6)
