"""Any sentence-transformers model in a local folder: what an admin carries in where MiniLM is not enough.

Owns: loading from safetensors without foreign code, cutting, unit length. Leaves to `bot.models.verify` what is refused
before. torch is imported here only, when such a model is loaded. A prompt that the model names as its default
(config_sentence_transformers.json, `default_prompt_name`) stands before each text.

    model = load(spec, folder, LoadOptions())
    vectors = model.predict(["Where is the wiki?"])
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from bot.errors import ModelError
from bot.locale import phrases
from bot.models.runtimes import pytorch
from bot.models.runtimes.minilm import readable
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.tasks import Vector
from bot.models.verify import verify_folder

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_ = phrases(__file__)

MAX_CHARACTERS: Final = 100_000
"""What is tokenised at most; a model of 8,192 tokens reads some 40,000 characters."""
BATCH_ROWS: Final = 16


class Embedder:
    """A loaded sentence-transformers model; `dimension` is the length of its vectors."""

    def __init__(self, model: SentenceTransformer, *, name: str, dimension: int) -> None:
        """Keep the model."""
        self.batch_rows = BATCH_ROWS
        self.dimension = dimension
        self._name = name
        self._model: SentenceTransformer | None = model

    def predict(self, batch: Sequence[str]) -> list[Vector]:
        """Return float32 (dimension,), unit length, for each text, in order.

        Raises:
            ModelError: the model was closed, or failed.
        """
        if not batch:
            return []
        if self._model is None:
            raise ModelError(_("The embedding model was unloaded while it was asked. Nothing was lost; please ask again."))
        texts = [readable(text, most=MAX_CHARACTERS) for text in batch]
        with pytorch.computing(self._name):
            rows = self._model.encode(texts, batch_size=BATCH_ROWS, show_progress_bar=False, convert_to_numpy=True)
        rows = np.asarray(rows, np.float32)
        rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1e-12))
        return list(rows)

    def close(self) -> None:
        """Let go of the model."""
        self._model = None


def available() -> bool:
    """Say whether torch and its companions are installed, without importing them."""
    return pytorch.available()


def load(spec: ModelSpec, folder: Path, options: LoadOptions) -> Embedder:
    """Return the model in `folder`, on the processor, in float32.

    Raises:
        UnsafeModelError: a file in the folder is refused.
        ModelError: the folder holds no model that can be loaded.
    """
    verify_folder(folder)
    pytorch.begin(folder, options, spec=spec)
    with pytorch.reading(spec, folder):
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - 6 s and 410 MB

        model = SentenceTransformer(
            str(folder),
            device="cpu",
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},
        ).eval()
        dimension = model.get_embedding_dimension()
    return Embedder(model, name=spec.name, dimension=int(dimension or 0))
