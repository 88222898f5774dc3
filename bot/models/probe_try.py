"""Tries one model: loads it, asks it what its gate asks, measures. Runs in the child process of a probe.

Owns: the order of that, the clock and the memory of one input at a time. Leaves to the gate what is asked and how it is scored, to
`bot.models.probe` what becomes of it.

    try_model({"spec": ..., "folder": ..., "options": ...}, print)["found"]
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from bot.errors import DirectionError, ModelError, ParingError
from bot.locale import Text, phrases
from bot.models.families import Families, Loaded
from bot.models.memory import resident_mb
from bot.models.probe_said import Asked, Found
from bot.models.trial import Gate, gate_of, told
from bot.sandbox_wire import Json

_ = phrases(__file__)

EMBEDDED_AT_ONCE: Final = 16
NEARLY: Final = 1e-3
"""How far two answers to the same input may lie apart in a number and still be the same."""

Answer = TypeVar("Answer")
Say = Callable[[Mapping[str, Json]], None]


def try_model(said: Mapping[str, Json], say: Say) -> Mapping[str, Json]:
    """Return `{"found": a Found}`, or `{"fault": a sentence in every language}` where the model itself says why it cannot."""
    try:
        found = _try(TypeAdapter(Asked).validate_python(said), say)
    except ParingError as error:
        return {"fault": cast("Json", told(error.text))}
    return {"found": cast("Json", dataclasses.asdict(found))}


def _try(asked: Asked, say: Say) -> Found:
    """Load, ask the canaries, answer the golden cases. Raises ParingError where the model cannot do that."""
    families = Families()
    gate = gate_of(asked.spec.slot)
    embed = _Embedder(asked, families)
    if gate is not None and getattr(gate, "wants_vectors", False):
        embed(["warm"])
    loader = families.loader(asked.spec.family)
    say({"stage": "load"})
    memory = _Memory()
    begun = time.perf_counter()
    model = memory.of(lambda: loader(asked.spec, Path(asked.folder), asked.options))
    load_s = time.perf_counter() - begun
    say({"stage": "loaded", "load_s": load_s})
    if gate is None:
        return Found("", (), load_s, 0.0, 0.0, memory.most_mb)
    tried = _Tried(asked.spec.name, model, memory, say)
    if asked.spec.slot == "embed":
        embed.use(tried.predict)
    languages = asked.spec.languages
    fault = _canaries(gate, tried, languages)
    if fault is not None:
        return Found(gate.metric, (), load_s, 0.0, 0.0, memory.most_mb, told(fault))
    tried.begin(gate.count(languages))
    scored = tuple(gate.evaluate(tried.predict, embed, languages))
    spent = tried.spent_ms
    return Found(gate.metric, scored, load_s, _share(spent, 0.5), _share(spent, 0.95), memory.most_mb)


class _Embedder:
    """Texts to float32 (n, d), unit rows: the live embedder, loaded when it is first asked; (n, 0) where there is none."""

    def __init__(self, asked: Asked, families: Families) -> None:
        self.identity = asked.embedder.identity if asked.embedder else ""
        self._asked = asked
        self._families = families
        self._predict: Callable[[Sequence[str]], Sequence[object]] | None = None

    def use(self, predict: Callable[[Sequence[object]], Sequence[object]]) -> None:
        self.identity = self._asked.spec.identity
        self._predict = cast("Callable[[Sequence[str]], Sequence[object]]", predict)

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        spec = self._asked.embedder
        if self._predict is None and spec is not None:
            load = self._families.loader(spec.family)
            self._predict = load(spec, Path(self._asked.embedder_folder), self._asked.options).predict
        if self._predict is None or not texts:
            return np.zeros((len(texts), 0), np.float32)
        rows: list[object] = []
        for start in range(0, len(texts), EMBEDDED_AT_ONCE):
            rows += self._predict(texts[start : start + EMBEDDED_AT_ONCE])
        return np.stack([np.asarray(row, np.float32) for row in rows])


@dataclass(slots=True)
class _Tried:
    """The model, asked one input at a time, each timed and told to the parent."""

    name: str
    model: Loaded
    memory: _Memory
    say: Say
    spent_ms: list[float] = field(default_factory=list)
    case: int = 0
    of: int = 0

    def begin(self, of: int) -> None:
        self.spent_ms.clear()
        self.case, self.of = 0, of

    def predict(self, inputs: Sequence[object]) -> list[object]:
        outputs: list[object] = []
        for one in inputs:
            begun = time.perf_counter()
            try:
                outputs += self.ask([one])
            except DirectionError:
                self._went_on()
                raise
            self.spent_ms.append((time.perf_counter() - begun) * 1000)
            self._went_on()
        return outputs

    def ask(self, batch: Sequence[object]) -> list[object]:
        answers = list(self.memory.of(lambda: self.model.predict(batch)))
        if len(answers) != len(batch):
            raise ModelError(
                _("{model} gave {got} answers to {asked} inputs.", model=self.name, got=len(answers), asked=len(batch))
            )
        return answers

    def _went_on(self) -> None:
        self.case += 1
        self.say({"stage": "case", "case": self.case, "of": self.of})


class _Memory:
    """The most that the model takes: what grows while its own code runs, not what the gate's scoring takes."""

    def __init__(self) -> None:
        self._held_mb = 0.0
        self._most_mb = 0.0

    @property
    def most_mb(self) -> int:
        return max(1, math.ceil(self._most_mb))

    def of(self, work: Callable[[], Answer]) -> Answer:
        _forget_peak()
        before = _status_mb("VmRSS")
        try:
            return work()
        finally:
            self._most_mb = max(self._most_mb, self._held_mb + _status_mb("VmHWM") - before)
            self._held_mb += _status_mb("VmRSS") - before


