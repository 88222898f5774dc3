"""Slots and the models in them: loaded once, when first asked, within the budget, swapped without a dropped call."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import cast

import pytest

from bot.config import ModelSettings, Settings
from bot.errors import MemoryBudgetError, ModelError, NoModelError
from bot.locale import Text
from bot.meanwhile import telling
from bot.models import fetch
from bot.models.catalogue import Catalogue
from bot.models.pool import Pool
from bot.models.spec import ModelSpec
from bot.skill import Models, Slot

from .conftest import Echo, Gate, Shop

EMBED: Slot[str, str] = Slot("embed")
CHAT: Slot[str, str] = Slot("chat")
DRAW: Slot[str, str] = Slot("imagine")
EMPTY: Slot[str, str] = Slot("translate")

MODELS = """
default: [embed.echo.v1, chat.echo.v1, imagine.echo.v1]
models:
  - {name: embed.echo.v1, slot: embed, family: echo, source: builtin, revision: r1, ram_mb: 100}
  - {name: chat.echo.v1, slot: chat, family: echo, source: builtin, ram_mb: 300, licence: MIT}
  - {name: imagine.echo.v1, slot: imagine, family: echo, source: builtin, ram_mb: 300}
  - {name: embed.echo.v2, slot: embed, family: echo, source: builtin, revision: r2, ram_mb: 100}
  - {name: embed.huge.v1, slot: embed, family: echo, source: builtin, ram_mb: 900}
  - {name: embed.odd.v1, slot: embed, family: unknown, source: builtin}
