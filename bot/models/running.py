"""One loaded model and the threads that ask it: a queue in, answers out, many small calls made one batch.

Owns: gathering, slicing, order, and that no call waits behind a long one. Leaves to `bot.models.pool` which model is loaded
when. A worker takes what is queued when it is free and waits for nothing more. Urgent calls go before bulk ones; a call that
is larger than a slice goes to the back of its queue after each, so that a question never waits for ten thousand passages.

    running = Running("embed.minilm.v1", lambda: load(spec, folder, options))
    running.start().result()
    vectors = running.submit(["Where is the wiki?"], bulk=False).result()
"""

from __future__ import annotations

import asyncio
import math
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final

from bot.errors import ModelError, ParingError
from bot.locale import Text, phrases
from bot.logs import Logger
from bot.models.families import Loaded
from bot.models.memory import resident_mb

_ = phrases(__file__)
log = Logger(__name__)

BATCH_ROWS: Final = 8
BULK_SLICE_MS: Final = 50.0
"""How long a slice of bulk work may take: what a question that comes meanwhile waits at worst, one slice a worker."""
CHARACTERS: Final = 4
"""Characters that weigh as one token, about, where a model does not weigh its inputs."""
HEAVIEST: Final = 300
"""Tokens beyond which a longer text weighs no more: a model has cut it by then."""
MOST_WEIGHED: Final = 1024
"""Inputs of one call that a model is asked to weigh: some 0.1 s of a worker, in which it answers nobody."""
URGENT_IN_A_ROW: Final = 8
"""After as many urgent slices one of bulk goes, so that a busy chat does not stop an index for good."""
REMEMBERED_CALLS: Final = 256

Outputs = list[object]


@dataclass(slots=True, eq=False)
class Call:
    """One caller's inputs, in the order in which they are worked on, and what has come out so far."""

    inputs: Sequence[object]
    order: Sequence[int]
    bulk: bool
    weights: Sequence[int] = ()
    """How much work each input is, in tokens of a text; () until a worker has weighed them, which only bulk work needs."""
    answer: Future[Outputs] = field(default_factory=Future)
    asked_at: float = field(default_factory=time.perf_counter)
    outputs: Outputs = field(default_factory=list)
    taken: int = 0
    done: int = 0
    over: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """Some inputs of one call: the half-open range of its order."""

    call: Call
    begin: int
    end: int

    def indices(self) -> Sequence[int]:
        """Return the places of its inputs in the call."""
        return self.call.order[self.begin : self.end]

    def weight(self) -> int:
        """Return how much work its inputs are."""
        return sum(self.call.weights[index] for index in self.indices())


