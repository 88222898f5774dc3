"""Too much at once, and what breaks: counted in the people's chats on a fake Telegram, in the bot's log and on its metrics port."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from itertools import cycle, islice

import aiohttp
import numpy as np

from benchmarks.faults import Fault, Plan, Row
from benchmarks.faults.delivery import meanwhile
from benchmarks.faults.street import AGAIN
from benchmarks.faults.town import ADMIN, CANARY, KINDS, SERVED_PER_S, Town, resident_mb, settled_mb

REFERENCE = re.compile(r"\(ref ([0-9a-f]+)\)")
OTHERS = 12
FLOOD_PER_S = 100
"""No hand and few programs are faster; Telegram gives out what waits in order, so that what comes at once must be taken at once."""
RATIO = 2.0
FLOODER = 66
MOST_GROWN_MB = 50


async def crashing_skill(plan: Plan) -> Row:
    """Let people say what breaks the skill in every way, and others what does not; then mend it and replay all."""
    whole, count = plan.scale >= 0.1, plan.times(200, least=len(KINDS))
    kinds = dict(zip(range(1000, 1000 + count), islice(cycle(KINDS), count), strict=False))
    async with Town().open() as town:
        bot = town.bot(plan.scratch / "home", hurry=not whole)
        await bot.spawn()
        await bot.ready()
        for person, kind in kinds.items():
            await town.say(person, f"/break {kind} {CANARY} q{person}")
            await town.say(person + 1000, f"/echo q{person + 1000}")
        everybody = [*kinds, *(person + 1000 for person in kinds)]
        await town.until(lambda: all(_settled(town, person) for person in everybody), within_s=60)
        references = {person: found[1] for person in kinds if (found := REFERENCE.search(town.text(person)))}
        await town.say(ADMIN, "/dead")
        await town.until(lambda: "Set aside" in town.text(ADMIN), within_s=20)
        listed = town.text(ADMIN)
        bot.mend()
        for reference in references.values():
            await town.say(ADMIN, f"/dead replay {reference}")
        await town.until(lambda: all(f"q{person}" in town.text(person) for person in references), within_s=60)
        shown = {person: town.text(person) for person in everybody}
        await bot.stop()
        log = bot.log.read_text(encoding="utf-8")
    unanswered = sum(shown[person].count(f"q{person}") == 0 for person in shown)
    still = sum("(ref" in text for text in shown.values())
    unlogged = sum(f'"{reference}"' not in log for reference in references.values())
    return Row(
        2 * count,
        "messages",
        lost=unanswered + sum(person not in references for person in kinds),
        doubled=sum(max(0, shown[person].count(f"q{person}") - 1) for person in shown),
        leaked=listed.count(CANARY) + log.count(CANARY),
        failed=still + unlogged + (f"Set aside: {count}" not in listed),
        worst_wait_s=max((at - town.said_at[person, f"/echo q{person}"] for person in shown if person not in kinds
                          for at, _text in town.told(person)), default=None),
        note=f"{count} messages broke the skill in {len(KINDS)} ways, {len(references)} of them told under a reference that the log has; "
        f"replayed and answered in place of that: {len(references) - still}",
    )  # fmt: skip


def _settled(town: Town, person: int) -> bool:
    text = town.text(person)
    return f"q{person}" in text or REFERENCE.search(text) is not None


async def crashing_process(plan: Plan) -> Row:
    """Let three bots be killed by a message each, as often as they are started again; then replay it."""
    whole = plan.scale >= 0.1
    hows = ("exit", "SIGSEGV", "SIGKILL") if whole else ("SIGSEGV",)
    rows = await asyncio.gather(*(_killed_by_a_message(plan, how, whole=whole) for how in hows))
    return Row(
        sum(row.tried for row in rows),
        "messages",
        lost=sum(row.lost for row in rows),
        doubled=sum(row.doubled for row in rows),
        leaked=sum(row.leaked for row in rows),
        failed=sum(row.failed for row in rows),
        worst_wait_s=max(row.worst_wait_s or 0.0 for row in rows),
        note="; ".join(row.note for row in rows),
    )


async def _killed_by_a_message(plan: Plan, how: str, *, whole: bool) -> Row:
    people = range(100, 100 + plan.times(60, least=4))
    folder = plan.scratch / how
    await asyncio.to_thread(folder.mkdir)
    async with Town().open() as town:
        bot, begun = town.bot(folder / "home", hurry=not whole), time.monotonic()
        for person in people:
            await town.say(person, f"/echo q{person}" if person % 2 else f"/serve at {CANARY} q{person}")
        await town.say(FLOODER, f"/die {how} {CANARY} q{FLOODER}")
        async with bot.risen() as codes:
            await town.until(lambda: all(_settled(town, person) for person in (FLOODER, *people)), within_s=150)
            waited_s, found = time.monotonic() - begun, REFERENCE.search(town.text(FLOODER))
            told = sum("(ref" in town.text(person) for person in people)
            bot.mend()
            await town.say(ADMIN, f"/dead replay {found[1] if found else '?'}")
            await town.until(lambda: f"q{FLOODER}" in town.text(FLOODER), within_s=20)
            deaths = len(codes)
    plain = {
        person: [text for _at, text in town.told(person) if f"q{person}" in text and not any(note in text for note in AGAIN)]
        for person in people
    }
    return Row(
        1 + len(people),
        "messages",
        lost=sum(f"q{person}" not in town.text(person) for person in (FLOODER, *people)),
        doubled=sum(max(0, len(texts) - 1) for texts in plain.values()),
        leaked=town.text(ADMIN).count(CANARY),
        failed=told + (found is None) + (deaths != (3 if whole else 2)),
        worst_wait_s=waited_s,
        note=f"{how}: {deaths} deaths, then {'told' if found else 'NOT told'}; of {len(people)} beside it {told} were set aside",
    )


async def flood_of_one(plan: Plan) -> Row:
    """Let others ask all the time; let one person say a thousand things in ten seconds; compare the others' waits with those without."""
    whole, count = plan.scale >= 0.1, plan.times(1000, least=40)
    quiet_s, flooded = (10.0 if whole else 0.3), [f"f{number:06}" for number in range(count)]
    async with Town().open() as town:
        bot = town.bot(plan.scratch / "home")
        await bot.spawn()
        await town.say(100, "/echo warm")
        await town.until(lambda: "warm" in town.text(100), within_s=60)
        if whole:
            await settled_mb(bot.pid)  # what is loaded in the beginning holds up everybody
        spans: list[tuple[str, float, float]] = []
        async with meanwhile(*(_ask(town, 100 + other, every_s=1.0 if whole else 0.4) for other in range(OTHERS))):
            for kind in ("without", "with", "without"):
                begun = time.monotonic()
                if kind == "with":
                    for number, token in enumerate(flooded):
                        await town.say(FLOODER, f"/echo {token}")
                        await asyncio.sleep(max(0.0, begun + number / FLOOD_PER_S - time.monotonic()))
                    await town.until(lambda: all(told in town.text(FLOODER) for told in flooded), within_s=40, every_s=0.5)
                else:
                    await asyncio.sleep(quiet_s)
                spans.append((kind, begun, time.monotonic()))
        await town.until(lambda: all(_waits(town, 100 + other)[1] == 0 for other in range(OTHERS)), within_s=20)
        await bot.stop()
    waits = {kind: [wait for span in spans if span[0] == kind for wait in _within(town, span)] for kind in ("with", "without")}
    unanswered = sum(_waits(town, 100 + other)[1] for other in range(OTHERS))
    shown = town.text(FLOODER)
    p99 = {kind: float(np.percentile(found, 99)) if found else 0.0 for kind, found in waits.items()}
    ratio = p99["with"] / p99["without"] if p99["without"] else 0.0
    (flood_s,) = [after - before for kind, before, after in spans if kind == "with"]
    return Row(
        count + sum(map(len, waits.values())),
        "messages",
        lost=unanswered + sum(token not in shown for token in flooded),
        doubled=sum(shown.count(token) > 1 for token in flooded),
        failed=int(whole and ratio >= RATIO),
        worst_wait_s=max(waits["with"], default=None),
        note=f"the others' p99 {p99['without'] * 1000:.0f} ms without, {p99['with'] * 1000:.0f} ms beside it: {ratio:.1f} times "
        f"(median {_median_ms(waits['without'])}, {_median_ms(waits['with'])} ms); the flood was answered in {flood_s:.0f} s",
    )


