"""Leaving when told to: in order, and by the clock where something stands in the way.

Nothing that was acknowledged is lost either way: a start takes up what was left (as after kill -9).

    leaving = Leaving(stop, within_s=9.0)
    loop.add_signal_handler(signal.SIGTERM, leaving.ask)
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable

from bot.logs import Logger, tell_the_rest

log = Logger(__name__)

LEAVE_WITHIN_S = 9.0


class Leaving:
    """Sets `stop` when asked, and ends the process by force where it has not ended `within_s` after, or is asked again."""

    def __init__(self, stop: asyncio.Event, *, within_s: float = LEAVE_WITHIN_S, end: Callable[[int], object] = os._exit) -> None:
        """Prepare; `end(code)` ends the process."""
        self._stop = stop
        self._within_s = within_s
        self._end = end
        self._clock: threading.Timer | None = None

    def ask(self) -> None:
        """Ask to leave; on the event loop."""
        if self._stop.is_set():
            self._end(1)
            return
        self._stop.set()
        self._clock = threading.Timer(self._within_s, self._out_of_time)
        self._clock.daemon = True  # who leaves in time is not kept by it
        self._clock.start()

    def left(self) -> None:
        """Take note that all has ended: the process may go on with something else."""
        if self._clock is not None:
            self._clock.cancel()

    def _out_of_time(self) -> None:
        held_by = sorted({thread.name for thread in threading.enumerate() if not thread.daemon} - {"MainThread"})
        log.error("the bot did not end in time and is ended", within_s=self._within_s, threads=held_by)
        tell_the_rest()
        sys.stderr.flush()
        self._end(1)
