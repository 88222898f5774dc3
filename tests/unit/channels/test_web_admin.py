"""The admin page's verbs: what is done in the background, what is written down of it, and what a stale page may not do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
from fakes.admin_desk import MemoryDesk, broken, card
from starlette.applications import Starlette
from starlette.routing import Route

from bot.channels.web_admin import AdminPages
from bot.channels.web_render import Renderer
from bot.errors import InputError
from bot.locale import Text
from bot.models.trial import told

ME = "web:me"
LEXRANK = {"slot": "summarise", "model": "lexrank"}


class Page:
    def __init__(self) -> None:
        self.desk = MemoryDesk()
        self.pages = AdminPages(self.desk, person=ME, origin="", renderer=Renderer())
        routes = self.pages.routes(lambda _request: "en")
        app = Starlette(routes=[Route(path, answer, methods=[method]) for path, method, answer in routes])
        self._browser = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1")

    async def order(self, verb: str, asked: dict[str, object]) -> None:
        await self._browser.post(f"/api/admin/{verb}", json=asked)

    async def section(self, name: str) -> str:
        return str((await self._browser.get("/api/admin/state")).json()["sections"][name])

    async def ended(self) -> None:
        """Wait until nothing is being done any more."""
        while (await self._browser.get("/api/admin/state")).json()["busy"]:
            pass

    @property
    def kept(self) -> list[tuple[str, str]]:
        return [(command, outcome) for _who, command, outcome in self.desk.audit.kept]


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    page = Page()
    yield page
    await page.pages.close()


async def test_an_order_is_written_down_before_it_is_done_and_ended_when_it_is(page: Page) -> None:
    page.desk.swaps.go.clear()
    await page.order("try", LEXRANK)
    assert page.kept == [("/swap summarise lexrank", "begun")]
    page.desk.swaps.go.set()
    await page.ended()
    assert page.kept == [("/swap summarise lexrank", "done")]


@pytest.mark.parametrize(
    ("breaks", "outcome"), [(broken(), "failed"), (InputError(Text("no")), "refused"), (KeyError("x"), "failed")]
)
async def test_what_fell_short_in_the_background_is_written_down_so(page: Page, breaks: Exception, outcome: str) -> None:
    page.desk.swaps.breaks = breaks
    await page.order("try", LEXRANK)
    await page.ended()
    assert page.kept == [("/swap summarise lexrank", outcome)]
    assert "over" in await page.section("work")


async def test_a_card_that_does_not_pass_is_a_refusal_and_is_forced_as_in_a_chat(page: Page) -> None:
    page.desk.swaps.gives = card(passed=False)
    await page.order("try", LEXRANK)
    await page.ended()
    with pytest.raises(InputError, match="did not pass"):
        await page.order("promote", {"swap": 1})
    await page.order("promote", {"swap": 1, "reason": "to compare"})
    await page.ended()
    assert page.kept == [
        ("/swap summarise lexrank", "refused"),
        ("/promote 1", "refused"),
        ('/promote 1 --force "to compare"', "done"),
    ]


async def test_a_second_yes_is_for_the_commit_that_was_told(page: Page) -> None:
    await page.order("try", {"slot": "summarise", "model": "hub:ann/news"})
    await page.ended()
    assert 'value="hub:ann/news@b2"' in await page.section("work")


async def test_a_page_that_is_behind_goes_back_from_no_other_swap(page: Page) -> None:
    for number in (1, 2):
        await page.order("try", LEXRANK)
        await page.ended()
        await page.order("promote", {"swap": number})
        await page.ended()
    assert 'data-swap="2"' in await page.section("slots")
    await page.order("rollback", {"slot": "summarise", "swap": 1})
    await page.ended()
    assert [swap.state for swap in page.desk.swaps.made] == ["watched", "watched"]
    assert page.kept[-1] == ("/rollback summarise 1", "refused")


async def test_what_is_stopped_is_written_down_and_shown_no_more(page: Page) -> None:
    page.desk.swaps.go.clear()
    await page.order("try", LEXRANK)
    assert 'data-verb="stop"' in await page.section("work")
    await page.order("stop", {"slot": "summarise"})
    assert page.kept == [("/swap summarise lexrank", "stopped"), ("/stop summarise", "done")]
    assert 'data-verb="stop"' not in await page.section("work")
    with pytest.raises(InputError, match="Nothing of that slot"):
        await page.order("stop", {"slot": "summarise"})


async def test_a_card_offers_what_it_is_open_to(page: Page) -> None:
    good = card()
    broke = replace(good, reasons=(told(Text("It crashed.")),), new=replace(good.new, fault=told(Text("It crashed."))))
    page.desk.swaps.gives = broke
    await page.order("try", LEXRANK)
    await page.ended()
    assert [verb for verb in ("promote", "shadow", "discard") if f'data-verb="{verb}"' in await page.section("work")] == [
        "discard"
    ]
    await page.order("discard", {"swap": 1})
    page.desk.swaps.gives = good
    await page.order("try", LEXRANK)
    await page.ended()
    await page.order("shadow", {"swap": 2, "count": 50})
    assert [verb for verb in ("promote", "shadow", "discard") if f'data-verb="{verb}"' in await page.section("work")] == [
        "discard"
    ]
