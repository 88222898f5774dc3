"""What foreign bytes can make a parser do, as functions for the sandbox's child."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bot.errors import RetryLaterError, TooLargeError
from bot.locale import phrases

_ = phrases(__file__)


@dataclass(frozen=True)
class Point:
    x: int
    name: str


def double(number: int) -> int:
    return 2 * number


def echo(text: str) -> str:
    sys.stdout.write("a library prints\n")
    sys.stdout.flush()
    os.write(1, b"and C code prints")
    return text


def point(x: int) -> Point:
    return Point(x, "점")


def process_id() -> int:
    return os.getpid()


def environment() -> dict[str, str]:
    return dict(os.environ)


def eat_memory() -> int:
    return sum(len(block) for block in [bytes(64 * 1024 * 1024) for _block in range(1000)])


def loop(started: str = "") -> None:
    if started:
        Path(started).write_text(str(os.getpid()), encoding="ascii")
    while True:
        pass


def sleep() -> None:
    time.sleep(3600)


def segfault() -> None:
    ctypes.string_at(0)


def leave(code: int) -> None:
    os._exit(code)


def print_forever(megabytes: int) -> str:
    return "x" * (megabytes * 1024 * 1024)


def raise_foreign() -> None:
    message = "a secret of the file"
    raise KeyError(message)


def raise_told(name: str) -> None:
    raise TooLargeError(_("{name} has {inner}.", name=name, inner=_("too much {what}", what="water")))


def raise_platform() -> None:
    raise RetryLaterError(_("Wait."), retry_after_s=3.0)


def write_file(path: str, megabytes: int) -> int:
    return Path(path).write_bytes(bytes(megabytes * 1024 * 1024))


def open_many() -> int:
    return len([os.open("/dev/null", os.O_RDONLY) for _descriptor in range(4096)])


def reach(port: int) -> str:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError as error:
        return type(error).__name__
    return "connected"


def grow(megabytes: int) -> int:
    _kept.append(b"\1" * (megabytes * 1024 * 1024))
    return os.getpid()


_kept: list[bytes] = []


def attempt(what: str, argument: str = "") -> str:
    """Do what no parser may; say "done" or what refused it."""
    try:
        _ATTEMPTS[what](argument)
    except OSError as error:
        return type(error).__name__
    return "done"


def answer_in_depth() -> None:
    """Answer with a frame that no program can read."""
    said = b"[" * 1_000_000
    for pipe in range(3, 20):
        with contextlib.suppress(OSError):
            os.write(pipe, len(said).to_bytes(4, "big") + said)


def answer_endlessly() -> None:
    """Answer with a frame that says to be 4 GB."""
    for pipe in range(3, 20):
        with contextlib.suppress(OSError):
            os.write(pipe, b"\xff" * 65_536)
    loop()


_ATTEMPTS: dict[str, Callable[[str], object]] = {
    "fork": lambda _none: os.fork() or os._exit(0),
    "start": lambda _none: os.posix_spawn("/bin/true", ["true"], {}),
    "inet": lambda _none: socket.socket(socket.AF_INET).close(),
    "unix": lambda _none: socket.socket(socket.AF_UNIX).close(),
    "write": lambda path: Path(path).write_text("x", encoding="ascii"),
    "append": lambda path: os.close(os.open(path, os.O_WRONLY | os.O_APPEND)),
    "truncate": lambda path: os.truncate(path, 0),
    "remove": lambda path: Path(path).unlink(),
    "rename": lambda path: Path(path).rename(f"{path}.away"),
    "link": lambda path: Path(f"{path}.link").symlink_to("/etc/passwd"),
    "folder": lambda path: Path(f"{path}.d").mkdir(),
    "signal": lambda _none: os.kill(os.getppid(), 0),
    "environment": lambda _none: Path(f"/proc/{os.getppid()}/environ").read_bytes(),
    "memory": lambda _none: Path(f"/proc/{os.getppid()}/mem").open("rb").close(),
    "limits": lambda _none: resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (3, 3)),
    "more memory": lambda _none: resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2),
}
