"""The kill loop over Slack: people talk in direct chats, channels and threads of an unreliable Slack, and the bot is killed meanwhile.

Owns: the people, and that Slack tells again what was not acknowledged in time. Counted is what stands in the conversations, by the
number of what was asked and by the key that each of the bot's messages carries in its metadata.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fakes.slack import BOT, FakeSlack, Fault, slack

from benchmarks.faults import Fault as Line
from benchmarks.faults import Plan, Row
from benchmarks.faults.delivery import LONGEST_LIFE_S, live, meanwhile
from benchmarks.faults.street import AGAIN, TOKEN, Bot, with_echo

BOTS = 3
PEOPLE, CHANNELS = 6, 3
TOLD_AGAIN_S = 3.0
"""As Slack waits for an acknowledgement."""
REPEATED = 0.1
"""So many events are told once more though they were acknowledged; and each mention comes as two events."""
ANSWERED_S, CONNECTED_S = 60.0, 10.0
MOST_UNTAKEN = 20
"""Nobody asks while so many wait to be acknowledged: told again all at once, the past of a slow machine would be a flood."""


@dataclass
class Office(FakeSlack):
    """A workspace with many people; each asks for an echo of a number of its own."""

    asked: dict[str, float] = field(default_factory=dict)
    """When what was asked was acknowledged, by its number."""
    _threads: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make the people and the channels."""
        super().__post_init__()
        self.directs = {f"U{number}": f"D{number}" for number in range(1, PEOPLE + 1)}
        self.users = {person: {} for person in self.directs}
        self.members = {f"C{number}": [*self.directs, BOT] for number in range(1, CHANNELS + 1)}
        for method in ("chat.postMessage", "chat.update"):
            self.faults += [Fault(method, "ratelimited", times=-1, share=0.05), Fault(method, "cut", times=-1, share=0.03)]
        self.faults.append(Fault("conversations.history", "ratelimited", times=-1, share=0.05))

    async def talk(self, *, every_s: float, slow: float) -> None:
        """Go on asking until cancelled."""
        number, untaken = 0, set[asyncio.Task[None]]()
        async with asyncio.TaskGroup() as asking:
            while True:
                if len(untaken) < MOST_UNTAKEN:
                    untaken.add(one := asking.create_task(self.ask(f"q{number:06}", slow=self.chance.random() < slow)))
                    one.add_done_callback(untaken.discard)
                    number += 1
                await asyncio.sleep(self.chance.uniform(0, 2 * every_s))

    async def ask(self, token: str, *, slow: bool = False) -> None:
        """Have somebody ask somewhere; return once that is acknowledged, however often it has to be told."""
        who, order = self.chance.choice(sorted(self.directs)), f"/{'slow' if slow else 'echo'} {token}"
        if self.chance.random() < 0.6:
            event = self.stands(order, chat=self.directs[who], user=who)
        else:
            chat = self.chance.choice(sorted(self.members))
            thread = {"thread_ts": self._threads[chat]} if chat in self._threads and self.chance.random() < 0.5 else {}
            event = self.stands(f"<@{BOT}> {order}", chat=chat, user=who, **thread)
            self._threads.setdefault(chat, event["ts"])
        told = [self.event(event)]
        if not event["channel"].startswith("D"):
            told.append(self.event({**event, "type": "app_mention"}))
        await asyncio.gather(*(self._until_acknowledged(one) for one in told))
        self.asked[token] = time.monotonic()
        if self.chance.random() < REPEATED:
            await self._until_acknowledged(told[0])

    async def _until_acknowledged(self, payload: dict[str, Any]) -> None:
        while True:
            with suppress(TimeoutError, OSError, IndexError):
                async with asyncio.timeout(TOLD_AGAIN_S):
                    await self.envelope("events_api", payload)
                    return

    async def drop(self, *, every_s: float) -> None:
        """End the bot's sockets now and then, until cancelled."""
        while True:
            await asyncio.sleep(self.chance.uniform(0.5, 1.5) * every_s)
            await self.close_sockets()

    def found(self) -> dict[str, list[str]]:
        """Return the answers, by the number of what was asked."""
        found: dict[str, list[str]] = defaultdict(list)
        for chat in self.messages:
            for message in self.shown(chat):
                if told := TOKEN.search(message["text"]):
                    found[told[1]].append(message["text"])
        return found

    async def answered(self, *, within_s: float) -> None:
        """Return once everything that was acknowledged is answered, or nothing came for so long."""
        with suppress(TimeoutError):
            while len(self.found().keys() & self.asked.keys()) < len(self.asked):
                self._called_now.clear()
                await asyncio.wait_for(self._called_now.wait(), within_s)


