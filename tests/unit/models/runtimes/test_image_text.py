"""Image-text models through the real load: tiny ones with random weights, made by transformers itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
import transformers
from fakes.tiny_captioners import SQUARE, VISION, WORDS, make_blip, save, words
from PIL import Image

from bot.errors import ModelError, UnsafeModelError
from bot.models.runtimes.image_text import Captioner, _sentence, load
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.tasks import ImageFile

SPEC = ModelSpec("caption.tiny.v1", "caption", "image-text", "folder")


def make_git(folder: Path) -> None:
    config = transformers.GitConfig(
        vision_config=VISION, vocab_size=len(WORDS), hidden_size=16, intermediate_size=16, num_hidden_layers=1,
        num_attention_heads=2, max_position_embeddings=128, bos_token_id=2, eos_token_id=3, pad_token_id=0,
    )  # fmt: skip
    save(transformers.GitForCausalLM(config), folder)
    pictures = transformers.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=SQUARE)
    transformers.GitProcessor(pictures, words()).save_pretrained(folder)


def make_vit_gpt2(folder: Path) -> None:
    encoder = transformers.ViTConfig(**VISION)
    decoder = transformers.GPT2Config(
        vocab_size=len(WORDS), n_embd=16, n_layer=1, n_head=2, n_positions=80, add_cross_attention=True, is_decoder=True,
        bos_token_id=5, eos_token_id=6,
    )  # fmt: skip
    config = transformers.VisionEncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder)
    model = transformers.VisionEncoderDecoderModel(config)
    for settings in (model.config, model.generation_config):
        settings.decoder_start_token_id, settings.pad_token_id, settings.eos_token_id = 5, 0, 6
    save(model, folder)
    transformers.ViTImageProcessor(size=SQUARE).save_pretrained(folder)
    words().save_pretrained(folder)


def make_florence2(folder: Path) -> None:
    vision = {
        "embed_dim": [8] * 4, "num_heads": [2] * 4, "num_groups": [2] * 4, "depths": [1] * 4, "patch_size": [7, 3, 3, 3],
        "patch_stride": [4, 2, 2, 2], "patch_padding": [3, 1, 1, 1], "patch_prenorm": [False, True, True, True], "window_size": 2,
        "projection_dim": 16, "max_position_embeddings": 10, "max_temporal_embeddings": 10,
    }  # fmt: skip
    text = {
        "model_type": "bart", "vocab_size": len(WORDS), "d_model": 16, "encoder_layers": 1, "decoder_layers": 1,
        "encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16,
        "max_position_embeddings": 128, "pad_token_id": 0, "bos_token_id": 5, "eos_token_id": 6, "decoder_start_token_id": 6,
        "forced_eos_token_id": None,
    }  # fmt: skip
    tokenizer = words(image_token="<image>")
    config = transformers.Florence2Config(
        text_config=text, vision_config=vision, image_token_id=tokenizer.convert_tokens_to_ids("<image>")
    )
    save(transformers.Florence2ForConditionalGeneration(config), folder)
    pictures = transformers.CLIPImageProcessor(size={"height": 64, "width": 64}, do_center_crop=False)
    pictures.image_seq_length = 5
    transformers.Florence2Processor(pictures, tokenizer).save_pretrained(folder)


def make_smolvlm(folder: Path) -> None:
    marks = {
        "image_token": "<image>", "fake_image_token": "<fake_token_around_image>", "global_image_token": "<global-img>",
        "end_of_utterance_token": "<end_of_utterance>",
    }  # fmt: skip
    tokenizer = words(**marks)
    text = {
        "model_type": "llama", "vocab_size": len(WORDS) + 16, "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1,
        "num_attention_heads": 2, "num_key_value_heads": 2, "max_position_embeddings": 512, "pad_token_id": 0, "bos_token_id": 5,
        "eos_token_id": 6,
    }  # fmt: skip
    vision = VISION | {"patch_size": 8}
    token = tokenizer.convert_tokens_to_ids("<image>")
    config = transformers.Idefics3Config(vision_config=vision, text_config=text, image_token_id=token, scale_factor=2)
    save(transformers.Idefics3ForConditionalGeneration(config), folder, rows=len(WORDS) + 16)
    side = {"longest_edge": 32}
    pictures = transformers.Idefics3ImageProcessor(size=side, max_image_size=side, do_image_splitting=False)
    spoken = (
        "{% for turn in messages %}{% for part in turn['content'] %}"
        "{{ part['text'] if 'text' in part else '<image>' }} {% endfor %}{% endfor %}"
    )
    transformers.Idefics3Processor(pictures, tokenizer, image_seq_len=4, chat_template=spoken).save_pretrained(folder)


MAKERS: dict[str, Callable[[Path], None]] = {
    "blip": make_blip,
    "git": make_git,
    "vit-gpt2": make_vit_gpt2,
    "florence-2": make_florence2,
    "smolvlm": make_smolvlm,
}


@pytest.fixture(scope="module", params=MAKERS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp(str(request.param))
    with torch.random.fork_rng():
        torch.manual_seed(4)
        MAKERS[request.param](made)
    return made


@pytest.fixture
def model(folder: Path) -> Iterator[Captioner]:
    loaded = load(SPEC, folder, LoadOptions(threads=1))
    yield loaded
    loaded.close()


@pytest.fixture
def pictures(tmp_path: Path) -> list[ImageFile]:
    for colour in ("red", "blue", "white"):
        Image.new("RGB", (50, 40), colour).save(tmp_path / f"{colour}.png")
    return [ImageFile(tmp_path / f"{colour}.png") for colour in ("red", "blue", "white")]


def test_each_picture_gets_its_words_in_order(model: Captioner, pictures: list[ImageFile]) -> None:
    together = [caption.text for caption in model.predict(pictures)]
    alone = [model.predict([picture])[0].text for picture in pictures]
    assert together == alone
    assert any(together)
    assert all(set(text.split()) <= set(WORDS) for text in together)
    assert model.predict([]) == []


def test_twice_the_same_picture_gets_the_same_words(model: Captioner, pictures: list[ImageFile]) -> None:
    assert model.predict(pictures) == model.predict(pictures)


def test_what_is_no_picture_is_told(model: Captioner, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="no picture"):
        model.predict([ImageFile(tmp_path / "a.png")])


def test_after_close_it_says_so(folder: Path, pictures: list[ImageFile]) -> None:
    loaded = load(SPEC, folder, LoadOptions(threads=1))
    loaded.close()
    with pytest.raises(ModelError, match="unloaded"):
        loaded.predict(pictures)


def test_weights_that_are_no_safetensors_are_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "blip"}', encoding="utf-8")
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04N.")
    with pytest.raises(UnsafeModelError):
        load(SPEC, tmp_path, LoadOptions())


def test_a_folder_of_another_kind_is_told(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "no-such-model"}', encoding="utf-8")
    (tmp_path / "model.safetensors").write_bytes(b"\x02\x00\x00\x00\x00\x00\x00\x00{}")
    with pytest.raises(ModelError, match=r"caption\.tiny\.v1"):
        load(SPEC, tmp_path, LoadOptions())


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("two cats on a couch .", "two cats on a couch"),
        ("</s><s>A dog, running.</s>", "A dog, running"),
        ("a man man man in a hat", "a man in a hat"),
        ("  ", ""),
    ],
)
def test_words_become_a_sentence(said: str, told: str) -> None:
    assert _sentence(said) == told
