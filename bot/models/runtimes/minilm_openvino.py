"""MiniLM by OpenVINO: with weights of eight bits, and in bfloat16 or float32 for the few words that would stray by them.

Owns the engine's forms: what is compiled when, and which of them a call goes to. Leaves to `bot.models.runtimes.minilm` the texts, to
`bot.models.export_minilm` the files: the body (vectors of tokens in, a text's vector out), and the table of the tokens' vectors.

    run = with_openvino(folder, streams=2)
    rows = run(embedded, mask)                # float32 (n, t, 384) and int64 (n, t), to float32 (n, 384)
"""

from __future__ import annotations

import itertools
import os
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from bot.models.memory import let_go_of

if TYPE_CHECKING:
    from openvino import CompiledModel, Core, Model

DIMENSION: Final = 384
BODY: Final = "minilm.xml"
EIGHT_BITS: Final = "eight-bits.xml"
WORDS: Final = "words.npy"
ONNX_BODY: Final = "body.onnx"
"""The same body for onnxruntime."""
COMPILED: Final = "compiled"
"""The folder for what the engine compiled."""
QUESTION_WIDTHS: Final = (16, 24, 32)
"""A text alone of no more tokens than the last has a form for its width, made at the first such text: with one for all widths each that
follows another width costs 1 ms more."""
LEAST_TOKENS: Final = 8
"""What a text for eight bits has at least, its beginning and end counted: of 1,500 shorter ones, of a word or of signs, some stray
further from the original than .995 (.993), of longer ones none further than .996."""
GROUP: Final = 64
"""Numbers of a row that are brought to eight bits together: of 32 to 384 the cosine falls from .9994 to .9979, the time by a third."""
WORTH_A_FORM: Final = 32
"""Calls that met another at work, before there is a form for several at once."""
_CONVERTER: Final = "openvino.tools.ovc"
_ONE_AT_A_TIME: Final = threading.Lock()
"""While OpenVINO compiles, it sets the process's locale to C and then back to what it found: two at once find each other's, and the
process goes on in ASCII."""

Rows = NDArray[np.float32]
Integers = NDArray[np.int64]
Run = Callable[[Integers, Integers], Rows]
"""Ids and mask, int64 (n, t), to float32 (n, 384)."""
Inner = Callable[[Rows, Integers], Rows]
"""The same of the tokens' vectors, float32 (n, t, 384)."""


def with_openvino(folder: Path, streams: int) -> Inner:
    """Return a run over the forms of the model: for a question, for a call alone, for so many at once as there are streams, for few words.

    Measured with both cores busy with batches: a question in the same form as these waits for a batch (49 ms), in one of its
    own it takes 3.3 ms. The form for several at once takes memory of its own, so it is made for who indexes, not for a summary now and then.
    """
    core = _core()
    questions = {width: (_Form(core, folder, EIGHT_BITS, width=width), threading.Lock()) for width in QUESTION_WIDTHS}
    alone = _Form(core, folder, EIGHT_BITS)
    together = _Form(core, folder, EIGHT_BITS, streams=streams)
    few_words = _Form(core, folder, BODY)
    _begin(questions[QUESTION_WIDTHS[0]][0], DIMENSION)
    turn = threading.Lock()
    crowd = itertools.count(1)

    def run(embedded: Rows, mask: Integers) -> Rows:
        if mask.sum(axis=1).min() < LEAST_TOKENS:
            return few_words(embedded, mask)
        if len(mask) == 1 and mask.shape[1] in questions:
            question, busy = questions[mask.shape[1]]
            with busy:  # a question's 2 ms are waited for: in another form it would take longer
                return question(embedded, mask)
        if together.compiled is None or len(mask) == 1:
            free = turn.acquire(blocking=False)
            if not free and together.compiled is None and next(crowd) < WORTH_A_FORM:
                free = turn.acquire()
            if free:
                try:
                    return alone(embedded, mask)
                finally:
                    turn.release()
        return together(embedded, mask)

    return run


def one_form(folder: Path, file: str) -> Inner:
    """Return a run over one form of a model with weights of eight bits, whose callers take turns."""
    form = _Form(_core(), folder, file, eight_bits=True)
    _begin(form, DIMENSION)
    turn = threading.Lock()

    def run(embedded: Rows, mask: Integers) -> Rows:
        with turn:
            return form(embedded, mask)

    return run


