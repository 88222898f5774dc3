from bot.retrieval.features import weigh
from bot.retrieval.lexical import asked


def chosen(frequencies: dict[str, int], budget: int = 100) -> list[str]:
    return asked(weigh(list(frequencies), frequencies, 1000, ""), frequencies, budget=budget)


def test_the_rarest_terms_are_asked_for_while_they_fit() -> None:
    assert chosen({"common": 500, "rare": 3, "middling": 60}) == ["rare", "middling"]


def test_the_rarest_is_asked_for_however_common() -> None:
    assert chosen({"common": 900, "all": 950}) == ["common"]


def test_unknown_terms_are_not_asked_for() -> None:
    assert chosen({"unknown": 0, "rare": 3}) == ["rare"]
