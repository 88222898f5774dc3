"""A bar on stderr for what takes over a second.

with bar(_("reading"), "ko") as report:
    report("plan.pdf", 3, 40, passages=812)   # what is being done, how many are done, of how many; and what came of it
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from bot.locale import Language, Text, phrases

_ = phrases(__file__)


class Report(Protocol):
    """Told how far something has come: `done` may be between two of `total`; `passages` are those that were kept since the start."""

    def __call__(self, now: str | Text, done: float, total: int, /, *, passages: int = 0) -> None:
        """Show it."""
        ...


@contextmanager
def bar(title: Text, language: Language) -> Iterator[Report]:
    """Give a function that moves the bar, with words in `language` beside it; nothing is drawn where stderr is no terminal."""
    from rich.console import Console  # noqa: PLC0415 - 50 ms that only long work pays
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[now]}", markup=False),
    )
    begun = time.monotonic()
    with Progress(
        *columns, console=Console(stderr=True), transient=True, disable=not Console(stderr=True).is_terminal
    ) as progress:
        task = progress.add_task(title.to(language), total=None, now="", rate="")

        def report(now: str | Text, done: float, total: int, *, passages: int = 0) -> None:
            told = now.to(language) if isinstance(now, Text) else now
            said = rate(passages, time.monotonic() - begun)
            shown = said.to(language) if said else ""
            progress.update(task, completed=done, total=total or None, now=told[-40:], rate=shown)

        yield report


def rate(passages: int, seconds: float) -> Text | None:
    """Return how many passages there are and how many a second; None before there is one."""
    if not passages or seconds <= 0:
        return None
    a_second = passages / seconds
    shown = f"{a_second:.0f}" if a_second >= 10 else f"{a_second:.1f}"  # noqa: PLR2004 - two digits say enough
    return _("{passages} passages, {rate}/s", passages=f"{passages:,}", rate=shown)
