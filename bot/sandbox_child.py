"""The child process of the sandbox: takes its own rights away, then runs one function after another, as it is asked.

Owns: which limits it sets for itself, and the loop. Leaves to `bot.confine` the setting, to `bot.sandbox` who may be called. It is started
as `python -m bot.sandbox_child PARENT_PID MEMORY_MB CPU_SECONDS IDLE_SECONDS FOLDER`, by nobody else; FOLDER is all that it may write
into. An error that no function should raise ends it: the parent starts a fresh one, for what is left behind is not to be trusted.
"""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import importlib
import json
import os
import select
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO, cast

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
from bot.errors import ParingError
from bot.sandbox_wire import Json, read_frame, text_to_json, write_frame

if sys.platform != "win32":  # there the parent's clock is the only limit
    import resource

GUARDS = ("memory", "cpu", "files", "no_network", "dies_with_parent", "no_rights", "no_writing", "no_outside")
OPEN_FILES = 128
FILE_MB = 256
"""Largest file that a function may write."""


def main() -> None:
    """Serve the parent until it closes the pipe or has asked nothing for a while."""
    parent, memory_mb, cpu_seconds, idle_seconds = (int(word) for word in sys.argv[1:5])
    requests, replies = take_pipes()
    report_what_ends_us(replies)
    guards = _limit(parent, memory_mb, Path(sys.argv[5]))
    write_frame(replies, json.dumps(guards).encode())
    begun_mb = _resident_mb()
    served = 0
    while served == 0 or _asked(requests, idle_seconds):
        try:
            request = read_frame(requests, limit_bytes=512 * MEBIBYTE)
        except EOFError:
            return
        _grant_seconds(cpu_seconds)
        reply = _run(request)
        _return_memory()
        growth = json.dumps({"growth_mb": round(_resident_mb() - begun_mb, 1)})
        write_frame(replies, reply[:-1] + b", " + growth[1:].encode())
        served += 1


def _limit(parent: int, memory_mb: int, folder: Path) -> dict[str, bool]:
    """Give up what a parser does not need; say what the system granted. The order matters: see `bot.confine`."""
    granted = dict.fromkeys(GUARDS, False)
    if sys.platform == "win32":
        return granted
    granted["no_network"] = no_network()
    granted["dies_with_parent"] = die_with(parent)
    if sys.platform == "linux":
        granted["memory"] = set_limit("RLIMIT_AS", _address_space() + memory_mb * MEBIBYTE)
    granted["cpu"] = True
    granted["files"] = set_limit("RLIMIT_NOFILE", OPEN_FILES) and set_limit("RLIMIT_FSIZE", FILE_MB * MEBIBYTE)
    set_limit("RLIMIT_CORE", 0)
    granted["no_rights"] = no_rights()
    granted["no_writing"] = no_writing(folder)
    granted["no_outside"] = no_outside()
    return granted


def _asked(requests: BinaryIO, idle_seconds: int) -> bool:
    """Wait for a request; False when none came for `idle_seconds`: a warm child is worth its memory only while it is used."""
    if sys.platform == "win32":
        return True
    ready, _writable, _failed = select.select([requests], [], [], idle_seconds)
    return bool(ready)


def _grant_seconds(cpu_seconds: int) -> None:
    """Let this call use `cpu_seconds` of the processor, should the parent's clock be stuck."""
    if sys.platform != "win32":
        _soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + cpu_seconds + 1, hard))


def _run(request: Mapping[str, Json]) -> bytes:
    module, _colon, name = str(request["function"]).partition(":")
    function = cast("Callable[..., object]", getattr(importlib.import_module(module), name))
    try:
        value = function(**cast("Mapping[str, Json]", request["arguments"]))
    except ParingError as error:
        told = {"class": type(error).__name__, "text": text_to_json(error.text)}
        return json.dumps({"error": told}).encode()
    return json.dumps({"value": value}, default=_plain).encode()


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Path):
        return str(value)
    msg = f"a sandboxed function returns JSON, dataclasses and paths, not {type(value).__name__}"
    raise TypeError(msg)


def _return_memory() -> None:
    """Give freed pages back to the system (glibc keeps them), so that growth is told from use."""
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError, OSError):  # musl has no malloc_trim
            ctypes.CDLL(None).malloc_trim(0)


def _address_space() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")


def _resident_mb() -> float:
    if sys.platform != "linux":
        return 0.0
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / MEBIBYTE


if __name__ == "__main__":
    main()
