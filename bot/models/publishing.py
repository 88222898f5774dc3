"""The second half of a swap: what was found good becomes what answers, in this process and in every other of the house.

Owns: the order of it. A model is loaded, then in one transaction the swap and what its slot holds (`assignments`) are written, then it
answers; whatever ends before that transaction leaves the model before, at the next start too. Other processes see the assignment
within LOOK_EVERY_S and follow. Leaves to `bot.models.pool` the loading, to a `Publisher` what is more than that.

    settings = await assigned(settings, catalogue, Assignments(database))     # at a start: what the slots hold
    await publishing.publish(swap, spec, Change("watched", ...), by="telegram:4711", tell=tell)
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bot.errors import InputError, MemoryBudgetError, ModelError
from bot.locale import phrases
from bot.logs import Logger
from bot.models.catalogue import Catalogue, choosing
from bot.models.tasks import EMBED
from bot.models.trial import Publisher, State, Swap, Tell
from bot.skill import Slot
from bot.store.swaps import Change, Swaps, same

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.models.pool import Pool
    from bot.models.spec import ModelSpec
    from bot.store.assignments import Assignments

_ = phrases(__file__)
log = Logger(__name__)

LOOK_EVERY_S: Final = 2.0
"""How often a running bot looks for what other processes have assigned."""
IN_SETTINGS: Final = " in paring.toml"
"""After a slot's name: the place among the assignments where it is kept what the settings chose last; only a change of it counts."""


@dataclass(frozen=True, slots=True)
class Unfollowed:
    """An assignment of another process that could not be followed here."""

    slot: str
    model: str
    error: ModelError


