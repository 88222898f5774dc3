"""Waiting for what a server of the tests is asked: looked at again after each call, never by the clock.

await until(called, lambda: fake.shown("D1"))
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

LONGEST_S = 120.0
"""Nothing that the tests wait for takes so long, on a machine that does other work too: what is not there by then never comes."""
T = TypeVar("T")


async def until(called: asyncio.Event, holds: Callable[[], T | None]) -> T:
    """Return what `holds` gives once that is something; `called` is set at each call."""
    async with asyncio.timeout(LONGEST_S):
        while not (found := holds()):
            called.clear()
            await called.wait()
    return found
