"""A migration that is killed at its statements, from every older schema; `cut_migration` is the program that is killed."""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

from benchmarks.faults import Plan, Row
from benchmarks.faults.store_seen import integrity
from bot.store import schema


async def cut_migrations(plan: Plan) -> Row:
    """Kill the migration from every older schema at its statements; look at the database, then let it finish."""
    chance, template = random.Random(plan.seed), plan.scratch / "template" / "paring.db"  # noqa: S311 - which statements
    await asyncio.to_thread(_filled, template)
    killed = wrong = lost = 0
    async with _cutter() as cut:
        for number in range(int(schema.head()) - 1, 0, -1) if plan.scale >= 0.1 else [1]:
            await asyncio.to_thread(schema.migrate, template, f"{number:04}")
            statements = await cut(_copied(template, plan.scratch / f"count{number}"), 0)
            share = 2 if plan.scale < 0.1 else statements // 4 if number == 1 else min(2, statements)
            places = chance.sample(range(1, statements + 1), share)
            for place in places:
                path = _copied(template, plan.scratch / f"{number}-{place}")
                begun = await cut(path, place)
                state = integrity(path)
                wrong += state != "ok" or begun != place or schema.version(path) < f"{number:04}"
                await cut(path, 0)
                wrong += schema.version(path) != schema.head() or integrity(path) != "ok"
                lost += _texts(path) != _texts(template)
                killed += 1
    return Row(
        killed,
        "kills",
        lost=lost,
        failed=wrong,
        note="after each integrity_check says ok, the schema is one of those between, and the next start finishes",
    )


def _filled(path: Path) -> None:
    schema.upgrade(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(
            "INSERT INTO inbox (channel, account, chat, thread, sender, message_id, version, message, state, attempts, placeholder, route, "
            "error, sent_at, received_at) VALUES ('web', 'web', 'me', '', 'me', ?, 0, ?, 'done', 0, '', '', '', '2026-01-01', '2026-01-01')",
            [(str(number), f"text {number} 한글") for number in range(200)],
        )


def _copied(path: Path, folder: Path) -> Path:
    shutil.copytree(path.parent, folder)
    return folder / path.name


def _texts(path: Path) -> list[tuple[str]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT message FROM inbox ORDER BY id").fetchall()


@asynccontextmanager
async def _cutter() -> AsyncIterator[Callable[[Path, int], Awaitable[int]]]:
    """Give a function that migrates a database and kills that at one of its statements; it returns how many were begun."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.faults.cut_migration", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    stdin, stdout = process.stdin, process.stdout

    async def cut(path: Path, statement: int) -> int:
        stdin.write(f"{path} {statement}\n".encode())
        return int(await asyncio.wait_for(stdout.readline(), 60))

    try:
        yield cut
    finally:
        stdin.close()
        await process.wait()
