"""A change of embedder that fails, or that the machine has no room for: the live one stays, adding goes on, and it is told why."""

from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from changeovers import A, B, fill, ids, states
from retrieval_fakes import Embedders

from bot.errors import ModelError, StoreError
from bot.retrieval import changeover as module
from bot.retrieval.changeover import Changeover
from bot.retrieval.library import Shelves
from bot.store.database import Database
from bot.store.generations import Generations


@pytest.fixture
def library(embedders_library: Shelves) -> Shelves:
    return embedders_library


def not_a_number(vector: np.ndarray) -> np.ndarray:
    return vector * np.float32(np.nan)


def too_long(vector: np.ndarray) -> np.ndarray:
    return np.concatenate([vector, vector])


def no_unit(vector: np.ndarray) -> np.ndarray:
    return vector * np.float32(3)


@pytest.mark.parametrize(
    ("spoil", "why"), [(not_a_number, "no unit vector"), (too_long, "32 numbers"), (no_unit, "no unit vector")]
)
async def test_an_embedder_that_fails_half_way_leaves_the_live_one_and_is_told(
    library: Shelves, change: Changeover, database: Database, embedders: Embedders, spoil: Any, why: str
) -> None:
    await fill(library, 6)
    await change.wish(B, by="ann")
    assert await change.step()
    embedders.spoilt[B] = spoil
    assert not await change.step()
    assert not await change.step()  # it is not tried again and again
    assert await states(database) == {A: "live"}
    standing = await change.standing()
    assert why in standing.failure["en"]
    assert B in standing.to("ko")
    await fill(library, 1, since=6)
    assert len(await ids(library)) == 7
    embedders.spoilt.clear()
    await change.wish(B, by="ann")
    while await change.step():
        pass
    assert await states(database) == {A: "retired", B: "live"}
    assert (await change.standing()).failure == {}


async def test_an_embedder_that_is_being_tried_keeps_nobody_from_adding(
    library: Shelves, change: Changeover, embedders: Embedders
) -> None:
    await fill(library, 4)
    await change.wish(B, by="ann")
    await change.step()
    embedders.spoilt[B] = not_a_number
    await fill(library, 1, since=4)
    assert len(await ids(library)) == 5
    embedders.spoilt.clear()
    while await change.step():
        pass
    assert len(await ids(library)) == 5
    assert (await library.verify()).sound


async def test_a_generation_that_goes_while_passages_are_embedded_for_it_keeps_nobody_from_adding(
    library: Shelves, change: Changeover, database: Database, embedders: Embedders
) -> None:
    await fill(library, 3)
    await change.wish(B, by="ann")
    await change.step()

    async def changed_mind() -> None:
        await change.wish(A, by="ann")
        for _look in range(3):  # it is given up, its vectors go, and it goes itself
            await change.step()

    def once(name: str, _bulk: bool) -> Awaitable[None] | None:
        if name != B:
            return None
        embedders.before = lambda _name, _bulk: None
        return changed_mind()

    embedders.before = once
    await fill(library, 1, since=3)

    assert await states(database) == {A: "live"}
    assert len(await ids(library)) == 4
    assert (await Generations(database).counts(2))[0] == 0


async def test_one_that_is_not_here_is_refused_or_told(library: Shelves, change: Changeover) -> None:
    await fill(library, 1)
    with pytest.raises(ModelError):
        await change.plan("nowhere@1")
    await change.wish("nowhere@1", by="ann")
    assert not await change.step()
    assert (await change.standing()).failure
    assert len(await ids(library)) == 1


async def test_what_the_live_one_could_not_embed_is_tried_once_a_start(
    library: Shelves, change: Changeover, database: Database, embedders: Embedders, tmp_path: Path
) -> None:
    await fill(library, 2)
    gone = embedders.known.pop(A)
    embedders.first = B
    await fill(library, 1, since=2)
    assert not await change.step()
    calls = len(embedders.asked)
    assert not await change.step()
    assert len(embedders.asked) == calls
    assert (await Generations(database).counts(1)) == (2, 1)
    assert not (await library.status()).searched_by_meaning

    embedders.known[A] = gone
    assert await Changeover(database, embedders, tmp_path).step()

    assert (await Generations(database).counts(1)) == (3, 0)


async def test_want_of_room_is_told_beforehand(
    library: Shelves, change: Changeover, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(library, 3)
    monkeypatch.setattr(module, "SPARE_BYTES", 1 << 60)
    plan = await change.plan(B)
    assert plan.need_bytes == 3 * (2 * 16 + 48)
    with pytest.raises(StoreError, match="MB are free"):
        await change.ask(plan, by="ann")
    await change.wish(B, by="ann")
    assert not await change.step()
    assert await states(database) == {A: "live"}
    assert "free" in (await change.standing()).failure["en"]
