"""Many people who write to a bot, each in a chat of their own, on a fake Telegram within this process; and a skill that can break.

Owns: the people, when each was answered, the skill and the program's life. Leaves to the rows what is asked and what is counted.

    async with Town().open() as town:
        bot = town.bot(scratch / "home")
        await bot.spawn()
        await town.say(101, "/echo q000001")
        await town.until(lambda: "q000001" in town.text(101), within_s=10)
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from aiohttp import web
from fakes.telegram_bot_api.client import TOKEN, USERNAME
from fakes.telegram_bot_api.server import Server
from fakes.telegram_bot_api.world import Chat, World

from benchmarks.faults.street import Bot

ADMIN = 1
CANARY = "nightingale"
"""A word in what people say, which nobody else may see."""
MENDED = "mended"
"""While a file of this name is beside the skill, nothing breaks."""
SERVED_AT_ONCE, SERVED_S = 2, 0.2
SERVED_PER_S = SERVED_AT_ONCE / SERVED_S
SKILL = f"""
import asyncio, os, signal, sys
from dataclasses import replace
from pathlib import Path
from bot.locale import phrases
from bot.skill import CommandSpec
_ = phrases(__file__)
HERE = Path(__file__).parent

class Outside(BaseException):
    pass

def deep(number):
    return deep(number + 1)

def broken(kind, request):
    if kind == "None":
        return None
    if kind == "number":
        return 7
    if kind == "half":
        return replace(request.reply("x"), text=chr(0xd83d))
    if kind == "deep":
        deep(0)
    errors = {{"error": RuntimeError, "memory": MemoryError, "outside": Outside, "exit": SystemExit, "interrupt": KeyboardInterrupt,
              "cancelled": asyncio.CancelledError, "stop": StopIteration, "group": lambda said: ExceptionGroup(said, [ValueError(said)])}}
    raise errors[kind](request.text)

class Town:
    name, title, summary, slots, takes = "town", _("Town"), _("I break."), (), frozenset()
    commands = tuple(CommandSpec(name, _("Town")) for name in ("serve", "break", "die", "hang"))
    def __init__(self):
        self.places = None
    def claims(self, message):
        return False
    async def answer(self, request):
        name, (kind, *_words, token) = request.message.command.name, request.text.split()
        self.places = self.places or asyncio.Semaphore({SERVED_AT_ONCE})
        if name == "serve":
            async with self.places:
                await asyncio.sleep({SERVED_S})
        elif name == "hang":
            await asyncio.Event().wait()
        elif not (HERE / "{MENDED}").exists():
            if name == "break":
                return broken(kind, request)
            await asyncio.sleep(0.05)
            os._exit(1) if kind == "exit" else os.kill(os.getpid(), getattr(signal, kind))
        return request.reply(f"{{name}} {{token}}")
def build(kit):
    return Town()
