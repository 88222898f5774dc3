"""Turns MiniLM's safetensors into the forms that run without torch. A program of its own: torch is never imported in the bot.

Owns: the export (torch's ONNX exporter, onnxruntime's fusions, OpenVINO's IR with float16 weights) and the proof that each
form says what torch says. Leaves to `bot.models.prepare`: hashes, locks, renaming. Prints one JSON object a line:
`{"stage": ..., "done": 0..1}` while it works, `{"cosines": ..., "versions": ...}` at the end.

    python -P export_minilm.py SOURCE_FOLDER TARGET_FOLDER
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from bot.models.runtimes.minilm_openvino import BODY, EIGHT_BITS, GROUP, LEAST_TOKENS, ONNX_BODY, WORDS
from bot.unreported import report_nothing

if TYPE_CHECKING:
    import numpy as np
    import openvino
    import torch
    from numpy.typing import NDArray

    Rows = NDArray[np.float32]
    Integers = NDArray[np.int64]

OPSET = 17
INPUTS = ("input_ids", "attention_mask")
BODY_INPUTS = ("embedded", "attention_mask")
BY_EIGHT_BITS = "openvino, eight bits"
MOST_OF_EIGHT_BITS = 127
MADE_WITH = ("torch", "transformers", "onnx", "onnxruntime", "openvino")
PROBES = (
    "Where is the page about parental leave?",
    "연차 휴가 신청은 어디에서 하나요?",
    "",
    "def add(a, b): return a + b",
    "The committee agreed on the new budget for the second quarter and asked for the details. " * 12,
)
"""Short and long, English, Korean, code and nothing: padded together, so that the mask is proved as well."""


def main(source: Path, target: Path) -> None:
    """Write the forms into `target`, and print how near they are to torch."""
    _say("read", 0.0)
    encoder = _encoder(source)
    _say("export", 0.5)
    raw = target / "raw.onnx"
    export(encoder, INPUTS, raw)
    _say("optimise", 0.7)
    fuse(raw, target / "minilm.onnx")
    _intermediate(raw, target)
    export(_body_of(encoder), BODY_INPUTS, raw)
    fuse(raw, target / ONNX_BODY)
    raw.unlink()
    _say("verify", 0.9)
    print(json.dumps({"cosines": _cosines(encoder, source, target), "versions": {name: version(name) for name in MADE_WITH}}))  # noqa: T201 - the pipe to the parent


def _say(stage: str, done: float) -> None:
    print(json.dumps({"stage": stage, "done": done}), flush=True)  # noqa: T201 - the pipe to the parent


def _encoder(source: Path) -> torch.nn.Module:
    """Return BERT with mean pooling and normalisation: ids and mask, int64 (n, t), to float32 (n, 384), unit rows."""
    import torch  # noqa: PLC0415 - only when it is run
    from transformers import BertModel  # noqa: PLC0415
    from transformers.utils import logging  # noqa: PLC0415

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]

    class Encoder(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bert = BertModel.from_pretrained(
                source, local_files_only=True, use_safetensors=True, attn_implementation="eager", add_pooling_layer=False
            )

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            kinds = torch.zeros_like(input_ids)
            hidden = self.bert(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=kinds).last_hidden_state
            return _pooled(hidden, attention_mask)

    return Encoder().eval()


def _pooled(hidden: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
    """Return the mean over what the mask shows, float32 (n, 384), unit rows."""
    import torch  # noqa: PLC0415

    mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
    mean = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
    return torch.nn.functional.normalize(mean, dim=1)


def _body_of(encoder: torch.nn.Module) -> torch.nn.Module:
    """Return the same of tokens' vectors instead of ids: float32 (n, t, 384) and a mask, int64 (n, t), to float32 (n, 384)."""
    import torch  # noqa: PLC0415

    class Body(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bert: torch.nn.Module = encoder.bert  # type: ignore[assignment]  # torch knows no kinds of its parts

        def forward(self, embedded: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            kinds = torch.zeros_like(attention_mask)
            hidden = self.bert(inputs_embeds=embedded, attention_mask=attention_mask, token_type_ids=kinds).last_hidden_state
            return _pooled(hidden, attention_mask)

    return Body().eval()


def export(module: torch.nn.Module, names: Sequence[str], file: Path, *, output: str = "vector", wide: bool = False) -> None:
    """Write a module whose inputs are called `names`: INPUTS or BODY_INPUTS. Its output is as wide as they are where it is `wide`."""
    import torch  # noqa: PLC0415

    ids = torch.tensor([[101, 2023, 2003, 102], [101, 2023, 102, 0]])
    example = ids if names == INPUTS else torch.zeros((*ids.shape, 384))
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]])
    with torch.inference_mode():
        torch.onnx.export(
            module,
            (example, mask),
            str(file),
            dynamo=False,
            opset_version=OPSET,
            input_names=list(names),
            output_names=[output],
            dynamic_axes={**{name: {0: "n", 1: "t"} for name in names}, output: {0: "n", 1: "t"} if wide else {0: "n"}},
        )


def fuse(raw: Path, file: Path) -> None:
    """Fuse attention, layer norms and GELU: a quarter faster on long texts and 70 MB less than onnxruntime does by itself."""
    from onnxruntime.transformers import optimizer  # noqa: PLC0415

    optimizer.optimize_model(str(raw), model_type="bert", num_heads=12, hidden_size=384, opt_level=0).save_model_to_file(
        str(file)
    )


