"""Homes that hold very many passages: each made once a run, in a process of its own, and copied for every fault that needs it."""

from __future__ import annotations

import asyncio
import fcntl
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.faults import Plan

ROOT = Path(__file__).parents[2]


FEW = 1000
"""So many are made in this process: that is quicker than the start of another."""


async def filled(plan: Plan, home: Path, count: int) -> None:
    """Have `home` hold `count` passages. Raises RuntimeError where they cannot be made."""
    if count <= FEW:
        from benchmarks.faults.made_home import fill

        await fill(home, count)
    elif plan.shared is None:
        await asyncio.to_thread(_make, home, count)
    else:
        await asyncio.to_thread(_copy, plan.shared, home, count)


def _copy(shared: Path, home: Path, count: int) -> None:
    """Copy what was made, or make it now; others who need it wait meanwhile."""
    made = shared / f"home-of-{count}"
    with (shared / f"{made.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            _make(made.with_suffix(".half"), count)
            made.with_suffix(".half").rename(made)
    shutil.copytree(made, home)


def _make(home: Path, count: int) -> None:
    making = subprocess.run([sys.executable, "-m", "benchmarks.faults.made_home", str(home), str(count)], cwd=ROOT, check=False)
    if making.returncode:
        msg = "the home could not be filled"
        raise RuntimeError(msg)
