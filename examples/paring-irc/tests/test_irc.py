"""What IRC brings with it: nicks that change hands, who is in a channel, servers that speak nonsense."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from ircd import LONGEST_S, NGIRCD, Ircd, ircd
from paring_irc import Irc, IrcSettings, parsed
from pydantic import SecretStr

from bot.channels.spec import ChannelKit
from bot.contract import KeptIntake
from bot.errors import RetryLaterError
from bot.message import Address, Message, Reply
from bot.passage import Scope
from bot.store.blobs import BlobStore

ANN = Address("irc", "127.0.0.1", "ann!~ann@127.0.0.1")
TEAM = "#team"
needs_ngircd = pytest.mark.skipif(not NGIRCD.exists(), reason="ngircd is not installed")
NONSENSE = (
    b"\r\n", b":\r\n", b": \r\n", b"PRIVMSG\r\n", b":x PRIVMSG paring\r\n", b":x!y@z PRIVMSG :\r\n", b"352\r\n", b":a 302\r\n",
    b"\xff\xfe\x00 \x01\r\n", b":x!y@z PRIVMSG paring :\x01VERSION\x01\r\n", b"NICK\r\n", b":paring NICK\r\n", b"KICK\r\n",
    b"403\r\n", b"@tag=1;x=\xea\xb0 :x!y@z JOIN\r\n", b"PING\r\n", b"PONG\r\n", b"9" * 60_000 + b"\r\n", b"ERROR :x\r\n",
)  # fmt: skip


@asynccontextmanager
async def running(folder: Path, port: int) -> AsyncIterator[tuple[Irc, KeptIntake]]:
    blobs = BlobStore(folder)
    settings = IrcSettings(server="127.0.0.1", port=port, tls=False, line_seconds=0, channels=(TEAM,))
    channel, intake = Irc(settings, ChannelKit("irc", blobs, folder)), KeptIntake(blobs)
    task = asyncio.create_task(channel.run(intake))
    try:
        await asyncio.wait_for(channel.begun.wait(), LONGEST_S)
        yield channel, intake
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Ircd]:
    async with ircd(tmp_path) as made:
        yield made


@needs_ngircd
async def test_who_takes_over_a_nick_is_told_nothing_of_the_former_s(server: Ircd, tmp_path: Path) -> None:
    async with running(tmp_path, server.port) as (channel, _intake):
        async with server.person("ann", user="mallory") as mallory:
            with pytest.raises(RetryLaterError):
                await channel.send(Reply("ann's secret", "en"), ANN, key="1")
            await mallory.settle()
            assert mallory.said == []
        async with server.person("ann") as ann:
            await channel.send(Reply("ann's secret", "en"), ANN, key="1")
            assert await ann.hears("secret")


@needs_ngircd
async def test_a_long_answer_goes_on_where_it_was_cut_under_another_nick(server: Ircd, tmp_path: Path) -> None:
    text = "".join(f"{number:04}" for number in range(600))
    out: list[str] = []

    class CutError(Exception):
        pass

    async def went_out(parts: Sequence[str]) -> None:
        out[:] = parts
        if len(parts) == 3:
            raise CutError

    async with server.person("ann") as ann:
        async with running(tmp_path, server.port) as (channel, _intake):
            with pytest.raises(CutError):
                await channel.send_parts(Reply(text, "ko"), ANN, key="1", edits="", sent=(), went_out=went_out)
        async with server.person("paring"), running(tmp_path, server.port) as (channel, _intake):
            await channel.send_parts(Reply(text, "ko"), ANN, key="1", edits="", sent=tuple(out), went_out=went_out_all)
        await ann.settle()
        assert "".join("".join(ann.said).split()) == "".join(text.split())


async def went_out_all(_parts: Sequence[str]) -> None:
    """Remember nothing."""


@needs_ngircd
async def test_who_is_in_a_channel_is_asked_of_the_server(server: Ircd, tmp_path: Path) -> None:
    team = Scope("group", f"irc/127.0.0.1/{TEAM}")
    async with running(tmp_path, server.port) as (channel, _intake), server.person("ann") as ann:
        assert await channel.member(ANN.chat, team) is False
        ann.write(f"JOIN {TEAM}")
        await ann.until(" 366 ")
        assert await channel.member(ANN.chat, team) is True
        assert await channel.member("ann!~mallory@127.0.0.1", team) is False
        assert await channel.member(ANN.chat, Scope("group", "irc/127.0.0.1/#other")) is False


@needs_ngircd
async def test_a_channel_that_is_shut_is_told_of_and_closed_to_answers(server: Ircd, tmp_path: Path) -> None:
    async with server.person("ann", channel=TEAM) as ann:
        ann.write(f"MODE {TEAM} +in")
        await ann.until(" MODE ")
        async with running(tmp_path, server.port) as (channel, _intake):
            with pytest.raises(Exception, match="Nothing can be said there any more"):
                await channel.send(Reply("hello", "en"), Address("irc", "127.0.0.1", TEAM, kind="group"), key="1")


async def test_nonsense_ends_nothing(tmp_path: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b":srv 001 paring :hi\r\n" + b"".join(NONSENSE) + b":x!y@z PRIVMSG paring :still there?\r\n")
        await reader.read()
        writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listener, running(tmp_path, listener.sockets[0].getsockname()[1]) as (_channel, intake):
        async with asyncio.timeout(30):
            while not any(isinstance(item, Message) and item.text == "still there?" for item in intake.items):
                await asyncio.sleep(0.01)


async def test_a_server_where_every_nick_is_taken_is_left_for_a_while(tmp_path: Path) -> None:
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            asked.append(line)
            if line.startswith(b"NICK"):
                writer.write(b":srv 433 * x :Nickname already in use\r\n")
        writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    settings = IrcSettings(server="127.0.0.1", port=listener.sockets[0].getsockname()[1], tls=False)
    async with listener:
        with pytest.raises(EOFError, match="already in use"):
            await asyncio.wait_for(Irc(settings, ChannelKit("irc", BlobStore(tmp_path), tmp_path)).connected(), LONGEST_S)
    assert len([line for line in asked if line.startswith(b"NICK")]) < 10


async def test_a_password_may_hold_what_it_will(tmp_path: Path) -> None:
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    settings = IrcSettings(server="127.0.0.1", port=port, tls=False, password=SecretStr(":two words"))
    async with listener:
        with suppress(OSError):
            await asyncio.wait_for(Irc(settings, ChannelKit("irc", BlobStore(tmp_path), tmp_path)).connected(), LONGEST_S)
    assert asked == [b"PASS ::two words\r\n"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (":ann!~a@h PRIVMSG #team :hello: you", ("ann!~a@h", "PRIVMSG", ["#team", "hello: you"])),
        ("@time=1;x=y :srv 001 paring :hi", ("srv", "001", ["paring", "hi"])),
        ("PING token", ("", "PING", ["token"])),
        (":a JOIN", ("a", "JOIN", [""])),
        ("", ("", "", [""])),
    ],
)
def test_a_line_is_read(line: str, said: tuple[str, str, list[str]]) -> None:
    assert tuple(parsed(line)) == said
