"""A model in the shadow of the live one: it is given the next live requests too, off the way, and nobody is shown what it says.

Owns: which requests are taken (only of chats that allow it), the computing while nobody waits, and what came of it, in numbers alone:
no text is kept. Leaves who allows what to the app, the likeness of two answers to `bot.models.agreement`.

    pool.listen(shadows.heard)
    with asked_by(message): ...              # around the answering of a message: whose request it is
    shadows.begin(swap)
    await shadows.step(quiet)                # computes one request that waits
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from bot.errors import ModelError
from bot.logs import Logger
from bot.models.agreement import mean_agreement
from bot.models.tasks import AudioFile, ImageFile
from bot.models.trial import Shadowed
from bot.skill import Slot

if TYPE_CHECKING:
    from bot.message import Message
    from bot.models.places import Heard
    from bot.models.pool import Pool
    from bot.models.trial import Swap

log = Logger(__name__)

MOST_WAITING: Final = 8
"""Requests that wait to be computed again; what comes beyond is left out, not queued: a shadow must not grow behind the bot."""
PATIENCE_S: Final = 10.0
"""How long a computation waits for people to be answered; where somebody always waits, it goes on all the same."""

_asked: ContextVar[Message | None] = ContextVar("asked", default=None)


@contextmanager
def asked_by(message: Message) -> Iterator[None]:
    """Have what models are asked meanwhile, by this task and those it starts, be for `message`."""
    token = _asked.set(message)
    try:
        yield
    finally:
        _asked.reset(token)


@dataclass(slots=True)
class Run:
    """One shadow run, and what came of it so far."""

    swap: int
    slot: str
    model: str
    wanted: int
    waiting: deque[tuple[Sequence[object], Heard]] = field(default_factory=deque)
    agreed: list[float] = field(default_factory=list)
    old_ms: list[float] = field(default_factory=list)
    new_ms: list[float] = field(default_factory=list)
    failed: int = 0

    @property
    def over(self) -> bool:
        """Whether as many requests were computed as were wanted."""
        return len(self.agreed) + self.failed >= self.wanted

    def shadowed(self) -> Shadowed:
        """Return what came of it."""
        agreed = sum(self.agreed) / len(self.agreed) if self.agreed else 0.0
        old_ms, new_ms = (round(median(times), 2) if times else 0.0 for times in (self.old_ms, self.new_ms))
        return Shadowed(self.wanted, len(self.agreed), round(agreed, 4), old_ms, new_ms, self.failed)


class Shadows:
    """The shadow runs of this process, one a slot at most."""

    def __init__(self, pool: Pool, *, allows: Callable[[Message], bool]) -> None:
        """`allows(message)` says whether a request of that message may be computed twice."""
        self._pool = pool
        self._allows = allows
        self._runs: dict[str, Run] = {}
        self._came = asyncio.Event()

    def runs(self) -> tuple[Run, ...]:
        """Return the runs."""
        return tuple(self._runs.values())

    def begin(self, swap: Swap) -> None:
        """Take the next requests for the swap's model too, if that is not done already."""
        run = self._runs.get(swap.slot)
        if (run is None or run.swap != swap.id) and swap.card is not None and swap.card.shadow is not None:
            self._runs[swap.slot] = Run(swap.id, swap.slot, swap.model, swap.card.shadow.wanted)

    async def end(self, run: Run) -> None:
        """Take no more, and release the model."""
        if self._runs.get(run.slot) is run:
            del self._runs[run.slot]
        for inputs, _heard in run.waiting:
            _drop(inputs)
        run.waiting.clear()
        await self._pool.let_go(_slot(run.slot).of(run.model))

    def heard(self, call: Heard) -> None:
        """Keep a request for later, where it is one that may be computed twice."""
        run, message = self._runs.get(call.slot), _asked.get()
        if run is None or run.over or call.bulk or call.outputs is None or call.model == run.model:
            return
        if message is None or not self._allows(message) or len(run.waiting) >= MOST_WAITING:
            return
        with suppress(OSError):  # a picture that is gone already: that request is left out
            run.waiting.append((_held(call.inputs), call))
            self._came.set()

    async def step(self, quiet: Callable[[], Awaitable[None]]) -> None:
        """Wait for requests, and until nobody waits for an answer; then compute one of each run."""
        await self._came.wait()
        self._came.clear()
        for run in self.runs():
            while run.waiting and not run.over:
                with suppress(TimeoutError):
                    async with asyncio.timeout(PATIENCE_S):
                        await quiet()
                if run.waiting:
                    await self._computed(run, *run.waiting.popleft())

    async def _computed(self, run: Run, inputs: Sequence[object], call: Heard) -> None:
        try:
            async with self._pool.lease(_slot(run.slot).of(run.model)) as lease:
                begun = time.perf_counter()
                outputs = await lease.predict(inputs, bulk=True)
                spent_ms = (time.perf_counter() - begun) * 1000
            run.agreed.append(await asyncio.to_thread(mean_agreement, call.outputs or (), outputs))
            run.old_ms.append(call.spent_ms)
            run.new_ms.append(spent_ms)
        except ModelError as error:
            run.failed += 1
            log.warning("a model in the shadow failed", slot=run.slot, model=run.model, why=str(error))
        finally:
            _drop(inputs)


def _held(inputs: Sequence[object]) -> Sequence[object]:
    """Return the inputs with files of their own: those of a request are deleted once it is answered. Raises OSError."""
    return [
        replace(one, path=_linked(one.path)) if isinstance(one, ImageFile | AudioFile) else one for one in inputs
    ]  # fmt: skip


def _linked(path: Path) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="paring-shadow-"))
    try:
        os.link(path, folder / path.name)
    except OSError:
        folder.rmdir()
        raise
    return folder / path.name


def _drop(inputs: Sequence[object]) -> None:
    for one in inputs:
        if isinstance(one, ImageFile | AudioFile):
            with suppress(OSError):
                one.path.unlink(missing_ok=True)
                one.path.parent.rmdir()


def _slot(name: str) -> Slot[Any, Any]:
    return Slot(name)
