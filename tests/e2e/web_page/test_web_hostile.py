"""The chat page in Chromium. What must never happen."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.web_house import PNG, House, live, say
from playwright.async_api import BrowserContext, Error, Page, expect

from bot.contract.hostile_texts import HOSTILE
from bot.message import Attachment, Button, Command, Receipt, Reply, Source
from bot.testing import make_message

pytestmark = pytest.mark.asyncio(loop_scope="module")


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


def sent(house: House, data: bytes) -> str:
    """Put a file into the chat; return its sha256."""
    blob = house.blobs.keep(data)
    house.transcript.put(
        "file", replace(make_message("see"), attachments=(Attachment("document", "f", "text/html", 1, blob=blob),))
    )
    return blob


SCRIPTED = {
    "page.html": b"<script>document.title = 'taken'; fetch('/api/history')</script>",
    "page.txt.html": b"<!doctype html><script>document.title = 'taken'</script>",
    "drawing.svg": b"<svg xmlns='http://www.w3.org/2000/svg'><script>document.title = 'taken'</script></svg>",
    "page.xhtml": b"<html xmlns='http://www.w3.org/1999/xhtml'><script>document.title = 'taken'</script></html>",
}


@pytest.mark.parametrize("name", SCRIPTED)
async def test_a_file_with_a_script_is_saved_and_never_shown(house: House, context: BrowserContext, name: str) -> None:
    blob = sent(house, SCRIPTED[name])
    page = await context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    async with page.expect_download() as saving:
        with contextlib.suppress(Error):  # a navigation that becomes a download is given up
            await page.goto(f"{house.web.url}/blobs/{blob}?name={name}")
    assert Path(await (await saving.value).path()).read_bytes() == SCRIPTED[name]
    assert len(asked) == 1
    assert await page.title() == ""


async def test_a_script_under_the_name_of_a_text_is_shown_as_text(house: House, context: BrowserContext) -> None:
    blob = sent(house, SCRIPTED["page.html"])
    page = await context.new_page()
    await page.goto(f"{house.web.url}/blobs/{blob}?name=notes.txt")
    await expect(page.locator("body")).to_contain_text("<script>")
    assert await page.title() == ""


@contextlib.asynccontextmanager
async def neighbour(markup: str) -> AsyncIterator[str]:
    """Serve `markup` as another program on this machine: the same site, so that requests carry the cookie, and another origin."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(markup)}\r\nConnection: close\r\n\r\n"
        writer.write((head + markup).encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


ATTACK = """async url => {
    const outcome = async (what) => { try { return (await what()).type; } catch { return "refused"; } };
    const post = (headers, mode) => fetch(`${url}/api/say`, { method: "POST", credentials: "include", mode, headers,
        body: JSON.stringify({ id: "attack-1234", text: "stolen" }) });
    const socket = (path) => new Promise((resolve) => {
        const line = new WebSocket(url.replace("http", "ws") + path);
        line.onopen = () => resolve("open");
        line.onerror = () => resolve("refused");
    });
    return {
        read: await outcome(() => fetch(`${url}/api/history`, { credentials: "include" })),
        poll: await outcome(() => fetch(`${url}/_nicegui_ws/socket.io/?EIO=4&transport=polling`, { credentials: "include" })),
        asked: await outcome(() => post({ "X-Paring": "en", "Content-Type": "application/json" }, "cors")),
        blind: await outcome(() => post({ "Content-Type": "text/plain" }, "no-cors")),
        socket: await socket("/_nicegui_ws/socket.io/?EIO=4&transport=websocket"),
    };
}"""


async def test_a_neighbours_page_neither_reads_nor_writes_nor_listens(house: House, context: BrowserContext, page: Page) -> None:
    house.transcript.put("1", Reply("secret", "en"))
    other = await context.new_page()
    async with neighbour("<title>neighbour</title>") as url:
        await other.goto(url)
        tried = await other.evaluate(ATTACK, house.web.url)
    assert tried == {"read": "refused", "poll": "refused", "asked": "refused", "blind": "refused", "socket": "refused"}
    await say(page, "still mine")
    assert [message.text for message in await house.intake.wait_for()] == ["still mine"]


async def test_a_neighbours_page_shows_none_of_ours(house: House, context: BrowserContext) -> None:
    other = await context.new_page()
    async with neighbour(f"<iframe src={house.web.url}></iframe>") as url:
        async with other.expect_event("requestfailed") as refused:
            await other.goto(url)
        assert (await refused.value).failure == "net::ERR_BLOCKED_BY_RESPONSE"
    assert await other.frames[1].locator("#paring").count() == 0
