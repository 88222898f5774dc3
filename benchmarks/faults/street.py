"""A bot that is killed while people talk with it, and what came of it, counted on the fake Telegram and on its page.

Owns: the program that is started and ended, a skill that answers each message with its own number (quickly, or slowly with a
status message that is edited), and who was answered how often. Leaves to the rows what is done to the bot.

    async with running() as telegram:
        street = Street(telegram, random.Random(1))
        await street.say(slow=False)
        counted = await street.counted()
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
from fakes import leaks
from fakes.program import environment
from fakes.telegram_bot_api.client import TOKEN as BOT_TOKEN
from fakes.telegram_bot_api.client import USERNAME, FakeTelegram

from benchmarks.faults.liar import Liar

READY_S = 60.0
END_S = 30.0
ANSWERED_S = 90.0
SLOW_S = 2.6
"""Longer than it takes until a status message is shown."""
TOKEN = re.compile(r"\b(?:echo|slow) (q\d{6})\b")
AGAIN = ("(Sent again", "(다시 보내요")
SKILL = f"""
import asyncio
from bot.locale import phrases
from bot.message import Button, Command
from bot.skill import CommandSpec
_ = phrases(__file__)
class Echo:
    name, title, summary, slots, takes = "echo", _("Echo"), _("I echo."), (), frozenset()
    commands = (CommandSpec("echo", _("Echo")), CommandSpec("slow", _("Echo slowly")), CommandSpec("offer", _("Offer an echo")))
    def claims(self, message):
        return False
    async def answer(self, request):
        name = request.message.command.name
        if name == "slow":
            await asyncio.sleep({SLOW_S})
        buttons = [Button("Echo", Command("echo", request.text))] if name == "offer" else []
        return request.reply(f"{{name}} {{request.text}}", buttons=buttons)
def build(kit):
    return Echo()
"""


def with_echo(folder: Path) -> dict[str, str]:
    """Install the skill into `folder`; return what a program's environment needs to find it there."""
    return with_skill(folder, "echo", SKILL)


