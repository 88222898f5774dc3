"""A folder of hostile models: none runs a line, each is refused with the reason."""

import json
import os
import pickle
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

from bot.errors import UnsafeModelError
from bot.models.verify import verify_folder

MODULES = [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}]
NESTED = {"a": [{"b": {"auto_map": {"AutoModel": "code.Model"}}}]}


class Bomb:
    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, ("was-run",)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "1_Pooling").mkdir(parents=True)
    save_file({"w": np.zeros((2, 3), np.float32)}, folder / "model.safetensors")
    (folder / "config.json").write_text('{"model_type": "bert"}')
    (folder / "modules.json").write_text(json.dumps(MODULES))
    (folder / "1_Pooling" / "config.json").write_text("{}")
    (folder / "vocab.json").write_text('{"auto_map": 17, "trust": 18}')
    (folder / "README.md").write_text("# A model")
    (folder / "LICENSE").write_text("MIT")
    return folder


def test_a_folder_of_data_is_let_in(folder: Path) -> None:
    (folder / ".cache").mkdir()
    (folder / ".cache" / "download.metadata").touch()

    names = [file.relative_to(folder).as_posix() for file in verify_folder(folder)]

    expected = ["1_Pooling/config.json", "LICENSE", "README.md", "config.json", "model.safetensors", "modules.json", "vocab.json"]
    assert names == expected


@pytest.mark.parametrize(
    "name",
    [
        "pytorch_model.bin",
        "model.pt",
        "model.pth",
        "tf_model.h5",
        "model.pkl",
        "modeling_mine.py",
        "model.ckpt",
        "x.so",
        "Model.BIN",
    ],
)
def test_a_file_that_can_hold_code_is_refused(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    (folder / "1_Pooling" / name).write_bytes(pickle.dumps(Bomb()))

    with pytest.raises(UnsafeModelError, match=f"1_Pooling/{name}"):
        verify_folder(folder)

    assert not (folder / "was-run").exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", json.dumps(NESTED)),
        ("config.json", '{"auto_map": {"AutoModel": "x--y.Model"}, "auto_map": null}'),
        ("tokenizer_config.json", '{"auto_map": {"AutoTokenizer": ["code.Tokenizer", null]}}'),
        ("sentence_bert_config.json", '{"model_args": {"trust_remote_code": true}}'),
        ("config.json", '{"custom_pipelines": {"mine": {"impl": "code.py"}}}'),
        ("modules.json", '[{"idx": 0, "type": "stranger.Module", "path": ""}]'),
        ("modules.json", '[{"idx": 0, "type": "sentence_transformers.models.Transformer.evil", "path": ""}]'),
        ("modules.json", '[{"idx": 0, "type": "sentence_transformers.models.Transformer", "path": "../elsewhere"}]'),
        ("modules.json", '[{"idx": 0, "type": "sentence_transformers.models.Transformer", "path": "/etc"}]'),
        ("modules.json", '{"type": "x"}'),
        ("1_Pooling/config.json", '{"activation_function": "os.system"}'),
        ("model_index.json", '{"_class_name": "MyPipeline", "unet": ["my_code", "Unet"]}'),
        ("model_index.json", '{"_class_name": ["code", "MyPipeline"]}'),
        ("model.safetensors.index.json", '{"weight_map": {"w": "../../other.safetensors"}}'),
        ("model.safetensors.index.json", '{"weight_map": {"w": "pytorch_model.bin"}}'),
        ("config.json", "{"),
        ("config.json", "[" * 200_000),
        ("config.json", b"\xff\xfe"),
    ],
)
def test_a_json_file_that_leads_to_code_or_away_is_refused(folder: Path, name: str, content: str | bytes) -> None:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(UnsafeModelError, match=name.rpartition("/")[2].replace(".", r"\.")):
        verify_folder(folder)


