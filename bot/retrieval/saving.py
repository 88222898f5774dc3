"""When the index in memory becomes files: in the background while the bot runs, and at a clean end.

Owns that decision, and that what is forgotten is in no file. It makes its own mirror of the database, on a thread of its own and in a
transaction of its own: a search is never kept waiting, and what is written is what the database says, not what the memory holds.

    saving = Saving(database.path, Shelter(home / "index"))
    await saving.run()         # for ever
    await saving.forgotten()   # after passages were deleted
"""

from __future__ import annotations

import asyncio
import time
from contextlib import closing
from pathlib import Path

from bot.background import in_background
from bot.errors import StoreError
from bot.logs import Logger
from bot.retrieval.mirror import Mirror
from bot.retrieval.shelter import Shelter
from bot.store.shelf import Shelf

log = Logger(__name__)

LOOK_EVERY_S = 30.0
LEAST_CHANGES, SHARE = 500, 50
"""Passages that came and went before the index is saved; and at least one in that many of all."""
WITHIN_S, GONE_WITHIN_S = 600.0, 120.0
"""However few: after that long they are saved; sooner where any went, whose traces then leave the files."""
MOST_AT_THE_END = 200_000
"""Passages that are read from the database at a clean end (2 s); with more to do, the next start does it."""


class Saving:
    """Saves the index of one database."""

    def __init__(self, database: Path, shelter: Shelter) -> None:
        """Save what is in `database` to `shelter`."""
        self._database = database
        self._shelter = shelter
        self._since = time.monotonic()
        self.touched = False
        """Whether this process has changed passages since it saved them last."""

    async def run(self) -> None:
        """Save whenever enough has changed, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if await in_background(self._due):
                await in_background(self.save)

    def touch(self) -> None:
        """Know that something is about to be changed."""
        self.touched = True

    async def close(self) -> None:
        """Save what this process has changed, if that is quickly done."""
        if self.touched and sum((await asyncio.to_thread(self._lag))[1:]) <= MOST_AT_THE_END:
            await asyncio.to_thread(self.save)

    async def forgotten(self) -> None:
        """Leave nothing of what was deleted in a file: the saved index is written anew without it, what was set aside is deleted."""
        await asyncio.to_thread(self._renew)

    def save(self) -> bool:
        """Save the index as the database has it now; return False where it cannot be written: it is logged, and tried again later."""
        self._since, self.touched = time.monotonic(), False  # what is changed from here on may be too late for this file
        try:
            with closing(Shelf(self._database)) as shelf:
                mirror = Mirror(shelf, self._shelter)
                with shelf.state() as state:
                    mirror.catch_up(state)
                # Only now are others kept out: what was deleted until here is followed once more, and a later eraser waits.
                with self._shelter.locked(), shelf.state() as state:
                    mirror.catch_up(state)
                    if mirror.mark.passage:
                        self._shelter.save(mirror.index, mirror.made)
        except (OSError, StoreError) as error:
            log.warning("the index could not be saved; the next start reads it from the database", why=str(error))
            self.touched = True
            return False
        return True

    def _renew(self) -> None:
        self._shelter.drop_aside()
        if self._shelter.newest() is None or not self.save():
            self._shelter.drop()  # without a whole index, too, there may be what a kill has left of one

    def _due(self) -> bool:
        covered, came, went = self._lag()
        waited = time.monotonic() - self._since
        return came + went > 0 and (
            not covered
            or came + went >= max(LEAST_CHANGES, covered // SHARE)
            or (went > 0 and waited > GONE_WITHIN_S)
            or waited > WITHIN_S
        )

    def _lag(self) -> tuple[int, int, int]:
        """Return up to which passage the files reach, how many came since, and how many went."""
        made = self._shelter.made()
        try:
            with closing(Shelf(self._database)) as shelf, shelf.state() as state:
                mark = state.mark()
        except StoreError:
            return 0, 0, 0
        if made is None or made.mark.generation != mark.generation:
            return 0, mark.passage, 0
        return made.mark.passage, mark.passage - made.mark.passage, mark.removal - made.mark.removal
