"""Another embedder takes over without a search that mixes, misses or waits; a kill, a change of mind or a bad model leaves the old one."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from changeovers import A, B, C, fill, ids, states
from retrieval_fakes import Embedders

from bot.config import LimitSettings
from bot.errors import InputError
from bot.passage import PUBLIC
from bot.retrieval import changeover as module
from bot.retrieval.changeover import Changeover
from bot.retrieval.found import Question
from bot.retrieval.library import Shelves
from bot.retrieval.saving import Saving
from bot.retrieval.search import Finder
from bot.retrieval.shelter import Shelter
from bot.store.assignments import Assignments
from bot.store.database import Database
from bot.store.generations import Generations
from bot.testing import InlineSandbox


@pytest.fixture
def library(embedders_library: Shelves) -> Shelves:
    return embedders_library


async def test_the_next_one_is_made_in_pieces_while_the_live_one_is_searched(
    library: Shelves, change: Changeover, database: Database, embedders: Embedders
) -> None:
    await fill(library, 5)
    await change.wish(B, by="ann")
    seen = []
    while await change.step():
        standing = await change.standing()
        seen.append([held.vectors for held in standing.generations])
        assert len(await ids(library)) == 5
    assert seen[:2] == [[5, 2], [5, 4]]
    assert await states(database) == {A: "retired", B: "live"}
    embedders.asked.clear()
    assert len(await ids(library)) == 5
    assert embedders.asked[-1] == B
    assert (await library.status()).searched_by_meaning
    assert (await library.verify()).sound


async def test_what_comes_and_goes_meanwhile_comes_to_both_and_goes_from_both(
    library: Shelves, change: Changeover, database: Database
) -> None:
    await fill(library, 5)
    await change.wish(B, by="ann")
    assert await change.step()
    await fill(library, 2, since=5)
    await library.remove(PUBLIC, key="0")
    await library.remove(PUBLIC, key="6")
    first, second = (await change.standing()).generations
    assert (first.vectors, first.lacking) == (5, 0)
    assert second.vectors == 2  # of the two of its first piece one went; of the two that came, one
    while await change.step():
        pass
    assert len(await ids(library)) == 5
    assert (await library.verify()).sound


async def test_a_killed_change_goes_on_where_it_stood(
    library: Shelves, change: Changeover, database: Database, embedders: Embedders, tmp_path: Path
) -> None:
    await fill(library, 9)
    await change.wish(B, by="ann")
    for _piece in range(2):
        assert await change.step()
    embedders.known[B].embedded.clear()

    after_the_kill = Shelves(database, embedders, InlineSandbox(), tmp_path, LimitSettings())  # type: ignore[arg-type]
    given: list[int] = []
    embedders.before = lambda name, bulk: given.append(1) if name == B and bulk else None
    while await after_the_kill.changeover.step():
        pass
    await after_the_kill.close()

    assert len(given) == 3  # five that lacked a vector, in pieces of two
    assert await states(database) == {A: "retired", B: "live"}


@pytest.mark.parametrize("seed", range(4))
async def test_searches_and_changes_interleaved_never_mix_vectors(
    library: Shelves, change: Changeover, embedders: Embedders, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)
    await fill(library, 12)
    compared: list[tuple[str, str, int, int]] = []
    vector_of = Finder._vector

    def watched(self: Finder, question: Question) -> np.ndarray:
        vector = vector_of(self, question)
        compared.append((question.embedder, self.mark.embedder, len(vector), self.mark.dimension))
        return vector

    async def yields(*_call: object) -> None:
        for _turn in range(chance.randrange(6)):
            await asyncio.sleep(0)

    monkeypatch.setattr(Finder, "_vector", watched)
    embedders.before = yields
    found: list[int] = []

    async def search() -> None:
        while not flipping.done():
            found.append(len(await ids(library)))
            await yields()

    async def flip() -> None:
        for wish in chance.choices([A, B, C], k=6):
            await change.wish(wish, by="ann")
            for _piece in range(chance.randrange(2, 12)):
                await change.step()
                await yields()

    flipping = asyncio.create_task(flip())
    await asyncio.gather(flipping, *(search() for _asker in range(3)))

    assert len(compared) == len(found)
    assert all(asked == mark and size == dimension for asked, mark, size, dimension in compared)
    assert {mark for _asked, mark, _size, _dimension in compared} > {A}
    assert set(found) == {12}
    assert (await library.verify()).sound


async def test_a_flip_between_embedding_and_search_is_asked_again(
    library: Shelves, change: Changeover, embedders: Embedders
) -> None:
    await fill(library, 3)
    await ids(library)
    await change.wish(B, by="ann")

    async def flip_first(_name: str, bulk: bool) -> None:
        if not bulk:
            embedders.before = lambda _name, _bulk: None
            await change.complete()

    embedders.before = flip_first
    embedders.asked.clear()
    assert len(await ids(library)) == 3
    assert (embedders.asked[-2], embedders.asked[-1]) == (A, B)


async def test_the_way_back_is_at_once_where_nothing_came_since(library: Shelves, change: Changeover, database: Database) -> None:
    await fill(library, 3)
    with pytest.raises(InputError, match="No generation was live before"):
        await change.roll_back(by="ann")
    await change.wish(B, by="ann")
    await change.complete()

    plan = await change.roll_back(by="ann")

    assert plan.lacking == 0
    assert await states(database) == {A: "live", B: "retired"}
    assert len(await ids(library)) == 3


async def test_what_came_since_is_filled_before_the_way_back(library: Shelves, change: Changeover, database: Database) -> None:
    await fill(library, 3)
    await change.wish(B, by="ann")
    await change.complete()
    await fill(library, 2, since=3)
    await library.remove(PUBLIC, key="0")

    plan = await change.roll_back(by="ann")

    assert (plan.embedder, plan.lacking, plan.passages) == (A, 2, 4)
    assert plan.seconds > 0
    assert await states(database) == {A: "retired", B: "live"}
    await change.complete()
    assert await states(database) == {A: "live", B: "retired"}
    assert len(await ids(library)) == 4
    assert (await library.verify()).sound


async def test_a_changed_mind_drops_what_was_half_made(library: Shelves, change: Changeover, database: Database) -> None:
    await fill(library, 6)
    await change.wish(B, by="ann")
    await change.step()
    await change.wish(C, by="ann")
    await change.step()
    assert await states(database) == {A: "live", C: "building"}
    await change.wish(A, by="ann")
    while await change.step():
        pass
    assert await states(database) == {A: "live"}
    assert (await Generations(database).counts(2))[0] == 0


async def test_the_index_file_of_the_one_before_is_passed_over_and_nothing_is_wrong_with_it(
    library: Shelves, change: Changeover, database: Database, tmp_path: Path
) -> None:
    await fill(library, 3)
    shelter, own = Shelter(tmp_path / "index"), Saving(database.path, Shelter(tmp_path / "index"))
    own.save()
    for wish, folder in ((B, "2-3-0"), (A, "1-3-0")):
        await change.wish(wish, by="ann")
        await change.complete()

        assert len(await ids(library)) == 3
        findings = await library.verify()
        assert findings.sound
        assert (findings.in_file, findings.set_aside) == (0, 0)
        assert own._due()
        own.save()
        assert shelter.newest() == tmp_path / "index" / folder
        assert (await library.verify()).in_file == 3
    assert shelter.aside() == []


async def test_retired_vectors_stay_until_they_are_dropped(library: Shelves, change: Changeover, database: Database) -> None:
    await fill(library, 3)
    await change.wish(B, by="ann")
    await change.complete()
    with pytest.raises(InputError, match="in use"):
        await change.drop("b")
    with pytest.raises(InputError, match="no generation of “x”"):
        await change.drop("x")
    assert await change.drop("a") == 3
    assert await states(database) == {B: "live"}
    assert await change.drop("") == 0
    with pytest.raises(InputError, match="No generation was live before"):
        await change.roll_back(by="ann")


async def test_the_settings_are_a_wish_when_they_change_and_not_at_every_start(change: Changeover, database: Database) -> None:
    wish = Assignments(database)
    await change.settle("", by="paring.toml")
    assert await wish.of("embed") is None
    await change.settle(B, by="paring.toml")
    await change.wish(C, by="ann")
    await change.settle(B, by="paring.toml")
    newest = await wish.of("embed")
    assert newest is not None
    assert newest.model == C
    await change.settle(A, by="paring.toml")
    newest = await wish.of("embed")
    assert newest is not None
    assert (newest.model, newest.by) == (A, "paring.toml")


async def test_the_house_is_told_before_and_after_and_which_embedders_it_needs(library: Shelves, change: Changeover) -> None:
    told: list[tuple[str, object]] = []

    def teller(what: str) -> Callable[[object], Any]:
        async def tell(which: object) -> None:
            told.append((what, which))

        return tell

    change.before_flip, change.flipped, change.needed = map(teller, ("before", "flipped", "needed"))
    await fill(library, 3)
    await change.wish(B, by="ann")
    while await change.step():
        await change.follow()
    assert told[:2] == [("needed", [A, B]), ("needed", [A, B])]
    assert told[2:] == [("before", B), ("flipped", B), ("needed", [B])]
    await change.follow()
    assert [what for what, _which in told].count("flipped") == 1


async def test_the_bot_goes_on_when_nobody_waits_and_follows_a_wish_of_another_process(
    library: Shelves, change: Changeover, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0)
    await fill(library, 6)
    quiet, asked = asyncio.Event(), asyncio.Event()

    async def until_quiet() -> None:
        asked.set()
        await quiet.wait()

    running = asyncio.create_task(change.run(until_quiet))
    await change.wish(B, by="ann")
    await asked.wait()
    assert await states(database) == {A: "live", B: "building"}
    quiet.set()
    while not (await change.standing()).settled:
        await asyncio.sleep(0)
    running.cancel()
    assert await states(database) == {A: "retired", B: "live"}


async def test_two_processes_make_vectors_one_after_the_other(
    library: Shelves,
    change: Changeover,
    database: Database,
    embedders: Embedders,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0)
    await fill(library, 6)
    await change.wish(B, by="ann")
    other = Changeover(database, embedders, tmp_path)
    told: list[tuple[int, int]] = []
    with module._locked(tmp_path / module.LOCK) as mine:
        assert mine
        waiting = asyncio.create_task(other.complete(lambda _now, done, total: told.append((done, total))))
        while await change.step():
            await asyncio.sleep(0)
        await waiting
    assert told[-1][1] == 6
    assert embedders.asked.count(B) == 4  # once to see that it works, and three pieces


def test_an_error_of_the_work_under_the_lock_is_its_own(tmp_path: Path) -> None:
    with pytest.raises(BlockingIOError, match="the terminal"), module._locked(tmp_path / module.LOCK):
        raise BlockingIOError("the terminal")


async def test_the_time_left_follows_the_last_pieces_and_not_one_slow_one(
    library: Shelves, change: Changeover, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(library, 10)
    await change.wish(B, by="ann")
    moments = iter([0.0, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 12.0])
    monkeypatch.setattr(module.time, "perf_counter", lambda: next(moments))
    for _piece in range(4):
        assert await change.step()
    building = (await change.standing()).generations[1]
    assert building.generation.rate == 1.1
    assert building.progress().to("en").startswith("8 of 10 passages embedded, 1 a second")
