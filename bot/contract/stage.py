"""What a channel is tested on by itself: its platform, and an intake that only keeps what comes. One start of the channel for a class."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from bot.contract.intake import LONGEST_S, KeptIntake
from bot.contract.suite import Suite
from bot.message import Address, Message, Press, Reply
from bot.store.blobs import BlobStore

if TYPE_CHECKING:
    from bot.channels.channel import Channel
    from bot.contract.harness import File, Harness, Shown, Who

LOOK_EVERY_S = 0.02
"""How often it is looked whether a platform shows something by now."""


class Scene:
    """Where what is tested is said: the places of a harness."""

    harness: Harness

    @property
    def here(self) -> Address:
        """Ann's own chat with the bot."""
        return self.harness.here

    @property
    def group(self) -> Address:
        """The group in which Ann, Ben and the bot are."""
        if self.harness.group is None:
            raise self.harness.unknown("which group there is")
        return self.harness.group


@dataclass
class Stage(Scene):
    """What a behaviour is tested on: the platform, the channel that runs on it, and the intake behind."""

    harness: Harness
    channel: Channel
    intake: KeptIntake
    _keys: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _answered: int = 0

    async def heard(
        self, text: str, *, at: Address | None = None, by: Who = "ann", files: Sequence[File] = (), reply_to: str = "", called: bool = False
    ) -> Message:  # fmt: skip
        """Have somebody say `text`; return what the intake was given."""
        await self.settle()
        before = len(self.intake.items)
        number = await self.harness.say(text, at=at, by=by, files=files, reply_to=reply_to, called=called)
        item = await self.intake.next(before, of=number)
        assert isinstance(item, Message)
        return item

    async def said(self, text: str, *, at: Address | None = None, by: Who = "ann") -> str:
        """Have somebody say `text`, and wait for nothing but what they themselves must wait for; return its id."""
        before = len(self.intake.items)
        number = await self.harness.say(text, at=at, by=by)
        if self.harness.waits_for_answers:
            await self.intake.next(before)
            await self.settle()
        return number

    async def pressed(self, shown: Shown, label: str) -> Press:
        """Have Ann press a button; return what the intake was given."""
        await self.settle()
        before = len(self.intake.items)
        await self.harness.press(shown, label)
        item = await self.intake.next(before)
        assert isinstance(item, Press)
        return item

    async def sent(self, reply: Reply, *, to: Address | None = None) -> str:
        """Have the bot send `reply`; return the id of what it became."""
        self.intake.buttons = reply.buttons or self.intake.buttons
        return await self.channel.send(reply, to or self.here, key=str(next(self._keys)))

    async def showing(self, reply: Reply, *, to: Address | None = None) -> Sequence[Shown]:
        """Have the bot send `reply`; return the messages that show it."""
        before = {shown.id for shown in await self.harness.shown(to)}
        await self.sent(reply, to=to)
        return [shown for shown in await self.harness.shown(to) if shown.id not in before]

    async def file_of(self, message: Message, into: Path) -> bytes:
        """Return the first file that came with `message`, as the channel fetches it."""
        await self.channel.fetch(message.attachments[0], into)
        return into.read_bytes()  # noqa: ASYNC240 - a test's own file

    async def until_told(self, words: str) -> None:
        """Return once Ann was told `words`, by a message or beside them."""
        async with asyncio.timeout(LONGEST_S):
            while not any(
                words in said for said in [*await self.harness.told(), *(one.text for one in await self.harness.shown())]
            ):
                await asyncio.sleep(LOOK_EVERY_S)

    async def settle(self) -> None:
        """Answer what was said, where people wait for that."""
        for item in self.intake.items[self._answered :] if self.harness.waits_for_answers else ():
            await self.sent(Reply(".", "en"), to=item.address)
        self._answered = len(self.intake.items)


@asynccontextmanager
async def running(harness: Harness, folder: Path) -> AsyncIterator[Stage]:
    """Run the channel of `harness` over an intake of its own."""
    blobs = BlobStore(folder / "blobs")
    channel, intake = harness.channel(blobs), KeptIntake(blobs)
    task = asyncio.create_task(channel.run(intake))
    ready = asyncio.ensure_future(harness.ready(channel))
    try:
        await asyncio.wait([task, ready], timeout=LONGEST_S, return_when=asyncio.FIRST_COMPLETED)
        assert not task.done(), f"the channel ended at once: {task}"
        assert ready.done(), "the channel was not ready in time"
        await ready
        yield Stage(harness, channel, intake)
    finally:
        ready.cancel()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


class OnStage(Suite):
    """Behaviours that are tested on a Stage."""

    pytestmark = pytest.mark.asyncio(loop_scope="class")

    @pytest_asyncio.fixture(scope="class", loop_scope="class")
    @classmethod
    async def _stage(cls, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
        folder = tmp_path_factory.mktemp("channel")
        async with cls.harness(folder) as harness, running(harness, folder) as stage:
            yield stage

    @pytest_asyncio.fixture(loop_scope="class")
    async def stage(self, _stage: Stage) -> AsyncIterator[Stage]:
        """The one stage of the class, with everything answered that was said before."""
        await _stage.settle()
        yield _stage
        await _stage.harness.calm()
        await _stage.settle()
