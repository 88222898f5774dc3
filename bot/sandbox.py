"""Runs parsers of foreign bytes in a child process with limits on memory, time, files and output.

Owns: the children (started lazily, kept warm, replaced when they die or grow) and the sentence for each way to fail.
Leaves to `bot.sandbox_process` one child's pipes and clock, to `bot.sandbox_child` the limits that a process sets for
itself, and to `bot.images` and the readers of documents what is parsed. Arguments and results are JSON; files are passed
by path; nothing is pickled.

    sandbox = Sandbox(memory_mb=1024, seconds=30)
    value = await sandbox.call("bot.images:inspect", {"path": str(path), "megapixels": 40.0})
    await sandbox.close()
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import weakref
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar, cast

from bot import errors
from bot.errors import ParingError, TooLargeError, UnreadableError
from bot.locale import phrases
from bot.own_folder import OwnFolder
from bot.sandbox_process import EndedError, Process, Reason
from bot.sandbox_wire import Json, text_from_json

if TYPE_CHECKING:
    from bot.config import LimitSettings

__all__ = ["Guards", "Json", "Sandbox"]

_ = phrases(__file__)
_log = logging.getLogger(__name__)

Kind = TypeVar("Kind")

ALLOWED = ("bot.", "skills.")
"""Prefixes of the functions that a child runs, where nothing else is said."""

MEBIBYTE = 1024 * 1024
OUTPUT_MB = 32
CALLS_BEFORE_RECYCLING = 500
GROWTH_BEFORE_RECYCLING_MB = 256
IDLE_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Guards:
    """Which limits the system granted: Windows has the clock alone, macOS no limit on memory, and only Linux the last four."""

    memory: bool
    cpu: bool
    files: bool
    no_network: bool
    dies_with_parent: bool
    no_rights: bool = False
    """Nothing of what root may do more than others."""
    no_writing: bool = False
    """Nothing is written but into the sandbox's folder."""
    no_outside: bool = False
    """No socket, no process, no signal to others."""


