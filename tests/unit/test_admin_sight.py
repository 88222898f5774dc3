"""What an admin sees: the live models with their share of traffic, one slot with what else there is, the memory."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from fakes.admin import AdminHouse, Sum

from bot.errors import InputError, ModelError
from bot.locale import Text
from bot.message import Command, Reply
from bot.models.tasks import SUMMARISE
from bot.route import Route
from bot.store.database import Database
from bot.store.inbox import Inbox
from bot.testing import make_message


@pytest.fixture
def house(database: Database, tmp_path: Path) -> AdminHouse:
    return AdminHouse(database, tmp_path, skills=(Sum(),))


async def answered(database: Database, *routes: Route) -> None:
    inbox = Inbox(database)
    for place, route in enumerate(routes):
        message = make_message("x", id=f"m{place}")
        number = await inbox.accept(message)
        assert number is not None
        await inbox.finish(number, message, [Reply("ok", "en")], route=route)


async def test_the_models_are_listed_with_their_figures_and_buttons_that_lead_on(house: AdminHouse) -> None:
    shown = await house.say("/models")
    lines = [line for line in shown.text.splitlines() if line.startswith("- **")]
    assert [line.split("**")[1] for line in lines] == list(house.catalogue.slots())
    (summaries,) = [line for line in lines if "**summarise**" in line]
    assert all(piece in summaries for piece in ("· extract ·", "idle", "RAM", "p50 –", "0 % of messages"))
    assert [button.command for button in shown.buttons] == [
        *(Command("models", slot) for slot in house.catalogue.slots()), Command("ram"),
    ]  # fmt: skip


async def test_the_share_of_traffic_counts_routing_and_the_skill_that_answered(house: AdminHouse, database: Database) -> None:
    ways = (Route("summarise", "command"), Route("summarise", "router", 0.9), Route("search", "found"), Route("help", "command"))
    await answered(database, *ways)
    lines = {line.split("**")[1]: line for line in (await house.say("/models")).text.splitlines() if line.startswith("- **")}
    shares = {slot: line.rpartition("· ")[2].partition(" %")[0] for slot, line in lines.items()}
    assert (shares["summarise"], shares["embed"], shares["route"], shares["chat"]) == ("50", "75", "50", "0")


@pytest.mark.parametrize("word", ["summarise", "/sum", "요약", "TLDR", "summarize"])
async def test_a_slot_is_shown_by_any_of_its_names_with_models_to_try(house: AdminHouse, word: str) -> None:
    shown = await house.say(f"/models {word}", language="en")
    assert "`summarise.extract.v1`" in shown.text
    assert "`summarise.lexrank.v1`: " in shown.text
    assert shown.buttons[0].label == "Try lexrank"
    assert shown.buttons[0].command == Command("swap", "summarise summarise.lexrank.v1")


@pytest.mark.parametrize(("word", "near"), [("sumarise", "summarise"), ("요악", "summarise"), ("embd", "embed")])
async def test_a_slot_that_is_none_is_told_with_what_may_have_been_meant(house: AdminHouse, word: str, near: str) -> None:
    shown = await house.say(f"/models {word}", language="en")
    assert f"Did you mean {near}" in shown.text
    assert shown.buttons[0].command == Command("models", near)


async def test_what_is_like_no_slot_gets_the_list(house: AdminHouse) -> None:
    shown = await house.say("/models 00")
    assert "There are: caption, chat" in shown.text
    assert len(shown.buttons) == len(house.catalogue.slots())


async def test_the_memory_is_told_loaded_and_not_loaded(house: AdminHouse) -> None:
    shown = await house.say("/ram")
    assert f"of {house.pool.memory[1]} MiB" in shown.text
    assert re.search(r"- \*\*route\*\* · route\.\S+ · never measured", shown.text)
    async with house.pool.lease(SUMMARISE):
        shown = await house.say("/메모리", language="en")
    assert "stays loaded" in shown.text
    assert shown.text.index("**summarise**") < shown.text.index("Not loaded")
    await house.pool.close()


@dataclass(frozen=True)
class Offer:
    word: str
    licence: str = "mit"
    downloads: int = 12345
    size_bytes: int = 500_000_000
    obstacle: Text | None = None

    @property
    def loadable(self) -> bool:
        return self.obstacle is None


class FakeHub:
    def __init__(self, *offers: Offer, offline: bool = False) -> None:
        self.offers, self.offline = offers, offline
        self.asked: list[tuple[str, str]] = []

    async def search(self, slot: str, text: str, *, count: int = 10) -> Sequence[Offer]:
        self.asked.append((slot, text))
        if self.offline:
            raise ModelError("No model hub can be reached from here. Carry a model in.")
        return self.offers[:count]


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("/models search summarise: korean news", ("summarise", "korean news")),
        ("/models search 요약: korean news", ("summarise", "korean news")),
        ("/모델 찾기 korean 요약 news", ("summarise", "korean news")),
        ("/models search summarise", ("summarise", "")),
    ],
)
async def test_a_search_finds_presets_and_what_the_hub_offers_for_the_slot(
    database: Database, tmp_path: Path, typed: str, asked: tuple[str, str]
) -> None:
    hub = FakeHub(Offer("hub:a/good"), Offer("hub:b/pickled", obstacle=Text("it has pickles alone")))
    house = AdminHouse(database, tmp_path, skills=(Sum(),), hub=hub)
    shown = await house.say(typed, language="en")
    assert hub.asked == [asked]
    assert "`summarise.kobart-news.v1`: Korean news in a sentence or two, in its own words. · MIT · ko · 496 MB" in shown.text
    assert "`hub:a/good`: mit · 500 MB · 12,345 downloads" in shown.text
    assert "it has pickles alone" in shown.text
    commands = [button.command.args for button in shown.buttons]
    assert "summarise summarise.kobart-news.v1" in commands
    assert "summarise hub:a/good" in commands
    assert "summarise hub:b/pickled" not in commands


async def test_a_search_without_a_slot_asks_no_hub(database: Database, tmp_path: Path) -> None:
    hub = FakeHub(Offer("hub:a/good"))
    shown = await AdminHouse(database, tmp_path, hub=hub).say("/models search korean")
    assert "Name a slot" in shown.text
    assert hub.asked == []


async def test_an_offline_search_shows_what_is_known_here_and_says_so(database: Database, tmp_path: Path) -> None:
    shown = await AdminHouse(database, tmp_path, hub=FakeHub(offline=True)).say("/models search summarise: news")
    assert "`summarise.kobart-news.v1`" in shown.text
    assert "No model hub can be reached from here" in shown.text


async def test_a_search_for_nothing_is_told_how_it_is_written(house: AdminHouse) -> None:
    with pytest.raises(InputError, match="what to look for"):
        await house.say("/models search")


async def test_a_search_that_finds_nothing_says_so(database: Database, tmp_path: Path) -> None:
    shown = await AdminHouse(database, tmp_path, hub=FakeHub()).say("/models search summarise: qqqq")
    assert "Nothing that is known here fits" in shown.text
    assert "The hub offers nothing" in shown.text
    assert shown.buttons == ()
