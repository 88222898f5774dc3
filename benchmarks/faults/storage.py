"""The disk and the database go wrong under a whole bot: full, refusing, locked, read-only, cut, overwritten, half migrated, put back.

Each row looks at what people see (the fake Telegram, the page), at what the operator sees (the bot's log), and at the files.
"""

from __future__ import annotations

import asyncio
import os
import random
import resource
import shutil
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

from fakes.telegram_bot_api.client import running

from benchmarks.faults import Fault, Plan, Row
from benchmarks.faults.cuts import cut_migrations
from benchmarks.faults.damage import DAMAGES
from benchmarks.faults.made_once import filled
from benchmarks.faults.restoring import put_back
from benchmarks.faults.store_seen import SENTENCES, WAITS, Page, integrity, told_the_operator
from benchmarks.faults.street import Bot, Street

HOME_MB = 24


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
            lines = await asyncio.to_thread(told_the_operator, bot.log)
            untold += fault is not locked and lines == seen
            seen = lines
        state = integrity(bot.inside / "paring.db")
        answers = await page.answers()
        counted = await street.counted()
        shown = [await telegram.shown(chat) for chat in street.chats]
        told = sum(WAITS in str(one.get("text")) for messages in shown for one in messages)
        await bot.stop()
    silent += whole and not told
    return Row(
        counted.asked + len(page.taken),
        "messages",
        lost=counted.lost + counted.set_aside + len(set(page.taken) - answers),
        doubled=counted.doubled_quick + counted.told_again,
        failed=counted.disordered + silent + wrong + untold + (state != "ok") + len(bot.complaints()),
        worst_wait_s=worst,
        note=f"integrity_check: {state}; refused on the page with a sentence: {len(page.told)}; told in Telegram that it waits: {told}; "
        f"lines in the log: {seen}; the wait is from when the cause was gone",
    )


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


async def damaged(plan: Plan) -> Row:
    """Damage a home in every way, start a bot over it, and ask: it serves, or says in a sentence why it does not."""
    whole, home, chance = plan.scale >= 0.1, plan.scratch / "whole", random.Random(plan.seed)  # noqa: S311 - places in files
    await filled(plan, home, plan.times(3000, least=100))
    failed, served, sentences = [], 0, 0
    kinds = list(DAMAGES) if whole else ["the index cut off", "the database cut off at a page"]
    for number, kind in enumerate(kinds):
        copy = plan.scratch / f"home{number}"
        await asyncio.to_thread(shutil.copytree, home, copy)
        serves = await asyncio.to_thread(DAMAGES[kind], copy, chance)
        before = (copy / "paring.db").read_bytes()
        bot = Bot(copy, {"PARING_WEB__PORT": "0"})
        await bot.spawn()
        try:
            await bot.ready()
        except AssertionError:
            await bot.stop()
            told = bot.log.read_text(encoding="utf-8").strip().splitlines()
            sentences += 1
            if (
                serves is True
                or "Traceback" in str(told)
                or not told[-1].startswith("paring: ")
                or (copy / "paring.db").read_bytes() != before
            ):
                failed.append(kind)
            continue
        served += 1
        page = Page(bot)
        taken = await page.ask("/search word1 word2 word3")
        if (
            serves is False
            or (not taken and not any(word in page.told[-1][1] for word in SENTENCES))
            or (serves and bot.complaints())
        ):
            failed.append(kind)
        await bot.stop()
    return Row(
        len(kinds), "damaged homes", failed=len(failed),
        note=f"served all the same: {served}; not begun, with a sentence and the file left as it is: {sentences}"
        + "".join(f"; not so: {kind}" for kind in failed),
    )  # fmt: skip


FAULTS = (
    Fault(
        "disk-trouble",
        "storage",
        "the home's disk is filled to the last byte, then writes are refused by the system, then another program locks the database for "
        "14 s, while people ask in Telegram and on the page",
        trouble,
        most_s=240,
        cores=0.25,
    ),
    Fault(
        "cut-migration",
        "storage",
        "the migration from every older schema is killed at its statements (`kill -9`), then started again",
        cut_migrations,
        most_s=300,
    ),
    Fault(
        "damaged-home",
        "storage",
        "the database cut off, overwritten, emptied, with garbage as its log; the index cut off, flipped, gone: a bot is started over each",
        damaged,
        most_s=240,
    ),
    Fault(
        "backup-and-back",
        "storage",
        "`paring backup` of 100,000 passages while people ask, `paring restore` into another home, and both are asked the same",
        put_back,
        most_s=400,
        cores=0.75,
    ),
)
