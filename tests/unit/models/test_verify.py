"""A folder of hostile models: none runs a line, each is refused with the reason."""

import json
import os
import pickle
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

from bot.errors import UnsafeModelError
from bot.models.verify import verify_folder, why_not
from bot.models.verify_onnx import fault_of

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
        ("1_Pooling/config.json", '{"activation_function": "torch.nn.modules.module.os.system"}'),
        ("model_index.json", '{"_class_name": "P", "../unet": ["diffusers", "UNet2DConditionModel"]}'),
        ("model_index.json", '{"_class_name": "P", "unet": ["diffusers", "../Unet"]}'),
        ("adapter_config.json", '{"base_model_name_or_path": "../other"}'),
        ("config.json", '{"text_config": {"attn_implementation": "stranger/kernel"}}'),
        ("config.json", '{"_attn_implementation_internal": {"vision": "stranger/kernel@v1"}}'),
        ("config.json", '{"a": [{"trust_remote_code": 1}]}'),
        ("config.json", '{"\\u0061uto_map": {"AutoModel": "code.Model"}}'),
        ("generation_config.json", '{"custom_generate": "stranger/decoding"}'),
        ("sentence_bert_config.json", '{"tokenizer_name_or_path": "/elsewhere"}'),
        ("sentence_bert_config.json", '{"model_kwargs": {"allow_all_kernels": true}}'),
        ("sentence_bert_config.json", '{"model_kwargs": {"gguf_file": "x.gguf"}}'),
        ("tokenizer_config.json", json.dumps({"chat_template": "{{ ''.__class__.__mro__ }}"})),
        ("tokenizer_config.json", json.dumps({"chat_template": [{"name": "tool", "template": "{{ x.__globals__ }}"}]})),
        ("tokenizer_config.json", json.dumps({"chat_template": "x" * 300_000}).encode()),
        ("tokenizer.json", json.dumps({"pre_tokenizer": {"pretokenizers": [{"pattern": {"Regex": r"(\w+\s?)+$"}}]}})),
        ("tokenizer.json", json.dumps({"normalizer": {"pattern": {"Regex": "(?:[a-z]{2,})*"}}})),
        ("config.json", "{"),
        ("config.json", "[" * 200_000),
        ("config.json", b"[" + b"[]," * 2_100_000 + b"[]]"),
        ("config.json", b"[" + b"9" * 5_000 + b"]"),
        ("config.json", pickle.dumps(Bomb())),
        ("config.json", b"\xff\xfe"),
    ],
)
def test_a_json_file_that_leads_to_code_or_away_is_refused(folder: Path, name: str, content: str | bytes) -> None:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(UnsafeModelError, match=name.rpartition("/")[2].replace(".", r"\.")):
        verify_folder(folder)


def test_a_name_in_capitals_is_looked_at_as_the_file_that_it_is_elsewhere(folder: Path) -> None:
    (folder / "modules.json").rename(folder / "Modules.JSON")
    assert verify_folder(folder)
    (folder / "Modules.JSON").write_text('[{"idx": 0, "type": "stranger.Module", "path": ""}]')

    with pytest.raises(UnsafeModelError, match=r"stranger\.Module"):
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


GPT_4O = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
BLOOM = r" ?[^(\s|[.,!?…。，、।۔،])]+"


@pytest.mark.parametrize("pattern", [GPT_4O, BLOOM, " {2,}", r"(ab)+", r"\(a+\)+", r"[(a+)]+", r"(a{1,3})+"])
def test_a_tokenizer_s_pattern_that_ends_is_let_in(folder: Path, pattern: str) -> None:
    (folder / "tokenizer.json").write_text(json.dumps({"pre_tokenizer": {"pattern": {"Regex": pattern}}}))

    assert folder / "tokenizer.json" in verify_folder(folder)


@pytest.mark.parametrize(
    "name", ["vocab.txt", "merges.txt", "spiece.model", "a.spm", "x.tiktoken", "README.md", "x.png", "x.yaml"]
)
@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_a_pickle_under_another_name_is_refused(folder: Path, name: str, protocol: int) -> None:
    (folder / name).write_bytes(pickle.dumps(Bomb(), protocol=protocol))

    with pytest.raises(UnsafeModelError, match=name.replace(".", r"\.")):
        verify_folder(folder)


