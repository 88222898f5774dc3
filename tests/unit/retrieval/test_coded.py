from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from retrieval_fakes import WordEmbedder

from bot.passage import PUBLIC, Scopes
from bot.retrieval import coded, roll
from bot.retrieval.coded import CodedIndex, fitted
from bot.retrieval.library import Shelves
from bot.retrieval.vectors import FlatIndex
from bot.store.database import Database
from bot.store.shelf import Shelf

DIMENSION = 384
EVERYONE = Scopes([PUBLIC])


def unit(count: int, dimension: int = DIMENSION, seed: int = 0) -> np.ndarray:
    """Vectors in groups, along fewer lines than they have numbers, as those of texts are."""
    chance, same = np.random.default_rng(seed), np.random.default_rng(7)
    groups, lines = same.normal(size=(20, 24)), same.normal(size=(24, dimension))
    vectors = (groups[chance.integers(0, 20, count)] + chance.normal(size=(count, 24))) @ lines
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16).astype(np.float32)


def both(count: int, scopes: int = 1, dimension: int = DIMENSION) -> tuple[CodedIndex, FlatIndex, np.ndarray]:
    vectors = unit(count, dimension)
    indexes = CodedIndex(dimension, lambda ids: vectors[ids - 1]), FlatIndex(dimension)
    for index in indexes:
        index.add(np.arange(1, count + 1), np.arange(count) % scopes, vectors)
    return *indexes, vectors


@pytest.mark.parametrize(("dimension", "recall"), [(384, 0.99), (256, 0.99), (100, 0.9)])
@pytest.mark.parametrize("scopes", [range(20), range(10), range(1)])
def test_it_finds_what_comparing_every_vector_finds(dimension: int, recall: float, scopes: Sequence[int]) -> None:
    index, exact, _vectors = both(20_000, scopes=20, dimension=dimension)
    shares = []
    for query in unit(20, dimension, seed=1):
        near, wanted = (one.search(query, count=10, scopes=scopes) for one in (index, exact))
        assert {(number - 1) % 20 for number in near.ids.tolist()} <= set(scopes)
        np.testing.assert_allclose(near.cosines[0], wanted.cosines[0], atol=1e-3)
        shares.append(len(set(near.ids) & set(wanted.ids)) / 10)
    assert np.mean(shares) >= recall


def test_few_admitted_passages_are_all_compared() -> None:
    index, exact, _vectors = both(20_000, scopes=200)
    for query in unit(5, seed=2):
        near, wanted = (one.search(query, count=50, scopes=[3]) for one in (index, exact))
        assert near.ids.tolist() == wanted.ids.tolist()


def test_nothing_is_found_where_nothing_is_admitted_nor_for_a_zero_vector() -> None:
    index, _exact, vectors = both(10)
    assert len(index.search(vectors[0], count=5, scopes=[7]).ids) == 0
    assert len(index.search(np.zeros(DIMENSION, np.float32), count=5, scopes=[0]).ids) == 0


def test_what_came_is_found_at_once_and_what_went_is_not() -> None:
    index, _exact, vectors = both(5000)
    assert index.search(vectors[4999], count=1, scopes=[0]).ids.tolist() == [5000]
    index.remove(np.array([5000]))
    assert 5000 not in index.search(vectors[4999], count=50, scopes=[0]).ids
    fresh = CodedIndex(DIMENSION, lambda ids: vectors[ids - 1])
    fresh.add(np.arange(1, 4999), np.zeros(4998, np.int64), vectors[:4998])
    assert len(fresh.search(vectors[0], count=9, scopes=[0]).ids) == 9
    fresh.add(np.array([4999]), np.array([0]), vectors[4998:4999])
    assert fresh.search(vectors[4998], count=1, scopes=[0]).ids.tolist() == [4999]


def test_a_quarter_of_dead_rows_is_swept_out() -> None:
    index, _exact, vectors = both(4000)
    index.remove(np.arange(1, 2001))
    assert len(index) == len(index.ids) == 2000
    assert index.search(vectors[3000], count=1, scopes=[0]).ids.tolist() == [3001]
    assert index.astray(np.arange(2001, 4001), np.zeros(2000, np.int64), vectors[2000:]) == 0