"""

Opened = Callable[..., "asyncio.Future[Pool]"]


class Figures:
    """What models take, as a test says."""

    def __init__(self, *, seconds: Mapping[str, float] | None = None, **figures: int) -> None:
        self.figures = figures
        self.seconds = seconds or {}
        self.kept: dict[str, int] = {}

    def ram_mb(self, identity: str) -> int:
        return self.figures.get(identity.partition("@")[0].replace(".", "_"), 0)

    def load_s(self, identity: str) -> float:
        return self.seconds.get(identity.partition("@")[0].replace(".", "_"), 0.0)

    def keep(self, identity: str, ram_mb: int, load_s: float = 0.0) -> None:
        self.kept[identity] = ram_mb


@pytest.fixture
async def opened(catalogue_of: Callable[..., Catalogue], settings: Settings) -> AsyncIterator[Callable[..., Pool]]:
    async with AsyncExitStack() as stack:

        def make(models: str = MODELS, measured: Figures | None = None, **changes: object) -> Pool:
            changed = settings.model_copy(update={"models": ModelSettings(**{"ram_mb": 1000, **changes})})
            pool = Pool(catalogue_of(models, changed), changed, measured=measured)
            stack.push_async_callback(pool.close)
            return pool

        yield make


@asynccontextmanager
async def behind(gate: Gate) -> AsyncIterator[None]:
    """Leave the gate open, whatever happens."""
    try:
        yield
    finally:
        gate.opened.set()


def spec_of(pool: Pool, name: str) -> ModelSpec:
    return pool._catalogue.find(name)


async def test_it_keeps_the_contract_of_models(opened: Callable[..., Pool]) -> None:
    models: Models = opened()

    assert await models.run(EMBED, ["a", "b"]) == ["embed.echo.v1:a", "embed.echo.v1:b"]
    assert await models.run(EMBED, ["c"], bulk=True) == ["embed.echo.v1:c"]
    assert models.live(EMBED) == "embed.echo.v1@r1"


async def test_an_empty_batch_loads_nothing(opened: Callable[..., Pool], shop: Shop) -> None:
    assert await opened().run(EMBED, []) == []
    assert shop.loaded == []


async def test_nothing_is_loaded_before_it_is_asked(opened: Callable[..., Pool], shop: Shop) -> None:
    pool = opened()

    assert pool.live(EMBED) == "embed.echo.v1@r1"
    assert shop.loaded == []


async def test_a_text_is_embedded_once_for_who_asks_again_at_once(opened: Callable[..., Pool], shop: Shop) -> None:
    pool = opened()
    first = await pool.run(EMBED, ["a"])
    assert await pool.run(EMBED, ["a"]) == first
    assert await pool.run(EMBED, ["b"]) != first
    assert [inputs for model in shop.loaded for inputs in model.batches] == [["a"], ["b"]]


async def test_many_first_callers_load_the_model_once(opened: Callable[..., Pool], shop: Shop) -> None:
    pool = opened()

    answers = await asyncio.gather(*(pool.run(EMBED, [str(index)]) for index in range(40)))

    assert answers == [[f"embed.echo.v1:{index}"] for index in range(40)]
    assert len(shop.loaded) == 1


async def test_an_empty_slot_says_what_an_admin_does(opened: Callable[..., Pool]) -> None:
    with pytest.raises(NoModelError) as caught:
        await opened().run(EMPTY, ["hello"])

    assert "/swap translate MODEL" in caught.value.sentence("en")
    assert "/교체 translate" in caught.value.sentence("ko")
    assert "translate" in caught.value.sentence("ko")
    assert caught.value.sentence("ko") != caught.value.sentence("en")


async def test_a_foreign_error_becomes_a_sentence_with_a_reference(opened: Callable[..., Pool], shop: Shop) -> None:
    def choosy(batch: Sequence[object]) -> None:
        if "bad" in batch:
            raise ZeroDivisionError

    shop.make = lambda spec: Echo(spec.name, before=choosy)

    with pytest.raises(ModelError, match=r"reference [0-9a-f]{8}"):
        await opened().run(EMBED, ["bad"])


async def test_a_load_that_failed_is_tried_again(opened: Callable[..., Pool], shop: Shop) -> None:
    pool = opened()

    def broken(_spec: ModelSpec) -> Echo:
        raise OSError

    shop.make = broken
    with pytest.raises(ModelError, match="failed"):
        await pool.run(EMBED, ["a"])
    assert next(status.health for status in pool.status() if status.slot == "embed").startswith("failed: The model embed.echo.v1")

    shop.make = lambda spec: Echo(spec.name)
    assert await pool.run(EMBED, ["a"]) == ["embed.echo.v1:a"]


async def test_who_waits_for_a_load_is_told_for_about_how_long(opened: Callable[..., Pool], shop: Shop) -> None:
    pool = opened(measured=Figures(seconds={"chat_echo_v1": 4.2}))
    told: list[str] = []

    @asynccontextmanager
    async def show(what: Text) -> AsyncIterator[None]:
        told.append(what.to("en"))
        yield
        told.append("loaded" if shop.loaded else "not yet")

    with telling(show):
        await pool.run(CHAT, ["a"])
        await pool.run(CHAT, ["b"])
        await pool.run(DRAW, ["a"])

    assert told == ["Loading the chat model, about 4 s …", "loaded"]


async def test_a_load_that_was_never_timed_is_told_once_it_takes_long(
    opened: Callable[..., Pool], shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.models.pool.TOLD_FROM_S", 1e-6)
    told, gate = asyncio.Event(), Gate()

    @asynccontextmanager
    async def show(what: Text) -> AsyncIterator[None]:
        assert what.to("ko") == "chat 모델을 불러오고 있어요 …"
        told.set()
        yield

    def slow(spec: ModelSpec) -> Echo:
        gate([])
        return Echo(spec.name)

    shop.make = slow
    pool = opened()
    async with behind(gate):
        with telling(show):
            asked = asyncio.create_task(pool.run(CHAT, ["a"]))
        await told.wait()

    assert await asked == ["chat.echo.v1:a"]


async def test_what_was_used_longest_ago_makes_room(opened: Callable[..., Pool], shop: Shop) -> None:
    pool = opened(ram_mb=500, measured=Figures(embed_echo_v1=100, chat_echo_v1=300, imagine_echo_v1=300))
    await pool.run(EMBED, ["a"])
    await pool.run(CHAT, ["a"])

    assert await pool.run(DRAW, ["a"]) == ["imagine.echo.v1:a"]

    assert [model.name for model in shop.loaded if model.closed] == ["chat.echo.v1"]
    assert pool.memory == (400, 500)
    assert await pool.run(CHAT, ["b"]) == ["chat.echo.v1:b"]


async def test_pinned_models_are_never_unloaded_and_the_refusal_has_numbers(opened: Callable[..., Pool], shop: Shop) -> None:
    pool = opened(ram_mb=350, measured=Figures(embed_echo_v1=100, chat_echo_v1=300))
    await pool.run(EMBED, ["a"])

    with pytest.raises(MemoryBudgetError, match="needs 300 MiB") as caught:
        await pool.run(CHAT, ["a"])

    assert "100 of the 350 MiB" in caught.value.sentence("en")
    assert "350" in caught.value.sentence("ko")
    assert not shop.loaded[0].closed


async def test_what_could_not_make_enough_room_is_left_loaded(opened: Callable[..., Pool], shop: Shop) -> None:
    pool = opened(ram_mb=500, measured=Figures(embed_echo_v1=250, chat_echo_v1=100, imagine_echo_v1=300))
    await pool.run(EMBED, ["a"])
    await pool.run(CHAT, ["a"])

    with pytest.raises(MemoryBudgetError):
        await pool.run(DRAW, ["a"])

    assert not any(model.closed for model in shop.loaded)


async def test_a_leased_model_is_not_unloaded(opened: Callable[..., Pool]) -> None:
    pool = opened(ram_mb=500, measured=Figures(chat_echo_v1=300, imagine_echo_v1=300))

    async with pool.lease(CHAT) as chat:
        with pytest.raises(MemoryBudgetError):
            await pool.run(DRAW, ["a"])
        assert await chat.predict(["a"]) == ["chat.echo.v1:a"]

    assert await pool.run(DRAW, ["a"]) == ["imagine.echo.v1:a"]


async def test_what_a_model_took_is_remembered(opened: Callable[..., Pool]) -> None:
    figures = Figures()
    pool = opened(measured=figures)

    await pool.run(CHAT, ["a"])
    pool.status()

    assert figures.kept["chat.echo.v1"] >= 1


async def test_a_swap_under_fifty_askers_drops_and_doubles_nothing(opened: Callable[..., Pool], shop: Shop) -> None:
    pool = opened()
    stop = asyncio.Event()

    async def ask(number: int) -> list[tuple[str, str]]:
        heard = []
        while not stop.is_set():
            text = f"{number}.{len(heard)}"
            heard.append((text, *(await pool.run(EMBED, [text]))))
        return heard

    async with asyncio.TaskGroup() as group:
        askers = [group.create_task(ask(number)) for number in range(50)]
        await pool.run(EMBED, ["warm"])
        for name in ("embed.echo.v2", "embed.echo.v1", "embed.echo.v2"):
            await pool.publish(EMBED, spec_of(pool, name))
            assert await pool.run(EMBED, ["now"]) == [f"{name}:now"]
        stop.set()

    answers = [answer for asker in askers for answer in asker.result()]
    asked = [str(one) for model in shop.loaded for batch in model.batches for one in batch]
    assert all(answer.partition(":")[2] == text for text, answer in answers)
    assert len(asked) == len(answers) + 4
    assert [model.closed for model in shop.loaded] == [True, True, True, False]
    assert pool.live(EMBED) == "embed.echo.v2@r2"


async def test_the_old_model_serves_those_who_hold_it_until_they_are_done(opened: Callable[..., Pool], shop: Shop) -> None:
    pool = opened()

    async with pool.lease(EMBED) as old:
        swap = asyncio.create_task(pool.publish(EMBED, spec_of(pool, "embed.echo.v2")))
        while await pool.run(EMBED, ["a"]) != ["embed.echo.v2:a"]:
            assert not swap.done()
        assert await old.predict(["a"]) == ["embed.echo.v1:a"]
        assert pool.live(EMBED) == "embed.echo.v2@r2"
        assert (old.identity, swap.done()) == ("embed.echo.v1@r1", False)

    await swap
    assert shop.loaded[0].closed


@pytest.mark.parametrize("name", ["embed.huge.v1", "embed.odd.v1"])
async def test_a_swap_that_fails_leaves_the_old_model_live(opened: Callable[..., Pool], name: str) -> None:
    pool = opened(measured=Figures(embed_echo_v1=200, embed_huge_v1=900))
    await pool.run(EMBED, ["a"])

    with pytest.raises(ModelError):
        await pool.publish(EMBED, spec_of(pool, name))

    assert pool.live(EMBED) == "embed.echo.v1@r1"
    assert await pool.run(EMBED, ["a"]) == ["embed.echo.v1:a"]


async def test_a_caller_who_goes_away_stops_nobody_else(opened: Callable[..., Pool], shop: Shop) -> None:
    gate = Gate()
    shop.make = lambda spec: Echo(spec.name, before=gate)
    pool = opened()
    async with behind(gate):
        gone = asyncio.create_task(pool.run(EMBED, ["gone"]))
        await asyncio.to_thread(gate.reached.wait, 20)
        stays = asyncio.create_task(pool.run(EMBED, ["stays"]))
        await asyncio.sleep(0)
        gone.cancel()

    assert await stays == ["embed.echo.v1:stays"]


async def test_the_status_tells_each_slot(opened: Callable[..., Pool], shop: Shop) -> None:
    pool = opened(choose={"transcribe": "nowhere"})
    await pool.run(CHAT, ["a"])
    with pytest.raises(NoModelError):
        await pool.run(EMPTY, ["a"])

    told = {status.slot: status for status in pool.status()}

    assert (told["chat"].health, told["chat"].model, told["chat"].licence) == ("ready", "chat.echo.v1", "MIT")
    assert cast("float", told["chat"].p50_ms) >= 0
    assert (told["embed"].health, told["embed"].p50_ms, told["embed"].pinned) == ("idle", None, True)
    assert told["translate"].health == "missing"
    assert told["transcribe"].health.startswith("failed: models.choose in paring.toml names “nowhere”")


async def test_what_comes_in_a_package_is_prepared_before_it_is_asked(
    opened: Callable[..., Pool], shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(fetch, "resolve", lambda spec, *_settings, **_report: asked.append(spec.name))
    pool = opened(
        """
