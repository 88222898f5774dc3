"""The chat page in Chromium. A line that is cut, and a bot that is started again."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from fakes.waiting import LONGEST_S
from fakes.web_house import House, live, say
from playwright.async_api import Page, Route, expect

from bot.errors import StoreError
from bot.message import Reply

pytestmark = pytest.mark.asyncio(loop_scope="module")


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
    await expect(page.locator(".entry.bot .said")).to_have_text(["from before the stop", "here again"])
    await expect(page.locator("#text")).to_have_value("a draft")
    assert [message.text for message in house.intake.messages] == ["while you were away"]


async def test_a_file_that_is_dropped_while_the_bot_is_away_is_there_when_it_is_back(
    house: House, page: Page, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_bytes(b"abc")
    await house.stop()
    await expect(page.locator("#connection")).to_have_text("Connection lost. Trying again…")
    await page.locator("#files").set_input_files([tmp_path / "a.txt"])
    await expect(page.locator(".batch")).to_contain_text("Connection lost. Trying again…")
    await house.start()
    await expect(page.locator("#connection")).not_to_have_text("Connection lost. Trying again…")
    await expect(page.locator(".batch progress")).to_be_hidden()
    await expect(page.locator(".batch")).to_contain_text("a.txt")
    await live(page)
    await page.locator("#send").click()
    assert [file.name for file in (await house.intake.wait_for())[0].attachments] == ["a.txt"]


async def test_a_message_that_cannot_be_taken_now_says_why_and_is_taken_later(house: House, page: Page) -> None:
    house.intake.breaks = StoreError("The disk is full. Nothing was kept.")
    await say(page, "keep this")
    await expect(page.locator(".toast").first).to_have_text("The disk is full. Nothing was kept.")
    await expect(page.locator(".entry.own .unsent")).to_be_visible()
    house.intake.breaks = None
    await expect(page.locator(".entry.own:not(.waiting) .said")).to_have_text("keep this")
    assert [message.text for message in await house.intake.wait_for()] == ["keep this"]


async def test_the_page_that_a_restarted_bot_does_not_know_waits_for_files_on_their_way(
    house: House, page: Page, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_bytes(b"abc")
    unknown = asyncio.ensure_future(
        page.evaluate(
            """() => new Promise((resolve) => window.socket.on(
                "connect_error", ({ message }) => message === "Implicit handshake failed" && resolve()
            ))"""
        )
    )
    held = asyncio.Event()

    async def hold(route: Route) -> None:
        await asyncio.wait_for(held.wait(), LONGEST_S)
        await route.continue_()

    await page.route("**/api/files", hold)
    await page.locator("#files").set_input_files([tmp_path / "a.txt"])
    await house.stop()
    await house.start()
    await asyncio.wait_for(unknown, LONGEST_S)
    held.set()
    await expect(page.locator(".batch progress")).to_be_hidden()
    await live(page)
    await page.locator("#send").click()
    assert [file.name for file in (await house.intake.wait_for())[0].attachments] == ["a.txt"]
