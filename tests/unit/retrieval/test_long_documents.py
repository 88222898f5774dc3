"""A document of many passages is committed in parts, and goes on where it was stopped."""

from pathlib import Path

import pytest
from retrieval_fakes import WordEmbedder

from bot.errors import InputError, ModelError
from bot.passage import PUBLIC, Scopes
from bot.retrieval.library import Shelves
from bot.store.database import Database
from bot.store.documents import Documents
from bot.store.passages import NewDocument, Passages


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.retrieval.shelving.PART", 2)


@pytest.fixture
def long(tmp_path: Path) -> Path:
    file = tmp_path / "long.md"
    file.write_text("\n\n".join(f"# Animal {number}\n\nThe zebra number {number}." for number in range(7)))
    return file


class StopsAfter(WordEmbedder):
    """Fails once it has embedded so many passages."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.left = count

    async def run(self, slot, batch, *, bulk=False):
        self.left -= sum("zebra" in text for text in batch)
        if self.left < 0:
            raise ModelError("stopped")
        return await super().run(slot, batch, bulk=bulk)


async def texts(database: Database, number: int) -> list[str]:
    opened = await Documents(database).find(number, Scopes([PUBLIC]))
    assert opened is not None
    return [part.text for part in opened.parts]


async def test_it_is_whole_and_in_order(library: Shelves, database: Database, long: Path) -> None:
    added = await library.add_file(long, PUBLIC, title="long.md")
    assert (added.status, added.passages) == ("added", 7)
    assert await texts(database, added.document) == [f"The zebra number {number}." for number in range(7)]
    assert (await library.add_file(long, PUBLIC, title="long.md")).status == "unchanged"


async def test_what_was_stopped_goes_on(library: Shelves, embedder: WordEmbedder, database: Database, long: Path) -> None:
    stops = StopsAfter(5)
    library._keeper._models = stops
    with pytest.raises(ModelError):
        await library.add_file(long, PUBLIC, title="long.md")
    assert sum("zebra" in text for text in stops.embedded) == 4
    library._keeper._models = embedder
    added = await library.add_file(long, PUBLIC, title="long.md")
    assert sum("zebra" in text for text in embedder.embedded) == 3
    assert (added.status, added.passages) == ("added", 7)
    assert await texts(database, added.document) == [f"The zebra number {number}." for number in range(7)]


async def test_what_was_begun_can_be_found_already(library: Shelves, long: Path) -> None:
    library._keeper._models = StopsAfter(5)
    with pytest.raises(ModelError):
        await library.add_file(long, PUBLIC, title="long.md")
    assert len((await library.rank("zebra", Scopes([PUBLIC]), count=9)).ids) == 4


async def test_what_changed_meanwhile_begins_anew(
    library: Shelves, embedder: WordEmbedder, database: Database, long: Path
) -> None:
    library._keeper._models = StopsAfter(5)
    with pytest.raises(ModelError):
        await library.add_file(long, PUBLIC, title="long.md")
    library._keeper._models = embedder
    long.write_text("The whale.")
    added = await library.add_file(long, PUBLIC, title="long.md")
    assert await texts(database, added.document) == ["The whale."]


async def test_a_part_of_what_is_no_longer_begun_is_refused(database: Database) -> None:
    part = NewDocument(PUBLIC, "k", "long.md", "", "f" * 64, "text", 9, (), first=2)
    with pytest.raises(InputError, match=r"long\.md was changed while I read it"):
        await Passages(database).add([part], generation=1)
