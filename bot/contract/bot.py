"""What a whole bot on a platform is tested with: one start for a class, a skill that does as it is told, and what people see."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
import pytest_asyncio

from bot.app import App, opened
from bot.assembly import load_skills
from bot.config import LimitSettings, LinkSettings, Settings
from bot.contract.intake import LONGEST_S
from bot.contract.stage import LOOK_EVERY_S, Scene
from bot.contract.suite import Suite
from bot.locale import Text
from bot.message import Address, AttachmentKind, Button, Command, Message, Picture, Reply, Source
from bot.models.tasks import ROUTE
from bot.skill import CommandSpec, Kit, Request, Skill, Slot

if TYPE_CHECKING:
    from bot.contract.harness import File, Harness, Shown, Who

PNG: Final = b"\x89PNG\r\n\x1a\n" + bytes(64)
LINES: Final = tuple(f"line {number:03} 어디에 where" for number in range(300))
HALF: Final = "Half of it is done"
CANCEL: Final = frozenset({"Cancel", "취소"})


class Probe:
    """A skill that does as it is told: `/probe say TEXT`, `lines`, `slow`, `break`, `picture`, `files`, `buttons`, `source`."""

    name = "probe"
    title = Text("Probe")
    summary = Text("I do as I am told.")
    slots: tuple[Slot[object, object], ...] = ()
    takes: frozenset[AttachmentKind] = frozenset()
    commands = (CommandSpec("probe", Text("Do as I am told")),)

    def __init__(self, kit: Kit) -> None:
        """Use the kit's blobs."""
        self._kit = kit
        self.begun = asyncio.Event()
        """Something slow was begun."""
        self.go_on = asyncio.Event()
        """It may come to its end."""

    def claims(self, message: Message) -> bool:
        """Claim nothing."""
        del message
        return False

    async def answer(self, request: Request) -> Reply:
        """Do it."""
        word, _space, rest = request.text.partition(" ")
        match word:
            case "lines":
                return request.reply("\n".join(LINES))
            case "slow":
                await request.tell(Text(HALF))
                self.begun.set()
                await self.go_on.wait()
                return request.reply(f"done at last {rest}")
            case "break":
                raise RuntimeError("my secret")
            case "picture":
                return request.reply("drawn", images=(Picture(self._kit.blobs.keep(PNG), "a cat"),))
            case "files":
                return request.reply(
                    ", ".join(f"{file.kind} {file.name} of {file.size_bytes} bytes" for file in request.files) or "none"
                )
            case "buttons":
                return request.reply("Press it.", buttons=(Button("Once more", Command("probe", "say pressed it")),))
            case "source":
                return request.reply(
                    "See there.", sources=(Source("plan.md", "We move on 3 March.", "https://example.org/plan", 0.9),)
                )
        return request.reply(rest)


