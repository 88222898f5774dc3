"""Health: whether /readyz names what is broken and only while it is, a hanging loop is started again, and the numbers are true.

Owns: what is broken, from outside where that can be, else by a skill that meddles with the bot from within; and a count of one's own of
what happened. What is not a matter of a whole program is tested in tests/unit/test_health.py, test_metrics.py and test_watchdog.py.
"""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import psutil
from fakes.leaks import SAYING, SAYING_KO
from fakes.prometheus import Family, read
from fakes.telegram_bot_api.client import FakeTelegram, running

from benchmarks.faults import Fault, Plan, Row
from benchmarks.faults.lives import Line
from benchmarks.faults.street import Bot, with_skill

TEAM = -1_000_500
NAP_S = 0.1
WITHIN_S = 40.0
SKILL = """
import asyncio, gc, shutil
from bot import health, watchdog
from bot.channels import telegram_polling
from bot.channels.telegram_polling import Poller
from bot.locale import phrases
from bot.models.pool import Pool
from bot.skill import CommandSpec
_ = phrases(__file__)
POLL, USAGE, ROWS = Poller._poll, shutil.disk_usage, Pool.memory_rows
def once(meddled):
    async def poll(self):
        Poller._poll = POLL
        self._backoff.pulse.due(0.2)
        await meddled()
    Poller._poll = poll
async def hang(): await asyncio.Event().wait()
async def die(): raise RuntimeError("it died")
async def deaf():
    for _time in range(3):
        try: await asyncio.Event().wait()
        except asyncio.CancelledError: pass
def quick():
    health.CONNECTED_WITHIN_S, watchdog.LOOK_EVERY_S, watchdog.END_WITHIN_S = 3.0, 0.2, 0.3
    for one in gc.get_objects():
        if isinstance(one, Poller): one._poll_s, one._read_s = 1, 2.0
class Full:
    total = used = free = 1 << 20
class Meddler:
    name, title, summary, slots, takes = "meddler", _("Meddler"), _("I meddle."), (), frozenset()
    commands = tuple(CommandSpec(name, _("Meddle")) for name in ("meddle", "nap"))
    def claims(self, message): return False
    async def answer(self, request):
        said = request.text.split()
        if request.message.command.name == "nap":
            with request.stopwatch("sleep"): await asyncio.sleep(float(said[0]))
        elif said[0] == "break": raise {"ValueError": ValueError, "KeyError": KeyError}[said[1]](request.text)
        elif said[0] == "quick": quick()
        elif said[0] == "disk": shutil.disk_usage = (lambda path: Full()) if said[1] == "full" else USAGE
        elif said[0] == "models": Pool.memory_rows = (lambda self: []) if said[1] == "none" else ROWS
        elif said[0] in ("hang", "die", "deaf"): once(globals()[said[0]])
        return request.reply(request.text)
def build(kit): return Meddler()
"""


