"""The chat page in Chromium. Files: chosen, dropped, pasted."""

from __future__ import annotations

import asyncio
import base64
import re
from pathlib import Path

import pytest
from fakes.waiting import LONGEST_S
from fakes.web_house import PNG, House, drop, live, say
from playwright.async_api import Page, Route, expect

pytestmark = pytest.mark.asyncio(loop_scope="module")


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
    await expect(page.locator(".entry.own .more-files")).to_contain_text("and 37 more")


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


async def test_a_long_paste_goes_along_as_a_file_with_the_words_about_it(house: House, page: Page) -> None:
    await page.evaluate(
        """() => {
            const clipboard = new DataTransfer();
            clipboard.setData("text/plain", "The cat sat on the mat. ".repeat(5000));
            const paste = { clipboardData: clipboard, bubbles: true, cancelable: true };
            document.getElementById("text").dispatchEvent(new ClipboardEvent("paste", paste));
        }"""
    )
    await expect(page.locator(".batch")).to_contain_text("pasted text.txt")
    await expect(page.locator(".batch progress")).to_be_hidden()
    await say(page, "summarise this")
    (message,) = await house.intake.wait_for()
    assert [(file.name, file.size_bytes) for file in message.attachments] == [("pasted text.txt", 120_000)]
    assert message.text == "summarise this"


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


async def test_many_files_are_listed_a_few_at_first(house: House, page: Page, tmp_path: Path) -> None:
    names = [f"{number}.txt" for number in range(6)]
    for name in names:
        (tmp_path / name).write_text(name, encoding="utf-8")
    await page.locator("#files").set_input_files([tmp_path / name for name in names])
    await expect(page.locator(".batch")).to_contain_text("6 files ready")
    await page.locator("#send").click()
    await expect(page.locator(".entry.own > .files .file")).to_have_count(3)
    await page.get_by_text("and 3 more").click()
    await expect(page.locator(".entry.own .file")).to_have_text([re.compile(re.escape(name)) for name in names])


async def test_a_file_waits_while_the_line_is_cut_and_then_arrives(house: House, page: Page, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"abc")
    await page.route("**/api/files", lambda route: route.abort())
    await page.locator("#files").set_input_files([tmp_path / "a.txt"])
    await expect(page.locator(".batch")).to_contain_text("Connection lost. Trying again…")
    await page.unroute_all()
    await expect(page.locator(".batch progress")).to_be_hidden()
    await page.locator("#send").click()
    (message,) = await house.intake.wait_for()
    assert house.blobs.path(message.attachments[0].blob).read_bytes() == b"abc"


async def test_files_that_wait_to_be_sent_outlive_a_reload(house: House, page: Page, tmp_path: Path) -> None:
    (tmp_path / "사진.png").write_bytes(PNG)
    await page.locator("#files").set_input_files([tmp_path / "사진.png"])
    await expect(page.locator(".batch progress")).to_be_hidden()
    await page.reload()
    await live(page)
    await expect(page.locator(".batch img")).to_have_js_property("naturalWidth", 1)
    await say(page, "what is this?")
    (message,) = await house.intake.wait_for()
    assert [file.name for file in message.attachments] == ["사진.png"]
    await page.reload()
    await live(page)
    await expect(page.locator(".batch")).to_have_count(0)


async def test_what_is_half_written_stays_where_a_folder_arrives(house: House, page: Page, tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "a.txt").write_text("a", encoding="utf-8")
    await page.locator("#text").fill("what is the noti")
    await drop(page, tmp_path / "reports")
    (message,) = await house.intake.wait_for()
    assert (message.text, [file.name for file in message.attachments]) == ("", ["reports/a.txt"])
    await expect(page.locator("#text")).to_have_value("what is the noti")


async def test_what_is_sent_while_a_folder_arrives_goes_along_once(house: House, page: Page, tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "a.txt").write_text("a", encoding="utf-8")
    held = asyncio.Event()

    async def hold(route: Route) -> None:
        await asyncio.wait_for(held.wait(), LONGEST_S)
        await route.continue_()

    await page.route("**/api/files", hold)
    await drop(page, tmp_path / "reports")
    await expect(page.locator(".batch")).to_contain_text("reports")
    await say(page, "what is in it?")
    held.set()
    (message,) = await house.intake.wait_for()
    assert (message.text, [file.name for file in message.attachments]) == ("what is in it?", ["reports/a.txt"])
    await say(page, "and now?")
    assert [one.text for one in await house.intake.wait_for(2)] == ["what is in it?", "and now?"]


async def test_a_file_that_is_taken_out_on_its_way_sends_nothing(house: House, page: Page, tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    await page.route("**/api/files", lambda _route: None)
    await page.locator("#files").set_input_files([tmp_path / "a.txt"])
    await say(page, "half a sent")
    await page.get_by_role("button", name="Remove a.txt").click()
    await page.unroute_all()
    await page.locator("#files").set_input_files([tmp_path / "b.txt"])
    await expect(page.locator(".batch progress")).to_be_hidden()
    await expect(page.locator("#text")).to_have_value("half a sent")
    await page.locator("#send").click()
    (message,) = await house.intake.wait_for()
    assert (message.text, [file.name for file in message.attachments]) == ("half a sent", ["b.txt"])


async def test_of_a_chosen_folder_hidden_files_stay_where_they_are(house: House, page: Page, tmp_path: Path) -> None:
    for name in ("proj/plan.md", "proj/.env", "proj/.git/config", "proj/node_modules/x/readme.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    await page.locator("#folder").set_input_files(tmp_path / "proj")
    (message,) = await house.intake.wait_for()
    assert [file.name for file in message.attachments] == ["proj/plan.md"]
