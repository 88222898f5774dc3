"""What loaded models take, what may be unloaded for another, and what is told of it.

Owns: the arithmetic of the budget, and the unloading that it asks for. Leaves to `bot.models.pool` which model answers where, to
`bot.models.room` the forecast.

    holdings = Holdings(places, settings, measured=measured, clock=time.monotonic)
    await holdings.make_room(spec, holdings.need_mb(spec), place)
    holdings.rows()
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from statistics import median
from typing import TYPE_CHECKING, Final

from bot.errors import MemoryBudgetError
from bot.locale import phrases
from bot.models import fetch
from bot.models.memory import Measured, budget_mb
from bot.models.places import Place, SlotStatus
from bot.models.room import Held, MemoryRow, room_for
from bot.models.spec import ModelSpec
from bot.models.trial import Room

if TYPE_CHECKING:
    from bot.config import Settings

_ = phrases(__file__)

DISK_TO_RAM: Final = 1.3
"""How much memory a model is taken to need before it was ever measured, by its files' size."""


class Holdings:
    """The loaded models of a pool, by what they take. Where a method may wait for the disk, it says so."""

    def __init__(
        self, places: Mapping[str, Place], settings: Settings, *, measured: Measured, clock: Callable[[], float]
    ) -> None:
        """Count the models in `places`, which the pool fills."""
        self._places = places
        self._settings = settings
        self._measured = measured
        self._clock = clock
        self.budget_mb = budget_mb(settings.models.ram_mb)

    def rows(self) -> tuple[MemoryRow, ...]:
        """Return what is loaded, by slot."""
        now = self._clock()
        loaded = sorted(self._places.values(), key=lambda place: (place.slot, place.beside))
        return tuple(
            MemoryRow(
                place.slot, place.spec.identity, self.ram_mb(place), self._measured.load_s(place.spec.identity),
                pinned=place.pinned, busy=place.running.leases > 0, idle_s=now - place.used_at,
            )
            for place in loaded
            if place.running is not None and place.spec is not None
        )  # fmt: skip

    def room_for(self, spec: ModelSpec, need_mb: int = 0) -> Room:
        """Return what becomes of the loaded models where `spec` is made live: the forecast of `publish`.

        `need_mb` is what it was measured to take elsewhere (by a probe), and is remembered, so that its load is planned by the same
        number. May write a file: call it off the event loop.
        """
        self.remember()
        self._measured.keep(spec.identity, need_mb)
        need_mb = self.need_mb(spec)
        return room_for(need_mb, self._held(), slot=spec.slot, model=spec.identity, budget_mb=self.budget_mb)

    def _held(self) -> list[Held]:
        return [
            Held(
                place.slot, place.spec.identity, self.ram_mb(place), self._measured.load_s(place.spec.identity),
                pinned=place.pinned, used=place.used, beside=place.beside,
            )
            for place in tuple(self._places.values())
            if place.running is not None and place.spec is not None
        ]  # fmt: skip

    def need_mb(self, spec: ModelSpec) -> int:
        """Return what `spec` was measured to take, else what it says, else a guess by its files. Reads the disk."""
        estimate = int((fetch.size_bytes(spec, self._settings) or spec.size_mb * 1_000_000) * DISK_TO_RAM) >> 20
        return self._measured.ram_mb(spec.identity) or spec.ram_mb or estimate

    async def make_room(self, spec: ModelSpec, need_mb: int, place: Place, *, forced: bool = False) -> None:
        """Unload what was used longest ago until `need_mb` fits, what is live in the `place` itself last.

        Nothing is unloaded where that would not be enough. `bot.models.room` forecasts this.
        """
        over_mb = self.taken_mb() + need_mb - self.budget_mb
        if over_mb > sum(self.ram_mb(one) for one in self._idle(last=place)) and not forced:
            raise MemoryBudgetError(
                _(
                    "{model} needs {need} MiB of memory; loaded models take {taken} of the {budget} MiB budgeted, and what may be unloaded "
                    "is not enough. An admin can raise models.ram_mb in paring.toml or choose a smaller model.",
                    model=spec.name,
                    need=need_mb,
                    taken=self.taken_mb(),
                    budget=self.budget_mb,
                )
            )
        while self.taken_mb() + need_mb > self.budget_mb and (idle := self._idle(last=place)):
            running, idle[0].running = idle[0].running, None
            if running is not None:
                await asyncio.to_thread(running.close)

    def _idle(self, *, last: Place) -> list[Place]:
        """Return what may be unloaded now, the longest unused first, but for the place that is `last`."""
        idle = [place for place in self._places.values() if place.running and not place.running.leases and not place.pinned]
        return sorted(idle, key=lambda place: (place is last, place.used))

    def taken_mb(self) -> int:
        """Return the MiB that all loaded models take."""
        return sum(self.ram_mb(place) for place in self._places.values())

    def ram_mb(self, place: Place) -> int:
        """Return what the place's loaded model takes, 0 for none."""
        if place.running is None or place.spec is None:
            return 0
        return max(place.running.ram_mb, self._measured.ram_mb(place.spec.identity))

    def remember(self) -> None:
        """Keep what loaded models were measured to take by now. Writes a file: call it off the event loop."""
        for place in tuple(self._places.values()):
            if place.running is not None and place.spec is not None:
                self._measured.keep(place.spec.identity, place.running.ram_mb, place.running.load_s)

    def status(self, place: Place) -> SlotStatus:
        """Return what is told of the model in `place`. Reads the disk."""
        spec, running = place.spec, place.running
        latencies = sorted(running.latencies_ms) if running else []
        answers = sum(place.answers for place in tuple(self._places.values()))
        return SlotStatus(
            slot=place.slot,
            model=spec.identity if spec else "",
            loaded=running is not None,
            pinned=place.pinned,
            size_bytes=fetch.size_bytes(spec, self._settings) if spec else 0,
            ram_mb=self.ram_mb(place) or (self._measured.ram_mb(spec.identity) if spec else 0),
            licence=spec.licence if spec else "",
            languages=spec.languages if spec else (),
            health=self._health(place),
            p50_ms=round(median(latencies), 3) if latencies else None,
            failure=place.failure.text if place.failure is not None and running is None else None,
            beside=place.beside,
            p95_ms=round(latencies[(len(latencies) * 95 - 1) // 100], 3) if latencies else None,
            load_s=self._measured.load_s(spec.identity) if spec else 0.0,
            answers=place.answers,
            share=place.answers / answers if answers else 0.0,
        )

    def _health(self, place: Place) -> str:
        if place.running is not None:
            return "ready"
        if place.failure is not None:
            return f"failed: {place.failure.sentence('en')}"
        return "idle" if place.spec and fetch.present(place.spec, self._settings) else "missing"
