"""The static embedder is made of MiniLM alone, by one recipe, once; and what is made is refused where it is not like MiniLM."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bot.errors import ModelError
from bot.models import distil, made

VOCABULARY = ["[PAD]", "[unused1]", "[CLS]", ".", "7", "a", "the", "of", "##ing", "zebra"]


def test_frequent_tokens_count_little_and_marks_not_at_all() -> None:
    weight = dict(zip(VOCABULARY, distil.weigh(VOCABULARY), strict=True))

    assert weight["[PAD]"] == weight["[unused1]"] == weight["[CLS]"] == weight["."] == 0
    assert 0 < weight["the"] < weight["of"] < weight["zebra"]
    assert 0 < weight["##ing"] < weight["zebra"]
    assert weight["7"] > 0


def test_an_axis_turned_round_is_the_same_axis() -> None:
    rows = np.random.default_rng(1).normal(size=(900, 384)).astype(np.float32)

    assert np.allclose(distil.project(rows), distil.project(rows + np.float32(3)), atol=1e-3)
    assert distil.project(rows).shape == (900, distil.DIMENSION)


def test_eight_bits_keep_a_row() -> None:
    rows = np.random.default_rng(2).normal(size=(5, 256))
    rows[3] = 0

    vectors, scales = distil.in_eight_bits(rows)

    assert vectors.dtype == np.int8
    assert np.abs(vectors * scales[:, None] - rows).max() < np.abs(rows).max() / 200
    assert not vectors[3].any()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose MiniLM is prepared, as far as anybody looks."""
    source = tmp_path / "minilm"
    source.mkdir()
    (source / "tokenizer.json").write_text("{}")
    monkeypatch.setattr(distil, "install_models", lambda: tmp_path / "share")
    monkeypatch.setattr(distil, "prepared_minilm", lambda _home, **_report: source)
    return tmp_path / "home"


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[int]]:
    """Put a child in place that writes a table and says a correlation; return a list that grows with each run."""

    def put(said: str, code: int = 0) -> list[int]:
        runs: list[int] = []

        def run(command: list[str], **_options: object) -> subprocess.CompletedProcess[str]:
            runs.append(1)
            (Path(command[-1]) / distil.TABLE).write_bytes(b"table")
            return subprocess.CompletedProcess(command, code, said, "the last line")

        monkeypatch.setattr(subprocess, "run", run)
        return runs

    return put


def test_it_is_made_once_and_again_where_it_was_damaged(home: Path, child: Callable[..., list[int]]) -> None:
    runs = child(json.dumps({"correlation": 0.8}))

    folder = distil.prepared_static(home)
    assert distil.prepared_static(home) == folder
    assert len(runs) == 1
    (folder / distil.TABLE).write_bytes(b"tab")
    assert distil.find_static(home) is None
    assert distil.prepared_static(home) == folder
    assert len(runs) == 2
    manifest = made.read_manifest(folder)
    assert manifest is not None
    assert dict(manifest.cosines) == {"correlation": 0.8}


@pytest.mark.parametrize(("said", "code"), [('{"correlation": 0.1}', 0), ('{"correlation": NaN}', 0), ("", 1), ("nothing", 0)])
def test_what_is_not_like_minilm_is_thrown_away(home: Path, child: Callable[..., list[int]], said: str, code: int) -> None:
    child(said, code)

    with pytest.raises(ModelError, match="could not be made"):
        distil.prepared_static(home)
    assert distil.find_static(home) is None
    assert [path.suffix for path in (home.parent / "share").iterdir()] == [".lock"]
