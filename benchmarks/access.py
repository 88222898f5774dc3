"""The long proof of who finds what: 100,000 searches of people who come, go, post, edit, delete, forget and ask in any order.

    python -m benchmarks.access --searches 100000

Stops at `--minutes` in any case; prints what it saw; exit code 1 where anything leaked. `--write` puts the figures into docs/access.md.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from pathlib import Path

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from benchmarks.access_machine import TheRule

PAGE = Path(__file__).parents[1] / "docs" / "access.md"
AT_ONCE = 10
"""Bots that live one after the other between two looks at the clock."""
STEPS = 40
FIGURES = re.compile(r"(?<=<!-- bench-access -->\n).*?(?=\n<!-- end -->)", re.DOTALL)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--searches", type=int, default=100_000)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    told = run(asked.searches, minutes=asked.minutes, first_seed=asked.seed)
    print(told)
    if asked.write:
        PAGE.write_text(FIGURES.sub(lambda _found: told, PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.exit(1 if TheRule.leaks else 0)


def run(searches: int, *, minutes: float, first_seed: int) -> str:
    """Let bots live until so many searches were made or the time is over; return what was seen, a line."""
    begun, lives, number = time.monotonic(), 0, first_seed
    TheRule.searches = TheRule.leaks = TheRule.steps = 0
    often = settings(
        max_examples=AT_ONCE, stateful_step_count=STEPS, deadline=None, database=None, phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    while TheRule.searches < searches and time.monotonic() - begun < 60 * minutes:
        run_state_machine_as_test(seed(number)(TheRule), settings=often)
        number, lives = number + 1, lives + AT_ONCE
        print(f"{TheRule.searches} searches, {TheRule.leaks} leaks", file=sys.stderr, flush=True)
    took = time.monotonic() - begun
    return (
        f"{TheRule.searches:,} searches in {lives} lives of {STEPS} steps ({TheRule.steps:,} steps), seeds {first_seed} to {number - 1}: "
        f"{TheRule.leaks} leaks. {took / 60:.0f} minutes, {os.cpu_count()} cores."
    )


if __name__ == "__main__":
    main()