@dataclass
class Bot(Scene):
    """A bot that runs on a platform, and what Ann and the others do and see there."""

    harness: Harness
    settings: Settings
    _seen: set[tuple[str, str, str]] = field(default_factory=set)
    _old: set[tuple[str, str, str]] = field(default_factory=set)
    """What stood when it was settled last, and the notes that there were then: what is told now is told after them."""
    _notes: int = 0
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    app: App = field(init=False)
    probe: Probe = field(init=False)

    async def start(self) -> None:
        """Start it, with the probe among its skills."""

        def with_probe(kit: Kit) -> list[Skill]:
            self.probe = Probe(kit)
            return [*load_skills(kit), self.probe]

        with pytest.MonkeyPatch.context() as meanwhile:
            meanwhile.setattr("bot.assembly.load_skills", with_probe)
            self.app = await self._stack.enter_async_context(opened(self.harness.settings(self.settings)))
        async with self.app.pool.lease(ROUTE):
            pass  # with the probe among the skills the router is trained once anew, for some 20 s of a core: no answer waits for that
        channel = self.harness.channel_in(self.app)
        await self._stack.enter_async_context(_serving(self.app, channel))
        await asyncio.wait_for(self.harness.ready(channel), LONGEST_S)

    async def stop(self) -> None:
        """End it, in order."""
        await self._stack.aclose()

    async def ask(
        self, text: str, *, at: Address | None = None, by: Who = "ann", files: Sequence[File] = (), reply_to: str = "", called: bool = False
    ) -> Shown:  # fmt: skip
        """Have somebody say `text`; return what the bot answers there."""
        await self.harness.say(text, at=at, by=by, files=files, reply_to=reply_to, called=called)
        return await self.answer(at)

    async def order(self, name: str, args: str = "") -> Shown:
        """Have Ann give a command; return the answer."""
        return await self.ask(self.harness.order(name, args))

    async def answer(self, at: Address | None = None) -> Shown:
        """Return the next message that the bot shows, or shows anew, and that is no status; in a thread of it."""
        async with asyncio.timeout(LONGEST_S):
            while True:
                for shown in await self.harness.shown(at):
                    elsewhere = at is not None and at.thread not in {"", shown.thread}
                    if (mark := self._mark(shown, at)) not in self._seen and not is_status(shown) and not elsewhere:
                        self._seen.add(mark)
                        return shown
                await asyncio.sleep(LOOK_EVERY_S)

    def kept(self) -> list[str]:
        """Return all messages and answers, of all chats, as the database holds them."""
        with contextlib.closing(
            sqlite3.connect(f"{self.app.settings.database.absolute().as_uri()}?mode=ro", uri=True)
        ) as connection:
            rows = connection.execute("SELECT message FROM inbox UNION ALL SELECT reply FROM outbox").fetchall()
        return [packed for (packed,) in rows]

    async def status(self) -> Shown:
        """Return the status that is shown now, once there is one."""
        async with asyncio.timeout(LONGEST_S):
            while True:
                for shown in await self.harness.shown():
                    if is_status(shown):
                        return shown
                await asyncio.sleep(LOOK_EVERY_S)

    async def told(self, *words: str) -> None:
        """Return once people were told any of `words`, by a message or beside them."""
        async with asyncio.timeout(LONGEST_S):
            while not any(one in said for said in await self._all_told() for one in words):
                await asyncio.sleep(LOOK_EVERY_S)

    async def _all_told(self) -> list[str]:
        notes, shown = await self.harness.told(), await self.harness.shown()
        return [*notes[self._notes :], *(one.text for one in shown if self._mark(one, None) not in self._old)]

    async def count(self, words: str, at: Address | None = None) -> int:
        """Return how many messages with `words` the bot shows."""
        return sum(words in shown.text for shown in await self.harness.shown(at))

    async def settle(self) -> None:
        """Wait until all is answered and sent; what stands then was seen."""
        await asyncio.wait_for(self.app.worker.idle(), LONGEST_S)
        async with asyncio.timeout(LONGEST_S):
            while any(self.app.delivery.waiting(self.here)):
                await asyncio.sleep(LOOK_EVERY_S)
        for at in {None, self.harness.group}:
            self._seen |= {self._mark(shown, at) for shown in await self.harness.shown(at)}
        self._old, self._notes = set(self._seen), len(await self.harness.told())

    def _mark(self, shown: Shown, at: Address | None) -> tuple[str, str, str]:
        return (at or self.here).chat, shown.id, shown.text


def is_status(shown: Shown) -> bool:
    """Say whether it stands in the place of an answer."""
    return any(label in CANCEL for label in shown.buttons)


@asynccontextmanager
async def _serving(app: App, channel: object) -> AsyncIterator[None]:
    stop = asyncio.Event()
    trouble: list[str] = []
    serving = asyncio.create_task(app.serve([channel], stop=stop, hopeless=lambda name, why: trouble.append(f"{name}: {why}")))  # type: ignore[list-item]
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait([serving], timeout=LONGEST_S)
        with contextlib.suppress(asyncio.CancelledError):
            await serving
        assert not trouble, trouble


class InBot(Suite):
    """Behaviours of a whole bot."""

    pytestmark = pytest.mark.asyncio(loop_scope="class")

    @pytest_asyncio.fixture(scope="class", loop_scope="class")
    @classmethod
    async def _bot(cls, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bot]:
        folder: Path = tmp_path_factory.mktemp("bot")
        settings = Settings(
            home=folder / "home", language="en", links=LinkSettings(enabled=False), limits=LimitSettings(file_mb=1)
        )  # fmt: skip
        async with cls.harness(folder) as harness:
            bot = Bot(harness, settings)
            await bot.start()
            try:
                yield bot
            finally:
                await bot.stop()

    @pytest_asyncio.fixture(loop_scope="class")
    async def bot(self, _bot: Bot) -> AsyncIterator[Bot]:
        """The one bot of the class, with everything answered that was asked before."""
        _bot.probe.go_on.clear()
        _bot.probe.begun.clear()
        await _bot.settle()
        yield _bot
        _bot.probe.go_on.set()
        await _bot.harness.calm()
        await _bot.settle()
