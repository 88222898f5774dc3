"""What bot/retrieval/fusion.json is trained on: what a library finds for the questions of collections in BEIR layout.

The sets named *-open-* take part in "is there an answer": their questions are asked a second time of a library without the
passages that answer them, and, of small libraries, a third and a fourth time in a few words and with one word changed.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fusion_sources import BLOCK, Source
from benchmarks.made_questions import Words, changed, keywords, weights_of, words_of
from benchmarks.team_libraries import EVERYONE, Case, cases_of, library_of
from bot.config import Settings
from bot.evaluate import search
from bot.models.pool import Pool
from bot.models.tasks import EMBED, READ, Verdict
from bot.passage import PUBLIC, Scopes
from bot.retrieval.fuse import Fusion, Network, knows_korean
from bot.retrieval.judged import First
from bot.retrieval.library import Shelves
from bot.skill import Models, Slot
from bot.text.lexicon import Lexicon
from bot.text.query import looked_for

COUNT = 120
"""Candidates of one query at most."""
MIDDLE_LIBRARIES = (120, 300, 500, 900)
"""Documents of the larger ones among libraries of few passages, and how many questions each is asked at most: MOST_OF_MIDDLE."""
MOST_OF_MIDDLE = 60
SMALL_LIBRARIES = 16
"""Libraries of a few documents that the judge is trained on, a set."""
MOST_ASKED = 900
"""Questions of one set that the ranker is trained on at most, drawn by chance."""
MOST_JUDGED = 1750
"""The same of the judges: each is asked twice, of a whole collection."""
TEAMS_ORDER, TEAMS_SHARE = 0.2, 1.0
"""What the questions about teams' libraries count, together, beside a public set: in the ranker (at .4 Cranfield is below its goal), and
in the judges."""
PAGES = 3
"""Passages that a reader reads of a question."""


@dataclass(frozen=True)
class Query:
    """The candidates of one query: features, gains by collection, and which of them belong to one document."""

    id: str
    text: str
    rows: np.ndarray
    documents: tuple[str, ...]
    gains: Mapping[str, int]
    share: float
    """What the collection counts beside others."""


@dataclass(frozen=True)
class Seen:
    """A passage that a reader has read."""

    first: First
    score: float
    """What it ranks by."""
    right: bool
    verdict: Verdict


@dataclass(frozen=True)
class Judged:
    """What the judge sees of a question's first passage, whether that is right, and whether an answer was there at all."""

    id: str
    text: str
    row: np.ndarray
    right: bool
    here: bool
    kind: str
    """One of SHARES."""
    close: np.ndarray
    """What a second look by vectors sees beside; empty where a reader looks."""
    spoken: str
    """What `bot.retrieval.fuse.languages` says of the question and the passage."""
    share: float
    """What the collection counts beside others."""
    read: tuple[Seen, ...] = ()
    """The passages that a reader reads, best first."""


@dataclass(frozen=True)
class Made:
    """What questions are made of."""

    weights: Mapping[str, float]
    words: Words
    chance: random.Random

    def asked(self, text: str) -> list[tuple[str, str, bool]]:
        """Return (text, kind, whether what answers `text` answers it): the question itself, and what is made of it."""
        short = keywords(text, self.weights, self.chance)
        asked = [(text, "small", True)] + ([(short, "made", True)] if short else [])
        others = [changed(some, self.weights, self.words, self.chance) for some in (text, short) if some]
        return asked + [(other, "made", False) for other in others if other]


class CachedModels:
    """The pool, with every vector kept in a file: a second training embeds nothing. Other slots' models it asks each time."""

    def __init__(self, pool: Pool, file: Path) -> None:
        self._pool, self._file = pool, file
        self._kept: dict[bytes, np.ndarray] = {}
        if file.is_file():
            with np.load(file) as held:
                self._kept = dict(zip((bytes(key) for key in held["keys"]), held["vectors"], strict=True))

    def live(self, slot: Slot[Any, Any]) -> str:
        """Return the pool's own."""
        return self._pool.live(slot)

    async def run(self, slot: Slot[Any, Any], batch: Sequence[Any], *, bulk: bool = False) -> list[Any]:
        """Return the kept vectors; those that are missing are asked of the pool."""
        if slot.name != EMBED.name:
            return await self._pool.run(slot, batch, bulk=bulk)
        keys = [hashlib.blake2b(str(item).encode("utf-8", "replace"), digest_size=16).digest() for item in batch]
        missing = {key: item for item, key in zip(batch, keys, strict=True) if key not in self._kept}
        if missing:
            fresh = await self._pool.run(slot, list(missing.values()), bulk=bulk)
            self._kept.update(zip(missing, fresh, strict=True))
        return [self._kept[key] for key in keys]

    def save(self) -> None:
        """Write them."""
        keys = np.array([np.frombuffer(key, np.uint8) for key in self._kept])
        np.savez(self._file, keys=keys, vectors=np.array(list(self._kept.values()), np.float32))


