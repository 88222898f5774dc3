"""Backups by the running bot: when they are due, by which one of its processes, and which are deleted."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot import backups
from bot.backups import AFTER_START_S, LOOK_EVERY_S, Backups, Plan
from bot.errors import StoreError
from bot.store import schema
from bot.store.archive import check
from bot.store.posts import Posts


class EndError(Exception):
    """The test has seen enough."""


class Clock:
    def __init__(self, looks: int) -> None:
        self.at, self.looks, self.meanwhile = datetime(2030, 1, 1, tzinfo=UTC), looks, dict[int, Callable[[], None]]()

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.looks -= 1
        if self.looks < 0:
            raise EndError
        self.meanwhile.get(self.looks, lambda: None)()
        self.at += timedelta(seconds=seconds)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    schema.upgrade(home / "paring.db")
    return home


async def run(
    home: Path, folder: Path, clock: Clock, *, every_h: float = 1 / 12, keep: int = 2, posts: Posts | None = None
) -> list[str]:
    one = Backups(
        home, Plan(every_h, keep, folder), posts or Posts(Path(tempfile.mkdtemp(dir=home))), now=clock.now, sleep=clock.sleep
    )
    with pytest.raises(EndError):
        await one.run()
    return sorted(path.name for path in folder.glob("*")) if folder.exists() else []


async def test_the_newest_are_kept_and_what_is_not_the_bots_own(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    folder.mkdir(parents=True)
    others = ["paring-99999999T999999Z.zip", "paring-mine.zip"]
    for name in others:
        (folder / name).write_text("not its own", encoding="utf-8")

    found = await run(home, folder, Clock(5))

    made = [f"paring-20300101T00{minute:02}00Z.zip" for minute in (16, 21)]
    assert found == [*made, *others]
    for name in made:
        assert check(folder / name).schema == schema.head()


async def test_one_is_made_only_when_it_is_due_also_after_a_restart(home: Path, tmp_path: Path) -> None:
    first = await run(home, tmp_path / "b", Clock(3), every_h=1)
    clock = Clock(3)
    clock.at += timedelta(seconds=AFTER_START_S + 2 * LOOK_EVERY_S)

    assert len(first) == 1
    assert await run(home, tmp_path / "b", clock, every_h=1) == first


async def test_a_clock_that_was_set_back_far_makes_a_new_one(home: Path, tmp_path: Path) -> None:
    await run(home, tmp_path / "b", Clock(2), every_h=1)
    clock = Clock(2)
    clock.at -= timedelta(days=400)

    assert await run(home, tmp_path / "b", clock, every_h=1, keep=1) == ["paring-20281127T000100Z.zip"]


async def test_nothing_is_deleted_while_no_newer_one_is_whole(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    before = await run(home, tmp_path / "b", Clock(2), keep=1)

    def broken(_file: Path) -> None:
        raise StoreError("not whole")

    monkeypatch.setattr(backups, "check", broken)
    clock = Clock(4)
    clock.at += timedelta(hours=2)
    after = await run(home, tmp_path / "b", clock, keep=1)

    assert set(before) < set(after)
    assert sum("no backup could be made" in record.message for record in caplog.records) <= 1


async def test_a_bot_beside_the_one_that_makes_them_makes_none(home: Path, tmp_path: Path) -> None:
    other = Posts(tmp_path)
    assert other.take(backups.POST)

    assert await run(home, tmp_path / "b", Clock(3), posts=Posts(tmp_path)) == []
    other.leave(backups.POST)


async def test_a_folder_that_cannot_be_made_is_told(home: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")

    with pytest.raises(StoreError, match="no folder"):
        Backups(home, Plan(1, 1, tmp_path / "file" / "b"), Posts(tmp_path)).make()


async def test_without_hours_none_is_made(home: Path, tmp_path: Path) -> None:
    await Backups(home, Plan(0, 1, tmp_path / "b"), Posts(tmp_path)).run()

    assert not (tmp_path / "b").exists()
