"""Waiting for what a server of the tests is asked: looked at again after each call, never by the clock.

await until(called, lambda: fake.shown("D1"))
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def until(called: asyncio.Event, holds: Callable[[], T | None], *, within_s: float = 60.0) -> T:
    """Return what `holds` gives once that is something; `called` is set at each call."""
    async with asyncio.timeout(within_s):
        while not (found := holds()):
            called.clear()
            await called.wait()
    return found
