"""The chat page in Chromium, with a bot that answers as each test tells it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
import shutil
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
import pytest_asyncio
from fakes.hostile_texts import HOSTILE
from fakes.web import MemoryDocuments, MemoryIntake, MemoryTranscript
from playwright.async_api import Browser, BrowserContext, Page, Route, async_playwright, expect
from pydantic import SecretStr

from bot.channels.web import ME, Web
from bot.config import LimitSettings, WebSettings
from bot.locale import Text
from bot.message import Address, Button, Command, Message, Press, Receipt, Reply, Source
from bot.skill import CommandSpec
from bot.store.blobs import BlobStore

CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
]  # fmt: skip
HERE = Address("web", "local", ME)
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==")
LONGEST_S = 30.0
"""Nothing here is waited for any longer."""
READABLE = 4.5
"""The least contrast of small text: WCAG 2.2, success criterion 1.4.3."""

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]


class House:
    """The page, its bot, and the browser in front of it."""

    def __init__(self, folder: Path, *, password: str = "") -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]  # known beforehand, so that a restart is found by the browser
        self.transcript = MemoryTranscript()
        self.blobs = BlobStore(folder / "blobs")
        self.intake = MemoryIntake(self.transcript, self.blobs)
        self.documents = MemoryDocuments()
        self.web = Web(
            WebSettings(port=port, password=SecretStr(password)), blobs=self.blobs, transcript=self.transcript,
            documents=self.documents, sizes=LimitSettings(file_mb=1),
        )  # fmt: skip
        self.sent = 0

    async def start(self) -> None:
        self.running = asyncio.create_task(self.web.run(self.intake))
        ready = asyncio.create_task(self.web.ready.wait())
        await asyncio.wait([self.running, ready], timeout=LONGEST_S, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if self.running.done():
            await self.running
        assert self.web.ready.is_set(), "the page did not come up"

    async def stop(self) -> None:
        self.running.cancel()
        await asyncio.wait([self.running], timeout=LONGEST_S)
        assert self.running.done(), "the page did not end"

    def clear(self) -> None:
        self.transcript.clear()
        self.intake.accepted.clear()
        self.intake.answer = None
        self.intake.note = ""
        self.intake.settled = None
        self.documents.opened.clear()

    async def reply(self, reply: Reply) -> str:
        """Write a reply down and send it, as the outbox does."""
        self.sent += 1
        key = f"out-{self.sent}"
        self.transcript.put(key, reply)
        return await self.web.send(reply, HERE, key=key)

    async def edit(self, sent: str, reply: Reply) -> None:
        self.transcript.put(sent, reply)
        await self.web.edit(sent, reply, HERE)

    def answers(self, reply: Reply) -> None:
        async def answer(_item: Message | Press) -> None:
            await self.reply(reply)

        self.intake.answer = answer


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    house = House(tmp_path_factory.mktemp("web"))
    await house.start()
    yield house
    await house.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    started = async_playwright()
    playwright = await asyncio.wait_for(started.start(), LONGEST_S)
    ours = psutil.Process().children(recursive=True)
    try:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS, timeout=LONGEST_S * 1000)
        ours += [child for child in psutil.Process().children(recursive=True) if child not in ours]
        yield browser
        await asyncio.wait_for(browser.close(), LONGEST_S)
    finally:
        try:
            await asyncio.wait_for(playwright.stop(), LONGEST_S)
        except TimeoutError:  # neither the browser nor its driver may outlive the tests
            for child in ours:
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()


@pytest.fixture
def house(served: House) -> House:
    served.clear()
    return served


@pytest_asyncio.fixture(loop_scope="module")
async def context(chromium: Browser) -> AsyncIterator[BrowserContext]:
    made = await chromium.new_context(locale="en-GB", viewport={"width": 1100, "height": 760}, accept_downloads=True)
    made.set_default_timeout(LONGEST_S * 1000)
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="module")
async def page(house: House, context: BrowserContext) -> AsyncIterator[Page]:
    opened = await visit(context, house)
    yield opened
    await opened.close()


async def visit(context: BrowserContext, house: House) -> Page:
    page = await context.new_page()
    await page.goto(house.web.url)
    await live(page)
    return page


async def live(page: Page) -> None:
    await page.locator("#paring[data-live]").wait_for()


async def say(page: Page, text: str) -> None:
    await page.locator("#text").fill(text)
    await page.locator("#text").press("Enter")


# ---------------------------------------------------------------------- asking and being answered


async def test_a_question_is_shown_at_once_and_answered(house: House, page: Page) -> None:
    house.answers(Reply("In the **lease**.", "en"))
    await say(page, "Where is it?\nReally")
    await expect(page.locator(".entry.own .said")).to_have_text("Where is it?\nReally")
    await expect(page.locator(".entry.bot .said strong")).to_have_text("lease")
    await expect(page.locator("#empty")).to_be_hidden()
    (message,) = await house.intake.wait_for()
    assert (message.address, message.sender, message.text) == (HERE, ME, "Where is it?\nReally")


async def test_the_dots_show_until_the_answer_comes(house: House, page: Page) -> None:
    await house.web.typing(HERE)
    await expect(page.locator("#typing")).to_be_visible()
    await house.reply(Reply("done", "en"))
    await expect(page.locator("#typing")).to_be_hidden()


async def test_a_state_is_edited_into_the_answer_in_its_place(house: House, page: Page) -> None:
    sent = await house.reply(Reply("Reading 3 of 40…", "en"))
    await expect(page.locator(".entry.bot .said")).to_have_text("Reading 3 of 40…")
    await house.reply(Reply("another", "en"))
    await house.edit(sent, Reply("Read all 40.", "en"))
    await expect(page.locator(".entry.bot .said")).to_have_text(["Read all 40.", "another"])


async def test_the_same_reply_sent_twice_is_shown_once(house: House, page: Page) -> None:
    reply = Reply("once", "en")
    sent = await house.reply(reply)
    await house.web.send(reply, HERE, key=sent)
    await house.reply(Reply("last", "en"))
    await expect(page.locator(".entry.bot .said")).to_have_text(["once", "last"])


async def test_a_source_opens_with_its_sentence_marked(house: House, page: Page) -> None:
    source = Source("lease.pdf · page 4", "Rent is due. Notice: 3 months. End.", "/blobs/x#page=4", 0.93, (13, 30))
    await house.reply(Reply("See", "en", sources=(source,), receipt=Receipt("search", "minilm@53aa")))
    await expect(page.locator(".source mark")).to_be_hidden()
    await page.get_by_text("lease.pdf · page 4").first.click()
    await expect(page.locator(".source mark")).to_have_text("Notice: 3 months.")
    await expect(page.locator(".source .open")).to_have_attribute("href", "/blobs/x#page=4")
    await page.locator(".how summary").click()
    await expect(page.locator(".how dl")).to_contain_text("minilm@53aa")


async def test_a_source_opens_its_document_at_the_sentence_that_answered(
    house: House, context: BrowserContext, page: Page
) -> None:
    passage = "Rent is due. Notice: 3 months. End."
    blob = house.blobs.keep(b"%PDF-1.7 lease")
    house.documents.put(7, "house/lease.pdf", *["before"] * 80, passage, *["after"] * 80, page=4, sha256=blob)
    await house.reply(Reply("See", "en", sources=(Source("lease.pdf", passage, "document:7#page=4", 0.93, (13, 30)),)))
    await page.locator(".source summary").click()
    async with context.expect_page() as opening:
        await page.locator(".source .open").click()
    opened = await opening.value
    await expect(opened.locator("#found mark")).to_have_text("Notice: 3 months.")
    await expect(opened.locator("#found")).to_be_in_viewport()
    await expect(opened.get_by_role("heading", level=1)).to_have_text("lease.pdf")
    await expect(opened.get_by_role("link", name="Open the original")).to_have_attribute(
        "href", f"/blobs/{blob}?name=lease.pdf#page=4"
    )
    await opened.get_by_role("link", name="Back to the chat").click()
    await expect(opened.locator("#log")).to_be_visible()


async def test_a_source_that_is_a_message_is_pointed_at_in_its_place(house: House, context: BrowserContext) -> None:
    said = Message(HERE, ME, "m-lease", "The lease ends in April.", "en", datetime.now(UTC))
    house.transcript.put("m-lease", said)
    for number in range(20):
        house.transcript.put(f"r{number}", Reply(f"answer {number}\n\nand more\n\nand more", "en"))
    house.transcript.put("r", Reply("See", "en", sources=(Source("You", said.text, "message:web/local/me/m-lease", 0.9),)))
    page = await visit(context, house)
    await expect(page.locator("[data-id=m-lease]")).not_to_be_in_viewport()
    await page.locator(".source summary").click()
    await page.locator(".source .open").click()
    await expect(page.locator("[data-id=m-lease]")).to_be_in_viewport()
    await expect(page.locator("[data-id=m-lease]")).to_be_focused()
    assert len(context.pages) == 1


async def test_code_is_copied_by_its_own_button(house: House, context: BrowserContext, page: Page) -> None:
    await context.grant_permissions(["clipboard-read", "clipboard-write"])
    await house.reply(Reply("Type:\n\n```\nmake run\nmake test\n```", "en"))
    await page.locator(".said pre").hover()
    await page.get_by_role("button", name="Copy the code").click()
    await expect(page.locator(".toast")).to_have_text("Copied")
    assert (await page.evaluate("navigator.clipboard.readText()")).strip() == "make run\nmake test"


async def test_an_opened_source_stays_open_when_the_answer_is_edited(house: House, page: Page) -> None:
    source = Source("a.txt", "passage", "", 0.5)
    sent = await house.reply(Reply("one", "en", sources=(source,)))
    await page.locator(".source summary").click()
    await house.edit(sent, Reply("two", "en", sources=(source,)))
    await expect(page.locator(".entry.bot .said")).to_have_text("two")
    await expect(page.locator(".source p")).to_be_visible()


async def test_a_button_is_pressed_and_its_note_shown(house: House, page: Page) -> None:
    house.intake.note = "This button has expired."
    await house.reply(Reply("See", "en", buttons=(Button("More", Command("more"), "tok-1"),)))
    await page.get_by_role("button", name="More").click()
    await expect(page.locator(".toast")).to_have_text("This button has expired.")
    (press,) = house.intake.presses
    assert (press.token, press.sender) == ("tok-1", ME)


async def test_a_reply_to_an_answer_takes_it_along(house: House, page: Page) -> None:
    await house.reply(Reply("A long answer.", "en"))
    entry = page.locator(".entry.bot")
    await entry.hover()
    await entry.get_by_role("button", name="Reply to this").click()
    await expect(page.locator("#quoting")).to_contain_text("A long answer.")
    await say(page, "tl;dr")
    (message,) = await house.intake.wait_for()
    assert message.reply_to is not None
    assert (message.reply_to.text, message.reply_to.by_bot) == ("A long answer.", True)
    await expect(page.locator(".entry.own .quoted")).to_have_text("A long answer.")


async def test_what_is_said_in_one_window_shows_in_the_other(house: House, context: BrowserContext, page: Page) -> None:
    other = await visit(context, house)
    await say(page, "hello")
    await expect(other.locator(".entry.own .said")).to_have_text("hello")


async def test_earlier_messages_come_when_one_goes_up(house: House, context: BrowserContext) -> None:
    for number in range(75):
        house.transcript.put(f"r{number}", Reply(f"answer {number}", "en"))
    page = await visit(context, house)
    await expect(page.locator(".entry")).to_have_count(30)
    await expect(page.get_by_text("answer 74")).to_be_in_viewport()
    for expected in (60, 75):
        await page.locator("#earlier").scroll_into_view_if_needed()
        await page.locator("#earlier").dispatch_event("click")
        await expect(page.locator(".entry")).to_have_count(expected)
    await expect(page.locator(".entry .said")).to_have_text([f"answer {number}" for number in range(75)])
    await expect(page.locator("#earlier")).to_be_hidden()


# ---------------------------------------------------------------------- writing


async def test_enter_sends_and_shift_enter_does_not(house: House, page: Page) -> None:
    field = page.locator("#text")
    await field.press_sequentially("one")
    await field.press("Shift+Enter")
    await field.press_sequentially("two")
    assert house.intake.messages == []
    await field.press("Enter")
    assert (await house.intake.wait_for())[0].text == "one\ntwo"
    await expect(field).to_have_value("")


async def test_enter_that_ends_a_hangul_syllable_does_not_send(house: House, page: Page) -> None:
    field = page.locator("#text")
    await field.fill("안녕")
    await field.dispatch_event("keydown", {"key": "Enter", "isComposing": True})
    await expect(field).to_have_value("안녕")
    await field.press("Enter")
    assert [message.text for message in await house.intake.wait_for()] == ["안녕"]


async def test_the_slash_offers_commands(house: House, page: Page) -> None:
    await house.web.publish_commands([CommandSpec("search", Text("Search")), CommandSpec("sum", Text("Summarise"))], [])
    await page.reload()  # the menu comes with the page; a page whose socket is not open yet has missed the news
    field = page.locator("#text")
    await field.press_sequentially("/s")
    await expect(page.locator("#palette li")).to_have_count(2)
    await field.press("ArrowDown")
    await expect(page.locator("#palette [aria-selected=true]")).to_contain_text("Summarise")
    await field.press("Enter")
    await expect(field).to_have_value("/sum ")
    await field.press_sequentially("50")
    await field.press("Enter")
    assert (await house.intake.wait_for())[0].command == Command("sum", "50")


async def test_an_example_is_put_into_the_field(page: Page) -> None:
    await page.get_by_role("button", name="What can you do?").click()
    await expect(page.locator("#text")).to_have_value("What can you do?")


async def test_a_message_that_is_refused_comes_back_into_the_field(house: House, page: Page) -> None:
    await page.locator("#text").fill("x" * 1_100_000)
    await page.locator("#send").click()
    await expect(page.locator(".toast")).to_contain_text("too long")
    assert len(await page.locator("#text").input_value()) == 1_100_000
    await expect(page.locator(".entry")).to_have_count(0)


async def test_a_paste_that_is_too_long_for_a_message_goes_along_as_a_file(house: House, page: Page) -> None:
    await page.evaluate(
        """() => {
            const clipboard = new DataTransfer();
            clipboard.setData("text/plain", "나".repeat(400_000));
            const paste = { clipboardData: clipboard, bubbles: true, cancelable: true };
            document.getElementById("text").dispatchEvent(new ClipboardEvent("paste", paste));
        }"""
    )
    await expect(page.locator(".toast").first).to_contain_text("too long for a message")
    await expect(page.locator("#text")).to_have_value("")
    await expect(page.locator(".toast").last).to_contain_text("is larger than 1 MB")  # this house takes no more


async def test_a_long_message_is_cut_short_and_opens_whole(house: House, context: BrowserContext, page: Page) -> None:
    text = "word " * 20_000 + "end"
    await page.locator("#text").fill(text)
    await page.locator("#send").click()
    await expect(page.locator(".entry.own:not(.waiting) .whole")).to_contain_text("Show all 100,003 characters")
    assert len(await page.locator(".entry.own .said").inner_text()) < 2000
    assert (await house.intake.wait_for())[0].text == text
    async with context.expect_page() as opening:
        await page.locator(".whole").click()
    assert (await (await opening.value).locator(".said").inner_text()).endswith("word end")


async def test_a_browser_without_room_for_the_draft_still_sends(house: House, page: Page) -> None:
    await page.evaluate("() => { Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }; }")
    await say(page, "hello")
    assert [message.text for message in await house.intake.wait_for()] == ["hello"]
    await expect(page.locator(".entry.own:not(.waiting) .said")).to_have_text("hello")


async def test_an_arrow_up_brings_back_what_was_said_last(house: House, page: Page) -> None:
    await say(page, "first")
    await say(page, "second")
    await expect(page.locator(".entry.own:not(.waiting)")).to_have_count(2)
    await page.locator("#text").press("ArrowUp")
    await expect(page.locator("#text")).to_have_value("second")


async def test_the_language_is_switched_for_the_page_and_the_bot(house: House, page: Page) -> None:
    await page.get_by_role("button", name="한국어로 보기").click()
    await expect(page.locator("#text")).to_have_attribute("placeholder", "물어보거나 파일을 끌어다 놓으세요")
    assert (await house.intake.wait_for())[0].command == Command("lang", "ko")
    await page.reload()
    await expect(page.locator("html")).to_have_attribute("lang", "ko")
    await expect(page.get_by_role("button", name="View in English")).to_be_visible()


async def test_dark_is_chosen_and_kept(page: Page) -> None:
    light = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    await page.get_by_role("button", name="Light or dark").click()
    dark = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    await page.reload()
    assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == dark != light


# ---------------------------------------------------------------------- files


async def test_the_empty_page_says_what_to_do_and_opens_the_chooser(page: Page, tmp_path: Path) -> None:
    await expect(page.locator("#empty")).to_contain_text("Up to 1 MB a file, 2,000 files at a time")
    (tmp_path / "a.txt").write_bytes(b"a")
    async with page.expect_file_chooser() as choosing:
        await page.get_by_role("button", name="Choose files").click()
    await (await choosing.value).set_files([tmp_path / "a.txt"])
    await expect(page.locator(".batch")).to_contain_text("a.txt")


async def test_chosen_files_go_along_with_what_is_written(house: House, page: Page, tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7")
    (tmp_path / "사진.png").write_bytes(PNG)
    await page.locator("#files").set_input_files([tmp_path / "a.pdf", tmp_path / "사진.png"])
    await expect(page.locator(".batch")).to_contain_text("2 files ready")
    await say(page, "what are these?")
    (message,) = await house.intake.wait_for()
    assert [(file.kind, file.name) for file in message.attachments] == [("document", "a.pdf"), ("image", "사진.png")]
    assert message.text == "what are these?"
    await expect(page.locator(".entry.own img")).to_have_js_property("naturalWidth", 1)
    await expect(page.locator(".batch")).to_have_count(0)


async def test_a_dropped_folder_becomes_one_message_with_its_paths(house: House, page: Page, tmp_path: Path) -> None:
    for name in ("reports/b.txt", "reports/2024/a.txt", "reports/.hidden", "reports/.git/config"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    await drop(page, tmp_path / "reports")
    (message,) = await house.intake.wait_for()
    assert [file.name for file in message.attachments] == ["reports/2024/a.txt", "reports/b.txt"]
    assert message.text == ""
    assert house.blobs.path(message.attachments[0].blob).read_text(encoding="utf-8") == "reports/2024/a.txt"


async def test_a_batch_counts_its_files_as_they_arrive(house: House, page: Page, tmp_path: Path) -> None:
    (tmp_path / "many").mkdir()
    for number in range(40):
        (tmp_path / "many" / f"{number:02}.txt").write_text(f"file {number}", encoding="utf-8")
    held = asyncio.Event()
    seen = 0

    async def hold(route: Route) -> None:
        nonlocal seen
        seen += 1
        if seen > 12:
            await asyncio.wait_for(held.wait(), LONGEST_S)
        await route.continue_()

    await page.route("**/api/files", hold)
    await drop(page, tmp_path / "many")
    await expect(page.locator(".batch")).to_contain_text("12 of 40 files")
    held.set()
    (message,) = await house.intake.wait_for()
    assert len(message.attachments) == 40
    await expect(page.locator(".entry.own .more-files")).to_contain_text("and 32 more")


async def test_a_pasted_picture_waits_for_the_question(house: House, page: Page) -> None:
    await page.evaluate(
        """encoded => {
            const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
            const clipboard = new DataTransfer();
            clipboard.items.add(new File([bytes], "image.png", { type: "image/png" }));
            const paste = { clipboardData: clipboard, bubbles: true, cancelable: true };
            document.getElementById("text").dispatchEvent(new ClipboardEvent("paste", paste));
        }""",
        base64.b64encode(PNG).decode(),
    )
    await expect(page.locator(".batch img")).to_be_visible()
    await say(page, "what is this?")
    (message,) = await house.intake.wait_for()
    assert [(file.kind, file.media_type) for file in message.attachments] == [("image", "image/png")]


async def test_a_file_over_the_limit_and_an_empty_one_are_left_out_and_told(house: House, page: Page, tmp_path: Path) -> None:
    (tmp_path / "big.bin").write_bytes(b"x" * (1024 * 1024 + 1))
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "good.txt").write_bytes(b"good")
    await page.locator("#files").set_input_files([tmp_path / "big.bin", tmp_path / "empty.txt", tmp_path / "good.txt"])
    await expect(page.locator(".toast")).to_have_text(
        [re.compile("big.bin is larger than 1 MB"), re.compile("empty.txt is empty")]
    )
    await expect(page.locator(".batch")).to_contain_text("2 left out")
    await page.locator("#send").click()
    assert [file.name for file in (await house.intake.wait_for())[0].attachments] == ["good.txt"]


async def test_a_file_is_taken_out_again(house: House, page: Page, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"a")
    await page.locator("#files").set_input_files([tmp_path / "a.txt"])
    await page.get_by_role("button", name="Remove a.txt").click()
    await say(page, "without")
    assert (await house.intake.wait_for())[0].attachments == ()


async def drop(page: Page, path: Path) -> None:
    """Drop a file or folder of the disk on the page, as the browser gets it from the desktop."""
    session = await page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        await session.send(
            "Input.dispatchDragEvent",
            {"type": kind, "x": 400, "y": 300, "data": {"items": [], "files": [str(path)], "dragOperationsMask": 1}},
        )


# ---------------------------------------------------------------------- the line


async def test_what_came_while_the_line_was_cut_is_shown_when_it_is_back(house: House, page: Page) -> None:
    sent = await house.reply(Reply("before", "en"))
    await expect(page.locator(".entry.bot")).to_have_count(1)
    await page.evaluate("window.socket.disconnect()")
    await expect(page.locator("#connection")).to_have_text("Connection lost. Trying again…")
    await house.edit(sent, Reply("before, edited", "en"))
    await house.reply(Reply("meanwhile", "en"))
    await page.evaluate("window.socket.connect()")
    await expect(page.locator(".entry.bot .said")).to_have_text(["before, edited", "meanwhile"])
    await expect(page.locator("#connection")).to_have_text(re.compile("Connected again|^$"))


async def test_a_message_whose_answer_was_lost_is_sent_again_and_committed_once(house: House, page: Page) -> None:
    lost, again = asyncio.Event(), asyncio.Event()

    async def lose(route: Route) -> None:
        if lost.is_set():
            await route.continue_()
            again.set()
            return
        lost.set()
        await route.fetch()  # the server has it, the browser never learns so
        await route.abort()

    await page.route("**/api/say", lose)
    await say(page, "only once")
    await expect(page.locator(".entry.own:not(.waiting) .said")).to_have_text("only once")
    await expect(page.locator(".entry.own")).to_have_count(1)
    await asyncio.wait_for(again.wait(), LONGEST_S)
    assert len(house.intake.messages) == 1


async def test_a_draft_and_an_unsent_message_outlive_a_reload(house: House, page: Page) -> None:
    await page.route("**/api/say", lambda route: route.abort())
    await say(page, "sent later")
    await page.locator("#text").fill("a draft")
    await page.unroute_all()
    await page.reload()
    await live(page)
    await expect(page.locator("#text")).to_have_value("a draft")
    assert [message.text for message in await house.intake.wait_for()] == ["sent later"]
    await expect(page.locator(".entry.own:not(.waiting)")).to_have_count(1)


async def test_a_restarted_bot_is_found_again_and_nothing_is_lost(house: House, page: Page) -> None:
    await house.stop()
    await expect(page.locator("#connection")).to_have_text("Connection lost. Trying again…")
    await say(page, "while you were away")
    await page.locator("#text").fill("a draft")
    house.transcript.put("r1", Reply("from before the stop", "en"))
    house.answers(Reply("here again", "en"))
    await house.start()
    await expect(page.locator(".entry.bot .said")).to_have_text(["from before the stop", "here again"], timeout=30_000)
    await expect(page.locator("#text")).to_have_value("a draft")
    assert [message.text for message in house.intake.messages] == ["while you were away"]


# ---------------------------------------------------------------------- what must never happen


async def test_no_hostile_text_ever_runs_or_reaches_out(house: House, context: BrowserContext) -> None:
    def hostile(number: int, text: str) -> Reply:
        source = Source(text, text, text, 0.5, (0, len(text)))
        return Reply(text, "en", (), (Button(text, Command("x"), "t"),), (source,), Receipt(text, text))

    half = len(HOSTILE) // 2
    for number, text in enumerate(HOSTILE[:half]):
        house.transcript.put(f"h{number}{text}", hostile(number, text))
    page = await context.new_page()
    wrong: list[str] = []
    page.on("dialog", lambda dialog: wrong.append(dialog.message))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on(
        "request",
        lambda request: wrong.append(request.url) if not request.url.startswith((house.web.url, "data:", "blob:")) else None,
    )
    await page.goto(house.web.url)
    await live(page)
    for text in HOSTILE[half:]:
        await house.reply(hostile(0, text))
    hostile_file = {"name": "<img src=x onerror=alert(1)>.png", "mimeType": "image/png", "buffer": PNG}
    await page.locator("#files").set_input_files([hostile_file])  # type: ignore[list-item]  # it is what Playwright takes
    await say(page, "<img src=x onerror=alert(1)>")
    await expect(page.locator(".entry")).to_have_count(len(HOSTILE) + 1)
    for link in await page.locator(".said a").all():
        assert re.match(r"(https?://|mailto:|/[^/\\])", await link.get_attribute("href") or "")
    assert await page.locator("#log :is(script, iframe, object, svg:not([aria-hidden]), style)").count() == 0
    assert wrong == []


async def test_no_part_of_the_page_needs_eval_or_comes_from_elsewhere(house: House, context: BrowserContext) -> None:
    page = await context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if message.type in {"error", "warning"} else None)
    page.on(
        "request", lambda request: wrong.append(request.url) if not request.url.startswith((house.web.url, "data:")) else None
    )
    page.on("response", lambda response: wrong.append(f"{response.status} {response.url}") if response.status >= 400 else None)
    await page.goto(house.web.url)
    await live(page)
    assert wrong == []


# ---------------------------------------------------------------------- for everybody


@pytest.mark.parametrize("locale", ["ko-KR", "en-GB"])
async def test_a_phone_shows_everything_without_scrolling_sideways(house: House, chromium: Browser, locale: str) -> None:
    long = "word " * 60 + "unbroken" * 60
    house.transcript.put("1", Reply(f"{long}\n\n```\n{long}\n```", "en", sources=(Source(long, long, "", 0.5),)))
    context = await chromium.new_context(viewport={"width": 390, "height": 844}, locale=locale, is_mobile=True, has_touch=True)
    page = await visit(context, house)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    assert await page.locator("#scroll").evaluate("node => node.scrollWidth - node.clientWidth") <= 0
    await expect(page.locator("#send")).to_be_in_viewport(ratio=1)
    await context.close()


async def test_everything_is_reached_without_a_mouse(house: House, page: Page) -> None:
    source = Source("lease.pdf", "Notice: 3 months.", "document:7", 0.9, (0, 17))
    await house.reply(Reply("See", "en", buttons=(Button("More", Command("more"), "tok"),), sources=(source,)))
    await expect(page.locator(".entry.bot")).to_have_count(1)
    await page.locator("#theme").focus()
    reached = []
    for _step in range(9):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.matches('.source summary')"):
            await page.keyboard.press("Enter")
        reached.append(
            await page.evaluate("(document.activeElement.getAttribute('aria-label') || document.activeElement.innerText).trim()")
        )
    assert reached[1].startswith("Open")
    assert reached[2:] == ["More", "Reply to this", "Copy", "Ask, or drop files here", "Attach files", "Add a folder", "Send"]
    outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


async def test_nothing_moves_for_those_who_do_not_want_it(house: House, chromium: Browser) -> None:
    context = await chromium.new_context(reduced_motion="reduce")
    page = await visit(context, house)
    await house.web.typing(HERE)
    await expect(page.locator("#typing")).to_be_visible()
    assert await page.locator(".dots i").first.evaluate("node => getComputedStyle(node).animationName") == "none"
    await context.close()


async def test_a_text_from_right_to_left_stands_on_the_right(house: House, page: Page) -> None:
    await house.reply(Reply("שלום עולם\n\nHello", "en"))
    await expect(page.locator(".said p")).to_have_count(2)
    sides = await page.locator(".said p").evaluate_all(
        """nodes => nodes.map((node) => {
            const range = document.createRange();
            range.selectNodeContents(node);
            return range.getBoundingClientRect().left - node.getBoundingClientRect().left;
        })"""
    )
    assert sides[0] > 100
    assert sides[1] < 5


async def test_every_control_has_a_name(house: House, page: Page) -> None:
    await house.reply(Reply("See", "en", buttons=(Button("More", Command("more"), "t"),), sources=(Source("t", "p", "/x", 0.5),)))
    await expect(page.locator(".entry.bot")).to_have_count(1)
    assert "built-in" not in await page.content()
    nameless = await page.evaluate(
        """[...document.querySelectorAll("#paring :is(button, a, textarea, summary)")]
            .filter((node) => !(node.getAttribute("aria-label") || node.textContent.trim()))
            .map((node) => node.outerHTML)"""
    )
    assert nameless == []
    await expect(page.get_by_role("log")).to_have_attribute("aria-live", "polite")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_text_can_be_read_against_its_ground(house: House, chromium: Browser, scheme: str) -> None:
    house.transcript.put(
        "1",
        Reply(
            "See `code`\n\n> quote",
            "en",
            (),
            (Button("More", Command("more"), "t"),),
            (Source("t", "passage", "/x", 0.5, (0, 4)),),
            Receipt("s", "m"),
        ),
    )
    context = await chromium.new_context(color_scheme=scheme)  # type: ignore[arg-type]  # one of its literals
    page = await visit(context, house)
    await page.locator(".source summary").click()
    await page.locator(".how summary").click()
    for selector in (
        ".said",
        ".said code",
        ".said blockquote",
        ".number",
        ".score",
        ".passage mark",
        ".open",
        ".pill",
        ".how dt",
        ".how dd",
        ".foot time",
        ".hint",
        "#switch",
    ):
        assert await contrast(page, selector) >= READABLE, selector
    await context.close()


async def contrast(page: Page, selector: str) -> float:
    """Return the contrast of a text's colour to the first opaque ground behind it. Source: WCAG 2.2, relative luminance."""
    colours = await page.locator(selector).first.evaluate(
        """node => {
            const paint = (colour) => {
                const canvas = new OffscreenCanvas(1, 1).getContext("2d");
                canvas.fillStyle = colour;
                canvas.fillRect(0, 0, 1, 1);
                return [...canvas.getImageData(0, 0, 1, 1).data];
            };
            const ink = paint(getComputedStyle(node).color);
            for (let ground = node; ground; ground = ground.parentElement) {
                const colour = paint(getComputedStyle(ground).backgroundColor);
                if (colour[3] === 255) return [ink, colour];
            }
            return [ink, [255, 255, 255, 255]];
        }"""
    )
    bright, dark = sorted((_luminance(colour) for colour in colours), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def _luminance(colour: list[int]) -> float:
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (value / 255 for value in colour[:3])
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


# ---------------------------------------------------------------------- behind a password


@pytest_asyncio.fixture(loop_scope="module")
async def locked(served: House, tmp_path: Path) -> AsyncIterator[House]:
    """A page with a password, in the place of the open one: one process has one page."""
    await served.stop()
    house = House(tmp_path, password="correct horse")
    await house.start()
    yield house
    await house.stop()
    await served.start()


async def test_the_password_opens_the_page_and_signing_out_shuts_it(locked: House, context: BrowserContext) -> None:
    page = await context.new_page()
    await page.goto(locked.web.url)
    await expect(page).to_have_url(f"{locked.web.url}/sign-in")
    field = page.get_by_label("Password")
    await expect(field).to_be_focused()
    await field.fill("wrong")
    await field.press("Enter")
    await expect(page.get_by_role("alert")).to_have_text("That password is not right. Please try again.")
    await expect(field).to_have_attribute("aria-invalid", "true")
    await field.fill("correct horse")
    await page.get_by_role("button", name="Sign in").click()
    await live(page)
    (cookie,) = await context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    await say(page, "hello")
    assert [message.text for message in await locked.intake.wait_for()] == ["hello"]
    await page.get_by_role("button", name="Sign out").click()
    await expect(page).to_have_url(f"{locked.web.url}/sign-in")
    assert await context.cookies() == []
    await page.goto(locked.web.url)
    await expect(page).to_have_url(f"{locked.web.url}/sign-in")


async def test_after_too_many_wrong_passwords_one_has_to_wait(locked: House, chromium: Browser) -> None:
    context = await chromium.new_context(locale="ko-KR")
    page = await context.new_page()
    await page.goto(locked.web.url)
    field = page.get_by_label("비밀번호")
    for _try in range(6):
        await field.fill("wrong")
        async with page.expect_navigation():
            await field.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("초 뒤에 다시 시도해 주세요")
    await field.fill("correct horse")
    await field.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("초 뒤에 다시 시도해 주세요")
    await context.close()
