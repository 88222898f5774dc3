"""Tries a model before it goes live: in a child process that can harm nobody, against the clock, its memory watched.

Owns: the child's life: its start, its limits, its end, and how much it may say. Leaves to `bot.models.probe_try` the loading and the
measuring, to the slot's gate (`bot.models.trial`) what is asked, to `bot.models.probe_said` what the child's messages mean.

    place = fetch.resolve(spec, settings)
    figures = await probe(place.spec, place.folder, settings, embedder=None, limits=Limits.of(settings), report=tell)
    figures.fault or figures.scored
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import os
import signal
import struct
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from bot.errors import ModelError
from bot.locale import Text, phrases
from bot.logs import Logger
from bot.models.memory import available_mb, budget_mb, resident_mb
from bot.models.pool import load_options
from bot.models.probe_said import Found, Stage, StoppedError, found_of
from bot.models.spec import ModelSpec
from bot.models.trial import Figures, Tell
from bot.sandbox_process import child_environment

if TYPE_CHECKING:
    from bot.config import Settings

_ = phrases(__file__)
log = Logger(__name__)

WATCH_S: Final = 0.05
LEAST_MB: Final = 512
LEFT_MB: Final = 256
"""What a trial leaves to everybody else on the machine, where there is more than LEAST_MB."""
END_S: Final = 5.0
LARGEST_FRAME_BYTES: Final = 2 << 20
MOST_BYTES: Final = 64 << 20
FRAME_BYTES: Final = 1 << 10
"""What a frame counts beside its bytes, so that empty ones are not endless."""
_LENGTH: Final = struct.Struct(">I")
_KILL: Final = int(getattr(signal, "SIGKILL", 9))
_TIME: Final = int(getattr(signal, "SIGXCPU", 24))


@dataclass(frozen=True, slots=True)
class Limits:
    """What a trial may cost."""

    memory_mb: int
    """Resident, of the child as a whole."""
    seconds: float = 1800.0
    quiet_s: float = 300.0
    """How long nothing may come of it: while it loads, and for one input."""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the limits under `settings`: the memory that all loaded models may take together, and no more than is free now."""
        return cls(memory_mb=min(budget_mb(settings.models.ram_mb), max(LEAST_MB, available_mb() - LEFT_MB)))


async def probe(
    spec: ModelSpec,
    folder: Path,
    settings: Settings,
    *,
    embedder: tuple[ModelSpec, Path] | None,
    limits: Limits,
    report: Tell | None = None,
) -> Figures:
    """Return what the model in `folder` was measured to be; whatever it does, it does in a child process, which ends with this call.

    A crash, a hang, too much memory, wrong or no answers are a `fault` of the figures. `embedder` is the live embedder and where it
    lies, for the gates that work on vectors. `report` is told what is being done, some ten times at most.

    Raises:
        ModelError: no child process can be started here.
    """
    aside = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="paring-probe-"))
    trial = _Trial(spec, limits, _Teller(report), Stage(spec.name, limits.memory_mb))
    try:
        found = await trial.run(_request(spec, folder, settings, embedder), aside)
    finally:
        await asyncio.shield(asyncio.to_thread(_remove, aside))
    disk_bytes = await asyncio.to_thread(_size_bytes, folder)
    return replace(found, disk_bytes=disk_bytes)


def _request(spec: ModelSpec, folder: Path, settings: Settings, embedder: tuple[ModelSpec, Path] | None) -> bytes:
    options = load_options(settings)
    if spec.source != "server":
        options = replace(options, server_key="")
    other, where = embedder or (None, Path())
    asked = {
        "spec": asdict(spec),
        "folder": str(folder.absolute()),
        "options": asdict(options),
        "embedder": asdict(other) if other else None,
        "embedder_folder": str(where.absolute()),
    }
    return json.dumps(asked).encode()


@dataclass(slots=True)
class _Teller:
    """Tells the newest of what is to be told, one after another, off the way of the trial."""

    tell: Tell | None
    said: Text | None = None
    at_work: asyncio.Task[None] | None = None

    def show(self, text: Text) -> None:
        self.said = text
        if self.tell is not None and (self.at_work is None or self.at_work.done()):
            self.at_work = asyncio.ensure_future(self._work(self.tell))

    async def end(self) -> None:
        if self.at_work is not None:
            self.at_work.cancel()
            await asyncio.gather(self.at_work, return_exceptions=True)

    async def _work(self, tell: Tell) -> None:
        while self.said is not None:
            said, self.said = self.said, None
            await tell(said)


