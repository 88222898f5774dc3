"""What the admin page needs of the house, in memory: slots that hold still, swaps that end as a test tells them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bot.errors import InputError, ModelError
from bot.locale import Text
from bot.models.places import SlotStatus
from bot.models.trial import Card, Evicted, Figures, Room, Scored, State, Step, Swap, Tell, told

WHEN = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def status(slot: str, model: str, **said: object) -> SlotStatus:
    facts: dict[str, object] = {
        "loaded": True, "pinned": False, "size_bytes": 22_000_000, "ram_mb": 120, "licence": "Apache-2.0",
        "languages": ("ko", "en"), "health": "ready", "p50_ms": 4.2,
    }  # fmt: skip
    return SlotStatus(slot, model, **(facts | said))  # type: ignore[arg-type]


def figures(model: str, scores: dict[str, float], *, p50_ms: float = 12.0) -> Figures:
    scored = tuple(
        Scored(f"{case}", case[:2], score, f"asked {case}", f"{model.partition('@')[0]} says {case}")  # type: ignore[arg-type]
        for case, score in scores.items()
    )
    return Figures(
        model, "ROUGE-1", scored, 0.4, p50_ms, 2 * p50_ms, 64, 3_000_000, "Apache-2.0", ("ko", "en"), {}
    )  # fmt: skip


def card(*, passed: bool = True, needs_mb: int = 1400) -> Card:
    old = figures("summarise.extract.v1@a1", {"ko-1": 0.5, "ko-2": 0.44, "en-1": 0.52, "en-2": 0.4})
    new = figures("summarise.lexrank.v1@b2", {"ko-1": 0.3, "ko-2": 0.35, "en-1": 0.6, "en-2": 0.41}, p50_ms=6.0)
    room = Room(needs_mb, 500, 4096, (Evicted("caption", "caption.git-base.v1@c3", 3.8),), beside=True, fits=True)
    reasons = () if passed else (told(Text("Korean falls by 12 points.")),)
    return Card("summarise", old, new, room, reasons, (told(Text("The licence is Apache-2.0.")),))


@dataclass
class MemorySwaps:
    """Swapping whose cards are given by the test."""

    made: list[Swap] = field(default_factory=list)
    gives: Card = field(default_factory=card)
    breaks: Exception | None = None
    go: asyncio.Event = field(default_factory=asyncio.Event)
    """Set: nothing waits. A test that wants to see a swap being made clears it."""

    def __post_init__(self) -> None:
        self.go.set()

    async def propose(self, slot: str, word: str, *, by: str, origin: str = "", tell: Tell, yes: bool = False) -> Swap:
        await tell(Text("probing 3 of 40"))
        await self.go.wait()
        if self.breaks:
            raise self.breaks
        if word.startswith("hub:") and not yes:
            refused = self._keep(slot, word, "refused", "fetch", by=by)
            self.made[-1] = replace(refused, said=told(Text("Its licence is not known. Say yes if you trust it.")))
            return self.made[-1]
        return self._keep(slot, word, "reported", "report", by=by, card=self.gives)

    async def promote(self, number: int, *, by: str, tell: Tell, reason: str = "") -> Swap:
        await tell(Text("loading it"))
        return self._change(number, "watched", "watch", reason=reason)

    async def discard(self, number: int, *, by: str) -> Swap:
        return self._change(number, "discarded", "report")

    async def shadow(self, number: int, count: int, *, by: str) -> Swap:
        return self._change(number, "shadowing", "report")

    async def roll_back(self, slot: str, *, by: str, origin: str = "", tell: Tell, number: int | None = None) -> Swap:
        last = next((swap for swap in reversed(self.made) if swap.slot == slot and swap.state in ("watched", "live")), None)
        if last is None or number not in (None, last.id):
            raise InputError(Text("There is nothing to go back to."))
        self._change(last.id, "rolled back", "watch")
        return self._keep(slot, last.before, "live", "watch", by=by)

    async def one(self, number: int) -> Swap:
        for swap in self.made:
            if swap.id == number:
                return swap
        raise InputError(Text("There is no such swap."))

    async def history(self, slot: str = "", *, count: int = 20) -> Sequence[Swap]:
        return [swap for swap in reversed(self.made) if slot in ("", swap.slot)][:count]

    def _keep(self, slot: str, word: str, state: State, step: Step, *, by: str, card: Card | None = None) -> Swap:
        before = "summarise.extract.v1@a1"
        swap = Swap(len(self.made) + 1, slot, word, f"{word}@b2", before, by, "", state, step, "", card, {}, WHEN, WHEN)
        self.made.append(swap)
        return swap

    def _change(self, number: int, state: State, step: Step, *, reason: str = "") -> Swap:
        at = next(place for place, swap in enumerate(self.made) if swap.id == number)
        if self.made[at].state != "reported" and state != "rolled back":
            raise InputError(Text("It does not wait for that any more."))
        self.made[at] = replace(self.made[at], state=state, step=step, reason=reason)
        return self.made[at]


@dataclass
class MemoryOrders:
    """Implements `bot.channels.web_admin.Orders`."""

    kept: list[tuple[str, str, str]] = field(default_factory=list)
    """Who ordered what, and what came of it."""

    async def begin(self, who: str, command: str, outcome: str = "begun") -> int:
        self.kept.append((who, command, outcome))
        return len(self.kept) - 1

    async def end(self, number: int, outcome: str) -> None:
        self.kept[number] = (*self.kept[number][:2], outcome)


@dataclass
class MemoryDesk:
    """Implements `bot.channels.web_admin.AdminDesk`."""

    swaps: MemorySwaps = field(default_factory=MemorySwaps)
    admins: set[str] = field(default_factory=lambda: {"web:me"})
    audit: MemoryOrders = field(default_factory=MemoryOrders)
    statuses: list[SlotStatus] = field(
        default_factory=lambda: [
            status("embed", "embed.minilm.v1@53aa", ram_mb=180),
            status("ocr", "ocr.tesseract.v1", ram_mb=0, loaded=False, health="idle", p50_ms=None),
            status("summarise", "summarise.extract.v1@a1", ram_mb=64, p50_ms=12.0),
            status("translate", "", loaded=False, health="missing", ram_mb=0, size_bytes=0, p50_ms=None, licence=""),
            status(
                "caption", "caption.git-base.v1@c3", health="failed: no", failure=Text("The file is cut."), ram_mb=0, loaded=False
            ),
        ]
    )

    async def may(self, person: str) -> bool:
        return person in self.admins

    async def slots(self) -> Sequence[SlotStatus]:
        return self.statuses

    async def shares(self) -> Mapping[str, float]:
        return {"embed": 0.9, "summarise": 0.07}

    def memory(self) -> tuple[int, int]:
        return sum(one.ram_mb for one in self.statuses if one.loaded), 4096

    def choices(self, slot: str) -> Sequence[str]:
        return ("summarise.extract.v1", "summarise.lexrank.v1", "summarise.lead.v1") if slot == "summarise" else ()


def broken() -> ModelError:
    return ModelError(Text("The weights are cut off. The model before is live."))
