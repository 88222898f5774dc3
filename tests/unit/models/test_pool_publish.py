"""A slot's model is changed: recorded before it is switched, beside the old one or after it, and heard of."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest

from bot.config import ModelSettings, Settings
from bot.errors import DirectionError, InputError, ModelError, NoModelError
from bot.models.catalogue import Catalogue
from bot.models.places import Heard
from bot.models.pool import Pool
from bot.models.spec import ModelSpec
from bot.skill import Slot

from .conftest import Echo, Gate, Shop

SUM: Slot[str, str] = Slot("summarise")
MODELS = """
default: [summarise.one.v1]
models:
  - {name: summarise.one.v1, slot: summarise, family: echo, source: builtin, ram_mb: 600}
  - {name: summarise.two.v1, slot: summarise, family: echo, source: builtin, ram_mb: 600}
"""


class Taken:
    """Each takes 600 MiB."""

    def ram_mb(self, _identity: str) -> int:
        return 600

    def load_s(self, identity: str) -> float:
        return 0.0

    def keep(self, identity: str, ram_mb: int, load_s: float = 0.0) -> None:
        pass


@pytest.fixture
async def opened(catalogue_of: Callable[..., Catalogue], settings: Settings) -> AsyncIterator[Callable[..., Pool]]:
    async with AsyncExitStack() as stack:

        def make(ram_mb: int) -> Pool:
            changed = settings.model_copy(update={"models": ModelSettings(ram_mb=ram_mb)})
            pool = Pool(catalogue_of(MODELS, changed), changed, measured=Taken())
            stack.push_async_callback(pool.close)
            return pool

        yield make


def two(pool: Pool) -> ModelSpec:
    return pool._catalogue.find("summarise.two.v1")


async def test_it_is_recorded_when_it_is_loaded_and_before_it_answers(opened: Callable[..., Pool], shop: Shop) -> None:
    pool = opened(2000)
    await pool.run(SUM, ["a"])
    seen = []

    async def record(spec: ModelSpec) -> None:
        seen.append((spec.name, len(shop.loaded), await pool.run(SUM, ["b"])))

    await pool.publish(SUM, two(pool), record=record)

    assert seen == [("summarise.two.v1", 2, ["summarise.one.v1:b"])]
    assert await pool.run(SUM, ["c"]) == ["summarise.two.v1:c"]
    assert pool.settings.models.choose["summarise"] == "summarise.two.v1"


@pytest.mark.parametrize("unloading", [False, True])
async def test_what_could_not_be_recorded_is_not_switched(opened: Callable[..., Pool], shop: Shop, unloading: bool) -> None:
    pool = opened(2000)
    await pool.run(SUM, ["a"])

    async def record(_spec: ModelSpec) -> None:
        raise InputError("no")

    with pytest.raises(InputError):
        await pool.publish(SUM, two(pool), record=record, unloading=unloading)

    assert pool.live(SUM) == "summarise.one.v1"
    assert await pool.run(SUM, ["b"]) == ["summarise.one.v1:b"]
    assert [model.name for model in shop.loaded if not model.closed] == ["summarise.one.v1"]


async def test_what_does_not_fit_beside_is_loaded_after_the_old_one_has_gone(opened: Callable[..., Pool], shop: Shop) -> None:
    pool = opened(800)
    await pool.run(SUM, ["a"])
    with pytest.raises(ModelError, match="needs 600 MiB"):
        await pool.publish(SUM, two(pool))
    assert await pool.run(SUM, ["a"]) == ["summarise.one.v1:a"]

    await pool.publish(SUM, two(pool), unloading=True)

    assert await pool.run(SUM, ["b"]) == ["summarise.two.v1:b"]
    assert [model.closed for model in shop.loaded] == [True, False]


async def test_who_asks_while_the_old_one_goes_waits_and_is_answered(opened: Callable[..., Pool], shop: Shop) -> None:
    pool = opened(800)
    gate = Gate()
    await pool.run(SUM, ["a"])
    shop.loaded[0].before = gate
    held = asyncio.create_task(pool.run(SUM, ["held"]))
    await asyncio.to_thread(gate.reached.wait, 20)
    change = asyncio.create_task(pool.publish(SUM, two(pool), unloading=True))
    await asyncio.sleep(0)

    asked = [asyncio.create_task(pool.run(SUM, [str(number)])) for number in range(5)]
    await asyncio.sleep(0)
    gate.opened.set()
    await change

    assert await held == ["summarise.one.v1:held"]
    assert [await one for one in asked] == [[f"summarise.two.v1:{number}"] for number in range(5)]


async def test_who_asked_while_a_load_failed_is_answered_by_the_old_one(opened: Callable[..., Pool], shop: Shop) -> None:
    pool = opened(800)
    await pool.run(SUM, ["a"])

    def broken(spec: ModelSpec) -> Echo:
        if spec.name == "summarise.two.v1":
            raise OSError
        return Echo(spec.name)

    shop.make = broken
    change = asyncio.create_task(pool.publish(SUM, two(pool), unloading=True))
    await asyncio.sleep(0)
    asked = asyncio.create_task(pool.run(SUM, ["b"]))

    with pytest.raises(ModelError, match="failed"):
        await change
    assert await asked == ["summarise.one.v1:b"]


async def test_a_slot_is_left_empty_again(opened: Callable[..., Pool], shop: Shop) -> None:
    pool = opened(2000)
    await pool.run(SUM, ["a"])

    await pool.vacate(SUM)

    assert pool.live(SUM) == ""
    assert shop.loaded[0].closed
    with pytest.raises(NoModelError):
        await pool.run(SUM, ["b"])


async def test_every_call_is_heard_of(opened: Callable[..., Pool], shop: Shop) -> None:
    pool = opened(2000)
    heard: list[Heard] = []
    pool.listen(heard.append)
    await pool.run(SUM, ["a", "b"], bulk=True)

    def bad(_batch: object) -> None:
        raise OSError

    shop.loaded[0].before = bad
    with pytest.raises(ModelError):
        await pool.run(SUM, ["c"])

    assert [(one.slot, one.model, one.inputs, one.outputs, one.bulk) for one in heard] == [
        ("summarise", "summarise.one.v1", ["a", "b"], ["summarise.one.v1:a", "summarise.one.v1:b"], True),
        ("summarise", "summarise.one.v1", ["c"], None, False),
    ]
    assert all(one.spent_ms > 0 for one in heard)


async def test_a_switch_is_told_before_the_new_ones_first_answer_and_once(opened: Callable[..., Pool], shop: Shop) -> None:
    pool, seen = opened(2000), []
    pool.listen(lambda call: seen.append(call.model))
    pool.when_switched(seen.append)

    await pool.run(SUM, ["a"])
    await pool.publish(SUM, two(pool))
    await pool.run(SUM, ["b"])
    await pool.publish(SUM, two(pool))

    assert seen == ["summarise.one.v1", "summarise", "summarise.two.v1"]


async def test_a_model_beside_the_live_one_is_not_heard(opened: Callable[..., Pool], shop: Shop) -> None:
    pool, seen = opened(2000), []
    pool.listen(lambda call: seen.append(call.model))

    await pool.run(SUM.of("summarise.two.v1"), ["a"], bulk=True)
    await pool.run(SUM.of("summarise.one.v1"), ["a"])

    assert seen == ["summarise.one.v1"]


async def test_a_direction_that_a_translator_does_not_go_is_no_failure(opened: Callable[..., Pool], shop: Shop) -> None:
    pool = opened(2000)
    await pool.run(SUM, ["a"])
    heard: list[Heard] = []
    pool.listen(heard.append)

    def other_way(_batch: object) -> None:
        raise DirectionError("ko -> en alone")

    shop.loaded[0].before = other_way
    with pytest.raises(DirectionError):
        await pool.run(SUM, ["b"])

    assert heard == []
