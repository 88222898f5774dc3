"""What the table of a search's stages says."""

import time

from benchmarks.search_stages import table, timed


def test_the_table_has_a_row_a_stage() -> None:
    said = table({"embed": (2.0, 1.754), "total": (3.5, 4.25)}).splitlines()
    assert said[2:] == ["| embed | 2.00 | 1.75 |", "| total | 3.50 | 4.25 |"]


def test_a_stage_is_timed_by_both_clocks_in_milliseconds() -> None:
    def work() -> str:
        begun = time.process_time()
        while time.process_time() - begun < 0.002:
            pass
        return "done"

    result, (wall_ms, processor_ms) = timed(work)
    assert result == "done"
    assert wall_ms > 0
    assert processor_ms >= 2