def test_what_differs_from_the_vectors_is_counted() -> None:
    index, _exact, vectors = both(100)
    ids, scopes = np.arange(1, 101), np.zeros(100, np.int64)
    assert index.astray(ids, scopes, vectors) == 0
    other = vectors.copy()
    other[3] = -other[3]
    scopes[5] = 1
    assert index.astray(ids, scopes, other) == 2
    assert index.astray(ids + 100, scopes, vectors) == 100


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 4)), max_size=12), st.sets(st.integers(0, 4), min_size=1))
def test_it_agrees_with_a_plain_list_after_any_additions_and_removals(steps: list[tuple[int, int]], scopes: set[int]) -> None:
    vectors, known, last = unit(80, 16), dict[int, int](), 0
    index = CodedIndex(16, lambda ids: vectors[ids - 1])
    for count, scope in steps:
        ids = np.arange(last + 1, last + count + 1)
        index.add(ids, np.full(count, scope), vectors[ids - 1])
        known |= dict.fromkeys(ids.tolist(), scope)
        last += count
        assert len(index.search(vectors[79], count=100, scopes=sorted(scopes)).ids) <= len(known)
        gone = [number for number in known if number % 4 == scope]
        assert index.remove(np.array(gone * 2, np.int64)) == len(gone)
        for number in gone:
            del known[number]
    wanted = sorted(number for number, scope in known.items() if scope in scopes)
    assert sorted(index.search(vectors[79], count=100, scopes=sorted(scopes)).ids.tolist()) == wanted


def test_many_readers_are_not_kept_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roll, "MOST_READER_BYTES", 3000)
    index, _exact, vectors = both(1000, scopes=50)
    for scope in range(50):
        assert len(index.search(vectors[0], count=50, scopes=[scope]).ids) == 20
    assert len(index._roll._admitted_to) <= 4


def test_the_form_follows_the_size_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coded, "CODED_FROM", 300)
    monkeypatch.setattr(coded, "FLAT_BELOW", 150)
    index, flat, vectors = both(300)
    source = index._source
    grown = fitted(flat, source)
    assert grown.kind == "coded"
    assert fitted(grown, source) is grown
    grown.remove(np.arange(1, 152))
    shrunk = fitted(grown, source)
    assert shrunk.kind == "flat"
    assert len(shrunk) == 149
    assert shrunk.astray(np.arange(152, 301), np.zeros(149, np.int64), vectors[151:]) == 0


async def test_the_library_changes_its_form_without_a_restart(
    library: Shelves, embedder: WordEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coded, "CODED_FROM", 8)
    monkeypatch.setattr(coded, "FLAT_BELOW", 4)

    async def found() -> list[str]:
        hits = await library.search("the blue lamp of office 3", EVERYONE)
        assert (await library.verify()).sound
        return [hit.passage.text for hit in hits]

    for number in range(12):
        await library.add_text(f"the blue lamp of office {number} is there", PUBLIC, title="", link="", key=str(number))
        if number == 6:
            flat = await found()
    many = await found()
    assert flat[0] == many[0] == "the blue lamp of office 3 is there"
    for number in range(4, 12):
        await library.remove(PUBLIC, key=str(number))
    assert (await found())[0] == many[0]
    await library.remove(PUBLIC, key="3")
    assert many[0] not in await found()


async def test_the_database_gives_the_vectors_back_and_zeros_for_what_it_lacks(library: Shelves, database: Database) -> None:
    await library.add_text("a blue lamp", PUBLIC, title="", link="", key="1")
    await library.add_text("a red lamp", PUBLIC, title="", link="", key="2")
    shelf = Shelf(database.path)
    rows = shelf.vectors(1, 32, np.array([2, 99, 1]))
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), [1, 0, 1], atol=0.01)
    assert not np.array_equal(rows[0], rows[2])
    assert not shelf.vectors(2, 32, np.array([1, 2])).any()
    assert not shelf.vectors(1, 16, np.array([1])).any(), "a vector of another dimension is none"
    shelf.close()
