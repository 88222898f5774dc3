"""Kills in the midst of a write that is more than one step: an upload to the page, and the files of the index.

Each moment is made certain. Of an upload, a sign beside a skill has the bot end itself (SIGKILL) there; the person does what the page does:
uploads again what was not answered, says again, under the same number, what was not taken. Leaves to `benchmarks.index_kills` the index.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from benchmarks.faults import Fault, Plan, Row
from benchmarks.faults.street import Bot, with_skill

FILE_BYTES = 3 << 20
MOMENTS = ("answered", "arriving", "kept", "committed", "received", "half kept", "taken")
"""The page was told of the file; half is here; it has its name; its message is committed; all is here; its copy is written; it is told so."""
OUTSIDE = ("arriving", "answered", "taken")
"""Moments that are seen from outside: there the bot is killed by another."""
KILLER = """
import os, signal
from pathlib import Path
from bot.store.blobs import BlobStore
from bot.store.inbox import Inbox
from bot.locale import phrases
_ = phrases(__file__)
SIGN = Path(__file__).with_name("moment")

def at(moment):
    if SIGN.exists() and SIGN.read_text() == moment:
        SIGN.unlink()
        os.kill(os.getpid(), signal.SIGKILL)

def before(owner, name, moment):
    def called(*given, work=getattr(owner, name), **named):
        at(moment)
        return work(*given, **named)
    setattr(owner, name, called)

def after(owner, name, moment):
    def called(*given, work=getattr(owner, name), **named):
        made = work(*given, **named)
        at(moment)
        return made
    setattr(owner, name, called)

def after_awaiting(owner, name, moment):
    async def called(*given, work=getattr(owner, name), **named):
        made = await work(*given, **named)
        at(moment)
        return made
    setattr(owner, name, called)

before(BlobStore, "keep_file", "received")
before(BlobStore, "_settle", "half kept")
after(BlobStore, "keep_file", "kept")
after_awaiting(Inbox, "accept", "committed")

class Quiet:
    name, title, summary, slots, takes, commands = "quiet", _("Quiet"), _("I do nothing."), (), frozenset(), ()
    def claims(self, message): return False
    async def answer(self, request): raise NotImplementedError
