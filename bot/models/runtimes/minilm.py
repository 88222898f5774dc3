"""MiniLM without torch: tokenizers, and onnxruntime in float32 or OpenVINO in bfloat16.

Owns: cutting, tokenising, batching by length, and the two engines. Leaves to `bot.models.prepare`: the files. The same
vectors as sentence-transformers makes (mean pooling, at most 256 tokens, unit length) at a cosine of at least .995.

    model = load(spec, prepare_minilm(folder), LoadOptions())
    vectors = model.predict(["Where is the wiki?"])
"""

from __future__ import annotations

import itertools
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from numpy.typing import NDArray

from bot.errors import ModelError
from bot.locale import phrases
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.tasks import Vector

if TYPE_CHECKING:
    from openvino import CompiledModel, Core
    from tokenizers import Encoding, Tokenizer

_ = phrases(__file__)

DIMENSION: Final = 384
MAX_TOKENS: Final = 256
"""Source: sentence_bert_config.json of sentence-transformers/all-MiniLM-L6-v2, max_seq_length."""
MAX_CHARACTERS: Final = 20_000
"""What is tokenised at most: 256 tokens are some 1,300 characters, and a text of 1 MB must not cost 256 KB of them."""
BATCH_ROWS: Final = 16
BATCH_TOKENS: Final = 512
"""Rows times width of a batch: measured, 256 tokens already fill a core, and each more costs memory only (16 x 256: 150 MB)."""
SLICE_TOKENS: Final = 480
"""Of bulk work: 60 ms of a core, one batch with its padding. Fewer at once cost up to a third more each."""
MOST_PADDING: Final = 128
"""Tokens of padding in a batch for which a batch of its own is cheaper: a call of the engine costs about as much."""
MOST_WORKERS: Final = 8
COMPILED: Final = "compiled"
"""The folder for what the engine compiled."""
_CONVERTER: Final = "openvino.tools.ovc"
EXACT_WIDTH: Final = 24
LENGTH_STEP: Final = 8
"""Above EXACT_WIDTH tokens a width is a multiple of it: few shapes for an engine that keeps plans by shape."""
WORTH_A_FORM: Final = 32
"""Calls that met another at work, before there is a form for several at once."""
ALONE_WIDTH: Final = 16
"""A text alone (a question) has at least this width: one of another width than the one before costs OpenVINO 1.3 ms more."""
TILED_WIDTH: Final = 32
"""As ALONE_WIDTH where the processor multiplies tiles (AMX): 32 tokens cost it what 24 do, most questions are shorter, and then
none has another width than the one before."""

Rows = NDArray[np.float32]
Integers = NDArray[np.int64]
Run = Callable[[Integers, Integers], Rows]
Engine = Literal["onnxruntime", "openvino"]


class MiniLM:
    """A loaded MiniLM. `workers` threads may call `predict` at once, `bulk_workers` of them with bulk work; each call runs on one."""

    def __init__(
        self, tokenizer: Tokenizer, run: Run, *, engine: Engine, bulk_workers: int, alone_width: int = ALONE_WIDTH
    ) -> None:
        """Keep the tokenizer and `run`: ids and mask, int64 (n, t), to float32 (n, 384). A text alone is padded to `alone_width`."""
        self.engine = engine
        self._alone_width = alone_width
        self.bulk_workers = bulk_workers
        self.workers = bulk_workers + 1  # a question finds one free, whatever is being indexed
        self.batch_rows = BATCH_ROWS
        self.slice_weight = SLICE_TOKENS
        self._tokenizer = tokenizer
        self._run: Run | None = run

    def predict(self, batch: Sequence[str]) -> list[Vector]:
        """Return float32 (384,), unit length, for each text, in order; an empty text has a vector too.

        Raises:
            ModelError: the model was closed.
        """
        if not batch:
            return []
        if self._run is None:
            raise ModelError(_("The embedding model was unloaded while it was asked. Nothing was lost; please ask again."))
        encoded = self._tokenizer.encode_batch_fast([readable(text) for text in batch])
        rows = np.empty((len(batch), DIMENSION), np.float32)
        for picked in _batches([len(one) for one in encoded]):
            rows[picked] = self._run(*_padded([encoded[index] for index in picked], alone_width=self._alone_width))
        rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1e-12))
        return list(rows)

    def weigh(self, batch: Sequence[str]) -> list[int]:
        """Return how many tokens each text is: ordered by it a tenth less is padding than by length, for a hundredth of the time."""
        return [len(one) for one in self._tokenizer.encode_batch_fast([readable(text) for text in batch])]

    def close(self) -> None:
        """Let go of the engine."""
        self._run = None


def load(_spec: ModelSpec, folder: Path, options: LoadOptions) -> MiniLM:
    """Return MiniLM from a folder that `bot.models.prepare` made.

    Raises:
        ModelError: the chosen engine cannot run here.
    """
    tokenizer = tokenizer_of(folder)
    engine = choose_engine(options)
    if find_spec(engine) is None:
        raise ModelError(
            _("{engine} is not installed, but models.embed_engine asks for it. Install it: pip install {engine}", engine=engine)
        )
    bulk_workers = max(1, min(options.threads, MOST_WORKERS))
    run = _openvino(folder, bulk_workers) if engine == "openvino" else with_onnxruntime(folder / "minilm.onnx")
    alone_width = TILED_WIDTH if engine == "openvino" and _processor_has("amx_bf16") else ALONE_WIDTH
    return MiniLM(tokenizer, run, engine=engine, bulk_workers=bulk_workers, alone_width=alone_width)


