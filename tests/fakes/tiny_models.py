"""Tiny models of every family, made by transformers itself with seeded weights: real loading code, small figures."""

from __future__ import annotations

import json
from pathlib import Path

LINES = [
    "The quick brown fox jumps over the lazy dog.",
    "Where is the meeting on Tuesday?",
    "Please send me the report by tomorrow morning.",
    "안녕하세요, 만나서 반갑습니다.",
    "회의는 화요일 오전에 있어요.",
    "보고서를 내일까지 보내 주세요.",
]
SENTENCEPIECE_SIZE = 120


def sentencepiece_model(file: Path) -> list[str]:
    """Train a tiny unigram model and return its pieces."""
    import sentencepiece

    lines = file.with_suffix(".txt")
    lines.write_text("\n".join(LINES * 5), encoding="utf-8")
    sentencepiece.SentencePieceTrainer.Train(
        input=str(lines), model_prefix=str(file.with_suffix("")), vocab_size=SENTENCEPIECE_SIZE, hard_vocab_limit=False,
        minloglevel=2, num_threads=1,
    )  # fmt: skip
    file.with_suffix(".model").rename(file)
    processor = sentencepiece.SentencePieceProcessor(model_file=str(file))
    return [processor.id_to_piece(number) for number in range(processor.get_piece_size())]


def marian(folder: Path, *, targets: tuple[str, ...] = (), pair: tuple[str, str] | None = None) -> Path:
    """Write an opus-mt model: one pair, or one with `>>xx<<` targets."""
    import torch
    from transformers import MarianConfig, MarianMTModel

    folder.mkdir(parents=True)
    pieces = sentencepiece_model(folder / "source.spm")
    (folder / "source.txt").unlink()
    (folder / "source.vocab").unlink()
    (folder / "target.spm").write_bytes((folder / "source.spm").read_bytes())
    words = [
        "</s>",
        "<unk>",
        *(f">>{target}<<" for target in targets),
        *(p for p in pieces if p not in ("<s>", "</s>", "<unk>")),
        "<pad>",
    ]
    (folder / "vocab.json").write_text(json.dumps({word: number for number, word in enumerate(words)}), encoding="utf-8")
    named = {"source_lang": pair[0], "target_lang": pair[1]} if pair else {}
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "MarianTokenizer", **named}), encoding="utf-8")
    pad = len(words) - 1
    torch.manual_seed(7)
    config = MarianConfig(
        vocab_size=len(words), d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2,
        encoder_ffn_dim=16, decoder_ffn_dim=16, max_position_embeddings=64, pad_token_id=pad, eos_token_id=0, forced_eos_token_id=0,
        decoder_start_token_id=pad, bos_token_id=None, num_beams=2, bad_words_ids=[[pad]],
    )  # fmt: skip
    MarianMTModel(config).save_pretrained(folder)
    return folder


def nllb(folder: Path) -> Path:
    """Write an NLLB model with its 202 language codes."""
    import torch
    from transformers import M2M100Config, M2M100ForConditionalGeneration, NllbTokenizer

    letters = sorted({letter for line in LINES for letter in line if letter != " "} | {"▁"})
    vocab = {word: number for number, word in enumerate(["<s>", "<pad>", "</s>", "<unk>", *letters])}
    tokenizer = NllbTokenizer(vocab=vocab, merges=[])
    tokenizer.save_pretrained(folder)
    torch.manual_seed(8)
    M2M100ForConditionalGeneration(_m2m_config(M2M100Config, len(tokenizer))).save_pretrained(folder)
    return folder


