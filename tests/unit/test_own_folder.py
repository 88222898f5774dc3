"""The folder of a sandbox: there while somebody holds it, and no longer."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pytest

from bot.own_folder import PREFIX, OwnFolder


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_nothing_is_made_before_it_is_asked_for_and_nothing_is_left(tmp_path: Path) -> None:
    folder = OwnFolder()
    assert list(tmp_path.iterdir()) == []
    (folder.path / "a").write_text("x", encoding="ascii")
    assert folder.path.stat().st_mode & 0o077 == 0
    folder.remove()
    folder.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_the_system_cleaned_away_is_made_again() -> None:
    folder = OwnFolder()
    before = folder.path
    before.rmdir()
    assert folder.path.is_dir()
    folder.remove()


@pytest.mark.skipif(sys.platform == "win32", reason="no lock on a folder there")
def test_what_a_killed_bot_left_goes_and_what_a_living_one_holds_stays(tmp_path: Path) -> None:
    living = OwnFolder()
    held = living.path
    left = tmp_path / f"{PREFIX}left"
    left.mkdir()
    (left / "face.png").write_bytes(b"a")
    (tmp_path / f"{PREFIX}link").symlink_to(tmp_path / "of others")
    (tmp_path / "of others").mkdir()

    other = OwnFolder()

    assert sorted(path.name for path in (other.path, held) if path.is_dir()) == sorted((other.path.name, held.name))
    assert not left.exists()
    assert (tmp_path / "of others").is_dir()
    for folder in (other, living):
        folder.remove()


@pytest.mark.skipif(sys.platform == "win32", reason="no lock on a folder there")
def test_one_within_another_folder_is_made_and_swept_there(tmp_path: Path) -> None:
    left = tmp_path / "home" / "spool" / f"{PREFIX}left"
    left.mkdir(parents=True)
    folder = OwnFolder(tmp_path / "home" / "spool")
    folder.sweep()
    assert not left.exists()
    assert folder.path.parent == tmp_path / "home" / "spool"
    folder.remove()


def test_no_descriptor_is_left_open() -> None:
    before = _descriptors()
    folder = OwnFolder()
    assert folder.path.is_dir()
    folder.remove()
    assert _descriptors() == before


def _descriptors() -> int:
    return sum(1 for _one in Path("/proc/self/fd").iterdir()) if sys.platform == "linux" else 0