async def collect(source: Source, settings: Settings, lexicon: Lexicon) -> list[Query]:
    """Return the candidates of every judged query of a collection, from the library itself."""
    collection = source.asked(MOST_ASKED)
    queries: list[Query] = []
    scopes = Scopes([PUBLIC])
    print(source.name, len(collection.documents), "documents", flush=True)
    fusion = Fusion.untrained(korean=knows_korean(source.models.live(EMBED)), lexicon=lexicon)
    filled = search.filled_library(collection, models=source.models, settings=settings, report=silent, fusion=fusion)
    async with filled as (library, names):
        for number, text in collection.queries:
            whole = await library.rank(text, scopes, count=COUNT)
            documents = tuple(names[document] for document in whole.documents[: len(whole.rows)])
            queries.append(Query(number, text, whole.rows, documents, collection.gains[number], source.share))
    return queries


async def collect_firsts(source: Source, settings: Settings, order: Network, lexicon: Lexicon, *, seed: int = 0) -> list[Judged]:
    """Return what the judge sees of the questions of a collection, each asked with its answers there and without them.

    Asked of the whole collection, and of small libraries of a few of its documents: a person's first library has three.
    """
    collection = source.asked(MOST_JUDGED)
    fusion = replace(Fusion.untrained(korean=knows_korean(source.models.live(EMBED)), lexicon=lexicon), order=order)
    chance = random.Random(seed)  # noqa: S311 - a sample, no secret
    print(source.name, "judging", flush=True)
    firsts = await ask_twice(replace(source, collection=collection), settings, fusion)
    said = [text for _number, text in collection.queries]
    weights = weights_of(said)
    made = Made(weights, words_of(said, weights), chance)
    documents = {document[0]: document for document in collection.documents}
    for _library in range(SMALL_LIBRARIES):
        size = chance.choice((1, 2, 3, 4, 6, 9, 14, 20, 30, 45))
        asked = chance.sample(collection.queries, min(len(collection.queries), 8 + size))
        held = [number for query, _text in asked[: max(1, size // 2)] for number in collection.gains[query]]
        held += chance.sample(sorted(documents), min(len(documents), size - size // 2))
        few = search.Collection(tuple(documents[number] for number in dict.fromkeys(held)), tuple(asked), collection.gains)
        firsts += await ask_twice(replace(source, collection=few), settings, fusion, made=made)
    for size in MIDDLE_LIBRARIES:
        asked = chance.sample(collection.queries, min(len(collection.queries), MOST_OF_MIDDLE))
        held = [number for query, _text in asked for number in collection.gains[query]]
        held += chance.sample(sorted(documents), min(len(documents), max(size - len(held), 0)))
        some = search.Collection(tuple(documents[number] for number in dict.fromkeys(held)), tuple(asked), collection.gains)
        firsts += await ask_twice(replace(source, collection=some), settings, fusion, kind="middle")
    return firsts


async def ask_twice(
    source: Source, settings: Settings, fusion: Fusion, *, made: Made | None = None, kind: str = "whole"
) -> list[Judged]:
    """Return what the judge sees of the questions of a collection, and as if what answers them were not there.

    With `made`, the library is a small one, and questions made of these are asked of it as well; else they are of `kind`.
    """
    collection, models = source.collection, source.models
    firsts = []
    async with search.filled_library(collection, models=models, settings=settings, report=silent, fusion=fusion) as (
        library,
        names,
    ):
        number_of = {name: number for number, name in names.items()}

        async def ask(number: str, text: str, kind: str, without: Sequence[int], answers: Sequence[int]) -> None:
            case = await judged_of(library, models, (number, text), without, answers, kind, source.share)
            if case is not None:
                firsts.append(case)

        for number, text in collection.queries:
            here = [number_of[name] for name in collection.gains[number] if name in number_of]
            for asked, sort, answered in made.asked(text) if made else [(text, kind, True)]:
                if here:
                    await ask(number, asked, sort, (), here if answered else ())
                if answered:
                    await ask(number, asked, sort, here, ())
    return firsts


async def collect_teams(folders: Sequence[Path], models: Models, settings: Settings, lexicon: Lexicon) -> list[Query]:
    """Return the candidates of the questions about teams' libraries that are answered there."""
    queries: list[Query] = []
    fusion = Fusion.untrained(korean=knows_korean(models.live(EMBED)), lexicon=lexicon)
    for folder in folders:
        async with library_of(folder, models, settings, fusion) as (library, names):
            for name, case in numbered(folder):
                if case.document:
                    text = looked_for(case.question)
                    whole = await library.rank(text, EVERYONE, count=COUNT)
                    documents = tuple(names[document] for document in whole.documents[: len(whole.rows)])
                    queries.append(Query(name, text, whole.rows, documents, {case.document: 1}, TEAMS_ORDER))
    return queries


async def collect_teams_firsts(
    folders: Sequence[Path], models: Models, settings: Settings, order: Network, lexicon: Lexicon
) -> list[Judged]:
    """Return what the judge sees of the questions about teams' libraries, of those that are answered also as if what answers were not there."""
    firsts: list[Judged] = []
    fusion = replace(Fusion.untrained(korean=knows_korean(models.live(EMBED)), lexicon=lexicon), order=order)
    for folder in folders:
        print("team", folder.name, "judging", flush=True)
        async with library_of(folder, models, settings, fusion) as (library, names):
            numbers = {name: number for number, name in names.items()}
            for name, case in numbered(folder):
                text = looked_for(case.question)
                answers = [numbers[case.document]] if case.document else []
                for without in ([], answers) if answers else ([],):
                    there = set() if without else set(answers)
                    judged = await judged_of(library, models, (name, text), without, there, "team", TEAMS_SHARE)
                    if judged is not None:
                        firsts.append(judged)
    return firsts


def numbered(folder: Path) -> list[tuple[str, Case]]:
    """Return the questions about a team's library, each with a name of its own."""
    return [(f"{folder.name}-{at}", case) for at, case in enumerate(cases_of(folder))]


async def judged_of(
    library: Shelves,
    models: Models,
    asked: tuple[str, str],
    without: Sequence[int],
    answers: Collection[int],
    kind: str,
    share: float,
) -> Judged | None:
    """Return what the judges see of a question, `asked` its name and text, that the documents `answers` answer; None where nothing is found."""
    name, text = asked
    firsts = await library.firsts(text, EVERYONE, without=without, pages=PAGES)
    if not firsts:
        return None
    first = firsts[0][0]
    right = first.document in answers
    begun = Judged(name, text, first.row, right, bool(answers), kind, np.zeros(0, np.float32), first.spoken, share)
    if not models.live(READ):
        return replace(begun, close=await second_sight(models, text, first))
    verdicts = await models.run(READ, [one.page(text) for one, _score in firsts])
    return replace(
        begun,
        read=tuple(
            Seen(one, score, one.document in answers, verdict) for (one, score), verdict in zip(firsts, verdicts, strict=True)
        ),
    )  # fmt: skip


async def second_sight(models: Models, text: str, first: First) -> np.ndarray:
    """Return what a second look by vectors sees of the first passage."""
    question, *said = await models.run(EMBED, [text, *first.said])
    return first.closeness(np.array(said, np.float32), question)


def half(queries: Sequence[Any], which: int) -> list[Any]:
    """Return every other BLOCK of queries: neighbours are mostly of one article."""
    ids = {number: at for at, number in enumerate(dict.fromkeys(query.id for query in queries))}
    return [query for query in queries if (ids[query.id] // BLOCK) % 2 == which]


def silent(_now: str, _done: int, _total: int) -> None:
    """Tell nobody."""