@dataclass
class Bench:
    """A running bot, asked from outside."""

    telegram: FakeTelegram
    line: Line
    bot: Bot
    session: aiohttp.ClientSession
    wrong: list[str] = field(default_factory=list)
    asked: dict[int, int] = field(default_factory=dict)
    """How much is to be answered, by chat."""
    worst_s: float = 0.0

    async def order(self, words: str, chat: int = 42) -> float:
        """Say something; return how long the answer took."""
        begun = time.monotonic()
        await self.telegram.say(words, user=abs(chat), chat=chat)
        self.asked[chat] = self.asked.get(chat, 0) + 1
        await self.telegram.shown(chat, by_bot=self.asked[chat])
        return time.monotonic() - begun

    async def parts(self) -> dict[str, str]:
        """Return what does not work, by /readyz; checks that its status says the same, and that the bot says that it lives."""
        alive, _said = await self.get("/healthz")
        status, said = await self.get("/readyz")
        told = json.loads(said)
        broken = {name: state for name, state in told["parts"].items() if state != "ok"}
        if alive != 200 or (status == 200) != (not broken) or told["ready"] != (not broken):
            self.wrong.append(f"/healthz {alive}, /readyz {status} with {broken}")
        return broken

    async def get(self, path: str) -> tuple[int, str]:
        """Return status and body."""
        async with self.session.get(self.bot.url.rstrip("/") + path) as answer:
            return answer.status, await answer.text()

    async def numbers(self) -> dict[str, Family]:
        """Return what /metrics says."""
        return read((await self.get("/metrics"))[1])

    async def until(self, what: str, so: Callable[[dict[str, str]], bool]) -> None:
        """Wait until readiness is as it should be; note where it never is."""
        begun, broken = time.monotonic(), await self.parts()
        while not so(broken) and time.monotonic() - begun < WITHIN_S:
            await asyncio.sleep(0.1)
            broken = await self.parts()
        self.worst_s = max(self.worst_s, time.monotonic() - begun)
        if not so(broken):
            self.wrong.append(f"{what}: {broken}")

    async def drift(self, least: int) -> float:
        """Return the index's drift once it is told and so large; it is told once the index is loaded."""
        until, told = time.monotonic() + WITHIN_S, 0.0
        while told < least and time.monotonic() < until:
            numbers = await self.numbers()
            told = numbers["paring_index_drift"].of() if "paring_index_drift" in numbers else 0.0
            await asyncio.sleep(0.05)
        return told

    async def started_again(self, times: int) -> None:
        """Return once the channel was ended so often: what is done to it before that may hit the one that is ending."""
        until = time.monotonic() + WITHIN_S
        while time.monotonic() < until:
            lines = (await asyncio.to_thread(self.bot.log.read_text, encoding="utf-8")).splitlines()
            if sum('"bot.supervise"' in line and '"part": "telegram"' in line for line in lines) >= times:
                return
            await asyncio.sleep(0.1)

    def check(self, what: str, *, got: float, least: float, most: float | None = None) -> None:
        """Note where a number is not as it was counted outside."""
        if not least <= got <= (least if most is None else most):
            self.wrong.append(f"{what}: {got:g}, counted {least:g}" + (f" to {most:g}" if most is not None else ""))


@asynccontextmanager
async def _bench(plan: Plan) -> AsyncIterator[Bench]:
    async with running() as telegram, Line(telegram.port).laid() as line, aiohttp.ClientSession(trust_env=False) as session:
        settings = {"PARING_TELEGRAM__BASE_URL": f"http://127.0.0.1:{line.port}/bot"}
        bot = Bot.on(
            telegram, plan.scratch / "home", page=True, **with_skill(plan.scratch / "meddler", "meddler", SKILL), **settings
        )
        await bot.spawn()
        await bot.ready(2)
        try:
            yield Bench(telegram, line, bot, session)
        finally:
            await bot.stop()


async def ready(plan: Plan) -> Row:
    """Break one part after another; look at /readyz meanwhile and after. Hang, deafen and kill the loop that polls."""
    async with _bench(plan) as bench:
        await bench.until("at the start", lambda broken: not broken)
        await bench.order("/meddle quick")
        causes: list[tuple[str, Callable[[], Awaitable[object]], Callable[[], Awaitable[object]]]] = [
            ("disk", lambda: bench.order("/meddle disk full"), lambda: bench.order("/meddle disk free")),
            ("models", lambda: bench.order("/meddle models none"), lambda: bench.order("/meddle models all")),
            ("telegram", lambda: bench.line.be("refused"), lambda: bench.line.be("open")),
            ("database", *_lock(plan.scratch / "home" / "paring.db")),
            ("telegram", lambda: bench.line.be("hanging"), lambda: bench.line.be("open")),
        ]
        outages = causes if plan.scale >= 0.5 else causes[:4]
        for part, breaks, mends in outages:
            await breaks()
            await bench.until(f"{part} is broken", lambda broken, part=part: list(broken) == [part])  # type: ignore[misc]
            await mends()
            await bench.until(f"{part} works again", lambda broken: not broken)
        hung = ("hang", "die", "deaf") * plan.times(2)
        for place, how in enumerate(hung, start=1):
            await bench.order(f"/meddle {how}")
            for _poll in range(2):  # the poll that is under way may still bring the first
                bench.worst_s = max(bench.worst_s, await bench.order("/meddle nothing"))
            await bench.started_again(place)
        silent = sum(how != "die" for how in hung)
        restarts = (await bench.numbers())["paring_channel_restarts_total"].of(channel="telegram")
        bench.check("restarts", got=restarts, least=silent)
        said = await asyncio.to_thread(bench.bot.log.read_text, encoding="utf-8")
        bench.check("lines that say that a channel is stuck", got=said.count("a channel is stuck and is ended"), least=silent)
        bench.check("lines that say that one broke", got=said.count("broke and is started again"), least=len(hung) - silent)
    return Row(
        len(outages) + len(hung), "outages", failed=len(bench.wrong), worst_wait_s=bench.worst_s,
        note="; ".join(bench.wrong[:2]) or "each named by /readyz, alone, and only while it lasted; what was said meanwhile is answered",
    )  # fmt: skip