def test_vocabularies_of_the_kinds_that_are_read_are_let_in(folder: Path) -> None:
    pieces = b"".join(b"\x0a\x0a\x0a\x03\xe2\x96\x81\x15\0\0\0\0\x12" for _one in range(3))
    (folder / "spiece.model").write_bytes(b"\x0a\x03\x0a\x01a\x12\x00")
    (folder / "tokenizer.model").write_bytes(b"IQ== 0\nIg== 1\n")
    assert len(verify_folder(folder)) == 9

    (folder / "spiece.model").write_bytes(pieces)
    with pytest.raises(UnsafeModelError, match=r"spiece\.model"):
        verify_folder(folder)


@pytest.mark.parametrize("names", [("config.json", "Config.json"), ("a/x.txt", "A/y.txt"), ("é.txt", "e\u0301.txt")])
def test_names_that_another_system_takes_for_one_are_refused(folder: Path, names: tuple[str, str]) -> None:
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("{}")

    with pytest.raises(UnsafeModelError, match="another file has the same name"):
        verify_folder(folder)


@pytest.mark.parametrize(
    "name",
    [
        "../x.json", "/x.json", "a//x.json", "a/./x.json", "a\\x.json", "C:x.json", "a\0.json", "x\u202egpj.json", "a /x.json",
        "a./x.json", "x.json.py", "model.safetensors.bin", "model.gguf", "model.msgpack", "m.nemo", "x.Pkl", "x", ".env",
        "d/" * 9 + "x.json", "x" * 300 + ".json",
    ],
)  # fmt: skip
def test_a_name_is_refused_before_anything_is_written(name: str) -> None:
    assert why_not(name) is not None
    assert why_not("1_Pooling/config.json") is None


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
        header({"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}) + bytes(16) + b"PK\x03\x04",
        header({"w": {"dtype": "F32", "shape": [2], "data_offsets": [8, 16]}}) + bytes(16),
        header({"w": {"data_offsets": [0, 16]}, "v": {"data_offsets": [8, 16]}}) + bytes(16),
        struct.pack("<Q", 96) + b'{"w":{"data_offsets":[0,4]},"w":{"data_offsets":[0,4]}}'.ljust(96) + bytes(4),
        struct.pack("<Q", 20 << 20) + b"{" + b" " * (20 << 20),
        struct.pack("<Q", 4) + b"nope",
        pickle.dumps(Bomb()),
    ],
)
def test_a_safetensors_header_that_lies_is_refused(folder: Path, content: bytes) -> None:
    (folder / "model.safetensors").write_bytes(content)

    with pytest.raises(UnsafeModelError, match=r"model\.safetensors"):
        verify_folder(folder)


@pytest.fixture
def within(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at graphs in the test's own process: a child takes half a second."""
    monkeypatch.setattr("bot.models.verify_onnx._looked_at", lambda file, _state: fault_of(file))


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


def graph_of(node: NodeProto, **parts: object) -> bytes:
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 2]) for name in "xy")
    model = helper.make_model(helper.make_graph([node], "g", [x], [y]), opset_imports=[helper.make_opsetid("", 17)], **parts)
    return model.SerializeToString()


def far_away() -> TensorProto:
    weights = numpy_helper.from_array(np.zeros((2, 2), np.float32), "w")
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="../../secret")
    return weights


def inner(node: NodeProto) -> GraphProto:
    return helper.make_graph([node], "inner", [], [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2, 2])])


FOREIGN = helper.make_node("Evil", ["x"], ["y"], domain="com.stranger")
CONTEXT = helper.make_node("EPContext", ["x"], ["y"], domain="com.microsoft", embed_mode=0, ep_cache_context="../../evil.so")
SPARSE = helper.make_node("Constant", [], ["y"], sparse_value=helper.make_sparse_tensor(far_away(), far_away(), [2, 2]))
FUNCTION = helper.make_function("own", "F", ["x"], ["y"], [FOREIGN], [helper.make_opsetid("", 17)])
UNTOLD = TensorProto(name="w", dims=[2], data_type=1, data_location=TensorProto.EXTERNAL)


