"""A model that is carried to another machine is the same model there; what is not as it was packed is not taken in."""

import json
import os
import pickle
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from bot.config import Settings
from bot.errors import InputError, ModelError, ParingError, UnreadableError, UnsafeModelError
from bot.models import fetch
from bot.models.carried import Arrived, take_in
from bot.models.catalogue import Catalogue
from bot.models.made import sha256_of
from bot.models.origin import Origin
from bot.models.parcel import Parcel, find, pack
from bot.models.pool import Pool
from bot.models.spec import ModelFile

PRESETS = """
models:
  - {name: embed.echo.v1, slot: embed, family: echo, source: builtin, revision: r1}
  - {name: embed.e5.v1, slot: embed, family: echo, source: hub, location: intfloat/e5, licence: MIT}
default: embed.echo.v1
"""
DESCRIPTION = "name: kobart\nslot: summarise\nfamily: echo\nlicence: MIT\nlanguages: [ko, en]\ngood_for: 짧은 글\n"


@dataclass
class Machine:
    """A home with a catalogue."""

    settings: Settings
    catalogue_of: Callable[[str, Settings], Catalogue]

    @property
    def catalogue(self) -> Catalogue:
        return self.catalogue_of(PRESETS, self.settings)

    @property
    def models(self) -> Path:
        return self.settings.model_home

    def make(self, name: str, *, described: str = DESCRIPTION) -> Path:
        folder = self.models / name
        (folder / "inner").mkdir(parents=True)
        save_file({"w": np.arange(6, dtype=np.float32)}, folder / "model.safetensors")
        (folder / "inner" / "config.json").write_text("{}")
        (folder / "README.md").write_text("# About it")
        if described:
            (folder / "paring.yaml").write_text(described, encoding="utf-8")
        return folder

    def pack(self, word: str, file: Path) -> Parcel:
        pool = Pool(self.catalogue, self.settings)
        return pack(find(word, self.catalogue, pool, self.settings), file, untold)

    def take_in(self, source: Path, *, name: str = "", slot: str = "") -> Arrived:
        return take_in(source, self.settings, self.catalogue, name=name, slot=slot, report=untold)

    def holds(self) -> list[str]:
        return sorted(path.name for path in self.models.iterdir() if not path.name.startswith((".hashes", ".carried-lock")))


def untold(_name: str, _done: int, _whole: int) -> None:
    """Draw no bar."""


@pytest.fixture
def here(tmp_path: Path, catalogue_of: Callable[[str, Settings], Catalogue]) -> Machine:
    return Machine(Settings(home=tmp_path / "here"), catalogue_of)


@pytest.fixture
def there(tmp_path: Path, catalogue_of: Callable[[str, Settings], Catalogue]) -> Machine:
    return Machine(Settings(home=tmp_path / "there"), catalogue_of)


def test_a_folder_is_the_same_model_on_another_machine(here: Machine, there: Machine, tmp_path: Path) -> None:
    here.make("a-folder")
    parcel = here.pack("kobart", tmp_path / "kobart.tar")

    arrived = there.take_in(parcel.file)

    assert arrived.spec.identity == parcel.spec.identity
    assert not arrived.known
    assert arrived.folder == there.models / "kobart"
    found = there.catalogue.find("kobart")
    assert (found.slot, found.family, found.licence, found.languages, found.good_for) == (
        "summarise", "echo", "MIT", ("ko", "en"), "짧은 글",
    )  # fmt: skip
    assert fetch.resolve(found, there.settings).spec.files == parcel.spec.files
    assert (arrived.folder / "README.md").read_text() == "# About it"


def test_what_was_taken_in_is_not_written_into_by_mistake(here: Machine, there: Machine) -> None:
    """Weights are mapped into memory: a copy over a live file would change what is loaded."""
    folder = there.take_in(here.make("a-folder")).folder

    assert {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()} == {0o444}


def test_what_was_taken_in_is_on_the_disk_with_its_description(
    here: Machine, there: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda handle: flushed.append(os.fstat(handle).st_ino))

    arrived = there.take_in(here.make("kobart"))

    assert {path.stat().st_ino for path in (arrived.folder, *arrived.folder.rglob("*"), there.models)} <= set(flushed)


def test_a_model_of_the_hub_is_the_same_preset_there(here: Machine, there: Machine, tmp_path: Path) -> None:
    here.make("hub--intfloat--e5", described="")
    parcel = here.pack("embed.e5.v1", tmp_path / "e5.tar")

    arrived = there.take_in(parcel.file)

    assert arrived.folder == there.models / "hub--intfloat--e5"
    assert arrived.spec.identity == parcel.spec.identity
    assert fetch.resolve(there.catalogue.find("embed.e5.v1"), there.settings).spec == arrived.spec


