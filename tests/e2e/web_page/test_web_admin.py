"""The admin page in a browser: a model is tried, its card read, promoted, discarded, rolled back; others are kept out."""

from __future__ import annotations

import pytest
from fakes.admin_desk import broken, card
from fakes.web_house import House
from playwright.async_api import BrowserContext, Page, expect

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def models(context: BrowserContext, house: House) -> Page:
    page = await context.new_page()
    await page.goto(f"{house.web.url}/admin")
    await page.locator("#admin[data-live]").wait_for()
    return page


async def tried(page: Page, model: str, slot: str = "summarise") -> None:
    form = page.locator(f"form[data-verb=try][data-slot={slot}]")
    await form.locator("input").fill(model)
    await form.locator("button.pill").first.click()


async def test_every_slot_is_shown_with_its_model_memory_and_health(context: BrowserContext, house: House) -> None:
    page = await models(context, house)
    rows = page.locator("#section-slots .facts-row")
    await expect(rows).to_have_count(5)
    await expect(rows.nth(0)).to_contain_text("embed.minilm.v1")
    await expect(rows.nth(3)).to_contain_text("not installed")
    await expect(rows.nth(4)).to_contain_text("The file is cut.")
    await expect(page.locator("#section-memory .ram i")).to_have_count(2)
    await expect(page.locator("#section-memory")).to_contain_text("244 MB of 4.0 GB taken")


async def test_a_model_is_tried_told_step_by_step_and_made_live(context: BrowserContext, house: House) -> None:
    house.desk.swaps.go.clear()
    page = await models(context, house)
    await tried(page, "summarise.lexrank.v1")
    await expect(page.locator("#section-work .work")).to_contain_text("probing 3 of 40")
    house.desk.swaps.go.set()
    shown = page.locator("#section-work article.card")
    await expect(shown).to_contain_text("Passed")
    await expect(shown.locator(".pair")).to_have_count(4)
    await expect(shown).to_contain_text("caption is unloaded, its next answer takes 3.8 s longer")
    await shown.get_by_role("button", name="Make it live").click()
    await expect(page.locator("#section-history")).to_contain_text("live, on probation")
    await expect(page.locator("#section-work article.card")).to_have_count(0)
    assert house.desk.audit.kept == [("web:me", "/swap summarise summarise.lexrank.v1", "done"), ("web:me", "/promote 1", "done")]


async def test_a_trial_is_stopped_by_a_button(context: BrowserContext, house: House) -> None:
    house.desk.swaps.go.clear()
    page = await models(context, house)
    await tried(page, "summarise.lexrank.v1")
    await page.get_by_role("button", name="Stop").click()
    await expect(page.locator("#section-work .work")).to_have_count(0)
    assert [outcome for _who, _command, outcome in house.desk.audit.kept] == ["stopped", "done"]


async def test_when_it_was_is_told_by_the_readers_clock(context: BrowserContext, house: House) -> None:
    page = await models(context, house)
    await tried(page, "summarise.lexrank.v1")
    time = page.locator("#section-history time")
    await expect(time).to_have_text(await time.evaluate(
        "(node) => new Date(node.dateTime).toLocaleString(document.documentElement.lang, {dateStyle: 'medium', timeStyle: 'short'})"
    ))  # fmt: skip
    await expect(time).not_to_contain_text("UTC")


async def test_a_card_that_did_not_pass_is_made_live_only_with_a_reason(context: BrowserContext, house: House) -> None:
    house.desk.swaps.gives = card(passed=False)
    page = await models(context, house)
    await tried(page, "summarise.lexrank.v1")
    shown = page.locator("#section-work article.card")
    await expect(shown).to_contain_text("Korean falls by 12 points.")
    await expect(shown.get_by_role("button", name="Make it live", exact=True)).to_have_count(0)
    await shown.locator("input[name=reason]").fill("a demonstration")
    await shown.get_by_role("button", name="Make it live all the same").click()
    await expect(page.locator("#section-history")).to_contain_text("Forced: a demonstration")


async def test_an_error_is_told_and_put_away(context: BrowserContext, house: House) -> None:
    house.desk.swaps.breaks = broken()
    page = await models(context, house)
    await tried(page, "summarise.lead.v1")
    told = page.locator("#section-work .work.over")
    await expect(told).to_contain_text("The weights are cut off.")
    await told.get_by_role("button").click()
    await expect(page.locator("#section-work .work")).to_have_count(0)


async def test_nothing_typed_gets_a_sentence(context: BrowserContext, house: House) -> None:
    page = await models(context, house)
    await tried(page, "  ")
    await expect(page.locator("#trouble")).to_contain_text("Which model?")
    assert house.desk.audit.kept[-1][2] == "refused"


async def test_the_model_before_comes_back_with_one_press(context: BrowserContext, house: House) -> None:
    page = await models(context, house)
    await tried(page, "summarise.lexrank.v1")
    await page.locator("article.card").get_by_role("button", name="Make it live").click()
    await page.get_by_role("button", name="Back to summarise.extract.v1").click()
    await expect(page.locator("#section-history")).to_contain_text("rolled back")


async def test_the_whole_card_has_examples_and_figures(context: BrowserContext, house: House) -> None:
    page = await models(context, house)
    await tried(page, "summarise.lexrank.v1")
    await page.get_by_role("link", name="The whole card").click()
    await expect(page.locator(".example-pair")).to_have_count(3)
    await expect(page.locator(".example-pair").first).to_contain_text("asked ko-1")
    await expect(page.locator("main table")).to_contain_text("Apache-2.0")
    await page.get_by_role("button", name="Discard").click()
    await expect(page).to_have_url(f"{house.web.url}/admin")
    await expect(page.locator("#section-history")).to_contain_text("discarded")


async def test_who_is_no_admin_is_told_how_to_become_one(context: BrowserContext, house: House) -> None:
    house.desk.admins.clear()
    page = await context.new_page()
    answer = await page.goto(f"{house.web.url}/admin")
    assert answer is not None
    assert answer.status == 403
    await expect(page.locator("main")).to_contain_text("PARING_ADMINS=web:me")
    await page.goto(house.web.url)
    await expect(page.locator("#text")).to_be_visible()
    await expect(page.get_by_role("link", name="Models")).to_have_count(0)


async def test_an_admin_who_is_none_any_more_is_refused_at_the_press_and_audited(context: BrowserContext, house: House) -> None:
    page = await models(context, house)
    house.desk.admins.clear()
    await tried(page, "summarise.lexrank.v1")
    await expect(page.locator("#trouble")).to_contain_text("This page is for admins")
    assert not house.desk.swaps.made
    assert house.desk.audit.kept == [("web:me", "/swap summarise summarise.lexrank.v1", "not an admin")]


async def test_a_name_that_would_run_is_shown_as_text(context: BrowserContext, house: House) -> None:
    page = await models(context, house)
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    await tried(page, "<img src=x onerror=alert(1)>")
    await expect(page.locator("#section-work article.card")).to_contain_text("<img src=x onerror=alert(1)>")
    assert await page.locator("#section-work img").count() == 0


async def test_what_wants_a_second_yes_goes_on_with_it(context: BrowserContext, house: House) -> None:
    page = await models(context, house)
    await tried(page, "hub:owner/name")
    told = page.locator("#section-work .work.over")
    await expect(told).to_contain_text("Its licence is not known.")
    await told.get_by_role("button", name="Yes, fetch it").click()
    await expect(page.locator("#section-work article.card")).to_contain_text("Passed")
