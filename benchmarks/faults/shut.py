"""Chats that shut the bot out, and groups that get another number while they talk with it."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from fakes.telegram_bot_api.client import FakeTelegram, running

from benchmarks.faults import Fault, Plan, Row
from benchmarks.faults.street import ANSWERED_S, TOKEN, Bot, Street, order, speaker

SHUT = {
    100: (403, "Forbidden: bot was blocked by the user"),
    101: (403, "Forbidden: user is deactivated"),
    102: (403, "Forbidden: bot can't initiate conversation with a user"),
    103: (400, "Bad Request: chat not found"),
    -1_000_100: (403, "Forbidden: bot was kicked from the supergroup chat"),
    -1_000_101: (400, "Bad Request: not enough rights to send text messages to the chat"),
    -1_000_102: (403, "Forbidden: the group chat was deleted"),
}
"""Chats, and how the platform refuses what is sent there."""
PROMPT_S = 5.0
"""As long as the others wait at most while answers for those chats are given up."""
FACT = "The {colour} box was ordered by Kim on Friday."
COLOURS = ("red", "green", "blue", "black", "white", "brown")
ON_IN_KOREAN = "색인"


async def shut_out(plan: Plan) -> Row:
    """Have people ask and shut the bot out before it answers; then let it in again."""
    chance, asked, begun = random.Random(plan.seed), plan.times(10), plan.scale >= 0.1  # noqa: S311 - chats, no secret
    async with running() as telegram:
        street, bot = Street(telegram, chance), Bot.on(telegram, plan.scratch / "home")
        await street.open()
        await bot.spawn()
        await bot.ready()
        open_chats = [chat for chat in street.chats if chat not in SHUT]
        if begun:  # some answers are being made when it is shut out, their statuses shown
            for chat in SHUT:
                await telegram.say(order("slow", chat, "shut"), user=speaker(chat), chat=chat)
            await telegram.calls("sendMessage", count=len(SHUT))
        for chat, (code, description) in SHUT.items():
            for method in ("sendMessage", "editMessageText", "sendChatAction"):
                await telegram.fault("refuse", method, times=-1, chat=chat, code=code, description=description)
        async with street.looking(every_s=0.2):
            for number in range(asked):
                for chat in SHUT:
                    await telegram.say(order("echo", chat, f"shut {number}"), user=speaker(chat), chat=chat)
                for chat in open_chats:
                    await street.say(chat=chat)
            await street.answered()
        await telegram.settled()
        dead = await _given_up(plan.scratch / "home" / "paring.db", len(SHUT) * (asked + begun))
        tried = [call for call in await telegram.calls(tried=True) if call["error"] and _chat(call) in SHUT]
        await telegram.order("clear_faults")
        for chat in SHUT:
            await street.say(chat=chat)
        await street.answered()
        counted = await street.counted()
        late = [text for chat in SHUT for text in await _texts(telegram, chat) if "shut" in text]
        await bot.stop()
    sends = Counter(call["method"] for call in tried)
    return Row(
        counted.asked + len(SHUT) * asked,
        "messages",
        lost=counted.lost + counted.set_aside,
        doubled=counted.doubled_quick + len(late),
        failed=len(SHUT) * (asked + begun) - dead + counted.disordered + len(bot.complaints())
        + (begun and counted.worst_wait_s > PROMPT_S),
        worst_wait_s=counted.worst_wait_s,
        note=f"{len(SHUT)} chats; {dead} answers are dead letters, for which {sends['sendMessage'] + sends['editMessageText']} sends "
        "were tried; who is let in again is answered",
    )  # fmt: skip


def _chat(call: dict[str, dict[str, str]]) -> int:
    return int(call["parameters"].get("chat_id", 0))


async def _given_up(database: Path, count: int) -> int:
    """Return how many replies are dead letters, once that are `count` or they grow no more."""

    def look() -> int:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM outbox WHERE state = 'dead'").fetchone()[0])

    dead = 0
    for _look in range(100):
        dead = await asyncio.to_thread(look)
        if dead >= count:
            break
        await asyncio.sleep(0.1)
    return dead


async def _texts(telegram: FakeTelegram, chat: int) -> list[str]:
    return [str(message.get("text", "")) for message in await telegram.shown(chat)]


@dataclass(frozen=True)
class Group:
    """A group, the number that it gets, and what stands in it to be found."""

    old: int
    new: int
    fact: str


async def supergroups(plan: Plan) -> Row:
    """Have groups settle things and ask, give them other numbers meanwhile, told of or not, and kill the bot in the middle."""
    count, chance = plan.times(6), random.Random(plan.seed)  # noqa: S311 - moments and chats, no secret
    groups = [Group(-(5 + number), -(1_000_500 + number), FACT.format(colour=COLOURS[number])) for number in range(count)]
    async with running() as telegram:
        street, bot = Street(telegram, chance, direct=0, groups=0), Bot.on(telegram, plan.scratch / "home")
        await bot.spawn()
        await bot.ready()
        for group in groups:
            await telegram.order("group", id=group.old, type="group")
            await _answers(telegram, group.old, "/lang@ParBot ko", "/index@ParBot on")
            await telegram.say(group.fact, user=500, chat=group.old)
        await asyncio.gather(*(_talked(street, group, announced=number % 2 == 0) for number, group in enumerate(groups)))
        await asyncio.sleep(chance.uniform(0, 1.0) if plan.scale >= 0.1 else 0)
        await bot.kill()
        await bot.spawn()
        await bot.ready()
        found = await _all_shown(street, groups)
        wrong = [complaint for number, group in enumerate(groups) for complaint in await _kept(telegram, groups, group, number)]
        await bot.stop()
    doubled = sum(
        len(texts) - 1 for texts in found.values() if not any("보내요" in text or "Sent again" in text for text in texts)
    )
    return Row(
        len(street.asked),
        "messages",
        lost=len(street.asked) - len(found),
        doubled=doubled,
        leaked=sum("another's" in complaint for complaint in wrong),
        failed=sum("another's" not in complaint for complaint in wrong) + len(bot.complaints()),
        note="; ".join(wrong[:2])
        or f"{count} groups, every other one unannounced; each keeps its passages, its language and its settings",
    )


async def _answers(telegram: FakeTelegram, chat: int, *orders: str) -> list[str]:
    """Give orders one after the other; return what is answered to each."""
    answers = []
    for one in orders:
        before = len(await telegram.shown(chat))
        await telegram.say(one, user=500, chat=chat)
        answers.append(str((await telegram.answers(chat, by_bot=before + 1))[-1].get("text", "")))
    return answers


async def _talked(street: Street, group: Group, *, announced: bool) -> None:
    """Ask under the old number, move in the middle, and ask under the new one."""
    for number in range(4):
        await street.say(chat=group.old, slow=number == 0)
    await street.telegram.order("migrate", **{"chat": group.old, "to": group.new, "from": {"id": 500}, "announced": announced})
    for number in range(4):
        await street.say(chat=group.new, slow=number == 0)


async def _all_shown(street: Street, groups: list[Group]) -> dict[str, list[str]]:
    """Return the answers by what was asked, in whichever of its group's two chats they stand, once all are there or too long."""
    found: dict[str, list[str]] = {}
    with_time = asyncio.get_running_loop().time() + ANSWERED_S
    while len(found) < len(street.asked) and asyncio.get_running_loop().time() < with_time:
        found = {}
        for group in groups:
            for text in [*await _texts(street.telegram, group.old), *await _texts(street.telegram, group.new)]:
                if told := TOKEN.search(text):
                    found.setdefault(told[1], []).append(text)
        await asyncio.sleep(0.1)
    return found


async def _kept(telegram: FakeTelegram, groups: list[Group], group: Group, number: int) -> list[str]:
    """Return what is not as it was in a group that has another number."""
    colour, other = COLOURS[number], COLOURS[(number + 1) % len(COLOURS)]
    settings, answer, foreign = await _answers(
        telegram,
        group.new,
        "/index@ParBot",
        f"/search@ParBot who ordered the {colour} box",
        f"/search@ParBot who ordered the {other} box",
    )
    wrong = [] if ON_IN_KOREAN in settings else [f"settings: {settings!r}"]
    wrong += [] if group.fact in answer else [f"passages: {answer!r}"]
    return wrong + [f"another's: {foreign!r}" for one in groups if one is not group and one.fact in foreign]


FAULTS: tuple[Fault, ...] = (
    Fault(
        "shut-out",
        "delivery",
        "people ask and shut the bot out before it answers: blocked, deactivated, kicked, deleted, without rights, not found",
        shut_out,
        most_s=90,
        cores=0.5,
    ),
    Fault(
        "supergroups",
        "delivery",
        "groups become supergroups while their answers are on the way, announced or not, and the bot is killed in the middle",
        supergroups,
        most_s=90,
        cores=0.5,
    ),
)
