"""What every channel keeps. A channel is tested by being listed in HARNESSES."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from fakes import slack as fake_slack
from fakes.hostile_texts import HOSTILE
from fakes.telegram_bot_api.client import ANN, running
from fakes.web import MemoryTranscript
from pydantic import SecretStr
from rich.console import Console as Terminal

from bot.channels.channel import Channel, ChannelError, Taken
from bot.channels.console import Console
from bot.channels.slack import Slack
from bot.channels.telegram import Telegram
from bot.channels.web import ME, Web
from bot.config import TelegramSettings, WebSettings
from bot.errors import ParingError
from bot.locale import Language, Text
from bot.message import Address, Attachment, Button, Command, Message, Picture, Press, Reply, Source
from bot.passage import Scope
from bot.skill import CommandSpec
from bot.store.blobs import BlobStore


@dataclass
class Intake:
    """Keeps what is accepted, once an id and version, as the inbox does."""

    blobs: BlobStore
    items: list[Message | Press] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def accept(self, item: Message | Press) -> Taken:
        known = {(one.id, getattr(one, "version", 0)) for one in self.items}
        if (item.id, getattr(item, "version", 0)) in known:
            return Taken(fresh=False)
        self.items.append(item)
        self.arrived.set()
        return Taken(fresh=True)

    async def language(self, address: Address, text: str, platform_language: str) -> Language:
        return "ko" if any("가" <= letter <= "힣" for letter in text) else "en"

    async def moved(self, old: Address, new: Address) -> None:
        raise AssertionError(f"{old} is not said to move to {new}")

    async def removed(self, address: Address, message: str) -> None:
        raise AssertionError(f"{message} is not said to be taken back in {address}")

    def members_changed(self, group: Address, person: str = "") -> None:
        raise AssertionError(f"nobody is said to come to {group} or to leave it")

    def keep(self, data: bytes) -> str:
        return self.blobs.keep(data)


@dataclass
class Harness:
    """One channel that runs, the chat of the one person in it, and a way to have that person say something."""

    channel: Channel
    here: Address
    intake: Intake
    say: Callable[[str], Awaitable[object]]

    async def heard(self, text: str) -> Message:
        await self.say(text)
        await asyncio.wait_for(self.intake.arrived.wait(), 30)
        item = self.intake.items[-1]
        assert isinstance(item, Message)
        return item


@asynccontextmanager
async def web(folder: Path) -> AsyncIterator[Harness]:
    blobs = BlobStore(folder)
    channel, intake = Web(WebSettings(port=0), blobs=blobs, transcript=MemoryTranscript()), Intake(blobs)
    async with run(channel, intake):
        await asyncio.wait_for(channel.ready.wait(), 30)
        async with httpx.AsyncClient(base_url=channel.url, headers={"x-paring": "en"}) as client:
            ids = iter(f"{number:016x}" for number in range(1000))
            yield Harness(
                channel,
                Address("web", "local", ME),
                intake,
                lambda text: client.post("/api/say", json={"id": next(ids), "text": text}),
            )


@asynccontextmanager
async def console(folder: Path) -> AsyncIterator[Harness]:
    blobs = BlobStore(folder)
    lines: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def read(_prompt: str) -> str:
        return asyncio.run_coroutine_threadsafe(lines.get(), loop).result()

    intake = Intake(blobs)
    channel = Console(blobs=blobs, read=read, terminal=Terminal(file=io.StringIO(), width=100))
    async with run(channel, intake):
        yield Harness(channel, Address("console", "local", "terminal"), intake, lines.put)
        await lines.put("/quit")


@asynccontextmanager
async def telegram(folder: Path) -> AsyncIterator[Harness]:
    blobs = BlobStore(folder)
    async with running("7:CONTRACT") as fake:
        settings = TelegramSettings(token=SecretStr("7:CONTRACT"), base_url=fake.base_url, base_file_url=fake.base_file_url)
        channel, intake = Telegram(settings, blobs=blobs, poll_s=1), Intake(blobs)
        await fake.order("person", id=ANN, first_name="Ann", language_code="en")
        async with run(channel, intake):
            yield Harness(channel, Address("telegram", "7", str(ANN)), intake, fake.say)


@asynccontextmanager
async def run(channel: Channel, intake: Intake) -> AsyncIterator[None]:
    task = asyncio.create_task(channel.run(intake))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def slack(folder: Path) -> AsyncIterator[Harness]:
    blobs = BlobStore(folder)
    async with fake_slack.slack() as fake:
        channel, intake = Slack(fake.settings(), blobs=blobs), Intake(blobs)
        async with run(channel, intake):
            await asyncio.wait_for(fake.connected(), 30)
            yield Harness(channel, Address("slack", fake_slack.TEAM, fake_slack.ANN), intake, fake.say)


HARNESSES = (web, console, telegram, slack)
PASSAGE = Source("plan.md · page 2", "Before. We move on 3 March. After.", "document:1#page=2", 0.91, (8, 28))
BUTTON = Button("More", Command("search", "--count 5"), token="t0ken")


@pytest.fixture(params=HARNESSES, ids=lambda harness: harness.__name__)
async def harness(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Harness]:
    async with request.param(tmp_path) as made:
        yield made


def reply(text: str, **more: object) -> Reply:
    return Reply(text, "en", **more)  # type: ignore[arg-type]


async def test_who_is_not_known_to_be_in_a_group_is_not_in_it(harness: Harness) -> None:
    here = harness.here
    strange = Scope("group", f"{here.channel}/{here.account}/-404")
    assert not await harness.channel.member("4711", strange)
    assert not await harness.channel.member("", strange)
    assert not await harness.channel.member("4711", Scope("workspace", f"{here.channel}/{here.account}"))
    assert await harness.channel.workspace("-404") is None


async def test_it_says_who_and_how_large_it_is(harness: Harness) -> None:
    channel = harness.channel
    assert (channel.name, channel.account) == (harness.here.channel, harness.here.account)
    assert channel.limits.text_units > 0
    assert channel.limits.download_bytes > 0


async def test_what_is_said_becomes_a_message(harness: Harness) -> None:
    message = await harness.heard("어디 있어?")
    assert (message.text, message.language, message.address) == ("어디 있어?", "ko", harness.here)
    assert message.addressed
    assert message.sender
    assert message.id
    assert message.sent_at.utcoffset() == timedelta(0)


async def test_a_slash_becomes_a_command(harness: Harness) -> None:
    assert (await harness.heard("/SUM 50 lines")).command == Command("sum", "50 lines")


async def test_a_slash_within_a_text_is_no_command(harness: Harness) -> None:
    assert (await harness.heard("either/or, and /etc/hosts")).command is None


async def test_many_lines_of_many_scripts_arrive_as_they_were_said(harness: Harness) -> None:
    said = "안녕 🐈‍⬛ café 日本 <b>not bold</b> *not bold* \\ & ;"
    assert (await harness.heard(said)).text == said


@pytest.mark.parametrize(
    "shown",
    [
        reply("plain"),
        reply("**bold** *slanted* `code` [link](https://example.org)\n\n- one\n- two\n\n> quoted\n\n```py\nx = 1\n```"),
        reply("found", sources=(PASSAGE,) * 5, buttons=(BUTTON,)),
        reply("긴 글 🐈 " * 3000),
        reply("```\n" + "code " * 3000 + "\n```"),
        reply("unbalanced **bold `code [link](", buttons=(BUTTON,) * 4),
        reply("a\ud800b\0c\u202ed"),
    ],
    ids=["plain", "formatted", "sources", "long", "long-code", "unbalanced", "dirty"],
)
async def test_a_reply_is_sent_and_gets_an_id(harness: Harness, shown: Reply) -> None:
    assert await harness.channel.send(shown, harness.here, key="1")


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_texts_are_sent_too(harness: Harness, text: str) -> None:
    assert await harness.channel.send(reply(text or "-", sources=(Source(text, text, text, 0.5),)), harness.here, key="1")


async def test_a_picture_is_sent_with_its_words(harness: Harness) -> None:
    blob = harness.intake.keep(b"\x89PNG\r\n\x1a\n" + bytes(64))
    assert await harness.channel.send(reply("drawn", images=(Picture(blob, "a cat"),)), harness.here, key="1")


async def test_a_status_is_edited_into_the_answer_and_that_may_be_repeated(harness: Harness) -> None:
    sent = await harness.channel.send(reply("I am working on it …"), harness.here, key="status 1")
    for _time in range(2):
        assert await harness.channel.edit(sent, reply("done", sources=(PASSAGE,)), harness.here)


async def test_typing_never_raises(harness: Harness) -> None:
    await harness.channel.typing(harness.here)
    await harness.channel.typing(Address(harness.here.channel, harness.here.account, "-1"))


async def test_a_menu_of_commands_is_taken(harness: Harness) -> None:
    specs = [CommandSpec("sum", Text("Shorten a text"), aliases=("요약",)), CommandSpec("secret", Text("-"), listed=False)]
    await harness.channel.publish_commands(specs, [CommandSpec("models", Text("The models"))])


async def test_a_file_that_is_not_there_is_told(harness: Harness, tmp_path: Path) -> None:
    with pytest.raises(ParingError):
        await harness.channel.fetch(Attachment("document", "a.txt", "text/plain", 3, ref="none", blob="0" * 64), tmp_path / "a")


async def test_a_chat_that_is_gone_is_told_as_a_channel_error_or_shown_to_nobody(harness: Harness) -> None:
    try:
        await harness.channel.send(reply("hello"), Address(harness.here.channel, harness.here.account, "999999"), key="1")
    except ChannelError as error:
        assert error.sentence("ko")
