"""The chat page in Chromium. For everybody: every screen, every hand, every eye."""

from __future__ import annotations

import pytest
from fakes.web_house import HERE, House, visit
from playwright.async_api import Browser, BrowserContext, Page, expect

from bot.message import Button, Command, Receipt, Reply, Source

READABLE = 4.5
"""The least contrast of small text: WCAG 2.2, success criterion 1.4.3."""

pytestmark = pytest.mark.asyncio(loop_scope="module")


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
    await page.goto(f"{house.web.url}/admin")
    assert await contrast(page, ".slots input", "::placeholder") >= READABLE
    await context.close()


async def contrast(page: Page, selector: str, pseudo: str = "") -> float:
    """Return the contrast of a text's colour to the first opaque ground behind it. Source: WCAG 2.2, relative luminance."""
    colours = await page.locator(selector).first.evaluate(
        """(node, pseudo) => {
            const paint = (colour) => {
                const canvas = new OffscreenCanvas(1, 1).getContext("2d");
                canvas.fillStyle = colour;
                canvas.fillRect(0, 0, 1, 1);
                return [...canvas.getImageData(0, 0, 1, 1).data];
            };
            const ink = paint(getComputedStyle(node, pseudo || null).color);
            for (let ground = node; ground; ground = ground.parentElement) {
                const colour = paint(getComputedStyle(ground).backgroundColor);
                if (colour[3] === 255) return [ink, colour];
            }
            return [ink, [255, 255, 255, 255]];
        }""",
        pseudo,
    )
    bright, dark = sorted((_luminance(colour) for colour in colours), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def _luminance(colour: list[int]) -> float:
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (value / 255 for value in colour[:3])
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("size", [(320, 568), (390, 844), (550, 380), (1366, 650)])
async def test_the_empty_page_is_read_from_its_top(house: House, chromium: Browser, size: tuple[int, int]) -> None:
    context = await chromium.new_context(viewport={"width": size[0], "height": size[1]}, locale="en-GB")
    page = await visit(context, house)
    await expect(page.get_by_role("heading", level=1)).to_be_in_viewport(ratio=1)
    await expect(page.get_by_role("button", name="Choose files")).to_be_in_viewport(ratio=1)
    await context.close()


async def test_a_laptop_shows_the_whole_empty_page(house: House, chromium: Browser) -> None:
    context = await chromium.new_context(viewport={"width": 1366, "height": 650}, locale="en-GB")
    page = await visit(context, house)
    await expect(page.locator(".example").last).to_be_in_viewport(ratio=1)
    assert await page.locator("#scroll").evaluate("node => node.scrollHeight - node.clientHeight") <= 0
    await context.close()


@pytest.mark.parametrize("locale", ["ko-KR", "en-GB"])
async def test_a_lost_connection_is_told_whole_on_a_phone(house: House, chromium: Browser, locale: str) -> None:
    context = await chromium.new_context(viewport={"width": 320, "height": 568}, locale=locale, is_mobile=True, has_touch=True)
    page = await visit(context, house)
    await page.evaluate("window.socket.disconnect()")
    sign = page.locator("#connection.lost")
    await expect(sign).to_be_in_viewport(ratio=1)
    assert await sign.evaluate("node => node.scrollWidth - node.clientWidth") <= 0
    assert await sign.evaluate("node => node.getClientRects()[0].height") < 40
    assert await page.locator(".bar").evaluate("node => node.scrollWidth - node.clientWidth") <= 0
    await context.close()


async def test_what_is_old_is_not_read_out_as_news(house: House, context: BrowserContext) -> None:
    for number in range(40):
        house.transcript.put(f"r{number}", Reply(f"answer {number}", "en"))
    page = await visit(context, house)
    await page.evaluate(
        """() => {
            window.live = [];
            const log = document.getElementById("log");
            new MutationObserver(() => window.live.push(log.getAttribute("aria-live"))).observe(log, { childList: true });
        }"""
    )
    await page.locator("#earlier").dispatch_event("click")
    await expect(page.locator(".entry")).to_have_count(40)
    await expect(page.get_by_role("log")).to_have_attribute("aria-live", "polite")
    assert await page.evaluate("window.live") == ["off"]
    await house.reply(Reply("news", "en"))
    await expect(page.get_by_text("news")).to_be_visible()
    assert (await page.evaluate("window.live"))[-1] == "polite"


async def test_everything_that_is_pressed_is_large_enough_for_a_finger(house: House, page: Page) -> None:
    source = Source("t", "passage", "/x", 0.5, (0, 4))
    await house.reply(
        Reply("See", "en", buttons=(Button("More", Command("more"), "t"),), sources=(source,), receipt=Receipt("search", "m"))
    )
    await page.locator(".source summary").click()
    small = await page.evaluate(
        """() => [...document.querySelectorAll("#paring :is(button, .open, summary)")]
            .map((node) => [node.className || node.id, node.getBoundingClientRect()])
            .filter(([name, box]) => box.width && Math.min(box.width, box.height) < 24)
            .map(([name, box]) => `${name} ${box.width} x ${box.height}`)"""
    )
    assert small == []
