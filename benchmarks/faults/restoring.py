"""A backup of a home while people ask, put back elsewhere: both are asked the same."""

from __future__ import annotations

import asyncio
import json
import random
import time
from pathlib import Path
from statistics import median

from fakes.program import paring
from fakes.telegram_bot_api.client import running

from benchmarks.faults import Plan, Row
from benchmarks.faults.made_once import filled
from benchmarks.faults.store_seen import integrity
from benchmarks.faults.street import Bot, Street

QUESTIONS = ("/search word1 word2 word3", "/search word77 word78", "where is word4000?", "/help", "/index")


async def put_back(plan: Plan) -> Row:
    """Back up a home while people ask, restore it elsewhere, and ask both the same."""
    whole, home, new = plan.scale >= 0.1, plan.scratch / "home", plan.scratch / "restored"
    file = plan.scratch / "backup.zip"
    if whole:
        await filled(plan, home, plan.times(100_000))
        await _verb(home, "say", "the zyxcanary is under the lamp")
        await _verb(home, "swap", "summarise", "none-such")  # refused, and written down
        await _verb(home, "say", "/forget")
    else:
        await filled(plan, home, 100)
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
