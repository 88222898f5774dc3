"""No hit outside the scopes of the reader, ever; and an index that agrees with the database after whatever was done."""

import asyncio
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from retrieval_fakes import ANN, TEAM, WordEmbedder
from sqlalchemy import update

from bot.config import LimitSettings
from bot.errors import DeniedError
from bot.message import Message
from bot.passage import PUBLIC, Scope, Scopes
from bot.retrieval.access import Access, reader_scopes
from bot.retrieval.coded import CodedIndex
from bot.retrieval.lexical import Words
from bot.retrieval.library import Shelves
from bot.retrieval.search import Finder
from bot.retrieval.vectors import FlatIndex, Near, VectorIndex
from bot.store.database import Database
from bot.store.documents import Documents
from bot.store.shelf import Shelf, State
from bot.store.tables import PassageRow
from bot.testing import InlineSandbox, make_message

BEN = Scope("dm", "web/local/ben")
SCOPES = (ANN, BEN, TEAM, PUBLIC)
EVERYTHING = Scopes(SCOPES)

Step = tuple[str, int, int]
STEPS = st.lists(
    st.tuples(st.sampled_from(["add", "add", "edit", "remove", "forget", "search"]), st.integers(0, 3), st.integers(0, 5)),
    max_size=25,
)


def test_a_direct_chat_reads_its_own_and_what_is_public() -> None:
    assert set(reader_scopes(make_message("hi", chat="7"))) == {Scope("dm", "test/bot/7"), PUBLIC}


def test_a_group_reads_its_own_and_never_the_askers_chats() -> None:
    assert set(reader_scopes(make_message("hi", kind="group", chat="7"))) == {Scope("group", "test/bot/7"), PUBLIC}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS, readers=st.lists(st.sets(st.sampled_from(SCOPES), min_size=1), min_size=1, max_size=3))
