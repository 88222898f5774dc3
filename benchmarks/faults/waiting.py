"""Very many messages wait at a start, and slow work stands beside quick work: nobody who asks for little waits behind what is much."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from benchmarks.faults import Fault, Plan, Row
from benchmarks.faults.delivery import meanwhile, peak_mb
from benchmarks.faults.made_once import filled
from benchmarks.faults.town import CANARY, Town, settled_mb

CHATS = 200
OTHERS = 8
SLOW = 64
MOST_MB = 100
MOST_P99_S = 2.0
TRANSLATING = """
import hashlib, time
_answer = Town.answer
PLACES = asyncio.Semaphore(2)
def work(until):
    while time.monotonic() < until:
        hashlib.pbkdf2_hmac("sha256", b"a model computes without the interpreter's lock", b"", 20_000)
async def answer(self, request):
    if request.message.command.name == "serve":
        async with PLACES:
            await asyncio.to_thread(work, time.monotonic() + 1.0)
    return await _answer(self, request)
Town.answer = answer
"""


async def many_at_a_start(plan: Plan) -> Row:
    """Put very many messages into the inbox of a bot that is not there; start it, and let others ask meanwhile."""
    whole, count, home = plan.scale >= 0.1, plan.times(4_000) if plan.scale >= 0.1 else 40, plan.scratch / "home"
    chats = CHATS if whole else 10
    async with Town().open() as town:
        bot = town.bot(home, PARING_LIMITS__QUEUE=str(2 * count))
        await bot.spawn()
        await town.say(100, "/echo warm")
        await town.until(lambda: "warm" in town.text(100), within_s=60)
        before_mb = await settled_mb(bot.pid) if whole else peak_mb(bot.pid)
        await bot.stop()
        for person in range(1000, 1000 + chats):
            await town.say(person, "/echo first")
        await bot.spawn()
        await town.until(lambda: all("first" in town.text(person) for person in range(1000, 1000 + chats)), within_s=60)
        await bot.kill()
        await asyncio.to_thread(_queued, home / "paring.db", count, chats)
        begun = time.monotonic()
        await bot.spawn()
        asked: dict[int, float] = {}
        for other in range(2000, 2000 + OTHERS):
            await town.say(other, f"/echo quick{other}")
            asked[other] = time.monotonic()
        waits = []
        for other, at in asked.items():
            await town.until(lambda other=other: f"quick{other}" in town.text(other), within_s=120)  # type: ignore[misc]
            waits.append((town.told(other)[-1][0] if town.told(other) else time.monotonic()) - at)
        await town.until(
            lambda: sum(len(town.told(1000 + number)) for number in range(chats)) >= count + chats, within_s=180, every_s=0.5
        )
        took_s, most_mb = time.monotonic() - begun, peak_mb(bot.pid)
        await bot.stop()
    texts = {person: [text for _at, text in town.told(person)] for person in range(1000, 1000 + chats)}
    found = [text.rpartition(" ")[2] for told in texts.values() for text in told if "n0" in text]
    disordered = sum(told[1:] != sorted(told[1:]) for told in texts.values())
    return Row(
        count + OTHERS, "messages", lost=count - len(set(found)), doubled=len(found) - len(set(found)),
        failed=disordered + (whole and most_mb - before_mb > MOST_MB) + (whole and max(waits) > took_s / 2), worst_wait_s=max(waits),
        note=f"all answered, in order, {took_s:.0f} s after the start, {count / took_s:.0f} a second; at most {most_mb - before_mb:+.0f} MB "
        f"beside an idle bot; who asked right after the start waited {max(waits):.1f} s at most",
    )  # fmt: skip


def _queued(database: Path, count: int, chats: int) -> None:
    """Copy a message that was answered into very many that wait, in the chats in turn."""
    with closing(sqlite3.connect(database, timeout=20)) as connection, connection:
        names = [row[1] for row in connection.execute("PRAGMA table_info(inbox)")]
        rows = connection.execute(
            f"SELECT {', '.join(names)} FROM inbox WHERE message LIKE '%/echo first%' ORDER BY id LIMIT ?",  # noqa: S608 - as below
            (chats,),
        ).fetchall()
        made = []
        for number in range(count):
            row = dict(zip(names, rows[number % len(rows)], strict=True)) | {
                "id": None,
                "state": "received",
                "attempts": 0,
                "owner": "",
            }
            row["message_id"], row["route"], row["done_at"] = str(100_000 + number), "", None
            row["message"] = row["message"].replace("first", f"n0{number:06}").replace('"id":"', f'"id":"9{number:06}')
            made.append([row[name] for name in names])
        places = ", ".join("?" for _name in names)
        connection.executemany(f"INSERT INTO inbox ({', '.join(names)}) VALUES ({places})", made)  # noqa: S608 - its own columns


async def slow_beside_quick(plan: Plan) -> Row:
    """Let people search alone; then 64 others have something translated that takes a second of computing each; compare the waits."""
    whole, count, home = plan.scale >= 0.1, plan.times(SLOW, least=2), plan.scratch / "home"
    await filled(plan, home, plan.times(20_000) if whole else 20)
    async with Town().open() as town:
        bot = town.bot(home)
        site = bot.site / "paring_town.py"
        code = await asyncio.to_thread(site.read_text, encoding="utf-8")
        await asyncio.to_thread(
            site.write_text, code.replace("def build(kit)", TRANSLATING + "\ndef build(kit)"), encoding="utf-8"
        )
        await bot.spawn()
        await town.say(100, "/search word1 word2")
        await town.until(lambda: town.text(100) != "", within_s=60)
        quiet: list[float] = []
        await _searches(town, quiet, range(5000, 5000 + plan.times(100, least=3)))
        people = range(3000, 3000 + count)
        beside: list[float] = []
        async with meanwhile(_searches(town, beside, range(10_000, 100_000))):
            for person in people:
                await town.say(person, f"/serve at {CANARY} q{person}")
            begun = time.monotonic()
            served = await town.until(
                lambda: all(f"q{person}" in town.text(person) for person in people), within_s=150, every_s=0.25
            )
            took_s = time.monotonic() - begun
        await bot.stop()
    p99 = [float(np.percentile(waits, 99)) if waits else 0.0 for waits in (quiet, beside)]
    return Row(
        count + len(quiet) + len(beside), "messages", lost=sum(f"q{person}" not in town.text(person) for person in people),
        doubled=sum(town.text(person).count(f"q{person}") > 1 for person in people),
        failed=(not served) + (not beside) + (whole and p99[1] > MOST_P99_S), worst_wait_s=max([*quiet, *beside]),
        note=f"a search's p99 {p99[0] * 1000:.0f} ms alone, {p99[1] * 1000:.0f} ms beside {count} that take {took_s:.0f} s in all "
        f"(medians {np.median(quiet) * 1000:.0f}, {np.median(beside or [0]) * 1000:.0f} ms)",
    )  # fmt: skip


async def _searches(town: Town, waits: list[float], people: Sequence[int]) -> None:
    """Have one person after the other search, none of whom was told anything yet."""
    for person in people:
        assert not town.text(person)
        begun = time.monotonic()
        await town.say(person, f"/search word{person % 5000} word7")
        await town.until(lambda person=person: town.text(person) != "", within_s=60, every_s=0.01)  # type: ignore[misc]
        waits.append(time.monotonic() - begun)
        await asyncio.sleep(0.1)


FAULTS: tuple[Fault, ...] = (
    Fault(
        "many-at-a-start", "load", "4,000 messages of 200 chats wait at a start; others ask right after it",
        many_at_a_start, most_s=240,
    ),
    Fault(
        "slow-beside-quick", "load", "64 people have something translated, a second of computing each, beside people who search",
        slow_beside_quick, most_s=200, alone=True,
    ),
)  # fmt: skip
