"""What an admin sees: the live models with their share of traffic, one slot with what else there is, the memory."""

from pathlib import Path

import pytest
from fakes.admin import AdminHouse

from bot.errors import InputError
from bot.locale import Text
from bot.message import Command, Message, Reply
from bot.models.tasks import EMBED, SUMMARISE
from bot.route import Route
from bot.skill import CommandSpec, Request
from bot.store.database import Database
from bot.store.inbox import Inbox
from bot.testing import make_message


class Sum:
    name, title, summary = "summarise", Text("Summarise"), Text("I summarise.")
    slots, takes = (SUMMARISE, EMBED), frozenset()
    commands = (CommandSpec("sum", Text("-"), aliases=("요약", "tldr")),)

    def claims(self, message: Message) -> bool:
        return False

    async def answer(self, request: Request) -> Reply:
        return request.reply("")


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
    assert all(piece in summaries for piece in ("extract.v1", "idle", "RAM", "p50 –", "0 % of messages"))
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
    assert shown.buttons[0].label == "Try lexrank.v1"
    assert shown.buttons[0].command == Command("swap", "summarise summarise.lexrank.v1")


@pytest.mark.parametrize(("word", "near"), [("sumarise", "summarise"), ("요악", "summarise"), ("embd", "embed")])
async def test_a_slot_that_is_none_is_told_with_what_may_have_been_meant(house: AdminHouse, word: str, near: str) -> None:
    with pytest.raises(InputError, match=f"Did you mean {near}"):
        await house.say(f"/models {word}")


async def test_what_is_like_no_slot_gets_the_list(house: AdminHouse) -> None:
    with pytest.raises(InputError, match="The slots are caption, chat"):
        await house.say("/models 00")


async def test_the_memory_is_told_loaded_and_not_loaded(house: AdminHouse) -> None:
    shown = await house.say("/ram")
    assert f"of {house.pool.memory[1]} MiB" in shown.text
    assert "- **embed** · embed.minilm.v1 · never measured" in shown.text
    async with house.pool.lease(SUMMARISE):
        shown = await house.say("/메모리", language="en")
    assert "stays loaded" in shown.text
    assert shown.text.index("**summarise**") < shown.text.index("Not loaded")
    await house.pool.close()
