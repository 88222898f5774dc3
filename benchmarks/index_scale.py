"""What each kind of index of vectors costs at size, on vectors of real texts; writes the table of docs/index.md and docs/img/index.png.

    python -m benchmarks.scale_texts FOLDER --data DIR           # once: texts and their vectors
    python -m benchmarks.index_scale FOLDER --data DIR [--sizes 10000 100000] [--methods flat coded ...] [--realtime]

DIR holds BEIR folders; their questions are asked. Where FOLDER has fewer vectors than a size asks for, the rest are mixtures of two each, and
the table says how many. Each method runs in a process of its own on one thread, over one database of that size: the index of one-bit
codes reads the vectors that it compares from there, as the bot does. Every hundredth passage is in a second scope and every ten
thousandth in a third: the filters that admit 1 % and 0.01 %. `--realtime` gives each child a core before all other programs (chrt -f 10).
What was measured is kept in FOLDER and shown again with the rest.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.index_peers import PEERS
from benchmarks.index_report import draw, with_table
from benchmarks.scale_texts import questions, vectors

ROOT = Path(__file__).parents[1]
SCOPES = {"100 %": [1, 2, 3], "1 %": [2], "0.01 %": [3]}
ASKED, WARM_UP, COUNT, DEPTH = 210, 10, 10, 40
OWN = ("flat", "coded")
DIMENSION = 384
"""Of MiniLM's vectors."""


def main() -> None:
    """Measure each method at each size, write the table and the plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--sizes", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--methods", nargs="*", default=[*OWN, *PEERS])
    parser.add_argument("--realtime", action="store_true")
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        method, place = options.child
        print(json.dumps(start(Path(place)) if method == "start" else measured(method, Path(place))))
        return
    for size in options.sizes:
        place = prepared(options.folder, options.data, size)
        for method in options.methods:
            figures = child(method, place, realtime=options.realtime)
            if method == "coded":
                figures |= child("start", place, realtime=options.realtime)
            (place / f"{method}.json").write_text(json.dumps(figures), encoding="utf-8")
            print(size, method, figures, flush=True)
    page = options.out / "index.md"
    page.write_text(with_table(page.read_text(encoding="utf-8"), options.folder), encoding="utf-8")
    draw(options.folder, options.out / "img" / "index.png")


def child(method: str, place: Path, *, realtime: bool) -> dict[str, float]:
    """Return what a process of its own has measured; {} where it failed."""
    before = ["chrt", "-f", "10"] if realtime else []
    command = [*before, sys.executable, "-m", "benchmarks.index_scale", str(place), "--child", method, str(place)]
    alone = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=alone, check=False)
    if done.returncode:
        print(done.stderr[-2000:], file=sys.stderr)
        return {}
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def prepared(folder: Path, data: Path, size: int) -> Path:
    """Return the folder with the database, the questions and the true answers of `size` passages; made where it is not there."""
    place = folder / f"scale-{size}"
    if (place / "truth.npz").exists():
        return place
    place.mkdir(exist_ok=True)
    rows, real = filled_up(vectors(folder, size), size)
    np.save(place / "vectors.npy", rows)
    asked = embedded(questions(data, ASKED))
    database(place / "paring.db", rows)
    scopes = scopes_of(size)
    truth = {name: exact(rows, asked, np.isin(scopes, admitted)) for name, admitted in SCOPES.items()}
    np.savez(place / "truth.npz", asked=asked, real=real, **truth)
    return place


def filled_up(rows: NDArray[np.float16], size: int) -> tuple[NDArray[np.float16], int]:
    """Return `size` rows, and how many of them are of texts: the rest are mixtures of two of these."""
    real, chance = len(rows), np.random.default_rng(20)
    if real >= size:
        return rows[:size], size
    whole = np.empty((size, DIMENSION), np.float16)
    whole[:real] = rows
    for start in range(real, size, 50_000):
        count = min(50_000, size - start)
        share = chance.uniform(0.6, 0.9, (count, 1)).astype(np.float32)
        one, two = (rows[chance.integers(0, real, count)].astype(np.float32) for _side in range(2))
        mixed = share * one + (1 - share) * two
        whole[start : start + count] = mixed / np.linalg.norm(mixed, axis=1, keepdims=True)
    return whole, real


def embedded(texts: list[str]) -> NDArray[np.float32]:
    """Return float32 (n, 384): the vectors of `texts`."""
    from bot.models.prepare import prepared_minilm
    from bot.models.runtimes.minilm import load
    from bot.models.spec import LoadOptions, ModelSpec

    spec = ModelSpec("embed.minilm.v1", "embed", "minilm", "package")
    return np.stack(
        load(spec, prepared_minilm(Path(tempfile.gettempdir()) / "paring-scale"), LoadOptions(threads=1)).predict(texts)
    )


def scopes_of(size: int) -> NDArray[np.int64]:
    """Return the scope of each passage."""
    ids = np.arange(1, size + 1)
    return np.where(ids % 100 == 0, 2, np.where(ids % 10_000 == 1, 3, 1))


def exact(rows: NDArray[np.float16], asked: NDArray[np.float32], admitted: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return int64 (questions, DEPTH): the ids of the admitted passages that are nearest, best first; fewer columns where fewer are admitted."""
    places = np.flatnonzero(admitted)
    scores = np.concatenate(
        [asked @ rows[places[start : start + 20_000]].astype(np.float32).T for start in range(0, len(places), 20_000)], axis=1
    )
    return np.asarray(places[np.argsort(-scores, axis=1)[:, :DEPTH]] + 1, np.int64)


