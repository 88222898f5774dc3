"""What a watcher does, look by look: time is a number that the tests give."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.errors import UnreadableError
from bot.locale import Text
from bot.passage import PUBLIC, Added, Failed
from bot.retrieval import watching
from bot.retrieval.library import Shelves
from bot.retrieval.watching import LOOK_EVERY_S, LOST_EVERY_S, Watched, Watcher, look
from bot.store.database import Database
from bot.store.documents import Documents


class Kept:
    """Notes what is added and removed; `failing` says how a file fails, by its name."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.told: list[str] = []
        self.failing: dict[str, Failed] = {}
        self.heard = asyncio.Event()

    async def add(self, files: Sequence[tuple[Path, str]]) -> Sequence[Added | Failed]:
        self.done += [f"+{title}" for _file, title in files]
        return [self.failing.get(title) or Added(title, 1, "added", 1) for _file, title in files]

    async def remove(self, file: Path) -> None:
        self.done.append(f"-{file.name}")

    def tell(self, what: Text, *, trouble: bool = False) -> None:
        self.told.append(("! " if trouble else "") + str(what))
        self.heard.set()

    def since(self) -> list[str]:
        done, self.done = self.done, []
        return done


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "team"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.txt").write_text("the zebra")
    (folder / "deep" / "b.txt").write_text("the whale, who is grey")
    return folder


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def watcher(folder: Path, kept: Kept) -> Watcher:
    return Watcher([folder], kept, begun=look([folder]))


async def test_where_nothing_happens_nothing_is_done(watcher: Watcher, kept: Kept) -> None:
    assert await watcher.step(0) == LOOK_EVERY_S
    assert kept.since() == []


async def test_a_new_file_is_read_once_it_rests(watcher: Watcher, kept: Kept, folder: Path) -> None:
    (folder / "deep" / "new.txt").write_text("half of")
    assert await watcher.step(10) == 1.0
    (folder / "deep" / "new.txt").write_text("half of it and the rest")
    await watcher.step(11)
    assert kept.since() == []
    await watcher.step(12)
    assert kept.since() == ["+deep/new.txt"]
    await watcher.step(13)
    assert kept.since() == []
    assert kept.told == ["added: deep/new.txt (passages: 1)"]


async def test_a_changed_file_is_read_anew(watcher: Watcher, kept: Kept, folder: Path) -> None:
    (folder / "a.txt").write_text("the zebra is old")
    await watcher.step(0)
    await watcher.step(1)
    assert kept.since() == ["+a.txt"]


async def test_a_file_that_is_saved_aside_and_renamed_is_changed_not_removed(watcher: Watcher, kept: Kept, folder: Path) -> None:
    (folder / "a.txt").unlink()
    await watcher.step(0)
    (folder / ".a.tmp").write_text("the zebra is old")
    (folder / ".a.tmp").rename(folder / "a.txt")
    await watcher.step(0.5)
    await watcher.step(1.5)
    assert kept.since() == ["+a.txt"]


async def test_a_deleted_file_is_removed_even_the_last(watcher: Watcher, kept: Kept, folder: Path) -> None:
    for file in (folder / "a.txt", folder / "deep" / "b.txt"):
        file.unlink()
        await watcher.step(0)
        await watcher.step(2)
        assert kept.since() == [f"-{file.name}"]


async def test_a_renamed_file_goes_and_comes(watcher: Watcher, kept: Kept, folder: Path) -> None:
    (folder / "a.txt").rename(folder / "c.txt")
    await watcher.step(0)
    await watcher.step(1)
    assert kept.since() == ["-a.txt", "+c.txt"]


async def test_a_folder_that_vanishes_takes_nothing_with_it(watcher: Watcher, kept: Kept, folder: Path, tmp_path: Path) -> None:
    folder.rename(tmp_path / "away")
    assert await watcher.step(0) == LOST_EVERY_S
    await watcher.step(100)
    (tmp_path / "away").rename(folder)
    await watcher.step(200)
    await watcher.step(300)
    assert kept.since() == []
    assert [told.partition(" is ")[2] for told in kept.told] == [
        "not there at the moment. What was read stays; I go on when it is back.", "there again.",
    ]  # fmt: skip


async def test_a_folder_that_was_not_there_at_first_is_read_when_it_comes(kept: Kept, tmp_path: Path) -> None:
    drive = tmp_path / "drive"
    watcher = Watcher([drive], kept, begun=look([drive]))
    assert await watcher.step(0) == LOST_EVERY_S
    drive.mkdir()
    (drive / "a.txt").write_text("the zebra")
    await watcher.step(5)
    await watcher.step(6)
    assert kept.since() == ["+a.txt"]
    assert kept.told[1:] == [f"{drive} is there again.", "added: a.txt (passages: 1)"]


