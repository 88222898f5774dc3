"""Kills in the midst of writing: whether database, index in memory and index file ever drift apart.

    python -m benchmarks.index_kills [--kills 100] [--steps 1] [--seed 1] [--home FOLDER]

A child adds, replaces, removes and forgets passages and saves the index, over and over; it is ended by kill -9 at a moment that the seed
chooses. After each, another child does what a start does (reads the file, follows the database) and compares everything with everything.
"clean" agreed at once; "healed" found a file that did not fit, set it aside and agreed then; "drift" is what must not be. With `--steps`
a save of the index is killed so often before each of its steps and after the last (a file written, flushed, the folder renamed, the old
one deleted), flat and coded by turns, and "left" counts what of it is still on the disk after the next save. Exit code 1 where there was
any drift, or anything left.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import ExitStack, closing
from pathlib import Path
from unittest import mock

import numpy as np

from bot.passage import PUBLIC
from bot.retrieval import coded
from bot.retrieval import saved as saved_files
from bot.retrieval.saving import Saving
from bot.retrieval.search import Finder
from bot.retrieval.shelter import SHELTER, Shelter
from bot.store.database import Database
from bot.store.generations import Generations
from bot.store.passages import NewDocument, NewPassage, Passages

DIMENSION = 64
LONGEST_S = 0.05
"""How long after the beginning of a step a kill may come: longer than any step takes."""
DOCUMENTS = 60
LEAST_STEPS, MOST_STEPS = 3, 25


def main() -> None:
    """Kill, compare, count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--home", type=Path, help="an empty folder; a temporary one by default")
    options = parser.parse_args()
    coded.CODED_FROM, coded.FLAT_BELOW = 120, 60  # both forms of the index come and go
    with tempfile.TemporaryDirectory() as folder:
        home = options.home or Path(folder)
        home.mkdir(parents=True, exist_ok=True)
        chance = random.Random(options.seed)  # noqa: S311 - moments, no secret
        found = kills(home / "moments", options.kills, chance)
        for number in range(options.steps):
            found += steps(home / f"steps{number}", chance, documents=(10, DOCUMENTS)[number % 2])
    print(", ".join(f"{what} {found[what]}" for what in ("clean", "healed", "drift", "left")))
    sys.exit(1 if found["drift"] or found["left"] else 0)


def kills(home: Path, count: int, chance: random.Random) -> Counter[str]:
    """Return how often what came of a kill."""
    found: Counter[str] = Counter()
    home.mkdir(parents=True)
    for number in range(count):
        seed = chance.randrange(1 << 30)
        steps, wait_s = chance.randint(LEAST_STEPS, MOST_STEPS), chance.random() * LONGEST_S
        reader, child = _forked(lambda seed=seed: asyncio.run(work(home, seed)))  # type: ignore[misc]
        for _step in range(steps):
            os.read(reader, 1)
        time.sleep(wait_s)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reader)
        reader, child = _forked(lambda: told(compared(home)))
        result = {b"c": "clean", b"h": "healed"}.get(os.read(reader, 1), "drift")
        os.waitpid(child, 0)
        os.close(reader)
        found[result] += 1
        if result == "drift":
            print(f"kill {number}: {result}", file=sys.stderr)
    return found


def steps(home: Path, chance: random.Random, *, documents: int) -> Counter[str]:
    """Return what came of kills before each step of a save, one after the other."""
    found: Counter[str] = Counter()
    home.mkdir(parents=True)
    _ended(lambda: asyncio.run(saved(home, chance, range(documents), die_at=None)))
    for at in itertools.count():
        key = at % documents
        killed = _ended(lambda at=at, key=key: asyncio.run(saved(home, chance, [key], die_at=at)))  # type: ignore[misc]
        reader, child = _forked(lambda: told(compared(home)))
        found[{b"c": "clean", b"h": "healed"}.get(os.read(reader, 1), "drift")] += 1
        os.waitpid(child, 0)
        os.close(reader)
        if not killed:
            return found
        _ended(lambda key=key: asyncio.run(saved(home, chance, [key], die_at=None)))  # type: ignore[misc]
        left = [path.name for path in (home / SHELTER).iterdir() if path.is_dir()]
        found["left"] += max(0, len(left) - 1)
    raise AssertionError