"""
KINDS = ("error", "memory", "outside", "exit", "interrupt", "cancelled", "stop", "group", "None", "number", "half", "deep")
HURRY = """
import bot.attempts, bot.feed, bot.suspects, bot.worker
bot.feed.LOOK_EVERY_S = 0.1
bot.suspects.MOST_ATTEMPTS = bot.worker.MOST_ATTEMPTS = bot.attempts.MOST_ATTEMPTS = 2
bot.suspects.AFTER_S, bot.suspects.AT_ONCE = (0.0, 0.1, 0.1), (0, 1, 1)
"""
"""In short, two deaths are enough, and what was left is looked for at once."""


class Timed(World):
    """A world that knows when a message was put into it."""

    def __init__(self) -> None:
        super().__init__(TOKEN, USERNAME)
        self.at: dict[tuple[int, int], float] = {}

    def put(self, chat: Chat, sender: dict[str, Any], content: dict[str, Any]) -> dict[str, Any]:
        """Store a message, as `World` does."""
        message = super().put(chat, sender, content)
        self.at[chat.id, message["message_id"]] = time.monotonic()
        return message


class Town:
    """People by number; each has a chat of the same number."""

    def __init__(self) -> None:
        self.world = Timed()
        self.base_url = ""
        self.said_at: dict[tuple[int, str], float] = {}

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Town]:
        """Serve while the context lasts."""
        runner = web.AppRunner(Server(self.world).application(), access_log=None, handler_cancellation=True, shutdown_timeout=0.5)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/bot"
        try:
            yield self
        finally:
            await runner.cleanup()

    def bot(self, home: Path, *, hurry: bool = False, **settings: str) -> TownBot:
        """Return a bot on this server, which has the skill."""
        bot = TownBot.on(self, home, PARING_ADMINS=f"telegram:{ADMIN}", **settings)  # type: ignore[arg-type]  # it asks for the address alone
        bot.site = home.with_name("site")
        described = bot.site / "paring_town-1.0.dist-info"
        described.mkdir(parents=True, exist_ok=True)
        (bot.site / "paring_town.py").write_text(SKILL + HURRY * hurry, encoding="utf-8")
        (described / "METADATA").write_text("Metadata-Version: 2.1\nName: paring-town\nVersion: 1.0\n", encoding="utf-8")
        (described / "entry_points.txt").write_text("[paring.skills]\ntown = paring_town:build\n", encoding="utf-8")
        return bot

    async def say(self, person: int, text: str) -> None:
        """Let a person write to the bot."""
        sender = self.world.person({"id": person})
        chat = self.world.chat(person)
        entities = [{"type": "bot_command", "offset": 0, "length": len(text.split(maxsplit=1)[0])}] if text[:1] == "/" else []
        content = {"text": text, **({"entities": entities} if entities else {})}
        self.said_at[person, text] = time.monotonic()
        await self.world.happen("message", dict(self.world.put(chat, sender, content)))

    def told(self, person: int) -> list[tuple[float, str]]:
        """Return what the bot shows in a person's chat: when it was sent, and its words as they stand."""
        if person not in self.world.chats:
            return []
        shown = self.world.chats[person].messages.values()
        return [
            (self.world.at[person, one["message_id"]], one.get("text", ""))
            for one in shown
            if one["from"]["id"] == self.world.bot["id"]
        ]

    def text(self, person: int) -> str:
        """Return all that the bot shows in a person's chat."""
        return "\n".join(text for _at, text in self.told(person))

    async def until(self, so: Callable[[], bool], *, within_s: float, every_s: float = 0.05) -> bool:
        """Return once it is so, False where it is not in time."""
        ends = time.monotonic() + within_s
        while not so():
            if time.monotonic() > ends:
                return False
            await asyncio.sleep(every_s)
        return True


class TownBot(Bot):
    """`paring run`, which may end by itself."""

    site: Path

    def mend(self) -> None:
        """Have the skill break no more."""
        (self.site / MENDED).touch()

    async def died(self) -> None:
        """Return once it has ended by itself."""
        assert self._process is not None
        await self._process.wait()

    @asynccontextmanager
    async def risen(self) -> AsyncIterator[list[int]]:
        """Start it again whenever it dies, as systemd does; give the codes with which it died."""
        codes: list[int] = []

        async def again() -> None:
            while True:
                await self.died()
                assert self._process is not None
                codes.append(self._process.returncode or 0)
                await self.spawn()

        await self.spawn()
        watching = asyncio.create_task(again())
        try:
            yield codes
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
            await self.stop()


def resident_mb(pid: int) -> float:
    """Return what the process has resident now."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


async def settled_mb(pid: int) -> float:
    """Return what the process has resident once it has loaded what it loads by itself."""
    before = -1.0
    for _look in range(20):
        now = resident_mb(pid)
        if now - before < 1.0:
            break
        before = now
        await asyncio.sleep(1.0)
    return now