def m2m100(folder: Path) -> Path:
    """Write an M2M100 model with its 100 `__xx__` codes."""
    import torch
    from transformers import M2M100Config, M2M100ForConditionalGeneration, M2M100Tokenizer

    folder.mkdir(parents=True)
    pieces = sentencepiece_model(folder / "sentencepiece.bpe.model")
    words = ["<s>", "<pad>", "</s>", "<unk>", *(piece for piece in pieces if piece not in ("<s>", "</s>", "<unk>"))]
    (folder / "vocab.json").write_text(json.dumps({word: number for number, word in enumerate(words)}), encoding="utf-8")
    tokenizer = M2M100Tokenizer(str(folder / "vocab.json"), str(folder / "sentencepiece.bpe.model"))
    tokenizer.save_pretrained(folder)
    torch.manual_seed(9)
    M2M100ForConditionalGeneration(_m2m_config(M2M100Config, len(words) + 108)).save_pretrained(folder)
    return folder


def _m2m_config(kind: type, words: int) -> object:
    return kind(
        vocab_size=words, d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2,
        encoder_ffn_dim=16, decoder_ffn_dim=16, max_position_embeddings=64, pad_token_id=1, bos_token_id=0, eos_token_id=2,
        decoder_start_token_id=2, num_beams=1,
    )  # fmt: skip


def word_tokenizer(folder: Path, *, extra: tuple[str, ...] = (), chat_template: str = "") -> int:
    """Write a fast tokenizer over letters and return its size."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    special = ["<s>", "<pad>", "</s>", "<unk>", *extra]
    tokenizer = Tokenizer(models.BPE({word: number for number, word in enumerate([*special, *alphabet])}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>",
        additional_special_tokens=list(extra),
    )  # fmt: skip
    if chat_template:
        fast.chat_template = chat_template
    fast.save_pretrained(folder)
    return len(fast)


def bart(folder: Path, *, says: str = "") -> Path:
    """Write a BART summariser with an encoder of 128 tokens, which has a bias to the word that it `says`."""
    import torch
    from transformers import BartConfig, BartForConditionalGeneration

    words = word_tokenizer(folder)
    torch.manual_seed(10)
    config = BartConfig(
        vocab_size=words, d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2,
        encoder_ffn_dim=16, decoder_ffn_dim=16, max_position_embeddings=128, pad_token_id=1, bos_token_id=0, eos_token_id=2,
        decoder_start_token_id=2, forced_eos_token_id=2, num_beams=2,
    )  # fmt: skip
    model = BartForConditionalGeneration(config)
    if says:
        from transformers import AutoTokenizer

        model.final_logits_bias[0, AutoTokenizer.from_pretrained(folder).convert_tokens_to_ids(says)] = 100.0
    model.save_pretrained(folder)
    return folder


def t5(folder: Path, *, extra: tuple[str, ...] = ()) -> Path:
    """Write a T5; `extra` tokens `<2xx>` make it a MADLAD-400."""
    import torch
    from transformers import T5Config, T5ForConditionalGeneration

    words = word_tokenizer(folder, extra=extra)
    torch.manual_seed(11)
    config = T5Config(
        vocab_size=words, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_decoder_layers=1, num_heads=2, pad_token_id=1, eos_token_id=2,
        decoder_start_token_id=1,
    )  # fmt: skip
    T5ForConditionalGeneration(config).save_pretrained(folder)
    file = folder / "config.json"
    written = json.loads(file.read_text(encoding="utf-8"))
    written["task_specific_params"] = {"summarization": {"prefix": "summarize: "}}
    file.write_text(json.dumps(written), encoding="utf-8")
    return folder


CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
NO_SYSTEM = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}" + CHATML


def qwen(folder: Path, *, window: int = 256, chat_template: str = CHATML) -> Path:
    """Write a Qwen2 that speaks ChatML."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    words = word_tokenizer(folder, extra=("<|im_start|>", "<|im_end|>"), chat_template=chat_template)
    torch.manual_seed(12)
    config = Qwen2Config(
        vocab_size=words, hidden_size=32, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=2,
        max_position_embeddings=window, pad_token_id=1, bos_token_id=0, eos_token_id=2,
    )  # fmt: skip
    Qwen2ForCausalLM(config).save_pretrained(folder)
    return folder


LANGUAGES = ("en", "ko", "jw")


