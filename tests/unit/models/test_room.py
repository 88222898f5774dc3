"""What a model's memory will push out is known before, and is what the pool then does."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.config import ModelSettings, Settings
from bot.errors import MemoryBudgetError
from bot.models.catalogue import Catalogue
from bot.models.memory import MeasuredFile
from bot.models.pool import Pool
from bot.models.room import Held, room_for
from bot.skill import Slot

from .conftest import Shop

SLOTS = ("embed", "chat", "imagine", "caption", "ocr")
MODELS = f"default: [{', '.join(f'{slot}.echo.v1' for slot in SLOTS)}]\nmodels:\n" + "".join(
    f"  - {{name: {slot}.echo.v{version}, slot: {slot}, family: echo, source: builtin, revision: r}}\n"
    for slot in SLOTS
    for version in (1, 2)
)
BUDGET_MB = 1000

held = st.builds(
    Held,
    st.sampled_from(SLOTS),
    st.sampled_from(["a@1", "b@1"]),
    st.integers(0, 700),
    st.floats(0, 20),
    pinned=st.booleans(),
    used=st.integers(0, 9),
    beside=st.booleans(),
)


class Taken:
    """What models take, as a test says; what is learnt is kept beside."""

    def __init__(self, megabytes: Mapping[str, int]) -> None:
        self.megabytes = dict(megabytes)

    def ram_mb(self, identity: str) -> int:
        return self.megabytes.get(identity, 1)

    def load_s(self, identity: str) -> float:
        return 3.8 if identity.startswith("caption") else 0.0

    def keep(self, identity: str, ram_mb: int, load_s: float = 0.0) -> None:
        self.megabytes[identity] = max(ram_mb, self.megabytes.get(identity, 1))


@pytest.fixture
async def opened(catalogue_of: Callable[..., Catalogue], settings: Settings, shop: Shop) -> AsyncIterator[Callable[..., Pool]]:
    async with AsyncExitStack() as stack:

        def make(megabytes: Mapping[str, int], **options: object) -> Pool:
            changed = settings.model_copy(update={"models": ModelSettings(ram_mb=BUDGET_MB)})
            pool = Pool(catalogue_of(MODELS, changed), changed, measured=Taken(megabytes), **options)  # type: ignore[arg-type]
            stack.push_async_callback(pool.close)
            return pool

        yield make


def loaded(pool: Pool) -> set[str]:
    return {row.model for row in pool.memory_rows()}


THREE: Mapping[str, int] = {"embed": 200, "chat": 300, "caption": 300}
LIVE_TOO: Mapping[str, int] = {"embed": 200, "imagine": 300, "chat": 300}


@pytest.mark.parametrize(
    ("held", "need_mb", "evicted", "beside", "fits"),
    [
        (THREE, 200, (), True, True),
        (THREE, 400, ("chat",), True, True),
        (THREE, 800, ("chat", "caption"), True, True),
        (THREE, 801, (), False, False),
        (LIVE_TOO, 500, ("chat",), True, True),
        (LIVE_TOO, 790, ("chat",), False, True),
        (LIVE_TOO, 801, (), False, False),
    ],
)
async def test_the_forecast_is_what_the_pool_then_does(
    opened: Callable[..., Pool], held: Mapping[str, int], need_mb: int, evicted: tuple[str, ...], beside: bool, fits: bool
) -> None:
    pool = opened({f"{slot}.echo.v1@r": megabytes for slot, megabytes in held.items()})
    for slot in held:
        await pool.run(Slot(slot), ["a"])
    imagine: Slot[str, str] = Slot("imagine")
    new, before = pool._catalogue.find("imagine.echo.v2"), loaded(pool)

    room = pool.room_for(new, need_mb)

    assert (room.need_mb, room.taken_mb, room.budget_mb) == (need_mb, sum(held.values()), BUDGET_MB)
    assert tuple(one.slot for one in room.evicts) == evicted
    assert (room.beside, room.fits) == (beside, fits)
    if not fits:
        with pytest.raises(MemoryBudgetError, match=f"needs {need_mb} MiB"):
            await pool.publish(imagine, new)
        assert loaded(pool) == before
        return
    await pool.publish(imagine, new, unloading=not room.beside)
    assert before - loaded(pool) == {one.model for one in room.evicts} | (before & {"imagine.echo.v1@r"})
    assert new.identity in loaded(pool)


async def test_a_pinned_model_that_both_do_not_fit_beside_is_unloaded_first(opened: Callable[..., Pool]) -> None:
    pool = opened({"embed.echo.v1@r": 600, "chat.echo.v1@r": 200})
    embed: Slot[str, str] = Slot("embed")
    await pool.run(embed, ["a"])
    await pool.run(Slot("chat"), ["a"])
    new = pool._catalogue.find("embed.echo.v2")

    room = pool.room_for(new, 900)
    await pool.publish(embed, new, unloading=True)

    assert (tuple(one.slot for one in room.evicts), room.beside, room.fits) == (("chat",), False, True)
    assert loaded(pool) == {"embed.echo.v2@r"}


async def test_the_wait_of_the_next_answer_is_told_by_what_a_load_took(opened: Callable[..., Pool]) -> None:
    pool = opened({"caption.echo.v1@r": 900})
    await pool.run(Slot("caption"), ["a"])

    (evicted,) = pool.room_for(pool._catalogue.find("chat.echo.v1"), 200).evicts

    assert (evicted.slot, evicted.model, evicted.load_s) == ("caption", "caption.echo.v1@r", 3.8)


async def test_what_is_loaded_already_needs_no_more_room(opened: Callable[..., Pool]) -> None:
    pool = opened({"chat.echo.v2@r": 800, "caption.echo.v1@r": 200})
    await pool.run(Slot("chat").of("chat.echo.v2@r"), ["a"])
    await pool.run(Slot("caption"), ["a"])

    room = pool.room_for(pool._catalogue.find("chat.echo.v2"))

    assert (room.need_mb, room.evicts, room.beside, room.fits) == (800, (), True, True)


@given(st.lists(held, max_size=6, unique_by=lambda one: one.used), st.integers(0, 1500))
def test_what_goes_is_enough_no_more_than_needed_and_never_pinned(models: list[Held], need_mb: int) -> None:
    room = room_for(need_mb, models, slot="chat", model="new@1", budget_mb=BUDGET_MB)

    live_mb = sum(one.ram_mb for one in models if one.slot == "chat" and not one.beside)
    movable = [one for one in models if not one.pinned and not (one.slot == "chat" and not one.beside)]
    stays_mb = room.taken_mb - sum(one.ram_mb for one in movable)
    assert room.beside == (stays_mb + need_mb <= BUDGET_MB)
    assert room.fits == (stays_mb - (0 if room.beside else live_mb) + need_mb <= BUDGET_MB)
    if not room.fits:
        assert room.evicts == ()
        return
    gone = sorted(movable, key=lambda one: one.used)[: len(room.evicts)]
    assert [one.model for one in gone] == [one.model for one in room.evicts]
    over_mb = room.taken_mb + need_mb - BUDGET_MB - (0 if room.beside else live_mb)
    assert sum(one.ram_mb for one in gone) >= over_mb
    assert not gone or sum(one.ram_mb for one in gone[:-1]) < over_mb


async def test_what_is_loaded_is_shown_with_when_it_was_used(opened: Callable[..., Pool]) -> None:
    now = [100.0]
    pool = opened({"embed.echo.v1@r": 200, "caption.echo.v1@r": 300}, clock=lambda: now[0])
    await pool.run(Slot("embed"), ["a"])
    now[0] = 130.0
    async with pool.lease(Slot("caption")):
        now[0] = 135.0
        rows = pool.memory_rows()

    assert [(row.slot, row.ram_mb, row.load_s, row.pinned, row.busy, row.idle_s) for row in rows] == [
        ("caption", 300, 3.8, False, True, 5.0),
        ("embed", 200, 0.0, True, False, 35.0),
    ]


async def test_the_status_tells_what_share_of_the_answers_is_a_slots(opened: Callable[..., Pool]) -> None:
    pool = opened({})
    for text in ("a", "b", "c"):
        await pool.run(Slot("chat"), [text])
    await pool.run(Slot("ocr"), ["a"])
    await pool.run(Slot("ocr"), ["a", "b"], bulk=True)

    told = {status.slot: status for status in pool.status()}

    assert (told["chat"].answers, told["chat"].share, told["ocr"].share, told["embed"].share) == (3, 0.75, 0.25, 0.0)
    assert told["chat"].p95_ms is not None
    assert told["embed"].p95_ms is None


async def test_how_long_a_load_took_is_remembered(catalogue_of: Callable[..., Catalogue], settings: Settings, shop: Shop) -> None:
    pool = Pool(catalogue_of(MODELS, settings), settings)
    await pool.run(Slot("chat"), ["a"])
    await pool.close()

    assert MeasuredFile(settings.home / "measured.json").load_s("chat.echo.v1@r") > 0
