"""When a head is made, and when the one that is there will do."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bot.config import Settings
from bot.models.heads import build
from bot.models.heads.build import (
    HEADS,
    Feedback,
    Recipe,
    keep_feedback,
    prepare_head,
    prepared_head,
    read_feedback,
    recipe,
    stale,
    with_feedback,
)
from bot.models.heads.train import Sees
from bot.models.heads.utterances import Example, Source
from bot.models.runtimes.linear_head import WEIGHTS, read_head

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
LABEL = Feedback("그거 어디 뒀더라\n\u2028?", "ko", "search")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(build, "install_models", lambda: tmp_path / "install")
    return Settings(home=tmp_path / "home")


@pytest.fixture
def trained(embed: Embed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Train on six lines, here and not in a child; note each name."""
    file = tmp_path / "utterances.yaml"
    file.write_text("en: [where is it, find it, look for it]\n")
    other = tmp_path / "none.yaml"
    other.write_text("en: [turn it on, turn it off, switch it off]\n")
    files = [Source("search", file), Source("none", other)]
    names: list[str] = []

    def train(settings: Settings, parent: Path, wanted: Recipe, sees: Sees) -> None:
        names.append(wanted.folder)
        labels = read_feedback(settings.home)
        prepare_head(parent, wanted.folder, embed=embed, embedder="words", files=files, feedback=labels, sees=sees)

    monkeypatch.setattr(build, "_train_in_child", train)
    return names


def test_a_head_is_made_once_beside_the_install(settings: Settings, trained: list[str], tmp_path: Path) -> None:
    told: list[str] = []
    folder = prepared_head(settings, report=lambda text, _done: told.append(str(text)))
    assert folder.parent == tmp_path / "install"
    assert prepared_head(settings) == folder
    assert len(trained) == 1
    assert told == ["Training the router; this happens once.", "The router is ready."]
    assert read_head(folder).made_of == folder.name


def test_each_kind_of_head_is_kept_by_itself(settings: Settings, trained: list[str]) -> None:
    folders = [prepared_head(settings, name) for name in HEADS]
    assert len(set(folders)) == len(trained) == 3
    assert [prepared_head(settings, name) for name in HEADS] == folders
    seen = {name: (len(head.buckets) > 0, len(head.dense) > 1) for name, head in zip(HEADS, map(read_head, folders), strict=True)}
    assert seen == {"route.linear.v1": (True, True), "route.words.v1": (True, False), "route.vectors.v1": (False, True)}


def test_a_head_of_words_outlives_a_change_of_embedder(settings: Settings) -> None:
    other = settings.model_copy(update={"models": settings.models.model_copy(update={"choose": {"embed": "embed.static.v1"}})})
    assert recipe(other, "route.words.v1") == recipe(settings, "route.words.v1")
    assert recipe(other, "route.vectors.v1") != recipe(settings, "route.vectors.v1")


def test_a_damaged_head_is_made_anew(settings: Settings, trained: list[str]) -> None:
    folder = prepared_head(settings)
    (folder / WEIGHTS).write_bytes(b"cut")
    assert prepared_head(settings) == folder
    assert len(trained) == 2
    read_head(folder)


def test_a_label_makes_the_head_stale_but_not_useless(settings: Settings, trained: list[str]) -> None:
    folder = prepared_head(settings)
    assert not stale(settings)
    keep_feedback(settings.home, [LABEL])
    assert stale(settings)
    assert prepared_head(settings) == folder
    newer = prepared_head(settings, newest=True)
    assert newer.parent == settings.home / "models"
    assert not stale(settings)
    assert prepared_head(settings) == newer
    assert len(trained) == 2


def test_other_utterances_make_another_head(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    before = recipe(settings)
    monkeypatch.setattr(build, "digest", lambda _files: "others")
    assert recipe(settings).base != before.base


def test_old_heads_are_forgotten(settings: Settings, trained: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(build.KEPT + 2):
        monkeypatch.setattr(build, "digest", lambda _files, number=number: str(number))
        folder = prepared_head(settings)
    assert len(list(folder.parent.glob("route-*-*"))) == build.KEPT
    assert folder.is_dir()


def test_labels_are_read_as_they_were_kept(tmp_path: Path) -> None:
    keep_feedback(tmp_path, [LABEL, Feedback("hi", "en", "chat")])
    assert read_feedback(tmp_path) == [LABEL, Feedback("hi", "en", "chat")]


def test_no_labels_leave_no_file(tmp_path: Path) -> None:
    keep_feedback(tmp_path, [])
    assert read_feedback(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_a_broken_line_of_labels_is_left_out(tmp_path: Path) -> None:
    keep_feedback(tmp_path, [LABEL])
    file = next((tmp_path / "models").iterdir())
    file.write_text(file.read_text() + "{broken\n[1, 2]\n")
    assert read_feedback(tmp_path) == [LABEL]


def test_a_label_of_a_skill_that_is_gone_is_not_learnt() -> None:
    lines = [Example("where is it", "search", "en", 0, 1.0)]
    learnt = with_feedback(lines, [LABEL, Feedback("shout it", "en", "shout")])
    assert [(one.text, one.label, one.family) for one in learnt] == [("where is it", "search", 0), (LABEL.text, "search", 1)]
