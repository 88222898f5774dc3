"""The chat page in Chromium. What an answer stands on."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from fakes.web_house import HERE, House, visit
from playwright.async_api import BrowserContext, Page, expect

from bot.channels.web import ME
from bot.message import Message, Receipt, Reply, Source

pytestmark = pytest.mark.asyncio(loop_scope="module")


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


async def test_an_opened_source_stays_open_when_the_answer_is_edited(house: House, page: Page) -> None:
    source = Source("a.txt", "passage", "", 0.5)
    sent = await house.reply(Reply("one", "en", sources=(source,)))
    await page.locator(".source summary").click()
    await house.edit(sent, Reply("two", "en", sources=(source,)))
    await expect(page.locator(".entry.bot .said")).to_have_text("two")
    await expect(page.locator(".source p")).to_be_visible()
