"""A search that is in doubt: the sentences' own vectors decide."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from retrieval_fakes import WordEmbedder

from bot.config import LimitSettings
from bot.passage import PUBLIC, Hit, Scopes
from bot.retrieval.closer import CLOSENESS
from bot.retrieval.evidence import EVIDENCE
from bot.retrieval.features import FEATURES
from bot.retrieval.fuse import ACROSS, STANDINGS, Fusion, Second, Trees
from bot.retrieval.library import Shelves
from bot.store.database import Database
from bot.testing import InlineSandbox

ASKED = "where is the blue lamp"
TEXT = "The lamp is blue. The blue lamp is here. Cats sleep."
NEAREST = len(FEATURES) + STANDINGS + len(EVIDENCE) + CLOSENESS.index("nearest")


def doubting(cosine: float, *, embedder: str = "words@1", threshold: float = 0.0) -> Fusion:
    """Return a combiner that is never sure, and then finds an answer where a sentence is nearer than `cosine`."""
    trees = Trees(
        np.array([0]), np.array([NEAREST, -1, -1]), np.array([cosine, 0, 0], np.float32),
        np.array([1, 0, 0]), np.array([2, 0, 0]), np.array([0, -3, 3], np.float32), 0.0,
    )  # fmt: skip
    second = Second(embedder, trees, (0.0, 1.1), 0.5)
    return dataclasses.replace(Fusion.packaged(), thresholds={"en": threshold, "ko": threshold}, second={"en": second}, few=None)


async def found(database: Database, embedder: WordEmbedder, home: Path, fusion: Fusion, *, asked: str = ASKED) -> list[Hit]:
    library = Shelves(database, embedder, InlineSandbox(), home, LimitSettings(), fusion=fusion)  # type: ignore[arg-type]
    await library.open()
    try:
        await library.add_text(TEXT, PUBLIC, title="", link="", key="1")
        embedder.embedded.clear()
        return await library.search(asked, Scopes([PUBLIC]))
    finally:
        await library.close()


async def test_a_sentence_near_enough_settles_a_doubt(database: Database, embedder: WordEmbedder, tmp_path: Path) -> None:
    (hit,) = await found(database, embedder, tmp_path, doubting(0.1))
    assert embedder.embedded == [ASKED, "The lamp is blue.", "The blue lamp is here.", "Cats sleep."]
    assert hit.score == pytest.approx(1 / (1 + np.exp(-3)), abs=1e-3)


async def test_a_passage_in_another_language_is_marked_where_it_is_nearest(
    database: Database, embedder: WordEmbedder, tmp_path: Path
) -> None:
    fusion = doubting(0.1)
    fusion = dataclasses.replace(fusion, second={ACROSS: fusion.second["en"]})
    (hit,) = await found(database, embedder, tmp_path, fusion, asked="lamp은 어디에 있나요: here")
    assert hit.marked is not None
    assert TEXT[slice(*hit.marked)] == "The blue lamp is here."


async def test_nothing_is_found_where_no_sentence_is_near_enough(
    database: Database, embedder: WordEmbedder, tmp_path: Path
) -> None:
    assert await found(database, embedder, tmp_path, doubting(1.1)) == []


@pytest.mark.parametrize(("threshold", "hits"), [(0.0, 1), (1.1, 0)])
async def test_the_first_look_decides_where_the_vectors_are_of_another_embedder(
    database: Database, embedder: WordEmbedder, tmp_path: Path, threshold: float, hits: int
) -> None:
    fusion = doubting(1.1 - threshold, embedder="another@1", threshold=threshold)
    assert len(await found(database, embedder, tmp_path, fusion)) == hits
    assert embedder.embedded == [ASKED]


class Fleeting(WordEmbedder):
    """Leaves once it was asked."""

    def __init__(self, successor: str) -> None:
        super().__init__()
        self.successor = successor

    async def run(self, slot: Any, batch: Sequence[Any], *, bulk: bool = False) -> list[Any]:
        vectors = await super().run(slot, batch, bulk=bulk)
        if list(batch) == [ASKED]:
            self.name, self.dimension = self.successor, 16
        return vectors


@pytest.mark.parametrize("successor", ["", "another@1"])
@pytest.mark.parametrize(("threshold", "hits"), [(0.0, 1), (1.1, 0)])
async def test_the_first_look_decides_where_the_embedder_leaves_in_the_meantime(
    database: Database, tmp_path: Path, successor: str, threshold: float, hits: int
) -> None:
    fusion = doubting(1.1 - threshold, threshold=threshold)
    assert len(await found(database, Fleeting(successor), tmp_path, fusion)) == hits