def database(path: Path, rows: NDArray[np.float16]) -> None:
    """Make a database of passages that have nothing but a scope and a vector."""
    import sqlite3

    from bot.store.schema import upgrade

    upgrade(path)
    ids, scopes = range(1, len(rows) + 1), scopes_of(len(rows)).tolist()
    terms, sentences = np.array([0, 0, 1], "<u4").tobytes(), np.array([0, 1, 1], "<i4").tobytes()
    with closing(sqlite3.connect(path)) as connection:
        connection.executemany("INSERT INTO scopes (id, name) VALUES (?, ?)", [(1, "public"), (2, "dm:a/b/c"), (3, "dm:a/b/d")])
        connection.execute(
            "INSERT INTO generations (id, embedder, dimension, state, created_at) VALUES (1, 'minilm@1', ?, 'live', '2026-01-01')",
            (DIMENSION,),
        )
        connection.execute(
            "INSERT INTO documents (id, scope_id, key, title, link, sha256, kind, size_bytes, sender, version, added_at, updated_at)"
            " VALUES (1, 1, 'k', 't', '', '', 'text', 1, '', 1, '2026-01-01', '2026-01-01')"
        )
        connection.executemany(
            "INSERT INTO passages (id, document_id, scope_id, version, position, heading, text, starts_at, ends_at, language, hangul, terms,"
            " sentences) VALUES (?, 1, ?, 1, 1, '', 't', 0, 1, 'en', 0, ?, ?)",
            ((number, scope, terms, sentences) for number, scope in zip(ids, scopes, strict=True)),
        )
        connection.executemany(
            "INSERT INTO vectors VALUES (?, 1, ?)", ((number, row.tobytes()) for number, row in zip(ids, rows, strict=True))
        )
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


# ------------------------------------------------------------------ in a child


def measured(method: str, place: Path) -> dict[str, float]:
    """Return the figures of one method: seconds, milliseconds, megabytes, shares."""
    import faiss  # noqa: F401 - its own memory is not the index's

    truth = np.load(place / "truth.npz")
    rows = np.load(place / "vectors.npy", mmap_mode="r")
    scopes = scopes_of(len(rows))
    before = resident_mb()
    begun = time.perf_counter()
    index = own(method, place, rows, scopes) if method in OWN else PEERS[method](rows, scopes)
    figures = {"size": len(rows), "real": int(truth["real"]), "build_s": time.perf_counter() - begun}
    for name, admitted in SCOPES.items():
        for count in (COUNT, DEPTH) if name == "100 %" else (COUNT,):
            search = partial(index.search, count=count, scopes=admitted)
            key = f"{name}, {count}"
            try:
                spent, recall = asked(search, truth["asked"], truth[name][:, :count])
            except (RuntimeError, NotImplementedError):
                figures |= {f"{key} p50": -1.0, f"{key} p99": -1.0, f"{key} recall": -1.0}
                continue
            figures |= {f"{key} p50": spent[0], f"{key} p99": spent[1], f"{key} recall": recall}
    figures["mb"] = resident_mb() - before
    return figures | changes(index, rows)


