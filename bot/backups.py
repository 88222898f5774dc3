"""Backups that the running bot makes by itself, every so many hours; older ones go once a newer one is whole.

Owns when, under which name, and which are kept. Leaves the making to `bot.store.backup`. Of several bots of a home one does it.

    await Backups(home, Plan(every_h=24, keep=7, folder=folder), Posts(home)).run()     # until cancelled
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from bot import lazy
from bot.background import in_background
from bot.errors import StoreError, refusal
from bot.locale import Text, phrases
from bot.logs import Logger
from bot.store.archive import check, is_one
from bot.store.backup import back_up
from bot.store.posts import Posts

_ = phrases(__file__)
log = Logger(__name__)

FOLDER: Final = "backups"
"""In the home, where the settings name no other place."""
POST: Final = "backup"
AFTER_START_S: Final = 60.0
LOOK_EVERY_S: Final = 300.0
STAMP: Final = "%Y%m%dT%H%M%SZ"
_NAME: Final = lazy.compile(r"paring-(\d{8}T\d{6}Z)\.zip")


@dataclass(frozen=True, slots=True)
class Plan:
    """How often (0: never), how many are kept, and where."""

    every_h: float
    keep: int
    folder: Path


class Backups:
    """Makes backups of one home."""

    def __init__(
        self, home: Path, plan: Plan, posts: Posts, *, now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:  # fmt: skip
        """Take what is to be done, and the posts of the home's processes."""
        self._home, self._plan, self._posts = home, plan, posts
        self._now, self._sleep = now, sleep
        self._failed = False

    async def run(self) -> None:
        """Make one whenever it is due, until cancelled. What fails is logged once, and tried again."""
        if not self._plan.every_h:
            return
        await self._sleep(AFTER_START_S)
        while True:
            try:
                if await asyncio.to_thread(self._is_ours_and_due):
                    file = await in_background(self.make)
                    log.info("a backup was made", file=str(file))
                self._failed = False
            except (StoreError, OSError) as error:
                if not self._failed:
                    log.error("no backup could be made; it is tried again every few minutes", why=str(error))
                self._failed = True
            await self._sleep(LOOK_EVERY_S)

    def make(self) -> Path:
        """Make one, read it back, then delete those that are over; return it. Raises StoreError, and then none is deleted."""
        folder = self._plan.folder
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StoreError(
                _("There is no new backup: {folder} cannot be written ({why}).", folder=str(folder), why=refusal(error))
            ) from error
        file = folder / f"paring-{self._now():{STAMP}}.zip"
        back_up(self._home, file, _untold)
        check(file)
        for old in self._made()[: -self._plan.keep]:
            with suppress(OSError):  # the next time
                old.unlink()
        return file

    def _is_ours_and_due(self) -> bool:
        every = timedelta(hours=self._plan.every_h)
        recent = any(is_one(file) and timedelta(0) <= self._now() - _when(file) < every for file in self._made())
        return not recent and self._posts.take(POST)

    def _made(self) -> list[Path]:
        """Return what was made here, the oldest first; files of other names are somebody else's.

        What is of the future was made while the clock was wrong: it counts as the oldest.
        """
        own = [path for path in self._plan.folder.glob("paring-*.zip") if _is_own(path)]
        now = self._now()
        return sorted(own, key=lambda path: (_when(path) <= now, path.name))


def _is_own(file: Path) -> bool:
    with suppress(ValueError):  # digits that are no date
        return bool(_NAME.fullmatch(file.name)) and file.is_file() and bool(_when(file))
    return False


def _when(file: Path) -> datetime:
    return datetime.strptime(file.name.removeprefix("paring-").removesuffix(".zip"), STAMP).replace(tzinfo=UTC)


def _untold(_now: str | Text, _done: float, _total: int, *, passages: int = 0) -> None:
    """Draw no bar."""