class _Form:
    """A `file` of the model compiled for so many calls at once, each on one thread; of one text of `width` tokens where that is given."""

    def __init__(
        self, core: Core, folder: Path, file: str, *, streams: int = 1, width: int = 0, eight_bits: bool = False
    ) -> None:
        self._core = core
        self._folder = folder
        self._file = file
        self._width = width
        self._hints = {
            "INFERENCE_PRECISION_HINT": "bf16" if processor_has("avx512_bf16") else "f32",
            "NUM_STREAMS": str(streams),  # one stream would make the callers take turns
            "INFERENCE_NUM_THREADS": str(streams),
        }
        if streams == 1:
            self._hints["ENABLE_CPU_PINNING"] = "NO"  # pinned, it would share a core with a stream of another form
        if eight_bits or file == EIGHT_BITS:
            self._hints["DYNAMIC_QUANTIZATION_GROUP_SIZE"] = str(GROUP)
        self.compiled: CompiledModel | None = None
        self._requests = threading.local()

    def compile(self) -> CompiledModel:
        """Return the compiled form; of all that ask at once one makes it."""
        if (compiled := self.compiled) is not None:
            return compiled
        with _ONE_AT_A_TIME:
            if self.compiled is None:
                self.compiled = _compiled(self._core, self._model(), self._folder, self._hints)
            return self.compiled

    def __call__(self, embedded: Rows, mask: Integers) -> Rows:
        first = not hasattr(self._requests, "own")
        if first:
            self._requests.own = self.compile().create_infer_request()
        # Copied, not shared: an engine's thread that lets go of memory of Python's waits for the interpreter's lock, and whoever
        # releases the model holds that lock and waits for the thread. Source: openvinotoolkit/openvino pull request 24722.
        rows: Rows = self._requests.own.infer([embedded, mask], share_inputs=False)[0]
        if first:  # it has read the weights now, and has them in an order of its own
            let_go_of(self._folder.resolve(), (".blob", ".bin"))
        return rows

    def _model(self) -> Model | Path:
        if not self._width:
            return self._folder / self._file
        model = self._core.read_model(self._folder / self._file)
        model.reshape({0: [1, self._width, -1], 1: [1, self._width]})
        return model


def _begin(form: _Form, dimension: int) -> None:
    """Compile the form of the least width, and run it once over tokens of `dimension` numbers.

    At the first array that it takes, OpenVINO's binding looks for numpy once for the process, and lets go of the interpreter's lock
    meanwhile. A second thread that comes with its own array just then waits for the first one with that lock held, and both wait
    for ever, and so does everything else: so the first array comes alone. Source: pybind11, gil_safe_call_once_and_store in npy_api::get.
    """
    form.compile()
    with _ONE_AT_A_TIME:
        form(np.zeros((1, QUESTION_WIDTHS[0], dimension), np.float32), np.ones((1, QUESTION_WIDTHS[0]), np.int64))


@cache
def processor_has(flag: str) -> bool:
    """Say whether the processor has what Linux calls `flag`; False where nothing tells."""
    try:
        return flag in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split()
    except OSError:
        return False


@cache
def _core() -> Core:
    """Return OpenVINO's core: one a process, which is never let go of.

    Its plugin gives the thread that loads it another stack for signals (a signal's frame is large where the processor multiplies tiles), and
    frees that stack when it goes, on whatever thread: the next signal to the first one would end the process by a segmentation fault.
    Source: openvinotoolkit/openvino, src/plugins/intel_cpu/src/plugin.cpp, SigAltStackSetup.
    """
    core: Core = _import_openvino().Core()
    return core


def _import_openvino() -> ModuleType:
    """Import openvino without its converter of models, which it would import for nothing: half of 0.4 s.

    Its package tries `openvino.tools.ovc` and does without where that is missing; so it is told that it is missing.
    """
    if "openvino" in sys.modules or _CONVERTER in sys.modules:
        import openvino  # noqa: PLC0415
    else:
        sys.modules[_CONVERTER] = None  # type: ignore[assignment]  # Python's own sign for "not to be found"
        try:
            import openvino  # noqa: PLC0415
        finally:
            del sys.modules[_CONVERTER]
    module: ModuleType = openvino
    return module


def _compiled(core: Core, model: Model | Path, folder: Path, hints: Mapping[str, str]) -> CompiledModel:
    """Return the compiled model; what an earlier start compiled is kept beside it, and saves most of half a second.

    OpenVINO names what it keeps by model, settings, processor and version, and makes it anew where it was cut short.
    """
    if os.access(folder, os.W_OK):
        with suppress(RuntimeError):  # a full disk: it goes without
            return core.compile_model(model, "CPU", {**hints, "CACHE_DIR": str(folder / COMPILED)})
    return core.compile_model(model, "CPU", dict(hints))