async def saved(home: Path, chance: random.Random, keys: Iterable[int], *, die_at: int | None) -> None:
    """Put these documents anew and save the index; be killed before the step `die_at` of it, if there are so many."""
    database = await Database.open(home / "paring.db")
    generation = await Generations(database).begin("words@1", dimension=DIMENSION)
    for key in keys:
        await Passages(database).add([document(str(key), chance)], generation=generation.id)
    left = itertools.count(0)

    def step(work: Callable[..., object]) -> Callable[..., object]:
        def called(*given: object, **named: object) -> object:
            if next(left) == die_at:
                os.kill(os.getpid(), signal.SIGKILL)
            return work(*given, **named)

        return called

    with ExitStack() as patched:
        for owner, name in ((saved_files, "_put"), (saved_files, "_flush"), (Path, "rename"), (shutil, "rmtree")):
            patched.enter_context(mock.patch.object(owner, name, step(getattr(owner, name))))
        await asyncio.to_thread(Saving(database.path, Shelter(home / SHELTER)).save)
        step(lambda: None)()
    await database.close()


async def work(home: Path, seed: int) -> None:
    """Add, replace, remove, forget and save, until ended; tell the beginning of each step."""
    chance = random.Random(seed)  # noqa: S311 - as above
    database = await Database.open(home / "paring.db")
    passages, saving = Passages(database), Saving(database.path, Shelter(home / SHELTER))
    generation = await Generations(database).begin("words@1", dimension=DIMENSION)
    while True:
        told(b".")
        step = chance.choices(("add", "remove", "save", "forget"), (6, 3, 4, 1))[0]
        key = str(chance.randrange(DOCUMENTS))
        if step == "add":
            await passages.add([document(key, chance)], generation=generation.id)
        elif step == "remove":
            await passages.remove(PUBLIC, key=key)
        elif step == "save":
            await asyncio.to_thread(saving.save)
        else:
            await passages.remove(PUBLIC, key=key)
            await saving.forgotten()


def document(key: str, chance: random.Random) -> NewDocument:
    """Return a document of some passages, another one each time."""
    rows = np.random.default_rng(chance.randrange(1 << 30)).normal(size=(chance.randint(1, 6), DIMENSION))
    halves = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype("<f2")
    terms, sentences = np.array([0, 0, 7, 8], "<u4").tobytes(), np.array([0, 4, 2], "<i4").tobytes()
    made = tuple(
        NewPassage("text", "", None, 0, 4, "en", 0.0, ("", "", f"word{key} text"), terms, sentences, half.tobytes())
        for half in halves
    )
    return NewDocument(PUBLIC, key, key, "", str(chance.random()), "text", 4, made)


def compared(home: Path) -> bytes:
    """Return c where everything agrees, h where it does after a file that did not fit was set aside, else d."""
    with closing(Finder(home / "paring.db", shelter=Shelter(home / SHELTER))) as finder:
        first = finder.verify()
        healed = first.unfit is not None
        second = finder.verify()
    if not second.sound or (not healed and not first.sound):
        print(first, second, file=sys.stderr)
        return b"d"
    return b"h" if healed else b"c"


def told(said: bytes) -> None:
    """Tell the parent."""
    os.write(WRITER[0], said)


WRITER = [2]
"""Where a child tells its parent."""


def _ended(run: Callable[[], object]) -> bool:
    """Run `run` in a child; return whether that was killed."""
    reader, child = _forked(run)
    _number, status = os.waitpid(child, 0)
    os.close(reader)
    return os.WIFSIGNALED(status)


def _forked(run: Callable[[], object]) -> tuple[int, int]:
    """Run `run` in a child of this process; return where it tells from, and its number."""
    reader, writer = os.pipe()
    child = os.fork()
    if child:
        os.close(writer)
        return reader, child
    os.close(reader)
    WRITER[0] = writer
    try:
        run()
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
