"""The table of docs/channels.md: its rows are the behaviours that there are, its cells the channels that are tested."""

from __future__ import annotations

import re

from benchmarks.contract import PAGE, SUITES, known, table
from bot.contract import behaviours_of


def test_the_page_holds_every_behaviour_and_nothing_that_failed() -> None:
    impossible, channels = known()
    every = {behaviour for _title, suite in SUITES for behaviour in behaviours_of(suite)}
    passed = {(behaviour, channel): "passed" for behaviour in every for channel in channels}
    assert table(passed, impossible, channels) in PAGE.read_text(encoding="utf-8")


def test_there_are_forty_and_more() -> None:
    assert sum(len(behaviours_of(suite)) for _title, suite in SUITES) >= 40


def test_what_failed_or_did_not_run_has_no_tick() -> None:
    made = table({("a_text_comes_in", "web"): "failed"}, {}, ("web",))
    assert "| failed |" in made
    assert "| not run |" in made
    assert "✓" not in made


def test_what_is_impossible_is_a_behaviour_and_a_channel_and_has_a_page() -> None:
    impossible, channels = known()
    every = {behaviour for _title, suite in SUITES for behaviour in behaviours_of(suite)}
    for (behaviour, channel), why in impossible.items():
        assert behaviour in every, behaviour
        assert channel in channels
        assert re.search(r"https://|docs/", why)
