"""The proof of who finds what: many people in many chats, against an oracle. 100,000 searches of it: `make bench-access`."""

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from benchmarks.access_machine import TheRule

SEARCHES = 2000


def test_no_search_of_two_thousand_tells_what_is_not_the_readers() -> None:
    TheRule.searches = TheRule.leaks = 0
    often = settings(
        max_examples=7, stateful_step_count=40, deadline=None, phases=(Phase.generate,), suppress_health_check=list(HealthCheck)
    )  # fmt: skip
    run_state_machine_as_test(TheRule, settings=often)
    assert (TheRule.searches >= SEARCHES, TheRule.leaks) == (True, 0), TheRule.searches