@pytest.mark.parametrize("kind", ["file", "folder", "whole"])
def test_a_link_is_refused(folder: Path, tmp_path: Path, kind: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere.json").write_text("{}")
    if kind == "file":
        (folder / "extra.json").symlink_to(tmp_path / "elsewhere.json")
    elif kind == "folder":
        (folder / "extra").symlink_to(tmp_path / "elsewhere")
    else:
        (tmp_path / "linked").symlink_to(folder)
        folder = tmp_path / "linked"

    with pytest.raises(UnsafeModelError):
        verify_folder(folder)


def test_a_pipe_is_refused_without_reading_it(folder: Path) -> None:
    os.mkfifo(folder / "config2.json")

    with pytest.raises(UnsafeModelError, match="no ordinary file"):
        verify_folder(folder)


def header(said: object) -> bytes:
    text = json.dumps(said).encode()
    return struct.pack("<Q", len(text)) + text


@pytest.mark.parametrize(
    "content",
    [
        struct.pack("<Q", 100 << 30) + b"{}",
        b"",
        b"\x00" * 7,
        header({"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}) + bytes(8),
        header({"w": {"dtype": "F32", "shape": [4], "data_offsets": [-16, 0]}}) + bytes(16),
        header({"w": {"dtype": "F32", "shape": [4], "data_offsets": "0:16"}}) + bytes(16),
        header([1, 2]),
        struct.pack("<Q", 4) + b"nope",
        pickle.dumps(Bomb()),
    ],
)
def test_a_safetensors_header_that_lies_is_refused(folder: Path, content: bytes) -> None:
    (folder / "model.safetensors").write_bytes(content)

    with pytest.raises(UnsafeModelError, match=r"model\.safetensors"):
        verify_folder(folder)


def onnx_model(folder: Path, *, domain: str = "", location: str = "", nested: bool = False) -> None:
    weights = numpy_helper.from_array(np.zeros((2, 2), np.float32), "w")
    if location:
        weights.ClearField("raw_data")
        weights.data_location = TensorProto.EXTERNAL
        weights.external_data.add(key="location", value=location)
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 2]) for name in "xy")
    if nested:
        nodes = [helper.make_node("Constant", [], ["w"], value=weights), helper.make_node("Add", ["x", "w"], ["y"])]
        graph = helper.make_graph(nodes, "g", [x], [y])
    else:
        graph = helper.make_graph([helper.make_node("Add", ["x", "w"], ["y"])], "g", [x], [y], [weights])
    imports = [helper.make_opsetid("", 17), *([helper.make_opsetid(domain, 1)] if domain else [])]
    (folder / "model.onnx").write_bytes(helper.make_model(graph, opset_imports=imports).SerializeToString())


def test_an_onnx_file_whose_data_lies_beside_it_is_let_in(folder: Path) -> None:
    (folder / "model.onnx_data").write_bytes(bytes(16))
    onnx_model(folder, location="model.onnx_data", domain="com.microsoft")

    assert folder / "model.onnx" in verify_folder(folder)


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("location", ["../../secret", "/etc/passwd", "missing.onnx_data", "..\\secret"])
def test_an_onnx_file_that_reads_elsewhere_is_refused(folder: Path, location: str, *, nested: bool) -> None:
    onnx_model(folder, location=location, nested=nested)

    with pytest.raises(UnsafeModelError, match="outside its folder"):
        verify_folder(folder)


def test_an_onnx_file_with_operators_of_a_stranger_is_refused(folder: Path) -> None:
    onnx_model(folder, domain="com.stranger")

    with pytest.raises(UnsafeModelError, match=r"com\.stranger"):
        verify_folder(folder)


def test_what_is_no_onnx_is_refused(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(b"\xff\xff\xff garbage")

    with pytest.raises(UnsafeModelError, match="cannot be read as ONNX"):
        verify_folder(folder)


def test_an_empty_folder_and_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    for name in ("empty", "nowhere"):
        with pytest.raises(UnsafeModelError):
            verify_folder(tmp_path / name)


def test_too_many_files_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.models.verify.MOST_FILES", 5)

    with pytest.raises(UnsafeModelError, match="more than 5 files"):
        verify_folder(folder)


def test_the_reason_is_told_in_korean_too(folder: Path) -> None:
    (folder / "model.bin").touch()

    with pytest.raises(UnsafeModelError) as caught:
        verify_folder(folder)

    assert "코드가 들어 있을 수 있어요" in caught.value.sentence("ko")
