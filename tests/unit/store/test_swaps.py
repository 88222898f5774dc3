"""Swaps in the database: every change of state is a compare-and-set, and what is live changes with it or not at all."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.errors import InputError
from bot.locale import Text
from bot.models.trial import Card, Figures, Room, Scored
from bot.store.assignments import Assignments
from bot.store.database import Database
from bot.store.swaps import Change, Swaps, same

ONE, TWO = "summarise.extract.v1", "summarise.lexrank.v1"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await Database.open(tmp_path / "paring.db")
    yield opened
    await opened.close()


def a_card() -> Card:
    scored = (Scored("a", "ko", 0.5, "물음", "답"),)
    figures = Figures(TWO, "ROUGE-1", scored, 0.1, 1.0, 2.0, 3, 0, "Apache-2.0", ("ko", "en"), {})
    return Card("summarise", None, figures, Room(1, 2, 3, (), beside=True, fits=True), ({"en": "no", "ko": "아니요"},))


async def test_a_swap_is_kept_with_its_card_and_its_words(database: Database) -> None:
    swaps = Swaps(database, owner="me")
    begun = await swaps.begin("summarise", "lexrank", by="telegram:1", origin="here")

    changed = await swaps.change(
        begun.id, Change("reported", "report", model=TWO, before=ONE, card=a_card(), said=Text("so")), of={"trying"}
    )

    assert changed == await swaps.one(begun.id)
    assert changed is not None
    assert (changed.state, changed.step, changed.model, changed.before, changed.by) == (
        "reported",
        "report",
        TWO,
        ONE,
        "telegram:1",
    )
    assert changed.card == a_card()
    assert changed.said == {"ko": "so", "en": "so"}
    assert (await swaps.history("summarise"))[0] == changed
    assert await swaps.history("embed") == []


async def test_a_card_that_waits_is_in_the_history_however_many_came_after_it(database: Database) -> None:
    swaps = Swaps(database, owner="me")
    first = await swaps.begin("summarise", "lexrank", by="telegram:1")
    await swaps.change(first.id, Change("reported", "report", model=TWO, before=ONE, card=a_card()), of={"trying"})
    later = [await _refused(swaps, "caption") for _more in range(3)]

    assert [swap.id for swap in await swaps.history(count=2)] == [later[2], later[1], first.id]
    assert [swap.id for swap in await swaps.history("caption", count=2)] == [later[2], later[1]]


async def _refused(swaps: Swaps, slot: str) -> int:
    swap = await swaps.begin(slot, "blip", by="telegram:1")
    await swaps.change(swap.id, Change("refused", "verify"), of={"trying"})
    return swap.id


@pytest.mark.parametrize("number", [0, 9, 10**30])
async def test_a_number_that_no_swap_has_is_told(database: Database, number: int) -> None:
    with pytest.raises(InputError, match=f"no swap {number}"):
        await Swaps(database).one(number)


async def test_one_that_is_not_in_the_state_any_more_is_left_alone(database: Database) -> None:
    swaps = Swaps(database)
    begun = await swaps.begin("summarise", "lexrank", by="a")
    await swaps.change(begun.id, Change("discarded"), of={"trying"})

    assert await swaps.change(begun.id, Change("reported"), of={"trying"}) is None
    assert (await swaps.one(begun.id)).state == "discarded"


async def test_of_two_wishes_for_one_slot_at_once_one_is_told_so(database: Database) -> None:
    swaps = [Swaps(database, owner="a"), Swaps(database, owner="b")]

    got = await asyncio.gather(*(each.begin("summarise", "lexrank", by="x") for each in swaps), return_exceptions=True)

    (refused,) = [one for one in got if isinstance(one, InputError)]
    assert "Another swap of summarise" in refused.sentence("en")
    assert "summarise 자리의 다른 교체" in refused.sentence("ko")
    await swaps[0].begin("ocr", "tesseract", by="x")


async def test_a_card_is_not_published_while_another_swap_of_its_slot_is_tried(database: Database) -> None:
    swaps = Swaps(database)
    first = await swaps.begin("summarise", "lexrank", by="a")
    await swaps.change(first.id, Change("reported"), of={"trying"})
    await swaps.begin("summarise", "lead", by="a")

    with pytest.raises(InputError, match="Another swap"):
        await swaps.change(first.id, Change("publishing"), of={"reported"})


async def test_what_is_live_changes_with_the_swap_or_not_at_all(database: Database) -> None:
    swaps, assignments = Swaps(database), Assignments(database)
    begun = await swaps.begin("summarise", "lexrank", by="a")

    assert await swaps.record(begun.id, Change("watched"), of={"publishing"}, live=TWO, by="a") is None
    assert await assignments.all() == {}
    await swaps.change(begun.id, Change("publishing", model=TWO), of={"trying"})
    assert await swaps.record(begun.id, Change("watched"), of={"publishing"}, live=TWO, by="a", expect="other") is None
    assert await assignments.all() == {}
    recorded = await swaps.record(begun.id, Change("watched"), of={"publishing"}, live=TWO, by="a", expect="")
    assert recorded is not None
    assert recorded.state == "watched"
    assert await assignments.all() == {"summarise": TWO}
    assert await swaps.last_live("summarise", TWO) == recorded

    again = await swaps.begin("summarise", "rollback", by="a", state="publishing", model=ONE)
    await swaps.record(again.id, Change("live"), of={"publishing"}, live="", by="a")
    assert await assignments.all() == {}
    assert (await swaps.one(begun.id)).state == "live"


async def test_what_a_dead_process_was_at_is_interrupted_and_told_once(database: Database) -> None:
    dead, mine = Swaps(database, owner="dead"), Swaps(database, owner="me")
    lost = await dead.begin("summarise", "lexrank", by="a")
    lives = await Swaps(database, owner="other").begin("ocr", "rapidocr", by="a")
    await mine.begin("caption", "blip", by="a")
    waits = await dead.begin("translate", "marian", by="a")
    await dead.change(waits.id, Change("reported"), of={"trying"})

    assert [one.id for one in await mine.interrupt(["other"])] == [lost.id]
    assert await mine.interrupt(["other"]) == []
    assert [one.id for one in await mine.untold()] == [lost.id]
    assert "resolve" in (await mine.one(lost.id)).said["en"]
    assert [(await mine.one(number)).state for number in (lives.id, waits.id)] == ["trying", "reported"]

    assert await mine.tell(lost.id)
    assert not await mine.tell(lost.id)
    assert await mine.untold() == []


async def test_what_is_being_made_live_elsewhere_is_left_alone(database: Database) -> None:
    dead, mine = Swaps(database, owner="dead"), Swaps(database, owner="me")
    await dead.begin("embed", "static", by="a", state="publishing")
    tried = await dead.begin("ocr", "rapidocr", by="a")

    assert [one.id for one in await mine.interrupt([], but=("embed", "ocr"))] == [tried.id]


async def test_a_watch_is_taken_over_from_the_dead_alone(database: Database) -> None:
    for owner in ("dead", "other"):
        swaps = Swaps(database, owner=owner)
        begun = await swaps.begin(owner, "x", by="a", state="publishing")
        await swaps.record(begun.id, Change("watched", owner=owner), of={"publishing"}, live="x", by="a")

    taken = await Swaps(database, owner="me").take("watched", ["other"])

    assert [one.slot for one in taken] == ["dead"]
    assert await Swaps(database, owner="third").take("watched", ["other", "me"]) == []


async def test_an_unknown_number_is_told(database: Database) -> None:
    with pytest.raises(InputError, match="no swap 7"):
        await Swaps(database).one(7)


def test_what_is_made_here_has_no_revision_before_it_is_loaded() -> None:
    assert same("route.linear.v1", "route.linear.v1@abc")
    assert same("route.linear.v1@abc", "route.linear.v1")
    assert same("a@1", "a@1")
    assert not same("a@1", "a@2")
    assert not same("", "a")
