"""What a child process takes away from itself before it meets foreign bytes: network, files, signals, processes, memory, pipes.

Owns: the system calls. Leaves to `bot.sandbox_child` and `bot.models.probe_child` which of them they call, and when. The order matters:
`no_network` first (it needs a process of one thread, and forgets what `die_with` asks for), `no_outside` last (it is for good).

    requests, replies = take_pipes()
    no_network() and die_with(parent) and no_rights() and no_writing(folder) and no_outside()
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import platform
import signal
import struct
import sys
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final

from bot.sandbox_wire import write_frame

if sys.platform != "win32":  # there the parent's clock is the only limit
    import resource

MEBIBYTE: Final = 1024 * 1024

# Source: linux/prctl.h, linux/sched.h
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_SECCOMP: Final = 22
_PR_SET_NO_NEW_PRIVS: Final = 38
_CLONE_NEWUSER: Final = 0x10000000
_CLONE_NEWNET: Final = 0x40000000
_CLONE_THREAD: Final = 0x00010000
_CAPABILITIES: Final = 0x20080522

# Source: linux/seccomp.h, linux/bpf_common.h; offsets in struct seccomp_data
_MODE_FILTER: Final = 2
_KILL, _REFUSE, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _IF_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _MACHINE, _FIRST_ARGUMENT = 0, 4, 16
_X32: Final = 0x40000000
"""Numbers from here on are the same calls once more, by another entry (x86-64 alone)."""
_MACHINES: Final[Mapping[str, tuple[int, Mapping[str, int]]]] = {
    "x86_64": (
        0xC000003E,
        {"socket": 41, "clone": 56, "fork": 57, "vfork": 58, "kill": 62, "ptrace": 101, "rt_sigqueueinfo": 129, "tkill": 200,
         "tgkill": 234, "rt_tgsigqueueinfo": 297, "prlimit64": 302, "process_vm_readv": 310, "process_vm_writev": 311,
         "pidfd_send_signal": 424, "io_uring_setup": 425, "pidfd_open": 434, "clone3": 435, "pidfd_getfd": 438},
    ),
    "aarch64": (
        0xC00000B7,
        {"ptrace": 117, "kill": 129, "tkill": 130, "tgkill": 131, "rt_sigqueueinfo": 138, "socket": 198, "clone": 220,
         "rt_tgsigqueueinfo": 240, "prlimit64": 261, "process_vm_readv": 270, "process_vm_writev": 271,
         "pidfd_send_signal": 424, "io_uring_setup": 425, "pidfd_open": 434, "clone3": 435, "pidfd_getfd": 438},
    ),
}  # fmt: skip
"""The machine's number (linux/audit.h) and those of the calls (asm/unistd_64.h, asm-generic/unistd.h)."""
_TO_ITSELF: Final = ("kill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "prlimit64")
"""Allowed where the first argument is the caller's own process, or 0."""
_UNKNOWN: Final = ("clone3", "io_uring_setup")
"""Refused as if the kernel did not know them, so that libraries take the older call, whose arguments can be looked at."""


# Source: linux/landlock.h. Writing is: write to a file, remove or make one of any kind; later versions add moving and truncating.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_BENEATH: Final = 1
_VERSION: Final = 1
_WRITE: Final = 1 << 1
_TRUNCATE: Final = 1 << 14
_WRITES: Final = {1: _WRITE | sum(1 << bit for bit in range(4, 13)), 2: 1 << 13, 3: _TRUNCATE}
"""The rights by the version of the interface that brought them."""


def take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Return the two pipes under numbers of their own: what a library prints or reads must not meet them."""
    requests, replies = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)
    return os.fdopen(requests, "rb", buffering=0), os.fdopen(replies, "wb")


def report_what_ends_us(replies: BinaryIO) -> None:
    """Send the kind and the place of an unexpected error, never its message: that may hold what the file says."""

    def report(kind: type[BaseException], _error: BaseException, trace: TracebackType | None) -> None:
        traceback.clear_frames(trace)  # what they hold may be all the memory there is
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        where = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""
        write_frame(replies, json.dumps({"failed": kind.__name__, "where": where}).encode())

    sys.excepthook = report


def no_network() -> bool:
    """Move into a network namespace of our own, which has no way out; False where the system does not let us.

    First, because a new user namespace needs a process of one thread, and a change of credentials forgets PDEATHSIG.
    """
    if sys.platform != "linux":
        return False
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


def die_with(parent: int) -> bool:
    """End when the process `parent` does (at once where it has ended), and gain no rights by what is started from here on."""
    if sys.platform != "linux":
        return False
    granted = _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(0)  # the parent died before we could ask to die with it
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    return granted


def no_rights() -> bool:
    """Give up what root may do more than others. Called after `no_network`. Source: capset(2), linux/capability.h, version 3."""
    if sys.platform != "linux":
        return False
    header, none = struct.pack("Ii", _CAPABILITIES, 0), bytes(24)
    return bool(ctypes.CDLL(None, use_errno=True).capset(header, none) == 0)


def no_outside() -> bool:
    """Refuse, for good and for every thread: sockets of any kind, further processes, and whatever reaches into another process.

    A namespace leaves sockets that are files; this does not. Needs `die_with` (no new rights). False where the kernel or the machine
    does not know how. Source: seccomp(2).
    """
    if sys.platform != "linux" or platform.machine() not in _MACHINES:
        return False
    rules = b"".join(struct.pack("HBBI", *rule) for rule in _rules(*_MACHINES[platform.machine()]))
    held = ctypes.create_string_buffer(rules, len(rules))
    program = struct.pack("HxxxxxxP", len(rules) // 8, ctypes.addressof(held))
    said = ctypes.create_string_buffer(program, len(program))
    return bool(ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(said), 0, 0) == 0)


def no_writing(folder: Path) -> bool:
    """Refuse, for good, to write anywhere but beneath `folder`, and to look into processes that may do more: their memory and environment.

    Needs `die_with` (no new rights). False where the kernel does not know how. Source: landlock(7).
    """
    if sys.platform != "linux":
        return False
    call = ctypes.CDLL(None, use_errno=True).syscall
    version = call(_CREATE_RULESET, None, 0, _VERSION)
    if version < 1:
        return False
    writes = sum(bits for since, bits in _WRITES.items() if since <= version)
    rights = struct.pack("Q", writes)
    rules = call(_CREATE_RULESET, rights, len(rights), 0)
    rewrite = writes & (_WRITE | _TRUNCATE)
    for place, allowed in ((folder, writes), (Path(os.devnull), rewrite), (Path("/proc/self"), rewrite)):
        opened = os.open(place, os.O_PATH | os.O_CLOEXEC)
        granted = call(_ADD_RULE, rules, _BENEATH, struct.pack("=Qi", allowed, opened), 0) == 0
        os.close(opened)
        if not granted:
            return False
    try:
        return bool(call(_RESTRICT_SELF, rules, 0) == 0)
    finally:
        os.close(rules)


def _rules(machine: int, calls: Mapping[str, int]) -> Iterator[tuple[int, int, int, int]]:
    """Yield the filter's steps: code, steps to pass over where true, where false, value."""
    refuse = (_RETURN, 0, 0, _REFUSE | errno.EPERM)
    yield from ((_LOAD, 0, 0, _MACHINE), (_IF_EQUAL, 1, 0, machine), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, _NUMBER))
    yield from ((_IF_AT_LEAST, 0, 1, _X32), refuse)
    for name, number in calls.items():
        if name in _TO_ITSELF:
            yield from ((_IF_EQUAL, 0, 5, number), (_LOAD, 0, 0, _FIRST_ARGUMENT), (_IF_EQUAL, 2, 0, os.getpid()))
            yield from ((_IF_EQUAL, 1, 0, 0), refuse, (_RETURN, 0, 0, _ALLOW))
        elif name == "clone":  # a thread, but no process
            yield from ((_IF_EQUAL, 0, 4, number), (_LOAD, 0, 0, _FIRST_ARGUMENT), (_IF_BIT, 1, 0, _CLONE_THREAD))
            yield from (refuse, (_RETURN, 0, 0, _ALLOW))
        else:
            code = errno.ENOSYS if name in _UNKNOWN else errno.EPERM
            yield from ((_IF_EQUAL, 0, 1, number), (_RETURN, 0, 0, _REFUSE | code))
    yield (_RETURN, 0, 0, _ALLOW)


def set_limit(kind: str, value: int) -> bool:
    """Set a limit (`RLIMIT_...`) for good, at most what the system already holds us to; False where it does not know such a limit."""
    if sys.platform == "win32" or not hasattr(resource, kind):
        return False
    number: int = getattr(resource, kind)
    _soft, hard = resource.getrlimit(number)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    try:
        resource.setrlimit(number, (value, value))
    except (ValueError, OSError):
        return False
    return True


def _unshare(flags: int) -> bool:
    return bool(ctypes.CDLL(None, use_errno=True).unshare(flags) == 0)


def _prctl(option: int, value: int) -> bool:
    return bool(ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) == 0)
