"""A static embedder: a text is the weighted mean of its tokens' rows. Needs numpy and tokenizers; no arithmetic worth naming.

Owns tokenising and pooling. Leaves to `bot.models.distil` the table: int8 (n tokens, d), and float32 (n,) scales that hold each
token's weight.

    model = load(spec, prepared_static(home), LoadOptions())
    vectors = model.predict(["Where is the wiki?"])
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from bot.errors import ModelError
from bot.locale import phrases
from bot.models.runtimes.minilm import readable
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.tasks import Vector

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_ = phrases(__file__)

TABLE: Final = "static.safetensors"
MAX_TOKENS: Final = 512
"""A passage is shorter; more tokens would only make the mean of a long text vaguer."""
MAX_CHARACTERS: Final = 20_000
BATCH_ROWS: Final = 64
LEAST_LENGTH: Final = 1e-9

Rows = NDArray[np.float32]
Table = NDArray[np.int8]


class Static:
    """A loaded table. One thread of bulk work and one for questions: neither has much to do."""

    workers = 2
    bulk_workers = 1
    batch_rows = BATCH_ROWS

    def __init__(self, tokenizer: Tokenizer, vectors: Table, scales: Rows) -> None:
        """Keep the tokenizer and the table."""
        self._tokenizer: Tokenizer | None = tokenizer
        self._vectors = vectors
        self._scales = scales

    def predict(self, batch: Sequence[str]) -> list[Vector]:
        """Return float32 (d,), unit length, for each text, in order; a text of which no token is known has a vector too.

        Raises:
            ModelError: the model was closed.
        """
        if not batch:
            return []
        if self._tokenizer is None:
            raise ModelError(_("The embedding model was unloaded while it was asked. Nothing was lost; please ask again."))
        texts = [readable(text, most=MAX_CHARACTERS) for text in batch]
        encoded = self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        return list(pooled(self._vectors, self._scales, [one.ids for one in encoded]))

    def close(self) -> None:
        """Let go of the table."""
        self._tokenizer = None
        self._vectors, self._scales = self._vectors[:0], self._scales[:0]


def load(_spec: ModelSpec, folder: Path, _options: LoadOptions) -> Static:
    """Return the embedder whose table lies in `folder`.

    Raises:
        ModelError: the table cannot be read.
    """
    from safetensors import SafetensorError  # noqa: PLC0415 - a leaf's library
    from safetensors.numpy import load_file  # noqa: PLC0415
    from tokenizers import Tokenizer  # noqa: PLC0415

    try:
        tensors = load_file(folder / TABLE)
        vectors, scales = tensors["vectors"], tensors["scales"]
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except (OSError, KeyError, SafetensorError) as error:
        raise ModelError(
            _("The table of the static embedder in {folder} cannot be read. `paring setup` makes it anew.", folder=folder.name)
        ) from error
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.no_padding()
    return Static(tokenizer, vectors, scales)


def pooled(vectors: Table, scales: Rows, tokens: Sequence[Sequence[int]]) -> Rows:
    """Return float32 (n, d), unit rows: the mean row of each text's tokens. Where none counts, a direction that means nothing."""
    sizes = np.array([len(some) for some in tokens], np.int64)
    found = np.zeros((len(tokens), vectors.shape[1]), np.float32)
    if sizes.any():
        flat = np.concatenate([np.array(some, np.int64) for some in tokens])
        rows = vectors[flat] * scales[flat, None]
        starts = (np.cumsum(sizes) - sizes)[sizes > 0]
        found[sizes > 0] = np.add.reduceat(rows, starts, axis=0)
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    found[lengths[:, 0] < LEAST_LENGTH] = np.float32(1 / np.sqrt(vectors.shape[1]))
    found /= np.where(lengths < LEAST_LENGTH, np.float32(1), lengths)
    return found
