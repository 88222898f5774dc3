"""The measures: examples whose values are known."""

import pytest

from bot.models.gates.measures import character_accuracy, chrf, distance, ndcg, rouge


def test_ndcg_is_one_for_the_first_place_and_falls_with_it() -> None:
    assert ndcg(["a", "b"], {"a": 1}) == 1.0
    assert ndcg(["b", "a"], {"a": 1}) == pytest.approx(0.6309, abs=1e-4)
    assert ndcg(["b"] * 10 + ["a"], {"a": 1}) == 0.0


@pytest.mark.parametrize(
    ("one", "other", "steps"), [("", "", 0), ("kitten", "sitting", 3), ("가나다", "가다", 1), ("", "abc", 3)]
)
def test_the_distance_counts_edits(one: str, other: str, steps: int) -> None:
    assert distance(one, other) == distance(other, one) == steps


def test_characters_are_compared_without_regard_to_lines() -> None:
    assert character_accuracy("회의는\n3시", "회의는  3시") == 1.0
    assert character_accuracy("helo", "hello") == pytest.approx(0.8)
    assert character_accuracy("something quite else", "no") == 0.0
    assert character_accuracy("", "") == 1.0


@pytest.mark.parametrize(
    ("made", "reference", "score"),
    [("a", "a", 1.0), ("", "reference", 0.0), ("a b c", "a b c", 1.0), ("a b c", "abc", 1.0), ("aa", "ab", 0.25), ("abcdefg", "hijklmnop", 0)],
)  # fmt: skip
def test_chrf_agrees_with_the_published_examples_of_sacrebleu(made: str, reference: str, score: float) -> None:
    """Source: sacreBLEU, test/test_chrf.py, test_cases_effective_order; their precision is their recall, so any beta gives the same."""
    assert chrf(made, [reference]) == pytest.approx(score, abs=1e-6)


def test_chrf_weighs_recall_twice_and_takes_the_best_reference() -> None:
    """By hand: precision (2/4 + 1/3) / 2, recall 1; 5 p r / (4 p + r)."""
    assert chrf("abcd", ["ab"]) == pytest.approx(0.78125)
    assert chrf("ab", ["abcd"]) == pytest.approx(0.4716981)
    assert chrf("ab", ["abcd", "ab"]) == 1.0


def test_rouge_knows_both_languages() -> None:
    assert rouge("dams breaking", ["dam breaks"])["rouge2"] == 1.0
    assert rouge("댐은 무너졌습니다", ["댐이 무너졌다"])["rouge1"] == 1.0
    assert rouge("The dam broke.", ["Something else.", "The dam broke."])["rouge1"] == 1.0
