"""MiniLM taught to read a passage beside a question, without torch: OpenVINO with weights of eight bits, or onnxruntime in float32.

Owns the running. Leaves to `bot.models.runtimes.pages` what it is given, to `bot.models.prepare_reader` the files, to
`benchmarks/train_reader.py` how it was taught.

    model = load(spec, prepared_reader(home), LoadOptions())
    model.predict([ReadInput("When do we open?", "Hours", "We open at nine.", ((0, 16),))])      # [Verdict(4.1, (3.2,))]
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import as_file, files
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.errors import ModelError
from bot.locale import phrases
from bot.models.runtimes import minilm
from bot.models.runtimes.hangul import table_of
from bot.models.runtimes.hangul_inputs import Inputs, Learnt
from bot.models.runtimes.minilm_ko import TABLE, shared_inputs
from bot.models.runtimes.minilm_openvino import DIMENSION, WORDS, Inner, one_form
from bot.models.runtimes.pages import MOST, Page, Pages
from bot.models.runtimes.reader_forms import EIGHT_BITS, GRAPH
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.tasks import NOT_READ, ReadInput, Verdict
from bot.text.lexicon import packaged

_ = phrases(__file__)

LEARNT: Final = "reader-v1.safetensors"
WIDTH_STEP: Final = 16
"""Pages are padded to a multiple of it: few shapes for an engine that keeps plans by shape."""
BATCH_VECTORS: Final = 2 * MOST
"""Rows times width of pages that are read together."""

Array = NDArray[np.float32]


class Reader:
    """A loaded reader. One thread may call `predict` at once."""

    def __init__(self, pages: Pages, kinds: tuple[Array, Array], run: Inner) -> None:
        """Keep what makes pages, what is added by side, float32 (2, 384), and by match, float32 (KINDS, 384), and the engine."""
        self.workers = 1
        self.batch_rows = 8
        self._pages: Pages | None = pages
        self._sides, self._matches = kinds
        self._run: Inner | None = run

    def predict(self, batch: Sequence[ReadInput]) -> list[Verdict]:
        """Return what is said of each passage, in order.

        Raises:
            ModelError: the model was closed.
        """
        made, run = self._pages, self._run
        if made is None or run is None:
            raise ModelError(_("The model that reads was unloaded while it was asked. Nothing was lost; please ask again."))
        pages = [made.of(readable(asked)) for asked in batch]
        verdicts: dict[int, Verdict] = {}
        for some in _together([len(page.rows) for page in pages]):
            for at, said in zip(some, run(*self._given([pages[at] for at in some])), strict=True):
                verdicts[at] = verdict(said, pages[at], len(batch[at].sentences))
        return [verdicts[at] for at in range(len(batch))]

    def close(self) -> None:
        """Let go of the engine, and of Korean where nobody else holds it."""
        self._run = self._pages = None

    def _given(self, pages: Sequence[Page]) -> tuple[Array, NDArray[np.int64]]:
        width = -(-max(len(page.rows) for page in pages) // WIDTH_STEP) * WIDTH_STEP
        rows = np.zeros((len(pages), width, DIMENSION), np.float32)
        mask = np.zeros((len(pages), width), np.int64)
        for at, page in enumerate(pages):
            rows[at, : len(page.rows)] = page.rows + self._sides[page.sides] + self._matches[page.matches]
            mask[at, : len(page.rows)] = 1
        return rows, mask


def verdict(said: Array, page: Page, sentences: int) -> Verdict:
    """Return the verdict that float32 (t, 2) are: of the first row the odds, of each how much it is of what answers."""
    marks = []
    for number in range(sentences):
        own = said[: len(page.rows), 1][page.sentences == number]
        marks.append(float(own.mean()) if len(own) else NOT_READ)
    return Verdict(float(said[0, 0]), tuple(marks))


def readable(asked: ReadInput) -> ReadInput:
    """Return it without lone surrogates: a tokenizer takes valid Unicode only. What is said stays where it was."""
    return ReadInput(_whole(asked.question), _whole(asked.title), _whole(asked.text), asked.sentences)


def _whole(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _together(lengths: Sequence[int]) -> list[list[int]]:
    """Return which pages are read together, the shortest first: BATCH_VECTORS at most, with their padding."""
    batches: list[list[int]] = []
    for at in sorted(range(len(lengths)), key=lambda place: lengths[place]):
        if batches and (len(batches[-1]) + 1) * lengths[at] <= BATCH_VECTORS:
            batches[-1].append(at)
        else:
            batches.append([at])
    return batches


def load(_spec: ModelSpec, folder: Path, options: LoadOptions) -> Reader:
    """Return the reader from a folder that `bot.models.prepare_reader` made.

    Raises:
        ModelError: the chosen engine cannot run here, or what comes with Paring cannot be read.
    """
    from safetensors import SafetensorError, safe_open  # noqa: PLC0415 - a leaf's library

    engine = minilm.choose_engine(options)
    if find_spec(engine) is None:
        raise ModelError(
            _("{engine} is not installed, but models.embed_engine asks for it. Install it: pip install {engine}", engine=engine)
        )
    try:
        with as_file(files("bot.models") / LEARNT) as file, safe_open(file, framework="numpy") as learnt:
            kinds = tuple(learnt.get_tensor(name).astype(np.float32) for name in ("sides", "matches"))
        inputs = shared_inputs(lambda: _inputs(folder))
    except (OSError, KeyError, ValueError, SafetensorError) as error:
        raise ModelError(_("What the model that reads has learnt cannot be read. Install Paring again.")) from error
    run = one_form(folder, EIGHT_BITS) if engine == "openvino" else minilm.with_onnxruntime(folder / GRAPH, "embedded")
    return Reader(Pages(inputs, packaged()), (kinds[0], kinds[1]), run)


def _inputs(folder: Path) -> Inputs:
    from safetensors.numpy import load_file  # noqa: PLC0415 - a leaf's library

    with as_file(files("bot.models") / TABLE) as file:
        tensors = load_file(file)
    words = np.load(folder / WORDS, mmap_mode="r")
    return Inputs(table_of(tensors), Learnt.read(tensors), words, minilm.tokenizer_of(folder))
