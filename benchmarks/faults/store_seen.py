"""What is seen of a store that is in trouble: by somebody at the bot's page, by the operator in its log, by SQLite's own check."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from benchmarks.faults.street import Bot, Visitor

SENTENCES = ("disk", "database", "디스크", "데이터베이스")
"""One of these words stands in what is told of the store."""
WAITS = "I cannot keep what you write just now"


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


def integrity(database: Path) -> str:
    """Return what SQLite's own check says: "ok", or what is wrong."""
    with closing(sqlite3.connect(database)) as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])


def told_the_operator(log: Path) -> int:
    """Return how many lines of the log are about the disk or the database."""
    return sum(any(word in line for word in SENTENCES[:2]) for line in log.read_text(encoding="utf-8").splitlines())
