"""One browser and one page a file: a process has one page, and the files of other folders may come between."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
import pytest_asyncio
from fakes.waiting import LONGEST_S
from fakes.web_house import House, visit
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

expect.set_options(timeout=LONGEST_S * 1000)
CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
]  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    house = House(tmp_path_factory.mktemp("web"))
    await house.start()
    yield house
    await house.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
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


@pytest_asyncio.fixture(loop_scope="module")
async def locked(served: House, tmp_path: Path) -> AsyncIterator[House]:
    """A page with a password, in the place of the open one: one process has one page."""
    await served.stop()
    house = House(tmp_path, password="correct horse")
    await house.start()
    yield house
    await house.stop()
    await served.start()
