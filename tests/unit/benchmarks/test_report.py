"""What the benchmark makes of its figures: whole, half measured, and with a program that failed."""

import argparse
from pathlib import Path

import pytest

from benchmarks import __main__ as benchmark
from benchmarks.report import Figures, rows, table

WHOLE = Figures(
    index={"paring": {"passages_a_second": 190.0}, "txtai": {"passages_a_second": 60.0}, "st": {"passages_a_second": 58.0}},
    cold={"paring": [1.4, 1.6, 1.5], "txtai": [8.0, 8.5, 8.6], "st": [7.0, 6.9, 7.1]},
    warm=[
        {
            "paring": {
                "p50_ms": 6.0,
                "rss_mb": 300.0,
                "embed_and_index_p50_ms": 5.0,
                "nearest_p50_ms": 4.0,
                "decision_p50_ms": 4.0,
            },
            "txtai": {"p50_ms": 20.0, "rss_mb": 690.0},
            "txtai-hybrid": {"p50_ms": 30.0, "rss_mb": 720.0},
            "st": {"p50_ms": 12.0, "rss_mb": 560.0},
        }
    ],
    idle={"rss_mb": 340.0, "torch": False},
    throughput={"messages_a_second": 400.0, "in_order": True},
)


def test_all_rows_are_reached_where_all_figures_are_good() -> None:
    assert [row.reached for row in rows(WHOLE)] == [True] * 8
    assert "| first answer of a cold process | 1.5 s | 8.5 s | 7 s |" in table(rows(WHOLE))
    assert "| of which embedding and index, p50; txtai's hybrid call | 5 ms | 30 ms | – |" in table(rows(WHOLE))
    assert "| a question's vector and its nearest passages alone, p50 | 4 ms | 20 ms | 12 ms |" in table(rows(WHOLE))


@pytest.mark.parametrize(
    ("row", "worse"),
    [
        (0, Figures(**{**vars(WHOLE), "cold": {"paring": [1.8], "txtai": [8.5], "st": [7.0]}})),
        (2, Figures(**{**vars(WHOLE), "warm": [WHOLE.warm[0] | {"txtai-hybrid": {"p50_ms": 14.9}}]})),
        (2, Figures(**{**vars(WHOLE), "warm": [WHOLE.warm[0] | {"txtai-hybrid": {}}]})),
        (5, Figures(**{**vars(WHOLE), "index": {"paring": {"passages_a_second": 179.0}, "txtai": {"passages_a_second": 60.0}}})),
        (6, Figures(**{**vars(WHOLE), "idle": {"rss_mb": 340.0, "torch": True}})),
        (7, Figures(**{**vars(WHOLE), "throughput": {"messages_a_second": 400.0, "in_order": False}})),
    ],
)
def test_a_figure_that_is_short_is_told(row: int, worse: Figures) -> None:
    assert [number for number, one in enumerate(rows(worse)) if not one.reached] == [row]


def test_a_peer_that_failed_is_a_dash_and_the_others_stay() -> None:
    failed = Figures(**{**vars(WHOLE), "index": {**WHOLE.index, "txtai": {}}, "cold": {**WHOLE.cold, "txtai": []}})

    shown = rows(failed)

    assert (shown[5].paring, shown[5].txtai, shown[5].st, shown[5].reached) == (190.0, None, 58.0, False)
    assert (shown[0].txtai, shown[0].st, shown[0].reached) == (None, 7.0, True)
    assert "| 190 1/s | – | 58 1/s |" in table(shown)


def test_nothing_measured_is_a_page_of_dashes() -> None:
    assert all(row.paring is None and not row.reached for row in rows(Figures()))


def test_the_page_is_written_after_each_part(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def stopped(*_arguments: object):
        yield Figures(index={"paring": {"passages_a_second": 190.0}})
        raise KeyboardInterrupt

    monkeypatch.setattr(benchmark, "measure", stopped)
    monkeypatch.setattr("sys.argv", ["benchmarks", "--out", str(tmp_path / "docs")])

    with pytest.raises(KeyboardInterrupt):
        benchmark.main()

    assert "| passages indexed a second | 190 1/s | – | – |" in (tmp_path / "docs" / "benchmarks.md").read_text(encoding="utf-8")


def test_txtai_hybrid_indexes_once_and_starts_cold_never(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[tuple[object, object]] = []

    def run(module: str, *words: object) -> dict[str, float]:
        if module == "benchmarks.peers":
            asked.append((words[0], words[-1]))
        return {}

    monkeypatch.setattr(benchmark, "run", run)
    monkeypatch.setattr(benchmark, "say", lambda *_words: True)
    monkeypatch.setattr(benchmark, "corpus", lambda count: ["one two three"] * count)

    list(benchmark.measure(tmp_path, 2, 1, 2))

    assert [what for peer, what in asked if peer == "txtai-hybrid"] == ["index", "search", "search"]
    assert [what for peer, what in asked if peer == "txtai"] == ["index", "cold", "cold", "search", "search"]


def test_a_program_that_fails_measures_nothing_and_stops_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    assert benchmark.run("benchmarks.there_is_no_such_program", "index") == {}
    assert "there_is_no_such_program" in capfd.readouterr().err


def test_a_start_that_fails_is_not_timed() -> None:
    assert benchmark.timed(lambda: False) is None
    assert (benchmark.timed(lambda: True) or 0) >= 0


def test_the_conditions_name_what_was_measured() -> None:
    page = benchmark.written("TABLE", argparse.Namespace(passages=10_000, questions=210, rounds=5))

    assert "10000 passages" in page
    assert "medians of 5 cold starts and 3 warm runs" in page
    assert "TABLE" in page
