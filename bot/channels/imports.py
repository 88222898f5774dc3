"""How a platform's library is imported without what only others need of it.

Owns: which optional parts a library does without, and when the certificates of trusted authorities are read. Leaves to `bot.app` which
library is imported so.

    with without("requests", "tornado"):
        import nicegui        # finds neither, as on a machine where they are not installed
    import_aiohttp()          # its certificates are read at the first connection over TLS
"""

from __future__ import annotations

import ssl
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from types import ModuleType
from typing import Any

OF_TELEGRAM = ("cryptography", "httpx._main")
"""For Telegram's passport and httpx's command line: 60 ms, and more megabytes."""
OF_NICEGUI = ("aiohttp", "httpx._main", "requests", "tornado")
"""For clients of Socket.IO, and for another server than ours: 0.2 s."""
_READING = threading.Lock()


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Let imports of this thread not find the modules `names`, where they are not imported already."""
    hiding = _Hiding(names)
    sys.meta_path.insert(0, hiding)
    try:
        yield
    finally:
        sys.meta_path.remove(hiding)


def import_aiohttp() -> None:
    """Import aiohttp, which would read all certificates of the machine twice: 45 ms that a connection without TLS does not need."""
    ssl.SSLContext.set_default_verify_paths = _read_later  # type: ignore[method-assign, assignment]
    try:
        import aiohttp  # noqa: F401, PLC0415 - under the hand above
    finally:
        del ssl.SSLContext.set_default_verify_paths  # the inherited one stands again


class _Hiding(MetaPathFinder):
    def __init__(self, names: Sequence[str]) -> None:
        self._names = frozenset(names)
        self._thread = threading.get_ident()

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        del path, target
        if fullname in self._names and threading.get_ident() == self._thread:
            raise ModuleNotFoundError(f"{fullname} is not needed here", name=fullname)


def _read_later(context: ssl.SSLContext) -> None:
    context.__class__ = _LateTrust
    context.__dict__["unread"] = True


class _LateTrust(ssl.SSLContext):
    """Reads whom the machine trusts when it is about to meet somebody."""

    def wrap_bio(self, *given: Any, **named: Any) -> ssl.SSLObject:
        """As an `SSLContext`."""
        self._read()
        return super().wrap_bio(*given, **named)

    def wrap_socket(self, *given: Any, **named: Any) -> ssl.SSLSocket:
        """As an `SSLContext`."""
        self._read()
        return super().wrap_socket(*given, **named)

    def _read(self) -> None:
        with _READING:
            if self.__dict__.pop("unread", False):
                self.set_default_verify_paths()