def whisper(folder: Path, *, many_languages: bool = True) -> Path:
    """Write a Whisper with its 30-second encoder; of `LANGUAGES`, or of English alone."""
    import torch
    from tokenizers import pre_tokenizers
    from transformers import (
        GenerationConfig,
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperTokenizer,
    )

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = {letter: number for number, letter in enumerate([*alphabet, "<|endoftext|>"])}
    special = [
        "<|startoftranscript|>",
        *(f"<|{one}|>" for one in LANGUAGES),
        "<|translate|>",
        "<|transcribe|>",
        "<|notimestamps|>",
    ]
    tokenizer = WhisperTokenizer(vocab=vocab, merges=[], extra_special_tokens=special)
    ids = {token: tokenizer.convert_tokens_to_ids(token) for token in [*special, "<|endoftext|>"]}
    tokenizer.save_pretrained(folder)
    WhisperFeatureExtractor(feature_size=80).save_pretrained(folder)
    torch.manual_seed(13)
    config = WhisperConfig(
        vocab_size=len(tokenizer) + 10, d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2,
        encoder_ffn_dim=16, decoder_ffn_dim=16, max_target_positions=32, pad_token_id=ids["<|endoftext|>"],
        bos_token_id=ids["<|endoftext|>"], eos_token_id=ids["<|endoftext|>"], decoder_start_token_id=ids["<|startoftranscript|>"],
    )  # fmt: skip
    model = WhisperForConditionalGeneration(config)
    told = {
        "lang_to_id": {f"<|{one}|>": ids[f"<|{one}|>"] for one in LANGUAGES},
        "task_to_id": {"transcribe": ids["<|transcribe|>"], "translate": ids["<|translate|>"]},
    }
    model.generation_config = GenerationConfig(
        is_multilingual=many_languages, no_timestamps_token_id=ids["<|notimestamps|>"],
        decoder_start_token_id=ids["<|startoftranscript|>"], eos_token_id=ids["<|endoftext|>"], pad_token_id=ids["<|endoftext|>"],
        bos_token_id=ids["<|endoftext|>"], max_length=32, **(told if many_languages else {}),
    )  # fmt: skip
    model.save_pretrained(folder)
    return folder


def diffusion(folder: Path) -> Path:
    """Write a Stable Diffusion pipeline that draws 64 x 64 pixels in a blink."""
    import torch
    from diffusers import AutoencoderKL, LCMScheduler, StableDiffusionPipeline, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    words = folder.parent / f"{folder.name}-words"
    words.mkdir(parents=True)
    alphabet = "abcdefghijklmnopqrstuvwxyz0123456789!?.,'"
    vocab = ["!", *alphabet, *(f"{letter}</w>" for letter in alphabet), "<|startoftext|>", "<|endoftext|>"]
    (words / "vocab.json").write_text(json.dumps({word: number for number, word in enumerate(dict.fromkeys(vocab))}))
    (words / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = CLIPTokenizer.from_pretrained(words, model_max_length=77)
    torch.manual_seed(14)
    size = len(tokenizer)
    StableDiffusionPipeline(
        vae=AutoencoderKL(
            block_out_channels=[8, 8], in_channels=3, out_channels=3, down_block_types=["DownEncoderBlock2D"] * 2,
            up_block_types=["UpDecoderBlock2D"] * 2, latent_channels=4, norm_num_groups=4,
        ),
        text_encoder=CLIPTextModel(CLIPTextConfig(
            vocab_size=size, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, max_position_embeddings=77,
            bos_token_id=size - 2, eos_token_id=size - 1, pad_token_id=size - 1,
        )),
        tokenizer=tokenizer,
        unet=UNet2DConditionModel(
            block_out_channels=(8, 8), layers_per_block=1, sample_size=8, in_channels=4, out_channels=4, norm_num_groups=4,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            cross_attention_dim=16, attention_head_dim=4,
        ),
        scheduler=LCMScheduler(steps_offset=1),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    ).save_pretrained(folder, safe_serialization=True)  # fmt: skip
    return folder
