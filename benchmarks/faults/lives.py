"""How the bot ends, starts and is followed: two bots over one home, SIGTERM under load, a start after a crash, a platform that is away."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from fakes.telegram_bot_api.client import FakeTelegram, running

from benchmarks.faults import Fault, Plan, Row
from benchmarks.faults.delivery import meanwhile, peak_mb
from benchmarks.faults.made_once import filled
from benchmarks.faults.street import Bot, Street, Visitor

TAKE_OVER_S = 10.0
END_S = 10.0
START_S = 3.0
MOST_LINES = 200
"""What a bot may log while its platform is away, however long that is."""
MOST_MB = 50


async def two_bots(plan: Plan) -> Row:
    """Kill the one of two bots of a home that serves Telegram, again and again; the other is to go on, and polls never meet."""
    rounds, chance, waits = plan.times(10), random.Random(plan.seed), []  # noqa: S311 - chats and moments, no secret
    async with running() as telegram:
        street = Street(telegram, chance)
        await street.open()
        serving = await _second(telegram, plan.scratch, 0)
        for number in range(1, rounds + 1):
            next_one = await _second(telegram, plan.scratch, number)
            if number == 1:  # which of the two is first is chance
                both = {asyncio.ensure_future(one.ready()): one for one in (serving, next_one)}
                done, waiting = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
                serving, next_one = both[done.pop()], both[next(iter(waiting))]
                for one in waiting:
                    one.cancel()
            await next_one.says("stands by")
            for _message in range(12):
                await street.say()
            await asyncio.sleep(chance.uniform(0, 0.3))
            await serving.kill()
            begun = time.monotonic()
            await street.say()
            await street.answered()
            waits.append(time.monotonic() - begun)
            serving = next_one
        counted = await street.counted()
        conflicts = [call for call in await telegram.calls("getUpdates", tried=True) if "Conflict" in call["error"]]
        await serving.stop()
    late = sum(wait > TAKE_OVER_S for wait in waits) if plan.scale >= 0.1 else 0
    return Row(
        counted.asked,
        "messages",
        lost=counted.lost,
        doubled=counted.doubled_quick + counted.doubled_slow,
        failed=late + len(conflicts) + counted.disordered,
        worst_wait_s=max(waits),
        note=f"{rounds} deaths; everything answered by the other within {max(waits):.1f} s; polls that met: {len(conflicts)}; "
        f"sent again with a word that says so: {counted.told_again}",
    )


async def _second(telegram: FakeTelegram, scratch: Path, number: int) -> Bot:
    bot = Bot.on(telegram, scratch / "home")
    bot.log = scratch / f"bot{number}.log"
    await bot.spawn()
    return bot


async def ends(plan: Plan) -> Row:
    """Ask it to end while people ask for quick and slow things; start it again, and count."""
    tries, chance, seconds = plan.times(20), random.Random(plan.seed), []  # noqa: S311 - as above
    async with running() as telegram:
        street, bot = Street(telegram, chance), Bot.on(telegram, plan.scratch / "home")
        await street.open()
        for _try in range(tries):
            await bot.spawn()
            async with meanwhile(street.talk(every_s=0.2, slow=0.15 if plan.scale >= 0.1 else 0.0)):
                await bot.ready()
                await asyncio.sleep(chance.uniform(0.2, 2.5) if plan.scale >= 0.1 else 0.3)
                seconds.append(await bot.stop())
        await bot.spawn()
        await bot.ready()
        await street.answered()
        counted = await street.counted()
        await bot.stop()
    late = sum(one > END_S for one in seconds)
    return Row(
        counted.asked,
        "messages",
        lost=counted.lost + counted.set_aside,
        doubled=counted.doubled_quick + counted.doubled_slow + counted.told_again,
        failed=late + counted.disordered,
        worst_wait_s=max(seconds),
        note=f"{tries} ends; the median took {float(np.median(seconds)):.1f} s, the longest {max(seconds):.1f} s; "
        f"statuses left over: {counted.statuses_left}",
    )


async def starts(plan: Plan) -> Row:
    """Kill it at so many passages, and start it again: until it is there, and until it has answered what was acknowledged."""
    passages, tries = plan.times(100_000) if plan.scale >= 0.1 else 0, plan.times(5, least=1)
    home = plan.scratch / "home"
    if passages:
        await filled(plan, home, passages)
    ready, answered = [], []
    async with running() as telegram:
        street, bot = Street(telegram, random.Random(plan.seed)), Bot.on(telegram, home)  # noqa: S311 - as above
        await street.open()
        await bot.spawn()
        await bot.ready()
        for _try in range(tries):
            await bot.kill()
            await street.say(chat=100)
            begun = time.monotonic()
            await bot.spawn()
            await bot.ready()
            ready.append(time.monotonic() - begun)
            await street.answered()
            answered.append(time.monotonic() - begun)
        counted = await street.counted()
        await bot.stop()
    middle = float(np.median(answered))
    return Row(
        tries,
        "starts",
        lost=counted.lost,
        doubled=counted.doubled_quick,
        failed=int(middle > START_S) if plan.scale >= 0.1 else 0,
        worst_wait_s=max(answered),
        note=f"{passages:,} passages; there after {float(np.median(ready)):.1f} s, the first answer after {middle:.1f} s (medians)",
    )


@dataclass
class Line:
    """The way to the platform, which can be cut: a relay on loopback."""

    to: int
    port: int = 0
    state: str = "open"
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    @asynccontextmanager
    async def laid(self) -> AsyncIterator[Line]:
        """Listen while the context lasts."""
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            self._server.close()
            self._cut()

    async def be(self, state: str) -> None:
        """Be `open`, `refused` (nobody listens), `hanging`, `reset` or `bad gateway` from now on; what is open is cut."""
        if "refused" in (state, self.state) and state != self.state:
            if state == "refused":
                self._server.close()
            else:
                self._server = await asyncio.start_server(self._relay, "127.0.0.1", self.port)
        self.state = state
        self._cut()

    def _cut(self) -> None:
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with suppress(OSError, asyncio.IncompleteReadError):
            if self.state == "reset":
                writer.transport.abort()
            elif self.state == "bad gateway":
                await reader.readuntil(b"\r\n\r\n")
                writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\nConnection: close\r\n\r\n502")
                await writer.drain()
            elif self.state == "hanging":
                await reader.read()
            else:
                await self._joined(reader, writer)
        self._open.discard(writer)
        writer.close()

    async def _joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self.to)
        self._open.add(back)

        async def pass_on(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
            with suppress(OSError):
                while piece := await source.read(65536):
                    to.write(piece)
                    await to.drain()
            to.close()

        await asyncio.gather(pass_on(reader, back), pass_on(there, writer))
        self._open.discard(back)


async def away(plan: Plan) -> Row:
    """Take the platform away for ten minutes, in all the ways in which it can be, while people go on writing."""
    whole = plan.scale >= 0.1
    states, slow = ("refused", "hanging", "bad gateway", "reset", "refused") if whole else ("refused", "bad gateway"), 0.1 * whole
    whole_s, chance = 600 * plan.scale if whole else 0.8, random.Random(plan.seed)  # noqa: S311 - as above
    async with running() as telegram, Line(telegram.port).laid() as line:
        street, visitor = Street(telegram, chance), Visitor()
        bot = Bot.on(telegram, plan.scratch / "home", page=True, PARING_TELEGRAM__BASE_URL=f"http://127.0.0.1:{line.port}/bot")
        await street.open()
        await bot.spawn()
        await bot.ready(2)
        for _message in range(20):
            await street.say()  # some of these are acknowledged, and their answers are on the way
        await telegram.settled()
        async with meanwhile(visitor.talk(bot, every_s=0.3), street.talk(every_s=max(whole_s / 200, 0.1), slow=slow)):
            await visitor.heard(bot, 5 if whole else 1)  # what is loaded for the first questions is no growth
            lines, before_mb = _lines(bot), peak_mb(bot.pid)
            for state in states:
                await line.be(state)
                await asyncio.sleep(whole_s / len(states))
        lines, grown_mb = _lines(bot) - lines, peak_mb(bot.pid) - before_mb
        with suppress(TimeoutError):
            await visitor.heard(bot, len(visitor.acknowledged))
        served = len(set(visitor.acknowledged) & set(await visitor.answers(bot)))
        await line.be("open")
        begun = time.monotonic()
        await street.answered()
        caught_up_s = time.monotonic() - begun
        counted = await street.counted()
        await bot.stop()
    return Row(
        counted.asked + len(visitor.acknowledged),
        "messages",
        lost=counted.lost + counted.set_aside + len(visitor.acknowledged) - served,
        doubled=counted.doubled_quick,
        failed=counted.disordered + (lines > MOST_LINES) + (grown_mb > MOST_MB) + len(bot.complaints()),
        worst_wait_s=caught_up_s,
        note=f"{whole_s:.0f} s away; caught up in order {caught_up_s:.1f} s after; {lines} lines logged, {grown_mb:.0f} MB more; "
        f"the page answered {served} meanwhile; sent again with a word that says so: {counted.told_again}",
    )


def _lines(bot: Bot) -> int:
    return len(bot.log.read_text(encoding="utf-8").splitlines())


FAULTS: tuple[Fault, ...] = (
    Fault(
        "two-bots",
        "delivery",
        "two bots over one home with one token; the one that serves is killed, ten times, right after people have written",
        two_bots,
        most_s=150,
        cores=0.75,
    ),
    Fault("sigterm", "delivery", "SIGTERM under load, 20 times", ends, most_s=240, cores=0.5),
    Fault("start-after-crash", "delivery", "`kill -9` at 100,000 passages, and a start", starts, most_s=240, alone=True),
    Fault(
        "platform-away",
        "delivery",
        "10 minutes without the platform: refused, hanging, 502, reset, while people go on writing and the page is used",
        away,
        most_s=760,
        cores=0,
    ),
)