def build(kit): return Quiet()
"""
TRIES = 10
ANSWERED_S = 60.0


@dataclass
class _Person:
    """Somebody at the page, who has files to send."""

    bot: Bot
    sign: Path
    wrong: list[str] = field(default_factory=list)
    uploads: int = 0

    async def bring(self, number: int, moment: str) -> None:
        """Upload a file and say it, while the bot is killed at `moment`; go on until it is taken."""
        if moment not in OUTSIDE:
            await asyncio.to_thread(self.sign.write_text, moment)
        kept: dict[str, str] | None = None
        for _try in range(TRIES):
            try:
                if kept is None:
                    kept = await self._upload(number, half=moment == "arriving")
                    if moment == "answered":
                        await self._again()
                await self._say(number, kept)
            except (aiohttp.ClientError, OSError):
                moment = ""
                await self._again()
            else:
                if moment == "taken":
                    await self._again()
                return
        self.wrong.append(f"file {number} was never taken")

    async def _again(self) -> None:
        """Start the bot once more, as systemd does."""
        await self.bot.kill()
        await self.bot.spawn()
        await self.bot.ready()

    async def _upload(self, number: int, *, half: bool) -> dict[str, str]:
        data = _file(number)
        self.uploads += 1

        async def pieces() -> AsyncIterator[bytes]:
            yield data[: len(data) // 2]
            if half:
                await self._half_there()
                await self.bot.kill()
            yield data[len(data) // 2 :]

        headers = {"x-paring": "en", "x-name": f"key{number}.html", "content-length": str(len(data))}
        async with (
            aiohttp.ClientSession(trust_env=False) as session,
            session.post(f"{self.bot.url.rstrip('/')}/api/files", data=pieces(), headers=headers) as answer,
        ):
            kept: dict[str, str] = await answer.json()
            if answer.status != 200:
                self.wrong.append(f"upload: {answer.status}")
            return kept

    async def _half_there(self) -> None:
        async with asyncio.timeout(ANSWERED_S):
            while not any(path.stat().st_size for path in _files(self.bot.home, "spool/**/*")):  # noqa: ASYNC110 - another program's
                await asyncio.sleep(0.02)

    async def _say(self, number: int, kept: dict[str, str]) -> None:
        said = {"id": f"kills-within-{number:04}", "text": "", "files": [kept]}
        async with (
            aiohttp.ClientSession(trust_env=False) as session,
            session.post(f"{self.bot.url.rstrip('/')}/api/say", json=said, headers={"x-paring": "en"}) as answer,
        ):
            if answer.status != 200:
                self.wrong.append(f"said: {answer.status} {await answer.text()}")

    async def answers(self, count: int) -> list[str]:
        """Return the files that the page says were added, once that are so many."""
        found: list[str] = []
        async with asyncio.timeout(ANSWERED_S), aiohttp.ClientSession(trust_env=False) as session:
            while len(found) < count:
                await asyncio.sleep(0.1)
                async with session.get(f"{self.bot.url.rstrip('/')}/api/history") as answer:
                    shown = [re.sub(r"<[^>]+>", " ", entry["html"]) for entry in (await answer.json())["entries"]]
                found = [name for text in shown for name in re.findall(r"I added\s+(key\d+)", text)]
        return found


async def killed_uploads(plan: Plan) -> Row:
    """Bring a file for each moment, and be killed there; then look at what was answered, and at what is on the disk."""
    moments, home = MOMENTS[: plan.times(len(MOMENTS))], plan.scratch / "home"
    site = plan.scratch / "site"
    bot = Bot(home, {"PARING_WEB__PORT": "0", **with_skill(site, "quiet", KILLER)})
    await bot.spawn()
    await bot.ready()
    person = _Person(bot, site / "moment")
    for number, moment in enumerate(moments):
        await person.bring(number, moment)
    answered = await person.answers(len(moments))
    person.wrong += await asyncio.to_thread(_on_disk, home, len(moments))
    left = await asyncio.to_thread(_files, home, "spool/**/*")
    await bot.stop()
    person.wrong += bot.complaints() + [f"left: {path.name}" for path in left]
    return Row(
        len(moments), "uploads", lost=len(moments) - len(set(answered)), doubled=len(answered) - len(set(answered)),
        failed=len(person.wrong),
        note="; ".join(person.wrong[:2]) or f"killed once in each; {person.uploads} times uploaded in all, said, kept and indexed once each; "
        "nothing half received is on the disk after the next start",
    )  # fmt: skip


def _on_disk(home: Path, count: int) -> list[str]:
    """Return what is not as it must be: a message, a document and a whole file of each, and no file besides."""
    with closing(sqlite3.connect(f"file:{home / 'paring.db'}?mode=ro", uri=True)) as connection:
        messages, documents = connection.execute(
            "SELECT (SELECT count(*) FROM inbox), (SELECT count(*) FROM documents)"
        ).fetchone()
        state = connection.execute("PRAGMA integrity_check").fetchone()[0]
    kept = _files(home, "??/*")
    broken = sum(hashlib.sha256(path.read_bytes()).hexdigest() != path.name for path in kept)
    counted = {"messages": messages, "documents": documents, "files": len(kept)}
    return [f"{number} {what} of {count}" for what, number in counted.items() if number != count] + (
        [f"{broken} files are not what their name says"] * bool(broken) + [f"integrity_check: {state}"] * (state != "ok")
    )


def _files(home: Path, pattern: str) -> list[Path]:
    return [path for path in (home / "blobs").glob(pattern) if path.is_file()]


def _file(number: int) -> bytes:
    """Return a page that is large and says little."""
    said = f"<html><body><p>The key of room {number} lies under the lamp.</p><!-- ".encode()
    return said + bytes([97 + number]) * (FILE_BYTES - len(said)) + b" --></body></html>"


async def killed_index(plan: Plan) -> Row:
    """Kill who writes the index at random moments, and before each step of a save of its files."""
    kills, rounds = plan.times(30, least=12), 2 if plan.scale >= 0.1 else 1
    words = ("-m", "benchmarks.index_kills", "--kills", str(kills), "--steps", str(rounds), "--seed", str(plan.seed))
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        *words,
        "--home",
        str(plan.scratch / "home"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complaints = await child.communicate()
    counts = {what: int(number) for what, number in re.findall(r"(\w+) (\d+)", said.decode())}
    tried = sum(counts.get(what, 0) for what in ("clean", "healed", "drift"))
    return Row(
        tried, "kills", lost=counts.get("drift", 0), failed=counts.get("left", 0) + (not counts),
        note=f"{kills} at random moments, the others before each step of a save; agreed at once after {counts.get('clean', 0)}, "
        f"once a file was set aside after {counts.get('healed', 0)}; nothing of a half save is there after the next"
        if counts else complaints.decode()[-300:],
    )  # fmt: skip


FAULTS: tuple[Fault, ...] = (
    Fault(
        "killed-uploads",
        "storage",
        "`kill -9` within an upload to the page: half of it is here, all, its copy, its name, the page was told; its message committed, told",
        killed_uploads,
        most_s=150,
    ),
    Fault(
        "killed-index",
        "storage",
        "`kill -9` of who writes passages and the index's files, at random moments and before each step: a file, its name, the folder's",
        killed_index,
        most_s=150,
        cores=0.5,
    ),
)
