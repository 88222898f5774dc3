"""Makes, once, MiniLM with weights of eight bits: a quarter of its size, and quicker on processors that multiply eight bits.

Owns the recipe and its child process (2 s; the library that it needs stays out of the bot). Leaves to `bot.models.made` locks and
renaming, to `bot.models.prepare` MiniLM itself, to `bot.models.runtimes.minilm_int8` the running.

    folder = prepared_int8(settings.home, report=print)     # makes it where it is missing or damaged

The recipe is onnxruntime's own dynamic quantisation: weights in eight bits, a scale for each column; activations in eight bits as they come, by
the range that they have then. Source: https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.config import install_models
from bot.errors import ModelError
from bot.locale import Text, phrases
from bot.models.distil import PROBES
from bot.models.made import Manifest, PreparedFile, made_once, whole, writable
from bot.models.prepare import MINILM_REVISION, prepared_minilm
from bot.sandbox_process import child_environment

_ = phrases(__file__)

Report = Callable[[Text, float], None]

FORMAT: Final = 1
"""Raised when the recipe changes, so that older folders are made anew. Other vectors are another model: its name changes."""
GRAPH: Final = "minilm-int8.onnx"
PREPARED: Final = (GRAPH, "tokenizer.json")
LEAST_COSINE: Final = 0.98
"""How near each of PROBES must come to MiniLM's own vector; seen .9895, the mean .994."""
LONGEST_S: Final = 300.0
_FOLDER: Final = f"int8-{MINILM_REVISION}"


def prepared_int8(home: Path, *, report: Report | None = None) -> Path:
    """Return the folder of the eight-bit MiniLM: the install's, else the home's; made there where neither has it whole.

    Raises:
        ModelError: it could not be made; what was there before still is.
    """
    if found := find_int8(home):
        return found
    tell = report or (lambda _text, _done: None)
    source = prepared_minilm(home, report=tell)
    shared, own = _parents(home)
    target = (shared if writable(shared) else own) / _FOLDER
    try:
        return made_once(target, lambda making: _made(source, making, tell), there=lambda: intact(target, thorough=True))
    except OSError as error:
        raise ModelError(_not_made(error.strerror or str(error))) from error


def find_int8(home: Path) -> Path | None:
    """Return the folder of the eight-bit MiniLM if it is there and whole, None else. Quick."""
    return next((parent / _FOLDER for parent in _parents(home) if intact(parent / _FOLDER)), None)


def intact(folder: Path, *, thorough: bool = False) -> bool:
    """Say whether `folder` holds what its manifest says. By size and time; if the time differs or `thorough`, by sha256."""
    return whole(folder, PREPARED, format=FORMAT, source_sha256=MINILM_REVISION, thorough=thorough)


def _parents(home: Path) -> tuple[Path, Path]:
    return install_models(), home / "models"


def _made(source: Path, making: Path, tell: Report) -> None:
    tell(_("Making the embedding model smaller; this happens once."), 0.0)
    cosine = _run(source, making)
    shutil.copyfile(source / "tokenizer.json", making / "tokenizer.json")
    files = tuple(PreparedFile.of(making / name) for name in PREPARED)
    versions = tuple((name, version(name)) for name in ("onnx", "onnxruntime", "tokenizers"))
    Manifest(FORMAT, MINILM_REVISION, files, (("cosine", cosine),), versions).write(making)
    tell(_("The smaller embedding model is ready."), 1.0)


def _run(source: Path, making: Path) -> float:
    """Quantise in a child, whose memory is gone with it; return the smallest cosine to MiniLM's own vectors."""
    command = [sys.executable, "-W", "ignore", "-m", "bot.models.quantize", str(source), str(making)]
    try:
        done = subprocess.run(  # noqa: S603 - this interpreter, and this module
            command, capture_output=True, encoding="utf-8", check=False, timeout=LONGEST_S, cwd=Path(__file__).parents[2],
            env=child_environment(),
        )  # fmt: skip
        cosine = float(json.loads(done.stdout.splitlines()[-1])["cosine"]) if done.returncode == 0 else 0.0
    except (subprocess.TimeoutExpired, ValueError, KeyError, IndexError) as error:
        raise ModelError(_not_made(type(error).__name__)) from error
    if done.returncode != 0:
        raise ModelError(_not_made((done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1][:300]))
    if not cosine >= LEAST_COSINE:  # so that NaN is refused too
        raise ModelError(_not_made(f"cosine {cosine:.4f} < {LEAST_COSINE}"))
    return cosine


def _not_made(reason: str) -> Text:
    return _("The smaller embedding model could not be made ({reason}). Nothing was changed; run `paring doctor`.", reason=reason)


# ---------------------------------------------------------------------- the child


def quantise(source: Path, target: Path) -> float:
    """Write the eight-bit graph of MiniLM's prepared form in `source` into `target`; return the smallest cosine to it over PROBES."""
    import onnx  # noqa: PLC0415 - only where one quantises
    from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: PLC0415

    quantize_dynamic(
        source / "minilm.onnx", target / GRAPH, per_channel=True, weight_type=QuantType.QInt8,
        extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},  # fused operators tell no shapes
    )  # fmt: skip
    tokens = _tokens(source / "tokenizer.json")
    return float((_vectors(source / "minilm.onnx", tokens) * _vectors(target / GRAPH, tokens)).sum(axis=1).min())


def _tokens(file: Path) -> list[list[int]]:
    from tokenizers import Tokenizer  # noqa: PLC0415 - as above

    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_padding()
    return [one.ids for one in tokenizer.encode_batch_fast(list(PROBES))]


def _vectors(graph: Path, tokens: list[list[int]]) -> NDArray[np.float32]:
    import onnxruntime  # noqa: PLC0415 - as above

    session = onnxruntime.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
    asked = [np.array([ids], np.int64) for ids in tokens]
    return np.concatenate([session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0] for ids in asked])


if __name__ == "__main__":
    print(json.dumps({"cosine": quantise(Path(sys.argv[1]), Path(sys.argv[2]))}))  # noqa: T201 - the pipe to the parent
