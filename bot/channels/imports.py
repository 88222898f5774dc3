"""How a platform's library is imported without what only others need of it.

Owns: which optional parts a library does without. Leaves to `bot.app` which library is imported so.

    with without("requests", "tornado"):
        import nicegui        # finds neither, as on a machine where they are not installed
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from types import ModuleType

OF_TELEGRAM = ("cryptography", "httpx._main")
"""For Telegram's passport and httpx's command line: 60 ms, and more megabytes."""
OF_NICEGUI = ("aiohttp", "httpx._main", "requests", "tornado")
"""For clients of Socket.IO, and for another server than ours: 0.2 s."""


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Let imports of this thread not find the modules `names`, where they are not imported already."""
    hiding = _Hiding(names)
    sys.meta_path.insert(0, hiding)
    try:
        yield
    finally:
        sys.meta_path.remove(hiding)


class _Hiding(MetaPathFinder):
    def __init__(self, names: Sequence[str]) -> None:
        self._names = frozenset(names)
        self._thread = threading.get_ident()

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        del path, target
        if fullname in self._names and threading.get_ident() == self._thread:
            raise ModuleNotFoundError(f"{fullname} is not needed here", name=fullname)
