"""How quickly a folder of mixed documents is read into the index: `paring add` over made files, whole and by stage.

    python -m benchmarks.ingest --pages 1000 [--kinds pdf,docx] [--no-stages] [--out ingest.json]

The first run is the command itself, in a process of its own with a home of its own; the second one is in this process, its stages
clocked. Stages run side by side, so that their seconds add up to more than the whole's.
"""

# ruff: noqa: SLF001 - a clock looks inside

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import made_files
from bot.app import App, opened
from bot.config import Settings
from bot.passage import PUBLIC


def main() -> None:
    """Make the files, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--kinds", default="", help="comma-separated suffixes; all by default")
    parser.add_argument("--no-stages", action="store_true", help="only the command itself")
    parser.add_argument("--out", type=Path, help="write the figures into this file as well")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="paring-bench-") as name:
        files = Path(name, "files")
        files.mkdir()
        pages = made_files.make(files, pages=options.pages)
        for file in files.iterdir():
            if options.kinds and file.suffix.lstrip(".") not in options.kinds.split(","):
                file.unlink()
        kinds = {kind: count for kind, count in pages.items() if not options.kinds or kind in options.kinds.split(",")}
        figures = {"pages": sum(kinds.values()), "kinds": kinds, **command(files, Path(name, "home"))}
        figures["pages_per_s"] = round(sum(kinds.values()) / figures["seconds"], 1)
        if not options.no_stages:
            figures["stages"] = asyncio.run(stages(files, Path(name, "staged")))
    shown = json.dumps(figures, indent=2)
    print(shown)
    if options.out:
        options.out.write_text(shown + "\n", encoding="utf-8")


def command(files: Path, home: Path) -> dict[str, Any]:
    """Run `paring add` over `files`; return its seconds from start to end, and what it says of itself."""
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "bot", "add", str(files), "--json"],
        env=os.environ | {"PARING_HOME": str(home)}, check=True, capture_output=True, text=True,
    )  # fmt: skip
    said = json.loads(done.stdout)
    return {"seconds": round(time.perf_counter() - begun, 2), "passages": said["passages"], "failed": len(said["failed"])}


async def stages(files: Path, home: Path) -> dict[str, float]:
    """Add `files` in this process; return the seconds of each stage, summed over what runs side by side, and the whole's."""
    spent: defaultdict[str, float] = defaultdict(float)
    async with opened(Settings(home=home)) as app:
        with clocked(app, spent):
            begun = time.perf_counter()
            await app.folders.add([files], PUBLIC, lambda *_told, **_more: None)
            spent["whole"] = time.perf_counter() - begun
    return {stage: round(seconds, 2) for stage, seconds in spent.items()}


@contextmanager
def clocked(app: App, spent: defaultdict[str, float]) -> Iterator[None]:
    """Clock the stages of an import: in the children, words, vectors, committing."""
    from bot.retrieval import shelving

    sandbox: Any = app.library._reader._sandbox
    keeper: Any = app.library._keeper
    drafts: Any = vars(shelving)["draft"]

    def timed(stage: str, work: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def run(*arguments: Any, **named: Any) -> Any:
            begun = time.perf_counter()
            try:
                return await work(*arguments, **named)
            finally:
                spent[stage] += time.perf_counter() - begun

        return run

    def plain(*arguments: Any, **named: Any) -> Any:
        begun = time.perf_counter()
        try:
            return sandbox_work(*arguments, **named)
        finally:
            spent["children"] += time.perf_counter() - begun

    def cut(*arguments: Any, **named: Any) -> Any:
        begun = time.perf_counter()
        try:
            return drafts(*arguments, **named)
        finally:
            spent["words"] += time.perf_counter() - begun

    sandbox_work = sandbox._work
    sandbox._work = plain
    keeper._models.run = timed("vectors", keeper._models.run)
    keeper._passages.add = timed("commit", keeper._passages.add)
    vars(shelving)["draft"] = cut
    yield


if __name__ == "__main__":
    main()
