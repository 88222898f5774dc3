from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from rich.console import Console as Terminal

from bot.channels.channel import Channel, ChannelError, Taken
from bot.channels.console import Console, message_from
from bot.channels.console_render import as_json, harmless, render
from bot.contract.hostile_texts import HOSTILE
from bot.errors import GoneError, TooLargeError, UnreadableError
from bot.locale import Language, Text
from bot.message import Address, Attachment, Button, Command, Message, Press, Receipt, Reply, Source
from bot.skill import CommandSpec
from bot.store.blobs import BlobStore

HERE = Address("console", "local", "terminal")
PASSAGE = "Rent is due. Notice: 3 months. End."
FULL = Reply(
    "**Three** months:\nin writing",
    "en",
    buttons=(Button("More", Command("more", "5"), "tok-more"), Button("Fewer", Command("fewer"), "tok-fewer")),
    sources=(Source("lease.pdf · page 4", PASSAGE, "/blobs/x", 0.93, (13, 30)),),
    receipt=Receipt("search", "minilm@53aa", 0.97, "summarise", 0.02, (("embed", 2.0), ("index", 1.5)), tokens=7),
)


@dataclass
class Answering:
    """An intake that has each message answered at once, as a bot on the same loop would."""

    blobs: BlobStore
    console: Console | None = None
    reply: Reply = FULL
    accepted: list[Message | Press] = field(default_factory=list)
    note: str = ""

    async def accept(self, item: Message | Press) -> Taken:
        self.accepted.append(item)
        if self.note:
            return Taken(fresh=False, note=self.note)
        if self.console:
            await self.console.send(self.reply, item.address, key=item.id)
        return Taken(fresh=True)

    async def language(self, address: Address, text: str, platform_language: str) -> Language:
        return "ko" if any("가" <= letter <= "힣" for letter in text) else "en"

    async def moved(self, old: Address, new: Address) -> None:
        raise AssertionError(f"{old} is not said to move to {new}")

    def members_changed(self, group: Address, person: str = "") -> None:
        raise AssertionError(f"nobody is said to come to {group} or to leave it")

    def keep(self, data: bytes) -> str:
        return self.blobs.keep(data)


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs")


@pytest.fixture
def intake(blobs: BlobStore) -> Answering:
    return Answering(blobs)


@pytest.fixture
def page() -> io.StringIO:
    return io.StringIO()


def console(lines: Iterable[str], page: io.StringIO, intake: Answering) -> Console:
    given = iter(lines)

    def read(_prompt: str) -> str:
        try:
            return next(given)
        except StopIteration:
            raise EOFError from None

    made = Console(blobs=intake.blobs, read=read, terminal=Terminal(file=page, width=100))
    intake.console = made
    return made


async def chat(lines: Iterable[str], page: io.StringIO, intake: Answering) -> str:
    await console(lines, page, intake).run(intake)
    return page.getvalue()


def test_it_is_a_channel(page: io.StringIO, intake: Answering) -> None:
    channel: Channel = console([], page, intake)
    assert (channel.name, channel.account) == ("console", "local")
    assert channel.limits.repeatable_sends
    assert not channel.limits.edits


async def test_lines_are_sent_and_answered_until_the_input_ends(page: io.StringIO, intake: Answering) -> None:
    printed = await chat(["hello", "", "/sum 50"], page, intake)
    first, second = intake.accepted
    assert isinstance(first, Message)
    assert isinstance(second, Message)
    assert (first.address, first.text, first.command) == (HERE, "hello", None)
    assert second.command == Command("sum", "50")
    assert printed.count("Three months:") == 2


async def test_a_pipe_is_read_to_its_end_and_shows_no_prompt(
    page: io.StringIO, intake: Answering, blobs: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("hello\n안녕"))
    intake.console = Console(blobs=blobs, terminal=Terminal(file=page, width=100))
    await intake.console.run(intake)
    assert [item.text for item in intake.accepted if isinstance(item, Message)] == ["hello", "안녕"]
    assert "›" not in page.getvalue()


