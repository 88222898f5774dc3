import asyncio
import errno
import json
import os
import shutil
import threading
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from retrieval_fakes import ANN, WordEmbedder

from bot.config import LimitSettings
from bot.locale import Text
from bot.passage import PUBLIC, Scope, Scopes
from bot.retrieval import coded, saved, saving, shelter
from bot.retrieval.coded import CodedIndex, Source, code
from bot.retrieval.library import Shelves
from bot.retrieval.saved import UnfitError
from bot.retrieval.saving import Saving
from bot.retrieval.shelter import MOST_SET_ASIDE, Shelter
from bot.retrieval.vectors import FlatIndex, VectorIndex
from bot.store.database import Database
from bot.testing import InlineSandbox

EVERYONE = Scopes([PUBLIC])
ASKED = "where is the blue lamp of office 3"
THIRD = "the blue lamp of office 3 is there"


class SignedEmbedder(WordEmbedder):
    """Vectors that differ in their signs as well."""

    def __init__(self) -> None:
        super().__init__(dimension=64)

    def vector(self, text: str) -> np.ndarray:
        vector = super().vector(text) + 0.02 * np.random.default_rng(zlib.crc32(text.encode())).normal(size=64).astype(np.float32)
        return vector / np.linalg.norm(vector)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
async def other(tmp_path: Path) -> AsyncIterator[Database]:
    second = await Database.open(tmp_path / "other.db")
    yield second
    await second.close()


