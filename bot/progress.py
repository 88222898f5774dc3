"""A bar on stderr for what takes over a second.

with bar("reading") as report:
    report("plan.pdf", 3, 40)   # what is being done, how many are done, of how many
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Report = Callable[[str, int, int], None]


@contextmanager
def bar(title: str) -> Iterator[Report]:
    """Give a function that moves the bar; nothing is drawn where stderr is no terminal."""
    from rich.console import Console  # noqa: PLC0415 - 50 ms that only long work pays
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[now]}"),
    )
    with Progress(
        *columns, console=Console(stderr=True), transient=True, disable=not Console(stderr=True).is_terminal
    ) as progress:
        task = progress.add_task(title, total=None, now="")

        def report(now: str, done: int, total: int) -> None:
            progress.update(task, completed=done, total=total or None, now=now[-40:])

        yield report
