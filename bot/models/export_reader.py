"""Turns MiniLM and what it was taught beside into the reader's forms, which run without torch. A program of its own, as `export_minilm`.

Owns: the sum of MiniLM's weights and the products of thin matrices that were learnt (`benchmarks/train_reader.py`), the export, and the
proof that each form says what torch says. Prints one JSON object at the end: `{"strays": ..., "versions": ...}`.

    python -P export_reader.py MINILM_FOLDER LEARNT_FILE TARGET_FOLDER
"""

from __future__ import annotations

import json
import sys
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from bot.models.export_minilm import BODY_INPUTS, MADE_WITH, export, fuse, to_eight_bits, with_onnxruntime
from bot.models.runtimes.minilm_openvino import GROUP
from bot.models.runtimes.reader_forms import EIGHT_BITS, GRAPH
from bot.unreported import report_nothing

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from transformers import BertModel

    Array = NDArray[np.float32]

THINNED = {
    "seen": ("attention.self.query", "attention.self.key", "attention.self.value"),
    "out": ("attention.output.dense",),
    "inner": ("intermediate.dense",),
    "outer": ("output.dense",),
}
"""Which of MiniLM's matrices a product is added to, side by side, by its name in the file."""
WIDTHS = (12, 60, 180)
"""Of the pages that the forms are proved with."""


def main(source: Path, learnt: Path, target: Path) -> None:
    """Write the forms into `target`, and print how far the odds stray from torch's."""
    import openvino  # noqa: PLC0415 - only when it is run

    module = _reader(source, learnt)
    raw = target / "raw.onnx"
    export(module, BODY_INPUTS, raw, output="said", wide=True)
    fuse(raw, target / GRAPH)
    small = openvino.Core().read_model(raw)
    to_eight_bits(small)
    openvino.save_model(small, target / EIGHT_BITS, compress_to_fp16=True)
    raw.unlink()
    print(json.dumps({"strays": _strays(module, target), "versions": {name: version(name) for name in MADE_WITH}}))  # noqa: T201 - the pipe to the parent


def _reader(source: Path, learnt: Path) -> torch.nn.Module:
    """Return the net: tokens' vectors, float32 (n, t, 384), and a mask to float32 (n, t, 2)."""
    import torch  # noqa: PLC0415
    from safetensors.torch import load_file  # noqa: PLC0415
    from transformers import BertModel  # noqa: PLC0415
    from transformers.utils import logging  # noqa: PLC0415

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    tensors = {name: value.float() for name, value in load_file(learnt).items()}
    bert = BertModel.from_pretrained(
        source, local_files_only=True, use_safetensors=True, attn_implementation="eager", add_pooling_layer=False
    )
    _add(bert, tensors)

    class Reader(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bert = bert
            self.said = torch.nn.Linear(tensors["answers"].shape[0], 2)
            self.said.weight.data, self.said.bias.data = tensors["answers"].T.contiguous(), tensors["bias"]

        def forward(self, embedded: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            kinds = torch.zeros_like(attention_mask)
            hidden = self.bert(inputs_embeds=embedded, attention_mask=attention_mask, token_type_ids=kinds).last_hidden_state
            said: torch.Tensor = self.said(hidden)
            return said

    return Reader().eval()


def _add(bert: BertModel, tensors: dict[str, torch.Tensor]) -> None:
    """Add what was learnt to MiniLM's weights."""
    for number, layer in enumerate(bert.encoder.layer):
        for name, those in THINNED.items():
            begun = f"layers.{number}.{name}."
            parts = (tensors[begun + "down"] @ tensors[begun + "up"]).T.chunk(len(those))
            for path, part in zip(those, parts, strict=True):
                layer.get_submodule(path).weight.data += part  # type: ignore[operator]  # torch knows no kinds of its parts


def _strays(module: torch.nn.Module, target: Path) -> dict[str, float]:
    """Return how far each engine strays from torch at most, over pages of WIDTHS drawn by chance: in the odds, or in words' marks.

    Of the marks it is the root of the mean square: a sentence's is the mean of its words', and one word's strays much further.
    """
    import numpy as np  # noqa: PLC0415
    import openvino  # noqa: PLC0415
    import torch  # noqa: PLC0415

    small = openvino.Core().compile_model(target / EIGHT_BITS, "CPU", {"DYNAMIC_QUANTIZATION_GROUP_SIZE": str(GROUP)})
    words = module.get_parameter("bert.embeddings.word_embeddings.weight").detach().numpy()
    chance = np.random.default_rng(0)
    strays: dict[str, list[float]] = {}
    for width in WIDTHS:
        embedded = words[chance.integers(1000, len(words), (2, width))].astype(np.float32)
        mask = np.ones((2, width), np.int64)
        mask[1, width // 2 :] = 0
        with torch.inference_mode():
            truth: Array = module(torch.from_numpy(embedded), torch.from_numpy(mask)).numpy()
        said = {
            "onnxruntime": with_onnxruntime(target / GRAPH, {"embedded": embedded, "attention_mask": mask}),
            "openvino, eight bits": small([embedded, mask])[0],
        }
        for engine, numbers in said.items():
            astray = np.abs(numbers - truth)
            marks = float(np.sqrt(np.square(astray[mask > 0][:, 1]).mean()))
            strays.setdefault(engine, []).extend([float(astray[:, 0, 0].max()), marks])
    return {engine: float(np.max(those)) for engine, those in strays.items()}  # not max(), which may pass over NaN


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report_nothing()
        main(*map(Path, sys.argv[1:4]))