@pytest.fixture(params=["flat", "coded"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Small libraries in both forms of the index."""
    if request.param == "coded":
        monkeypatch.setattr(coded, "CODED_FROM", 4)
        monkeypatch.setattr(coded, "FLAT_BELOW", 1)
    return str(request.param)


@asynccontextmanager
async def opened(database: Database, home: Path) -> AsyncIterator[Shelves]:
    library = Shelves(database, SignedEmbedder(), InlineSandbox(), home, LimitSettings())  # type: ignore[arg-type]
    await library.open()
    yield library
    await library.close()


async def add(library: Shelves, *numbers: int, scope: Scope = PUBLIC) -> None:
    for number in numbers:
        await library.add_text(
            f"the blue lamp of office {number} is there", scope, title="", link="", key=str(number), sender="ann"
        )


async def fill(database: Database, home: Path) -> Path:
    """Keep twelve passages, end, and return the folder of the index."""
    async with opened(database, home) as library:
        await add(library, *range(12))
    (folder,) = folders(home)
    return folder


async def found(library: Shelves, scopes: Scopes = EVERYONE) -> list[str]:
    return [hit.passage.text for hit in await library.search(ASKED, scopes)]


def folders(home: Path) -> list[Path]:
    return sorted(path for path in (home / "index").iterdir() if (path / "manifest.json").exists())


def bytes_of(home: Path) -> bytes:
    return b"".join(path.read_bytes() for path in (home / "index").rglob("*") if path.is_file())


async def test_a_start_reads_the_files_and_follows_what_came_and_went_since(database: Database, home: Path, kind: str) -> None:
    folder = await fill(database, home)
    assert json.loads((folder / "manifest.json").read_text())["kind"] == kind
    shutil.copytree(folder, home / "kept")
    async with opened(database, home) as library:
        await add(library, 12, 13)
        await library.remove(PUBLIC, key="3")
    shutil.rmtree(home / "index")
    shutil.copytree(home / "kept", home / "index" / folder.name)
    async with opened(database, home) as library:
        findings = await library.verify()
        assert findings.sound
        assert findings.in_file == 12
        assert (await library.status()).in_memory == 13
        assert THIRD not in await found(library)


def test_what_was_removed_is_not_saved(tmp_path: Path) -> None:
    vectors = np.eye(16, dtype=np.float32)
    made = saved.Made(saved.Mark(16, 2, 1, "words@1", 16), 100, 16)
    for index in (FlatIndex(16), CodedIndex(16, lambda ids: vectors[ids - 1])):
        index.add(np.arange(1, 17), np.arange(16) % 3, vectors)
        index.remove(np.array([2, 5]))
        saved.write(tmp_path / index.kind, index, made)
        again, of = saved.read(tmp_path / index.kind, lambda ids: vectors[ids - 1])
        assert of == made
        assert again.ids.tolist() == [number for number in range(1, 17) if number not in (2, 5)]
        near, wanted = (one.search(vectors[3], count=20, scopes=[0]) for one in (again, index))
        assert near.ids.tolist() == wanted.ids.tolist()
        again.add(np.array([17]), np.array([0]), vectors[:1])
        assert len(again) == 15


def cut(folder: Path) -> None:
    file = next(path for path in sorted(folder.glob("*.bin")) if path.stat().st_size)
    file.write_bytes(file.read_bytes()[:-1])


def flip(name: str) -> Callable[[Path], None]:
    def work(folder: Path) -> None:
        file = folder / name
        if not file.exists() or not file.stat().st_size:
            file = folder / "ids.bin"
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 4
        file.write_bytes(data)

    return work


def rewritten(**fields: object) -> Callable[[Path], None]:
    """A manifest whose own hash is right: of another program, database or time."""

    def work(folder: Path) -> None:
        file = folder / "manifest.json"
        said = json.loads(file.read_text()) | fields
        said.pop("sha256")
        file.write_text(json.dumps({**said, "sha256": saved._hash_of(said)}))

    return work


def without(name: str) -> Callable[[Path], None]:
    def work(folder: Path) -> None:
        (folder / name).unlink()

    return work


BREAKS = [
    *(("flat", work) for work in (cut, flip("ids.bin"), flip("scopes.bin"), flip("vectors.bin"), without("vectors.bin"))),
    *(("coded", work) for work in (cut, flip("first.bin"), flip("manifest.json"), without("ids.bin"), without("manifest.json"))),
    *(("flat", rewritten(**fields)) for fields in (  # type: ignore[arg-type]
        {"form": 2}, {"kind": "pickle"}, {"kind": "coded"}, {"embedder": "other@1"}, {"dimension": 32}, {"generation": 9}, {"count": 11},
        {"count": -1}, {"passage": 13}, {"passage": "12"}, {"removal": 1}, {"files": {}}, {"files": []}, {"files": {"ids": 3}},
    )),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "breaks"), BREAKS, indirect=["kind"])
async def test_a_file_that_does_not_fit_is_never_loaded_but_told_set_aside_and_made_anew(
    database: Database, home: Path, kind: str, breaks: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    breaks(await fill(database, home))
    with monkeypatch.context() as guarded:
        for form in (FlatIndex, CodedIndex):
            guarded.delattr(form, "take")
        async with opened(database, home) as library:
            findings = await library.verify()
            assert not findings.sound
            assert "`paring index rebuild` mends it" in findings.to("en")
            assert "set aside" in findings.to("en")
            assert "파일" in findings.to("ko")
            assert findings.as_json()["unfit"]
            assert (await found(library))[0] == THIRD, "searches go on from the database"
            again = await library.verify()
            assert again.sound
            assert again.set_aside == 1
    async with opened(database, home) as library:
        await library.rebuild()
        assert (await library.verify()).set_aside == 1
    (folder,) = folders(home)
    assert saved.check(folder).mark.passage == 12
    async with opened(database, home) as library:
        assert (await library.verify()).in_file == 12


async def test_the_index_of_another_database_is_not_believed(
    database: Database, other: Database, home: Path, tmp_path: Path, kind: str
) -> None:
    await fill(database, home)
    async with opened(other, tmp_path / "other") as library:
        await library.add_text("a red chair for the garden", PUBLIC, title="", link="", key="a")
        await add(library, *range(20, 34))
    shutil.rmtree(tmp_path / "other" / "index")
    shutil.copytree(home / "index", tmp_path / "other" / "index")
    async with opened(other, tmp_path / "other") as library:
        findings = await library.verify()
        assert "others than the database's" in findings.to("en")
        assert (await library.status()).in_memory == 15


async def test_a_file_that_is_replaced_while_it_is_read_is_not_taken_for_broken(
    database: Database, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(database, home)
    newer = home / "index" / "1-13-0"
    began: list[Path] = []

    def overtaken(folder: Path, source: Source) -> object:
        began.append(folder)
        if folder != newer:
            folder.rename(newer)
        return saved.read(folder, source)

    monkeypatch.setattr(shelter, "read", overtaken)
    async with opened(database, home) as library:
        assert (await found(library))[0] == THIRD
        assert began
        assert (await library.verify()).sound
    assert folders(home) == [newer]
    assert Shelter(home / "index").aside() == []


async def test_who_saves_can_set_aside_what_turns_out_not_to_fit(database: Database, home: Path) -> None:
    await fill(database, home)
    shelter = Shelter(home / "index")

    def save() -> None:
        with shelter.locked():
            shelter.set_aside(UnfitError(Text("another embedder became live meanwhile")))

    saving_now = threading.Thread(target=save, daemon=True)
    saving_now.start()
    await asyncio.to_thread(saving_now.join, 10)

    assert not saving_now.is_alive()
    assert len(shelter.aside()) == 1


async def test_only_the_last_few_are_kept_aside(database: Database, home: Path) -> None:
    await fill(database, home)
    shelter = Shelter(home / "index")
    for _time in range(MOST_SET_ASIDE + 2):
        async with opened(database, home) as library:
            await library.rebuild()
        flip("vectors.bin")(folders(home)[0])
        async with opened(database, home) as library:
            assert not (await library.verify()).sound
    assert sorted(path.name[0] for path in shelter.aside()) == ["3", "4", "5"]


async def test_what_is_forgotten_is_in_no_file_when_forgetting_returns(database: Database, home: Path, kind: str) -> None:
    await fill(database, home)
    secret = "the vault opens with marzipan"
    vector = SignedEmbedder().vector(secret)
    trace = vector.astype("<f2").tobytes() if kind == "flat" else code(vector[None]).tobytes()
    async with opened(database, home) as library:
        await library.add_text(secret, ANN, title="", link="", key="s", sender="ann")
    flip("ids.bin")(folders(home)[0])
    async with opened(database, home) as library:
        await library.rebuild()
        shutil.copytree(folders(home)[0], home / "index" / "set-aside" / "9.1-13-0")
        assert trace in bytes_of(home)
        await library.forget(ANN)
        assert trace not in bytes_of(home)
        assert (await library.verify()).sound
        assert (await library.verify()).in_file == 12


async def test_where_it_cannot_be_written_anew_it_is_deleted(
    database: Database, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(database, home)
    async with opened(database, home) as library:
        with monkeypatch.context() as full:
            full.setattr(os, "fsync", refuse)
            await library.forget(PUBLIC)
            assert folders(home) == []
            assert not list((home / "index").glob(".aside-*"))


def refuse(_handle: int) -> None:
    raise OSError(errno.ENOSPC, "full")


async def test_what_a_kill_left_half_written_is_cleared_away_and_never_read(database: Database, home: Path) -> None:
    folder = await fill(database, home)
    shutil.copytree(folder, home / "index" / ".aside-dead")
    shutil.copytree(folder, home / "index" / "1-4-0")
    async with opened(database, home) as library:
        assert (await library.verify()).in_file == 12
        await add(library, 12)
    assert [path.name for path in folders(home)] == ["1-13-0"]


async def test_what_the_first_writing_left_when_it_was_killed_is_gone_when_forgetting_returns(
    database: Database, home: Path
) -> None:
    shutil.move(await fill(database, home), home / "index" / ".aside-dead")
    async with opened(database, home) as library:
        await library.forget(PUBLIC)
        assert not list((home / "index").glob(".aside-*"))


async def test_who_only_asks_writes_nothing(database: Database, home: Path) -> None:
    await fill(database, home)
    shutil.rmtree(home / "index")
    async with opened(database, home) as library:
        assert await found(library)
    assert not (home / "index").exists()


async def test_what_comes_while_the_file_is_written_is_saved_at_the_end(
    database: Database, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(database, home) as library:
        await add(library, 1)
        loop, write = asyncio.get_running_loop(), shelter.write

        def with_another(folder: Path, index: VectorIndex, made: saved.Made) -> None:
            asyncio.run_coroutine_threadsafe(add(library, 2), loop).result()
            write(folder, index, made)

        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(shelter, "write", with_another)
            assert await asyncio.to_thread(library._saving.save)
        assert [path.name for path in folders(home)] == ["1-1-0"]
    assert [path.name for path in folders(home)] == ["1-2-0"]


async def test_where_there_is_no_file_one_is_due(database: Database, home: Path) -> None:
    folder = await fill(database, home)
    own = Saving(database.path, Shelter(home / "index"))
    assert not own._due()
    shutil.rmtree(folder)
    assert own._due()


@pytest.mark.parametrize(
    ("constants", "step", "due"),
    [
        ({}, "nothing", False),
        ({}, "add", False),
        ({"LEAST_CHANGES": 1, "SHARE": 100}, "add", True),
        ({"LEAST_CHANGES": 1, "SHARE": 1}, "add", False),
        ({"WITHIN_S": -1.0}, "add", True),
        ({"WITHIN_S": -1.0}, "nothing", False),
        ({"GONE_WITHIN_S": -1.0}, "add", False),
        ({"GONE_WITHIN_S": -1.0}, "remove", True),
    ],
)
async def test_it_is_saved_when_enough_has_changed_or_after_a_while(
    database: Database, home: Path, monkeypatch: pytest.MonkeyPatch, constants: dict[str, float], step: str, due: bool
) -> None:
    await fill(database, home)
    steps: dict[str, Callable[[Shelves], Awaitable[object]]] = {
        "nothing": lambda library: library.ready(),
        "add": lambda library: add(library, 12),
        "remove": lambda library: library.remove(PUBLIC, key="3"),
    }
    for name, value in constants.items():
        monkeypatch.setattr(saving, name, value)
    async with opened(database, home) as library:
        own = Saving(database.path, Shelter(home / "index"))
        await steps[step](library)
        assert own._due() is due
        own.save()
        assert not own._due()
        assert [path.name for path in folders(home)] == [{"nothing": "1-12-0", "add": "1-13-0", "remove": "1-12-1"}[step]]
