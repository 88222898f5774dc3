"""What a model is tried by before it goes live, and what came of it: values and contracts, nothing that does it.

A swap goes through the steps of `STEPS`. The gate of a slot tries a model on golden cases in a child process and gives `Figures`; two
models' figures side by side are a `Card`; a `Swap` is one admin's wish with all that became of it, as the database keeps it.

    swap = await swapper.propose("summarise", "summarise.lexrank.v1", by="telegram:4711", tell=tell)
    swap.card.passed
    await swapper.promote(swap.id, by="telegram:4711", tell=tell)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from bot.locale import LANGUAGES, Language, Text
from bot.models.origin import WORD
from bot.models.spec import ModelSpec
from bot.skill import Slot

if TYPE_CHECKING:
    from pydantic import TypeAdapter

In = TypeVar("In")
Out = TypeVar("Out")

GATES: Final = "paring.gates"
"""The entry-point group of the gates."""

Step = Literal["resolve", "fetch", "verify", "probe", "report", "promote", "publish", "watch"]
STEPS: Final[tuple[Step, ...]] = ("resolve", "fetch", "verify", "probe", "report", "promote", "publish", "watch")

State = Literal[
    "trying", "reported", "shadowing", "publishing", "watched", "live", "discarded", "refused", "failed", "interrupted", "rolled back"
]  # fmt: skip
"""trying (resolve to probe) -> reported -> [shadowing -> reported] -> publishing -> watched -> live. The others are ends.

"refused" is the gate's or the verifier's no, "failed" an error, "interrupted" an end of the process in the midst of it.
"""
UNDER_WAY: Final[frozenset[State]] = frozenset({"trying", "shadowing", "publishing"})
WAITING: Final[frozenset[State]] = frozenset({"reported", "shadowing"})
"""Their cards wait for an admin."""
"""What is "interrupted" where the process that was at it has ended. A card that waits for its admin outlives a start."""

Choice = Literal["promote", "force", "shadow", "discard"]
"""What may be done with a card; "force": promoted with a reason."""

Told = Mapping[Language, str]
"""A sentence in every language, as the database keeps it; {} for none."""
Tell = Callable[[Text], Awaitable[None]]
"""Shows what is being done now, in place of what was shown before."""
Predict = Callable[[Sequence[In]], Sequence[Out]]
Embed = Callable[[Sequence[str]], NDArray[np.float32]]
"""Texts to float32 (n, d), unit rows, by the live embedder (by the tried one, where that is the slot); (n, 0) where there is none.

It has an attribute `identity`: whose they are (`name@revision`), "" where there is none.
"""


def told(text: Text) -> Told:
    """Return the sentence in every language."""
    return {language: text.to(language) for language in LANGUAGES}


@dataclass(frozen=True, slots=True)
class Scored:
    """How well one golden case was answered. `asked` and `answered` are for people's eyes, cut to some 300 characters."""

    case: str
    language: Language
    score: float
    """0..1, higher is better, in the gate's metric."""
    asked: str
    answered: str


class Gate(Protocol[In, Out]):
    """How the models of one slot are tried. Listed in the entry-point group `paring.gates` by the slot's name; built without arguments.

    It is called in the child process of a probe: it may be slow, and imports there what it needs. A gate whose models work on vectors
    has an attribute `wants_vectors = True`: then the embedder is loaded before the model, and its memory is not counted.
    """

    slot: Slot[In, Out]
    metric: str
    """Its name in the field: "ROUGE-1", "character accuracy", "nDCG@10"."""
    tolerance: float
    """How far below the live model's mean a language's mean may lie, in the metric, for the new one to pass."""

    def canaries(self) -> Sequence[In]:
        """Return a few inputs that any model of the slot must take, in every language it claims to know."""
        ...

    def fault(self, inputs: Sequence[In], outputs: Sequence[Out], languages: Sequence[str]) -> Text | None:
        """Say what is wrong with the canaries' outputs (shape, finiteness, language, script); None where nothing is."""
        ...

    def count(self, languages: Sequence[str]) -> int:
        """Return how many inputs `evaluate` asks about, to tell how far it is."""
        ...

    def evaluate(self, predict: Predict[In, Out], embed: Embed, languages: Sequence[str]) -> list[Scored]:
        """Answer the golden cases of the `languages` that the model knows (all, for none given), and score each."""
        ...


@dataclass(frozen=True, slots=True)
class Figures:
    """What one model was measured to be, on this machine, in a child process of its own."""

    model: str
    """`name@revision`."""
    metric: str
    scored: tuple[Scored, ...]
    load_s: float
    p50_ms: float
    """Of one input at a time, over the golden cases; so p95."""
    p95_ms: float
    ram_mb: int
    """The most that the child took above what it took before it loaded the model."""
    disk_bytes: int
    licence: str
    languages: tuple[str, ...]
    fault: Told
    """Why it cannot be used: it crashed, hung, ate memory, or failed its canaries; {} where it can."""


@dataclass(frozen=True, slots=True)
class Evicted:
    """A loaded model that makes room, and how long its next answer waits for it to load again."""

    slot: str
    model: str
    load_s: float
    ram_mb: int = 0


@dataclass(frozen=True, slots=True)
class Room:
    """What memory a model needs beside what is loaded."""

    need_mb: int
    taken_mb: int
    budget_mb: int
    evicts: tuple[Evicted, ...]
    beside: bool
    """Whether it fits beside the live one; else the live one is unloaded first, and questions wait for the new one."""
    fits: bool
    """False where nothing that may be unloaded is enough."""
    live_mb: int = 0
    """What the slot's live model takes of `taken_mb`, 0 where none is loaded."""


