from collections.abc import Sequence

import numpy as np

from bot.retrieval.forward import Forward
from bot.retrieval.postings import Ids
from bot.store.shelf import NO_PASSAGE, Mark, Termed

OURS, THEIRS = 1, 2


class Library:
    """Passages by id: (scope, terms); it remembers what was read."""

    def __init__(self, count: int) -> None:
        self.here = {number: (OURS if number % 2 else THEIRS, list(range(number))) for number in range(1, count + 1)}
        self.removals: list[int] = []
        self.reads: list[list[int]] = []

    def read(self, missing: Ids) -> Sequence[Termed]:
        self.reads.append(missing.tolist())
        return [
            (number, self.here[number][0], np.array([1, 1, *self.here[number][1]], "<u4").tobytes())
            for number in missing.tolist()
            if number in self.here
        ]

    def remove(self, *ids: int) -> None:
        self.here = {number: said for number, said in self.here.items() if number not in ids}
        self.removals += ids

    def asked(self, forward: Forward, *ids: int, scopes: Sequence[int] = (OURS, THEIRS)) -> dict[int, list[int]]:
        last = max([*self.here, *self.removals])
        forward.follow(Mark(last, len(self.removals), 1, "e@1", 4), lambda after: self.removals[after:])
        there, tokens = forward.tokens(np.array(ids, np.int64), scopes, self.read)
        said = {number: tokens.flat[tokens.owners == place].tolist() for place, number in enumerate(there.tolist())}
        assert tokens.sizes.tolist() == [len(of) for of in said.values()]
        return said

    def said(self, *ids: int) -> dict[int, list[int]]:
        return {number: self.here[number][1] for number in ids}


def test_terms_are_read_once_and_given_back_as_they_are() -> None:
    forward, library = Forward(), Library(9)
    assert library.asked(forward, 3, 5) == library.said(3, 5)
    assert library.asked(forward, 1, 3, 5, 9) == library.asked(forward, 1, 3, 5, 9) == library.said(1, 3, 5, 9)
    assert library.reads == [[3, 5], [1, 9]]


def test_what_is_remembered_is_given_to_its_readers_alone() -> None:
    forward, library = Forward(), Library(4)
    library.asked(forward, 1, 2, 3, 4)
    assert library.asked(forward, 1, 2, 3, 4, scopes=(THEIRS,)) == library.said(2, 4)
    assert library.asked(forward, 1, 2, 3, 4, scopes=(THEIRS + 7,)) == library.asked(forward, 1, 2, 3, 4, scopes=()) == {}


def test_what_went_is_forgotten_and_overwritten() -> None:
    forward, library = Forward(), Library(9)
    library.asked(forward, 7, 8)
    library.remove(8)
    assert library.asked(forward, 7, 8) == library.said(7)
    assert forward._flat.max() == 6


def test_a_change_that_no_id_tells_has_all_read_again() -> None:
    forward, library = Forward(), Library(3)
    library.asked(forward, 1, 2, 3)
    library.here[2] = (OURS, [5])
    library.removals.append(NO_PASSAGE)
    assert library.asked(forward, 2, 3) == library.said(2, 3)
    assert library.reads == [[1, 2, 3], [2, 3]]


def test_what_came_is_read() -> None:
    forward, library = Forward(), Library(2)
    library.asked(forward, 1, 2)
    library.here[500] = (OURS, [1, 2])
    assert library.asked(forward, 2, 500) == library.said(2, 500)


def test_what_is_remembered_is_bounded() -> None:
    forward, library = Forward(most_terms=20), Library(9)
    for _round in range(5):
        assert library.asked(forward, 7, 8, 9) == library.said(7, 8, 9)
    assert len(library.reads) == 5
