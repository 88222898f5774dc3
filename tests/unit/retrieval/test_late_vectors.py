"""Passages that were kept while no embedder was there, and an index whose files cannot be read: both are found all the same."""

from pathlib import Path

import pytest
from changeovers import fill, ids
from retrieval_fakes import Embedders

from bot.config import LimitSettings
from bot.retrieval.library import Shelves
from bot.retrieval.mirror import Mirror
from bot.retrieval.saved import UnfitError, manifest
from bot.retrieval.shelter import Shelter
from bot.store.database import Database
from bot.testing import InlineSandbox

LATE = "note 500 on elephants and lamp 500"


def opened(database: Database, embedders: Embedders, home: Path) -> Shelves:
    return Shelves(database, embedders, InlineSandbox(), home, LimitSettings())  # type: ignore[arg-type]


async def test_what_gets_its_vector_late_is_found_by_it_at_once_and_after_a_restart(
    database: Database, embedders: Embedders, tmp_path: Path
) -> None:
    library = opened(database, embedders, tmp_path)
    await fill(library, 200)
    assert len(await ids(library)) == 50
    known = embedders.known.pop("a@1")
    await fill(library, 1, since=500)
    embedders.known["a@1"] = known
    library._embedder = ""
    assert 201 not in await ids(library, LATE)
    library._saving.touch()

    while await library.changeover.step():
        pass

    assert 201 in await ids(library, LATE)
    assert (await library.verify()).memory_astray == 0
    library._saving.touch()
    await library.close()
    again = opened(database, embedders, tmp_path)
    assert 201 in await ids(again, LATE)
    await again.close()


async def test_where_the_index_files_cannot_be_read_the_database_is_searched(
    database: Database, embedders: Embedders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shut(*_what: object, **_more: object) -> None:
        raise PermissionError(13, "Permission denied")

    library = opened(database, embedders, tmp_path)
    await fill(library, 5)
    monkeypatch.setattr(Shelter, "load", shut)
    assert len(await ids(library)) == 5
    await library.close()


async def test_a_file_that_does_not_fit_and_cannot_be_set_aside_stops_no_search(
    database: Database, embedders: Embedders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unfit(*_what: object, **_more: object) -> None:
        raise UnfitError("it is cut")  # type: ignore[arg-type]

    def full(*_what: object, **_more: object) -> None:
        raise OSError(28, "No space left on device")

    library = opened(database, embedders, tmp_path)
    await fill(library, 5)
    monkeypatch.setattr(Mirror, "_load", unfit)
    monkeypatch.setattr(Shelter, "set_aside", full)
    assert len(await ids(library)) == 5
    await library.close()


@pytest.mark.parametrize("written", [b"[" * 100_000, b"\xff\xfe", b"", b"[]"])
def test_a_manifest_that_is_none_is_told_to_be_none(tmp_path: Path, written: bytes) -> None:
    (tmp_path / "manifest.json").write_bytes(written)
    with pytest.raises(UnfitError):
        manifest(tmp_path)
