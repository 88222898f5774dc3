"""Keeps the memory of a process, with all secrets and texts in it, out of a core that the system might write when it crashes.

leave_no_core()    # at a program's start; its children inherit it
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

from bot.confine import set_limit

FILTER: Final = Path("/proc/self/coredump_filter")
NOTHING: Final = "0x0"


def leave_no_core() -> None:
    """Allow no core, and let one that is piped to a program, for which no limit holds, have nothing of the memory.

    Source: https://man7.org/linux/man-pages/man5/core.5.html
    """
    set_limit("RLIMIT_CORE", 0)
    with suppress(OSError):
        FILTER.write_text(NOTHING, encoding="ascii")
