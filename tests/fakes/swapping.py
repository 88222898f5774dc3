"""Swaps in memory that keep the rules of the contract: what may follow what, and that no gate's no is passed over without a reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bot.errors import InputError, ModelError
from bot.locale import Text
from bot.models.trial import Card, Figures, Room, Scored, State, Swap, Tell, told
from bot.testing import NOON

ROOM = Room(need_mb=40, taken_mb=200, budget_mb=1000, evicts=(), beside=True, fits=True)


def figures(model: str, *, score: float = 0.9) -> Figures:
    scored = tuple(Scored(f"c{place}", "ko" if place % 2 else "en", score, "asked", "answered") for place in range(4))
    return Figures(model, "ROUGE-1", scored, 0.1, 2.0, 3.0, 40, 1_000_000, "MIT", ("ko", "en"), {})


def card(slot: str, model: str, *, passed: bool = True, fault: str = "") -> Card:
    new = replace(figures(model, score=0.9 if passed else 0.2), fault=told(Text(fault)) if fault else {})
    reasons = () if passed else (told(Text("It is worse.")),)
    return Card(slot, figures(f"{slot}.old.v1@r0"), new, ROOM, reasons)


@dataclass
class FakeSwapping:
    """Implements `bot.models.trial.Swapping`. What is asked for is "reported" unless its name is in one of the sets."""

    fails_gate: set[str] = field(default_factory=set)
    breaks: set[str] = field(default_factory=set)
    unsafe: set[str] = field(default_factory=set)
    wants_yes: set[str] = field(default_factory=set)
    interrupted: set[str] = field(default_factory=set)
    swaps: list[Swap] = field(default_factory=list)
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    async def propose(self, slot: str, word: str, *, by: str, origin: str = "", tell: Tell, yes: bool = False) -> Swap:
        self.asked.append((slot, word, by))
        if word == "offline":
            raise ModelError("The hub cannot be reached.")
        await tell(Text("looking for it"))
        await tell(Text("probing"))
        if word in self.interrupted:
            return self._kept(slot, word, by, origin, "interrupted", said="It was interrupted.")
        if word in self.unsafe:
            return self._kept(slot, word, by, origin, "refused", said="It has a pickle.", step="verify")
        if word in self.wants_yes and not yes:
            return self._kept(slot, word, by, origin, "refused", said="Nobody knows the licence.", step="fetch")
        fault = "It crashed." if word in self.breaks else ""
        made = card(slot, f"{word}@r1", passed=word not in self.fails_gate | self.breaks, fault=fault)
        return self._kept(slot, word, by, origin, "reported", card=made, step="report", said="The card is there.")

    async def promote(self, number: int, *, by: str, tell: Tell, reason: str = "") -> Swap:
        swap = self._in(number, {"reported"})
        if swap.card is None or swap.card.new.fault or not (swap.card.passed or reason):
            raise InputError("It did not pass.")
        await tell(Text("loading it"))
        return self._change(swap, "watched", f"Watched, by {by}.", reason=reason)

    async def discard(self, number: int, *, by: str) -> Swap:
        return self._change(self._in(number, {"reported", "shadowing"}), "discarded", "Discarded.")

    async def shadow(self, number: int, count: int, *, by: str) -> Swap:
        return self._change(self._in(number, {"reported"}), "shadowing", f"In the shadow of {count}.")

    async def roll_back(self, slot: str, *, by: str, origin: str = "", tell: Tell, number: int | None = None) -> Swap:
        last = next((swap for swap in reversed(self.swaps) if swap.slot == slot and swap.state in {"watched", "live"}), None)
        if number is not None and (last is None or last.id != number):
            raise InputError(f"Swap {number} is not what {slot} answers with any more.")
        if last is None:
            raise InputError("There is no way back.")
        self._change(last, "rolled back", "Taken back.")
        return self._kept(slot, "rollback", by, origin, "live", said=f"{slot} is back at {last.before}.")

    async def one(self, number: int) -> Swap:
        return self._in(number, None)

    async def history(self, slot: str = "", *, count: int = 20) -> Sequence[Swap]:
        return [swap for swap in reversed(self.swaps) if slot in ("", swap.slot)][:count]

    def _kept(
        self,
        slot: str,
        word: str,
        by: str,
        origin: str,
        state: State,
        *,
        said: str,
        step: str = "watch",
        card: Card | None = None,
    ) -> Swap:
        model = f"{word}@r1"
        made = Swap(
            len(self.swaps) + 1,
            slot,
            word,
            model,
            f"{slot}.old.v1@r0",
            by,
            origin,
            state,
            step,
            "",
            card,
            told(Text(said)),
            NOON,
            NOON,
        )  # type: ignore[arg-type]
        self.swaps.append(made)
        return made

    def _in(self, number: int, states: set[State] | None) -> Swap:
        if not 1 <= number <= len(self.swaps):
            raise InputError(f"There is no swap {number}.")
        swap = self.swaps[number - 1]
        if states is not None and swap.state not in states:
            raise InputError(f"Swap {number} does not wait for that: it is {swap.state}.")
        return swap

    def _change(self, swap: Swap, state: State, said: str, **more: object) -> Swap:
        changed = self.swaps[swap.id - 1] = replace(swap, state=state, said=told(Text(said)), **more)  # type: ignore[arg-type]
        return changed
