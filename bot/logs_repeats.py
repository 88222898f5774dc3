"""Lines that come again and again: the first few are written, then once a minute the last of them, with how many like it there were.

A platform that is away, a skill that fails for everybody, a client that asks in a loop: a line a failure fills a disk. Alike is what
the same place of the program says about the same part; an error is known by where it was raised, not by its words. No reference
that a person was told is lost: those of the lines that were left out stand in the one that is written for them.

    if repeats.take(told):      # else it is counted, and told within EVERY_S
        write(told)
    repeats.rest()              # at the end: what was counted and not told yet

Owns that choice and the clock. Leaves the lines and their writing to `bot.logs`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Final

BURST: Final = 10
"""Lines of a kind that are written at once; one more for each time that EVERY_S has passed."""
EVERY_S: Final = 60.0
MOST_KINDS: Final = 200
"""Kinds that are told apart; those beyond are one."""
MOST_REFERENCES: Final = 500
SAME: Final = ("level", "logger", "part", "channel", "slot", "model", "skill", "where")
"""What besides the event makes two lines alike; not what they are about (`inbox`, `outbox`), nor why, which may hold numbers."""
FRAME: Final = '  File "'

Told = Mapping[str, object]
Kind = tuple[object, ...]


@dataclass(slots=True)
class _Counted:
    """What came of one kind."""

    written: int = 0
    """Lines of the burst that are used up."""
    repeated: int = 0
    """Lines that were left out since one was written."""
    since: object = ""
    last: Told = field(default_factory=dict)
    references: list[object] = field(default_factory=list)


class Repeats:
    """Chooses which lines are written; of any thread."""

    def __init__(self, write: Callable[[Told], object], *, clock: Callable[[], float] = time.monotonic) -> None:
        """Tell of what was left out by `write`, on a thread of its own; `clock` gives seconds."""
        self._write = write
        self._clock = clock
        self._lock = threading.Lock()
        self._kinds: dict[Kind, _Counted] = {}
        self._turns_at = clock() + EVERY_S
        self._timer: threading.Timer | None = None

    def take(self, told: Told, *, place: str = "") -> bool:
        """Say whether this line is to be written now; else it is counted. `place` is where it is said, if its event tells numbers."""
        with self._lock:
            self._turn()
            counted = self._of(told, place)
            if counted.written < BURST:
                counted.written += 1
                return True
            counted.since = counted.since or told.get("timestamp", "")
            counted.repeated += 1
            counted.last = told
            if "reference" in told and len(counted.references) < MOST_REFERENCES:
                counted.references.append(told["reference"])
            self._wind()
            return False

    def rest(self) -> None:
        """Write what was counted and not told yet."""
        with self._lock:
            left = [counted for counted in self._kinds.values() if counted.repeated]
            lines = [_summed(counted) for counted in left]
            for counted in left:
                counted.repeated, counted.since, counted.last, counted.references = 0, "", {}, []
        for line in lines:
            self._write(line)

    def _of(self, told: Told, place: str) -> _Counted:
        kind: Kind = (place or told.get("event"), *(str(told.get(name, "")) for name in SAME), _frame(told.get("exception")))
        if kind not in self._kinds and len(self._kinds) >= MOST_KINDS:
            kind = ()
        return self._kinds.setdefault(kind, _Counted())

    def _turn(self) -> None:
        """Give each kind a line more for each time that has passed; forget those that have all of theirs."""
        passed = int((self._clock() - self._turns_at) // EVERY_S) + 1
        if passed < 1:
            return
        self._turns_at += passed * EVERY_S
        for counted in self._kinds.values():
            counted.written = max(0, counted.written - passed)
        self._kinds = {kind: counted for kind, counted in self._kinds.items() if counted.written or counted.repeated}

    def _wind(self) -> None:
        if self._timer is None:
            self._timer = threading.Timer(EVERY_S, self._rung)
            self._timer.daemon = True  # who ends tells the rest at once
            self._timer.start()

    def _rung(self) -> None:
        with self._lock:
            self._timer = None
        self.rest()


def _summed(counted: _Counted) -> Told:
    line: MutableMapping[str, object] = {**counted.last, "repeated": counted.repeated, "since": counted.since}
    if counted.references:
        line["references"] = counted.references
    return line


def _frame(trace: object) -> str:
    """Return the innermost frame of a trace, "" for none."""
    return trace.rpartition(FRAME)[2].partition("\n")[0] if isinstance(trace, str) else ""
