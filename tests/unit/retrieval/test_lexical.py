from collections.abc import Sequence

import numpy as np
import pytest

from bot.retrieval import lexical
from bot.retrieval.features import weigh
from bot.retrieval.lexical import Readable, Words, asked, scored
from bot.retrieval.tokens import Tokens, fingerprints
from bot.store.shelf import Mark, Termed
from bot.text.words import terms as cut

TEXTS = [
    "the lamp", "the blue lamp stands beside the blue door", "the door", "blue", "a door and a lamp", "lamp lamp lamp door",
    "푸른 램프는 문 옆에 있다", "문은 푸르다",
]  # fmt: skip
OURS, THEIRS = 1, 2


def chosen(frequencies: dict[str, int], budget: int = 100) -> list[str]:
    query = weigh(list(frequencies), frequencies, 1000, "")
    return [query.terms[place] for place in asked(query, frequencies, budget=budget)]


def test_the_rarest_terms_are_asked_for_while_they_fit() -> None:
    assert chosen({"common": 500, "rare": 3, "middling": 60}) == ["rare", "middling"]


def test_the_rarest_is_asked_for_however_common() -> None:
    assert chosen({"common": 900, "all": 950}) == ["common"]


def test_unknown_terms_are_not_asked_for() -> None:
    assert chosen({"unknown": 0, "rare": 3}) == ["rare"]


def test_words_that_say_little_are_asked_for_where_there_is_nothing_else() -> None:
    assert chosen({"the": 5, "lamp": 60}) == ["lamp"]
    assert chosen({"the": 5, "of": 6}) == ["the", "of"]


class Held:
    """A state of the database: TEXTS by turns in two scopes, as often as is said; it remembers what it was asked."""

    def __init__(self, times: int = 1) -> None:
        self.said = {number: cut(text) for number, text in enumerate(TEXTS * times, start=1)}
        self.asked: list[object] = []

    @property
    def mark(self) -> Mark:
        return Mark(max(self.said), 0, 1, "e@1", 4)

    @property
    def mean_length(self) -> float:
        return float(np.mean([len(said) for said in self.said.values()]))

    def scope(self, number: int) -> int:
        return OURS if number % 2 else THEIRS

    def frequencies(self, terms: Sequence[str]) -> dict[str, int]:
        self.asked.append(list(terms))
        counted = {term: sum(term in said for said in self.said.values()) for term in terms}
        return {term: count for term, count in counted.items() if count}

    def holders(self, term: str, *, after: int = 0) -> np.ndarray:
        self.asked.append((term, after))
        return np.array([number for number, said in self.said.items() if number > after and term in said], np.int64)

    def readable(self, scopes: Sequence[int], *, after: int = 0) -> np.ndarray:
        return np.array([number for number in self.said if number > after and self.scope(number) in scopes], np.int64)

    def removed(self, *, after: int) -> list[int]:
        return []

    def terms_in(self, ids: np.ndarray, scopes: Sequence[int]) -> list[Termed]:
        self.asked.append("terms")
        rows = [(number, self.scope(number), packed(self.said[number])) for number in ids.tolist()]
        return [row for row in rows if row[1] in scopes]


def packed(said: Sequence[str]) -> bytes:
    return bytes(8) + fingerprints(said).astype("<u4").tobytes()


def found(state: Held, text: str, readable: Readable, words: Words | None = None, count: int = 40) -> list[int]:
    words = words or Words()
    query, frequencies = words.weigh(state, text, passages=len(state.said))  # type: ignore[arg-type]
    return words.search(
        state, query, frequencies, readable, mark=state.mark, mean_length=state.mean_length, count=count  # type: ignore[arg-type]
    )  # fmt: skip


EVERYTHING = Readable((OURS, THEIRS), whole=True)


@pytest.mark.parametrize("asked_for", ["the blue lamp", "푸른 문"])
@pytest.mark.parametrize("readable", [EVERYTHING, Readable((OURS,), whole=False), Readable((THEIRS,), whole=False)])
@pytest.mark.parametrize("read_most", [1000, 9])
def test_what_is_chosen_first_is_what_bm25_over_all_would_rank_first(
    asked_for: str, readable: Readable, read_most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lexical, "READ_MOST", read_most)
    state = Held(times=4)
    query, _frequencies = Words().weigh(state, asked_for, passages=len(state.said))  # type: ignore[arg-type]
    tokens = Tokens.of([fingerprints(said) for said in state.said.values()])
    scores = scored(tokens, query, mean_length=state.mean_length)
    mine = [score for number, score in zip(state.said, scores, strict=True) if state.scope(number) in readable.scopes]
    best = [scores[number - 1] for number in found(state, asked_for, readable, count=3)]
    assert best == sorted(mine, reverse=True)[:3]


def test_nothing_is_found_in_other_scopes_and_nothing_without_a_shared_word() -> None:
    state = Held(times=3)
    ours = found(state, "blue lamp door", Readable((OURS,), whole=False))
    assert ours
    assert all(state.scope(number) == OURS for number in ours)
    assert found(state, "zebra", EVERYTHING) == found(state, "lamp", Readable((), whole=False)) == []


def test_a_reader_of_few_passages_is_answered_without_counting_those_of_others() -> None:
    state = Held(times=3)
    state.said[99] = cut("the rare door")
    assert found(state, "rare door", Readable((OURS,), whole=False), count=99)[0] == 99
    assert not [one for one in state.asked if isinstance(one, tuple)]


def test_the_terms_of_a_passage_are_read_once() -> None:
    state, words = Held(times=3), Words()
    first = found(state, "blue lamp", EVERYTHING, words)
    state.asked.clear()
    assert found(state, "blue lamp", EVERYTHING, words) == first
    assert "terms" not in state.asked


def test_a_words_frequency_is_counted_once() -> None:
    state, words = Held(), Words()
    first = words.weigh(state, "lamp lost", passages=9)[1]  # type: ignore[arg-type]
    second = words.weigh(state, "blue lamp lost", passages=9)[1]  # type: ignore[arg-type]
    assert state.asked == [["lamp", "lost"], ["blue"]]
    assert (first, second) == ({"lamp": 4, "lost": 0}, {"blue": 2, "lamp": 4, "lost": 0})


def test_what_is_remembered_of_words_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lexical, "MOST_KNOWN", 2)
    state, words = Held(), Words()
    words.weigh(state, "old older stale", passages=9)  # type: ignore[arg-type]
    words.weigh(state, "blue lamp", passages=9)  # type: ignore[arg-type]
    words.weigh(state, "stale", passages=9)  # type: ignore[arg-type]
    assert state.asked[1:] == [["blue", "lamp"], ["stale"]]


def test_a_change_has_rare_words_counted_anew_and_common_ones_once_the_library_has_grown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lexical, "COMMON", 3)
    state, words = Held(), Words()
    words.moved(100)
    words.weigh(state, "blue lamp", passages=100)  # type: ignore[arg-type]
    words.moved(101)
    words.weigh(state, "blue lamp", passages=101)  # type: ignore[arg-type]
    words.moved(106)
    words.weigh(state, "blue lamp", passages=106)  # type: ignore[arg-type]
    assert state.asked == [["blue", "lamp"], ["blue"], ["blue", "lamp"]]