async def test_an_empty_folder_in_the_place_of_the_old_one_takes_nothing(
    watcher: Watcher, kept: Kept, folder: Path, tmp_path: Path
) -> None:
    folder.rename(tmp_path / "drive")
    folder.mkdir()  # what is left of a drive that is not mounted
    for now in (0, 2, 4):
        await watcher.step(now)
    assert kept.since() == []


async def test_what_lay_on_a_drive_within_the_folder_stays_while_that_is_away(
    kept: Kept, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = look([folder])
    below = {
        file: ((*mark[:3], mark[3] + 1), title) if "deep" in file.parts else (mark, title)
        for file, (mark, title) in begun.files.items()
    }
    watcher = Watcher([folder], kept, begun=watching.Look(below, begun.roots, begun.filled))
    (folder / "deep" / "b.txt").unlink()
    await watcher.step(0)
    await watcher.step(2)
    assert kept.since() == []


async def test_what_cannot_be_opened_is_told_once_and_tried_again(watcher: Watcher, kept: Kept, folder: Path) -> None:
    kept.failing["new.txt"] = Failed("/team/new.txt", UnreadableError("it is locked.").text, passing=True)
    (folder / "new.txt").write_text("x")
    await watcher.step(0)
    assert await watcher.step(1) == 5.0
    await watcher.step(3)
    assert kept.since() == ["+new.txt"]
    await watcher.step(6)
    assert kept.since() == ["+new.txt"]
    del kept.failing["new.txt"]
    await watcher.step(21)
    assert kept.since() == ["+new.txt"]
    assert kept.told == ["! not read: /team/new.txt: it is locked.", "added: new.txt (passages: 1)"]


async def test_what_is_broken_is_told_and_not_tried_until_it_changes(watcher: Watcher, kept: Kept, folder: Path) -> None:
    kept.failing["new.pdf"] = Failed("/team/new.pdf", UnreadableError("it is cut off.").text)
    (folder / "new.pdf").write_text("x")
    for now in (0, 1, 50, 500):
        await watcher.step(now)
    assert kept.since() == ["+new.pdf"]
    (folder / "new.pdf").write_text("whole")
    for now in (600, 601):
        await watcher.step(now)
    assert kept.since() == ["+new.pdf"]


async def test_what_could_not_be_opened_at_first_is_tried(kept: Kept, folder: Path) -> None:
    watcher = Watcher([folder], kept, begun=look([folder]), again=[str(folder / "a.txt")])
    await watcher.step(0)
    await watcher.step(1)
    assert kept.since() == ["+a.txt"]


async def test_a_copy_outlives_the_file_that_it_was_one_document_with(library: Shelves, database: Database, folder: Path) -> None:
    (folder / "copy.txt").write_text("the zebra")
    begun = look([folder])
    told: list[str] = []
    await library.add_many([folder], PUBLIC)
    keys = await Documents(database).keys(PUBLIC, beginning="path:")
    first, copy = (
        (folder / "a.txt", folder / "copy.txt") if f"path:{folder}/a.txt" in keys else (folder / "copy.txt", folder / "a.txt")
    )
    watcher = Watcher([folder], Watched(library, PUBLIC, lambda what, **_more: told.append(str(what))), begun=begun)
    first.unlink()
    await watcher.step(0)
    await watcher.step(1)
    assert f"path:{copy}" in await Documents(database).keys(PUBLIC, beginning="path:")
    assert told[0] == f"removed: {first}"


async def test_the_system_s_word_of_a_change_is_heard(
    watcher: Watcher, kept: Kept, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "REST_S", 0.0)
    running = asyncio.create_task(watcher.run())
    number = 0
    while not kept.heard.is_set():  # the first may come before the system listens
        (folder / f"new {number}.txt").write_text("x")
        number += 1
        await asyncio.wait([asyncio.create_task(kept.heard.wait())], timeout=1)
    running.cancel()
    await asyncio.wait([running])
    assert running.cancelled()
    assert kept.since()[0].startswith("+new ")


async def test_where_the_system_tells_nothing_is_looked_by_the_clock(
    watcher: Watcher, kept: Kept, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_folders: Path, **_options: object) -> None:
        raise OSError(28, os.strerror(28))  # no more watches

    monkeypatch.setattr("watchfiles.awatch", refuse)
    monkeypatch.setattr(watching, "LOST_EVERY_S", 0.01)
    monkeypatch.setattr(watching, "REST_S", 0.0)
    running = asyncio.create_task(watcher.run())
    (folder / "new.txt").write_text("x")
    await asyncio.wait_for(kept.heard.wait(), 20)
    running.cancel()
    await asyncio.wait([running])
    assert kept.since() == ["+new.txt"]
