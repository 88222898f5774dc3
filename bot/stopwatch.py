"""Milliseconds by stage, for a receipt.

with stopwatch("embed"):
    ...
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Adds up wall time by stage, in the order in which stages were first entered."""

    def __init__(self) -> None:
        """Begin with no stage."""
        self._spent_ms: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Time the body of the `with` under `stage`."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.add(stage, (time.perf_counter() - begun) * 1000)

    def add(self, stage: str, spent_ms: float) -> None:
        """Add `spent_ms` to `stage`."""
        self._spent_ms[stage] = self._spent_ms.get(stage, 0.0) + spent_ms

    def stages(self) -> tuple[tuple[str, float], ...]:
        """Return (stage, milliseconds), rounded to a microsecond."""
        return tuple((stage, round(spent, 3)) for stage, spent in self._spent_ms.items())