async def _ask(town: Town, person: int, *, every_s: float) -> None:
    for number in range(1_000_000):
        await town.say(person, f"/echo q{number:06}x{person}")
        await asyncio.sleep(every_s)


def _waits(town: Town, person: int) -> tuple[list[tuple[float, float]], int]:
    """Return when a person asked and how long they waited, and how many of their questions were not answered."""
    answered = {text.split()[-1]: at for at, text in town.told(person) if text.startswith("echo ")}
    asked = {text.split()[-1]: at for (who, text), at in town.said_at.items() if who == person}
    return [(at, answered[token] - at) for token, at in asked.items() if token in answered], len(asked.keys() - answered.keys())


def _within(town: Town, span: tuple[str, float, float]) -> list[float]:
    _kind, begun, ended = span
    return [wait for other in range(OTHERS) for at, wait in _waits(town, 100 + other)[0] if begun <= at < ended]


def _median_ms(waits: list[float]) -> str:
    return f"{np.median(waits) * 1000:.0f}" if waits else "-"


async def overload(plan: Plan) -> Row:
    """Let ten times more come than can be served, each from a chat of its own; then let it end, and ask once more."""
    whole, count, queue = plan.scale >= 0.1, plan.times(1500, least=30), plan.times(250, least=6)
    port, per_s, seen = _free_port(), 10 * SERVED_PER_S, set[int]()
    people = range(1000, 1000 + count)
    async with Town().open() as town:
        bot = town.bot(plan.scratch / "home", PARING_LIMITS__QUEUE=str(queue), PARING_METRICS__PORT=str(port))
        await bot.spawn()
        await town.say(100, "/echo warm")
        await town.until(lambda: "warm" in town.text(100), within_s=60)
        before_mb, most, longest = await settled_mb(bot.pid) if whole else resident_mb(bot.pid), 0.0, 0
        begun = time.monotonic()
        for number, person in enumerate(people):
            await town.say(person, f"/serve at {CANARY} q{person}")
            await asyncio.sleep(max(0.0, begun + number / per_s - time.monotonic()) if whole else 0)
            if number % 50 == 0:
                longest = max(longest, await _gauge(port, 'paring_queue_length{queue="inbox",state="waiting"}'))
        load_s = time.monotonic() - begun
        while time.monotonic() - begun < 90 and not all(_ended(town, person) for person in people):
            seen |= {person for person in people if "you are number" in town.text(person)}
            most = max(most, resident_mb(bot.pid))
            await asyncio.sleep(0.25 if whole else 0.02)
        served_s = time.monotonic() - begun
        asked_at = time.monotonic()
        await town.say(101, f"/serve at {CANARY} q101")
        again = await town.until(lambda: "q101" in town.text(101), within_s=20)
        recovered_s = time.monotonic() - asked_at
        counted = await _gauge(port, 'paring_messages_total{channel="telegram",outcome="refused"}')
        left = await _gauge(port, 'paring_queue_length{queue="inbox",state="waiting"}')
        await bot.stop()
    texts = {person: town.text(person) for person in people}
    refused = {person for person, text in texts.items() if "too busy" in text or "I did not take" in text}
    answered = {person for person, text in texts.items() if f"q{person}" in text}
    return Row(
        count,
        "messages",
        lost=count - len(refused | answered),
        doubled=len(refused & answered) + sum(texts[person].count(f"q{person}") > 1 for person in answered),
        failed=sum("you are number" in text for text in texts.values()) + (counted != len(refused)) + (left > 0) + (not again)
        + (longest > queue + 100) + (whole and most - before_mb > MOST_GROWN_MB) + (not refused) + (whole and (not seen or recovered_s > 3)),
        worst_wait_s=served_s,
        note=f"{count / load_s:.0f} a second came, {SERVED_PER_S:.0f} can be served; {len(answered)} answered, {len(seen)} of them told "
        f"their number first, {len(refused)} refused with a sentence (the bot counted {counted}); at most {longest} waited, "
        f"{max(0.0, most - before_mb):.0f} MB more; asked once more after it, answered in {recovered_s:.1f} s",
    )  # fmt: skip


