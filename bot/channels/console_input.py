"""Where the terminal's lines come from, and that it is left as it was found.

Owns stdin. Leaves to `bot.channels.console` what a line means.

    with terminal_kept():
        line = read_line("› ")
"""

from __future__ import annotations

import asyncio
import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Final

_CTYPE: Final = 1
"""LC_CTYPE_MASK of glibc and musl: which bytes make a character."""


@contextmanager
def terminal_kept() -> Iterator[None]:
    """Give the terminal back as it was: a line that is still being edited when the chat ends has switched its echo off."""
    if sys.stdin is None or not sys.stdin.isatty():
        yield
        return
    import termios  # noqa: PLC0415 - only a terminal has it

    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        yield
    except asyncio.CancelledError:
        sys.stdout.write("\n")  # Ctrl-C: what follows begins a line of its own
        raise
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def read_line(prompt: str) -> str:
    """Return a line of stdin. On a terminal with the prompt and its history; a pipe shows neither."""
    if sys.stdin is None:  # it was closed before the program began
        raise EOFError
    if sys.stdin.isatty() and sys.stdout.isatty():
        import readline  # noqa: F401, PLC0415 - `input` edits lines and remembers them once it is imported

        keep_characters()
        return input(prompt)
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line.rstrip("\n")


def keep_characters() -> None:
    """Give this thread the terminal's own locale: characters stay whole in a line that is edited while the process has none.

    OpenVINO sets the process's locale to C while it compiles a model; a Korean letter that was taken back just then left a part of itself.
    """
    with suppress(AttributeError, OSError):  # a library for C that has none of it
        if (library := _library()) is not None and (own := _own_locale()):
            library.uselocale(own)


@cache
def _library() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    library.newlocale.restype = library.uselocale.restype = ctypes.c_void_p
    library.newlocale.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p]
    library.uselocale.argtypes = [ctypes.c_void_p]
    return library


@cache
def _own_locale() -> int | None:
    """Return the locale that the environment names, made once: threads share it."""
    library = _library()
    own: int | None = library.newlocale(_CTYPE, b"", None) if library is not None else None
    return own
