"""A sentence-transformers model of a few thousand weights, made on the spot, the same every time."""

import string
from pathlib import Path

WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    *string.ascii_lowercase,
    *("##" + letter for letter in string.ascii_lowercase),
]


def tiny_embedder(folder: Path, *, seed: int = 7) -> Path:
    """Write a one-layer BERT with mean pooling (32 dimensions) into `folder`, in safetensors."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizerFast
    from transformers.utils import logging

    logging.disable_progress_bar()
    bare = folder.with_name(f"{folder.name}-bare")
    bare.mkdir(parents=True)
    (bare / "vocab.txt").write_text("\n".join(WORDS))
    shape = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        BertModel(BertConfig(vocab_size=len(WORDS), max_position_embeddings=64, **shape)).save_pretrained(bare)
    BertTokenizerFast(vocab_file=str(bare / "vocab.txt"), model_max_length=64).save_pretrained(bare)
    SentenceTransformer(modules=[Transformer(str(bare)), Pooling(32), Normalize()], device="cpu").save(str(folder))
    return folder
