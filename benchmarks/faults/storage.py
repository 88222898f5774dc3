"""The disk and the database go wrong under a whole bot: full, refusing, locked, read-only, cut, overwritten, half migrated, put back.

Each row looks at what people see (the fake Telegram, the page), at what the operator sees (the bot's log), and at the files.
"""

from __future__ import annotations

import asyncio
import os
import random
import resource
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from fakes.telegram_bot_api.client import running

from benchmarks.faults import Fault, Plan, Row
from benchmarks.faults.street import Bot, Street, Visitor

HOME_MB = 24
SENTENCES = ("disk", "database", "디스크", "데이터베이스")
"""One of these words stands in what is told of the store."""
WAITS = "I cannot keep what you write just now"


class Mounted(Bot):
    """A bot whose home is a small disk of its own, in a mount namespace that ends with it."""

    @property
    def inside(self) -> Path:
        """The home, as seen from outside."""
        return Path(f"/proc/{self.pid}/root{self.home}")

    @property
    def command(self) -> Sequence[str]:
        """Mount, then become the bot."""
        script = 'mount -t tmpfs -o "size=$1,mode=700" tmpfs "$2" && shift 2 && exec "$@"'
        return (
            "unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", f"{HOME_MB}m", str(self.home),
            sys.executable, "-m", "bot", "run",
        )  # fmt: skip

    async def spawn(self) -> None:
        """Start it; its disk is new."""
        await asyncio.to_thread(self.home.mkdir, exist_ok=True)
        await super().spawn()


@dataclass
class Page:
    """Somebody at the bot's page: what was taken, and what was told instead."""

    bot: Bot
    taken: list[str] = field(default_factory=list)
    told: list[tuple[int, str]] = field(default_factory=list)

    async def ask(self) -> bool:
        """Ask for an echo; say whether it was taken."""
        token = f"q{800_000 + len(self.taken) + len(self.told):06}"
        said = {"id": f"page-{token}", "text": f"/echo {token}"}
        async with (
            aiohttp.ClientSession(trust_env=False, timeout=aiohttp.ClientTimeout(total=30)) as session,
            session.post(f"{self.bot.url.rstrip('/')}/api/say", json=said, headers={"x-paring": "1"}) as answer,
        ):
            if answer.status == 200:
                self.taken.append(token)
                return True
            self.told.append((answer.status, await answer.text()))
            return False


async def trouble(plan: Plan) -> Row:
    """Fill the disk, have writes refused, lock the database, each for a while, while people ask in Telegram and on the page."""
    whole = plan.scale >= 0.1
    chance = random.Random(plan.seed)  # noqa: S311 - chats, no secret
    faults = {full: 5.0, refusing: 5.0, locked: 14.0} if whole else {full: 0.7, refusing: 0.1, locked: 0.1}
    worst, silent, wrong, untold, seen = 0.0, 0, 0, 0, 0
    async with running() as telegram:
        street, bot = Street(telegram, chance, direct=4, groups=0), Mounted.on(telegram, plan.scratch / "home", page=True)
        await bot.spawn()
        await bot.ready(2)
        page = Page(bot)
        for fault, seconds in faults.items():
            async with fault(bot):
                for _message in range(plan.times(40, least=4)):
                    await street.say()
                asked = asyncio.ensure_future(page.ask())
                await asyncio.sleep(seconds)
                if fault is not locked or whole:
                    await asked
            begun = time.monotonic()
            taken = await asked
            await street.answered()
            worst = max(worst, time.monotonic() - begun)
            wrong += not await page.ask()
            silent += not taken and not any(word in page.told[-1][1] for word in SENTENCES)
            lines = await asyncio.to_thread(_told_the_operator, bot.log)
            untold += fault is not locked and lines == seen
            seen = lines
        state = _state(bot.inside / "paring.db")
        answers = await Visitor().answers(bot)
        counted = await street.counted()
        shown = [await telegram.shown(chat) for chat in street.chats]
        told = sum(WAITS in str(one.get("text")) for messages in shown for one in messages)
        await bot.stop()
    silent += whole and not told
    return Row(
        counted.asked + len(page.taken),
        "messages",
        lost=counted.lost + counted.set_aside + len(set(page.taken) - set(answers)),
        doubled=counted.doubled_quick + counted.told_again,
        failed=counted.disordered + silent + wrong + untold + (state != "ok") + len(bot.complaints()),
        worst_wait_s=worst,
        note=f"integrity_check: {state}; refused on the page with a sentence: {len(page.told)}; told in Telegram that it waits: {told}; "
        f"lines in the log: {seen}; the wait is from when the cause was gone",
    )


def _state(database: Path) -> str:
    with closing(sqlite3.connect(database)) as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])


def _told_the_operator(log: Path) -> int:
    """Return how many lines of the log are about the disk or the database."""
    return sum(any(word in line for word in SENTENCES[:2]) for line in log.read_text(encoding="utf-8").splitlines())


@asynccontextmanager
async def full(bot: Mounted) -> AsyncIterator[None]:
    """Leave not a byte on the disk of the home."""
    filler = bot.inside / "filler"
    handle = os.open(filler, os.O_WRONLY | os.O_CREAT)
    for size in (1 << 20, 4096, 1):
        with suppress(OSError):
            while os.write(handle, bytes(size)):
                pass
    os.close(handle)
    try:
        yield
    finally:
        filler.unlink()


@asynccontextmanager
async def refusing(bot: Mounted) -> AsyncIterator[None]:
    """Have the system refuse what is written beyond the first page of any file."""
    before = resource.prlimit(bot.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(bot.pid, resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        resource.prlimit(bot.pid, resource.RLIMIT_FSIZE, before)


@asynccontextmanager
async def locked(bot: Mounted) -> AsyncIterator[None]:
    """Hold the database as another program does that writes into it for long."""
    with closing(sqlite3.connect(bot.inside / "paring.db", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


FAULTS = (
    Fault(
        "disk-trouble",
        "storage",
        "the home's disk is filled to the last byte, then writes are refused by the system, then another program locks the database for "
        "14 s, while people ask in Telegram and on the page",
        trouble,
        most_s=120,
    ),
)
