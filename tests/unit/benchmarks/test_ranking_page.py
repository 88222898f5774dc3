from pathlib import Path

import pytest

from benchmarks.ranking import rrf
from benchmarks.ranking_page import BEGIN, END, Row, page
from bot.evaluate.search import SearchScores


def scores(leg: str, ndcg: float) -> SearchScores:
    return SearchScores(leg, ndcg, 0.5, 0.75, 0.25, 4.04, 9.96, 100, 1400, 1500)


ROW = Row(
    "cisi-en", {leg: scores(leg, value) for leg, value in (("words", 0.3), ("vectors", 0.4), ("fused", 0.47))}, 0.35, 0.41, 0.44
)


def test_the_tables_stand_between_the_marks_and_nothing_else_is_touched(tmp_path: Path) -> None:
    file = tmp_path / "quality.md"
    file.write_text(f"# Quality\n\n{BEGIN}\nold\n{END}\n\nthe rest\n")
    page([ROW], file)
    shown = page([ROW], file)
    assert file.read_text() == f"# Quality\n\n{BEGIN}\n\n{shown}\n\n{END}\n\nthe rest\n"


def test_the_difference_is_to_the_better_of_both_legs(tmp_path: Path) -> None:
    file = tmp_path / "quality.md"
    file.write_text(BEGIN + END)
    shown = page([ROW], file)
    assert "| cisi-en | 100 | .350 | .400 | .410 | .440 | **.470** | .460 | +0.070 |" in shown
    assert "| cisi-en | words | .300 | .500 | .750 | .250 | 4.0 | 10.0 |" in shown


def test_a_page_without_marks_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "quality.md"
    file.write_text("# Quality")
    with pytest.raises(ValueError, match="no marks"):
        page([ROW], file)
    assert file.read_text() == "# Quality"


def test_what_was_measured_is_kept_whole() -> None:
    assert Row.from_json(ROW.to_json()) == ROW


def test_reciprocal_ranks_of_both_lists_are_added() -> None:
    assert rrf(["a", "b", "c"], ["c", "b", "d"]) == ["c", "b", "a", "d"]