@dataclass(slots=True)
class _Trial:
    """One child and what came of it so far."""

    spec: ModelSpec
    limits: Limits
    teller: _Teller
    stage: Stage
    heard_at: float = 0.0

    async def run(self, request: bytes, aside: Path) -> Figures:
        child = await self._start(aside)
        try:
            found = await self._work(child, request)
            return self._figures(found)
        except StoppedError as stopped:
            return self._figures(Found("", (), self.stage.load_s, 0.0, 0.0, self.stage.most_mb, stopped.why))
        finally:
            await asyncio.shield(_end(child))
            await self.teller.end()

    async def _start(self, aside: Path) -> asyncio.subprocess.Process:
        network = int(
            self.spec.source == "server"
        )  # one's own server is asked over the network; no file of a stranger is read then
        words = [os.getpid(), self.limits.memory_mb, math.ceil(self.limits.seconds) * (os.cpu_count() or 1), network]
        here = {
            "HOME": str(aside),
            "TMPDIR": str(aside),
            "HF_HUB_OFFLINE": "1",
            "TRANSFORMERS_OFFLINE": "1",
        }
        try:
            return await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-W", "ignore", "-m", "bot.models.probe_child", *map(str, words),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
                env=child_environment() | here, cwd=aside, start_new_session=os.name == "posix",
            )  # fmt: skip
        except OSError as error:
            raise ModelError(
                _("The model could not be tried: no process could be started ({reason}).", reason=error.strerror or str(error))
            ) from error

    async def _work(self, child: asyncio.subprocess.Process, request: bytes) -> Found:
        """Listen to the child and watch it, whichever is done first."""
        listening = asyncio.ensure_future(self._listen(child, request))
        watching = asyncio.ensure_future(self._watch(child))
        try:
            await asyncio.wait({listening, watching}, return_when=asyncio.FIRST_COMPLETED)
            return listening.result() if listening.done() else watching.result()
        finally:
            listening.cancel()
            watching.cancel()
            await asyncio.gather(listening, watching, return_exceptions=True)

    async def _watch(self, child: asyncio.subprocess.Process) -> Found:
        begun = self.heard_at = time.monotonic()
        while True:
            await asyncio.sleep(WATCH_S)
            self.stage.most_mb = max(self.stage.most_mb, resident_mb(child.pid))
            if self.stage.most_mb > self.limits.memory_mb:
                raise self.stage.too_large()
            now = time.monotonic()
            if now - self.heard_at > self.limits.quiet_s or now - begun > self.limits.seconds:
                raise self.stage.late(now - begun)

    async def _listen(self, child: asyncio.subprocess.Process, request: bytes) -> Found:
        stdin, stdout = child.stdin, child.stdout
        if stdin is None or stdout is None:
            raise self.stage.garbled()
        heard = 0
        try:
            stdin.write(_LENGTH.pack(len(request)) + request)
            while True:
                (length,) = _LENGTH.unpack(await stdout.readexactly(_LENGTH.size))
                heard += length + FRAME_BYTES
                if length > LARGEST_FRAME_BYTES or heard > MOST_BYTES:
                    raise self.stage.garbled()
                message = json.loads(await stdout.readexactly(length))
                self.heard_at = time.monotonic()
                if not isinstance(message, Mapping):
                    raise self.stage.garbled()
                if "found" in message:
                    return found_of(message["found"])
                if (text := self.stage.take(message)) is not None:
                    self.teller.show(text)
        except (ValueError, RecursionError):
            raise self.stage.garbled() from None
        except (asyncio.IncompleteReadError, OSError):
            raise await self._gone(child) from None

    def _figures(self, found: Found) -> Figures:
        spec = self.spec
        if found.fault:
            log.warning("a model failed its trial", model=spec.identity, why=found.fault["en"])
        return Figures(
            spec.identity, found.metric, found.scored, round(found.load_s, 3), found.p50_ms, found.p95_ms, found.ram_mb, 0,
            spec.licence, spec.languages, found.fault,
        )  # fmt: skip

    async def _gone(self, child: asyncio.subprocess.Process) -> StoppedError:
        """Return why the child said nothing more."""
        try:
            code = await asyncio.wait_for(child.wait(), END_S)
        except TimeoutError:
            return self.stage.garbled()
        if -code == _TIME:
            return self.stage.late(self.limits.seconds)
        if -code == _KILL:
            return self.stage.killed()
        named = {int(one): one.name for one in signal.Signals}
        return self.stage.crashed(named.get(-code, str(code)))


async def _end(child: asyncio.subprocess.Process) -> None:
    """Kill the child and what it started, and wait for its end."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if os.name == "posix":
            os.killpg(child.pid, _KILL)
        else:
            child.kill()
    await child.wait()
    if child.stdin is not None:
        child.stdin.close()


def _size_bytes(folder: Path) -> int:
    if folder == Path():
        return 0
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _remove(folder: Path) -> None:
    import shutil  # noqa: PLC0415

    shutil.rmtree(folder, ignore_errors=True)
