"""A new model's probation and shadow, with real summary models: it is taken back by itself, or settles; the shadow shows nobody anything."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.errors import InputError, ModelError
from bot.models.places import Heard
from bot.models.shadow import asked_by
from bot.models.tasks import SUMMARISE, SummaryInput
from bot.models.trial import Swap
from bot.testing import make_message

from .swapping import EXTRACT, LEAD, LEXRANK, House, a_house, figures_of
from .test_swap import TEXT


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with a_house(tmp_path / "home") as opened:
        yield opened


def heard(house: House, model: str, *, count: int = 1, failed: bool = False, ms: float = 2.0) -> None:
    for _call in range(count):
        house.probation.heard(Heard("summarise", model, ["x"], None if failed else ["y"], ms, bulk=False))


async def state(house: House, number: int = 1) -> str:
    await house.watching.look()
    return (await house.swapper.one(number)).state


async def test_after_so_many_good_answers_it_is_settled(house: House) -> None:
    await house.live_now("lead")
    for _answer in range(39):
        await house.pool.run(SUMMARISE, [TEXT])
    assert await state(house) == "watched"
    await house.pool.run(SUMMARISE, [TEXT])
    assert await state(house) == "live"
    assert "40 answers, 0 failed" in house.notified[-1][1].to("en")


async def test_after_so_many_minutes_it_is_settled(house: House) -> None:
    await house.live_now("lead")
    await house.minutes_later(29)
    assert await state(house) == "watched"
    await house.minutes_later(31)
    assert await state(house) == "live"


async def test_a_model_that_fails_is_taken_back_by_itself(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await house.live_now("lead")
    live = house.pool._places["summarise"].running
    assert live is not None

    def fails(_batch: object) -> None:
        raise OSError

    monkeypatch.setattr(live._model, "predict", fails)
    for _question in range(3):
        assert await state(house) == "watched"
        with pytest.raises(ModelError):
            await house.pool.run(SUMMARISE, [TEXT])

    assert await state(house) == "rolled back"
    assert house.pool.live(SUMMARISE) == EXTRACT
    assert await house.assignments.all() == {"summarise": EXTRACT}
    assert (await house.pool.run(SUMMARISE, [TEXT]))[0].text
    (told,) = house.notified
    assert told[1].to("en") == (
        "**Swap summarise → lead** (number 1): Taken back by itself: 3 of 3 requests failed. summarise.extract.v1 answers again."
    )
    assert "스스로 되돌렸어요" in told[1].to("ko")


async def test_a_model_that_is_slow_is_taken_back_and_one_whose_card_said_so_is_not(house: House) -> None:
    heard(house, EXTRACT, count=30, ms=20)
    await house.live_now("lead")
    heard(house, LEAD, count=20, ms=61)
    assert await state(house) == "watched"
    heard(house, LEAD, count=19, ms=71)
    assert await state(house) == "rolled back"
    assert "p95) take 71 ms, where 20 ms were usual and 70 ms the limit" in house.notified[-1][1].to("en")

    house.figures[LEXRANK] = figures_of(LEXRANK, p95_ms=20.0)
    heard(house, EXTRACT, count=30, ms=20)
    await house.live_now("lexrank")
    heard(house, LEXRANK, count=30, ms=500)
    assert await state(house, 2) == "watched"


async def test_a_model_that_people_complain_of_is_taken_back(house: House) -> None:
    await house.live_now("lead")
    heard(house, LEAD, count=30)
    house.complaints = 3
    assert await state(house) == "watched"
    house.complaints = 4
    assert await state(house) == "rolled back"
    assert "4 of 30 answers that they were wrong" in house.notified[-1][1].to("en")


async def test_the_last_answers_of_the_model_before_do_not_count(house: House) -> None:
    heard(house, EXTRACT)
    await house.live_now("lead")
    heard(house, EXTRACT, count=5, failed=True)
    heard(house, LEAD, count=2)

    assert await state(house) == "watched"


async def test_a_watch_goes_on_in_the_next_process(tmp_path: Path) -> None:
    async with a_house(tmp_path / "home", owner="first") as house:
        await house.live_now("lead")
    async with a_house(tmp_path / "home", owner="second") as house:
        assert house.pool.live(SUMMARISE) == LEAD
        heard(house, LEAD, count=3, failed=True)
        assert await state(house) == "rolled back"
        assert house.pool.live(SUMMARISE) == EXTRACT


async def test_a_newer_swap_settles_the_one_that_was_watched(house: House) -> None:
    await house.live_now("lead")
    await house.live_now("lexrank")

    assert [swap.state for swap in await house.swapper.history()] == ["watched", "live"]


async def a_shadow(house: House, count: int) -> Swap:
    swap = await house.swapper.propose("summarise", "lead", by="test:ann", tell=house.tell)
    swap = await house.swapper.shadow(swap.id, count, by="test:ann")
    await house.watching.look()
    return swap


async def nobody_waits() -> None:
    """Everything is answered."""


async def test_live_requests_are_computed_by_both_and_the_old_ones_answer_is_given(house: House) -> None:
    swap = await a_shadow(house, 2)
    same = SummaryInput.of("One thing. Another thing. A third thing.", language="en", count=3)
    with asked_by(make_message("sum it up")):
        answers = [(await house.pool.run(SUMMARISE, [text]))[0] for text in (TEXT, same)]
    assert house.pool.live(SUMMARISE) == EXTRACT
    await house.shadows.step(nobody_waits)
    await house.watching.look()

    done = await house.swapper.one(swap.id)
    assert done.card is not None
    assert done.card.shadow is not None
    found = done.card.shadow
    assert (done.state, found.wanted, found.done, found.failed) == ("reported", 2, 2, 0)
    (other,) = await house.pool.run(SUMMARISE.of(LEAD), [TEXT])
    assert other != answers[0]
    assert 0.5 < found.agreed < 1.0
    assert min(found.old_p50_ms, found.new_p50_ms) > 0
    assert "In the shadow of 2 requests" in house.notified[-1][1].to("en")
    assert (await house.swapper.promote(swap.id, by="a", tell=house.tell)).state == "watched"


async def test_what_nobody_allows_and_what_nobody_asked_is_not_computed_twice(house: House) -> None:
    await a_shadow(house, 5)
    await house.pool.run(SUMMARISE, [TEXT])
    house.allowed = False
    with asked_by(make_message("sum it up")):
        await house.pool.run(SUMMARISE, [TEXT])
    house.allowed = True
    with asked_by(make_message("sum it up")):
        await house.pool.run(SUMMARISE, [TEXT], bulk=True)

    (run,) = house.shadows.runs()
    assert not run.waiting


async def test_a_shadow_waits_until_nobody_waits_and_never_piles_up(house: House) -> None:
    await a_shadow(house, 100)
    with asked_by(make_message("sum it up")):
        for _request in range(20):
            await house.pool.run(SUMMARISE, [TEXT])
    (run,) = house.shadows.runs()
    assert len(run.waiting) == 8
    over = asyncio.Event()
    computing = asyncio.create_task(house.shadows.step(lambda: _until(over)))
    await asyncio.sleep(0)
    assert (run.agreed, len(run.waiting)) == ([], 8)
    over.set()
    await computing
    assert (len(run.agreed), len(run.waiting)) == (8, 0)


async def _until(event: asyncio.Event) -> None:
    await event.wait()


async def test_a_shadow_that_fails_is_counted_and_costs_nobody_anything(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    swap = await a_shadow(house, 1)

    def broken(_family: str) -> None:
        raise ModelError("broken")

    with asked_by(make_message("sum it up")):
        assert (await house.pool.run(SUMMARISE, [TEXT]))[0].text
    monkeypatch.setattr(house.pool._catalogue.families, "loader", broken)
    await house.shadows.step(nobody_waits)
    await house.watching.look()

    card = (await house.swapper.one(swap.id)).card
    assert card is not None
    assert card.shadow is not None
    assert (card.shadow.done, card.shadow.failed) == (0, 1)


async def test_a_shadow_can_be_discarded_and_the_model_goes(house: House) -> None:
    swap = await a_shadow(house, 5)
    await house.swapper.discard(swap.id, by="a")
    await house.watching.look()
    assert house.shadows.runs() == ()
    with pytest.raises(InputError, match="1 to 1000 requests"):
        await house.swapper.shadow(swap.id, 0, by="a")
