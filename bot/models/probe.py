"""Tries a model before it goes live: in a child process that can harm nobody, against the clock, its memory watched.

Owns: the child's life (its start, its limits, its end), what its messages may be, and the sentence for each way to fail. Leaves to
`bot.models.probe_try` the loading and the measuring, to the slot's gate (`bot.models.trial`) what is asked. Nothing that the child
says is believed beyond its shape: JSON of a limited size, checked figures, text for people's eyes without controls.

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
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from bot.errors import ModelError
from bot.locale import LANGUAGES, Text, phrases
from bot.logs import Logger
from bot.models.memory import budget_mb, resident_mb
from bot.models.pool import load_options
from bot.models.spec import ModelSpec
from bot.models.trial import Figures, Scored, Tell, Told, told
from bot.sandbox_process import child_environment
from bot.sandbox_wire import Json

if TYPE_CHECKING:
    from bot.config import Settings

_ = phrases(__file__)
log = Logger(__name__)

WATCH_S: Final = 0.05
END_S: Final = 5.0
LARGEST_FRAME_BYTES: Final = 2 << 20
MOST_BYTES: Final = 64 << 20
FRAME_BYTES: Final = 1 << 10
"""What a frame counts beside its bytes, so that empty ones are not endless."""
MOST_SCORED: Final = 5_000
LONGEST_TEXT: Final = 400
LONGEST_FAULT: Final = 1_000
TOLD_STEPS: Final = 10
"""Into how many steps the telling of the golden cases is cut."""
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
        """Return the limits under `settings`: the memory that all loaded models may take together."""
        return cls(memory_mb=budget_mb(settings.models.ram_mb))


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
    trial = _Trial(spec, limits, _Teller(report))
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


class _StoppedError(Exception):
    """The trial ends here, and why."""

    def __init__(self, why: Text | Told) -> None:
        self.why = told(why) if isinstance(why, Text) else why
        super().__init__(self.why["en"])


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
    stage: str = "start"
    case: int = 0
    of: int = 0
    load_s: float = 0.0
    heard_at: float = field(default_factory=time.monotonic)
    most_mb: int = 0

    async def run(self, request: bytes, aside: Path) -> Figures:
        child = await self._start(aside)
        try:
            return await self._work(child, request)
        except _StoppedError as stopped:
            return self._figures(fault=stopped.why)
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
            "OMP_THREAD_LIMIT": "1",
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

    async def _work(self, child: asyncio.subprocess.Process, request: bytes) -> Figures:
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

    async def _watch(self, child: asyncio.subprocess.Process) -> Figures:
        begun = self.heard_at = time.monotonic()
        while True:
            await asyncio.sleep(WATCH_S)
            self.most_mb = max(self.most_mb, resident_mb(child.pid))
            now = time.monotonic()
            if self.most_mb > self.limits.memory_mb:
                raise _StoppedError(
                    _(
                        "{model} took {taken} MiB of memory {stage}; it may take {limit} MiB. Its process was ended.",
                        model=self.spec.name, taken=self.most_mb, stage=self._during(), limit=self.limits.memory_mb,
                    )
                )  # fmt: skip
            if now - self.heard_at > self.limits.quiet_s or now - begun > self.limits.seconds:
                raise self._late(now - begun)

    def _late(self, seconds: float) -> _StoppedError:
        return _StoppedError(
            _(
                "{model} was not done after {seconds} s; it was stopped {stage}.",
                model=self.spec.name, seconds=round(seconds, 1), stage=self._during(),
            )
        )  # fmt: skip

    async def _listen(self, child: asyncio.subprocess.Process, request: bytes) -> Figures:
        stdin, stdout = child.stdin, child.stdout
        if stdin is None or stdout is None:
            raise self._garbled()
        heard = 0
        try:
            stdin.write(_LENGTH.pack(len(request)) + request)
            while True:
                (length,) = _LENGTH.unpack(await stdout.readexactly(_LENGTH.size))
                heard += length + FRAME_BYTES
                if length > LARGEST_FRAME_BYTES or heard > MOST_BYTES:
                    raise self._garbled()
                message = json.loads(await stdout.readexactly(length))
                self.heard_at = time.monotonic()
                if (figures := self._heard(message)) is not None:
                    return figures
        except (ValueError, RecursionError):
            raise self._garbled() from None
        except (asyncio.IncompleteReadError, OSError):
            raise await self._gone(child) from None

    def _heard(self, message: Json) -> Figures | None:
        """Take one message in; return the figures where it is the last. Raises ValueError, _StoppedError."""
        if not isinstance(message, Mapping):
            raise self._garbled()
        if "found" in message:
            return self._found(message["found"])
        if "fault" in message:
            raise _StoppedError(_sentence(message["fault"]))
        if "failed" in message:
            raise self._failed(message)
        if isinstance(load_s := message.get("load_s"), float):
            self.load_s = load_s
        self.stage = str(message.get("stage", self.stage))
        case, of = message.get("case"), message.get("of")
        self._tell(case if isinstance(case, int) else 0, of if isinstance(of, int) else 0)
        return None

    def _tell(self, case: int, of: int) -> None:
        if self.stage == "load":
            self.teller.show(_("Loading {model} to try it.", model=self.spec.name))
        step = case * TOLD_STEPS // of if of else 0
        if (of and step > self.case * TOLD_STEPS // of) or (case and of != self.of):
            self.teller.show(_("Trying {model}: {case} of {of} cases.", model=self.spec.name, case=case, of=of))
        self.case, self.of = case, of

    def _found(self, said: Json) -> Figures:
        """Return the figures that the child found. Raises ValueError where they are none."""
        from pydantic import TypeAdapter  # noqa: PLC0415 - costs start-up time

        from bot.models.probe_try import Found  # noqa: PLC0415

        found = TypeAdapter(Found).validate_python(said)
        figures = (found.load_s, found.p50_ms, found.p95_ms, found.ram_mb, *(one.score for one in found.scored))
        if len(found.scored) > MOST_SCORED or not all(math.isfinite(one) and one >= 0 for one in figures):
            raise self._garbled()
        if any(one.score > 1 for one in found.scored):
            raise self._garbled()
        return self._figures(
            metric=_plain(found.metric), scored=tuple(map(_shown, found.scored)), load_s=round(found.load_s, 3), p50_ms=found.p50_ms,
            p95_ms=found.p95_ms, ram_mb=found.ram_mb, fault=_sentence(found.fault) if found.fault else {},
        )  # fmt: skip

    def _figures(
        self, *, fault: Told, metric: str = "", scored: tuple[Scored, ...] = (), load_s: float | None = None,
        p50_ms: float = 0.0, p95_ms: float = 0.0, ram_mb: int | None = None,
    ) -> Figures:  # fmt: skip
        spec = self.spec
        if fault:
            log.warning("a model failed its trial", model=spec.identity, why=fault["en"])
        return Figures(
            spec.identity, metric, scored, self.load_s if load_s is None else load_s, p50_ms, p95_ms,
            self.most_mb if ram_mb is None else ram_mb, 0, spec.licence, spec.languages, fault,
        )  # fmt: skip

    def _during(self) -> Text:
        """Return when it was that something happened, as a part of a sentence."""
        if self.stage in ("start", "load"):
            return _("while it was loaded")
        if self.of:
            return _("after {case} of {of} cases", case=self.case, of=self.of)
        return _("right after it was loaded")

    def _garbled(self) -> _StoppedError:
        return _StoppedError(
            _("The process of {model} sent what is no answer, so it is damaged or made to do harm. It was ended {stage}.",
              model=self.spec.name, stage=self._during())
        )  # fmt: skip

    def _failed(self, message: Mapping[str, Json]) -> _StoppedError:
        kind, where = _plain(str(message.get("failed")))[:60], _plain(str(message.get("where", "")))[:60]
        if kind == "MemoryError":
            return _StoppedError(
                _("{model} ran out of the {limit} MiB of memory that it may take, {stage}.",
                  model=self.spec.name, limit=self.limits.memory_mb, stage=self._during())
            )  # fmt: skip
        return _StoppedError(
            _("{model} failed {stage} ({kind} in {where}).", model=self.spec.name, stage=self._during(), kind=kind, where=where)
        )

    async def _gone(self, child: asyncio.subprocess.Process) -> _StoppedError:
        """Return why the child said nothing more."""
        try:
            code = await asyncio.wait_for(child.wait(), END_S)
        except TimeoutError:
            return self._garbled()
        if -code == _TIME:
            return self._late(self.limits.seconds)
        if -code == _KILL:
            return _StoppedError(
                _("The system ended the process of {model} {stage}, most likely because memory ran out ({taken} MiB were taken).",
                  model=self.spec.name, stage=self._during(), taken=self.most_mb)
            )  # fmt: skip
        how = signal.Signals(-code).name if -code in {int(one) for one in signal.Signals} else str(code)
        return _StoppedError(
            _("The process of {model} crashed {stage} ({how}). Nothing else was touched.",
              model=self.spec.name, stage=self._during(), how=how)
        )  # fmt: skip


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


def _sentence(said: Json) -> Told:
    """Return the sentence that the child sent in both languages, as plain text. Raises ValueError where it is none."""
    if not isinstance(said, Mapping) or not all(isinstance(said.get(language), str) for language in LANGUAGES):
        msg = "expected a sentence in every language"
        raise ValueError(msg)
    return {language: _plain(str(said[language]), LONGEST_FAULT) for language in LANGUAGES}


def _shown(one: Scored) -> Scored:
    return replace(one, case=_plain(one.case), asked=_plain(one.asked), answered=_plain(one.answered))


def _plain(text: str, longest: int = LONGEST_TEXT) -> str:
    """Return `text` cut, on one line, without controls."""
    return "".join(sign if sign.isprintable() else " " for sign in text[:longest]).strip()


def _size_bytes(folder: Path) -> int:
    if folder == Path():
        return 0
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _remove(folder: Path) -> None:
    import shutil  # noqa: PLC0415

    shutil.rmtree(folder, ignore_errors=True)
