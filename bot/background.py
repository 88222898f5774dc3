"""Long work that nobody waits for: on a thread of its own, at low priority, which does not keep the process alive.

    folder = await in_background(partial(prepared_head, settings))

What the work starts (a child process) inherits the low priority. A caller that is cancelled leaves the work to end by itself.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")

NICENESS = 10


async def in_background(work: Callable[[], T]) -> T:
    """Return what `work` returns; raise what it raises."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: Exception | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]  # without an error there is a result

    def run() -> None:
        with suppress(OSError):  # a priority is a courtesy
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        result, error = None, None
        try:
            result = work()
        except Exception as raised:  # noqa: BLE001 - it is raised where it is awaited
            error = raised
        with suppress(RuntimeError):  # the loop has ended: nobody waits any more
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, name="background", daemon=True).start()
    return await done
