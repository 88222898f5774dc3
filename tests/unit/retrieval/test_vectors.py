import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.retrieval.vectors import FlatIndex


def unit(count: int, dimension: int = 8, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16).astype(np.float32)


def filled(count: int, scopes: int = 1) -> tuple[FlatIndex, np.ndarray]:
    index, vectors = FlatIndex(8), unit(count)
    index.add(np.arange(1, count + 1), np.arange(count) % scopes, vectors)
    return index, vectors


def test_the_nearest_come_first_and_are_exact() -> None:
    index, vectors = filled(500)
    query = unit(1, seed=1)[0]
    found = index.search(query, count=10, scopes=[0])
    cosines = vectors @ query
    assert found.ids.tolist() == (np.argsort(-cosines)[:10] + 1).tolist()
    np.testing.assert_allclose(found.cosines, np.sort(cosines)[::-1][:10], atol=1e-3)


@pytest.mark.parametrize("scopes", [[3], [0, 1], list(range(100))])
def test_only_admitted_scopes_are_searched_however_few(scopes: list[int]) -> None:
    index, _vectors = filled(1000, scopes=100)
    found = index.search(unit(1, seed=2)[0], count=50, scopes=scopes)
    assert len(found.ids) == min(50, 10 * len(scopes))
    assert {(number - 1) % 100 for number in found.ids.tolist()} <= set(scopes)


def test_nothing_is_found_where_nothing_is_admitted_nor_for_a_zero_vector() -> None:
    index, vectors = filled(10)
    assert len(index.search(vectors[0], count=5, scopes=[7]).ids) == 0
    assert len(index.search(np.zeros(8, np.float32), count=5, scopes=[0]).ids) == 0
    assert len(FlatIndex(8).search(vectors[0], count=5, scopes=[0]).ids) == 0


def test_what_was_removed_is_not_found_and_leaves_no_hole() -> None:
    index, vectors = filled(20)
    assert index.remove(np.array([1, 2, 99])) == 2
    found = index.search(vectors[0], count=20, scopes=[0])
    assert sorted(found.ids.tolist()) == list(range(3, 21))
    assert len(index) == 18


def test_a_quarter_of_dead_rows_is_swept_out() -> None:
    index, vectors = filled(4000)
    index.remove(np.arange(1, 2001))
    assert len(index) == len(index.ids) == 2000
    np.testing.assert_array_equal(index.vectors_of(np.array([2001, 1])), np.stack([vectors[2000], np.zeros(8, np.float32)]))
    assert index.search(vectors[3000], count=1, scopes=[0]).ids.tolist() == [3001]


@pytest.mark.parametrize("ids", [[5, 4], [3, 3], [2, 11]])
def test_ids_that_do_not_grow_are_refused(ids: list[int]) -> None:
    index, _vectors = filled(3)
    with pytest.raises(ValueError, match="ascending new ids"):
        index.add(np.array(ids), np.zeros(2, np.int64), unit(2))


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 4)), max_size=12), st.sets(st.integers(0, 4), min_size=1))
def test_it_agrees_with_a_plain_list_after_any_additions_and_removals(steps: list[tuple[int, int]], scopes: set[int]) -> None:
    index, known, vectors = FlatIndex(8), dict[int, int](), unit(80)
    last = 0
    for count, scope in steps:
        ids = np.arange(last + 1, last + count + 1)
        index.add(ids, np.full(count, scope), vectors[ids - 1])
        known |= dict.fromkeys(ids.tolist(), scope)
        last += count
        gone = [number for number in known if number % 4 == scope]
        index.remove(np.array(gone, np.int64))
        for number in gone:
            del known[number]
    wanted = sorted(number for number, scope in known.items() if scope in scopes)
    assert sorted(index.search(vectors[79], count=100, scopes=sorted(scopes)).ids.tolist()) == wanted


def test_a_reader_who_asks_again_sees_what_came_and_not_what_went() -> None:
    index, vectors = filled(40, scopes=2)
    assert len(index.search(vectors[0], count=50, scopes=[0]).ids) == 20
    index.add(np.array([41]), np.array([0]), vectors[:1])
    assert 41 in index.search(vectors[0], count=50, scopes=[0]).ids
    index.remove(np.array([1, 41]))
    assert sorted(index.search(vectors[0], count=50, scopes=[0]).ids.tolist()) == list(range(3, 41, 2))
