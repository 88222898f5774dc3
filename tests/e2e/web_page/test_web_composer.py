"""The chat page in Chromium. Where one writes."""

from __future__ import annotations

import pytest
from fakes.web_house import House, live, say
from playwright.async_api import BrowserContext, Page, expect

from bot.locale import Text
from bot.message import Command, Reply
from bot.skill import CommandSpec

pytestmark = pytest.mark.asyncio(loop_scope="module")


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
    written = "나" * 370_000  # over the 1 MB that is the most, in letters that take three bytes each: fewer to lay out
    await page.locator("#text").fill(written)
    await page.locator("#send").click()
    await expect(page.locator(".toast")).to_contain_text("too long")
    assert await page.locator("#text").input_value() == written
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


async def test_a_long_text_is_written_on_in_a_field_of_full_height(page: Page) -> None:
    field = page.locator("#text")
    await field.fill("The cat sat on the mat. " * 2000)
    await field.press("End")
    await field.press_sequentially("!")
    assert (await field.input_value()).endswith("!")
    assert 200 < await field.evaluate("node => node.clientHeight") < 300  # 38 % of the window
    await field.fill("short")
    assert await field.evaluate("node => node.clientHeight") < 60


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


async def test_an_example_that_needs_a_text_is_gone_on_with(page: Page) -> None:
    await page.get_by_role("button", name="Summarise this in three lines:").click()
    await page.keyboard.type("The cat sat.")
    await expect(page.locator("#text")).to_have_value("Summarise this in three lines: The cat sat.")


async def test_a_command_that_an_answer_names_is_pressed(house: House, page: Page) -> None:
    await house.web.publish_commands([CommandSpec("search", Text("Search"))], [])
    await page.reload()
    await live(page)
    await house.reply(Reply("There is no /serach. Did you mean /search? See `/search x` and a/search/b.", "en"))
    await expect(page.locator(".entry.bot .said button")).to_have_text(["/search"])
    await page.get_by_role("button", name="/search").click()
    await expect(page.locator("#text")).to_have_value("/search ")
    await expect(page.locator("#text")).to_be_focused()
