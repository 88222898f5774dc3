"""The child process of a probe: takes its own rights away, and only then imports what tries a model.

Owns: which limits it sets for itself. Leaves to `bot.confine` the setting, to `bot.models.probe_try` the trial. It is started as
`python -m bot.models.probe_child PARENT_PID MEMORY_MB CPU_SECONDS NETWORK` by `bot.models.probe`, by nobody else; it reads one
frame of JSON and writes frames until one of them holds what was found, or why nothing was.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bot.confine import (
    MEBIBYTE,
    die_with,
    no_network,
    no_outside,
    no_rights,
    no_writing,
    report_what_ends_us,
    set_limit,
    take_pipes,
)
from bot.sandbox_wire import Json, read_frame, write_frame

FILE_MB: Final = 64
"""Largest file that the child may write."""
NICE: Final = 5
"""How far the trial stands behind the bot where both want the processor."""
LARGEST_REQUEST_BYTES: Final = 1 << 20


def main() -> None:
    """Try one model and end."""
    parent, memory_mb, cpu_seconds, network = (int(word) for word in sys.argv[1:5])
    requests, replies = take_pipes()
    report_what_ends_us(replies)
    guards = _confine(parent, memory_mb, cpu_seconds, network=bool(network))

    def say(message: Mapping[str, Json]) -> None:
        write_frame(replies, json.dumps(message).encode())

    say({"guards": guards})
    asked = read_frame(requests, limit_bytes=LARGEST_REQUEST_BYTES)
    from bot.models.probe_try import try_model  # noqa: PLC0415 - numpy starts threads, and `no_network` needs a process of one

    say(try_model(asked, say))


def _confine(parent: int, memory_mb: int, cpu_seconds: int, *, network: bool) -> dict[str, bool]:
    """Give up what a model does not need; say what the system granted."""
    granted = {"no_network": not network and no_network(), "dies_with_parent": die_with(parent)}
    if hasattr(os, "nice"):
        os.nice(NICE)
    set_limit("RLIMIT_CORE", 0)
    set_limit("RLIMIT_FSIZE", FILE_MB * MEBIBYTE)
    set_limit("RLIMIT_CPU", cpu_seconds)
    set_limit("RLIMIT_DATA", 2 * memory_mb * MEBIBYTE)  # what is used is watched by the parent; this stops what is quicker
    granted["no_rights"] = no_rights()
    granted["no_writing"] = no_writing(Path.cwd())  # the parent has started us in a folder that goes with us
    granted["no_outside"] = not network and no_outside()
    if not network:
        sys.addaudithook(_refuse_sockets)
    return granted


def _refuse_sockets(event: str, _arguments: tuple[object, ...]) -> None:
    """Refuse Python's own ways out, where the system knows no other means."""
    if event in ("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo"):
        msg = "a model on trial has no network"
        raise PermissionError(msg)


if __name__ == "__main__":
    main()
