"""A folder of hostile models, each chosen as an admin would, for every family: none runs a line, and each is told in a sentence."""

import json
import os
import pickle
import struct
import zipfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

from bot.config import ModelSettings, Settings
from bot.errors import InputError, ModelError, UnsafeModelError
from bot.models.catalogue import Catalogue
from bot.models.families import Families
from bot.models.folders import read_folder
from bot.models.pool import Pool
from bot.models.spec import ModelSpec
from bot.skill import Slot

from .swapping import a_house

SLOTS = {
    "minilm": "embed", "minilm-ko": "embed", "minilm-int8": "embed", "static": "embed", "sentence-transformers": "embed", "linear-head": "route",
    "reader": "read",
    "seq2seq-translation": "translate", "seq2seq-summary": "summarise", "summarise-extract": "summarise", "summarise-lexrank": "summarise",
    "summarise-lead": "summarise", "image-text": "caption", "causal": "chat", "openai-server": "chat", "whisper": "transcribe",
    "diffusers": "imagine", "tesseract": "ocr", "rapidocr": "ocr",
}  # fmt: skip
AUTO = {"auto_map": dict.fromkeys(("AutoConfig", "AutoModel", "AutoModelForCausalLM", "AutoModelForSeq2SeqLM"), "evil.Evil")}