def test_no_search_ever_tells_what_is_not_the_readers(
    steps: list[Step], readers: list[set[Scope]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    asyncio.run(play(steps, readers, tmp_path_factory.mktemp("access")))


async def play(steps: list[Step], readers: list[set[Scope]], home: Path) -> None:
    database = await Database.open(home / "paring.db")
    library = Shelves(database, WordEmbedder(), InlineSandbox(), home, LimitSettings())  # type: ignore[arg-type]
    there: dict[tuple[Scope, str], str] = {}
    try:
        for number, (what, place, key) in enumerate(steps):
            scope = SCOPES[place]
            if what in ("add", "edit"):
                there[scope, str(key)] = f"canary{number}x is the secret word of everybody here"
                await library.add_text(there[scope, str(key)], scope, title="", link="", key=str(key), sender=f"s{key % 2}")
            elif what == "remove":
                assert await library.remove(scope, key=str(key)) == (1 if there.pop((scope, str(key)), None) else 0)
            elif what == "forget":
                await library.forget(scope, sender=f"s{key % 2}")
                there = {at: said for at, said in there.items() if at[0] != scope or int(at[1]) % 2 != key % 2}
            for reader in readers if what == "search" else ():
                await check(library, there, reader)
        for reader in readers:
            await check(library, there, reader)
        assert (await library.verify()).sound
        assert (await library.status()).in_memory == len(there)
    finally:
        await library.close()
        await database.close()


async def check(library: Shelves, there: dict[tuple[Scope, str], str], reader: set[Scope]) -> None:
    """Every passage that the reader may read is found by its words and by its vector, and no other."""
    allowed = sorted(said for (scope, _key), said in there.items() if scope in reader)
    for leg in ("vectors", "words", "fused"):
        found = await library.rank("the secret word of everybody", Scopes(reader), count=100, leg=leg)
        assert len(found.ids) == len(allowed), leg
    hits = await library.search("the secret word of everybody", Scopes(reader), k=100)
    assert all(hit.passage.scope in reader and hit.passage.text in allowed for hit in hits)


@pytest.fixture
async def secrets(library: Shelves) -> Shelves:
    for scope, word in ((ANN, "annsecret"), (TEAM, "teamsecret")):
        await library.add_text(f"the {word} is under the lamp", scope, title="", link="", key="1")
    return library


class Leaky:
    """Takes out one layer of the access rule at a time."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.patch = patch

    def selector(self) -> None:
        search = FlatIndex.search

        def all_scopes(self: FlatIndex, vector: np.ndarray, *, count: int, scopes: list[int]) -> Near:
            return search(self, vector, count=count, scopes=list(range(1, 100)))

        self.patch.setattr(FlatIndex, "search", all_scopes)
        self.words("readable")
        self.words("terms_in")

    def words(self, layer: str) -> None:
        readable, terms = State.readable, State.terms_in
        if layer == "readable":
            self.patch.setattr(State, layer, lambda state, _scopes, *, after=0: readable(state, range(1, 100), after=after))
        else:
            self.patch.setattr(State, layer, lambda state, ids, _scopes: terms(state, ids, range(1, 100)))

    def candidates(self) -> None:
        read = State.candidates
        self.patch.setattr(State, "candidates", lambda state, ids, _scopes: read(state, ids, list(range(1, 100))))

    def last_look(self) -> None:
        read = State.passages
        self.patch.setattr(State, "passages", lambda state, ids, _scopes: read(state, ids, EVERYTHING))


@pytest.mark.parametrize("broken", ["selector", "candidates", "last_look"])
async def test_each_layer_alone_keeps_a_secret_when_another_breaks(
    secrets: Shelves, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    getattr(Leaky(monkeypatch), broken)()
    hits = await secrets.search("what is under the lamp", Scopes([TEAM]))
    assert all("annsecret" not in hit.passage.text for hit in hits)


async def test_the_selector_admits_the_readers_scopes_alone(secrets: Shelves, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    search = FlatIndex.search
    monkeypatch.setattr(
        FlatIndex,
        "search",
        lambda index, vector, *, count, scopes: asked.append(scopes) or search(index, vector, count=count, scopes=scopes),
    )
    await secrets.rank("lamp", Scopes([TEAM]), count=5)
    assert asked == [(2,)]


@pytest.mark.parametrize("layer", ["readable", "terms_in"])
async def test_the_words_leg_finds_the_readers_passages_alone_by_either_layer(
    secrets: Shelves, monkeypatch: pytest.MonkeyPatch, layer: str
) -> None:
    found: list[int] = []
    search, other = Words.search, {"readable": "terms_in", "terms_in": "readable"}[layer]

    def noted(words: Words, *given: Any, **named: Any) -> list[int]:
        found[:] = search(words, *given, **named)
        return found

    monkeypatch.setattr(Words, "search", noted)
    Leaky(monkeypatch).words(other)
    await secrets.rank("lamp", Scopes([TEAM]), count=5)
    assert found == [2]


async def test_candidates_of_other_scopes_are_dropped_before_they_are_weighed(
    secrets: Shelves, monkeypatch: pytest.MonkeyPatch
) -> None:
    Leaky(monkeypatch).selector()
    assert (await secrets.rank("lamp", Scopes([TEAM]), count=5)).ids == (2,)


async def test_a_text_of_another_scope_is_not_read_at_the_end(secrets: Shelves, monkeypatch: pytest.MonkeyPatch) -> None:
    leaky = Leaky(monkeypatch)
    leaky.selector()
    leaky.candidates()
    hits = await secrets.search("what is under the lamp", Scopes([TEAM]))
    assert all(hit.passage.scope == TEAM for hit in hits)


async def test_the_last_look_reads_no_text_of_another_scope(secrets: Shelves, database: Database) -> None:
    with Shelf(database.path).state() as state:
        assert [shown.passage.text for shown in state.passages([1, 2], Scopes([TEAM])).values()] == [
            "the teamsecret is under the lamp"
        ]
        assert state.passages([1, 2], Scopes([BEN, PUBLIC])) == {}


async def test_the_last_look_reads_no_text_of_a_former_version_or_of_what_is_gone(secrets: Shelves, database: Database) -> None:
    await database.write(lambda connection: connection.execute(update(PassageRow).where(PassageRow.id == 1).values(version=7)))
    await secrets.remove(TEAM, key="1")
    with Shelf(database.path).state() as state:
        assert state.passages([1, 2], EVERYTHING) == {}


SEARCHES = (
    Shelves.search, Shelves.rank, Shelves.firsts, Finder.hear, Finder.find, Finder.rank, Finder.firsts, State.scope_ids,
    State.candidates, State.passages, State.readable, State.terms_in, VectorIndex.search, FlatIndex.search,
    CodedIndex.search, Documents.find, Documents.count,
)  # fmt: skip


@pytest.mark.parametrize("search", SEARCHES, ids=lambda search: search.__qualname__)
def test_nothing_is_searched_or_read_without_saying_for_whom(search: Callable[..., object]) -> None:
    named = [one for name, one in inspect.signature(search).parameters.items() if name in ("scopes", "scope_ids")]
    assert [one.default for one in named] == [inspect.Parameter.empty]


async def test_who_was_let_in_no_more_reads_nothing_any_more_also_of_what_waits() -> None:
    async def nobody(_message: Message) -> bool:
        return False

    class Nowhere:
        async def shared(self, channel: str, account: str, *, most: int) -> list[Scope]:
            return []

    access = Access(Nowhere(), {}, admits=nobody)
    with pytest.raises(DeniedError, match="any more"):
        await access.scopes_of(make_message("where is the plan?"))
