"""What a channel of plain lines is given: each behaviour over a platform that is a list."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from bot.channels.backoff import Backoff
from bot.channels.channel import Taken
from bot.channels.pace import Pace
from bot.channels.spec import ChannelKit
from bot.channels.text_channel import Heard, TextChannel, called
from bot.contract import KeptIntake
from bot.errors import AmbiguousSendError, ChannelError, GoneError, RetryLaterError, StoreError
from bot.locale import Text
from bot.message import Address, Button, Command, Message, Press, Reply, Source
from bot.passage import Scope
from bot.skill import CommandSpec
from bot.store.blobs import BlobStore

ANN = Address("wire", "host", "ann")
TEAM = Address("wire", "host", "#team", kind="group")


class Wire(TextChannel):
    """Is connected until `cut` is set; fails on the lines of `failures`."""

    def __init__(self, folder: Path, *, line_bytes: int = 40) -> None:
        async def pause(_seconds: float) -> None:
            await asyncio.sleep(0)

        super().__init__(
            ChannelKit("wire", BlobStore(folder), folder), account="host", line_bytes=line_bytes,
            pace=Pace(burst=1, every_s=0), backoff=Backoff(pause),
        )  # fmt: skip
        self.said: list[str] = []
        self.failures: dict[str, ChannelError] = {}
        self.connections = 0
        self.cut = asyncio.Event()
        self.refused: Exception | None = None

    async def connected(self) -> None:
        self.connections += 1
        if self.refused is not None:
            raise self.refused
        self.up()
        await self.cut.wait()
        self.cut.clear()
        raise ConnectionResetError

    async def put(self, line: str, to: Address) -> None:
        if error := self.failures.pop(line, None):
            raise error
        self.said.append(line)


@asynccontextmanager
async def running(wire: Wire, intake: KeptIntake) -> AsyncIterator[None]:
    task = asyncio.create_task(wire.run(intake))
    await asyncio.wait_for(wire.begun.wait(), 60)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.fixture
async def wire(tmp_path: Path) -> AsyncIterator[tuple[Wire, KeptIntake]]:
    made, intake = Wire(tmp_path), KeptIntake(BlobStore(tmp_path))
    async with running(made, intake):
        yield made, intake


async def heard(wire: Wire, intake: KeptIntake, text: str, **more: object) -> Message | Press:
    before = len(intake.items)
    await wire.hear(Heard(ANN, "ann!a@b", text, name="ann", **more))  # type: ignore[arg-type]
    return await intake.next(before)


async def test_what_is_said_is_a_message_and_a_mark_of_exclamation_a_command(wire: tuple[Wire, KeptIntake]) -> None:
    plain, order = await heard(*wire, " 어디? \0"), await heard(*wire, "!sum 50")
    assert isinstance(plain, Message)
    assert isinstance(order, Message)
    assert (plain.text, plain.sender, plain.sender_name, plain.language, plain.command) == ("어디?", "ann!a@b", "ann", "ko", None)
    assert order.command == Command("sum", "50")
    assert plain.id != order.id


async def test_talk_that_is_not_for_the_bot_orders_nothing(wire: tuple[Wire, KeptIntake]) -> None:
    wire[1].buttons = (Button("More", Command("more"), "t"),)
    for text in ("!sum 50", "#1"):
        said = await heard(*wire, text, addressed=False)
        assert isinstance(said, Message)
        assert said.command is None
        assert not said.addressed


async def test_a_button_is_pressed_by_its_number(wire: tuple[Wire, KeptIntake]) -> None:
    wire[1].buttons = (Button("More", Command("more"), "first"), Button("Less", Command("less"), "second"))
    for text, token in (("#2", "second"), ("!1", "first")):
        pressed = await heard(*wire, text)
        assert isinstance(pressed, Press)
        assert (pressed.token, pressed.sender, pressed.address) == (token, "ann!a@b", ANN)
    for text in ("#3", "#0", "#", "#12x"):
        assert isinstance(await heard(*wire, text), Message)


async def test_a_long_text_that_a_client_cut_is_one_message(wire: tuple[Wire, KeptIntake]) -> None:
    made, intake = wire
    for text, addressed in (("!sum " + "가" * 120, True), ("나" * 120, False), ("다", False), ("z" * 400, False)):
        await made.hear(Heard(TEAM, "ann!a@b", text, name="ann", addressed=addressed))
    await made.hear(Heard(TEAM, "ann!a@b", "y" * 400, name="ann"))
    await made.hear(Heard(TEAM, "ben!b@b", "x" * 400, name="ben"))
    await made.hear(Heard(TEAM, "ann!a@b", "and this", name="ann"))
    await intake.next(4)
    said = [item for item in intake.items if isinstance(item, Message)]
    assert [item.text for item in said] == [
        "!sum " + "가" * 120 + " " + "나" * 120 + " 다", "z" * 400, "y" * 400, "x" * 400, "and this",
    ]  # fmt: skip
    assert said[0].command == Command("sum", "가" * 120 + " " + "나" * 120 + " 다")
    await asyncio.wait_for(made._heard.join(), 10)


async def test_lines_that_never_end_come_to_messages_of_so_many_bytes(
    wire: tuple[Wire, KeptIntake], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.channels.text_channel.MOST_BYTES", 1000)
    monkeypatch.setattr("bot.channels.text_channel.CUT_S", 0.01)
    for _line in range(8):
        await wire[0].hear(Heard(ANN, "ann!a@b", "x" * 400, name="ann"))
    await wire[1].next(1)
    assert [len(item.text) for item in wire[1].items[:2] if isinstance(item, Message)] == [1202, 1202]


async def test_what_was_read_is_committed_once_the_store_is_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.channels.text_channel.STORE_WAIT_S", 0.0)

    class Away(KeptIntake):
        failures = 3

        async def accept(self, item: Message | Press) -> Taken:
            if self.failures:
                self.failures -= 1
                raise StoreError("the disk is full")
            return await super().accept(item)

    made, intake = Wire(tmp_path), Away(BlobStore(tmp_path))
    async with running(made, intake):
        said = [await heard(made, intake, text) for text in ("one", "two")]
    assert [one.text for one in said if isinstance(one, Message)] == ["one", "two"]
    assert len(intake.items) == 2


async def test_what_the_intake_notes_is_said_there(tmp_path: Path) -> None:
    class Stranger(KeptIntake):
        async def accept(self, item: Message | Press) -> Taken:
            await super().accept(item)
            return Taken(fresh=False, note="I do not know you yet.")

    made, intake = Wire(tmp_path), Stranger(BlobStore(tmp_path))
    async with running(made, intake):
        await heard(made, intake, "hello")
        await made._heard.join()
    assert made.said == ["I do not know you yet."]


async def test_lines_are_cut_by_bytes_and_no_letter_is(wire: tuple[Wire, KeptIntake]) -> None:
    text = "가나다라마바사 아자차카타파하 🐈‍⬛🐈‍⬛🐈‍⬛🐈‍⬛\n\n  \nlast"
    await wire[0].send(Reply(text, "ko"), ANN, key="1")
    assert all(0 < len(line.encode()) <= 40 for line in wire[0].said)
    assert "".join("".join(wire[0].said).split()) == "".join(text.split())
    assert wire[0].said[-1] == "last"


async def test_no_line_of_a_reply_is_an_order_to_the_platform(wire: tuple[Wire, KeptIntake]) -> None:
    await wire[0].send(Reply("a\r\nQUIT :x\0\x01ACTION\x02b\u2028c", "en"), ANN, key="1")
    assert wire[0].said == ["a", "QUIT :x  ACTION b\u2028c"]


async def test_an_order_is_told_as_it_is_typed_there_and_a_passage_stays_as_it_was_said(tmp_path: Path) -> None:
    made = Wire(tmp_path, line_bytes=200)
    async with running(made, KeptIntake(BlobStore(tmp_path))):
        await made.publish_commands([CommandSpec("help", Text("-"), aliases=("도움말",))], [CommandSpec("admit", Text("-"))])
        text = "Write `/help`, /도움말 or `/admit CODE`; not /helpme, /etc/help, /help/x or https://a.example/help."
        await made.send(Reply(text, "en", sources=(Source("/help", "say /help", "", 0.5),)), ANN, key="1")
    assert made.said == [
        "Write !help, !도움말 or !admit CODE; not /helpme, /etc/help, /help/x or https://a.example/help.", "1. /help", "> say /help"
    ]  # fmt: skip


async def test_who_asked_in_a_group_is_named_there(wire: tuple[Wire, KeptIntake]) -> None:
    said = await heard(*wire, "hello")
    assert isinstance(said, Message)
    await wire[0].send(Reply("hi", "en", reply_to=said.id), TEAM, key="1")
    await wire[0].send(Reply("hi", "en", reply_to=said.id), ANN, key="2")
    assert wire[0].said == ["ann: hi", "hi"]


async def test_a_reply_goes_on_after_the_line_that_failed(wire: tuple[Wire, KeptIntake]) -> None:
    made = wire[0]
    made.failures["two"] = AmbiguousSendError("?")
    out: list[str] = []

    async def went_out(parts: Sequence[str]) -> None:
        out[:] = parts

    reply = Reply("one\ntwo\nthree", "en")
    with pytest.raises(AmbiguousSendError):
        await made.send_parts(reply, ANN, key="7", edits="", sent=(), went_out=went_out)
    assert (made.said, out) == (["one"], ["7.1"])
    assert await made.send_parts(reply, ANN, key="7", edits="", sent=out, went_out=went_out) == "7.1"
    assert (made.said, out) == (["one", "two", "three"], ["7.1", "7.2"])


async def test_nothing_is_sent_while_nothing_is_connected(tmp_path: Path) -> None:
    made = Wire(tmp_path)
    with pytest.raises(RetryLaterError) as error:
        await made.send(Reply("hello", "en"), ANN, key="1")
    assert "wire" in error.value.sentence("ko")
    assert made.said == []


async def test_a_connection_that_ends_is_made_again(wire: tuple[Wire, KeptIntake]) -> None:
    for _time in range(3):
        before = wire[0].connections
        wire[0].cut.set()
        async with asyncio.timeout(60):
            while wire[0].connections == before or not wire[0].begun.is_set():
                await asyncio.sleep(0)
        assert await wire[0].send(Reply("hello", "en"), ANN, key="1")


async def reconnected(made: Wire) -> None:
    before = made.connections
    made.cut.set()
    async with asyncio.timeout(60):
        while made.connections == before or not made.begun.is_set():
            await asyncio.sleep(0)


async def test_a_server_that_throws_out_after_the_login_is_asked_ever_later(
    wire: tuple[Wire, KeptIntake], monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(wire[0]._backoff, "_pause", lambda seconds: asyncio.sleep(0, waits.append(seconds)))
    for _time in range(6):
        await reconnected(wire[0])
    assert waits[5] > 4 > waits[0]


async def test_each_outage_of_a_connection_that_lasted_is_told(
    wire: tuple[Wire, KeptIntake], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr("bot.channels.text_channel.log.warning", lambda said, **_more: told.append(said))
    monkeypatch.setattr("bot.channels.text_channel.SETTLED_S", 0.0)
    for _time in range(2):
        await reconnected(wire[0])
    assert len(told) == 2


async def test_what_can_never_be_ends_the_channel(tmp_path: Path) -> None:
    made = Wire(tmp_path)
    made.refused = ChannelError("a wrong password")
    with pytest.raises(ChannelError, match="password"):
        await made.run(KeptIntake(BlobStore(tmp_path)))


async def test_nobody_is_known_to_be_in_a_group(wire: tuple[Wire, KeptIntake]) -> None:
    assert await wire[0].member("ann", Scope("group", "wire/host/#team")) is None
    assert await wire[0].member("ann", Scope("workspace", "wire/host")) is False
    assert await wire[0].member("", Scope("group", "wire/host/#team")) is False


async def test_what_waits_for_somebody_who_is_away_is_kept_for_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("bot.channels.text_channel.time.monotonic", lambda: now[0])
    made = Wire(tmp_path)
    waits = []
    for _time in range(8):
        error = made.absent(ANN, "ann is not here")
        assert isinstance(error, RetryLaterError)
        waits.append(error.retry_after_s)
    assert waits == [2, 4, 8, 16, 32, 60, 60, 60]
    now[0] = 25 * 3600.0
    assert isinstance(made.absent(ANN, "ann is not here"), GoneError)
    assert isinstance(made.absent(ANN, "ann is not here"), RetryLaterError)  # another answer has a day of its own
    assert isinstance(made.absent(TEAM, "x"), RetryLaterError)


async def test_who_speaks_is_there_and_is_waited_for_anew(wire: tuple[Wire, KeptIntake]) -> None:
    made = wire[0]
    for _time in range(3):
        made.absent(Address("wire", "host", "ann!a@b"), "ann is not here")
    await made.hear(Heard(TEAM, "ann!a@b", "hello", name="ann"))
    error = made.absent(Address("wire", "host", "ann!a@b"), "ann is not here")
    assert isinstance(error, RetryLaterError)
    assert error.retry_after_s == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("paring: hello", "hello"),
        ("Paring, 안녕", "안녕"),
        ("@paring !sum 50", "!sum 50"),
        ("paring hello", "hello"),
        ("hello @paring", "hello"),
        ("so, @paring, what now?", "so, , what now?"),
        ("paring:", ""),
        ("@Paring , ", ""),
        ("paring", None),
        ("paringbot: hello", None),
        ("I like paring apples", None),
        ("mail a@paring.example", None),
        ("@paring-x hello", None),
    ],
)
def test_who_is_called(text: str, said: str | None) -> None:
    assert called(text, "paring") == said
