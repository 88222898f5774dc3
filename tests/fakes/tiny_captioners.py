"""Tiny captioners, made by transformers itself, that say words of a small vocabulary and nothing but words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import transformers
from tokenizers import Tokenizer, models, pre_tokenizers

MARKS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[BOS]", "[EOS]")
PLACES = ("<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>")
WORDS = (*MARKS, *PLACES, "a", "cat", "sits", "on", "the", "red", "chair")
VISION = {
    "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 32, "patch_size": 16,
}  # fmt: skip
SQUARE = {"height": 32, "width": 32}


def words(**extra: str) -> transformers.PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    marks = {"unk": "[UNK]", "pad": "[PAD]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]", "bos": "[BOS]", "eos": "[EOS]"}
    named = {f"{name}_token": mark for name, mark in marks.items()}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, extra_special_tokens=extra, **named)


def save(model: Any, folder: Path, *, rows: int = len(WORDS)) -> None:
    # Weights of chance would say nothing but marks.
    model.generation_config.suppress_tokens = [*range(WORDS.index("a")), *range(len(WORDS), rows)]
    model.generation_config.forced_eos_token_id = None
    model.save_pretrained(folder)


def make_blip(folder: Path) -> Path:
    """Write a BLIP of 32 x 32 pixels."""
    text = {
        "vocab_size": len(WORDS), "hidden_size": 16, "encoder_hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1,
        "num_attention_heads": 2, "max_position_embeddings": 80, "bos_token_id": 2, "eos_token_id": 3, "sep_token_id": 3,
        "pad_token_id": 0, "projection_dim": 16,
    }  # fmt: skip
    config = transformers.BlipConfig(text_config=text, vision_config=VISION, projection_dim=16)
    save(transformers.BlipForConditionalGeneration(config), folder)
    transformers.BlipProcessor(transformers.BlipImageProcessor(size=SQUARE), words()).save_pretrained(folder)
    return folder
