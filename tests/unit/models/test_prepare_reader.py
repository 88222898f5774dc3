"""The reader's form is made of MiniLM and what was learnt beside it, once; what strays from torch is thrown away."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.config import Settings
from bot.errors import ModelError
from bot.models import made, prepare_reader
from bot.models.catalogue import Catalogue
from bot.models.fetch import resolve, size_bytes
from bot.models.prepare import MINILM_REVISION
from bot.models.runtimes.minilm_openvino import WORDS

Put = Callable[..., list[int]]

NEAR = dict.fromkeys(prepare_reader.MOST_ASTRAY, 0.001)
GOOD = json.dumps({"strays": NEAR, "versions": {"torch": "2"}})
FAR = json.dumps({"strays": {**NEAR, "onnxruntime": 0.5}, "versions": {}})
NAN = json.dumps({"strays": {**NEAR, "openvino, eight bits": float("nan")}, "versions": {}})
ONE = json.dumps({"strays": {"onnxruntime": 0.001}, "versions": {}})


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home, and an install that has no reader yet."""
    monkeypatch.setattr(prepare_reader, "install_models", lambda: tmp_path / "share")
    return tmp_path / "home"


@pytest.fixture
def child(home: Path, monkeypatch: pytest.MonkeyPatch) -> Put:
    """Put a child in place that writes the forms and says how far they stray; return a list that grows with each run."""
    minilm = home.parent / "minilm"
    minilm.mkdir()
    (minilm / WORDS).write_bytes(b"words")
    (minilm / "tokenizer.json").write_text("{}")
    monkeypatch.setattr(prepare_reader, "prepared_minilm", lambda _home, **_report: minilm)
    monkeypatch.setattr(prepare_reader, "trusted_source", _source_in)

    def put(said: str, code: int = 0) -> list[int]:
        runs: list[int] = []

        def run(command: list[str], **_options: object) -> subprocess.CompletedProcess[str]:
            runs.append(1)
            source, learnt, target = map(Path, command[-3:])
            assert (source / "config.json").is_file()
            assert learnt.name == "reader-v1.safetensors"
            for name in set(prepare_reader.PREPARED) - {WORDS, "tokenizer.json"}:
                (target / name).write_bytes(f"made {name}".encode())
            return subprocess.CompletedProcess(command, code, said, "no room\nfor torch")

        monkeypatch.setattr(subprocess, "run", run)
        return runs

    return put


def _source_in(making: Path) -> Path:
    source = making / "source"
    source.mkdir()
    (source / "config.json").write_text("{}")
    return source


def test_what_was_taught_before_goes_once_the_new_one_is_there(home: Path, child: Put) -> None:
    child(GOOD)
    share = home.parent / "share"
    older, anothers = share / f"reader-{MINILM_REVISION}-0123abcd", share / "reader-notes"
    older.mkdir(parents=True)
    anothers.mkdir()
    (older / "graph.onnx").write_bytes(b"old")
    (share / f"{older.name}.lock").touch()

    folder = prepare_reader.prepared_reader(home)

    assert sorted(path.name for path in share.iterdir()) == sorted([folder.name, f"{folder.name}.lock", anothers.name])


def test_it_is_made_once_with_a_word_about_it(home: Path, child: Put) -> None:
    runs, told = child(GOOD), list[tuple[str, float]]()

    folder = prepare_reader.prepared_reader(home, report=lambda text, done: told.append((text.to("ko"), done)))

    assert prepare_reader.prepared_reader(home) == folder == prepare_reader.find_reader(home)
    assert len(runs) == 1
    assert folder.parent == home.parent / "share"
    assert sorted(path.name for path in folder.iterdir()) == sorted([*prepare_reader.PREPARED, made.MANIFEST])
    assert [done for _text, done in told] == [0.0, 1.0]
    assert told[0][0].startswith("독해 모델을 만들고 있어요")


@pytest.mark.parametrize("name", prepare_reader.PREPARED)
def test_it_is_made_again_where_it_was_damaged(home: Path, child: Put, name: str) -> None:
    runs = child(GOOD)
    folder = prepare_reader.prepared_reader(home)
    whole = (folder / name).read_bytes()
    (folder / name).unlink()
    (folder / name).write_bytes(whole[:-1])

    assert prepare_reader.find_reader(home) is None
    assert prepare_reader.prepared_reader(home) == folder
    assert len(runs) == 2
    assert (folder / name).read_bytes() == whole


