"""Which files of a repository are fetched, and what its word may be."""

import pytest

from bot.errors import ModelError
from bot.models import hub_listing
from bot.models.hub_listing import chosen, estimate_bytes, size, slot_for
from bot.models.origin import parse


@pytest.mark.parametrize(
    ("there", "fetched"),
    [
        (["config.json", "model.safetensors", "pytorch_model.bin", "tf_model.h5", "flax_model.msgpack", "model.onnx"], [0, 1]),
        (["model.safetensors", "onnx/model.onnx", "onnx/model.onnx_data", "openvino/openvino_model.xml"], [0]),
        (["onnx/model.onnx", "onnx/model.onnx_data", "pytorch_model.bin"], [0, 1]),
        (["model.fp16.safetensors", "model.safetensors"], [1]),
        (["consolidated.safetensors", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"], [1, 2]),
        (["model-00001-of-00001.safetensors", "model.safetensors", "model.safetensors.index.json"], [1]),
        (["model-00001-of-00001.safetensors", "model.safetensors.index.json"], [0, 1]),
        (["2_Dense/model.safetensors", "model.safetensors", "modules.json"], [0, 1, 2]),
        (["model_index.json", "sd-v1.safetensors", "unet/diffusion_pytorch_model.safetensors"], [0, 2]),
        (["vae/diffusion_pytorch_model.fp16.safetensors", "vae/diffusion_pytorch_model.safetensors"], [1]),
        ([".cache/model.safetensors", ".gitattributes", "a.png", "model.safetensors", "modeling.py", "paring.hub.json"], [3]),
        (["LICENSE", "README.md", "model.safetensors"], [0, 1, 2]),
    ],
)
def test_weights_are_fetched_in_one_form_and_nothing_that_holds_code(there: list[str], fetched: list[int]) -> None:
    assert chosen(there) == tuple(there[place] for place in fetched)


def test_a_repository_of_thousands_of_folders_is_read_in_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    whole = hub_listing._folder
    monkeypatch.setattr(hub_listing, "_folder", lambda path: asked.append(path) or whole(path))
    folders = [f"checkpoint-{number:04d}" for number in range(1_000)]

    taken = chosen(f"{folder}/{name}" for folder in folders for name in ("model.safetensors", "model.safetensors.index.json"))

    assert taken == tuple(f"{folder}/model.safetensors" for folder in folders)
    assert len(asked) <= 4 * len(folders)


@pytest.mark.parametrize(
    ("word", "repo", "revision"),
    [
        ("hub:intfloat/e5", "intfloat/e5", ""),
        ("hub:intfloat/e5@main", "intfloat/e5", "main"),
        ("hub:intfloat/e5@refs/pr/3", "intfloat/e5", "refs/pr/3"),
        (f"hub:a/b@{'A' * 40}", "a/b", "a" * 40),
    ],
)
def test_a_word_names_a_repository_and_a_revision(word: str, repo: str, revision: str) -> None:
    assert parse(word) == (repo, revision)


@pytest.mark.parametrize(
    "word",
    [
        "a/b", "hub:", "hub:a", "hub:a/b/c", "hub:a/b@", "hub:../b", "hub:a/..", "hub:a--b/c", "hub:a/b.git", "hub:a/b@../x", "hub:가/나",
        "hub:a/b@x y",
    ],
)  # fmt: skip
def test_any_other_word_is_told(word: str) -> None:
    with pytest.raises(ModelError, match="names no model of a hub"):
        parse(word)


def test_sizes_and_slots_are_told() -> None:
    assert [size(count) for count in (0, 1, 999_999, 1_500_000, 470_000_000, 1_400_000_000)] == [
        "0 kB",
        "1 kB",
        "1000 kB",
        "1.5 MB",
        "470 MB",
        "1.4 GB",
    ]
    assert estimate_bytes({"F32": 10, "BF16": 10, "I8": 10}) == 70
    assert [
        slot_for(["modules.json"], ""),
        slot_for(["model_index.json"], ""),
        slot_for([], "whisper"),
        slot_for([], "qwen2"),
    ] == [
        "embed",
        "imagine",
        "transcribe",
        "",
    ]
