"""Where a model's files lie, and that they are the ones that are meant."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from bot.config import Settings
from bot.errors import NoModelError, UnsafeModelError
from bot.models import fetch
from bot.models.folders import HASHES, hub_folder
from bot.models.spec import LoadOptions, ModelFile, ModelSpec

HUB = ModelSpec("embed.e5.v1", "embed", "sentence-transformers", "hub", location="intfloat/e5", revision="f" * 40)


@pytest.fixture
def carried(settings: Settings) -> Path:
    folder = settings.model_home / "hub--intfloat--e5"
    folder.mkdir(parents=True)
    save_file({"w": np.ones(3, np.float32)}, folder / "model.safetensors")
    (folder / "config.json").write_text("{}")
    return folder


@pytest.mark.parametrize("source", ["builtin", "server"])
def test_a_builtin_and_a_server_have_no_folder(settings: Settings, source: str) -> None:
    spec = replace(HUB, source=source)  # type: ignore[arg-type]

    assert fetch.resolve(spec, settings) == fetch.Place(spec, Path())
    assert fetch.present(spec, settings)
    assert fetch.size_bytes(spec, settings) == 0


def test_a_hub_model_that_was_not_carried_in_says_how(settings: Settings) -> None:
    with pytest.raises(NoModelError) as caught:
        fetch.resolve(HUB, settings)

    assert "HOME/models/hub--intfloat--e5" in caught.value.sentence("ko")
    assert not fetch.present(HUB, settings)
    assert hub_folder(HUB.location) == "hub--intfloat--e5"


def test_a_folder_that_was_carried_in_is_known_by_what_is_in_it(settings: Settings, carried: Path) -> None:
    place = fetch.resolve(HUB, settings)

    assert place.folder == carried
    assert [file.path for file in place.spec.files] == ["config.json", "model.safetensors"]
    assert place.spec.revision != HUB.revision
    assert fetch.identity_of(HUB, settings) == place.spec
    assert fetch.present(HUB, settings)
    assert fetch.size_bytes(HUB, settings) == sum(file.stat().st_size for file in carried.iterdir())


def test_words_about_a_model_do_not_change_what_it_is(settings: Settings, carried: Path) -> None:
    before = fetch.identity_of(HUB, settings)
    (carried / "README.md").write_text("about it")
    (carried / "paring.yaml").write_text("good_for: tests")

    assert fetch.identity_of(HUB, settings).revision == before.revision


def test_a_file_is_hashed_once(settings: Settings, carried: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = fetch.identity_of(HUB, settings)
    monkeypatch.setattr("bot.models.folders.sha256_of", lambda _file: pytest.fail("hashed again"))

    assert fetch.identity_of(HUB, settings) == first
    assert (settings.model_home / HASHES).is_file()


def test_a_file_of_the_old_size_and_date_is_hashed_again(settings: Settings, carried: Path) -> None:
    first = fetch.identity_of(HUB, settings)
    weights = carried / "model.safetensors"
    before = weights.stat()
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\0\0")
    os.utime(weights, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert fetch.identity_of(HUB, settings).revision != first.revision


class Loaded:
    """A model that notes that it was closed."""

    closed = False

    def predict(self, batch: Sequence[object]) -> list[object]:
        return list(batch)

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("change", ["exchanged", "added", "there and back"])
def test_what_is_exchanged_between_the_look_and_the_load_is_closed_again(settings: Settings, carried: Path, change: str) -> None:
    place = fetch.resolve(HUB, settings)
    model = Loaded()

    def load(_spec: ModelSpec, folder: Path, _options: LoadOptions) -> Loaded:
        if change == "added":
            (folder / "extra.json").write_text("{}")
            return model
        (folder / "model.safetensors").rename(folder / "kept")
        (folder / "model.safetensors").write_bytes(b"another")
        if change == "there and back":
            (folder / "kept").replace(folder / "model.safetensors")
        return model

    with pytest.raises(UnsafeModelError, match="changed while it was loaded"):
        place.load(load, LoadOptions())
    assert model.closed


def test_what_nobody_touched_is_loaded(settings: Settings, carried: Path) -> None:
    model = Loaded()

    assert fetch.resolve(HUB, settings).load(lambda *_told: model, LoadOptions()) is model
    assert not model.closed


def test_a_file_that_is_not_the_pinned_one_is_refused(settings: Settings, carried: Path) -> None:
    pinned = fetch.resolve(HUB, settings).spec
    assert fetch.resolve(pinned, settings).spec == pinned

    with pytest.raises(UnsafeModelError, match=r"model\.safetensors of embed\.e5\.v1"):
        fetch.resolve(replace(HUB, files=(ModelFile("model.safetensors", "0" * 64, 1),)), settings)


def test_a_folder_with_a_pickle_is_refused(settings: Settings, carried: Path) -> None:
    (carried / "pytorch_model.bin").touch()

    with pytest.raises(UnsafeModelError, match="pytorch_model"):
        fetch.resolve(HUB, settings)


def test_a_package_that_is_missing_is_told(settings: Settings) -> None:
    spec = replace(HUB, source="package", location="no-such-package")

    with pytest.raises(NoModelError, match="pip install no-such-package"):
        fetch.resolve(spec, settings)
    assert not fetch.present(spec, settings)


def test_any_other_package_is_its_folder(settings: Settings) -> None:
    spec = replace(HUB, source="package", location="safetensors")

    assert (fetch.resolve(spec, settings).folder / "__init__.py").is_file()
    assert fetch.present(spec, settings)
