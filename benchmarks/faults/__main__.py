"""Runs the matrix: each fault in a process of its own, side by side as far as none is told by how long another takes."""

from __future__ import annotations

import argparse
import asyncio
import difflib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from benchmarks.faults import SIDE_BY_SIDE, Fault, Plan, Row, one
from benchmarks.faults.matrix import FAULTS, named
from benchmarks.faults.page import PAGE, replaced, table, written

LEAST_S = 120.0
"""How long any fault may take, at any scale."""
MEMORY = Path("/dev/shm")  # noqa: S108 - where the system has a folder in memory
PATIENT = 5
"""The niceness of what fills gaps: it gets a quarter of a core beside each that is busy, and all of one that is idle."""


def main() -> None:
    """Run what is asked for; exit with 1 where a row is not sound and is not known to be so, with 2 where a name is nobody's.

    Ended by a signal, all that runs ends too, no page is written, and the code is 130.
    """
    asked, faults = _asked()
    begun = time.monotonic()
    try:
        rows = asyncio.run(_all(faults, asked.seed, asked.scale))
    except (asyncio.CancelledError, KeyboardInterrupt):
        print("Ended before all rows were done: what ran was ended too, and no page was written.", file=sys.stderr)
        sys.exit(130)
    tables = table(rows, faults)
    print(tables)
    if asked.write:
        page = PAGE.read_text(encoding="utf-8")
        minutes = (time.monotonic() - begun) / 60
        page = (
            replaced(page, rows, faults)
            if asked.only
            else written(page, tables, seed=asked.seed, scale=asked.scale, minutes=minutes)
        )
        PAGE.write_text(page, encoding="utf-8")
    sys.exit(any(not rows[fault.name].sound and not fault.known for fault in faults))


def _asked() -> tuple[argparse.Namespace, list[Fault]]:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument(
        "--only", nargs="*", default=[], metavar="NAME", help="names of faults or sections; all where none is given"
    )
    parser.add_argument("--seed", type=int, default=1, help="where all chance comes from (%(default)s)")
    parser.add_argument("--scale", type=float, default=1.0, help="how much is tried, of the published matrix (%(default)s)")
    parser.add_argument("--write", action="store_true", help=f"write the tables into {PAGE}; with --only, those rows alone")
    asked = parser.parse_args()
    try:
        return asked, named(tuple(asked.only))
    except KeyError as error:
        parser.error(_unknown(error.args[0]))


def _unknown(name: str) -> str:
    names = sorted({fault.name for fault in FAULTS} | {fault.section for fault in FAULTS})
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.0)
    return f"no fault and no section is named “{name}”; the nearest is “{near[0]}”. All: {', '.join(names)}"


async def _all(faults: list[Fault], seed: int, scale: float) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    this = asyncio.current_task()
    assert this is not None
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, this.cancel)
    with _folder() as folder, _folder(MEMORY) as memory:

        async def take(fault: Fault) -> None:
            begun = time.monotonic()
            print(f"{fault.section}/{fault.name} ...", file=sys.stderr, flush=True)
            scratch = Path(folder, fault.name)
            temporary = memory if fault.fills else folder  # each recording that is read is written, too, and flushed to a disk
            rows[fault.name], cpu_s = await _in_child(fault, Plan(scratch, seed, scale, shared=Path(folder)), temporary)
            row, took = rows[fault.name], f"{time.monotonic() - begun:.0f} s, {cpu_s:.0f} s of CPU"
            state = "sound" if row.sound else "NOT SOUND"
            print(f"{fault.section}/{fault.name}: {state}, {took}. {row.note}", file=sys.stderr, flush=True)

        await in_their_places(faults, take)
    return rows


def _folder(within: Path | None = None) -> tempfile.TemporaryDirectory[str]:
    """Return a folder that goes with the matrix: below `within` where that is there, else where the system has its own."""
    where = within if within and os.access(within, os.W_OK) else None
    return tempfile.TemporaryDirectory(prefix="paring-faults-", dir=where, ignore_cleanup_errors=True)


async def in_their_places(faults: Sequence[Fault], take: Callable[[Fault], Awaitable[None]]) -> None:
    """Take all side by side, the longest first, at last what is timed, one after the other; beside all what only waits.

    What fills gaps is begun at once, one after the other.
    """
    waiting = sorted(faults, key=lambda fault: (fault.alone, fault.cores > 0, not fault.fills, -fault.most_s))
    running: dict[asyncio.Future[None], Fault] = {}
    try:
        while waiting or running:
            for fault in list(waiting):
                if _has_room(fault, [one for one in running.values() if one.cores]):
                    waiting.remove(fault)
                    running[asyncio.ensure_future(take(fault))] = fault
            done, _running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                del running[task]
                task.result()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _has_room(fault: Fault, busy: Collection[Fault]) -> bool:
    if not fault.cores or not busy:
        return True
    if any(one.alone for one in (fault, *busy)):
        return False
    if fault.fills:
        return not any(one.fills for one in busy)
    return fault.cores + sum(one.cores for one in busy if not one.fills) <= SIDE_BY_SIDE


async def _in_child(fault: Fault, plan: Plan, temporary: str) -> tuple[Row, float]:
    """Run one fault; return its row and its seconds of CPU. What it started ends with it, also where it ran out of time."""
    await asyncio.to_thread(plan.scratch.mkdir)
    first = ("nice", "-n", str(PATIENT)) if fault.fills else ()
    child = await asyncio.create_subprocess_exec(
        *first, sys.executable, *one.words(fault, plan), env=os.environ | {"TMPDIR": temporary},
        stdout=asyncio.subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        said, _none = await asyncio.wait_for(child.communicate(), max(LEAST_S, fault.most_s * plan.scale))
        return one.read(said)
    except TimeoutError:
        return Row(1, "runs", failed=1, note="it did not end in time"), 0.0
    except (IndexError, ValueError, TypeError, KeyError):
        return Row(1, "runs", failed=1, note=f"it broke, exit code {child.returncode}"), 0.0
    finally:
        _end(child.pid)
        await child.wait()
        await asyncio.to_thread(shutil.rmtree, plan.scratch, ignore_errors=True)


def _end(pid: int) -> None:
    """End a process and all that it started, also what has a group of its own."""
    with suppress(psutil.NoSuchProcess):
        for process in psutil.Process(pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                process.kill()
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