class Running:
    """A model, its queue and its threads. `leases` and `idle` are the event loop's; the rest is safe from any thread."""

    def __init__(self, name: str, load: Callable[[], Loaded]) -> None:
        """Take what loads the model; `start` begins."""
        self.name = name
        self.ram_mb = 0
        self.load_s = 0.0
        self.leases = 0
        self.idle = asyncio.Event()
        self.latencies_ms: deque[float] = deque(maxlen=REMEMBERED_CALLS)
        self._load = load
        self._model: Loaded | None = None
        self._ready: Future[None] = Future()
        self._threads: list[threading.Thread] = []
        self._changed = threading.Condition()
        self._urgent: deque[Call] = deque()
        self._bulk: deque[Call] = deque()
        self._closing = False
        self._batch_rows = BATCH_ROWS
        self._unit_ms = math.inf
        self._least_weight = 0
        self._urgent_in_a_row = 0
        self._bulk_at_work = 0
        self._most_bulk = 1
        self._before_mb = 0
        self._answered = False

    def start(self) -> Future[None]:
        """Load on a thread of its own; the result is there when the model can be asked, else the ModelError that says why not."""
        self._spawn(self._begin)
        return self._ready

    def submit(self, inputs: Sequence[object], *, bulk: bool) -> Future[Outputs]:
        """Queue the inputs; the result is one output each, in order. Cancelling it drops what has not been worked on."""
        call = Call(inputs, _order(inputs, self._batch_rows), bulk, outputs=[None] * len(inputs))
        with self._changed:
            if self._closing:
                raise ModelError(_unloaded(self.name))
            (self._bulk if bulk else self._urgent).append(call)
            self._changed.notify()
        return call.answer

    def close(self) -> None:
        """Fail what is queued, wait for what is being worked on, release the model. Blocks; call it off the event loop."""
        with self._changed:
            self._closing = True
            waiting = [*self._urgent, *self._bulk]
            self._urgent.clear()
            self._bulk.clear()
            self._changed.notify_all()
        for call in waiting:
            self._fail(call, ModelError(_unloaded(self.name)))
        for thread in tuple(self._threads):
            thread.join()
        model, self._model = self._model, None
        if model is not None:
            self._guarded(model.close)

    def _spawn(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name=f"model {self.name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _begin(self) -> None:
        self._ready.set_running_or_notify_cancel()  # whoever waited may go; the load goes on to its end
        self._before_mb = resident_mb()
        error = self._guarded(self._loaded)
        if error is not None:
            self._ready.set_exception(error)
            return
        workers = getattr(self._model, "workers", 1)
        self._most_bulk = getattr(self._model, "bulk_workers", workers)
        for _index in range(1, workers):
            self._spawn(self._work)
        self._ready.set_result(None)
        self._work()

    def _loaded(self) -> None:
        begun = time.perf_counter()
        self._model = self._load()
        self.load_s = time.perf_counter() - begun
        self._batch_rows = getattr(self._model, "batch_rows", BATCH_ROWS)
        self._least_weight = getattr(self._model, "slice_weight", 0)
        self.ram_mb = max(1, resident_mb() - self._before_mb)

    def _work(self) -> None:
        while pieces := self._take():
            self._answer(pieces)
            if pieces[0].call.bulk:
                with self._changed:
                    self._bulk_at_work -= 1
                    self._changed.notify()

    def _take(self) -> list[Piece]:
        """Wait for calls, and take a slice of what is there; [] when the model is being closed."""
        while True:
            with self._changed:
                taken = self._next()
            if isinstance(taken, list):
                return taken
            self._weigh(taken)

    def _next(self) -> list[Piece] | Call:
        """Wait for calls, and take a slice, or a bulk call that has to be weighed first; the caller holds the lock."""
        while not self._closing:
            pieces: list[Piece] = []
            bulk = bool(self._bulk) and self._bulk_at_work < self._most_bulk
            if self._urgent and (not bulk or self._urgent_in_a_row < URGENT_IN_A_ROW):
                self._urgent_in_a_row += 1
                pieces = _slice(self._urgent, self._batch_rows)
            elif bulk:
                unweighed = next((call for call in self._bulk if not call.weights and call.inputs), None)
                if unweighed is not None:
                    self._bulk.remove(unweighed)
                    return unweighed
                self._urgent_in_a_row = 0
                pieces = _slice(self._bulk, self._batch_rows, weight=self._bulk_weight())
                self._bulk_at_work += bool(pieces)
            if pieces:
                if self._urgent or self._bulk:
                    self._changed.notify()
                return pieces
            if not self._urgent and not bulk:
                self._changed.wait()
        return []

    def _weigh(self, call: Call) -> None:
        """Have the call's inputs weighed and put in order by it, and the call in front of its queue."""
        weights = [_weight(one) for one in call.inputs]
        weigh = getattr(self._model, "weigh", None)
        if weigh is not None and len(call.inputs) <= MOST_WEIGHED:
            self._guarded(lambda: weights.__setitem__(slice(None), weigh(call.inputs)))  # what it cannot weigh fails later
        with self._changed:
            call.weights = weights
            if isinstance(call.inputs[0], str):
                call.order = sorted(range(len(weights)), key=weights.__getitem__)
            if not self._closing:
                self._bulk.appendleft(call)
                self._changed.notify()
                return
        self._fail(call, ModelError(_unloaded(self.name)))

    def _answer(self, pieces: list[Piece]) -> None:
        """Ask the model; where a batch of several callers fails, ask for each alone, so that one bad input is one's own."""
        begun = time.perf_counter()
        outputs: Outputs = []
        error = self._guarded(lambda: outputs.extend(self._predict(pieces)))
        if error is None:
            self._adapt(pieces, (time.perf_counter() - begun) * 1000)
            self._deliver(pieces, outputs)
        elif len(pieces) > 1:
            for piece in pieces:
                self._answer([piece])
        else:
            self._fail(pieces[0].call, error)

    def _predict(self, pieces: list[Piece]) -> Sequence[object]:
        if self._model is None:
            raise ModelError(_unloaded(self.name))
        inputs = [piece.call.inputs[index] for piece in pieces for index in piece.indices()]
        outputs = self._model.predict(inputs)
        if len(outputs) != len(inputs):
            msg = f"{self.name} returned {len(outputs)} outputs for {len(inputs)} inputs"
            raise ValueError(msg)
        return outputs

    def _adapt(self, pieces: list[Piece], spent_ms: float) -> None:
        """Learn from this slice how long bulk work takes; measure memory after the first answer.

        The quickest slice so far is believed: a slower one tells of what else the machine is doing, and slices that
        shrink on a busy machine make it busier.
        """
        if pieces[0].call.bulk:
            self._unit_ms = min(self._unit_ms, max(spent_ms, 1e-3) / sum(piece.weight() for piece in pieces))
        if not self._answered:
            self._answered = True
            self.ram_mb = max(self.ram_mb, resident_mb() - self._before_mb)

    def _bulk_weight(self) -> float:
        """Return what a slice of bulk work may weigh to be done in BULK_SLICE_MS; without bounds before the first."""
        if self._unit_ms == math.inf:
            return math.inf
        return max(BULK_SLICE_MS / self._unit_ms, self._least_weight)

    def _deliver(self, pieces: list[Piece], outputs: Outputs) -> None:
        place = 0
        for piece in pieces:
            call = piece.call
            for index in piece.indices():
                call.outputs[index] = outputs[place]
                place += 1
            with self._changed:
                call.done += piece.end - piece.begin
                last = call.done == len(call.inputs) and not call.over
                call.over = call.over or last
            if last and call.answer.set_running_or_notify_cancel():
                if not call.bulk:
                    self.latencies_ms.append((time.perf_counter() - call.asked_at) * 1000)
                call.answer.set_result(call.outputs)

    def _fail(self, call: Call, error: ParingError) -> None:
        with self._changed:
            first, call.over = not call.over, True
        if first and call.answer.set_running_or_notify_cancel():
            call.answer.set_exception(error)

    def _guarded(self, work: Callable[[], object]) -> ParingError | None:
        """Run a model's code; return its error as one with a sentence. The thread must outlive whatever a model raises."""
        try:
            work()
        except ParingError as error:
            return error
        except BaseException:  # a panic of Rust's (tokenizers, safetensors) is no Exception, and would end the thread unheard
            reference = secrets.token_hex(4)
            log.exception("a model failed", model=self.name, reference=reference)
            return ModelError(
                _(
                    "The model {model} failed (reference {reference}). Nothing was lost; please try again, or give an admin the reference.",
                    model=self.name,
                    reference=reference,
                )
            )
        return None


def _unloaded(name: str) -> Text:
    return _("The model {model} was unloaded while it was asked. Nothing was lost; please ask again.", model=name)


def _order(inputs: Sequence[object], rows: int) -> Sequence[int]:
    """Return the order to work in: texts that do not fit one batch by length, so that a batch is padded little."""
    if len(inputs) <= rows or not all(isinstance(one, str) for one in inputs):
        return range(len(inputs))
    return sorted(range(len(inputs)), key=lambda index: len(str(inputs[index])))


def _weight(one: object) -> int:
    """Return about how much work an input is: a text's tokens by its length, anything else counts as one."""
    return 2 + min(len(one) // CHARACTERS, HEAVIEST) if isinstance(one, str) else 1


def _slice(queue: deque[Call], rows: int, *, weight: float = math.inf) -> list[Piece]:
    """Take up to `rows` inputs of at most `weight` (one at least) from the calls in the queue, first come first.

    What is left of a call goes to the back.
    """
    pieces: list[Piece] = []
    while queue and rows > 0 and (weight > 0 or not pieces):
        call = queue.popleft()
        if call.over or call.answer.cancelled():
            continue
        begin = call.taken
        while call.taken < min(len(call.inputs), begin + rows):
            weight -= call.weights[call.order[call.taken]] if call.weights else 0
            if weight < 0 and (pieces or call.taken > begin):
                break
            call.taken += 1
        rows -= call.taken - begin
        if call.taken > begin:
            pieces.append(Piece(call, begin, call.taken))
        if call.taken < len(call.inputs):
            queue.append(call)
    return pieces
