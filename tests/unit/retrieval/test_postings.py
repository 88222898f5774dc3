from collections.abc import Sequence

import numpy as np
import pytest

from bot.retrieval.postings import BESIDE_BYTES, KEPT_FROM, Ids, Postings
from bot.store.shelf import NO_PASSAGE, Mark


class Library:
    """A list that grows and shrinks, and how it was read."""

    def __init__(self, ids: Sequence[int]) -> None:
        self.here = set(ids)
        self.removals: list[int] = []
        self.reads: list[int] = []

    @property
    def mark(self) -> Mark:
        return Mark(max(self.here | set(self.removals), default=0), len(self.removals), 1, "e@1", 4)

    def read(self, after: int) -> Ids:
        self.reads.append(after)
        return np.array(sorted(number for number in self.here if number > after), np.int64)

    def removed(self, after: int) -> list[int]:
        return self.removals[after:]

    def remove(self, *ids: int) -> None:
        self.here -= set(ids)
        self.removals += ids

    def asked(self, postings: Postings, key: str = "lamp") -> list[int]:
        return postings.ids(key, self.mark, self.read, self.removed).tolist()


@pytest.mark.parametrize("step", [1, 2, 31, 32, 40, 1000])
def test_a_list_is_read_once_and_given_back_as_it_is(step: int) -> None:
    postings, library = Postings(), Library(range(3, 3 + step * KEPT_FROM, step))
    assert library.asked(postings) == library.asked(postings) == sorted(library.here)
    assert library.reads == [0]


@pytest.mark.parametrize("step", [1, 50])
def test_only_what_came_and_went_since_is_read(step: int) -> None:
    postings, library = Postings(), Library(range(1, 2 * step * KEPT_FROM, step))
    library.asked(postings)
    last = max(library.here)
    library.remove(1 + step)
    library.here |= {last + 5, last + 9}
    assert library.asked(postings) == library.asked(postings) == sorted(library.here)
    assert library.reads == [0, last]


def test_the_last_ones_of_a_list_may_go() -> None:
    postings, library = Postings(), Library(range(1, 2 * KEPT_FROM))
    library.asked(postings)
    library.remove(*range(KEPT_FROM + 10, 2 * KEPT_FROM))
    assert library.asked(postings) == sorted(library.here)


def test_a_change_that_no_id_tells_of_has_all_read_again() -> None:
    postings, library = Postings(), Library(range(1, 2 * KEPT_FROM))
    library.asked(postings)
    library.here.remove(7)
    library.removals.append(NO_PASSAGE)
    assert library.asked(postings) == sorted(library.here)


def test_short_lists_are_not_remembered() -> None:
    postings, library = Postings(), Library(range(1, KEPT_FROM))
    library.asked(postings)
    library.asked(postings)
    assert library.reads == [0, 0]


def test_what_was_asked_for_last_is_kept_while_there_is_room() -> None:
    postings, library = Postings(most_bytes=500 + 2 * BESIDE_BYTES), Library(range(1, 1600))
    for key in ("lamp", "door", "lamp", "window", "lamp", "door"):
        assert library.asked(postings, key) == sorted(library.here)
    assert library.reads == [0, 0, 0, 0]
    postings.clear()
    library.asked(postings)
    assert len(library.reads) == 5