def test_its_table_of_words_takes_no_room_of_its_own(home: Path, child: Put) -> None:
    child(GOOD)
    folder = prepare_reader.prepared_reader(home)

    assert (folder / WORDS).samefile(home.parent / "minilm" / WORDS)


def test_where_a_file_can_have_no_second_name_it_is_copied(home: Path, child: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_paths: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("os.link", refused)
    child(GOOD)
    folder = prepare_reader.prepared_reader(home)

    assert (folder / WORDS).read_bytes() == b"words"
    assert not (folder / WORDS).samefile(home.parent / "minilm" / WORDS)


def test_where_the_install_cannot_be_written_it_lies_in_the_home(home: Path, child: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    child(GOOD)
    monkeypatch.setattr(prepare_reader, "writable", lambda _folder: False)

    assert prepare_reader.prepared_reader(home).parent == home / "models"


def test_what_else_was_learnt_is_another_reader(home: Path, child: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = child(GOOD)
    former = prepare_reader.prepared_reader(home)
    learnt = tmp_path / "reader-v1.safetensors"
    learnt.write_bytes(b"learnt anew")
    monkeypatch.setattr(prepare_reader, "LEARNT", learnt)
    prepare_reader._source.cache_clear()
    try:
        assert prepare_reader.find_reader(home) is None
        assert prepare_reader.prepared_reader(home) != former
    finally:
        prepare_reader._source.cache_clear()
    assert len(runs) == 2


@pytest.mark.parametrize(
    ("said", "code", "reason"),
    [
        (FAR, 0, "onnxruntime: 0.5 > 0.01"),
        (NAN, 0, "eight bits: nan"),
        (ONE, 0, "eight bits: None"),
        ("", 1, "for torch"),
        ("nothing", 0, "JSONDecodeError"),
        ("", 0, "IndexError"),
    ],
)
def test_what_strays_from_torch_is_thrown_away(home: Path, child: Put, said: str, code: int, reason: str) -> None:
    child(said, code)

    with pytest.raises(ModelError, match=f"could not be made .*{reason}"):
        prepare_reader.prepared_reader(home)
    assert prepare_reader.find_reader(home) is None
    assert [path.suffix for path in (home.parent / "share").iterdir()] == [".lock"]


def test_a_full_disk_is_told(home: Path, child: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    child(GOOD)
    monkeypatch.setattr(prepare_reader, "trusted_source", lambda _making: (_ for _ in ()).throw(OSError(28, "No space left")))

    with pytest.raises(ModelError, match=r"could not be made \(No space left\)"):
        prepare_reader.prepared_reader(home)


def test_an_install_without_what_was_learnt_is_told(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare_reader, "LEARNT", tmp_path / "gone.safetensors")
    prepare_reader._source.cache_clear()

    with pytest.raises(ModelError, match="could not be made"):
        prepare_reader.prepared_reader(home)


def test_it_is_near_to_torch_and_where_the_catalogue_looks_for_it(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    spec = Catalogue(settings).find("read.minilm.v1")
    place = resolve(spec, settings)
    manifest = made.read_manifest(place.folder)

    assert manifest is not None
    assert set(dict(manifest.cosines)) == set(prepare_reader.MOST_ASTRAY)
    assert all(0 < far <= prepare_reader.MOST_ASTRAY[engine] for engine, far in manifest.cosines)
    assert {"torch", "openvino", "onnxruntime", "tokenizers"} <= set(dict(manifest.versions))
    assert size_bytes(spec, settings) == sum((place.folder / name).stat().st_size for name in prepare_reader.PREPARED)
    assert size_bytes(spec, settings) == pytest.approx(spec.size_mb * 1e6, rel=0.25)


def test_the_catalogue_names_what_comes_with_the_install(tmp_path: Path) -> None:
    sha256 = made.sha256_of(prepare_reader.LEARNT)

    assert Catalogue(Settings(home=tmp_path)).find("read.minilm.v1").revision == f"{MINILM_REVISION}-{sha256[:8]}"