def _canaries(gate: Gate[object, object], tried: _Tried, languages: Sequence[str]) -> Text | None:
    """Ask the canaries one by one, again, and all at once; return what is wrong with the answers, None where nothing is."""
    tried.begin(0)
    inputs, first = _in_its_direction(gate.canaries(), tried)
    if fault := gate.fault(inputs, first, languages):
        return fault
    again = tried.predict(inputs)
    if not all(map(same, first, again)):
        return _("{model} gave another answer when it was asked the same again.", model=tried.name)
    return gate.fault(inputs, tried.ask(inputs), languages)


def _in_its_direction(canaries: Sequence[object], tried: _Tried) -> tuple[list[object], list[object]]:
    """Return the canaries with their answers, without those that go where a one-way translator does not. Raises DirectionError for none."""
    inputs: list[object] = []
    answers: list[object] = []
    refused: DirectionError | None = None
    for one in canaries:
        try:
            answers += tried.predict([one])
            inputs.append(one)
        except DirectionError as error:
            refused = error
    if refused is not None and not inputs:
        raise refused
    return inputs, answers


def same(one: object, other: object) -> bool:
    """Say whether two answers are the same: numbers nearly so, everything else exactly."""
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.shape == other.shape and bool(np.allclose(one, other, rtol=NEARLY, atol=NEARLY))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=NEARLY, abs_tol=NEARLY)
    if isinstance(one, tuple | list) and isinstance(other, tuple | list):
        return len(one) == len(other) and all(map(same, one, other))
    if dataclasses.is_dataclass(one) and type(one) is type(other):
        return all(same(getattr(one, each.name), getattr(other, each.name)) for each in dataclasses.fields(one))
    return bool(one == other)


def _share(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` of them lie, 0 of none."""
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3) if ordered else 0.0


def _forget_peak() -> None:
    """Let the kernel's peak of this process begin anew. Source: proc(5), /proc/pid/clear_refs."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _status_mb(name: str) -> float:
    """Return VmRSS or VmHWM of this process in MiB; where there is no /proc, what is resident now."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return float(resident_mb())
    found = next((line for line in lines if line.startswith(f"{name}:")), "")
    return int(found.split()[1]) / 1024 if found else float(resident_mb())
