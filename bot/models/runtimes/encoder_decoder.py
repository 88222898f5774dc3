"""An encoder-decoder of transformers with its tokenizer: texts in, generated texts out.

Owns: loading, batches by length, and generation by beams with a bounded length. Leaves to `bot.models.runtimes.seq2seq`
what the texts are.

    network = load_network(spec, folder, LoadOptions())
    network.generate(["summarize: ..."], longest=lambda tokens: 60, limit=512)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from bot.models.runtimes.pytorch import SAFE, SAFE_TOKENIZER, begin, by_length, computing, reading, settled, unloaded, use_threads
from bot.models.spec import LoadOptions, ModelSpec

BATCH_ROWS: Final = 8
BATCH_CELLS: Final = 4096
"""Tokens of one batch with their padding: what bounds the memory of attention."""
MAX_BEAMS: Final = 4
MAX_INPUT_TOKENS: Final = 512
"""Longest piece given to an encoder, also where the model would take more: time grows with its square."""


def load_network(spec: ModelSpec, folder: Path, options: LoadOptions) -> Network:
    """Return the model of `folder` in float32.

    Raises:
        UnsafeModelError: no safetensors.
        ModelError: files are missing or broken.
    """
    begin(folder, options, spec=spec)
    import torch  # noqa: PLC0415 - heavy, and only in runtimes over it
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer  # noqa: PLC0415 - as above

    with reading(spec, folder):
        tokenizer = AutoTokenizer.from_pretrained(folder, **SAFE_TOKENIZER)
        model = AutoModelForSeq2SeqLM.from_pretrained(folder, dtype=torch.float32, **SAFE).eval()
    return Network(spec.name, tokenizer, model, options.threads)


class Network:
    """A model with its tokenizer: texts in, texts out, order kept."""

    def __init__(self, name: str, tokenizer: Any, model: Any, threads: int) -> None:
        self.name = name
        self.tokenizer = tokenizer
        self.model_type = str(model.config.model_type)
        self._model = model
        self._config = model.config
        self._beams = int(model.generation_config.num_beams or 1)
        self._threads = threads

    def positions(self, cap: int) -> int:
        """Return how many tokens the encoder takes, at most `cap`."""
        config = self._config
        names = ("max_encoder_position_embeddings", "max_position_embeddings", "n_positions")
        known = [int(getattr(config, name)) for name in names if getattr(config, name, None)]
        return min([cap, *known[:1]])

    def count(self, text: str) -> int:
        """Return how many tokens `text` takes, with the special ones."""
        return len(self.tokenizer(text, truncation=False, verbose=False)["input_ids"])

    def generate(self, texts: Sequence[str], *, longest: Callable[[int], int], limit: int, **settings: object) -> list[str]:
        """Return one generated text each. `longest` gives the most new tokens for so many input tokens."""
        if self._model is None:
            raise unloaded(self.name)
        import torch  # noqa: PLC0415 - already loaded

        use_threads(self._threads)
        encoded = self.tokenizer(list(texts), truncation=True, max_length=limit)["input_ids"]
        answers = [""] * len(texts)
        with computing(self.name), torch.inference_mode():
            for rows in by_length([len(ids) for ids in encoded], rows=BATCH_ROWS, cells=BATCH_CELLS):
                inputs = self.tokenizer.pad({"input_ids": [encoded[row] for row in rows]}, return_tensors="pt")
                tokens = longest(int(inputs["input_ids"].shape[1]))
                config = settled(self._model.generation_config, max_new_tokens=tokens, **settings)
                produced = self._model.generate(
                    input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], generation_config=config
                )
                for row, ids in zip(rows, produced, strict=True):
                    answers[row] = str(self.tokenizer.decode(ids, skip_special_tokens=True)).strip()
        return answers

    def target_positions(self) -> int:
        """Return how many tokens the decoder can write."""
        config = self._config
        known = getattr(config, "max_decoder_position_embeddings", None) or getattr(config, "max_position_embeddings", None)
        return int(known) - 2 if known else MAX_INPUT_TOKENS

    def beams(self) -> int:
        """Return how many beams the model asks for, at most four."""
        return min(MAX_BEAMS, self._beams)

    def close(self) -> None:
        """Release the weights."""
        self._model = None
