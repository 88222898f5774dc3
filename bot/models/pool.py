"""The live models: one a slot, loaded when first asked, within a budget of memory, swapped without a dropped call.

Owns: which model is live in a slot, and leases. Leaves to `bot.models.running` the asking of one model, to `bot.models.holdings`
the budget, to `bot.models.catalogue` what there is, to `bot.models.fetch` where its files lie.

    pool = Pool(Catalogue(settings), settings)
    (vector,) = await pool.run(EMBED, ["Where is the wiki?"])
    vectors = await pool.run(EMBED, passages, bulk=True)     # lets questions go first
    async with pool.lease(EMBED) as model: ...               # the same model for several calls
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final, cast

from bot.errors import ModelError, NoModelError
from bot.locale import Text, phrases
from bot.meanwhile import meanwhile
from bot.models import fetch
from bot.models.catalogue import Catalogue, choosing
from bot.models.holdings import Holdings
from bot.models.lately import Lately
from bot.models.memory import Measured, MeasuredFile, cores
from bot.models.places import Heard, Lease, Place, SlotStatus
from bot.models.prepare import Report
from bot.models.room import MemoryRow
from bot.models.running import Running
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.trial import Room
from bot.skill import In, Out, Slot

if TYPE_CHECKING:
    from bot.config import Settings

_ = phrases(__file__)

Record = Callable[[ModelSpec], Awaitable[None]]

REMEMBERED: Final = "embed"
"""The slot whose last answers are kept: one message is embedded to be routed, then to be searched for."""
LATELY: Final = 32
LONGEST_REMEMBERED: Final = 2000
"""Characters."""
TOLD_FROM_S: Final = 1.0
"""A load that takes longer is told to those who wait for it."""


class Pool:
    """Implements `bot.skill.Models`. All its coroutines belong to one event loop."""

    def __init__(
        self,
        catalogue: Catalogue,
        settings: Settings,
        *,
        measured: Measured | None = None,
        report: Report | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take what there is and what is wanted; nothing is loaded yet. `report` is told while a model is prepared."""
        self._clock = clock
        self._catalogue = catalogue
        self._settings = settings
        self._measured = measured or MeasuredFile(settings.home / "measured.json")
        self._report = report
        self._options = load_options(settings)
        self._places: dict[str, Place] = {}
        self._holdings = Holdings(self._places, settings, measured=self._measured, clock=clock)
        self._one_load = asyncio.Lock()
        self._uses = 0
        self._lately = Lately(most=LATELY)
        self._listeners: tuple[Callable[[Heard], None], ...] = ()
        self._switches: tuple[Callable[[str], None], ...] = ()
        for slot in settings.models.choose:
            self._place(slot)

    async def run(self, slot: Slot[In, Out], batch: Sequence[In], *, bulk: bool = False) -> list[Out]:
        """Return the live model's outputs for `batch`, in order. `bulk` work lets what people wait for go first.

        Raises:
            NoModelError: nothing is installed for the slot.
            ModelError: the model failed, or does not fit into the RAM budget.
        """
        if not batch:
            return []
        async with self.lease(slot) as model:
            if bulk or slot.name != REMEMBERED or len(batch) > 1 or len(str(batch[0])) > LONGEST_REMEMBERED:
                return await model.predict(batch, bulk=bulk)
            answer = await self._lately.answer((model.identity, str(batch[0])), lambda: model.predict(batch))
            return cast("list[Out]", answer)

    @asynccontextmanager
    async def lease(self, slot: Slot[In, Out]) -> AsyncIterator[Lease[In, Out]]:
        """Hold the slot's live model, loaded if it was not. Raises as `run`."""
        while (place := self._place_of(slot)).running is None:
            await self._loaded(place)
        running = place.running
        if running is None or place.spec is None:  # as the line before has seen
            raise NoModelError(_nothing(slot.name))
        identity = place.spec.identity
        self._uses += 1
        place.used, place.used_at = self._uses, self._clock()
        running.leases += 1
        try:
            yield Lease(slot.name, identity, running, place, self._listeners)
        finally:
            running.leases -= 1
            if running.leases == 0:
                running.idle.set()

    def listen(self, listener: Callable[[Heard], None]) -> None:
        """Have `listener` told, on the event loop, of every call that a live model answers or fails at. It must be quick and raise nothing."""
        self._listeners = (*self._listeners, listener)

    def when_switched(self, told: Callable[[str], None]) -> None:
        """Have `told` called, on the event loop, with each slot whose live model is another one from now on, before its first answer."""
        self._switches = (*self._switches, told)

    def spec(self, slot: str) -> ModelSpec | None:
        """Return the slot's live model, None where there is none."""
        return self._place(slot).spec

    def live(self, slot: Slot[In, Out]) -> str:
        """Return `name@revision` of the slot's live model, "" where there is none; of a slot with its model that, "" where it is not here."""
        try:
            spec = self._place_of(slot).spec
        except ModelError:
            return ""
        return spec.identity if spec else ""

    @property
    def settings(self) -> Settings:
        """The settings, with what became live in a slot as if it had been chosen."""
        return self._settings

    async def prepare(self, *, report: Report | None = None) -> None:
        """Make what is made once from the models that come with the install, so that the first question need not wait for it.

        Raises:
            ModelError: it could not be made.
        """
        for slot in self._catalogue.slots():
            small = [spec for spec in self._catalogue.for_slot(slot) if spec.family == fetch.STATIC]
            for spec in dict.fromkeys([self._place(slot).spec, *small]):
                if spec is not None and spec.source == "package":
                    await asyncio.to_thread(fetch.resolve, spec, self._settings, report=report)

    async def publish(
        self, slot: Slot[In, Out], spec: ModelSpec, *, unloading: bool = False, record: Record | None = None
    ) -> None:
        """Load `spec` beside the slot's live model, switch to it, and release the old one when nobody holds it any more.

        One that is loaded beside it already, because it was asked for by its name, is taken. With `unloading` the old one is released
        first: whoever asks meanwhile waits for the new one. `record` is awaited once the new one is loaded, before the switch;
        where it raises, nothing is switched.

        Raises:
            ModelError: it could not be loaded, or both do not fit into the budget; the old one stays live.
        """
        place = self._place(slot.name)
        if unloading and place.running is not None:
            return await self._publish_instead(place, spec, record)
        async with self._one_load:
            beside = self._places.pop(f"{slot.name} {spec.identity}", None)
            if beside is not None and beside.spec is not None and beside.running is not None:
                found, running = beside.spec, beside.running
            else:
                found, running = await self._load(spec, place)
            await self._recorded(record, found, running)
            old = self._switch(place, found, running)
        if old is not None and old is not running:
            await asyncio.shield(_release(old))
        return None

    async def vacate(self, slot: Slot[In, Out]) -> None:
        """Leave the slot empty; what was live is released when nobody holds it any more."""
        place = self._place(slot.name)
        async with self._one_load:
            old, place.running, place.spec, place.failure = place.running, None, None, None
            chosen = {name: word for name, word in self._settings.models.choose.items() if name != slot.name}
            models = self._settings.models.model_copy(update={"choose": chosen})
            self._settings = self._settings.model_copy(update={"models": models})
            self._catalogue.follow(self._settings)
        if old is not None:
            await asyncio.shield(_release(old))

    async def _publish_instead(self, place: Place, spec: ModelSpec, record: Record | None) -> None:
        """Release the place's model, then load `spec` into it; where that fails, the old one is loaded again."""
        working = asyncio.ensure_future(self._change(place, spec, record))
        place.loading = asyncio.create_task(_over(working), name=f"load {place.slot}")  # they wait, whatever comes of it
        try:
            await asyncio.shield(working)
        finally:
            if working.done():
                place.loading = None

    async def _change(self, place: Place, spec: ModelSpec, record: Record | None) -> None:
        before, (old, place.running) = place.spec, (place.running, None)
        try:
            if old is not None:
                await _release(old)
            async with self._one_load:
                found, running = await self._load(spec, place)
                await self._recorded(record, found, running)
                self._switch(place, found, running)
        except BaseException:
            if before is not None and place.pinned:
                with suppress(ModelError):  # then it is loaded, or refused, when it is asked
                    async with self._one_load:
                        place.spec, place.running = await self._load(before, place)
            raise
        finally:
            place.loading = None

    async def _recorded(self, record: Record | None, spec: ModelSpec, running: Running) -> None:
        if record is None:
            return
        try:
            await record(spec)
        except BaseException:
            await asyncio.shield(asyncio.to_thread(running.close))
            raise

    def _switch(self, place: Place, spec: ModelSpec, running: Running) -> Running | None:
        """Have the place answer by `running`; return what answered before."""
        if place.spec is None or place.spec.identity != spec.identity:
            for told in self._switches:
                told(place.slot)
        old, place.running, place.spec, place.failure = place.running, running, spec, None
        self._settings = choosing(self._settings, spec)
        self._catalogue.follow(self._settings)
        return old

    async def keep_only(self, slot: Slot[In, Out], models: Collection[str]) -> None:
        """Release what was loaded for `slot` beside its live model, but for `models` (`name@revision`)."""
        beside = [place for place in self._places.values() if place.beside and place.slot == slot.name]
        for identity in [place.spec.identity for place in beside if place.spec]:
            if identity not in models:
                await self.let_go(slot.of(identity))

    async def let_go(self, slot: Slot[In, Out]) -> None:
        """Release the model that `slot` names, once nobody holds it; the slot's live one stays."""
        key = f"{slot.name} {slot.model}"
        while (place := self._places.get(key)) is not None and place.loading is not None:
            await asyncio.wait([place.loading])
        place = self._places.pop(key, None)
        if place is not None and place.running is not None:
            running, place.running = place.running, None
            await asyncio.shield(_release(running))

    async def close(self) -> None:
        """Stop loading, fail what is queued, release every model."""
        loading = [place.loading for place in self._places.values() if place.loading]
        for task in loading:
            task.cancel()
        await asyncio.gather(*loading, return_exceptions=True)
        await asyncio.to_thread(self._holdings.remember)
        loaded = [place.running for place in self._places.values() if place.running]
        for place in self._places.values():
            place.running = None
        await asyncio.gather(*(asyncio.to_thread(running.close) for running in loaded))

    def status(self) -> tuple[SlotStatus, ...]:
        """Return what is known of each slot, by name. Reads the disk: call it off the event loop."""
        self._holdings.remember()
        for slot in self._catalogue.slots():
            self._place(slot)
        shown = [place for place in self._places.values() if place.running or not place.beside]
        return tuple(self._holdings.status(place) for place in sorted(shown, key=lambda place: (place.slot, place.beside)))

    @property
    def memory(self) -> tuple[int, int]:
        """MiB that loaded models take, and the budget."""
        return self._holdings.taken_mb(), self._holdings.budget_mb

    def live_models(self) -> dict[str, str]:
        """Return `name@revision` of what is live, by slot, of the slots that were asked about."""
        return {place.slot: place.spec.identity for place in self._places.values() if place.spec and not place.beside}

    def memory_rows(self) -> tuple[MemoryRow, ...]:
        """Return what is loaded, by slot."""
        return self._holdings.rows()

    def room_for(self, spec: ModelSpec, need_mb: int = 0) -> Room:
        """Return what becomes of the loaded models where `spec` is made live; see `Holdings.room_for`."""
        return self._holdings.room_for(spec, need_mb)

    def _place_of(self, slot: Slot[In, Out]) -> Place:
        """Return the slot's place, or that of the very model that it names. Raises ModelError where that is not here."""
        own = self._place(slot.name)
        if not slot.model or (own.spec is not None and own.spec.identity == slot.model):
            return own
        key = f"{slot.name} {slot.model}"
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = Place(slot.name, self._catalogue.identified(slot.name, slot.model), beside=True)
        return place

    def _place(self, slot: str) -> Place:
        place = self._places.get(slot)
        if place is None:
            try:
                place = Place(slot, self._catalogue.default(slot))
            except ModelError as error:
                place = Place(slot, None, failure=error)
            self._places[slot] = place
        return place

    async def _loaded(self, place: Place) -> None:
        """Wait until the place's model is loaded; however many wait, it is loaded once."""
        loading = place.loading
        if loading is None:
            loading = place.loading = asyncio.create_task(self._fill(place), name=f"load {place.slot}")
            loading.add_done_callback(_retrieved)
        expected_s = self._measured.load_s(place.spec.identity) if place.spec else 0.0
        if expected_s < TOLD_FROM_S:
            await asyncio.wait([loading], timeout=TOLD_FROM_S)
        if loading.done():
            return loading.result()
        async with meanwhile(_being_loaded(place.slot, expected_s)):
            return await asyncio.shield(loading)

    async def _fill(self, place: Place) -> None:
        try:
            spec = place.spec
            if spec is None:
                raise place.failure or NoModelError(_nothing(place.slot))
            async with self._one_load:
                if place.running is None and place in self._places.values():  # else it became the live one meanwhile
                    place.spec, place.running = await self._load(spec, place)
            place.failure = None
        except ModelError as error:
            if place.spec is not None:
                place.failure = error
            raise
        finally:
            place.loading = None

    async def _load(self, spec: ModelSpec, place: Place) -> tuple[ModelSpec, Running]:
        """Find, make room for and load a model; the caller holds the lock."""
        found = await asyncio.to_thread(fetch.resolve, spec, self._settings, report=self._report)
        spec = found.spec
        loader = await asyncio.to_thread(self._catalogue.families.loader, spec.family)
        await asyncio.to_thread(self._holdings.remember)
        need_mb = await asyncio.to_thread(self._holdings.need_mb, spec)
        await self._holdings.make_room(spec, need_mb, place)
        running = Running(spec.name, lambda: found.load(loader, self._options))
        try:
            await asyncio.wrap_future(running.start())
            await self._holdings.make_room(spec, running.ram_mb, place, forced=place.pinned)
        except BaseException:
            await asyncio.shield(asyncio.to_thread(running.close))
            raise
        return spec, running


