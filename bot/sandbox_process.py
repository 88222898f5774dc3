"""The parent's side of one child process of the sandbox: starts it, asks it one thing at a time, ends it.

Owns: the pipes, the clock of a call, what the child may see of the environment. Leaves to `bot.sandbox` which child is
asked, and what a person is told. Its methods block: they are called from the sandbox's worker threads.

    process = Process(memory_mb=1024, cpu_seconds=60, idle_seconds=300, folder=Path("/tmp/x"))
    process.ask(b'{"function": "bot.images:inspect", "arguments": {}}', seconds=30, limit_bytes=2**25)
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import BinaryIO, cast

from bot.sandbox_wire import FrameTooLargeError, Json, read_frame, write_frame
from bot.unreported import ENVIRONMENT

START_SECONDS = 60
END_SECONDS = 5
PASSED_ON = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TMPDIR",
    "TEMP",
    "TMP",
    "TZ",
    "SYSTEMROOT",
    "LD_LIBRARY_PATH",
    "TESSDATA_PREFIX",
)
"""All that a child sees of the environment: no PARING_ variable, no token."""


class Reason(Enum):
    """Why a child ended: over its time or its output, killed by the system (it was out of memory), by a crash, or being idle."""

    TIME = "time"
    OUTPUT = "output"
    CRASH = "crash"
    KILLED = "killed"
    IDLE = "idle"


class EndedError(Exception):
    """The child did not answer."""

    def __init__(self, reason: Reason, signal_number: int = 0) -> None:
        """Keep the reason and the signal that killed it, 0 for none."""
        super().__init__(reason.value)
        self.reason = reason
        self.signal_number = signal_number


class Process:
    """One warm child."""

    def __init__(self, *, memory_mb: int, cpu_seconds: float, idle_seconds: float, folder: Path) -> None:
        """Start it, who may write into `folder` alone, and wait until it is ready. Raises EndedError where it does not start."""
        self.calls = 0
        self.growth_mb = 0.0
        self._expired = False
        command = [sys.executable, "-P", "-W", "ignore", "-m", "bot.sandbox_child"]
        limits = [str(os.getpid()), str(memory_mb), f"{cpu_seconds:.0f}", f"{idle_seconds:.0f}", str(folder)]
        self._popen = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [*command, *limits],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment() | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder)),
            start_new_session=os.name == "posix",
        )
        try:
            self.guards = self._exchange(None, seconds=START_SECONDS, limit_bytes=4096)
        except EndedError:
            self.kill()
            raise

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._popen.pid

    @property
    def alive(self) -> bool:
        """False once the child has ended."""
        return self._popen.poll() is None

    def ask(self, frame: bytes, *, seconds: float, limit_bytes: int) -> Mapping[str, Json]:
        """Send a request and return the answer's mapping. Raises EndedError; then the child is of no more use."""
        self.calls += 1
        reply = self._exchange(frame, seconds=seconds, limit_bytes=limit_bytes)
        growth = reply.get("growth_mb", 0.0)
        self.growth_mb = float(growth) if isinstance(growth, int | float) else 0.0
        return reply

    def stop(self) -> None:
        """Kill the child and what it started, from any thread, without waiting for its end."""
        if self._popen.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.name == "posix":
                os.killpg(self._popen.pid, signal.SIGKILL)
            else:
                self._popen.kill()

    def kill(self) -> None:
        """Kill the child, wait for its end, close the pipes."""
        self.stop()
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # a request that nobody reads any more
                    pipe.close()
        self._popen.wait()

    def _exchange(self, frame: bytes | None, *, seconds: float, limit_bytes: int) -> Mapping[str, Json]:
        clock = threading.Timer(seconds, self._expire)
        clock.daemon = True
        clock.start()
        try:
            if frame is not None:
                write_frame(cast("BinaryIO", self._popen.stdin), frame)
            return read_frame(cast("BinaryIO", self._popen.stdout), limit_bytes=limit_bytes)
        except FrameTooLargeError:
            raise self._ended(Reason.OUTPUT) from None
        except (ValueError, RecursionError, MemoryError):  # no answer of ours: the child is not what it was
            self.stop()
            raise EndedError(Reason.CRASH) from None
        except (EOFError, OSError):
            raise self._ended(Reason.CRASH) from None
        finally:
            clock.cancel()

    def _expire(self) -> None:
        self._expired = True
        self.stop()

    def _ended(self, reason: Reason) -> EndedError:
        if reason is Reason.OUTPUT:
            self.stop()
        try:
            code = self._popen.wait(timeout=END_SECONDS)
        except subprocess.TimeoutExpired:
            self.stop()
            code = self._popen.wait()
        if self._expired or code == -_CPU_SIGNAL:
            return EndedError(Reason.TIME, -code)
        if reason is Reason.CRASH and code == 0:
            return EndedError(Reason.IDLE)
        if reason is Reason.CRASH and code == -_KILL_SIGNAL:
            return EndedError(Reason.KILLED, -code)
        return EndedError(reason, max(0, -code))


_CPU_SIGNAL = int(getattr(signal, "SIGXCPU", 1 << 16))
_KILL_SIGNAL = int(getattr(signal, "SIGKILL", 1 << 16))


def child_environment() -> dict[str, str]:
    """Return the environment of a child: what PASSED_ON names, and where this process finds its modules, wherever the child is started."""
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    found = os.pathsep.join(os.path.abspath(path) for path in sys.path if path)  # noqa: PTH100 - links stay as they are
    return kept | ENVIRONMENT | {"PYTHONPATH": found, "MALLOC_ARENA_MAX": "2", "PYTHONUTF8": "1"}


def _environment() -> dict[str, str]:
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_THREAD_LIMIT"), "1")
    return child_environment() | threads
