"""The collections that bot/retrieval/fusion.json is trained on, each with the models whose vectors it is asked with.

Two of them, SETS, are what Korean was learnt from: with what has seen them they would look easier than any library is. So only
what every fifth of their passages answers is asked, with an embedder that has not seen that fifth: CLEAN ones are their own, the
table of `embed.minilm-ko.v2` has seen all, and another that was trained for it takes its place (OtherTable). A third
collection is made of both, for a library in which each question has its answer in one language, among passages of two.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

from benchmarks.train_hangul import SETS, held_out
from bot.evaluate.search import Collection
from bot.models.prepare import prepared_minilm
from bot.models.runtimes import minilm
from bot.models.runtimes.hangul import read_table
from bot.models.runtimes.minilm_ko import Bilingual
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.tasks import EMBED
from bot.skill import Models, Slot

if TYPE_CHECKING:
    from bot.models.pool import Pool

CLEAN = ("embed.minilm-ko.v3",)
"""Embedders that have not seen what is asked of SETS: no other is needed for these."""
TAUGHT = ("squad-open-en", "korquad-open-ko")
"""Sets half of whose questions the reader is taught with (`benchmarks/reader_questions.py`); of SETS it is taught with those not asked here."""
BLOCK = 40
"""Questions that stand side by side and are trained on, or left out, together."""
BOTH = "msmarco-open-both"
"""The name of the collection that is made of SETS."""
SHARE = 0.5
"""What SETS and BOTH count, each: at 1 the others lose up to three thousandths."""


@dataclass(frozen=True)
class Source:
    """A collection, and the models that embed it."""

    name: str
    collection: Collection
    models: Models
    share: float = 1.0
    """What it counts beside others: the same questions asked of three collections are not three times the truth."""

    def asked(self, most: int) -> Collection:
        """Return the collection with `most` of its questions at most."""
        queries = self.collection.queries
        chosen = set(random.Random(0).sample(range(len(queries)), min(len(queries), most)))  # noqa: S311 - a sample
        return replace(self.collection, queries=tuple(query for at, query in enumerate(queries) if at in chosen))


class OtherTable:
    """A pool whose embedder has another table of Korean."""

    def __init__(self, pool: Pool, table: Path, home: Path) -> None:
        """Read the table, and MiniLM from where `home` has it."""
        spec = ModelSpec("embed.minilm.v1", "embed", "minilm", "package")
        self._pool = pool
        self._model = Bilingual(minilm.load(spec, prepared_minilm(home), LoadOptions()), read_table(table))

    def live(self, slot: Slot[Any, Any]) -> str:
        """Return the pool's own."""
        return self._pool.live(slot)

    async def run(self, slot: Slot[Any, Any], batch: Sequence[Any], *, bulk: bool = False) -> list[Any]:
        """Return the vectors of texts; of other slots the pool's own outputs."""
        if slot.name != EMBED.name:
            return await self._pool.run(slot, batch, bulk=bulk)
        return await asyncio.to_thread(self._model.predict, batch)


def sources(folders: Sequence[Path], models: Models, unseeing: Models | None) -> list[Source]:
    """Return the collections in `folders`, and where SETS are among them and `unseeing` has not seen a part, BOTH."""
    found = {folder.name: Source(folder.name, not_taught(folder.name, Collection.load(folder)), models) for folder in folders}
    if unseeing is None or not all(name in found for name in SETS):
        return list(found.values())
    held = held_out(next(folder for folder in folders if folder.name == SETS[1]))
    korean, english = (found[name].collection for name in SETS)
    both = of_both(korean, english, held)
    asked = {number for number, _text in both.queries}
    for name in SETS:
        some = tuple(query for query in found[name].collection.queries if query[0] in asked)
        found[name] = Source(name, replace(found[name].collection, queries=some), unseeing, SHARE)
    return [*found.values(), Source(BOTH, both, unseeing, SHARE)]


def not_taught(name: str, collection: Collection) -> Collection:
    """Return a collection without the questions that the reader was taught with: of those it is surer than it should be."""
    if name not in TAUGHT:
        return collection
    taught = taught_by(collection)
    return replace(collection, queries=tuple(query for query in collection.queries if query[0] not in taught))


def taught_by(collection: Collection) -> frozenset[str]:
    """Return the questions of one of TAUGHT that a reader is taught with: every other BLOCK, since neighbours are of one article."""
    return frozenset(number for at, (number, _text) in enumerate(collection.queries) if (at // BLOCK) % 2 == 0)


def of_both(korean: Collection, english: Collection, held: frozenset[str]) -> Collection:
    """Return the passages of both; each question of `held` has its answers in one of the languages, in the other they are left out."""
    gains: dict[str, Mapping[str, int]] = {}
    left_out: set[str] = set()
    for number, _text in english.queries:
        if number in held and number in korean.gains:
            sides = {"k": korean.gains[number], "e": english.gains[number]}
            kept, other = "ke" if crc32(min(sides["e"]).encode()) % 2 else "ek"
            gains[number] = {kept + name: gain for name, gain in sides[kept].items()}
            left_out |= {other + name for name in sides[other]}
    documents = [
        (side + name, title, text) for side, whole in (("k", korean), ("e", english)) for name, title, text in whole.documents
    ]
    asked = tuple(query for query in english.queries if query[0] in gains and not left_out.intersection(gains[query[0]]))
    return Collection(tuple(one for one in documents if one[0] not in left_out), asked, gains)
