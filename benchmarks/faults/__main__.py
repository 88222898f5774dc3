"""Runs the matrix: each fault in a process of its own, side by side as far as none is told by how long another takes."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from benchmarks.faults import SIDE_BY_SIDE, Fault, Plan, Row
from benchmarks.faults.matrix import named
from benchmarks.faults.page import PAGE, replaced, table, written

LEAST_S = 120.0
"""How long any fault may take, at any scale."""
GRACE_S = 5.0


def main() -> None:
    """Run what is asked for; exit with 1 where a row is not sound and is not known to be so."""
    asked = _asked()
    if asked.one:
        print(json.dumps(asdict(asyncio.run(_alone(asked.one, asked.seed, asked.scale)))), flush=True)
        return
    begun = time.monotonic()
    faults = named(tuple(asked.only))
    rows = asyncio.run(_all(faults, asked.seed, asked.scale))
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


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument(
        "--only", nargs="*", default=[], metavar="NAME", help="names of faults or sections; all where none is given"
    )
    parser.add_argument("--seed", type=int, default=1, help="where all chance comes from (%(default)s)")
    parser.add_argument("--scale", type=float, default=1.0, help="how much is tried, of the published matrix (%(default)s)")
    parser.add_argument("--write", action="store_true", help=f"write the tables into {PAGE}; with --only, those rows alone")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    return parser.parse_args()


async def _alone(name: str, seed: int, scale: float) -> Row:
    (fault,) = (fault for fault in named(()) if fault.name == name)
    with tempfile.TemporaryDirectory(prefix="paring-fault-") as scratch:
        return await fault.run(Plan(Path(scratch), seed, scale))


async def _all(faults: list[Fault], seed: int, scale: float) -> dict[str, Row]:
    rows: dict[str, Row] = {}

    async def take(fault: Fault) -> None:
        begun = time.monotonic()
        print(f"{fault.section}/{fault.name} ...", file=sys.stderr, flush=True)
        rows[fault.name] = row = await _in_child(fault, seed, scale)
        state = "sound" if row.sound else "NOT SOUND"
        print(f"{fault.section}/{fault.name}: {state}, {time.monotonic() - begun:.0f} s. {row.note}", file=sys.stderr, flush=True)

    await in_their_places(faults, take)
    return rows


async def in_their_places(faults: Sequence[Fault], take: Callable[[Fault], Awaitable[None]]) -> None:
    """Take those that are timed one after the other, then the others side by side, the largest first; beside all what only waits."""
    waiting = sorted(faults, key=lambda fault: (fault.cores > 0, not fault.alone, -fault.cores * fault.most_s))
    running: dict[asyncio.Future[None], Fault] = {}
    while waiting or running:
        for fault in list(waiting):
            if _has_room(fault, [one for one in running.values() if one.cores]):
                waiting.remove(fault)
                running[asyncio.ensure_future(take(fault))] = fault
        done, _running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            del running[task]
            task.result()


def _has_room(fault: Fault, busy: Collection[Fault]) -> bool:
    if not fault.cores or not busy:
        return True
    return not any(one.alone for one in (fault, *busy)) and fault.cores + sum(one.cores for one in busy) <= SIDE_BY_SIDE


async def _in_child(fault: Fault, seed: int, scale: float) -> Row:
    """Run one fault; what it started ends with it, also where it ran out of time."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.faults", "--one", fault.name, "--seed", str(seed), "--scale", str(scale),
        stdout=asyncio.subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        said, _none = await asyncio.wait_for(child.communicate(), max(LEAST_S, fault.most_s * scale))
        return Row(**json.loads(said.splitlines()[-1]))
    except TimeoutError:
        return Row(1, "runs", failed=1, note="it did not end in time")
    except (IndexError, ValueError, TypeError):
        return Row(1, "runs", failed=1, note=f"it broke, exit code {child.returncode}")
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        await child.wait()


if __name__ == "__main__":
    main()
