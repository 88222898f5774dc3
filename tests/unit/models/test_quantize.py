"""The eight-bit MiniLM is made of MiniLM, once; it is near to it; and what is not near is thrown away."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bot.errors import ModelError
from bot.models import quantize
from bot.models.prepare import prepared_minilm
from bot.models.runtimes import minilm, minilm_int8
from bot.models.spec import LoadOptions, ModelSpec

TEXTS = [
    "When does the lease end?",
    "The old lease ends on 30 April; notice is given in writing.",
    "Who orders the moving boxes?",
]
Put = Callable[..., list[int]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home, and an install that has no eight-bit MiniLM yet."""
    monkeypatch.setattr(quantize, "install_models", lambda: tmp_path / "share")
    return tmp_path / "home"


@pytest.fixture
def child(home: Path, monkeypatch: pytest.MonkeyPatch) -> Put:
    """Put a child in place that writes a graph and says a cosine; return a list that grows with each run."""
    source = home.parent / "minilm"
    source.mkdir()
    (source / "tokenizer.json").write_text("{}")
    monkeypatch.setattr(quantize, "prepared_minilm", lambda _home, **_report: source)

    def put(said: str, code: int = 0) -> list[int]:
        runs: list[int] = []

        def run(command: list[str], **_options: object) -> subprocess.CompletedProcess[str]:
            runs.append(1)
            (Path(command[-1]) / quantize.GRAPH).write_bytes(b"graph")
            return subprocess.CompletedProcess(command, code, said, "the last line")

        monkeypatch.setattr(subprocess, "run", run)
        return runs

    return put


def test_it_is_near_to_minilm_and_a_quarter_of_its_size(home: Path) -> None:
    folder, whole = quantize.prepared_int8(home), prepared_minilm(home)
    options = LoadOptions(threads=1, embed_engine="onnxruntime")
    small = minilm_int8.load(ModelSpec("embed.minilm-int8.v1", "embed", "minilm-int8", "package"), folder, options)
    large = minilm.load(ModelSpec("embed.minilm.v1", "embed", "minilm", "package"), whole, options)

    cosines = (np.array(small.predict(TEXTS)) * np.array(large.predict(TEXTS))).sum(axis=1)

    assert cosines.min() > quantize.LEAST_COSINE
    assert cosines.min() < 1 - 1e-4, "it is another model"
    assert (folder / quantize.GRAPH).stat().st_size < 0.3 * (whole / "minilm.onnx").stat().st_size
    assert quantize.prepared_int8(home) == folder


def test_it_is_made_once_and_again_where_it_was_damaged(home: Path, child: Put) -> None:
    runs = child(json.dumps({"cosine": 0.99}))

    folder = quantize.prepared_int8(home)
    assert quantize.prepared_int8(home) == folder
    assert len(runs) == 1
    (folder / quantize.GRAPH).write_bytes(b"gra")
    assert quantize.find_int8(home) is None
    assert quantize.prepared_int8(home) == folder
    assert len(runs) == 2


@pytest.mark.parametrize(("said", "code"), [('{"cosine": 0.9}', 0), ('{"cosine": NaN}', 0), ("", 1), ("nothing", 0), ("", 0)])
def test_what_strays_from_minilm_is_thrown_away(home: Path, child: Put, said: str, code: int) -> None:
    child(said, code)

    with pytest.raises(ModelError, match="could not be made"):
        quantize.prepared_int8(home)
    assert quantize.find_int8(home) is None
    assert [path.suffix for path in (home.parent / "share").iterdir()] == [".lock"]