class Bomb:
    """A pickle that makes a folder, which tells that it ran."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.canary),)


def _code(file: Path, canary: Path) -> None:
    file.write_text(f"import os\nos.mkdir({str(canary)!r})\n")


def _pickled(name: str) -> Callable[[Path, Path], None]:
    def make(folder: Path, canary: Path) -> None:
        (folder / name).write_bytes(pickle.dumps(Bomb(canary)))

    return make


def _zipped_pickle(folder: Path, canary: Path) -> None:
    """As torch.save writes: a zip with a pickle, here under the name of safetensors."""
    with zipfile.ZipFile(folder / "model.safetensors", "w") as archive:
        archive.writestr("model/data.pkl", pickle.dumps(Bomb(canary)))
        archive.writestr("model/version", "3")


def _auto_map(folder: Path, canary: Path) -> None:
    _code(folder / "evil.txt", canary)
    (folder / "config.json").write_text(json.dumps({"model_type": "bart", "text_config": AUTO}))


def _foreign_module(folder: Path, canary: Path) -> None:
    del canary
    (folder / "modules.json").write_text('[{"idx": 0, "name": "0", "path": "", "type": "evil.Evil"}]')


def _link_out(folder: Path, canary: Path) -> None:
    outside = canary.parent / "outside"
    outside.mkdir()
    (outside / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb(canary)))
    (folder / "2_Dense").symlink_to(outside)


def _huge_header(folder: Path, canary: Path) -> None:
    del canary
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", 100 << 30) + b"{}")


def _far_onnx(folder: Path, canary: Path) -> None:
    (canary.parent / "secret").write_bytes(bytes(16))
    weights = numpy_helper.from_array(np.zeros((2, 2), np.float32), "w")
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="../../secret")
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 2]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Add", ["x", "w"], ["y"])], "g", [x], [y], [weights])
    (folder / "model.onnx").write_bytes(helper.make_model(graph).SerializeToString())


def _foreign_onnx(folder: Path, canary: Path) -> None:
    del canary
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 2]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Evil", ["x"], ["y"], domain="com.stranger")], "g", [x], [y])
    (folder / "model.onnx").write_bytes(helper.make_model(graph).SerializeToString())


def _written(name: str, content: object) -> Callable[[Path, Path], None]:
    def make(folder: Path, canary: Path) -> None:
        del canary
        (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))

    return make


HOSTILE: dict[str, Callable[[Path, Path], None]] = {
    "pickle": _pickled("pytorch_model.bin"),
    "pickle as safetensors": _pickled("model.safetensors"),
    "pickle as json": _pickled("tokenizer.json"),
    "pickle as text": _pickled("vocab.txt"),
    "pickle as sentencepiece": _pickled("spiece.model"),
    "zip as safetensors": _zipped_pickle,
    "code": lambda folder, canary: _code(folder / "evil.py", canary),
    "auto_map": _auto_map,
    "foreign module": _foreign_module,
    "foreign pipeline": _written("model_index.json", {"_class_name": ["evil", "Evil"]}),
    "trust": _written("sentence_bert_config.json", {"model_kwargs": {"trust_remote_code": True}}),
    "kernel": _written("config.json", {"model_type": "bart", "attn_implementation": "evil/kernel"}),
    "adapter": _written("adapter_config.json", {"base_model_name_or_path": "../evil"}),
    "shards elsewhere": _written("model.safetensors.index.json", {"weight_map": {"w": "../../evil.safetensors"}}),
    "depth": _written("config.json", "[" * 100_000),
    "size": _written("config.json", "[" + "[]," * 2_100_000 + "[]]"),
    "link out": _link_out,
    "huge header": _huge_header,
    "far onnx": _far_onnx,
    "foreign onnx": _foreign_onnx,
}

GRAPHS = {"far onnx", "foreign onnx"}
"""Each is looked at in a process of its own: for the families that read ONNX."""


def hostile_for(family: str) -> list[str]:
    return [name for name in HOSTILE if name not in GRAPHS or family in {"rapidocr", "minilm"}]


@pytest.fixture
async def pool(tmp_path: Path, settings: Settings) -> AsyncIterator[Pool]:
    opened = Pool(Catalogue(settings), settings)
    yield opened
    await opened.close()


def test_every_family_is_attacked() -> None:
    assert set(SLOTS) == set(Families().names())


def build(home: Path, name: str, family: str, canary: Path) -> Path:
    folder = home / f"{name} {family}"
    folder.mkdir(parents=True)
    save_file({"w": np.zeros((2, 3), np.float32)}, folder / "model.safetensors")
    (folder / "config.json").write_text('{"model_type": "bart"}')
    (folder / "paring.yaml").write_text(f"name: hostile\nslot: {SLOTS[family]}\nfamily: {family}\n")
    HOSTILE[name](folder, canary)
    return folder


@pytest.mark.parametrize("family", SLOTS)
async def test_a_hostile_model_is_refused_before_a_line_of_it_runs(
    tmp_path: Path, settings: Settings, pool: Pool, family: str
) -> None:
    slot: Slot[object, object] = Slot(SLOTS[family])
    live = pool.live(slot)
    for name in hostile_for(family):
        canary = tmp_path / name / "ran"
        canary.parent.mkdir()
        folder = build(settings.model_home, name, family, canary)

        with pytest.raises(UnsafeModelError) as caught:
            pool._catalogue.named(slot.name, folder.name)
        with pytest.raises(UnsafeModelError):
            await pool.publish(slot, read_folder(folder, settings.model_home))  # as one that was found before it was exchanged

        assert any("가" <= letter <= "힣" for letter in caught.value.sentence("ko")), name
        assert not canary.exists(), f"{name} ran"
        assert pool.live(slot) == live


async def test_one_that_the_settings_choose_is_refused_as_well(tmp_path: Path, settings: Settings) -> None:
    folder = build(settings.model_home, "pickle", "seq2seq-summary", tmp_path / "ran")
    chosen = settings.model_copy(update={"models": ModelSettings(choose={"summarise": folder.name})})
    pool = Pool(Catalogue(chosen), chosen)

    with pytest.raises(UnsafeModelError, match=r"pytorch_model\.bin"):
        async with pool.lease(Slot("summarise")):
            pass
    assert not (tmp_path / "ran").exists()
    await pool.close()


TORCH = {
    "seq2seq-translation": "marian", "seq2seq-summary": "bart", "image-text": "blip", "causal": "qwen2", "whisper": "whisper",
    "sentence-transformers": "bert",
}  # fmt: skip
"""The families over torch and a kind of each; diffusers reads another file first."""
NESTED = {"model_kwargs": {"trust_remote_code": True}, "config_kwargs": {"trust_remote_code": True}}


@pytest.mark.parametrize("family", [*TORCH, "diffusers"])
@pytest.mark.parametrize("weights", ["pytorch_model.bin", "model.safetensors"])
async def test_the_runtimes_run_none_of_it_either(
    tmp_path: Path, settings: Settings, pool: Pool, monkeypatch: pytest.MonkeyPatch, family: str, weights: str
) -> None:
    """What would happen if the look at the files had a hole: pickles, code and modules of the model's own are all there."""
    for module in ("bot.models.folders", "bot.models.runtimes.sentence_transformers"):
        monkeypatch.setattr(f"{module}.verify_folder", lambda folder: tuple(path for path in folder.rglob("*") if path.is_file()))
    canary = tmp_path / "ran"
    folder = settings.model_home / "hostile"
    (folder / "unet").mkdir(parents=True)
    save_file({"w": np.zeros((2, 3), np.float32)}, folder / "other.safetensors")
    for name in (weights, "unet/diffusion_pytorch_model.bin", "model.pt", "spiece.model"):
        (folder / name).write_bytes(pickle.dumps(Bomb(canary)))
    for name in ("evil.py", "unet/evil.py", "custom_generate/generate.py", "hostile.py", "pipeline.py"):
        (folder / name).parent.mkdir(exist_ok=True)
        _code(folder / name, canary)
    (folder / "config.json").write_text(json.dumps({"model_type": TORCH.get(family, ""), **AUTO, **NESTED}))
    (folder / "tokenizer_config.json").write_text(json.dumps({"auto_map": {"AutoTokenizer": ["evil.Evil", "evil.Evil"]}}))
    (folder / "preprocessor_config.json").write_text(json.dumps({"auto_map": {"AutoProcessor": "evil.Evil"}}))
    (folder / "sentence_bert_config.json").write_text(json.dumps(NESTED))
    (folder / "modules.json").write_text('[{"idx": 0, "name": "0", "path": "", "type": "evil.Evil"}]')
    (folder / "model_index.json").write_text(json.dumps({"_class_name": ["pipeline", "Evil"], "unet": ["evil", "Evil"]}))

    with pytest.raises(ModelError) as caught:
        await pool.publish(Slot(SLOTS[family]), ModelSpec("hostile", SLOTS[family], family, "folder", location="hostile"))

    assert any("가" <= letter <= "힣" for letter in caught.value.sentence("ko"))
    assert not canary.exists()


