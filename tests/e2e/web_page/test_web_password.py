"""The chat page in Chromium. Behind a password."""

from __future__ import annotations

import pytest
from fakes.web_house import House, live, say, visit
from playwright.async_api import Browser, BrowserContext, expect

pytestmark = pytest.mark.asyncio(loop_scope="module")


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


@pytest.mark.parametrize("locale", ["ko-KR", "en-GB"])
async def test_the_narrowest_phone_shows_every_control_whole(locked: House, chromium: Browser, locale: str) -> None:
    """320 px, as a page at 400 % has it: WCAG 2.2, success criterion 1.4.10."""
    context = await chromium.new_context(viewport={"width": 320, "height": 568}, locale=locale)
    page = await context.new_page()
    await page.goto(locked.web.url)
    await page.locator("input[type=password]").fill("correct horse")
    await page.keyboard.press("Enter")
    await live(page)
    for control in (".brand svg", ".bar a.text", "#switch", "#theme", ".bar form button", "#attach", "#text", "#send"):
        box = await page.locator(control).bounding_box()
        assert box is not None, control
        assert (box["x"] >= 0, box["x"] + box["width"] <= 320) == (True, True), control
    assert await page.locator(".bar").evaluate("node => node.scrollWidth - node.clientWidth") <= 0
    await context.close()


async def test_signing_out_shuts_every_window(locked: House, context: BrowserContext) -> None:
    first = await context.new_page()
    await first.goto(locked.web.url)
    await first.get_by_label("Password").fill("correct horse")
    await first.get_by_label("Password").press("Enter")
    await live(first)
    second = await visit(context, locked)
    await first.get_by_role("button", name="Sign out").click()
    await expect(second).to_have_url(f"{locked.web.url}/sign-in")
    await expect(first).to_have_url(f"{locked.web.url}/sign-in")


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