def _intermediate(raw: Path, target: Path) -> None:
    """Write OpenVINO's forms: the tokens' vectors as a table of float16, the body in float16, and with weights of eight bits.

    A table by itself is in memory once and only where it is read, not once in each form that is compiled.
    """
    import numpy as np  # noqa: PLC0415
    import openvino  # noqa: PLC0415

    words, body = _apart(openvino.Core().read_model(raw))
    np.save(target / WORDS, words.astype(np.float16))
    openvino.save_model(body, target / BODY, compress_to_fp16=True)
    to_eight_bits(body)
    openvino.save_model(body, target / EIGHT_BITS, compress_to_fp16=True)


def _apart(model: openvino.Model) -> tuple[Rows, openvino.Model]:
    """Return the table of the tokens' vectors, and the rest: of tokens' vectors, float32 (n, t, 384), and a mask."""
    import numpy as np  # noqa: PLC0415
    import openvino  # noqa: PLC0415
    from openvino import opset13 as op  # noqa: PLC0415

    ids, mask = (next(one for one in model.get_parameters() if one.get_friendly_name() == name) for name in INPUTS)
    gather = next(node for node in model.get_ordered_ops() if node.get_friendly_name().endswith("word_embeddings/Gather"))
    table: Rows = np.array(gather.input_value(0).get_node().get_data(), np.float32)
    embedded = op.parameter([-1, -1, table.shape[1]], np.float32, "embedded")
    for reader in gather.output(0).get_target_inputs():
        reader.replace_source_output(embedded.output(0))
    for reader in ids.output(0).get_target_inputs():  # who asks for their shape alone
        if reader.get_node().get_friendly_name() != gather.get_friendly_name():
            reader.replace_source_output(mask.output(0))
    return table, openvino.Model(model.get_results(), [embedded, mask], "body")


def to_eight_bits(body: openvino.Model) -> None:
    """Bring the weights of each product to eight bits, a scale for each output; the engine multiplies them as they are."""
    import numpy as np  # noqa: PLC0415
    from openvino import opset13 as op  # noqa: PLC0415

    for node in body.get_ordered_ops():
        weights = node.input_value(1).get_node() if node.get_type_name() == "MatMul" else None
        if weights is None or weights.get_type_name() != "Constant":
            continue
        turned = bool(node.get_attributes()["transpose_b"])
        rows = np.array(weights.get_data(), np.float32)
        rows = np.ascontiguousarray(rows if turned else rows.T)
        scales = np.abs(rows).max(axis=1, keepdims=True) / MOST_OF_EIGHT_BITS
        small = op.constant(np.round(rows / scales).astype(np.int8))
        whole = op.multiply(op.convert(small, "f16"), op.constant(scales.astype(np.float16)))
        product = op.matmul(node.input_value(0), op.convert(whole, "f32"), transpose_a=False, transpose_b=True)
        product.set_friendly_name(node.get_friendly_name())
        for reader in node.output(0).get_target_inputs():
            reader.replace_source_output(product.output(0))


def _cosines(encoder: torch.nn.Module, source: Path, target: Path) -> dict[str, float]:
    """Return the smallest cosine to torch over PROBES, by engine; of eight bits over those that are given to it."""
    import numpy as np  # noqa: PLC0415
    import torch  # noqa: PLC0415

    ids, mask = _tokens(source)
    with torch.inference_mode():
        truth: Rows = encoder(torch.from_numpy(ids), torch.from_numpy(mask)).numpy()
    found = {
        "onnxruntime": with_onnxruntime(target / "minilm.onnx", {"input_ids": ids, "attention_mask": mask}),
        "onnxruntime, by vectors": with_onnxruntime(
            target / ONNX_BODY, {"embedded": np.load(target / WORDS)[ids].astype(np.float32), "attention_mask": mask}
        ),
        "openvino": _with_openvino(target, BODY, ids, mask),
        BY_EIGHT_BITS: _with_openvino(target, EIGHT_BITS, ids, mask),
    }
    said = mask.sum(axis=1) >= LEAST_TOKENS
    return {engine: float((rows * truth).sum(axis=1)[said | (engine != BY_EIGHT_BITS)].min()) for engine, rows in found.items()}


def _tokens(source: Path) -> tuple[Integers, Integers]:
    import numpy as np  # noqa: PLC0415
    from tokenizers import Tokenizer  # noqa: PLC0415

    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    tokenizer.enable_truncation(256)
    tokenizer.enable_padding()
    encoded = tokenizer.encode_batch(list(PROBES))
    return np.array([one.ids for one in encoded], np.int64), np.array([one.attention_mask for one in encoded], np.int64)


def with_onnxruntime(graph: Path, inputs: dict[str, Rows | Integers]) -> Rows:
    """Return what a graph makes of `inputs`."""
    import onnxruntime  # noqa: PLC0415

    rows: Rows = onnxruntime.InferenceSession(str(graph), providers=["CPUExecutionProvider"]).run(None, inputs)[0]
    return rows


def _with_openvino(target: Path, form: str, ids: Integers, mask: Integers) -> Rows:
    """Run at the processor's own choice of precision: bfloat16 where it has it."""
    import numpy as np  # noqa: PLC0415
    import openvino  # noqa: PLC0415

    compiled = openvino.Core().compile_model(target / form, "CPU", {"DYNAMIC_QUANTIZATION_GROUP_SIZE": str(GROUP)})
    rows: Rows = compiled([np.load(target / WORDS)[ids].astype(np.float32), mask])[0]
    return rows


if __name__ == "__main__":
    with warnings.catch_warnings():
        # The legacy exporter says that it is legacy, and names traced constants that do not depend on the input here.
        warnings.simplefilter("ignore")
        report_nothing()
        main(Path(sys.argv[1]), Path(sys.argv[2]))
