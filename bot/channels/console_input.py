"""Where the terminal's lines come from, and that it is left as it was found.

Owns stdin. Leaves to `bot.channels.console` what a line means.

    with terminal_kept():
        line = read_line("› ")
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager


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

        return input(prompt)
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line.rstrip("\n")