@dataclass(frozen=True, slots=True)
class Shadowed:
    """What came of computing live requests with the new model too, off the way."""

    wanted: int
    done: int
    agreed: float
    """Mean agreement, 0..1, in the slot's own sense of it."""
    old_p50_ms: float
    new_p50_ms: float
    failed: int


@dataclass(frozen=True, slots=True)
class Card:
    """The report card: the live model beside the one that is tried."""

    slot: str
    old: Figures | None
    """None where nothing was live in the slot."""
    new: Figures
    room: Room
    reasons: tuple[Told, ...]
    """Why the gate says no; () where it passes."""
    notes: tuple[Told, ...] = ()
    """What an admin should know besides: a licence that is unknown, hashes seen for the first time, how long new vectors take."""
    shadow: Shadowed | None = None

    @property
    def passed(self) -> bool:
        """Whether it may be promoted without a reason."""
        return not self.reasons


@dataclass(frozen=True, slots=True)
class Swap:
    """One wish for another model, and what became of it."""

    id: int
    slot: str
    word: str
    """What the admin typed: a name, hub:owner/name@revision, or a folder."""
    model: str
    """`name@revision` once it is known."""
    before: str
    """`name@revision` of what was live, "" for nothing."""
    by: str
    """CHANNEL:USER."""
    origin: str
    """Where it was asked, packed (an Address), so that what comes later can be told there; "" for the command line."""
    state: State
    step: Step
    reason: str
    """Why it was forced, as the admin wrote; "" where it was not."""
    card: Card | None
    said: Told
    """How it ended, or what it waits for."""
    asked_at: datetime
    changed_at: datetime

    @property
    def choices(self) -> frozenset[Choice]:
        """What an admin may do with its card now; nothing where it does not wait for that."""
        card = self.card
        if card is None or self.state not in ("reported", "shadowing"):
            return frozenset()
        found: set[Choice] = {"discard"}
        if self.state == "reported" and not card.new.fault:
            found.add("promote" if card.passed else "force")
            if card.room.beside:
                found.add("shadow")
        return frozenset(found)

    @property
    def wants_yes(self) -> bool:
        """Whether it goes on where it is asked for again, as `seen`, with a second yes."""
        return self.state == "refused" and self.step == "fetch"

    @property
    def seen(self) -> str:
        """The word for the very model that was found: of a hub, the commit that was told."""
        return self.model if self.model.startswith(WORD) else self.word


class Publisher(Protocol):
    """How the model of one slot is made live, where that is more than loading it: the embedder, whose vectors are made first."""

    async def notes(self, spec: ModelSpec) -> tuple[Text, ...]:
        """Return what a card should say besides: vectors to be made, how long that takes, how the answers compare."""
        ...

    async def publish(self, spec: ModelSpec, *, by: str, tell: Tell) -> None:
        """Make `spec` live, however long it takes; the one before stays live until then. Raises ModelError, StoreError."""
        ...


class Swapping(Protocol):
    """The swaps, for whoever shows them. Implemented by `bot.models.swap.Swapper`."""

    async def propose(self, slot: str, word: str, *, by: str, origin: str = "", tell: Tell, yes: bool = False) -> Swap:
        """Resolve, fetch, verify, probe and report: the swap is "reported" and has a card when this returns.

        It is "refused" with the reason in `said` where its files are not accepted, and where a licence or hashes that nobody has
        said yes to need a second yes: then `yes` goes on. Asked again with the same `origin` after an end of the process: "interrupted".

        Raises:
            InputError, ModelError: there is no such slot or model, the hub cannot be reached, the disk is full.
        """
        ...

    async def promote(self, number: int, *, by: str, tell: Tell, reason: str = "") -> Swap:
        """Make a reported swap's model live. `reason` forces one whose card did not pass.

        Raises:
            InputError: it is not waiting for that (any more), or did not pass and no reason is given.
            ModelError: it could not be loaded; the model before is live.
        """
        ...

    async def discard(self, number: int, *, by: str) -> Swap:
        """Give up a reported swap. Raises InputError where it does not wait for that."""
        ...

    async def shadow(self, number: int, count: int, *, by: str) -> Swap:
        """Answer the next `count` live requests of chats that allow it with the new model too; then its card is shown again."""
        ...

    async def roll_back(self, slot: str, *, by: str, origin: str = "", tell: Tell, number: int | None = None) -> Swap:
        """Make the model live that was so before the slot's last swap, which is to be `number` where that is given.

        Raises:
            InputError: there is none, or it is another by now: a button that is pressed twice goes back once.
            ModelError: it could not be loaded; the model that is live stays so.
        """
        ...

    async def one(self, number: int) -> Swap:
        """Return a swap. Raises InputError where there is none of that number."""
        ...

    async def history(self, slot: str = "", *, count: int = 20) -> Sequence[Swap]:
        """Return the last swaps, of one slot or all, and every older one that still waits for an admin, the newest first."""
        ...


def pack_card(card: Card) -> str:
    """Return `card` as JSON, for the database."""
    return _adapter().dump_json(card).decode()


def unpack_card(text: str) -> Card | None:
    """Return the card that `pack_card` made JSON of, None for ""."""
    return _adapter().validate_json(text) if text else None


@cache
def _adapter() -> TypeAdapter[Card]:
    from pydantic import TypeAdapter  # noqa: PLC0415 - values stay importable without it

    return TypeAdapter(Card)


def gate_of(slot: str) -> Gate[object, object] | None:
    """Return the gate of `slot`, None where no installed package brings one."""
    from bot.plugins import installed  # noqa: PLC0415 - only who tries a model looks for it

    point = installed(GATES).get(slot)
    if point is None:
        return None
    gate: Gate[object, object] = point.load()()
    return gate
