"""The pool over what comes with the install: MiniLM, found, prepared and asked as the bot does it."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from bot.config import Settings
from bot.models.catalogue import Catalogue
from bot.models.pool import Pool
from bot.models.tasks import EMBED


@pytest.fixture
async def pool(settings: Settings) -> AsyncIterator[Pool]:
    pool = Pool(Catalogue(settings), settings)
    yield pool
    await pool.close()


async def test_fifty_askers_and_an_index_each_get_their_own_vectors(pool: Pool) -> None:
    passages = [f"Passage {index} is about {'tea' if index % 3 else 'rockets and the moon'}." for index in range(120)]

    bulk = asyncio.create_task(pool.run(EMBED, passages, bulk=True))
    asked = await asyncio.gather(*(pool.run(EMBED, [passage]) for passage in passages[:50]))
    vectors = await bulk

    assert pool.live(EMBED) == "embed.minilm-ko.v3@53aa51172d14-134153da"
    assert len(vectors) == len(passages)
    assert min(float(one @ vector) for (one,), vector in zip(asked, vectors, strict=False)) > 0.999
    assert np.stack(vectors).dtype == np.float32


async def test_its_status_has_figures(pool: Pool) -> None:
    await pool.run(EMBED, ["hello"])

    (status,) = [status for status in pool.status() if status.slot == "embed"]

    assert (status.health, status.licence, status.pinned) == ("ready", "Apache-2.0", True)
    assert status.size_bytes > 100_000_000
    assert status.ram_mb > 0
    assert status.p50_ms is not None


async def test_it_takes_long_and_odd_texts(pool: Pool) -> None:
    vectors = await pool.run(EMBED, ["x" * 1_000_000, "", "\ud800", "가나다 " * 100_000])

    assert all(np.isfinite(vector).all() for vector in vectors)
