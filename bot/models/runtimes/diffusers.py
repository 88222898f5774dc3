"""Small diffusion models of the diffusers library: a description in, a PNG out.

Owns: the pipeline, how many steps it takes and how closely it follows the words, sizes, the seed. Leaves to the skill
what may be asked. `diffusers` is an extra: `pip install paring[draw]`; its absence is told in a sentence.

    model = load(spec, folder, LoadOptions(threads=2))
    png = model.predict([DrawingInput("a red fox", seed=7)])[0]
"""

from __future__ import annotations

import importlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from bot.errors import ModelError
from bot.locale import phrases
from bot.models.runtimes.pytorch import begin, computing, quick_dtype, reading, unloaded, use_threads
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.tasks import DrawingInput

_ = phrases(__file__)

SMALLEST: Final = 64
LARGEST: Final = 1024
GRAIN: Final = 64
"""Sizes are multiples of it: the autoencoder shrinks by 8, the network by 8 again."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How many steps a pipeline takes and how closely it follows the words (classifier-free guidance)."""

    steps: int
    guidance: float


FULL: Final = Pace(20, 7.5)
CONSISTENCY: Final = Pace(4, 1.0)
"""Source: diffusers' documentation of LCMScheduler: 4 to 8 steps, guidance off for distilled models."""
TURBO: Final = Pace(2, 0.0)
"""Source: the model cards of stabilityai/sd-turbo and sdxl-turbo: 1 to 4 steps, guidance_scale=0.0."""


def available() -> bool:
    """Say whether the extra is installed, without importing it."""
    return find_spec("diffusers") is not None


def load(spec: ModelSpec, folder: Path, options: LoadOptions) -> Painter:
    """Return the pipeline of `folder` (with its model_index.json), in bfloat16 where the processor multiplies it.

    Raises:
        UnsafeModelError: no safetensors.
        ModelError: diffusers is not installed, or files are missing or broken.
    """
    if not available():
        raise ModelError(_("Drawing needs a library that is not installed. An admin types: pip install 'paring[draw]'"))
    begin(folder, options, spec=spec)
    # by name: a plain `from diffusers import` would find this module where a tool runs it from its own folder
    diffusers = importlib.import_module("diffusers")
    diffusers.utils.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    with reading(spec, folder):
        pipeline = diffusers.DiffusionPipeline.from_pretrained(
            folder,
            torch_dtype=quick_dtype(),
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            low_cpu_mem_usage=False,  # the other way needs accelerate
        )
    pipeline.set_progress_bar_config(disable=True)
    return Painter(spec.name, pipeline, pace_of(spec, folder), threads=options.threads)


class Painter:
    """One loaded pipeline. Pictures are made one after another: each takes all the memory that one may."""

    batch_rows = 1

    def __init__(self, name: str, pipeline: Any, pace: Pace, *, threads: int) -> None:
        """Keep the pipeline and its pace."""
        self._name = name
        self._pipeline = pipeline
        self._pace = pace
        self._threads = threads

    def predict(self, batch: Sequence[DrawingInput]) -> list[bytes]:
        """Return a PNG file's bytes each, in order; the same input gives the same picture. Raises ModelError."""
        if self._pipeline is None:
            raise unloaded(self._name)
        use_threads(self._threads)
        return [self._paint(item) for item in batch]

    def close(self) -> None:
        """Release the weights."""
        self._pipeline = None

    def _paint(self, item: DrawingInput) -> bytes:
        import torch  # noqa: PLC0415 - already loaded

        with computing(self._name), torch.inference_mode():
            picture = self._pipeline(
                item.prompt,
                width=_fitting(item.width),
                height=_fitting(item.height),
                num_inference_steps=self._pace.steps,
                guidance_scale=self._pace.guidance,
                generator=torch.Generator("cpu").manual_seed(item.seed),
            ).images[0]
        png = io.BytesIO()
        picture.save(png, format="PNG")
        return png.getvalue()


def pace_of(spec: ModelSpec, folder: Path) -> Pace:
    """Return the pace of a pipeline: few steps for what was distilled to few, by its scheduler and its name."""
    name = f"{spec.name} {spec.location} {folder.name}".lower()
    scheduler = _json(folder / "scheduler" / "scheduler_config.json")
    if "lcm" in name or scheduler.get("_class_name") == "LCMScheduler":
        return CONSISTENCY
    if "turbo" in name or (scheduler.get("_class_name"), scheduler.get("timestep_spacing")) == (
        "EulerDiscreteScheduler",
        "trailing",
    ):
        return TURBO
    return FULL


def _fitting(pixels: int) -> int:
    return min(LARGEST, max(SMALLEST, pixels // GRAIN * GRAIN))


def _json(file: Path) -> dict[str, object]:
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
