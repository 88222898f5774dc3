"""MiniLM without torch: tokenizers, and onnxruntime in float32 or OpenVINO (`bot.models.runtimes.minilm_openvino`).

Owns: cutting, tokenising, batching by length, and the choice of engine. Leaves to `bot.models.prepare`: the files. The same
vectors as sentence-transformers makes (mean pooling, at most 256 tokens, unit length) at a cosine of at least .995.

    model = load(spec, prepare_minilm(folder), LoadOptions())
    vectors = model.predict(["Where is the wiki?"])
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from bot.errors import ModelError
from bot.locale import phrases
from bot.models.runtimes.minilm_openvino import (
    DIMENSION,
    ONNX_BODY,
    WORDS,
    Inner,
    Integers,
    Rows,
    Run,
    processor_has,
    with_openvino,
)
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.tasks import Vector

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tokenizers import Encoding, Tokenizer

_ = phrases(__file__)

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
EXACT_WIDTH: Final = 24
LENGTH_STEP: Final = 8
"""Above EXACT_WIDTH tokens a width is a multiple of it: few shapes for an engine that keeps plans by shape."""
ALONE_WIDTH: Final = 16
"""A text alone (a question) has at least this width: fewer widths, fewer forms."""

Engine = Literal["onnxruntime", "openvino"]


class Body:
    """MiniLM from the vectors of its tokens on: who has vectors of his own gives them with those that it has itself."""

    def __init__(self, words: NDArray[np.float16], inner: Inner) -> None:
        """Keep the tokens' own vectors, float16 (vocabulary, 384), and the body."""
        self.words = words
        self._inner = inner

    def of_ids(self, ids: Integers, mask: Integers) -> Rows:
        """Return float32 (n, 384) for ids and mask, int64 (n, t)."""
        return self._inner(self.words[ids].astype(np.float32), mask)

    def __call__(self, texts: Sequence[Rows]) -> Rows:
        """Return float32 (n, 384), unit rows, for the vectors of each text's tokens, float32 (t, 384)."""
        rows = np.empty((len(texts), DIMENSION), np.float32)
        for picked in _batches([len(one) for one in texts]):
            width = _width_of([len(texts[index]) for index in picked])
            embedded = np.zeros((len(picked), width, DIMENSION), np.float32)
            mask = np.zeros((len(picked), width), np.int64)
            for row, index in enumerate(picked):
                embedded[row, : len(texts[index])] = texts[index]
                mask[row, : len(texts[index])] = 1
            rows[picked] = self._inner(embedded, mask)
        rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1e-12))
        return rows


class MiniLM:
    """A loaded MiniLM. `workers` threads may call `predict` at once, `bulk_workers` of them with bulk work; each call runs on one."""

    def __init__(self, tokenizer: Tokenizer, run: Run, *, engine: Engine, bulk_workers: int, body: Body | None = None) -> None:
        """Keep the tokenizer, `run` (ids and mask, int64 (n, t), to float32 (n, 384)), and the `body` that takes vectors instead."""
        self.engine = engine
        self.tokenizer = tokenizer
        self.body = body
        self.bulk_workers = bulk_workers
        self.workers = bulk_workers + 1  # a question finds one free, whatever is being indexed
        self.batch_rows = BATCH_ROWS
        self.slice_weight = SLICE_TOKENS
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
        encoded = self.tokenizer.encode_batch_fast([readable(text) for text in batch])
        rows = np.empty((len(batch), DIMENSION), np.float32)
        for picked in _batches([len(one) for one in encoded]):
            rows[picked] = self._run(*_padded([encoded[index] for index in picked]))
        rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1e-12))
        return list(rows)

    def weigh(self, batch: Sequence[str]) -> list[int]:
        """Return how many tokens each text is: ordered by it a tenth less is padding than by length, for a hundredth of the time."""
        return [len(one) for one in self.tokenizer.encode_batch_fast([readable(text) for text in batch])]

    def close(self) -> None:
        """Let go of the engine."""
        self._run = self.body = None


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
    inner = with_openvino(folder, bulk_workers) if engine == "openvino" else with_onnxruntime(folder / ONNX_BODY, "embedded")
    body = Body(np.load(folder / WORDS, mmap_mode="r"), inner)
    return MiniLM(tokenizer, body.of_ids, engine=engine, bulk_workers=bulk_workers, body=body)


def tokenizer_of(folder: Path) -> Tokenizer:
    """Return the tokenizer of a prepared folder; it cuts at MAX_TOKENS and pads nothing."""
    from tokenizers import Tokenizer  # noqa: PLC0415 - the catalogue imports no heavy library

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.no_padding()
    return tokenizer


def choose_engine(options: LoadOptions) -> Engine:
    """Return the engine that `options` name; for `auto` OpenVINO where the processor multiplies eight bits, else onnxruntime."""
    if options.embed_engine != "auto":
        return options.embed_engine
    return "openvino" if processor_has("avx512_vnni") and find_spec("openvino") else "onnxruntime"


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


def with_onnxruntime(graph: Path, given: str = "input_ids") -> Callable[[Integers | Rows, Integers], Rows]:
    """Return a run of the ONNX file `graph` on the caller's thread, over ids or over the tokens' vectors: `given` is its name for them."""
    import onnxruntime  # noqa: PLC0415

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # the arena keeps the largest batch ever seen: 402 MB instead of 107
    session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])

    def run(tokens: Integers | Rows, mask: Integers) -> Rows:
        rows: Rows = session.run(None, {given: tokens, "attention_mask": mask})[0]
        return rows

    return run


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


def _width_of(lengths: Sequence[int]) -> int:
    """Return the width that rows of `lengths` tokens are padded to together; one text alone has a few widths only."""
    width = _width(max(lengths))
    return -(-max(width, ALONE_WIDTH) // LENGTH_STEP) * LENGTH_STEP if len(lengths) == 1 else width


def _padded(encoded: Sequence[Encoding]) -> tuple[Integers, Integers]:
    width = _width_of([len(one) for one in encoded])
    ids = np.zeros((len(encoded), width), np.int64)
    mask = np.zeros((len(encoded), width), np.int64)
    for row, one in enumerate(encoded):
        ids[row, : len(one)] = one.ids
        mask[row, : len(one)] = 1
    return ids, mask
