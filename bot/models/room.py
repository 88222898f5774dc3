"""What memory a model needs beside those that are loaded: the forecast of what the pool will do, and who goes first.

Owns: the order in which loaded models make room, and what follows from it. Leaves to `bot.models.pool` the unloading itself, which
goes by the same order.

    room_for(400, held, slot="caption", model="caption.git-base.v1", budget_mb=1000).evicts
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.models.trial import Evicted, Room


@dataclass(frozen=True, slots=True)
class Held:
    """A loaded model: what it takes, how long it took to load, and whether it may go."""

    slot: str
    model: str
    """`name@revision`."""
    ram_mb: int
    load_s: float
    pinned: bool
    used: int
    """A number that is greater the later it was used."""
    beside: bool = False
    """True for one that is not live in its slot, but was asked for by its name."""


@dataclass(frozen=True, slots=True)
class MemoryRow:
    """A loaded model, as an admin is shown it."""

    slot: str
    model: str
    ram_mb: int
    load_s: float
    """How long it took to load; its next answer waits so long after it was unloaded."""
    pinned: bool
    busy: bool
    """Whether somebody holds it just now: then it is not unloaded."""
    idle_s: float
    """How long ago it was used last."""


def room_for(need_mb: int, held: Sequence[Held], *, slot: str, model: str, budget_mb: int) -> Room:
    """Return what becomes of the `held` models where `model` is made live in `slot` and takes `need_mb`.

    Others go first, the longest unused before, so that the slot's live model answers until the new one does. Only where that is not
    enough is the live one unloaded before. Who is held just now counts as one that may go: that is over in a moment.
    """
    taken_mb = sum(one.ram_mb for one in held)
    live_mb = sum(one.ram_mb for one in held if is_live(one, slot))
    if any((one.slot, one.model) == (slot, model) for one in held):
        return Room(need_mb, taken_mb, budget_mb, (), beside=True, fits=True, live_mb=live_mb)
    others = sorted((one for one in held if not one.pinned and not is_live(one, slot)), key=lambda one: one.used)
    over_mb = taken_mb + need_mb - budget_mb
    beside = over_mb <= sum(one.ram_mb for one in others)
    over_mb -= 0 if beside else live_mb
    evicts: list[Evicted] = []
    for one in others:
        if over_mb <= 0:
            break
        over_mb -= one.ram_mb
        evicts.append(Evicted(one.slot, one.model, one.load_s, one.ram_mb))
    fits = over_mb <= 0
    return Room(need_mb, taken_mb, budget_mb, tuple(evicts) if fits else (), beside=beside, fits=fits, live_mb=live_mb)


def is_live(one: Held, slot: str) -> bool:
    """Say whether it is the live model of `slot`."""
    return one.slot == slot and not one.beside
