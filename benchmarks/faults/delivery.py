"""Nothing lost, nothing doubled: kills, a platform that is away or lies, two bots over one home, an end under load.

All is counted where people see it: in the chats of a fake Telegram and on the bot's page.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from fakes.telegram_bot_api.client import FakeTelegram, running

from benchmarks.faults import Fault, Plan, Row
from benchmarks.faults.liar import Liar
from benchmarks.faults.street import AGAIN, TOKEN, Bot, Counted, Street, Visitor

BOTS = 3
LONGEST_LIFE_S = 2.5
LONGEST_START_S = 1.0
"""As far as a start has come that is killed before it is done."""


async def kill_nine(plan: Plan) -> Row:
    """Kill the program again and again while people talk with it; then let it finish, and count."""
    whole = plan.scale >= 0.1
    kills, bots = (plan.times(200), BOTS) if whole else (1, 1)
    each = [kills // bots + (number < kills % bots) for number in range(bots)]
    counted = await asyncio.gather(
        *(
            _killed(plan.scratch / f"bot{number}", plan.seed + number, count, whole=whole, page=number == 0 and whole)
            for number, count in enumerate(each)
        )
    )
    return _row(counted, kills)


async def _killed(folder: Path, seed: int, kills: int, *, whole: bool, page: bool) -> Counted:
    chance = random.Random(seed)  # noqa: S311 - moments and chats, no secret
    await asyncio.to_thread(folder.mkdir)
    async with running() as telegram:
        await _unreliable(telegram, seed)
        bot, street, visitor = Bot.on(telegram, folder / "home", page=page), Street(telegram, chance), Visitor()
        await street.open()
        talking = [street.talk(every_s=0.3 if whole else 0.05, slow=0.1 if whole else 0.0), street.look(every_s=3.0)]
        talking += [visitor.talk(bot, every_s=0.3)] if page else []
        async with meanwhile(*talking):
            for _kill in range(kills):
                await bot.spawn()
                await live(bot, chance, greetings=2 if page else 1, kind=chance.random() if whole else 0.4)
                await bot.kill()
        await bot.spawn()
        await bot.ready(2 if page else 1)
        await street.answered()
        counted = await street.counted()
        if page:
            await _with_visitor(counted, visitor, bot)
        await bot.stop()
    return counted


async def live(bot: Bot, chance: random.Random, *, greetings: int, kind: float) -> None:
    """Let it live for a moment: sometimes (`kind` is under .3) not even until it is there, or (under .45) for a tenth of a second."""
    if kind < 0.3:
        await asyncio.sleep(chance.uniform(0.05, LONGEST_START_S))
        return
    await bot.ready(greetings)
    await asyncio.sleep(chance.uniform(0, 0.1) if kind < 0.45 else chance.uniform(0.1, LONGEST_LIFE_S))


async def _unreliable(telegram: FakeTelegram, seed: int) -> None:
    """Have 5 % of what is sent told to wait, and 3 % cut off after it was carried out."""
    for method in ("sendMessage", "editMessageText"):
        await telegram.fault("refuse", method, times=-1, share=0.05, seed=seed, parameters={"retry_after": 1})
        await telegram.fault("cut_after", method, times=-1, share=0.03, seed=seed + 1)


async def lying(plan: Plan) -> Row:
    """Let a server lie to the bot on half of its calls while people ask, and be honest at the end."""
    people, hits = plan.times(300, least=12), []

    async def elsewhere(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hits.append("called")
        writer.close()

    other = await asyncio.start_server(elsewhere, "127.0.0.1", 0)
    port = other.sockets[0].getsockname()[1]
    liar = Liar(random.Random(plan.seed), elsewhere=f"http://localhost:{port}")  # noqa: S311 - which lie, no secret
    async with other, liar.listening():
        bot = Bot.on(liar, plan.scratch / "home")
        await bot.spawn()
        await bot.ready()
        for number in range(people):
            liar.say(100 + number % 12, f"/echo q{number:06}")
            await asyncio.sleep(0.02)
        await _heard(liar, people, within_s=1.5 if plan.scale < 0.1 else 60, patient=False)
        liar.share = 0.0
        await _heard(liar, people, within_s=60)
        most_mb = peak_mb(bot.pid)
        await bot.stop()
    seen = [told[1] for text in liar.shown.values() if (told := TOKEN.search(text)) and not any(note in text for note in AGAIN)]
    again = sum(any(note in text for note in AGAIN) for text in liar.shown.values())
    return Row(
        people,
        "messages",
        lost=people - len(_tokens(liar)),
        doubled=len(seen) - len(set(seen)),
        leaked=len(hits),
        failed=len(bot.complaints()),
        note=f"{len(liar.told)} kinds of lies; sent again with a word that says so: {again}; at most {most_mb:.0f} MB resident",
    )


def _tokens(liar: Liar) -> set[str]:
    return {told[1] for text in liar.shown.values() if (told := TOKEN.search(text))}


async def _heard(liar: Liar, people: int, *, within_s: float, patient: bool = True) -> None:
    """Return once everybody was answered; where one is not `patient`, once nearly everybody was."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            while len(_tokens(liar)) < (people if patient else 0.9 * people) or (patient and liar.waiting):  # noqa: ASYNC110 - what another program does
                await asyncio.sleep(0.05)


def peak_mb(pid: int) -> float:
    """Return the most that the process ever had resident."""
    told = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    return int(told[1]) / 1024 if told else 0.0


@asynccontextmanager
async def meanwhile(*works: Awaitable[None]) -> AsyncIterator[None]:
    """Have `works` done beside what is done within; they are cancelled after."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        yield
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _with_visitor(counted: Counted, visitor: Visitor, bot: Bot) -> None:
    """Count what was said on the page, too; it is answered soon, for it needs no platform."""
    for _look in range(100):
        answers = await visitor.answers(bot)
        if set(visitor.acknowledged) <= set(answers):
            break
        await asyncio.sleep(0.1)
    counted.asked += len(visitor.acknowledged)
    counted.lost += len(set(visitor.acknowledged) - set(answers))
    counted.doubled_quick += len(answers) - len(set(answers))


def _row(counted: list[Counted], kills: int) -> Row:
    total = Counted()
    for one in counted:
        for name in one.__dataclass_fields__:
            if name != "worst_wait_s":
                setattr(total, name, getattr(total, name) + getattr(one, name))
        total.worst_wait_s = max(total.worst_wait_s, one.worst_wait_s)
    return Row(
        total.asked,
        "messages",
        lost=total.lost,
        doubled=total.doubled_slow + total.doubled_quick,
        failed=total.disordered,
        worst_wait_s=total.worst_wait_s,
        note=f"{kills} kills; shown twice with a word that says so: {total.told_again - total.told_again_slow} quick answers, "
        f"{total.told_again_slow} slow ones; without: {total.doubled_quick} and {total.doubled_slow}; "
        f"set aside: {total.set_aside}; statuses left over: {total.statuses_left}",
    )


FAULTS: tuple[Fault, ...] = (
    Fault(
        "kill-nine",
        "delivery",
        "200 times `kill -9` at random moments, also of a start, while people ask in many chats and on the page; "
        "5 % of what is sent is answered 429, 3 % is cut off after it was carried out",
        kill_nine,
        most_s=900,
        cores=1.25,
    ),
    Fault(
        "lying-telegram",
        "delivery",
        "half of all calls are lied to: garbage, cut or endless bodies, redirects, proxies' pages, absurd waits, wrong numbers of "
        "messages and updates, dripping and truncated answers, refusals of what was done",
        lying,
        most_s=180,
        cores=0.5,
    ),
)