default: [embed.package.v1, chat.echo.v1]
models:
  - {name: embed.package.v1, slot: embed, family: echo, source: package, location: safetensors}
  - {name: chat.echo.v1, slot: chat, family: echo, source: builtin}
"""
    )

    await pool.prepare()

    assert asked == ["embed.package.v1"]
    assert shop.loaded == []


async def test_who_holds_one_model_may_have_another_loaded_while_a_third_makes_room(opened: Callable[..., Pool]) -> None:
    pool = opened(ram_mb=700, measured=Figures(embed_echo_v1=100, chat_echo_v1=300, imagine_echo_v1=300))

    async def both(first: Slot[str, str], second: Slot[str, str]) -> list[str]:
        async with pool.lease(first) as model:
            return [*(await model.predict(["a"])), *(await pool.run(second, ["b"]))]

    answers = await asyncio.gather(both(CHAT, DRAW), both(DRAW, EMBED), both(EMBED, CHAT))

    assert [len(answer) for answer in answers] == [2, 2, 2]


async def test_closing_releases_every_model(opened: Callable[..., Pool], shop: Shop) -> None:
    pool = opened()
    await pool.run(EMBED, ["a"])
    await pool.run(CHAT, ["a"])

    await pool.close()

    assert [model.closed for model in shop.loaded] == [True, True]


async def test_a_model_that_is_named_is_asked_whichever_is_live(opened: Callable[..., Pool], shop: Shop) -> None:
    pool = opened()
    other = EMBED.of("embed.echo.v2@r2")

    assert pool.live(other) == "embed.echo.v2@r2"
    assert shop.loaded == []
    assert await pool.run(EMBED.of("embed.echo.v1@r1"), ["a"]) == ["embed.echo.v1:a"]
    assert await pool.run(other, ["a"]) == ["embed.echo.v2:a"]
    assert await pool.run(EMBED, ["a"]) == ["embed.echo.v1:a"]
    assert len(shop.loaded) == 2


@pytest.mark.parametrize("identity", ["embed.echo.v2@other", "nowhere@1", "chat.echo.v1"])
async def test_one_that_is_not_here_under_that_revision_is_not_asked(opened: Callable[..., Pool], identity: str) -> None:
    pool = opened()

    assert pool.live(EMBED.of(identity)) == ""
    with pytest.raises(NoModelError, match="not on this machine any more"):
        await pool.run(EMBED.of(identity), ["a"])


async def test_what_is_loaded_beside_becomes_live_without_a_second_load(opened: Callable[..., Pool], shop: Shop) -> None:
    pool = opened()
    await pool.run(EMBED, ["a"])
    await pool.run(EMBED.of("embed.echo.v2@r2"), ["a"])

    await pool.publish(EMBED, spec_of(pool, "embed.echo.v2"))

    assert await pool.run(EMBED, ["b"]) == ["embed.echo.v2:b"]
    assert [model.closed for model in shop.loaded] == [True, False]
    assert pool.settings.models.choose["embed"] == "embed.echo.v2"


async def test_what_is_needed_beside_no_more_is_let_go(opened: Callable[..., Pool], shop: Shop) -> None:
    pool = opened()
    await pool.run(EMBED, ["a"])
    await pool.run(EMBED.of("embed.echo.v2@r2"), ["a"])

    await pool.keep_only(EMBED, ["embed.echo.v1@r1", "embed.echo.v2@r2"])
    assert not any(model.closed for model in shop.loaded)
    await pool.keep_only(EMBED, ["embed.echo.v1@r1"])

    assert [model.closed for model in shop.loaded] == [False, True]
    assert [status.model for status in pool.status() if status.slot == "embed"] == ["embed.echo.v1@r1"]


async def test_one_beside_takes_no_room_of_the_live_ones(opened: Callable[..., Pool]) -> None:
    pool = opened(measured=Figures(embed_echo_v1=600, embed_echo_v2=600))
    await pool.run(EMBED, ["a"])

    with pytest.raises(MemoryBudgetError):
        await pool.run(EMBED.of("embed.echo.v2@r2"), ["a"])
    assert await pool.run(EMBED, ["a"]) == ["embed.echo.v1:a"]


async def test_who_waits_for_a_model_that_becomes_the_live_one_meanwhile_loads_it_no_second_time(
    opened: Callable[..., Pool], shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = opened()
    await pool.run(EMBED, ["x"])
    held, begun = asyncio.Event(), asyncio.Event()
    load = pool._load

    async def slow(spec: ModelSpec, place: object) -> object:
        if spec.slot == "chat":
            begun.set()
            await held.wait()
        return await load(spec, place)  # type: ignore[arg-type]

    monkeypatch.setattr(pool, "_load", slow)
    chat = asyncio.create_task(pool.run(CHAT, ["hi"]))
    await begun.wait()
    second = spec_of(pool, "embed.echo.v2")
    flip = asyncio.create_task(pool.publish(EMBED, second))
    await asyncio.sleep(0)
    asked = asyncio.create_task(pool.run(EMBED.of(second.identity), ["passage"], bulk=True))
    for _turn in range(20):
        await asyncio.sleep(0)
    held.set()

    assert await asked == ["embed.echo.v2:passage"]
    await asyncio.gather(chat, flip)
    assert [model.name for model in shop.loaded].count("embed.echo.v2") == 1