@pytest.mark.parametrize(
    "content",
    [
        graph_of(FOREIGN),
        graph_of(CONTEXT),
        graph_of(SPARSE),
        graph_of(helper.make_node("Constant", [], ["y"], value=UNTOLD)),
        graph_of(helper.make_node("If", ["x"], ["y"], then_branch=inner(FOREIGN), else_branch=inner(FOREIGN))),
        graph_of(helper.make_node("If", ["x"], ["y"], then_branch=inner(SPARSE), else_branch=inner(SPARSE))),
        graph_of(helper.make_node("F", ["x"], ["y"], domain="own"), functions=[FUNCTION]),
    ],
    ids=["operator", "context", "sparse", "without a place", "nested operator", "nested data", "function"],
)
@pytest.mark.usefixtures("within")
def test_an_onnx_file_that_hides_code_or_data_is_refused(folder: Path, content: bytes) -> None:
    (folder / "model.onnx").write_bytes(content)

    with pytest.raises(UnsafeModelError, match=r"model\.onnx"):
        verify_folder(folder)


@pytest.mark.usefixtures("within")
def test_an_onnx_file_with_functions_of_its_own_is_let_in(folder: Path) -> None:
    plain = helper.make_function(
        "own", "F", ["x"], ["y"], [helper.make_node("Relu", ["x"], ["y"])], [helper.make_opsetid("", 17)]
    )
    (folder / "model.onnx").write_bytes(graph_of(helper.make_node("F", ["x"], ["y"], domain="own"), functions=[plain]))

    assert folder / "model.onnx" in verify_folder(folder)


@pytest.mark.usefixtures("within")
def test_an_onnx_file_whose_data_lies_beside_it_is_let_in(folder: Path) -> None:
    (folder / "model.onnx_data").write_bytes(bytes(16))
    onnx_model(folder, location="model.onnx_data", domain="com.microsoft")

    assert folder / "model.onnx" in verify_folder(folder)


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("location", ["../../secret", "/etc/passwd", "missing.onnx_data", "..\\secret"])
@pytest.mark.usefixtures("within")
def test_an_onnx_file_that_reads_elsewhere_is_refused(folder: Path, location: str, *, nested: bool) -> None:
    onnx_model(folder, location=location, nested=nested)

    with pytest.raises(UnsafeModelError, match="outside its folder"):
        verify_folder(folder)


def test_an_onnx_file_with_operators_of_a_stranger_is_refused(folder: Path) -> None:
    onnx_model(folder, domain="com.stranger")

    with pytest.raises(UnsafeModelError, match=r"com\.stranger"):
        verify_folder(folder)


def test_a_graph_is_looked_at_once_and_again_when_it_has_changed(folder: Path) -> None:
    """In a child process, whose answer is kept for that very state of the file."""
    onnx_model(folder)
    assert folder / "model.onnx" in verify_folder(folder)

    onnx_model(folder, location="../../secret")
    for _time in range(2):
        with pytest.raises(UnsafeModelError, match="outside its folder"):
            verify_folder(folder)


def test_a_graph_that_takes_too_long_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.models.verify_onnx.SECONDS", 0.001)
    onnx_model(folder)

    with pytest.raises(UnsafeModelError, match="cannot be read as ONNX"):
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


def test_a_folder_that_nothing_changes_is_looked_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.models.verify.SETTLED_NS", 0)
    files = verify_folder(folder)
    monkeypatch.setattr("bot.models.verify._walk", lambda _folder: pytest.fail("looked at again"))
    assert verify_folder(folder) == files


def test_what_changes_is_looked_at_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.models.verify.SETTLED_NS", 0)
    verify_folder(folder)
    before = (folder / "config.json").stat()
    (folder / "config.json").write_text('{"auto_map": "bert"}')
    os.utime(folder / "config.json", ns=(before.st_atime_ns, before.st_mtime_ns))

    for _time in range(2):
        with pytest.raises(UnsafeModelError, match="auto_map"):
            verify_folder(folder)


def test_what_changed_just_now_is_looked_at_each_time(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.models.verify.SETTLED_NS", 1 << 62)
    verify_folder(folder)
    monkeypatch.setattr("bot.models.verify._walk", lambda _folder: iter(()))
    with pytest.raises(UnsafeModelError, match="it is empty"):
        verify_folder(folder)


def test_too_many_files_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.models.verify.MOST_FILES", 5)

    with pytest.raises(UnsafeModelError, match="more than 5 files"):
        verify_folder(folder)


def test_the_reason_is_told_in_korean_too(folder: Path) -> None:
    (folder / "model.bin").touch()

    with pytest.raises(UnsafeModelError) as caught:
        verify_folder(folder)

    assert "코드가 들어 있을 수 있어요" in caught.value.sentence("ko")