async def kills(plan: Plan) -> Row:
    """Kill three bots again and again while people talk with each; then let each finish, and count."""
    whole = plan.scale >= 0.1
    times, bots = (plan.times(30), BOTS) if whole else (1, 1)
    each = [times // bots + (number < times % bots) for number in range(bots)]
    offices = await asyncio.gather(
        *(_killed(plan.scratch / f"bot{number}", plan.seed + number, count, whole=whole) for number, count in enumerate(each))
    )
    return _row(offices, times)


async def _killed(folder: Path, seed: int, times: int, *, whole: bool) -> Office:
    chance = random.Random(seed)  # noqa: S311 - moments and chats, no secret
    await asyncio.to_thread(folder.mkdir)
    async with slack(Office(chance=random.Random(seed + 100))) as office:  # noqa: S311 - as above
        assert isinstance(office, Office)
        settings = {"PARING_FRONT_DOOR": "everybody", **office.variables(), **with_echo(folder / "site")}
        bot = Bot(folder / "home", settings)
        async with meanwhile(*([office.talk(every_s=0.2, slow=0.1), office.drop(every_s=4.0)] if whole else [])):
            for _kill in range(times):
                await bot.spawn()
                kind = chance.random() if whole else 0.4
                await live(bot, chance, greetings=1, kind=min(kind, 0.4) if kind >= 0.3 else kind)
                if kind >= 0.45:  # a life in which it is spoken to
                    with suppress(TimeoutError):
                        await asyncio.wait_for(office.connected(), CONNECTED_S)
                    await asyncio.sleep(chance.uniform(0.1, LONGEST_LIFE_S))
                if not whole:  # what is acknowledged is counted, and in short one life is all there is
                    await asyncio.gather(*(office.ask(f"q{number:06}") for number in range(8)))
                await bot.kill()
        await bot.spawn()
        await bot.ready()
        await office.answered(within_s=ANSWERED_S)
        await bot.stop()
        return office


def _row(offices: list[Office], times: int) -> Row:
    shown = [office.found() for office in offices]
    keys = [Counter(_keys(office)) for office in offices]
    asked = sum(len(office.asked) for office in offices)
    again = sum(any(note in text for note in AGAIN) for found in shown for texts in found.values() for text in texts)
    doubled = sum(len(texts) - 1 for found in shown for texts in found.values())
    return Row(
        asked,
        "messages",
        lost=sum(token not in found for office, found in zip(offices, shown, strict=True) for token in office.asked),
        doubled=max(doubled, sum(count - 1 for one in keys for count in one.values())),
        failed=again + (asked < times),
        note=f"{times} kills; answers under a key that another has: {sum(count > 1 for one in keys for count in one.values())}; "
        f"asked for by the key after a send in doubt: {sum(map(_looked, offices))} times; {_statuses(offices)} statuses left over",
    )


def _keys(office: Office) -> list[str]:
    held = (message.get("metadata") for chat in office.messages for message in office.shown(chat))
    return [metadata["event_payload"]["key"] for metadata in held if metadata]


def _looked(office: Office) -> int:
    return sum(
        method in {"conversations.history", "conversations.replies"} and "include_all_metadata" in said
        for method, said in office.calls
    )


def _statuses(offices: list[Office]) -> int:
    return sum(not TOKEN.search(one["text"]) for office in offices for chat in office.messages for one in office.shown(chat))


FAULTS: tuple[Line, ...] = (
    Line(
        "kill-nine-slack",
        "delivery",
        "30 times `kill -9` at random moments while people ask in direct chats, channels and threads of Slack; 5 % of what is sent is answered "
        "429, 3 % is cut off after it was carried out, events are told two or three times; sockets end",
        kills,
        most_s=240,
        cores=1.25,
    ),
)