def _pipe(file: Path) -> None:
    os.mkfifo(file)


@pytest.mark.parametrize("name", ["config.json", "paring.hub.json", "paring.yaml"])
@pytest.mark.parametrize(
    "make",
    [
        _pipe,
        lambda file: file.write_text("[" * 200_000),
        lambda file: file.write_text('{"model_type": ' + "9" * 9_000 + "}"),
        lambda file: file.write_bytes(b"\xff\xfe{}"),
        lambda file: file.symlink_to("/dev/zero"),
    ],
    ids=["pipe", "depth", "number", "bytes", "link"],
)
def test_what_is_read_before_the_look_is_as_careful(settings: Settings, name: str, make: Callable[[Path], None]) -> None:
    """What a folder says of itself tells which family it is: it is read first, and at every start."""
    folder = settings.model_home / "hostile"
    folder.mkdir(parents=True)
    make(folder / name)

    with pytest.raises(ModelError) as caught:
        Catalogue(settings).named("summarise", "hostile")
    assert any("가" <= letter <= "힣" for letter in caught.value.sentence("ko"))


async def test_no_order_of_an_admin_lets_one_through(tmp_path: Path) -> None:
    """Neither a second yes nor a reason: there is no card, so there is nothing to force."""
    async with a_house(tmp_path / "home") as house:
        for name in hostile_for("summarise-lead"):
            (tmp_path / name).mkdir()
            folder = build(tmp_path / "home" / "models", name, "summarise-lead", tmp_path / name / "ran")

            swap = await house.swapper.propose("summarise", folder.name, by="test:ann", tell=house.tell, yes=True)

            assert (swap.state, swap.card) == ("refused", None), name
            assert "The model was refused" in swap.said["en"]
            with pytest.raises(InputError):
                await house.swapper.promote(swap.id, by="test:ann", tell=house.tell, reason="I know what I do")
            assert not (tmp_path / name / "ran").exists()
        assert house.probed == []
        assert house.pool.live(Slot("summarise")).startswith("summarise.extract.v1")


@pytest.mark.parametrize("change", ["code", "pickle", "other bytes"])
async def test_one_that_is_exchanged_after_its_card_does_not_go_live(tmp_path: Path, change: str) -> None:
    async with a_house(tmp_path / "home") as house:
        folder = tmp_path / "home" / "models" / "mine"
        folder.mkdir(parents=True)
        save_file({"w": np.zeros((2, 3), np.float32)}, folder / "model.safetensors")
        (folder / "paring.yaml").write_text("name: mine\nslot: summarise\nfamily: summarise-lead\n")
        swap = await house.swapper.propose("summarise", "mine", by="test:ann", tell=house.tell)
        assert swap.state == "reported"
        if change == "other bytes":
            save_file({"w": np.ones((2, 3), np.float32)}, folder / "model.safetensors")
        else:
            HOSTILE[change](folder, tmp_path / "ran")

        with pytest.raises(ModelError):
            await house.swapper.promote(swap.id, by="test:ann", tell=house.tell, reason="now")

        assert house.pool.live(Slot("summarise")).startswith("summarise.extract.v1")
        assert not (tmp_path / "ran").exists()
