"""A slot's place in the pool: the model in it, the hold that a caller has on it, and what is told of both.

Owns: the values. Leaves to `bot.models.pool` all that happens to them.

    async with pool.lease(EMBED) as lease:
        vectors = await lease.predict(["Where is the wiki?"])
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, cast

from bot.errors import DirectionError, ModelError, ParingError
from bot.locale import Text
from bot.models.running import Running
from bot.models.spec import ModelSpec
from bot.skill import In, Out

PINNED: Final = frozenset({"embed", "route", "read", "summarise"})
"""The slots of every message and of every search: they stay loaded."""


@dataclass(frozen=True, slots=True)
class SlotStatus:
    """What is told of one slot. `health` is ready, idle, missing, or "failed: " and why; `p50_ms` and `p95_ms` None before answers."""

    slot: str
    model: str
    loaded: bool
    pinned: bool
    size_bytes: int
    ram_mb: int
    licence: str
    languages: tuple[str, ...]
    health: str
    p50_ms: float | None
    failure: Text | None = None
    """Why it failed, for people."""
    beside: bool = False
    """True for a model that is loaded beside the slot's live one."""
    p95_ms: float | None = None
    load_s: float = 0.0
    """How long it took to load the last time, 0.0 where it never was loaded."""
    answers: int = 0
    """Since the start, what people waited for; bulk work apart."""
    share: float = 0.0
    """Of all slots' answers since the start, 0..1."""


@dataclass(slots=True, eq=False)
class Place:
    """A slot's place in the pool: which model is its, and that model while it is loaded."""

    slot: str
    spec: ModelSpec | None
    running: Running | None = None
    loading: asyncio.Task[None] | None = None
    failure: ModelError | None = None
    used: int = 0
    used_at: float = 0.0
    """When, by the pool's clock."""
    answers: int = 0
    """Since the start, bulk work apart, whichever model gave them."""
    beside: bool = False
    """True for a model that is asked for by its name while another is live in the slot."""

    @property
    def pinned(self) -> bool:
        """Whether it stays loaded."""
        return self.slot in PINNED and not self.beside


@dataclass(frozen=True, slots=True)
class Heard:
    """One call that a model has answered, or failed at: then `outputs` is None."""

    slot: str
    model: str
    """`name@revision`."""
    inputs: Sequence[object]
    outputs: Sequence[object] | None
    spent_ms: float
    bulk: bool


@dataclass(frozen=True, slots=True)
class Lease(Generic[In, Out]):
    """One model for as long as it is held: a swap goes on beside it, and the model is not released before."""

    slot: str
    identity: str
    running: Running = field(repr=False)
    place: Place = field(repr=False)
    listeners: tuple[Callable[[Heard], None], ...] = field(default=(), repr=False)

    async def predict(self, batch: Sequence[In], *, bulk: bool = False) -> list[Out]:
        """Return one output an input, in order. Raises ModelError where the model failed."""
        if not batch:
            return []
        begun, outputs = time.perf_counter(), None
        try:
            outputs = await asyncio.wrap_future(self.running.submit(batch, bulk=bulk))
        except DirectionError:  # it said what it does not do, which is no failure
            raise
        except ParingError:
            self._tell(batch, None, begun, bulk=bulk)
            raise
        self.place.answers += not bulk
        self._tell(batch, outputs, begun, bulk=bulk)
        return cast("list[Out]", outputs)

    def _tell(self, batch: Sequence[In], outputs: Sequence[object] | None, begun: float, *, bulk: bool) -> None:
        if self.listeners and not self.place.beside:
            heard = Heard(self.slot, self.identity, batch, outputs, (time.perf_counter() - begun) * 1000, bulk)
            for listener in self.listeners:
                listener(heard)