def tokenizer_of(folder: Path) -> Tokenizer:
    """Return the tokenizer of a prepared folder; it cuts at MAX_TOKENS and pads nothing."""
    from tokenizers import Tokenizer  # noqa: PLC0415 - the catalogue imports no heavy library

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.no_padding()
    return tokenizer


def choose_engine(options: LoadOptions) -> Engine:
    """Return the engine that `options` name; for `auto` OpenVINO where the processor multiplies bfloat16, else onnxruntime."""
    if options.embed_engine != "auto":
        return options.embed_engine
    return "openvino" if _processor_has("avx512_bf16") and find_spec("openvino") else "onnxruntime"


def readable(text: str, *, most: int = MAX_CHARACTERS) -> str:
    """Return the first `most` characters of `text`, lone surrogates replaced: a tokenizer takes valid Unicode only."""
    text = text[:most].strip()
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


@cache
def _processor_has(flag: str) -> bool:
    try:
        return flag in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split()
    except OSError:
        return False


def with_onnxruntime(graph: Path) -> Run:
    """Return a run of the ONNX file `graph` on the caller's thread."""
    import onnxruntime  # noqa: PLC0415

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # the arena keeps the largest batch ever seen: 402 MB instead of 107
    session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])

    def run(ids: Integers, mask: Integers) -> Rows:
        rows: Rows = session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
        return rows

    return run


def _openvino(folder: Path, streams: int) -> Run:
    """Return a run over two compiled forms of the model: one for a call alone, one for so many at once as there are streams.

    Measured with both cores busy with batches: a question in the same form waits for a batch (49 ms), in one of its own
    it takes 3.3 ms; with nothing else to do 2.9 instead of 3.5. The second form takes some 40 MB, so it is made for who
    indexes, not for a summary now and then.
    """
    core = _core()
    alone = _Form(core, folder, streams=1)
    together = _Form(core, folder, streams=streams)
    alone.compile()
    turn = threading.Lock()
    crowd = itertools.count(1)

    def run(ids: Integers, mask: Integers) -> Rows:
        if together.compiled is None or len(ids) == 1:
            free = turn.acquire(blocking=False)
            if not free and together.compiled is None and next(crowd) < WORTH_A_FORM:
                free = turn.acquire()
            if free:
                try:
                    return alone(ids, mask)
                finally:
                    turn.release()
        return together(ids, mask)

    return run


class _Form:
    """The model compiled for so many calls at once, each on one thread."""

    def __init__(self, core: Core, folder: Path, *, streams: int) -> None:
        self._core = core
        self._folder = folder
        self._hints = {
            "INFERENCE_PRECISION_HINT": "bf16" if _processor_has("avx512_bf16") else "f32",
            "NUM_STREAMS": str(streams),  # one stream would make the callers take turns
            "INFERENCE_NUM_THREADS": str(streams),
        }
        if streams == 1:
            self._hints["ENABLE_CPU_PINNING"] = "NO"  # pinned, it would share a core with a stream of the other form
        self._compiling = threading.Lock()
        self.compiled: CompiledModel | None = None
        self._requests = threading.local()

    def compile(self) -> CompiledModel:
        with self._compiling:
            if self.compiled is None:
                self.compiled = _compiled(self._core, self._folder, self._hints)
            return self.compiled

    def __call__(self, ids: Integers, mask: Integers) -> Rows:
        if not hasattr(self._requests, "own"):
            self._requests.own = self.compile().create_infer_request()
        # Copied, not shared: an engine's thread that lets go of memory of Python's waits for the interpreter's lock, and whoever
        # releases the model holds that lock and waits for the thread. Source: openvinotoolkit/openvino pull request 24722.
        rows: Rows = self._requests.own.infer([ids, mask], share_inputs=False)[0]
        return rows


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


def _compiled(core: Core, folder: Path, hints: Mapping[str, str]) -> CompiledModel:
    """Return the compiled model; what an earlier start compiled is kept beside it, and saves 0.13 s.

    OpenVINO names what it keeps by model, settings, processor and version, and makes it anew where it was cut short.
    """
    file = folder / "minilm.xml"
    if os.access(folder, os.W_OK):
        with suppress(RuntimeError):  # a full disk: it goes without
            return core.compile_model(file, "CPU", {**hints, "CACHE_DIR": str(folder / COMPILED)})
    return core.compile_model(file, "CPU", dict(hints))


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield the indices of texts that go together, shortest first.

    A batch has at most BATCH_ROWS, at most BATCH_TOKENS with its padding, and MOST_PADDING of that at most.
    """
    picked: list[int] = []
    tokens = 0
    for index in sorted(range(len(lengths)), key=lambda place: lengths[place]):
        padded = (len(picked) + 1) * _width(lengths[index])
        if picked and (len(picked) == BATCH_ROWS or padded > BATCH_TOKENS or padded - tokens - lengths[index] > MOST_PADDING):
            yield picked
            picked, tokens = [], 0
        picked.append(index)
        tokens += lengths[index]
    yield picked


def _width(length: int) -> int:
    """Return the width that a row of `length` tokens is padded to."""
    return length if length <= EXACT_WIDTH else -(-length // LENGTH_STEP) * LENGTH_STEP


def _padded(encoded: Sequence[Encoding], *, alone_width: int) -> tuple[Integers, Integers]:
    width = _width(max(len(one) for one in encoded))
    if len(encoded) == 1:
        width = -(-max(width, alone_width) // LENGTH_STEP) * LENGTH_STEP
    ids = np.zeros((len(encoded), width), np.int64)
    mask = np.zeros((len(encoded), width), np.int64)
    for row, one in enumerate(encoded):
        ids[row, : len(one)] = one.ids
        mask[row, : len(one)] = 1
    return ids, mask