class Publishing:
    """Makes models live. All its coroutines belong to the pool's event loop."""

    def __init__(
        self, swaps: Swaps, assignments: Assignments, pool: Pool, catalogue: Catalogue, settings: Settings,
        *, publishers: Mapping[str, Publisher],
    ) -> None:  # fmt: skip
        """`publishers` see to their slots themselves."""
        self._swaps = swaps
        self._assignments = assignments
        self._pool = pool
        self._catalogue = catalogue
        self._chosen = settings.models.choose
        self._publishers = publishers
        self._apart = frozenset({EMBED.name, *publishers})
        self._seen: dict[str, str] = {}
        self._recording = 0
        """Swaps that are being written just now; `_recordings`: how many were."""
        self._recordings = 0

    @property
    def publishers(self) -> tuple[str, ...]:
        """The slots whose models are made live by a publisher of their own, which goes on after a crash."""
        return tuple(self._publishers)

    def live(self, slot: str) -> str:
        """Return `name@revision` of the slot's live model, "" for none."""
        return self._pool.live(_slot(slot))

    async def find(self, slot: str, model: str) -> ModelSpec:
        """Return the model that is `model` (`name@revision`) on this machine. Raises NoModelError."""
        return await asyncio.to_thread(self._catalogue.identified, slot, model)

    async def publish(
        self, swap: Swap, spec: ModelSpec, change: Change, *, by: str, tell: Tell, of: State = "publishing"
    ) -> Swap:
        """Make `spec` live, and the swap, which is in the state `of`, what `change` says.

        Raises:
            ModelError: it could not be loaded, or does not fit; the model before is live.
            InputError: the swap was taken back, or another model was assigned meanwhile.
        """
        publisher = self._publishers.get(swap.slot)
        if publisher is None and swap.slot in self._apart:
            raise InputError(_("The embedder is changed by `paring index use {model}`.", model=spec.name))
        if publisher is not None:
            await publisher.publish(spec, by=by, tell=tell)
            return await self._recorded(swap, None, change, by, of)
        room = await asyncio.to_thread(self._pool.room_for, spec)
        if not room.fits:
            raise MemoryBudgetError(
                _(
                    "{model} needs {need} MiB; loaded models take {taken} of {budget} MiB, and unloading what may go is not enough.",
                    model=spec.name, need=room.need_mb, taken=room.taken_mb, budget=room.budget_mb,
                )
            )  # fmt: skip
        done: list[Swap] = []

        async def record(_loaded: ModelSpec) -> None:
            done.append(await self._recorded(swap, spec.identity, change, by, of))

        await self._pool.publish(_slot(swap.slot), spec, unloading=not room.beside, record=record)
        return done[0]

    async def vacate(self, swap: Swap, change: Change, *, by: str, of: State = "publishing") -> Swap:
        """Leave the slot empty, as it was before. Raises InputError as `publish`."""
        done = await self._recorded(swap, "", change, by, of)
        await self._pool.vacate(_slot(swap.slot))
        return done

    async def follow(self) -> list[Unfollowed]:
        """Have this process answer by what others have assigned since; return what it could not do."""
        before = self._recordings
        assigned = _of_slots(await self._assignments.all(), but=self._apart)
        if self._recording or before != self._recordings:
            return []  # what was read is, or was, being written by this very process: the next look sees the whole of it
        changed = {slot: model for slot, model in assigned.items() if self._seen.get(slot) != model}
        emptied = self._seen.keys() - assigned.keys()
        self._seen = dict(assigned)
        failed = []
        for slot, model in changed.items():
            if not same(model, self.live(slot)) and (error := await self._followed(slot, model)) is not None:
                failed.append(Unfollowed(slot, model, error))
        for slot in emptied:
            await self._pool.vacate(_slot(slot))
        return failed

    async def settle(self) -> None:
        """Take what the settings choose as an assignment, where they choose something else than they did before."""
        before = await self._assignments.all()
        for place in [place for place, word in before.items() if word and place.endswith(IN_SETTINGS)]:
            if (slot := place.removesuffix(IN_SETTINGS)) not in self._apart and slot not in self._chosen:
                await self._assignments.put(place, "", by="paring.toml")  # written again later, it is a change
        for slot, word in self._chosen.items():
            if slot not in self._apart and before.get(slot + IN_SETTINGS, "") != word:
                try:
                    spec = await asyncio.to_thread(self._catalogue.named, slot, word)
                except ModelError as error:
                    log.error("the model of the settings cannot be used", slot=slot, why=str(error))
                    continue
                await self._assignments.put(slot, spec.identity, by="paring.toml")
                await self._assignments.put(slot + IN_SETTINGS, word, by="paring.toml")

    async def _recorded(self, swap: Swap, live: str | None, change: Change, by: str, of: State) -> Swap:
        word = self._chosen.get(swap.slot) if live is not None else None  # a later change of the settings counts, this one not
        self._recording += 1
        try:
            done = await self._swaps.record(
                swap.id, change, of={of}, live=live, by=by, beside={swap.slot + IN_SETTINGS: word} if word else {}
            )
            if done is None:
                raise InputError(_("This swap was taken back meanwhile. The model before is live."))
            if live:
                self._seen[swap.slot] = live
            elif live is not None:
                self._seen.pop(swap.slot, None)
        finally:
            self._recording -= 1
            self._recordings += 1
        return done

    async def _followed(self, slot: str, model: str) -> ModelError | None:
        try:
            spec = await self.find(slot, model)
            room = await asyncio.to_thread(self._pool.room_for, spec)
            await self._pool.publish(_slot(slot), spec, unloading=not room.beside)
        except ModelError as error:
            log.error("what was assigned cannot be followed; the model before goes on", slot=slot, model=model, why=str(error))
            await self._assignments.failed(slot, model, error.text)
            return error
        log.info("another model is live", slot=slot, model=model)
        return None


async def assigned(settings: Settings, catalogue: Catalogue, assignments: Assignments, *, but: Collection[str]) -> Settings:
    """Return `settings` as if they chose what the slots hold by assignment, but for the slots `but`; `catalogue` follows.

    What the settings choose counts where they choose something else than when that was assigned. A model that is not here any more
    leaves what the settings say.
    """
    found = await assignments.all()
    for slot, model in _of_slots(found, but=but).items():
        word = settings.models.choose.get(slot, "")
        if word and word != found.get(slot + IN_SETTINGS, ""):
            continue
        try:
            settings = choosing(settings, await asyncio.to_thread(catalogue.identified, slot, model))
        except ModelError as error:
            log.error(
                "what was assigned is not on this machine; the slot holds its default", slot=slot, model=model, why=str(error)
            )
            await assignments.failed(slot, model, error.text)
        catalogue.follow(settings)
    return settings


def _of_slots(assigned: Mapping[str, str], *, but: Collection[str]) -> dict[str, str]:
    return {slot: model for slot, model in assigned.items() if slot not in but and not slot.endswith(IN_SETTINGS)}


def _slot(name: str) -> Slot[Any, Any]:
    return Slot(name)
