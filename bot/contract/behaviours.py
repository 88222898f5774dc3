"""The behaviours of a channel by itself, over an intake that only keeps what comes: milliseconds each, one start of the channel for all."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from bot.contract.hostile_texts import HOSTILE
from bot.contract.intake import LONGEST_S, KeptIntake
from bot.contract.suite import Suite
from bot.errors import ChannelError, ParingError
from bot.locale import Text
from bot.message import Address, Attachment, Button, Command, Message, Picture, Reply, Source
from bot.passage import Scope
from bot.skill import CommandSpec
from bot.store.blobs import BlobStore

if TYPE_CHECKING:
    from bot.channels.channel import Channel
    from bot.contract.harness import Harness

PASSAGE = Source("plan.md · page 2", "Before. We move on 3 March. After.", "document:1#page=2", 0.91, (8, 28))
BUTTON = Button("More", Command("search", "--count 5"), token="t0ken")  # noqa: S106 - a button's token is no secret
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


@dataclass
class Stage:
    """What a behaviour is tested on: the platform, the channel that runs on it, and the intake behind."""

    harness: Harness
    channel: Channel
    intake: KeptIntake
    _keys: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _answered: int = 0

    @property
    def here(self) -> Address:
        """The person's own chat with the bot."""
        return self.harness.here

    async def heard(self, text: str) -> Message:
        """Have the person say `text`; return what the intake was given."""
        before = len(self.intake.items)
        await self.harness.say(text)
        item = await self.intake.next(before)
        assert isinstance(item, Message)
        return item

    async def sent(self, reply: Reply, *, to: Address | None = None) -> str:
        """Have the bot send `reply`; return the id of what it became."""
        return await self.channel.send(reply, to or self.here, key=str(next(self._keys)))

    async def settle(self) -> None:
        """Answer what was said, where people wait for that."""
        for item in self.intake.items[self._answered :] if self.harness.waits_for_answers else ():
            await self.sent(_reply("."), to=item.address)
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


class ChannelContract(Suite):
    """What every channel keeps by itself. A subclass of a name that begins with Test, with its `harness`, is a channel tested."""

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
        await _stage.settle()

    async def test_who_is_not_known_is_in_no_group(self, stage: Stage) -> None:
        """Who is not known to be in a group or a workspace is not in it."""
        here = stage.here
        strange = Scope("group", f"{here.channel}/{here.account}/-404")
        assert not await stage.channel.member("4711", strange)
        assert not await stage.channel.member("", strange)
        assert not await stage.channel.member("4711", Scope("workspace", f"{here.channel}/{here.account}"))
        assert await stage.channel.workspace("-404") is None

    async def test_it_says_who_and_how_large_it_is(self, stage: Stage) -> None:
        """It says which account it is, and what it can carry."""
        channel = stage.channel
        assert (channel.name, channel.account) == (stage.here.channel, stage.here.account)
        assert channel.limits.text_units > 0
        assert channel.limits.download_bytes > 0

    async def test_a_text_comes_in(self, stage: Stage) -> None:
        """What a person says becomes a message: text, language, place, writer, moment."""
        message = await stage.heard("어디 있어?")
        assert (message.text, message.language, message.address) == ("어디 있어?", "ko", stage.here)
        assert message.addressed
        assert message.sender
        assert message.id
        assert message.sent_at.utcoffset() == timedelta(0)

    async def test_a_slash_is_a_command(self, stage: Stage) -> None:
        """`/sum 50 lines` is a command, in whatever case."""
        assert (await stage.heard("/SUM 50 lines")).command == Command("sum", "50 lines")

    async def test_a_slash_within_a_text_is_none(self, stage: Stage) -> None:
        """A slash within a text, or a path, is no command."""
        assert (await stage.heard("either/or, and /etc/hosts")).command is None

    async def test_every_script_comes_in_whole(self, stage: Stage) -> None:
        """Emoji that are joined, accents, Hangul, markup and entities come in as they were typed."""
        said = "안녕 🐈‍⬛ café 日本 <b>not bold</b> *not bold* \\ & ;"
        assert (await stage.heard(said)).text == said

    @pytest.mark.parametrize(
        "text",
        ["plain", "**bold** *slanted* `code` [link](https://example.org)\n\n- one\n- two\n\n> quoted\n\n```py\nx = 1\n```",
         "긴 글 🐈 " * 3000, "```\n" + "code " * 3000 + "\n```", "unbalanced **bold `code [link](", "a\ud800b\0c\u202ed"],
        ids=["plain", "formatted", "long", "long-code", "unbalanced", "dirty"],
    )  # fmt: skip
    async def test_a_reply_goes_out(self, stage: Stage, text: str) -> None:
        """A reply goes out, whatever its text, and gets an id."""
        assert await stage.sent(_reply(text, buttons=(BUTTON,) * 4, sources=(PASSAGE,) * 2))

    async def test_hostile_texts_go_out(self, stage: Stage) -> None:
        """Hostile texts, titles and links go out like any other."""
        for text in HOSTILE:
            assert await stage.sent(_reply(text, sources=(Source(text, text, text, 0.5),))), text

    async def test_a_picture_goes_out_with_its_words(self, stage: Stage) -> None:
        """A picture goes out, with words for those who do not see it."""
        assert await stage.sent(_reply("drawn", images=(Picture(stage.intake.keep(PNG), "a cat"),)))

    async def test_a_status_becomes_the_answer(self, stage: Stage) -> None:
        """A status is edited into the answer, and that may be repeated."""
        sent = await stage.sent(_reply("I am working on it …"))
        for _time in range(2):
            assert await stage.channel.edit(sent, _reply("done", sources=(PASSAGE,)), stage.here)

    async def test_typing_never_raises(self, stage: Stage) -> None:
        """Typing is shown, or nothing is; it never breaks anything."""
        await stage.channel.typing(stage.here)
        await stage.channel.typing(Address(stage.here.channel, stage.here.account, "-1"))

    async def test_a_menu_is_taken(self, stage: Stage) -> None:
        """A menu of commands is taken, in both languages."""
        specs = [CommandSpec("sum", Text("Shorten a text"), aliases=("요약",)), CommandSpec("secret", Text("-"), listed=False)]
        await stage.channel.publish_commands(specs, [CommandSpec("models", Text("The models"))])

    async def test_a_file_that_is_gone_is_told(self, stage: Stage, tmp_path: Path) -> None:
        """A file that the platform has no more is told as a sentence."""
        with pytest.raises(ParingError):
            await stage.channel.fetch(Attachment("document", "a.txt", "text/plain", 3, ref="none", blob="0" * 64), tmp_path / "a")

    async def test_a_chat_that_is_gone_is_told(self, stage: Stage) -> None:
        """A chat that is gone is told as an error of the channel, or shown to nobody."""
        try:
            await stage.sent(_reply("hello"), to=Address(stage.here.channel, stage.here.account, "999999"))
        except ChannelError as error:
            assert error.sentence("ko")


def _reply(
    text: str, *, buttons: tuple[Button, ...] = (), sources: tuple[Source, ...] = (), images: tuple[Picture, ...] = ()
) -> Reply:
    return Reply(text, "en", images=images, buttons=buttons, sources=sources)
