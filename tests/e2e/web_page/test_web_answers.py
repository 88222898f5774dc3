"""The chat page in Chromium. Asking, and being answered."""

from __future__ import annotations

import pytest
from fakes.web_house import HERE, House, say, visit
from playwright.async_api import BrowserContext, Page, expect

from bot.channels.web import ME
from bot.message import Button, Command, Receipt, Reply

pytestmark = pytest.mark.asyncio(loop_scope="module")


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


async def test_code_is_copied_by_its_own_button(house: House, context: BrowserContext, page: Page) -> None:
    await context.grant_permissions(["clipboard-read", "clipboard-write"])
    await house.reply(Reply("Type:\n\n```\nmake run\nmake test\n```", "en"))
    await page.locator(".said pre").hover()
    await page.get_by_role("button", name="Copy the code").click()
    await expect(page.locator(".toast")).to_have_text("Copied")
    assert (await page.evaluate("navigator.clipboard.readText()")).strip() == "make run\nmake test"


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


async def test_an_answer_without_times_still_says_what_its_receipt_is(house: House, page: Page) -> None:
    await house.reply(Reply("None of my skills does that.", "en", receipt=Receipt("none")))
    await expect(page.locator(".how .label")).to_have_css("opacity", "1")


async def test_earlier_messages_that_cannot_be_fetched_are_told(house: House, context: BrowserContext) -> None:
    for number in range(40):
        house.transcript.put(f"r{number}", Reply(f"answer {number}", "en"))
    page = await visit(context, house)
    await page.route("**/api/history?before=*", lambda route: route.abort())
    await page.locator("#earlier").dispatch_event("click")
    await expect(page.locator(".toast").first).to_have_text("Connection lost. Trying again…")
    await page.unroute_all()
    await page.locator("#earlier").dispatch_event("click")
    await expect(page.locator(".entry")).to_have_count(40)


async def test_a_note_goes_when_it_is_pressed(house: House, page: Page) -> None:
    house.intake.note = "This button has expired."
    await house.reply(Reply("See", "en", buttons=(Button("More", Command("more"), "tok-1"),)))
    await page.get_by_role("button", name="More").click()
    await page.locator(".toast").click()
    await expect(page.locator(".toast")).to_have_count(0)


async def test_an_answer_that_comes_out_of_sight_is_led_to(house: House, context: BrowserContext) -> None:
    for number in range(20):
        house.transcript.put(f"r{number}", Reply(f"answer {number}\n\nand more\n\nand more", "en"))
    page = await visit(context, house)
    await page.locator(".entry").first.scroll_into_view_if_needed()
    await expect(page.locator("#newest")).to_be_visible()
    await house.reply(Reply("the newest", "en"))
    await expect(page.locator("#newest.news")).to_be_visible()
    await expect(page.get_by_text("the newest")).not_to_be_in_viewport()
    await page.get_by_role("button", name="Jump to the newest").click()
    await expect(page.get_by_text("the newest")).to_be_in_viewport()
    await expect(page.locator("#newest.news")).to_have_count(0)
