from collections.abc import Sequence

import pytest

from bot.retrieval import lexical
from bot.retrieval.features import weigh
from bot.retrieval.lexical import asked, weigh_query


def chosen(frequencies: dict[str, int], budget: int = 100) -> list[str]:
    return asked(weigh(list(frequencies), frequencies, 1000, ""), frequencies, budget=budget)


def test_the_rarest_terms_are_asked_for_while_they_fit() -> None:
    assert chosen({"common": 500, "rare": 3, "middling": 60}) == ["rare", "middling"]


def test_the_rarest_is_asked_for_however_common() -> None:
    assert chosen({"common": 900, "all": 950}) == ["common"]


def test_unknown_terms_are_not_asked_for() -> None:
    assert chosen({"unknown": 0, "rare": 3}) == ["rare"]


class Counted:
    """A state of the database with two known words, that remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def frequencies(self, terms: Sequence[str]) -> dict[str, int]:
        self.asked.append(list(terms))
        return {term: frequency for term, frequency in {"lamp": 3, "blue": 5}.items() if term in terms}


def test_a_words_frequency_is_asked_once() -> None:
    state = Counted()
    known: dict[str, int] = {}
    first = weigh_query(state, "lamp lost", passages=9, known=known)[1]  # type: ignore[arg-type]
    second = weigh_query(state, "blue lamp lost", passages=9, known=known)[1]  # type: ignore[arg-type]
    assert state.asked == [["lamp", "lost"], ["blue"]]
    assert (first, second) == ({"lamp": 3, "lost": 0}, {"blue": 5, "lamp": 3, "lost": 0})


def test_what_is_remembered_of_words_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lexical, "MOST_KNOWN", 2)
    state, known = Counted(), dict.fromkeys(("lamp", "old", "older"), 3)
    assert weigh_query(state, "blue lamp", passages=9, known=known)[1] == {"blue": 5, "lamp": 3}  # type: ignore[arg-type]
    assert known == {"blue": 5, "lamp": 3}
