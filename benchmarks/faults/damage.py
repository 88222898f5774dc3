"""Ways in which a disk damages a home, and whether a bot is to serve over it then.

serves = DAMAGES["the index cut off"](home, random.Random(1))     # True
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

PAGE_BYTES = 4096


def _cut_database(home: Path, chance: random.Random) -> bool | None:
    path = home / "paring.db"
    pages = path.stat().st_size // PAGE_BYTES
    os.truncate(path, PAGE_BYTES * chance.randrange(1, pages))
    return False


def _cut_within_a_page(home: Path, chance: random.Random) -> bool | None:
    path = home / "paring.db"
    os.truncate(path, path.stat().st_size - chance.randrange(1, PAGE_BYTES))
    return False


def _no_header(home: Path, _chance: random.Random) -> bool | None:
    _overwrite(home / "paring.db", 0, bytes(100))
    return False


def _pages_overwritten(home: Path, chance: random.Random) -> bool | None:
    path = home / "paring.db"
    for _page in range(5):
        _overwrite(path, PAGE_BYTES * chance.randrange(1, path.stat().st_size // PAGE_BYTES), b"\xa5" * PAGE_BYTES)
    return None


def _cut_index(home: Path, chance: random.Random) -> bool | None:
    path = _of_index(home, chance)
    os.truncate(path, path.stat().st_size // 2)
    return True


def _flipped_index(home: Path, chance: random.Random) -> bool | None:
    path = _of_index(home, chance)
    place = chance.randrange(path.stat().st_size)
    _overwrite(path, place, bytes([path.read_bytes()[place] ^ 0xFF]))
    return True


def _no_index(home: Path, _chance: random.Random) -> bool | None:
    shutil.rmtree(home / "index")
    return True


def _no_database(home: Path, _chance: random.Random) -> bool | None:
    (home / "paring.db").write_bytes(b"")
    return False


def _garbage_log(home: Path, chance: random.Random) -> bool | None:
    (home / "paring.db-wal").write_bytes(chance.randbytes(3 * PAGE_BYTES))
    return True


DAMAGES: dict[str, Callable[[Path, random.Random], bool | None]] = {
    "the database cut off at a page": _cut_database,
    "the database cut off within a page": _cut_within_a_page,
    "its header gone": _no_header,
    "five of its pages overwritten": _pages_overwritten,
    "the database empty": _no_database,
    "garbage as its log": _garbage_log,
    "the index cut off": _cut_index,
    "a byte of the index flipped": _flipped_index,
    "no index": _no_index,
}
"""Each returns whether a bot is to serve then: None where either will do."""


def _of_index(home: Path, chance: random.Random) -> Path:
    return chance.choice(sorted(path for path in (home / "index").rglob("*") if path.is_file() and path.stat().st_size))


def _overwrite(path: Path, place: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        file.write(data)
