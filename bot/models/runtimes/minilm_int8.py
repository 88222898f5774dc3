"""MiniLM with weights of eight bits, by onnxruntime. Leaves to `bot.models.quantize` the file, to `bot.models.runtimes.minilm` the rest.

model = load(spec, prepared_int8(home), LoadOptions())
vectors = model.predict(["Where is the wiki?"])
"""

from __future__ import annotations

from pathlib import Path

from bot.models.quantize import GRAPH
from bot.models.runtimes import minilm
from bot.models.spec import LoadOptions, ModelSpec


def load(_spec: ModelSpec, folder: Path, options: LoadOptions) -> minilm.MiniLM:
    """Return the eight-bit MiniLM from a folder that `bot.models.quantize` made."""
    workers = max(1, min(options.threads, minilm.MOST_WORKERS))
    run = minilm.with_onnxruntime(folder / GRAPH)
    return minilm.MiniLM(minilm.tokenizer_of(folder), run, engine="onnxruntime", bulk_workers=workers)
