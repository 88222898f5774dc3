"""A storm of errors: everything fails for everybody, and somebody asks the page for what it refuses, without a pause. What does the log hold?

Owns the storm and what is counted in the log. Leaves to `bot.logs_repeats` what is told of lines that come again.
"""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import aiohttp
from fakes.telegram_bot_api.client import FakeTelegram, running

from benchmarks.faults import Fault, Plan, Row
from benchmarks.faults.street import Bot, with_skill

PEOPLE = range(100, 110)
REFERENCE = re.compile(r"\(ref ([0-9a-f]+)\)")
MOST_LINES = 60
"""What any one part of the storm may add to the log, however long it blows: a few kinds of lines, each a few times."""
MOST_LINE_BYTES = 4096
ANSWERED_S = 60.0
BROKEN, REFUSED = "a message could not be answered and is set aside", "a reply could not be sent"
SKILL = """
from bot.locale import phrases
from bot.skill import CommandSpec
_ = phrases(__file__)
class Storm:
    name, title, summary, slots, takes = "storm", _("Storm"), _("I break."), (), frozenset()
    commands = (CommandSpec("storm", _("Storm")), CommandSpec("calm", _("Calm")))
    def claims(self, message): return False
    async def answer(self, request):
        if request.message.command.name == "storm":
            raise ValueError(request.text)
        return request.reply(request.text)
def build(kit): return Storm()
"""


async def storm(plan: Plan) -> Row:
    """Have every skill fail, then every send refused, then the page asked for what it refuses; count the log's lines after each."""
    count = plan.times(200, least=len(PEOPLE) * 2) // len(PEOPLE) * len(PEOPLE)
    async with running() as telegram:
        bot = Bot.on(telegram, plan.scratch / "home", page=True, **with_skill(plan.scratch / "storm", "storm", SKILL))
        await bot.spawn()
        await bot.ready(2)
        lines = [_lines(bot)]
        references = await _failing(telegram, count)
        lines.append(_lines(bot))
        await _refused(telegram, count, plan.scratch / "home" / "paring.db")
        lines.append(_lines(bot))
        silent = await _hammered(bot, plan.times(600, least=60))
        lines.append(_lines(bot))
        await bot.stop()
    log = await asyncio.to_thread(bot.log.read_text, encoding="utf-8")
    grown = [after - before for before, after in pairwise(lines)]
    told = {event: _told(log, event) for event in (BROKEN, REFUSED)}
    wrong = [f"{event}: told of {number} of {count}" for event, number in told.items() if number != count]
    wrong += [f"{number} lines of one part" for number in grown if number > MOST_LINES]
    unlogged = sum(f'"{reference}"' not in log for reference in references)
    return Row(
        2 * count + plan.times(600, least=60), "failures",
        lost=count - len(references) + unlogged, failed=len(wrong) + silent,
        note="; ".join(wrong) or f"lines in the log: {grown[0]} of {count} messages that broke their skill, {grown[1]} of as many "
        f"sends that were refused, {grown[2]} of the page; {len(log.encode()):,} bytes in all; each failure is counted there, each "
        "reference stands there",
    )  # fmt: skip


async def _failing(telegram: FakeTelegram, count: int) -> set[str]:
    """Have each message break its skill; return the references under which people were told so."""
    for number in range(count):
        await telegram.say(f"/storm q{number:06}", user=PEOPLE[number % len(PEOPLE)])
    found: set[str] = set()
    for person in PEOPLE:
        shown = await telegram.shown(person, by_bot=count // len(PEOPLE))
        found.update(reference[1] for message in shown if (reference := REFERENCE.search(str(message.get("text")))))
    return found


async def _refused(telegram: FakeTelegram, count: int, database: Path) -> None:
    """Have each answer refused, until all are given up."""
    await telegram.fault("refuse", "sendMessage", times=-1, code=400, description="Bad Request: not today")
    for number in range(count):
        await telegram.say(f"/calm q{number:06}", user=PEOPLE[number % len(PEOPLE)])

    def dead() -> int:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM outbox WHERE state = 'dead'").fetchone()[0])

    async with asyncio.timeout(ANSWERED_S):
        while await asyncio.to_thread(dead) < count:  # noqa: ASYNC110 - another program's
            await asyncio.sleep(0.1)
    await telegram.order("clear_faults")


async def _hammered(bot: Bot, count: int) -> int:
    """Ask the page for what it refuses, eight at a time; return how often it broke."""
    url = bot.url.rstrip("/")
    asked = (
        ("POST", "/api/say", b"{", {"x-paring": "en"}), ("POST", "/api/say", b'{"id": "x"}', {"x-paring": "en"}),
        ("POST", "/api/say", b"[" * 60_000, {"x-paring": "en"}), ("POST", "/api/press", b"\xff", {}),
        ("GET", "/nowhere", b"", {}), ("GET", "/blobs/../../paring.db", b"", {}), ("GET", "/", b"", {"host": "elsewhere.example"}),
        ("POST", "/api/files", b"x", {"x-paring": "en", "content-length": "1"}), ("GET", "/api/history?before=%00", b"", {}),
        ("GET", "/messages/x", b"", {}), ("POST", "/api/say", b"{}", {"x-paring": "en", "origin": "http://elsewhere.example"}),
        ("GET", "/documents/99999999999999999999", b"", {}), ("DELETE", "/api/say", b"", {"x-paring": "en"}),
    )  # fmt: skip
    gate = asyncio.Semaphore(8)

    async def ask(session: aiohttp.ClientSession, number: int) -> bool:
        method, path, data, headers = asked[number % len(asked)]
        async with gate, session.request(method, url + path, data=data, headers=headers) as answer:
            return answer.status >= 500

    async with aiohttp.ClientSession(trust_env=False, timeout=aiohttp.ClientTimeout(total=ANSWERED_S)) as session:
        return sum(await asyncio.gather(*(ask(session, number) for number in range(count))))


def _lines(bot: Bot) -> int:
    """Return how many lines the log has, one that is very long for several."""
    return sum(1 + len(line) // MOST_LINE_BYTES for line in bot.log.read_bytes().splitlines())


def _told(log: str, event: str) -> int:
    """Return of how many failures the log tells by this event."""
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    return sum(int(line.get("repeated", 1)) for line in lines if line["event"] == event)


FAULTS: tuple[Fault, ...] = (
    Fault(
        "storm",
        "health",
        "every skill fails for everybody, then every send is refused, then somebody asks the page for what it refuses, without a pause",
        storm,
        most_s=90,
    ),
)