def test_a_model_of_a_hub_that_is_no_preset_there_is_one_of_its_own(here: Machine, there: Machine, tmp_path: Path) -> None:
    here.make("hub--intfloat--e5", described="")
    parcel = here.pack("embed.e5.v1", tmp_path / "e5.tar")
    bare = Catalogue(there.settings, families=there.catalogue.families, packages={})

    arrived = take_in(parcel.file, there.settings, bare, report=untold)

    assert arrived.spec.identity == parcel.spec.identity
    assert arrived.folder.name == "embed.e5.v1"
    assert Catalogue(there.settings, packages={}).find("embed.e5.v1").licence == "MIT"


COMMIT = "0123456789abcdef" * 2 + "01234567"


def fetched(here: Machine, *, kind: str = "whisper") -> Path:
    """Write a folder as a fetch leaves it."""
    folder = here.make(f"hub--own--er--{COMMIT}", described="")
    (folder / "config.json").write_text(json.dumps({"model_type": kind}))
    files = tuple(
        ModelFile(path.relative_to(folder).as_posix(), sha256_of(path), path.stat().st_size)
        for path in folder.rglob("*")
        if path.is_file()
    )
    Origin("own/er", COMMIT, "mit", ("ko",), files, "2026-01-01T00:00:00").write(folder)
    return folder


@pytest.mark.parametrize("packed", [True, False])
def test_what_was_fetched_from_a_hub_is_the_same_commit_there(
    here: Machine, there: Machine, tmp_path: Path, *, packed: bool
) -> None:
    folder = fetched(here)
    source = here.pack(f"hub:own/er@{COMMIT}", tmp_path / "er.tar").file if packed else folder

    arrived = there.take_in(source)

    assert arrived.word == arrived.spec.identity == f"hub:own/er@{COMMIT}"
    assert arrived.folder.name == folder.name
    assert there.catalogue.named("transcribe", arrived.word).identity == arrived.spec.identity
    assert fetch.resolve(there.catalogue.named("transcribe", arrived.word), there.settings).folder == arrived.folder
    assert there.take_in(source).known


def test_a_folder_that_claims_a_commit_is_held_to_its_hashes(here: Machine, there: Machine) -> None:
    folder = fetched(here)
    (folder / "config.json").write_text('{"model_type": "whisper", "another": true}')

    with pytest.raises(UnsafeModelError, match=r"config\.json"):
        there.take_in(folder)
    assert there.holds() == []


def test_a_description_does_not_come_beside_a_preset(here: Machine, there: Machine) -> None:
    """Two models of one name would keep the bot from starting."""
    folder = here.make("e5", described="name: embed.e5.v1\nslot: embed\nfamily: echo\n")

    there.take_in(folder, name="embed.e5.v1")

    assert there.holds() == ["hub--intfloat--e5"]
    assert there.catalogue.find("embed.e5.v1").source == "hub"


def test_the_same_model_gives_the_same_bytes(here: Machine, tmp_path: Path) -> None:
    here.make("a-folder")
    first = here.pack("kobart", tmp_path / "1.tar")
    os.utime(here.models / "a-folder" / "model.safetensors", (1, 1))

    assert here.pack("kobart", tmp_path / "2.tar").sha256 == first.sha256


def test_what_was_taken_in_before_is_known(here: Machine, there: Machine, tmp_path: Path) -> None:
    here.make("a-folder")
    file = here.pack("kobart", tmp_path / "kobart.tar").file
    there.take_in(file)

    assert there.take_in(file).known
    assert there.holds() == ["kobart"]


def test_another_model_of_that_name_is_not_touched(here: Machine, there: Machine, tmp_path: Path) -> None:
    here.make("a-folder")
    file = here.pack("kobart", tmp_path / "kobart.tar").file
    there.make("kobart", described="")
    (there.models / "kobart" / "extra.json").write_text("{}")

    with pytest.raises(InputError, match="another model with the name “kobart”"):
        there.take_in(file)

    assert (there.models / "kobart" / "extra.json").is_file()
    assert there.take_in(file, name="kobart-2").spec.name == "kobart-2"
    assert there.holds() == ["kobart", "kobart-2"]


@pytest.mark.parametrize("name", ["KoBART", "embed.echo.v1", "embed.e5.v1"])
def test_a_name_that_is_another_s_is_refused(here: Machine, there: Machine, tmp_path: Path, name: str) -> None:
    here.make("a-folder")
    file = here.pack("kobart", tmp_path / "kobart.tar").file
    there.take_in(file)

    with pytest.raises(InputError, match="another model"):
        there.take_in(file, name=name)
    assert there.holds() == ["kobart"]


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "a b", "-x", "x" * 200, "a\nb", "x@1"])
def test_what_is_no_name_is_refused(here: Machine, there: Machine, tmp_path: Path, name: str) -> None:
    here.make("a-folder")
    file = here.pack("kobart", tmp_path / "kobart.tar").file

    with pytest.raises(InputError, match="is no name for a model"):
        there.take_in(file, name=name)
    assert there.holds() == []


def test_a_folder_that_tells_its_slot_needs_no_words(there: Machine, tmp_path: Path) -> None:
    folder = tmp_path / "my-model"
    folder.mkdir()
    save_file({"w": np.zeros(3, np.float32)}, folder / "model.safetensors")
    (folder / "config.json").write_text('{"model_type": "whisper"}')

    arrived = there.take_in(folder)

    assert (arrived.spec.name, arrived.spec.slot, arrived.spec.family) == ("my-model", "transcribe", "whisper")
    assert there.catalogue.named("transcribe", "my-model").identity == arrived.spec.identity


