"""The head on disk, and what it says of a text."""

import json
from pathlib import Path

import numpy as np
import pytest

from bot.errors import ModelError, UnsafeModelError
from bot.models.heads.features import features
from bot.models.runtimes.linear_head import MANIFEST, WEIGHTS, Calibration, Head, LinearHead, load, read_head, write_head
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.tasks import RouteInput

SPEC = ModelSpec("route.linear.v1", "route", "linear-head", "builtin")
VECTOR = np.array([1.0, 0.0], np.float32)


@pytest.fixture
def head() -> Head:
    """Say yes to "sun", no to "rain", and maybe by the first number of the vector."""
    sun, rain = set(features("sun")[1]), set(features("rain")[1])  # what can be read of them, not their length
    rows = {**dict.fromkeys(sun - rain, (4.0, -4.0, 0.0)), **dict.fromkeys(rain - sun, (-4.0, 4.0, 0.0))}
    buckets = np.array(sorted(rows), np.int32)
    return Head(
        labels=("yes", "no", "maybe"),
        buckets=buckets,
        weights=np.array([rows[int(bucket)] for bucket in buckets], np.float32),
        dense=np.array([[0, 0, 0.5], [0, 0, 0], [0, 0, 0]], np.float32),
        calibration={"en": Calibration(1.0, 0.3, 0.1), "ko": Calibration(2.0, 0.4, 0.2)},
        embedder="tiny",
        made_of="route-test",
    )


def test_the_best_label_comes_first_with_its_words(head: Head) -> None:
    sun, rain = LinearHead(head).predict([RouteInput("sun!", "en", VECTOR), RouteInput("the rain", "en", VECTOR)])
    assert sun.ranked[0][0] == "yes"
    assert rain.ranked[0][0] == "no"
    assert sun.because == ("sun",)
    assert rain.because[0] == "rain"


def test_each_language_has_its_calibration(head: Head) -> None:
    english, korean = LinearHead(head).predict([RouteInput("sun", "en", VECTOR), RouteInput("sun", "ko", VECTOR)])
    assert (english.none_below, korean.none_below, korean.ask_within) == (0.3, 0.4, 0.2)
    assert english.ranked[0][1] > korean.ranked[0][1]


def test_a_vector_of_another_embedder_is_left_out(head: Head) -> None:
    (scores,) = LinearHead(head).predict([RouteInput("qqq", "en", np.ones(7, np.float32))])
    assert dict(scores.ranked)["maybe"] == pytest.approx(1 / 3, abs=0.01)


def test_an_empty_batch_is_allowed(head: Head) -> None:
    assert LinearHead(head).predict([]) == []


def test_what_is_written_is_read(head: Head, tmp_path: Path) -> None:
    write_head(head, tmp_path)
    again = read_head(tmp_path)
    assert all(
        np.array_equal(*pair)
        for pair in ((again.buckets, head.buckets), (again.weights, head.weights), (again.dense, head.dense))
    )
    assert (again.labels, again.calibration, again.embedder, again.made_of) == (
        head.labels,
        head.calibration,
        "tiny",
        "route-test",
    )
    assert {file.name for file in tmp_path.iterdir()} == {WEIGHTS, MANIFEST}


def test_a_flipped_byte_is_refused(head: Head, tmp_path: Path) -> None:
    write_head(head, tmp_path)
    data = bytearray((tmp_path / WEIGHTS).read_bytes())
    data[-1] ^= 1
    (tmp_path / WEIGHTS).write_bytes(data)
    with pytest.raises(UnsafeModelError, match="damaged"):
        load(SPEC, tmp_path, LoadOptions())


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": "route.linear.v1"}'])
def test_a_manifest_that_is_none_is_told(head: Head, tmp_path: Path, text: str) -> None:
    write_head(head, tmp_path)
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(ModelError, match="made anew"):
        load(SPEC, tmp_path, LoadOptions())


def test_another_format_is_told(head: Head, tmp_path: Path) -> None:
    write_head(head, tmp_path)
    said = json.loads((tmp_path / MANIFEST).read_text())
    (tmp_path / MANIFEST).write_text(json.dumps({**said, "format": "route.linear.v9"}))
    with pytest.raises(ModelError, match="another format"):
        load(SPEC, tmp_path, LoadOptions())


def test_loading_needs_neither_scipy_nor_scikit_learn(head: Head, tmp_path: Path) -> None:
    import subprocess
    import sys

    write_head(head, tmp_path)
    program = (
        "import sys; from pathlib import Path; from bot.models.runtimes.linear_head import load; "
        "from bot.models.spec import LoadOptions, ModelSpec; "
        f"load(ModelSpec('r', 'route', 'linear-head', 'builtin'), Path({str(tmp_path)!r}), LoadOptions()); "
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'scipy', 'sklearn', 'torch'}))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_a_vector_of_another_embedder_is_left_out_whatever_its_size(head: Head) -> None:
    own, other = LinearHead(head).predict([RouteInput("qqq", "en", VECTOR, "tiny"), RouteInput("qqq", "en", VECTOR, "other@1")])
    assert dict(own.ranked)["maybe"] > 0.36
    assert dict(other.ranked)["maybe"] == pytest.approx(1 / 3, abs=0.01)