def _lock(database: Path) -> tuple[Callable[[], Awaitable[object]], Callable[[], Awaitable[object]]]:
    connection = sqlite3.connect(database, isolation_level=None, check_same_thread=False)

    async def lock() -> None:
        await asyncio.to_thread(connection.execute, "PRAGMA busy_timeout = 20000")
        await asyncio.to_thread(connection.execute, "BEGIN IMMEDIATE")

    async def unlock() -> None:
        await asyncio.to_thread(connection.rollback)

    return lock, unlock


async def numbers(plan: Plan) -> Row:
    """Have much happen that is counted here as well; then compare with /metrics, which is asked a thousand times meanwhile."""
    naps, breaks, strange = plan.times(160, least=8), plan.times(40, least=4), plan.times(100, least=6)
    chance, waits = random.Random(plan.seed), list[float]()  # noqa: S311 - seeded cases
    async with _bench(plan) as bench:
        await bench.telegram.order("group", id=TEAM)
        spoken = await _spoken(bench, plan)
        lost = await asyncio.to_thread(_lose_vectors, plan.scratch / "home" / "paring.db")
        drift = await bench.drift(lost)
        before = await _asked(bench, range(200, 200 + naps // 2))
        asked = asyncio.Event()
        scraping = asyncio.create_task(_scrape(bench, plan.times(1000, least=20), asked))
        during = await _asked(bench, range(200 + naps // 2, 200 + naps))
        for number in range(breaks):
            await bench.order(f"/meddle break {'ValueError' if number % 2 else 'KeyError'} {SAYING}", 42)
        for number in range(strange):
            await bench.order(f"/zz{chance.randrange(10**9)} {SAYING_KO}", 43 + number)
        await _long_queue(bench)
        asked.set()
        scraped, scraped_s = await scraping
        told = await bench.numbers()
        waits = before + during
        _compare(bench, told, naps=naps, breaks=breaks, strange=strange, spoken=spoken, waits=waits)
        bench.check("index drift", got=drift, least=lost, most=2 * lost)
        sent = sum(call["ok"] for call in await bench.telegram.calls("sendMessage"))
        bench.check("sends", got=told["paring_sends_total"].of(channel="telegram", outcome="sent"), least=sent)
        resident = psutil.Process(bench.bot.pid).memory_info().rss
        bench.check("resident memory", got=told["process_resident_memory_bytes"].of(), least=0.8 * resident, most=1.2 * resident)
        models = sum(told["paring_model_memory_bytes"].samples.values())
        bench.check("memory of the models", got=models, least=1 << 20, most=resident)
        _look_at_labels(bench, told)
        slower = statistics.median(during) / statistics.median(before)
        if plan.scale >= 0.5:
            bench.check("how much slower answers are while it is asked", got=slower, least=0, most=2)
    return Row(
        naps + breaks + strange + spoken, "messages", failed=len(bench.wrong), worst_wait_s=max(waits),
        note="; ".join(bench.wrong[:2]) or f"as counted outside; answers take {slower:.2f} times as long while it is asked, "
        f"{scraped:,} times, {scraped_s * 1000:.0f} ms each; {models / 2**20:.0f} MB of models in {resident / 2**20:.0f} MB",
    )  # fmt: skip


async def _spoken(bench: Bench, plan: Plan) -> int:
    """Have people talk in a group that is indexed; return how many messages are to be found in the index."""
    await bench.order("/index on", TEAM)
    count = plan.times(200, least=5)
    for number in range(count):
        await bench.telegram.say(f"the lamp number {number} stands in room {number * 7}", user=77, chat=TEAM)
    await bench.order("/index", TEAM)
    return count


def _lose_vectors(database: Path) -> int:
    """Take vectors away behind the bot's back; return how many."""
    with sqlite3.connect(database, timeout=20) as connection:
        return connection.execute("DELETE FROM vectors WHERE passage_id IN (SELECT passage_id FROM vectors LIMIT 3)").rowcount


async def _asked(bench: Bench, chats: range) -> list[float]:
    return [await bench.order(f"/nap {NAP_S}", chat) for chat in chats]


async def _long_queue(bench: Bench) -> None:
    """Have three messages wait for one another in one chat; look at the queue meanwhile."""
    begun = time.monotonic()
    for _message in range(3):
        await bench.telegram.say("/nap 0.7", user=42, chat=42)
    await bench.telegram.settled()
    told = await bench.numbers()
    waited = time.monotonic() - begun
    bench.check("queue", got=told["paring_queue_length"].of(queue="inbox", state="waiting"), least=1, most=3)
    bench.check("queue's age", got=told["paring_queue_age_seconds"].of(queue="inbox"), least=0.0, most=waited + 1)
    bench.asked[42] += 3
    await bench.telegram.shown(42, by_bot=bench.asked[42])


async def _scrape(bench: Bench, times: int, asked: asyncio.Event) -> tuple[int, float]:
    """Ask for the numbers, without a pause, so often and until all else is `asked`; return how often, and how long it takes in the middle."""
    spent = list[float]()
    while len(spent) < times or not asked.is_set():
        begun = time.monotonic()
        await bench.numbers()
        spent.append(time.monotonic() - begun)
    return len(spent), statistics.median(spent)


def _compare(
    bench: Bench, told: dict[str, Family], *, naps: int, breaks: int, strange: int, spoken: int, waits: list[float]
) -> None:
    messages = told["paring_messages_total"]
    of = {
        dict(labels)["outcome"]: count for (_name, labels), count in messages.samples.items() if ("channel", "telegram") in labels
    }
    bench.check("messages answered", got=of.get("answered", 0) + of.get("told", 0), least=naps + strange + 2 + 3)
    bench.check("messages that broke", got=of.get("broken", 0), least=breaks)
    bench.check("messages overheard", got=of.get("overheard", 0), least=spoken)
    for kind in ("ValueError", "KeyError"):
        bench.check(kind, got=told["paring_errors_total"].of(**{"class": kind}), least=breaks // 2)
    answers = told["paring_answer_seconds"]
    bench.check("answers", got=answers.of("_count", skill="meddler"), least=naps + 3)
    bench.check("seconds of answers", got=answers.of("_sum", skill="meddler"), least=naps * NAP_S, most=sum(waits) + 3 * 3)
    bench.check("answers quicker than the nap", got=answers.of("_bucket", skill="meddler", le="0.05"), least=0)
    bench.check("answers within 300 s", got=answers.of("_bucket", skill="meddler", le="300"), least=naps + 3)
    for quantile in ("0.5", "0.95"):
        lately = told["paring_answer_lately_seconds"].of(skill="meddler", quantile=quantile)
        bench.check(f"quantile {quantile}", got=lately, least=NAP_S, most=max(*waits, 3.0))


def _look_at_labels(bench: Bench, told: dict[str, Family]) -> None:
    """Note every label that could name a person, a chat or a text, and a number of series that grows with them."""
    for name, family in told.items():
        values = {
            value for _sample, labels in family.samples for label, value in labels if label not in ("le", "quantile", "version")
        }
        people = {str(TEAM), *(str(chat) for chat in bench.asked)}
        bench.wrong += [
            f"{name} has a label {value}" for value in values if value in people or " " in value or value.startswith("zz")
        ]
        bench.check(f"series of {name}", got=len(family.samples), least=0, most=400)


FAULTS: tuple[Fault, ...] = (
    Fault(
        "ready",
        "health",
        "Disk, models, platform and database are taken away and given back; the loop that polls hangs, is deaf, dies",
        ready,
        120,
        cores=0.25,
    ),
    Fault(
        "numbers",
        "health",
        "What /metrics says beside a count from outside; it is asked at least 1,000 times, without a pause, meanwhile",
        numbers,
        120,
        alone=True,
    ),
)
