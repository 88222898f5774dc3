"""Notices that the event loop is blocked, and logs where: a thread asks the loop for a sign of life, once a second.

While the loop is blocked nobody is answered and nothing can be said but from another thread. Told are the frames of the loop's thread,
each with its line of code and without its values.

    watch = LoopWatch()
    watch.start()      # on the event loop
    watch.lag_s        # how late the last sign was, or for how long none has come
    watch.stop()
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from bot.logs import Logger

log = Logger(__name__)

ASK_EVERY_S: Final = 1.0
BLOCKED_AFTER_S: Final = 5.0
MOST_FRAMES: Final = 30


class LoopWatch:
    """Watches the loop on which it is started."""

    def __init__(
        self,
        *,
        ask_every_s: float = ASK_EVERY_S,
        blocked_after_s: float = BLOCKED_AFTER_S,
        told: Callable[[], None] = lambda: None,
    ) -> None:
        """Call a loop blocked that gives no sign for `blocked_after_s`; `told` is called, on the watch's thread, once it is logged."""
        self._ask_every_s, self._blocked_after_s = ask_every_s, blocked_after_s
        self._told = told
        self._ended = threading.Event()
        self._asked_at: float | None = None
        self._lag_s = 0.0
        self.blocked = 0
        """How often it was blocked."""

    def start(self) -> None:
        """Begin."""
        loop, thread = asyncio.get_running_loop(), threading.get_ident()
        watch = threading.Thread(target=self._watch, args=(loop, thread), name="loop-watch", daemon=True)
        watch.start()

    def stop(self) -> None:
        """End; the thread follows within a second."""
        self._ended.set()

    @property
    def lag_s(self) -> float:
        """How late the loop's last sign was, or how long one has been waited for."""
        asked_at = self._asked_at
        return self._lag_s if asked_at is None else max(self._lag_s, time.monotonic() - asked_at)

    def _watch(self, loop: asyncio.AbstractEventLoop, thread: int) -> None:
        while not self._ended.wait(self._ask_every_s):
            sign = threading.Event()
            asked_at = self._asked_at = time.monotonic()
            try:
                loop.call_soon_threadsafe(sign.set)
            except RuntimeError:  # the loop has ended
                return
            if not sign.wait(self._blocked_after_s) and not self._ended.is_set():
                self._tell(thread)
                while not sign.wait(self._ask_every_s) and not self._ended.is_set():
                    pass
                if not self._ended.is_set():
                    log.warning("the event loop goes on", blocked_s=round(time.monotonic() - asked_at, 1))
            self._lag_s, self._asked_at = time.monotonic() - asked_at, None

    def _tell(self, thread: int) -> None:
        self.blocked += 1
        frame = sys._current_frames().get(thread)  # noqa: SLF001 - the way to see what another thread is at
        stack = traceback.StackSummary.extract(traceback.walk_stack(frame), limit=MOST_FRAMES) if frame is not None else []
        where = [f"{one.filename}:{one.lineno} in {one.name}: {one.line}" for one in stack]
        with suppress(Exception):
            log.error("the event loop is blocked: nobody is answered", since_s=self._blocked_after_s, stack=where)
        self._told()