class Sandbox:
    """A few warm child processes that run allowed functions on foreign bytes."""

    def __init__(
        self, *, memory_mb: int, seconds: float, children: int = 1, allowed: Sequence[str] = ALLOWED, output_mb: int = OUTPUT_MB
    ) -> None:
        """Set the limits; nothing is started before the first call.

        Args:
            memory_mb: address space of a child beyond its start, in MiB.
            seconds: wall time of one call, without its wait for a free child.
            children: how many calls run at once; further ones wait in order.
            allowed: prefixes of `package.module:name` that may be called.
            output_mb: largest result, in MiB of JSON.
        """
        self._memory_mb = memory_mb
        self._seconds = seconds
        self._allowed = tuple(allowed)
        self._output_mb = output_mb
        self._workers = ThreadPoolExecutor(max_workers=children, thread_name_prefix="sandbox")
        self._lock = threading.Lock()
        self._idle: list[Process] = []
        self._all: set[Process] = set()
        self._closed = threading.Event()
        self._guards: Guards | None = None
        self._folder = OwnFolder()
        self._last_rites = weakref.finalize(self, _bury, self._all, self._folder)

    @classmethod
    def of(cls, limits: LimitSettings, *, children: int = 1) -> Self:
        """Return a sandbox with the limits of the settings."""
        return cls(memory_mb=limits.parser_memory_mb, seconds=limits.parser_seconds, children=children)

    @property
    def guards(self) -> Guards | None:
        """The limits in force; None before the first call."""
        return self._guards

    @property
    def folder(self) -> Path:
        """The only folder that a child may write into; it goes when the sandbox does."""
        return self._folder.path

    @property
    def children(self) -> tuple[int, ...]:
        """Process ids of the children that live."""
        with self._lock:
            return tuple(process.pid for process in self._all if process.alive)

    async def call(self, function: str, arguments: Mapping[str, Json]) -> Json:
        """Run `package.module:name` in a child with `arguments` as keywords; return its result.

        A dataclass that the function returns arrives as a mapping, a Path as a string. Cancelling kills the work.

        Raises:
            UnreadableError: the child crashed or took too long, or the function met what it did not expect.
            TooLargeError: the child ran out of memory, or its result is over the limit.
            ParingError: what the function itself raised: the same class, the same sentence.
            ValueError: `function` is not allowed.
        """
        if not function.startswith(self._allowed) or function.count(":") != 1:
            msg = f"expected package.module:name under {', '.join(self._allowed)}, received {function}"
            raise ValueError(msg)
        if self._closed.is_set():
            raise _closing()
        job = _Job(json.dumps({"function": function, "arguments": arguments}).encode())
        try:
            reply = await asyncio.get_running_loop().run_in_executor(self._workers, self._work, job)
        except asyncio.CancelledError:
            job.cancel()
            raise
        return self._value(reply, function)

    async def call_as(self, kind: type[Kind], function: str, arguments: Mapping[str, Json]) -> Kind:
        """Run as `call` does and return the result as a `kind`: a dataclass, or another type that pydantic can check.

        Raises:
            UnreadableError: the result is none (a child that a file has taken over may say anything); and as `call`.
        """
        from pydantic import TypeAdapter, ValidationError  # noqa: PLC0415 - costs start-up time

        value = await self.call(function, arguments)
        try:
            return TypeAdapter(kind).validate_python(value)
        except ValidationError as error:
            _log.warning("sandbox: %s returned no %s: %d errors", function, kind, error.error_count())
            raise _unreadable() from None

    async def close(self) -> None:
        """End all children, those at work as well; further calls are refused. Twice does no harm."""
        self._closed.set()
        await asyncio.to_thread(self._end)

    def _end(self) -> None:
        with self._lock:
            for process in self._all:
                process.stop()
        self._workers.shutdown(wait=True, cancel_futures=True)
        self._last_rites()

    def _work(self, job: _Job) -> Mapping[str, Json]:
        """Run on a worker thread: borrow a child, ask it, give it back or bury it."""
        for _attempt in range(2):  # an idle child may have ended just as it was asked
            try:
                process = self._borrow()
            except EndedError as ended:
                return {"failed": f"start {ended.reason.value}"}
            try:
                reply = job.ask(process, seconds=self._seconds, limit_bytes=self._output_mb * MEBIBYTE)
            except EndedError as ended:
                self._discard(process)
                if ended.reason is Reason.IDLE and not job.cancelled:
                    continue
                return {"failed": ended.reason.value, "where": ended.signal_number}
            self._give_back(process, reply)
            return reply
        return {"failed": "crash"}

    def _borrow(self) -> Process:
        with self._lock:
            if self._closed.is_set():
                raise _closing()
            process = self._idle.pop() if self._idle else None
        if process is not None and process.alive:
            return process
        if process is not None:
            self._discard(process)
        process = Process(
            memory_mb=self._memory_mb, cpu_seconds=2 * self._seconds + 1, idle_seconds=IDLE_SECONDS, folder=self.folder
        )
        self._guards = self._guards or Guards(**{name: bool(granted) for name, granted in process.guards.items()})
        with self._lock:
            self._all.add(process)
        if self._closed.is_set():
            self._discard(process)
            raise _closing()
        return process

    def _give_back(self, process: Process, reply: Mapping[str, Json]) -> None:
        worn = process.calls >= CALLS_BEFORE_RECYCLING or process.growth_mb > GROWTH_BEFORE_RECYCLING_MB
        if worn or "failed" in reply or self._closed.is_set():
            self._discard(process)
            return
        with self._lock:
            self._idle.append(process)

    def _discard(self, process: Process) -> None:
        process.kill()
        with self._lock:
            self._all.discard(process)

    def _value(self, reply: Mapping[str, Json], function: str) -> Json:
        if "value" in reply:
            return reply["value"]
        if "error" in reply:
            raise _error(reply["error"])
        if self._closed.is_set():
            raise _closing()
        reason = str(reply.get("failed"))
        _log.warning("sandbox: %s failed: %s %s", function, reason, reply.get("where", ""))
        raise self._told(reason)

    def _told(self, reason: str) -> ParingError:
        if reason == "time":
            return UnreadableError(
                _(
                    "I stopped reading this file after {seconds} seconds. "
                    "Nothing was kept; please send a smaller one, or a part of it.",
                    seconds=f"{self._seconds:g}",
                )
            )
        if reason in ("MemoryError", "killed"):
            return TooLargeError(
                _(
                    "Reading this file takes more than {megabytes} MB of memory. "
                    "Nothing was kept; please send a smaller one, or a part of it.",
                    megabytes=self._memory_mb,
                )
            )
        if reason == "output":
            return TooLargeError(
                _(
                    "This file unpacks to more than {megabytes} MB. "
                    "Nothing was kept; please send a smaller one, or a part of it.",
                    megabytes=self._output_mb,
                )
            )
        return _crashed() if reason in ("crash", "idle") else _unreadable()


class _Job:
    """One call, and the child that works on it, so that a cancellation reaches it."""

    def __init__(self, frame: bytes) -> None:
        self.cancelled = False
        self._frame = frame
        self._process: Process | None = None
        self._lock = threading.Lock()

    def ask(self, process: Process, *, seconds: float, limit_bytes: int) -> Mapping[str, Json]:
        with self._lock:
            if self.cancelled:
                return {"value": None}
            self._process = process
        try:
            return process.ask(self._frame, seconds=seconds, limit_bytes=limit_bytes)
        finally:
            with self._lock:
                self._process = None

    def cancel(self) -> None:
        with self._lock:
            self.cancelled = True
            if self._process is not None:
                self._process.stop()


def _error(told: Json) -> ParingError:
    """Return the error that was raised in the child. Its sentence is checked: the child may not be what it was."""
    if not isinstance(told, Mapping):
        return _unreadable()
    kind = getattr(errors, str(told.get("class")), None)
    try:
        text = text_from_json(told.get("text"))
    except ValueError:
        return _unreadable()
    plain = isinstance(kind, type) and issubclass(kind, ParingError) and kind.__init__ is ParingError.__init__
    return cast("type[ParingError]", kind)(text) if plain else ParingError(text)


def _crashed() -> UnreadableError:
    return UnreadableError(
        _(
            "This file crashed its reader, so it is damaged or made to do harm. "
            "Nothing was kept; please save it anew and send that."
        )
    )


def _unreadable() -> UnreadableError:
    return UnreadableError(
        _(
            "I cannot read this file: it is damaged, or not what its name says. "
            "Nothing was kept; please send it in another format."
        )
    )


def _closing() -> ParingError:
    return ParingError(_("I am being shut down. Your file was not read; please send it again in a minute."))


def _bury(processes: set[Process], folder: OwnFolder) -> None:
    for process in list(processes):
        process.kill()
    processes.clear()
    folder.remove()
