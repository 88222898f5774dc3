"""Runs one fault in this process, for `benchmarks.faults.__main__`: only the fault's own module is loaded, and what that needs.

python -m benchmarks.faults.one benchmarks.faults.delivery:kill_nine --scratch FOLDER --shared FOLDER
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from benchmarks.faults import Fault, Plan, Row


def words(fault: Fault, plan: Plan) -> list[str]:
    """Return the words after `python` that run `fault`."""
    told = [__name__, place(fault.run), "--seed", str(plan.seed), "--scale", str(plan.scale), "--scratch", str(plan.scratch)]
    return ["-m", *told, *(["--shared", str(plan.shared)] if plan.shared else [])]


def place(run: Callable[[Plan], Awaitable[Row]]) -> str:
    """Return where `found` finds a fault's function: "benchmarks.faults.delivery:kill_nine"."""
    return f"{run.__module__}:{run.__qualname__}"


def found(where: str) -> Callable[[Plan], Awaitable[Row]]:
    """Return the function that is told by `place`."""
    module, _colon, name = where.partition(":")
    run: Callable[[Plan], Awaitable[Row]] = getattr(import_module(module), name)
    return run


def read(said: bytes) -> tuple[Row, float]:
    """Return the row and the seconds of CPU that a fault's process printed. Raises IndexError, ValueError, TypeError, KeyError."""
    told = json.loads(said.splitlines()[-1])
    return Row(**told["row"]), float(told["cpu_s"])


def main() -> None:
    """Print the row, and the seconds of CPU of this process and of all that it waited for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("where")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--scratch", type=Path, required=True)
    parser.add_argument("--shared", type=Path)
    asked = parser.parse_args()
    row = asyncio.run(_run(found(asked.where), Plan(asked.scratch, asked.seed, asked.scale, asked.shared)))
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(json.dumps({"row": asdict(row), "cpu_s": sum(one.ru_utime + one.ru_stime for one in used)}), flush=True)


async def _run(run: Callable[[Plan], Awaitable[Row]], plan: Plan) -> Row:
    return await run(plan)


if __name__ == "__main__":
    main()