async def _release(running: Running) -> None:
    """Wait until nobody holds the model, then release it."""
    while running.leases:
        running.idle.clear()
        await running.idle.wait()
    await asyncio.to_thread(running.close)


async def _over(working: asyncio.Future[None]) -> None:
    await asyncio.wait([working])


def load_options(settings: Settings) -> LoadOptions:
    """Return what a runtime is told when it loads a model under `settings`."""
    return LoadOptions(
        threads=settings.models.threads or cores(),
        embed_engine=settings.models.embed_engine,
        server_key=settings.models.chat_key.get_secret_value(),
    )


def _nothing(slot: str) -> Text:
    return _(
        "No model is installed for “{slot}” yet. An admin writes /models {slot} to see which there are, and /swap {slot} MODEL to try one; "
        "without a network a model is carried in: paring models import FILE.",
        slot=slot,
    )


def _being_loaded(slot: str, seconds: float) -> Text:
    if seconds < TOLD_FROM_S:
        return _("Loading the {slot} model …", slot=slot)
    return _("Loading the {slot} model, about {seconds} s …", slot=slot, seconds=round(seconds))


def _retrieved(task: asyncio.Task[None]) -> None:
    """Look at a load's error even where all who waited for it have gone."""
    if not task.cancelled():
        task.exception()
