"""The child process of the sandbox: takes its own rights away, then runs one function after another, as it is asked.

Owns: the limits that a process sets for itself, and the loop. Leaves to `bot.sandbox` who may be called. It is started
as `python -m bot.sandbox_child PARENT_PID MEMORY_MB CPU_SECONDS IDLE_SECONDS`, by nobody else. An error that no function
should raise ends it: the parent starts a fresh one, for what is left behind is not to be trusted.
"""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import importlib
import json
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, cast

from bot.errors import ParingError
from bot.sandbox_wire import Json, read_frame, text_to_json, write_frame

if sys.platform != "win32":  # there the parent's clock is the only limit
    import resource

MEBIBYTE = 1024 * 1024
OPEN_FILES = 128
FILE_MB = 256
"""Largest file that a function may write."""

# Source: linux/prctl.h, linux/sched.h
_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000


def main() -> None:
    """Serve the parent until it closes the pipe or has asked nothing for a while."""
    parent, memory_mb, cpu_seconds, idle_seconds = (int(word) for word in sys.argv[1:5])
    requests, replies = _take_pipes()
    _report_what_ends_us(replies)
    guards = _limit(parent, memory_mb)
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


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Return the two pipes under numbers of their own: what a library prints or reads must not meet them."""
    requests, replies = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)
    return os.fdopen(requests, "rb", buffering=0), os.fdopen(replies, "wb")


def _report_what_ends_us(replies: BinaryIO) -> None:
    """Send the kind and the place of an unexpected error, never its message: that may hold what the file says."""

    def report(kind: type[BaseException], _error: BaseException, trace: TracebackType | None) -> None:
        traceback.clear_frames(trace)  # what they hold may be all the memory there is
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        where = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""
        write_frame(replies, json.dumps({"failed": kind.__name__, "where": where}).encode())

    sys.excepthook = report


def _limit(parent: int, memory_mb: int) -> dict[str, bool]:
    """Give up what a parser does not need; say what the system granted. The order matters: see `_no_network`."""
    granted = dict.fromkeys(("memory", "cpu", "files", "no_network", "dies_with_parent"), False)
    if sys.platform == "win32":
        return granted
    if sys.platform == "linux":
        granted["no_network"] = _no_network()
        granted["dies_with_parent"] = _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit(0)  # the parent died before we could ask to die with it
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)
        granted["memory"] = _set_limit(resource.RLIMIT_AS, _address_space() + memory_mb * MEBIBYTE)
    granted["cpu"] = True
    granted["files"] = _set_limit(resource.RLIMIT_NOFILE, OPEN_FILES) and _set_limit(resource.RLIMIT_FSIZE, FILE_MB * MEBIBYTE)
    _set_limit(resource.RLIMIT_CORE, 0)
    return granted


def _set_limit(kind: int, value: int) -> bool:
    """Set a limit for good, at most what the system already holds us to; False where it does not know such a limit."""
    if sys.platform == "win32":
        return False
    _soft, hard = resource.getrlimit(kind)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    try:
        resource.setrlimit(kind, (value, value))
    except (ValueError, OSError):
        return False
    return True


def _no_network() -> bool:
    """Move into a network namespace of our own, which has no way out; False where the system does not let us.

    First, because a new user namespace needs a process of one thread, and a change of credentials forgets PDEATHSIG.
    """
    user, group = os.getuid(), os.getgid()
    if _unshare(_CLONE_NEWNET):
        return True
    if not _unshare(_CLONE_NEWUSER | _CLONE_NEWNET):
        return False
    with contextlib.suppress(OSError):  # without the maps we are "nobody" by name, with the same rights
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")
    return True


def _unshare(flags: int) -> bool:
    return bool(ctypes.CDLL(None, use_errno=True).unshare(flags) == 0)


def _prctl(option: int, value: int) -> bool:
    return bool(ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) == 0)


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