def with_skill(folder: Path, name: str, code: str) -> dict[str, str]:
    """Install the skill `name` into `folder`; return what a program's environment needs to find it there."""
    described = folder / f"paring_{name}-1.0.dist-info"
    described.mkdir(parents=True, exist_ok=True)
    (folder / f"paring_{name}.py").write_text(code, encoding="utf-8")
    (described / "METADATA").write_text(f"Metadata-Version: 2.1\nName: paring-{name}\nVersion: 1.0\n", encoding="utf-8")
    (described / "entry_points.txt").write_text(f"[paring.skills]\n{name} = paring_{name}:build\n", encoding="utf-8")
    return {"PYTHONPATH": f"{folder}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}


class Bot:
    """`paring run` over one home, life after life; what it says goes to one log."""

    def __init__(self, home: Path, settings: dict[str, str]) -> None:
        """Prepare; `settings` are variables of the environment."""
        self.home = home
        self.log = home.with_name(f"{home.name}.log")
        self._environment = environment(home) | {"PYTHONUNBUFFERED": "1"} | settings
        self._process: asyncio.subprocess.Process | None = None
        self.url = ""

    @classmethod
    def on(cls, telegram: FakeTelegram | Liar, home: Path, *, page: bool = False, **settings: str) -> Bot:
        """Return a bot on the fake Telegram, which has the skill."""
        web = {"PARING_WEB__PORT": "0"} if page else {"PARING_WEB__ENABLED": "false"}
        server = {
            "PARING_FRONT_DOOR": "everybody",
            "PARING_TELEGRAM__TOKEN": BOT_TOKEN,
            "PARING_TELEGRAM__BASE_URL": telegram.base_url,
        }
        return cls(home, {**server, **web, **with_echo(home.with_name("site")), **settings})

    @property
    def pid(self) -> int:
        """The number of the process that runs now."""
        assert self._process is not None
        return self._process.pid

    @property
    def command(self) -> Sequence[str]:
        """What is started."""
        return (sys.executable, "-m", "bot", "run")

    async def spawn(self) -> None:
        """Start it; it is not waited for."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self.command, env=self._environment, cwd=self.home.parent, stdout=asyncio.subprocess.PIPE, stderr=log
            )  # fmt: skip

    async def ready(self, greetings: int = 1) -> None:
        """Wait until it has said so often that it is there."""
        assert self._process is not None
        assert self._process.stdout is not None
        for _greeting in range(greetings):
            line = (await asyncio.wait_for(self._process.stdout.readline(), READY_S)).decode()
            if not line:
                raise AssertionError(self.log.read_text(encoding="utf-8")[-3000:])
            self.url = next((word for word in line.split() if word.startswith("http")), self.url)

    async def says(self, words: str) -> None:
        """Return once its log holds `words`."""
        async with asyncio.timeout(READY_S):
            while words not in await asyncio.to_thread(self.log.read_text, encoding="utf-8"):  # noqa: ASYNC110 - another program's
                await asyncio.sleep(0.05)

    async def kill(self) -> None:
        """End it as the kernel does."""
        await self._ended_by(signal.SIGKILL)

    async def stop(self) -> float:
        """Ask it to end; return how many seconds it took."""
        begun = time.monotonic()
        await self._ended_by(signal.SIGTERM)
        return time.monotonic() - begun

    async def _ended_by(self, number: int) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(number)
        try:
            await asyncio.wait_for(process.wait(), END_S)
        except TimeoutError:
            process.kill()
            await process.wait()
        leaks.heard(self._logged(), f"the log of {self.home}", private=True)

    def complaints(self) -> list[str]:
        """Return the lines of its log that hold an exception that nobody foresaw."""
        return [line for line in self._logged().splitlines() if "Traceback" in line or "never retrieved" in line]

    def _logged(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""


@dataclass(frozen=True, slots=True)
class Asked:
    """One message: its number, where it was said, whether it takes long, and when."""

    token: str
    chat: int
    slow: bool
    at: float


@dataclass(slots=True)
class Counted:
    """What the people see."""

    asked: int = 0
    lost: int = 0
    set_aside: int = 0
    """Told that it could not be worked on."""
    doubled_slow: int = 0
    doubled_quick: int = 0
    """Shown twice, without a word that it may be so."""
    told_again: int = 0
    """Shown twice, the second time with a word that says so."""
    told_again_slow: int = 0
    """Those of them that took long, and whose status could not be shown before they were done."""
    disordered: int = 0
    statuses_left: int = 0
    worst_wait_s: float = 0.0


@dataclass(slots=True)
class Street:
    """People in direct chats and groups who all ask for an echo."""

    telegram: FakeTelegram
    chance: random.Random
    direct: int = 8
    groups: int = 4
    asked: list[Asked] = field(default_factory=list)
    _answered: dict[str, float] = field(default_factory=dict)

    async def open(self) -> None:
        """Make the groups and the people."""
        for chat in self.chats:
            await self.telegram.order("group" if chat < 0 else "person", id=chat)

    @property
    def chats(self) -> list[int]:
        """The direct chats, by the person's number, then the groups."""
        return [*range(100, 100 + self.direct), *range(-1_000_100, -1_000_100 - self.groups, -1)]

    async def say(self, *, slow: bool = False, chat: int = 0) -> Asked:
        """Let somebody ask in one of the chats."""
        one = self.asks(chat or self.chance.choice(self.chats), slow=slow)
        said = self.telegram.say(order("slow" if slow else "echo", one.chat, one.token), user=speaker(one.chat), chat=one.chat)
        await asyncio.shield(said)  # what is noted as asked is said, also where one stops talking
        return one

    def asks(self, chat: int, *, slow: bool = False) -> Asked:
        """Note that something is asked for in `chat`, in whichever way."""
        one = Asked(f"q{len(self.asked):06}", chat, slow, time.monotonic())
        self.asked.append(one)
        return one

    async def talk(self, *, every_s: float, slow: float = 0.1) -> None:
        """Go on asking until cancelled, so many of them for what takes long."""
        while True:
            await self.say(slow=self.chance.random() < slow)
            await asyncio.sleep(self.chance.uniform(0, 2 * every_s))

    async def answered(self, *, within_s: float = ANSWERED_S) -> None:
        """Return once everything is confirmed and answered, or nothing came for so long."""
        seen, moved = -1, time.monotonic()
        while time.monotonic() - moved < within_s:
            found = self._found(await self._messages())
            now = time.monotonic()
            for token in found.keys() - self._answered.keys():
                self._answered[token] = now
            if len(found) == len(self.asked):
                return
            if len(found) != seen:
                seen, moved = len(found), now
            if not (await self.telegram.ask("state"))["waiting"] and await self._all_told(found):
                return
            await asyncio.sleep(0.25)

    async def counted(self) -> Counted:
        """Return what came of everything that was asked; it is confirmed by now, so that each has its answer or is lost."""
        shown = await self._messages()
        found = self._found(shown)
        counted = Counted(len(self.asked))
        for one in self.asked:
            texts = found.get(one.token, [])
            again = sum(any(note in text for note in AGAIN) for _place, text in texts)
            doubles = max(0, len(texts) - 1)
            counted.told_again += min(again, doubles)
            counted.told_again_slow += min(again, doubles) if one.slow else 0
            plain = doubles - min(again, doubles)
            counted.doubled_slow += plain if one.slow else 0
            counted.doubled_quick += 0 if one.slow else plain
            counted.lost += not texts
        for chat in self.chats:
            told, missing = len(_set_aside(shown[chat])), sum(one.chat == chat and one.token not in found for one in self.asked)
            counted.set_aside += min(told, missing)
            places = [found[one.token][0][0] for one in self.asked if one.chat == chat and one.token in found]
            counted.disordered += sum(after < before for before, after in pairwise(places))
            counted.statuses_left += sum("inline_keyboard" in str(message.get("reply_markup")) for message in shown[chat])
        counted.lost -= counted.set_aside
        waits = [self._answered[one.token] - one.at for one in self.asked if one.token in self._answered]
        counted.worst_wait_s = max(waits, default=0.0)
        return counted

    async def look(self, *, every_s: float = 1.0) -> None:
        """Note when answers came, until cancelled."""
        while True:
            for token in self._found(await self._messages()).keys() - self._answered.keys():
                self._answered[token] = time.monotonic()
            await asyncio.sleep(every_s)

    @asynccontextmanager
    async def looking(self, *, every_s: float) -> AsyncIterator[None]:
        """Note when answers came while the context lasts."""
        task = asyncio.create_task(self.look(every_s=every_s))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _all_told(self, found: dict[str, list[tuple[int, str]]]) -> bool:
        shown = await self._messages()
        missing = len(self.asked) - len(found)
        return missing > 0 and sum(len(_set_aside(messages)) for messages in shown.values()) >= missing

    async def _messages(self) -> dict[int, list[dict[str, Any]]]:
        return defaultdict(list, await self.telegram.shown_in({one.chat for one in self.asked}))

    def _found(self, shown: dict[int, list[dict[str, Any]]]) -> dict[str, list[tuple[int, str]]]:
        """Return the answers by the number of what was asked: each with its place in the chat."""
        found: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for messages in shown.values():
            for message in messages:
                if told := TOKEN.search(message.get("text", "")):
                    found[told[1]].append((message["message_id"], message["text"]))
        return found


def order(name: str, chat: int, words: str) -> str:
    """Return the order as it is typed in a chat."""
    return f"/{name}{f'@{USERNAME}' if chat < 0 else ''} {words}"


def speaker(chat: int) -> int:
    """Return the number of who speaks in a chat."""
    return chat if chat > 0 else 500


def _set_aside(messages: Sequence[dict[str, Any]]) -> list[str]:
    return [message["text"] for message in messages if "(ref " in message.get("text", "")]


@dataclass(slots=True)
class Visitor:
    """Somebody at the bot's page, who sends a message again under the same number until it is taken."""

    acknowledged: list[str] = field(default_factory=list)

    async def talk(self, bot: Bot, *, every_s: float) -> None:
        """Go on asking at the page, wherever it is by now, until cancelled."""
        async with aiohttp.ClientSession(trust_env=False, timeout=aiohttp.ClientTimeout(total=5)) as session:
            for number in range(1_000_000):
                token = f"q{900_000 + number:06}"
                said = {"id": f"visitor-{token}", "text": f"/echo {token}"}
                while not await _posted(session, bot, said):  # noqa: ASYNC110 - the page is another program's
                    await asyncio.sleep(0.05)
                self.acknowledged.append(token)
                await asyncio.sleep(every_s)

    async def heard(self, bot: Bot, count: int = 5) -> None:
        """Return once so many were answered."""
        async with asyncio.timeout(ANSWERED_S):
            while len(await self.answers(bot)) < count:  # noqa: ASYNC110 - the page is another program's
                await asyncio.sleep(0.1)

    async def answers(self, bot: Bot) -> list[str]:
        """Return the numbers that the page shows an answer to, as often as it does."""
        found: list[str] = []
        async with aiohttp.ClientSession(trust_env=False) as session:
            before, earlier = "", True
            while earlier:
                async with session.get(f"{bot.url.rstrip('/')}/api/history", params={"before": before}) as answer:
                    told = await answer.json()
                for entry in told["entries"]:
                    found += re.findall(r"(?<!/)\becho (q\d{6})", re.sub(r"<[^>]+>", " ", entry["html"]))
                earlier = told["earlier"]
                before = told["entries"][0]["place"] if told["entries"] else ""
        return found


async def _posted(session: aiohttp.ClientSession, bot: Bot, said: dict[str, str]) -> bool:
    if not bot.url:
        return False
    try:
        async with session.post(f"{bot.url.rstrip('/')}/api/say", json=said, headers={"x-paring": "1"}) as answer:
            return answer.status == 200
    except (aiohttp.ClientError, TimeoutError, OSError):
        return False
