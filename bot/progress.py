"""A bar on stderr for what takes over a second.

with bar(_("reading"), "ko") as report:
    report("plan.pdf", 3, 40)   # what is being done, how many are done, of how many
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bot.locale import Language, Text

Report = Callable[[str | Text, int, int], None]


@contextmanager
def bar(title: Text, language: Language) -> Iterator[Report]:
    """Give a function that moves the bar, with words in `language` beside it; nothing is drawn where stderr is no terminal."""
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
        task = progress.add_task(title.to(language), total=None, now="")

        def report(now: str | Text, done: int, total: int) -> None:
            told = now.to(language) if isinstance(now, Text) else now
            progress.update(task, completed=done, total=total or None, now=told[-40:])

        yield report
