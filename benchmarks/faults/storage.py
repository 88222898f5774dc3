"""The disk and the database go wrong under a whole bot: full, refusing, locked, read-only, cut, overwritten, half migrated, put back.

Each row looks at what people see (the fake Telegram, the page), at what the operator sees (the bot's log), and at the files.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import resource
import shutil
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import aiohttp
from fakes.program import paring
from fakes.telegram_bot_api.client import running

from benchmarks.faults import Fault, Plan, Row
from benchmarks.faults.damage import DAMAGES
from benchmarks.faults.lives import filled
from benchmarks.faults.made_home import fill
from benchmarks.faults.street import Bot, Street, Visitor
from bot.store import schema

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

    async def ask(self, text: str = "", **more: object) -> bool:
        """Ask for `text`, by default an echo; say whether it was taken. `more`: `files` as they were uploaded, `reply_to` a message."""
        token = f"q{800_000 + len(self.taken) + len(self.told):06}"
        said = {"id": f"page-{token}", "text": text or f"/echo {token}", **more}
        async with (
            aiohttp.ClientSession(trust_env=False, timeout=aiohttp.ClientTimeout(total=30)) as session,
            session.post(f"{self.bot.url.rstrip('/')}/api/say", json=said, headers={"x-paring": "1"}) as answer,
        ):
            if answer.status == 200:
                self.taken.append(token)
                return True
            self.told.append((answer.status, await answer.text()))
            return False

    async def upload(self, name: str, data: bytes) -> object:
        """Upload a file; return what a message names it by."""
        headers = {"x-paring": "en", "x-name": name}
        async with (
            aiohttp.ClientSession(trust_env=False) as session,
            session.post(f"{self.bot.url.rstrip('/')}/api/files", data=data, headers=headers) as answer,
        ):
            return await answer.json()

    async def answers(self, *, within_s: float = 30.0) -> set[str]:
        """Return which of the echoes that were taken are answered, once all are or so long has passed."""
        ends = time.monotonic() + within_s
        while True:
            found = set(await Visitor().answers(self.bot))
            if set(self.taken) <= found or time.monotonic() > ends:
                return found
            await asyncio.sleep(0.1)

    async def told_until(self, words: str, count: int, *, within_s: float = 30.0) -> int:
        """Return how often the page shows `words`, once that is `count` times or nothing more is waited for."""
        url, ends, shown = f"{self.bot.url.rstrip('/')}/api/history", time.monotonic() + within_s, 0
        async with aiohttp.ClientSession(trust_env=False) as session:
            while shown < count and time.monotonic() < ends:
                await asyncio.sleep(0.1)
                async with session.get(url) as answer:
                    shown = sum(entry["html"].count(words) for entry in (await answer.json())["entries"])
        return shown


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


def integrity(database: Path) -> str:
    """Return what SQLite's own check says: "ok", or what is wrong."""
    with closing(sqlite3.connect(database)) as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])


def told_the_operator(log: Path) -> int:
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


async def damaged(plan: Plan) -> Row:
    """Damage a home in every way, start a bot over it, and ask: it serves, or says in a sentence why it does not."""
    whole, home, chance = plan.scale >= 0.1, plan.scratch / "whole", random.Random(plan.seed)  # noqa: S311 - places in files
    await fill(home, plan.times(3000, least=100))
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


async def put_back(plan: Plan) -> Row:
    """Back up a home while people ask, restore it elsewhere, and ask both the same."""
    whole, home, new = plan.scale >= 0.1, plan.scratch / "home", plan.scratch / "restored"
    file = plan.scratch / "backup.zip"
    if whole:
        await filled(home, plan.times(100_000))
        await _verb(home, "say", "the zyxcanary is under the lamp")
        await _verb(home, "swap", "summarise", "none-such")  # refused, and written down
        await _verb(home, "say", "/forget")
    else:
        await fill(home, 100)
    async with running() as telegram:
        street, bot = Street(telegram, random.Random(plan.seed), direct=6, groups=0), Bot.on(telegram, home)  # noqa: S311 - chats
        await bot.spawn()
        await bot.ready()
        quiet = await _asked(street, plan.times(60, least=5))
        backing = asyncio.ensure_future(_verb(home, "backup", str(file)))
        busy = await _asked(street, plan.times(60, least=5))
        code, _said = await backing
        counted = await street.counted()
        await bot.stop()
    restored, _said = await _verb(new, "restore", str(file))
    questions = QUESTIONS if whole else QUESTIONS[:1]
    different = 0
    audit: tuple[tuple[str, ...], ...] = (("audit", "--json"),) if whole else ()
    for verb in (*(("say", "--json", question) for question in questions), *audit):
        different += _plain(await _verb(home, *verb)) != _plain(await _verb(new, *verb))
    left = [path for path in new.rglob("*") if path.is_file() and b"zyxcanary" in path.read_bytes()]
    return Row(
        counted.asked, "messages", lost=counted.lost + counted.set_aside, doubled=counted.doubled_quick + counted.told_again,
        leaked=len(left), failed=different + bool(code) + bool(restored) + (integrity(new / "paring.db") != "ok"), worst_wait_s=max(busy),
        note=f"{len(questions)} questions and the audit, asked of both: {different} differ; an answer took {median(quiet):.2f} s before and "
        f"{median(busy):.2f} s beside the backup (medians); {file.stat().st_size / 1e6:.0f} MB",
    )  # fmt: skip


QUESTIONS = ("/search word1 word2 word3", "/search word77 word78", "where is word4000?", "/help", "/index")


async def _asked(street: Street, count: int) -> list[float]:
    """Ask so often, one after another; return how long each answer took."""
    seconds = []
    for _message in range(count):
        begun = time.monotonic()
        await street.say()
        await street.answered()
        seconds.append(time.monotonic() - begun)
    return seconds


async def _verb(home: Path, *words: str) -> tuple[int, str]:
    code, out, _complaints = await paring(home, *words)
    return code, out


def _plain(told: tuple[int, str]) -> object:
    """Return what was told, of an answer without its receipt: that tells how long it took."""
    said = json.loads(told[1])
    return {name: value for name, value in said.items() if name != "receipt"} if isinstance(said, dict) else said


FAULTS = (
    Fault(
        "disk-trouble",
        "storage",
        "the home's disk is filled to the last byte, then writes are refused by the system, then another program locks the database for "
        "14 s, while people ask in Telegram and on the page",
        trouble,
        most_s=240,
        cores=0.5,
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
    ),
)
