"""An archive into the library: each file in it is a document of its own, under the archive's name and its path there.

Owns the bounds of a whole archive, those in it too, and what is told of it. Leaves to `bot.retrieval.held` what lies in it, to the
library how one file is kept.

    added = await Members(reader, add, within=None).add(path, document, title="plans.zip", key="path:/team/plans.zip")
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from bot.errors import InputError, ModelError, TooLargeError
from bot.locale import phrases
from bot.passage import WITHIN, Added, Failed
from bot.retrieval.document import Block, Document
from bot.retrieval.reading import DEEPEST, Reader, nothing_in

_ = phrases(__file__)

AT_ONCE = 4
"""Files of one archive that are unpacked at the same time."""
MOST_BYTES = 1 << 30
MOST_FILES = 2000
"""What an archive may hold unpacked, all that is in archives in it counted: what cannot be taken out has been tried, too."""
SLOW_S = 1.0
MOST_LOST_S = 120.0
"""Time for files of an archive that cannot be read, those refused within SLOW_S left out; then what is left of it is not tried."""
SHOWN = " › "
"""Between an archive and the path of a file in it, in a title."""


class AddOne(Protocol):
    """How one file of an archive is added."""

    async def __call__(self, path: Path, /, *, title: str, key: str, within: Budget) -> Added:
        """Add the file at `path`."""
        ...


@dataclass(slots=True)
class Budget:
    """What is left of the bounds of the outermost archive, and how deep the one is that is being read."""

    depth: int = 0
    left: list[float] = field(default_factory=lambda: [MOST_FILES, MOST_BYTES, MOST_LOST_S])
    """Files, bytes and seconds that may be lost, shared by all that lies in the outermost."""

    def deeper(self) -> Budget:
        """Return the bounds of what lies in it."""
        return Budget(self.depth + 1, self.left)

    def lose(self, seconds: float) -> None:
        """Count a file that was not read for so long."""
        self.left[2] -= seconds if seconds >= SLOW_S else 0

    def open(self, name: str) -> None:
        """Count a file that is to be taken out. Raises TooLargeError where there are too many, or too much time is lost."""
        self.left[0] -= 1
        if self.left[2] < 0:
            raise TooLargeError(
                _("{name} was not read: other files of the archive took too long. Please send it by itself.", name=name)
            )
        if self.left[0] < 0:
            raise _too_much(name)

    def unpack(self, name: str, size_bytes: int) -> None:
        """Count its bytes. Raises TooLargeError where that are too many."""
        self.left[1] -= size_bytes
        if self.left[1] < 0:
            raise _too_much(name)


async def add_members(
    reader: Reader, add: AddOne, path: Path, document: Document, *, title: str, key: str, budget: Budget
) -> tuple[list[Added], list[Failed]]:
    """Add the files of the archive at `path`, of which `document` tells; return what became of them, in their order.

    Raises:
        InputError: none of them could be read.
    """
    if budget.depth >= DEEPEST:
        raise TooLargeError(
            _("{name} is an archive within archives. Nothing of it was kept; please send it by itself.", name=title)
        )
    few = asyncio.Semaphore(AT_ONCE)

    async def one(block: Block) -> Added | Failed:
        async with few:
            return await _one(reader, add, path, block, f"{title}{SHOWN}{block.text}", f"{key}{WITHIN}{block.text}", budget)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(block)) for block in document.blocks]
    outcomes = [task.result() for task in tasks]
    kept = [outcome for outcome in outcomes if isinstance(outcome, Added)]
    failed = [one for outcome in outcomes for one in ([outcome] if isinstance(outcome, Failed) else outcome.failed)]
    if not kept:
        raise InputError(failed[0].reason) if len(failed) == 1 else nothing_in(title)
    return kept, failed


def together(kept: Sequence[Added], failed: Sequence[Failed], *, title: str, known: bool) -> Added:
    """Return what became of an archive as a whole; `known` says that there were documents of it before."""
    changed = [one for one in kept if one.status != "unchanged"]
    status: Literal["added", "replaced", "unchanged"] = "replaced" if known else "added"
    passages = sum(one.passages for one in changed or kept)
    files = sum(one.files for one in kept)
    return Added(title, passages, status if changed else "unchanged", kept[0].document, files, tuple(failed))


async def _one(reader: Reader, add: AddOne, path: Path, block: Block, title: str, key: str, budget: Budget) -> Added | Failed:
    begun = time.monotonic()
    try:
        budget.open(block.text)
        async with reader.held(path, block) as (file, _is_picture):
            budget.unpack(block.text, file.stat().st_size)
            return await add(file, title=title, key=key, within=budget.deeper())
    except (InputError, ModelError) as error:
        budget.lose(time.monotonic() - begun)
        return Failed(title, error.text)


def _too_much(name: str) -> TooLargeError:
    return TooLargeError(
        _(
            "{name} was not read: the archive unpacks to over {files} files or {most} MB. Please send it by itself.",
            name=name, files=MOST_FILES, most=MOST_BYTES >> 20,
        )
    )  # fmt: skip