def own(method: str, place: Path, rows: NDArray[np.float16], scopes: NDArray[np.int64]) -> object:
    """Return Paring's own index, filled."""
    from bot.retrieval.coded import CodedIndex
    from bot.retrieval.vectors import FlatIndex
    from bot.store.shelf import Shelf

    shelf = Shelf(place / "paring.db")
    index = FlatIndex(DIMENSION) if method == "flat" else CodedIndex(DIMENSION, partial(shelf.vectors, 1, DIMENSION))
    for start in range(0, len(rows), 4096):
        some = slice(start, start + 4096)
        index.add(np.arange(start + 1, start + 1 + len(rows[some])), scopes[some], rows[some].astype(np.float32))
    return index


def asked(
    search: Callable[..., object], questions: NDArray[np.float32], truth: NDArray[np.int64]
) -> tuple[tuple[float, float], float]:
    """Return (p50, p99) milliseconds of `search`, and the share of the true answers that it found."""
    spent, found = [], []
    for number, question in enumerate(questions):
        begun = time.perf_counter()
        near = search(question)
        if number >= WARM_UP:
            spent.append((time.perf_counter() - begun) * 1000)
        found.append(len(set(near.ids.tolist()) & set(truth[number].tolist())) / truth.shape[1])  # type: ignore[attr-defined]
    return (float(np.median(spent)), float(np.quantile(spent, 0.99))), float(np.mean(found))


def changes(index: object, rows: NDArray[np.float16]) -> dict[str, float]:
    """Return what adding one and removing one take, milliseconds; -1 where the index cannot."""
    figures = {}
    steps = {
        "add": lambda number: index.add(np.array([number]), np.array([1]), rows[:1].astype(np.float32)),  # type: ignore[attr-defined]
        "remove": lambda number: index.remove(np.array([number])),  # type: ignore[attr-defined]
    }
    for name, step in steps.items():
        spent = []
        for number in range(len(rows) + 1, len(rows) + 22):
            begun = time.perf_counter()
            try:
                step(number)
            except (RuntimeError, NotImplementedError):
                break
            spent.append((time.perf_counter() - begun) * 1000)
        figures[name] = float(np.median(spent)) if spent else -1.0
    return figures


def start(place: Path) -> dict[str, float]:
    """Return what a start takes: from the database alone, and from the file."""
    from bot.retrieval.mirror import Mirror
    from bot.retrieval.saving import Saving
    from bot.retrieval.shelter import Shelter
    from bot.store.shelf import Shelf

    home = place / "home"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    figures = {}
    shelter = Shelter(home / "index")
    with closing(Shelf(place / "paring.db")) as shelf:
        figures["from_database_s"] = seconds(lambda: caught_up(Mirror(shelf), shelf))
        Saving(place / "paring.db", shelter).save()
        shelter.drop_aside()
        mirror = Mirror(shelf, shelter)
        figures["start_s"] = seconds(lambda: caught_up(mirror, shelf))
        assert mirror.loaded
    newest = shelter.newest()
    assert newest is not None
    figures["file_mb"] = sum(file.stat().st_size for file in newest.iterdir()) / 1e6
    return figures


def caught_up(mirror: object, shelf: object) -> None:
    """Bring a mirror to the database."""
    with shelf.state() as state:  # type: ignore[attr-defined]
        mirror.catch_up(state)  # type: ignore[attr-defined]


def seconds(work: Callable[[], object]) -> float:
    """Return how long `work` takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def resident_mb() -> float:
    """Return this process's own memory, megabytes: what belongs to mapped files is not counted."""
    fields = dict(line.split(":") for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines())
    return int(fields["RssAnon"].split()[0]) / 1024


if __name__ == "__main__":
    main()
