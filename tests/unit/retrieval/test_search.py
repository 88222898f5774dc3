import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from retrieval_fakes import ANN, TEAM, WordEmbedder

from bot.passage import PUBLIC, Scopes
from bot.retrieval import search
from bot.retrieval.found import Question
from bot.retrieval.library import Shelves
from bot.retrieval.search import Finder, Leg
from bot.retrieval.vectors import FlatIndex
from bot.store.database import Database
from bot.store.shelf import State, Termed

EVERYONE = Scopes([PUBLIC])
ASKED = "where is the blue lamp of office 7"


@pytest.fixture
async def lamps(library: Shelves) -> Shelves:
    for number in range(12):
        await library.add_text(f"the blue lamp of office {number} is there", PUBLIC, title="", link="", key=str(number))
    return library


@pytest.fixture
def finder(lamps: Shelves, database: Database) -> Iterator[Finder]:
    opened = Finder(database.path)
    yield opened
    opened.close()


@pytest.fixture
def question(embedder: WordEmbedder) -> Question:
    return Question(ASKED, embedder.vector(ASKED), embedder.name)


def test_what_was_heard_before_changes_nothing(finder: Finder, question: Question) -> None:
    heard = finder.hear(ASKED, EVERYONE)
    assert heard.ids
    assert finder.find(question, EVERYONE, count=5, heard=heard) == finder.find(question, EVERYONE, count=5) != []


def test_what_was_heard_is_used_while_the_database_stands_still(
    finder: Finder, question: Question, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = finder.hear(ASKED, EVERYONE)
    monkeypatch.delattr(State, "terms_in")
    assert finder.find(question, EVERYONE, count=5, heard=heard)


@pytest.mark.parametrize(("leg", "other"), [("vectors", (State, "terms_in")), ("words", (FlatIndex, "search"))])
def test_a_leg_by_itself_does_nothing_of_the_others_work(
    finder: Finder, question: Question, monkeypatch: pytest.MonkeyPatch, leg: Leg, other: tuple[type, str]
) -> None:
    finder.hear(ASKED, EVERYONE)
    monkeypatch.delattr(*other)
    assert len(finder.rank(question, EVERYONE, count=5, leg=leg).ids) == 5


async def test_what_was_heard_before_a_change_is_heard_again(lamps: Shelves, finder: Finder, question: Question) -> None:
    heard = finder.hear(ASKED, EVERYONE)
    await lamps.remove(PUBLIC, key="3")
    await lamps.add_text(ASKED, PUBLIC, title="", link="", key="new")
    hits = finder.find(question, EVERYONE, count=20, heard=heard)
    assert hits[0].passage.text == ASKED
    assert all("office 3 " not in hit.passage.text for hit in hits)
    assert hits == finder.find(question, EVERYONE, count=20)


async def test_a_scope_that_was_empty_is_searched_once_something_is_there(
    lamps: Shelves, finder: Finder, question: Question
) -> None:
    mine = Scopes([ANN])
    assert finder.find(question, mine, count=5) == []
    await lamps.add_text(ASKED, ANN, title="", link="", key="1")
    await lamps.add_text(ASKED, TEAM, title="", link="", key="1")
    assert [hit.passage.scope for hit in finder.find(question, mine, count=5)] == [ANN]


async def test_the_words_are_looked_for_while_the_vector_is_made(
    lamps: Shelves, embedder: WordEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, heard = asyncio.get_running_loop(), asyncio.Event()
    read, embed = State.terms_in, embedder.run

    def noted(state: State, ids: NDArray[np.int64], scope_ids: Sequence[int]) -> list[Termed]:
        loop.call_soon_threadsafe(heard.set)
        return read(state, ids, scope_ids)

    async def after_the_words(slot: Any, batch: Sequence[Any], *, bulk: bool = False) -> list[Any]:
        await heard.wait()  # for ever, where the words wait for the vector
        return await embed(slot, batch, bulk=bulk)

    monkeypatch.setattr(State, "terms_in", noted)
    monkeypatch.setattr(embedder, "run", after_the_words)
    assert await lamps.search(ASKED, EVERYONE)


async def test_a_failing_embedder_leaves_the_library_in_order(
    lamps: Shelves, embedder: WordEmbedder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def fails(_slot: Any, _batch: Sequence[Any], *, bulk: bool = False) -> list[Any]:
        raise RuntimeError(str(tmp_path))

    with monkeypatch.context() as broken:
        broken.setattr(embedder, "run", fails)
        with pytest.raises(RuntimeError):
            await lamps.search(ASKED, EVERYONE)
    assert await lamps.search(ASKED, EVERYONE)


async def test_searches_go_on_by_words_while_very_many_passages_are_taken_in_step_by_step(
    lamps: Shelves, finder: Finder, question: Question, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = finder.find(question, EVERYONE, count=20)
    monkeypatch.setattr(search, "STEP", 3)
    finder.reset()
    assert finder.step()
    assert len(finder.index) == 3
    await lamps.remove(PUBLIC, key="1")
    hits = finder.find(question, EVERYONE, count=20)
    assert finder.behind
    assert hits[0].passage == whole[0].passage
    assert all("office 1 " not in hit.passage.text for hit in hits)
    while finder.step():
        pass
    assert len(finder.index) == 11
    assert finder.verify().sound
    assert len(finder.find(question, EVERYONE, count=20)) == len(whole) - 1


async def test_what_a_search_leaves_over_is_taken_in_after_it(lamps: Shelves, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "STEP", 3)
    await lamps.ready()
    for number in range(20, 40):
        await lamps.add_text(f"the red chair of office {number} is there", PUBLIC, title="", link="", key=str(number))
    assert await lamps.search(ASKED, EVERYONE)
    filling = lamps._filling
    assert filling is not None
    await filling
    assert (await lamps.status()).in_memory == 32
