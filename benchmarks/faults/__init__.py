"""The fault and abuse matrix: what is done to the bot, and what came of it.

    python -m benchmarks.faults                       # the whole matrix, written to docs/faults.md (make faults)
    python -m benchmarks.faults --only delivery --scale 0.1

A fault is a function of a `Plan` that does something bad to the bot, on loopback, bounded and seeded, and returns the `Row` of what
it counted. Each runs in a process of its own (`benchmarks.faults.one`), so that no fault has another's leavings. The same
functions at `SHORT` are the tests (tests/e2e/test_faults.py): a fault is tested by being listed in `benchmarks.faults.matrix`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Section = Literal["delivery", "load", "storage", "files", "links", "text", "access", "secrets", "health"]
SECTIONS: dict[Section, str] = {
    "delivery": "Nothing lost, nothing doubled",
    "load": "Too much at once",
    "storage": "The disk and the database",
    "files": "Foreign bytes",
    "links": "Links",
    "text": "Text",
    "access": "Who may",
    "secrets": "Secrets and privacy",
    "health": "Health",
}


@dataclass(frozen=True)
class Plan:
    """How much is tried: `scale` 1.0 is the published matrix; chance comes from `seed` alone; `scratch` is an empty folder.

    `shared` is a folder in which a run keeps what is made once and copied by each fault that needs it; None where there is no run.
    """

    scratch: Path
    seed: int = 1
    scale: float = 1.0
    shared: Path | None = None

    def times(self, whole: int, *, least: int = 1) -> int:
        """Return how often something is done that the whole matrix does `whole` times."""
        return max(least, round(whole * self.scale))


SIDE_BY_SIDE = 2.5
"""Cores that are asked for at once on the two of the machine for which the matrix is made: they are never all asked for at the same time."""
SHORT = 0.02
"""The scale of the tests: a few seconds a fault."""


@dataclass(frozen=True)
class Row:
    """What was counted. `tried` is the number of things that might have gone wrong; the other four are of the bot's own doing."""

    tried: int
    """Messages, files, requests, kills: what `what` says."""
    what: str
    """What `tried` counts, as a plural: "messages", "files"."""
    lost: int = 0
    """Acknowledged and never answered, or never told."""
    doubled: int = 0
    """Answered or done twice."""
    leaked: int = 0
    """Seen by who may not, sent where it must not go, executed though it is data."""
    failed: int = 0
    """Anything else that is not as promised: a crash, a hang, a raw exception, a wrong status."""
    worst_wait_s: float | None = None
    """The longest that anybody waited for an answer or a sentence; None where nobody waits."""
    note: str = ""
    """What else was counted, in one line of Markdown: "2 killed twice; p99 1.3 times that of before"."""

    @property
    def sound(self) -> bool:
        """Whether nothing was lost, doubled, leaked or broken."""
        return not (self.lost or self.doubled or self.leaked or self.failed)


@dataclass(frozen=True)
class Fault:
    """One line of the matrix."""

    name: str
    """Short and unique, for `--only`: "kill-nine"."""
    section: Section
    done: str
    """What is done, as the table tells it: "200 times `kill -9` at random moments under load"."""
    run: Callable[[Plan], Awaitable[Row]]
    most_s: float
    """Over so many seconds at scale 1.0 it is ended, and counts as failed."""
    cores: float = 1.0
    """How many cores it keeps busy: its seconds of CPU by those that it takes, which are told while the matrix runs; 0 where it hardly does
    anything but wait, as while its platform is away."""
    alone: bool = False
    """Whether it says how long people wait: then nothing runs beside it that keeps a core busy."""
    fills: bool = False
    """Whether it only computes: it runs patiently beside all but what is timed, wherever these leave a core idle."""
    known: str = ""
    """Why it is not sound, where that is known and cannot be helped: "Telegram has no key for a send". The test then asks only that it runs."""