def _ended(town: Town, person: int) -> bool:
    text = town.text(person)
    return f"q{person}" in text or "I did not take" in text


def _free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


async def _gauge(port: int, name: str) -> int:
    """Return what the bot's metrics say under `name`, 0 where they do not."""
    async with aiohttp.ClientSession(trust_env=False) as session, session.get(f"http://127.0.0.1:{port}/metrics") as answer:
        found = re.search(rf"^{re.escape(name)} (\S+)$", await answer.text(), re.MULTILINE)
    return int(float(found[1])) if found else 0


FAULTS: tuple[Fault, ...] = (
    Fault(
        "crashing-skill",
        "load",
        "200 messages that break their skill, in 12 ways, beside 200 that do not; then it is mended, and an admin replays all",
        crashing_skill,
        most_s=120,
    ),
    Fault(
        "crashing-process",
        "load",
        "a message that ends the whole bot (`os._exit`, a segmentation fault, `kill -9`) whenever it is worked on, among 60 others",
        crashing_process,
        most_s=240,
        cores=0.5,
    ),
    Fault(
        "flood-of-one",
        "load",
        "1,000 messages by one person within ten seconds, while 12 others go on asking",
        flood_of_one,
        most_s=120,
        alone=True,
    ),
    Fault(
        "overload",
        "load",
        "ten times more than can be served, 1,500 messages from as many chats, where 250 may wait",
        overload,
        most_s=180,
        cores=0.25,
    ),
)