def test_one_that_does_not_is_told_by_the_admin(there: Machine, tmp_path: Path) -> None:
    folder = tmp_path / "my-model"
    folder.mkdir()
    save_file({"w": np.zeros(3, np.float32)}, folder / "model.safetensors")

    arrived = there.take_in(folder, slot="summarise")

    assert there.catalogue.find("my-model").identity.partition("@")[0] == arrived.spec.name
    assert there.catalogue.find("my-model").slot == "summarise"
    with pytest.raises(InputError, match="not for translate"):
        there.take_in(arrived.folder, slot="translate", name="again")


def repacked(file: Path, change: Callable[[str, bytes], bytes | None], *, extra: dict[str, bytes] | None = None) -> Path:
    """Write the archive again, each file as `change` makes it, None for without it."""
    import io

    target = file.with_name("changed.tar")
    with tarfile.open(file) as old, tarfile.open(target, "w") as new:
        held = {entry.name: old.extractfile(entry).read() for entry in old}  # type: ignore[union-attr]
        for name, content in {**held, **(extra or {})}.items():
            if (data := change(name, content)) is not None:
                entry = tarfile.TarInfo(name)
                entry.size = len(data)
                new.addfile(entry, io.BytesIO(data))
    return target


def changed(part: str, /, **values: object) -> Callable[[str, bytes], bytes | None]:
    """Return a change of the manifest's `part`."""

    def change(path: str, content: bytes) -> bytes:
        if path != "paring-model.json":
            return content
        said = json.loads(content)
        (said[part] if part else said).update(values)
        return json.dumps(said).encode()

    return change


@pytest.mark.parametrize(
    ("change", "extra", "kind"),
    [
        (lambda name, data: data + b" " if name.endswith("config.json") else data, {}, UnsafeModelError),
        (lambda name, data: None if name.endswith("config.json") else data, {}, UnsafeModelError),
        (lambda _name, data: data, {"model/extra.json": b"{}"}, UnsafeModelError),
        (lambda _name, data: data, {"model/pytorch_model.bin": pickle.dumps(0)}, UnsafeModelError),
        (lambda name, data: b"{" if name == "paring-model.json" else data, {}, ParingError),
        (lambda name, data: b"[" * 99_999 if name == "paring-model.json" else data, {}, ParingError),
        (changed("", format=2), {}, UnreadableError),
        (changed("", files=[]), {}, UnsafeModelError),
        (changed("", model=[]), {}, UnreadableError),
        (changed("model", name="../../x"), {}, InputError),
        (changed("model", family=7), {}, ModelError),
        (changed("model", name="embed.echo.v1"), {}, InputError),
        (changed("model", slot=""), {}, ModelError),
    ],
)
def test_an_archive_that_is_not_as_it_was_packed_is_not_taken_in(
    here: Machine,
    there: Machine,
    tmp_path: Path,
    change: Callable[[str, bytes], bytes | None],
    extra: dict[str, bytes],
    kind: type[ParingError],
) -> None:
    here.make("a-folder")
    file = repacked(here.pack("kobart", tmp_path / "kobart.tar").file, change, extra=extra)

    with pytest.raises(kind) as caught:
        there.take_in(file)

    assert any("가" <= letter <= "힣" for letter in caught.value.sentence("ko"))
    assert there.holds() == []


def test_a_manifest_cannot_make_anything_but_a_folder_of_it(here: Machine, there: Machine, tmp_path: Path) -> None:
    here.make("a-folder")
    told = changed("model", source="server", location="http://192.0.2.1/v1")

    arrived = there.take_in(repacked(here.pack("kobart", tmp_path / "kobart.tar").file, told))

    assert (arrived.spec.source, arrived.spec.location) == ("folder", "kobart")
    assert (there.catalogue.find("kobart").source, there.catalogue.find("kobart").location) == ("folder", "kobart")


def test_nothing_of_a_refused_model_is_left(there: Machine, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text('{"auto_map": {"AutoModel": "code.Model"}}')
    (there.models / ".carried-of-a-process-that-died" / "unpacked").mkdir(parents=True)

    with pytest.raises(UnsafeModelError, match="auto_map"):
        there.take_in(folder)

    assert there.holds() == []


def test_what_comes_with_the_install_is_not_packed(here: Machine, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="comes with the install"):
        here.pack("embed", tmp_path / "x.tar")
    assert not list(tmp_path.glob("x.*"))


def test_a_file_that_is_there_is_not_written_over(here: Machine, tmp_path: Path) -> None:
    here.make("a-folder")
    (tmp_path / "x.tar").write_text("mine")

    with pytest.raises(InputError, match="is there already"):
        here.pack("kobart", tmp_path / "x.tar")
    assert (tmp_path / "x.tar").read_text() == "mine"
