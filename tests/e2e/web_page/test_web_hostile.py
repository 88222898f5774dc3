"""The chat page in Chromium. What must never happen."""

from __future__ import annotations

import re

import pytest
from fakes.hostile_texts import HOSTILE
from fakes.web_house import PNG, House, live, say
from playwright.async_api import BrowserContext, expect

from bot.message import Button, Command, Receipt, Reply, Source

pytestmark = pytest.mark.asyncio(loop_scope="package")


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
