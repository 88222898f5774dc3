"""The kill loop over Matrix: people talk with the bot on a real homeserver, in plain rooms and in encrypted ones, and it is killed meanwhile.

Owns: the rooms, and what goes wrong between the bot and the homeserver (`fakes.homeserver.Door`). Counted is what stands in the rooms, as
the people's own clients show it.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from fakes.homeserver import Door, Homeserver, served
from fakes.homeserver import Fault as Met
from fakes.matrix_person import Person, person

from benchmarks.faults import Fault, Plan, Row
from benchmarks.faults.delivery import live, meanwhile
from benchmarks.faults.street import AGAIN, TOKEN, Bot, with_echo

SENDS = ("PUT", "/send/", ("limited", "cut", "done-502", "lost", "twice"))
"""What a send meets: told to wait, carried out and cut or answered 502, cut before, carried out twice."""
SYNCS = ("GET", "/sync", ("cut", "502", "limited"))
ANSWERED_S = 90.0
WHOLE_TIMELINE = {"room": {"timeline": {"limit": 1000}}}


@dataclass
class Rooms:
    """The rooms in which people ask one bot, and who asks in each."""

    chance: random.Random
    people: dict[str, Person] = field(default_factory=dict)
    asked: dict[str, tuple[str, float]] = field(default_factory=dict)
    """Where, and when, what was asked was taken by the homeserver, by its number."""

    async def talk(self, *, every_s: float, slow: float) -> None:
        """Go on asking until cancelled."""
        while True:
            room, token = self.chance.choice(sorted(self.people)), f"q{len(self.asked):06}"
            order = "slow" if self.chance.random() < slow else "echo"
            said = self.people[room].say(room, f"!{order} {token}")
            await asyncio.shield(said)
            self.asked[token] = room, time.monotonic()
            await asyncio.sleep(self.chance.uniform(0, 2 * every_s))

    async def hear(self) -> None:
        """Have everybody's client follow, until cancelled."""
        await asyncio.gather(*(self._hear(one) for one in {id(one): one for one in self.people.values()}.values()))

    async def _hear(self, one: Person) -> None:
        while True:
            await one.sync(timeout_ms=1000)

    def found(self, bot: str) -> dict[str, list[str]]:
        """Return the bot's answers by the number of what was asked."""
        found: dict[str, list[str]] = defaultdict(list)
        for room, one in self.people.items():
            for seen in one.said(room, by=bot):
                if told := TOKEN.search(seen.text):
                    found[told[1]].append(seen.text)
        return found

    def unread(self, bot: str) -> int:
        """Return how many of the bot's messages a person's client cannot read."""
        return sum(seen.kind == "m.room.encrypted" for room, one in self.people.items() for seen in one.said(room, by=bot))

    async def answered(self, bot: str) -> None:
        """Return once everything is answered, or nothing came for so long."""
        seen, moved = -1, time.monotonic()
        while len(self.found(bot).keys() & self.asked.keys()) < len(self.asked) and time.monotonic() - moved < ANSWERED_S:
            if len(self.found(bot)) != seen:
                seen, moved = len(self.found(bot)), time.monotonic()
            await asyncio.sleep(0.25)
        await asyncio.sleep(1.0)  # what comes twice comes by now


async def kills(plan: Plan) -> Row:
    """Kill two bots again and again, one in plain rooms and one in encrypted ones; then let each finish, and count."""
    whole = plan.scale >= 0.1
    times, encrypted = (plan.times(20), (False, True)) if whole else (1, (False,))
    each = [times // len(encrypted) + (number < times % len(encrypted)) for number in range(len(encrypted))]
    async with served() as server:
        rows = await asyncio.gather(
            *(
                _killed(server, plan.scratch / f"bot{number}", plan.seed + number, each[number], hidden=hidden, whole=whole)
                for number, hidden in enumerate(encrypted)
            )
        )
    return Row(
        sum(row.tried for row in rows), "messages", lost=sum(row.lost for row in rows), doubled=sum(row.doubled for row in rows),
        failed=sum(row.failed for row in rows), note=f"{times} kills; " + "; ".join(row.note for row in rows),
    )  # fmt: skip


async def _killed(server: Homeserver, folder: Path, seed: int, times: int, *, hidden: bool, whole: bool) -> Row:
    chance = random.Random(seed)  # noqa: S311 - moments and rooms
    await asyncio.to_thread(folder.mkdir)
    account, rooms = await server.register("paring"), Rooms(chance)
    async with AsyncExitStack() as stack:
        door = await stack.enter_async_context(server.door())
        bot = Bot(folder / "home", {**account.variables(door.url), **with_echo(folder / "site")})
        await bot.spawn()
        await bot.ready()
        for name in ("ann", "ben")[: 2 if whole else 1]:
            one = await stack.enter_async_context(person(server, name, encrypted=hidden))
            one.client.sync = partial(one.client.sync, sync_filter=WHOLE_TIMELINE)  # type: ignore[method-assign]
            for _room in range(2 if whole else 1):
                room = await one.direct(account.user, encrypted=hidden)
                await one.until(partial(_is_in, one, room, account.user), within_s=60)
                rooms.people[room] = one
        async with meanwhile(rooms.hear()):
            async with meanwhile(_spoil(door, SENDS, chance)):
                talk = rooms.talk(every_s=0.3 if whole else 0.1, slow=0.1 * whole)
                async with meanwhile(talk, _spoil(door, SYNCS, chance, every_s=3.0)):
                    for _kill in range(times):
                        await live(bot, chance, greetings=0, kind=0.9 if _kill == 0 else chance.random())
                        await bot.kill()
                        await bot.spawn()
                        if chance.random() < 0.8:
                            await bot.ready()
                await rooms.answered(account.user)
            found, unread = rooms.found(account.user), rooms.unread(account.user)
        await bot.stop()
    sends = [call.path for call in door.asked("PUT", "/send/")]
    return Row(
        len(rooms.asked), "messages", lost=sum(token not in found for token in rooms.asked),
        doubled=sum(len(texts) - 1 for texts in found.values()),
        failed=unread + sum(note in text for texts in found.values() for text in texts for note in AGAIN) + len(bot.complaints()),
        note=f"{'encrypted' if hidden else 'plain'}: {len(rooms.asked)} asked, {len(sends) - len(set(sends))} sends repeated under their id, "
        f"unreadable: {unread}",
    )  # fmt: skip


def _is_in(one: Person, room: str, user: str) -> bool:
    return user in one.members(room)


async def _spoil(door: Door, what: tuple[str, str, Sequence[str]], chance: random.Random, *, every_s: float = 0.3) -> None:
    """Have one call of a kind meet something, every so often, until cancelled."""
    method, path, kinds = what
    try:
        while True:
            await asyncio.sleep(chance.uniform(0, 2 * every_s))
            _forget(door, method)
            door.faults.append(Met(method, path, chance.choice(kinds)))
    finally:
        _forget(door, method)


def _forget(door: Door, method: str) -> None:
    door.faults[:] = [one for one in door.faults if one.method != method]


FAULTS: tuple[Fault, ...] = (
    Fault(
        "kill-nine-matrix",
        "delivery",
        "20 times `kill -9` at random moments while people ask in plain and in encrypted rooms of a Matrix homeserver (Synapse); sends are "
        "told to wait, cut off before or after they were carried out, answered 502, carried out twice; syncs are cut",
        kills,
        most_s=300,
        cores=1.25,
    ),
)