async def test_a_stdin_that_was_closed_before_ends_the_chat(
    page: io.StringIO, intake: Answering, blobs: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", None)
    await Console(blobs=blobs, terminal=Terminal(file=page, width=100)).run(intake)
    assert intake.accepted == []


async def test_a_chat_whose_output_was_closed_ends(intake: Answering, blobs: BlobStore) -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    lines = iter(["one", "two"])
    made = Console(blobs=blobs, read=lambda _prompt: next(lines), terminal=Terminal(file=Closed(), width=100))

    async def answer(item: Message | Press) -> Taken:
        intake.accepted.append(item)
        with pytest.raises(GoneError, match="Nobody reads"):
            await made.send(FULL, item.address, key=item.id)
        return Taken(fresh=True)

    intake.accept = answer  # type: ignore[method-assign]
    await made.run(intake)
    assert [item.text for item in intake.accepted if isinstance(item, Message)] == ["one"]


@pytest.mark.parametrize("end", ["/quit", " /EXIT "])
async def test_quit_ends_the_chat(page: io.StringIO, intake: Answering, end: str) -> None:
    await chat(["hello", end, "never"], page, intake)
    assert len(intake.accepted) == 1


async def test_an_answer_names_its_sources_marks_the_sentence_and_numbers_buttons(page: io.StringIO, intake: Answering) -> None:
    printed = await chat(["hello"], page, intake)
    assert "1  lease.pdf · page 4  93%" in printed
    assert "Rent is due. «Notice: 3 months.» End." in printed
    assert "#1 More   #2 Fewer" in printed
    assert "search · minilm@53aa · 3.5 ms" in printed


async def test_what_was_said_in_a_chat_has_no_address_in_a_terminal(page: io.StringIO, intake: Answering) -> None:
    said = Source("Dan, in this chat", "Dan: I do it", "message:console/local/terminal/9", 0.9)
    intake.reply = replace(FULL, sources=(said, replace(said, link="/blobs/x")))
    printed = await chat(["hello"], page, intake)
    assert printed.count("Dan, in this chat") == 2
    assert ("message:console" in printed, "/blobs/x" in printed) == (False, True)


async def test_a_number_presses_the_button_of_the_last_answer(page: io.StringIO, intake: Answering) -> None:
    await chat(["hello", "#2"], page, intake)
    press = intake.accepted[1]
    assert isinstance(press, Press)
    assert press.token == "tok-fewer"


@pytest.mark.parametrize("number", ["#0", "#3", "#99999999999999999999"])
async def test_a_number_without_a_button_is_told(page: io.StringIO, intake: Answering, number: str) -> None:
    printed = await chat(["hello", number], page, intake)
    assert "There is no button" in printed
    assert len(intake.accepted) == 1


async def test_the_note_of_a_press_is_shown(page: io.StringIO, intake: Answering) -> None:
    made = console(["#1"], page, intake)
    await made.send(FULL, HERE, key="1")
    intake.note = "This button has expired."
    await made.run(intake)
    assert "This button has expired." in page.getvalue()


async def test_a_file_goes_along_with_the_next_line(page: io.StringIO, intake: Answering, tmp_path: Path) -> None:
    file = tmp_path / "my report.pdf"
    file.write_bytes(b"%PDF-")
    await chat([f"/file '{file}'", "what is it?", "alone"], page, intake)
    first, second = intake.accepted
    assert isinstance(first, Message)
    assert isinstance(second, Message)
    assert first.attachments == (Attachment("document", "my report.pdf", "application/pdf", 5, blob=intake.blobs.keep(b"%PDF-")),)
    assert first.command is None
    assert second.attachments == ()


async def test_an_empty_line_sends_a_file_alone(page: io.StringIO, intake: Answering, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    await chat([f"/file {tmp_path / 'a.png'}", ""], page, intake)
    assert [len(item.attachments) for item in intake.accepted if isinstance(item, Message)] == [1]


async def test_a_file_that_is_refused_is_not_in_the_way_of_the_next_line(
    page: io.StringIO, intake: Answering, tmp_path: Path
) -> None:
    (tmp_path / "gone.txt").write_bytes(b"x")
    made = console([f"/file {tmp_path / 'gone.txt'}", "about it", "and now?"], page, intake)
    made.limits = replace(made.limits, download_bytes=0)
    await made.run(intake)
    assert "gone.txt is larger" in page.getvalue()
    assert [item.text for item in intake.accepted if isinstance(item, Message)] == ["and now?"]


@pytest.mark.parametrize("line", ["/file nowhere.txt", "/file 'unclosed"])
async def test_a_path_that_is_no_file_is_told(page: io.StringIO, intake: Answering, line: str) -> None:
    assert "is not a file" in await chat([line], page, intake)


async def test_a_slash_lists_the_commands(page: io.StringIO, intake: Answering) -> None:
    made = console(["/"], page, intake)
    await made.publish_commands([CommandSpec("sum", Text("Summarise")), CommandSpec("x", Text("Hidden"), listed=False)], [])
    await made.run(intake)
    assert "/sum  Summarise" in page.getvalue()
    assert "Hidden" not in page.getvalue()


async def test_a_key_is_printed_once(page: io.StringIO, intake: Answering) -> None:
    made = console([], page, intake)
    assert [await made.send(FULL, HERE, key="1") for _time in range(2)] == ["1", "1"]
    assert page.getvalue().count("Three months") == 1


async def test_what_is_for_another_chat_is_not_printed(page: io.StringIO, intake: Answering) -> None:
    await console([], page, intake).send(FULL, Address("console", "local", "other"), key="1")
    assert page.getvalue() == ""


async def test_fetch_copies_the_blob(page: io.StringIO, intake: Answering, tmp_path: Path) -> None:
    made = console([], page, intake)
    await made.fetch(Attachment("document", "a", "", 1, blob=intake.keep(b"x")), tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"x"
    with pytest.raises(ChannelError, match="no longer here"):
        await made.fetch(Attachment("document", "a", "", 1, blob="nonsense"), tmp_path / "out")


async def test_a_message_is_made_of_text_and_files(intake: Answering, tmp_path: Path) -> None:
    (tmp_path / "사진.jpg").write_bytes(b"jpeg")
    message = await message_from("/tr ko 안녕", files=[tmp_path / "사진.jpg"], chat="c", user="u", intake=intake)
    assert (message.address, message.sender, message.language) == (Address("console", "local", "c"), "u", "ko")
    assert message.command == Command("tr", "ko 안녕")
    assert message.attachments[0].kind == "image"
    assert message.attachments[0].name == "사진.jpg"


async def test_a_file_that_cannot_be_read_is_told(intake: Answering, tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="cannot be read"):
        await message_from("", files=[tmp_path / "nowhere"], chat="c", user="u", intake=intake)


async def test_a_file_over_the_limit_is_told(intake: Answering, tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * 11)
    with pytest.raises(TooLargeError, match="big is larger"):
        await message_from("", files=[tmp_path / "big"], chat="c", user="u", intake=intake, file_bytes=10)


def test_without_colour_there_is_no_escape_sequence() -> None:
    assert "\x1b" not in render(FULL)
    assert "«" in render(FULL)


def test_with_colour_the_sentence_is_marked_by_colour() -> None:
    printed = render(FULL, colour=True)
    assert "\x1b[1;30;43mNotice: 3 months.\x1b[0m" in printed
    assert "«" not in printed


def test_no_color_keeps_bold_and_drops_colour() -> None:
    printed = render(FULL, colour=True, no_color=True)
    assert "\x1b[1m" in printed
    assert "43m" not in printed


def test_a_newline_stays_a_newline_and_a_link_shows_where_it_leads() -> None:
    assert render(Reply("one\ntwo [see](https://a.example)", "en")) == "one\ntwo see (https://a.example)"


@pytest.mark.parametrize("text", [*HOSTILE, "\x1b]0;title\x07\x1b[2J\x9b31m", "\u202eabc", "\rover", "[red]not markup[/red]"])
def test_nothing_in_a_reply_acts_on_the_terminal(text: str) -> None:
    reply = Reply(
        text, "en", (), (Button(text, Command("x")),), (Source(text, text, text, 0.5, (0, len(text))),), Receipt(text, text)
    )
    printed = render(reply)
    assert not {"\x1b", "\x07", "\x9b", "\r", "\u202e"} & set(printed)
    printed.encode()


def test_what_only_looks_odd_is_kept() -> None:
    assert harmless("한글\tβ 👩\u200d👧\nend") == "한글\tβ 👩\u200d👧\nend"


def test_a_reply_as_json_has_what_scripts_read() -> None:
    made = json.loads(json.dumps(as_json(FULL)))
    assert made == {
        "text": "**Three** months:\nin writing",
        "language": "en",
        "skill": "search",
        "model": "minilm@53aa",
        "sources": [{"title": "lease.pdf · page 4", "text": PASSAGE, "link": "/blobs/x", "score": 0.93, "marked": [13, 30]}],
        "buttons": [{"label": "More", "command": "/more 5"}, {"label": "Fewer", "command": "/fewer"}],
        "receipt": {
            "skill": "search",
            "model": "minilm@53aa",
            "route_score": 0.97,
            "runner_up": "summarise",
            "runner_up_score": 0.02,
            "stages_ms": {"embed": 2.0, "index": 1.5},
            "tokens": 7,
            "bytes_sent_out": 0,
        },
    }


def test_a_reply_without_a_receipt_has_an_empty_one() -> None:
    assert as_json(Reply("hi", "en"))["receipt"]["skill"] == ""


async def test_on_a_terminal_it_is_shown_what_is_being_done(tmp_path: Path) -> None:
    blobs, out = BlobStore(tmp_path), io.StringIO()
    lines = iter(["/swap summarise lead"])
    console = Console(
        blobs=blobs, read=lambda _prompt: next(lines, "/quit"), terminal=Terminal(file=out, force_terminal=True, width=100)
    )
    shown: list[str] = []

    async def work(item: Message | Press) -> None:
        while console._status is None:
            await asyncio.sleep(0)
        console.state("**Swap** probing [1] of 2", replace(HERE, chat="another"))
        console.state("**Swap** probing [1] of 2 \x1b[31m", HERE)
        shown.append(str(console._status.status))
        await console.send(Reply("done", "en"), item.address, key=item.id)

    class Working(Answering):
        async def accept(self, item: Message | Press) -> Taken:
            self.task = asyncio.create_task(work(item))
            return Taken(fresh=True)

    await console.run(Working(blobs))
    assert shown == ["Swap probing [1] of 2 [31m"]
    console.state("nobody waits", HERE)
