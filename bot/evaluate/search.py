"""How well the library ranks, on a collection in BEIR layout: corpus.jsonl, queries.jsonl, qrels.tsv.

Owns the measures. The corpus goes into a temporary library by the same code as any document; one that is longer than a passage
counts by its best passage. Nothing is judged "not good enough" here: ranking alone is measured.

    result = await evaluate_search(Path("scifact"), models=pool, settings=settings)
    print(result.as_json()["ndcg@10"])
"""

from __future__ import annotations

import asyncio
import json
import math
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, quantiles
from typing import TYPE_CHECKING

from bot.errors import InputError
from bot.locale import Text, phrases
from bot.models.gates.measures import ndcg
from bot.passage import PUBLIC, Scopes
from bot.progress import Report
from bot.retrieval.found import Found
from bot.retrieval.fuse import Fusion
from bot.retrieval.library import Shelves
from bot.retrieval.search import Leg
from bot.sandbox import Sandbox
from bot.store.database import Database

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.skill import Models

_ = phrases(__file__)

DEPTH = 100
"""Documents that are ranked a query."""
PASSAGES = 150
"""Passages that are asked for first, so that DEPTH documents are mostly among them."""
LEGS: tuple[Leg, ...] = ("fused", "vectors", "words")
AT_ONCE = 128
_EVERYONE = Scopes([PUBLIC])


@dataclass(frozen=True, slots=True)
class SearchScores:
    """What was measured; the measures are means over `queries`, 0..1."""

    leg: str
    ndcg_at_10: float
    recall_at_10: float
    recall_at_100: float
    mrr_at_10: float
    p50_ms: float
    p95_ms: float
    queries: int
    documents: int
    passages: int

    def as_json(self) -> dict[str, float | int | str]:
        """Return the figures under the names that others use."""
        return {
            "ndcg@10": self.ndcg_at_10, "recall@10": self.recall_at_10, "recall@100": self.recall_at_100, "mrr@10": self.mrr_at_10,
            "p50_ms": self.p50_ms, "p95_ms": self.p95_ms, "queries": self.queries, "documents": self.documents,
            "passages": self.passages, "leg": self.leg,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection: (id, title, text) of documents, (id, text) of queries, and by query the gain of each relevant document."""

    documents: tuple[tuple[str, str, str], ...]
    queries: tuple[tuple[str, str], ...]
    gains: Mapping[str, Mapping[str, int]]

    @classmethod
    def load(cls, folder: Path) -> Collection:
        """Read the three files. Raises InputError where one is missing or broken, with its line."""
        documents = tuple(
            (number, str(row.get("title") or ""), str(row.get("text") or "")) for number, row in _rows(folder / "corpus.jsonl")
        )
        queries = tuple((number, str(row.get("text") or "")) for number, row in _rows(folder / "queries.jsonl"))
        gains = _gains(_qrels(folder))
        asked = tuple((number, text) for number, text in queries if gains.get(number) and text.strip())
        if not asked:
            raise InputError(
                _(
                    "In {folder} no query has a relevant document in qrels.tsv. Check that the ids are the same in all files.",
                    folder=str(folder),
                )
            )
        return cls(documents, asked, gains)


async def evaluate_search(
    folder: Path, leg: str = "fused", *, models: Models, settings: Settings, report: Report | None = None
) -> SearchScores:
    """Return the figures of one leg, or of both fused, on the collection in `folder`. Raises InputError where it cannot be read."""
    if leg not in LEGS:
        raise InputError(_("There is no leg “{leg}”. Write --leg fused, vectors or words.", leg=leg))
    chosen = next(known for known in LEGS if known == leg)
    tell = report or _silent
    collection = await asyncio.to_thread(Collection.load, folder)
    async with filled_library(collection, models=models, settings=settings, report=tell) as (library, names):
        scores, _rankings = await evaluate_leg(library, names, collection, chosen, report=tell)
    return scores


async def evaluate_leg(
    library: Shelves, names: Mapping[int, str], collection: Collection, leg: Leg, *, report: Report
) -> tuple[SearchScores, list[list[str]]]:
    """Return the figures of a leg of a library that holds the collection, and the first DEPTH documents of each query."""
    rankings: list[list[str]] = []
    spent_ms: list[float] = []
    await library.rank(collection.queries[0][1], _EVERYONE, count=PASSAGES, leg=leg)  # the index is loaded by the first
    for number, (_query, text) in enumerate(collection.queries):
        begun = time.perf_counter()
        found = await library.rank(text, _EVERYONE, count=PASSAGES, leg=leg)
        spent_ms.append((time.perf_counter() - begun) * 1000)
        rankings.append(await _documents(library, names, text, leg, found))
        report(_("asking"), number + 1, len(collection.queries))
    passages = (await library.status()).passages
    return _scores(collection, rankings, spent_ms, leg=leg, passages=passages), rankings


async def _documents(library: Shelves, names: Mapping[int, str], text: str, leg: Leg, found: Found) -> list[str]:
    """Return the first DEPTH documents of `found`; where fewer are among PASSAGES, because documents are long, it is asked deeper."""
    count = PASSAGES
    while True:
        ranking = list(dict.fromkeys(names[document] for document in found.documents))
        if len(ranking) >= DEPTH or len(found.documents) < count:
            return ranking[:DEPTH]
        count *= 2
        found = await library.rank(text, _EVERYONE, count=count, leg=leg)


@asynccontextmanager
async def filled_library(
    collection: Collection, *, models: Models, settings: Settings, report: Report, fusion: Fusion | None = None
) -> AsyncIterator[tuple[Shelves, Mapping[int, str]]]:
    """Give a temporary library that holds the collection, and the collection's id of each of its documents."""
    async with temporary_library(models, settings, fusion) as library:
        yield library, await _fill(library, collection, report)


@asynccontextmanager
async def temporary_library(models: Models, settings: Settings, fusion: Fusion | None = None) -> AsyncIterator[Shelves]:
    """Give a library in a folder of its own, which goes with it; `fusion` is by default the packaged one."""
    with tempfile.TemporaryDirectory(prefix="paring-eval-") as home:
        database = await Database.open(Path(home) / "paring.db")
        sandbox = Sandbox.of(settings.limits)
        library = Shelves(database, models, sandbox, Path(home), settings.limits, fusion=fusion)
        try:
            await library.open()
            yield library
        finally:
            await library.close()
            await sandbox.close()
            await database.close()


async def _fill(library: Shelves, collection: Collection, report: Report) -> dict[int, str]:
    names: dict[int, str] = {}
    done = 0

    async def add(document: tuple[str, str, str]) -> None:
        nonlocal done
        number, title, text = document
        added = await library.add_text(text or title, PUBLIC, title=title, link="", key=number)
        names[added.document] = number
        done += 1
        report(_("reading"), done, len(collection.documents))

    for start in range(0, len(collection.documents), AT_ONCE):
        async with asyncio.TaskGroup() as group:
            for document in collection.documents[start : start + AT_ONCE]:
                group.create_task(add(document))
    return names


def recall(ranking: Sequence[str], gains: Mapping[str, int], *, depth: int) -> float:
    """Return the share of the relevant documents that are among the first `depth`."""
    return sum(1 for document in ranking[:depth] if document in gains) / len(gains)


def reciprocal_rank(ranking: Sequence[str], gains: Mapping[str, int], *, depth: int = 10) -> float:
    """Return 1 / the place of the first relevant document, 0 where it is not among the first `depth`."""
    return next((1 / (place + 1) for place, document in enumerate(ranking[:depth]) if document in gains), 0.0)


def _scores(
    collection: Collection, rankings: Sequence[Sequence[str]], spent_ms: Sequence[float], *, leg: str, passages: int
) -> SearchScores:
    judged = [(ranking, collection.gains[number]) for ranking, (number, _text) in zip(rankings, collection.queries, strict=True)]
    at = quantiles(spent_ms, n=20, method="inclusive") if len(spent_ms) > 1 else [spent_ms[0]] * 19
    return SearchScores(
        leg,
        round(fmean(ndcg(ranking, gains) for ranking, gains in judged), 4),
        round(fmean(recall(ranking, gains, depth=10) for ranking, gains in judged), 4),
        round(fmean(recall(ranking, gains, depth=DEPTH) for ranking, gains in judged), 4),
        round(fmean(reciprocal_rank(ranking, gains) for ranking, gains in judged), 4),
        round(at[9], 3),
        round(at[18], 3),
        len(judged),
        len(collection.documents),
        passages,
    )


def _rows(file: Path) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield (id, object) of each line; the id is `_id`, in some archives `id`."""
    try:
        with file.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    row = json.loads(line)
                    if not isinstance(row, dict) or ("_id" not in row and "id" not in row):
                        raise InputError(
                            _(
                                "Line {number} of {file} is no JSON object with _id, title and text. Mend it and try again.",
                                number=number,
                                file=str(file),
                            )
                        )
                    yield str(row["_id"] if "_id" in row else row["id"]), row
    except FileNotFoundError:
        raise InputError(_missing(file)) from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(
            _("{file} is not JSON lines in UTF-8 ({why}). Mend it and try again.", file=str(file), why=str(error))
        ) from error


def _qrels(folder: Path) -> Path:
    """Return the judgements' file: qrels.tsv, or in the folder qrels (as BEIR's own archives have it) test.tsv, else the only one."""
    whole, nested = folder / "qrels.tsv", folder / "qrels"
    if whole.is_file() or not nested.is_dir():
        return whole
    found = sorted(nested.glob("*.tsv"))
    return found[0] if len(found) == 1 else nested / "test.tsv"


def _gains(file: Path) -> dict[str, dict[str, int]]:
    """Return the judgements: query, document and score, or with a column between as TREC writes it; a header is passed over."""
    gains: dict[str, dict[str, int]] = {}
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise InputError(_missing(file)) from None
    except UnicodeDecodeError as error:
        raise InputError(
            _("{file} is not text in UTF-8 ({why}). Mend it and try again.", file=str(file), why=str(error))
        ) from error
    for number, line in enumerate(lines, start=1):
        cells = line.split("\t") if "\t" in line else line.split()
        if not line.strip() or (number == 1 and not _is_number(cells[-1])):
            continue
        if len(cells) not in (3, 4) or not _is_number(cells[-1]):
            raise InputError(
                _(
                    "Line {number} of {file} is not query-id, corpus-id and score with tabs between. Mend it and try again.",
                    number=number,
                    file=str(file),
                )
            )
        if (gain := int(float(cells[-1]))) > 0:
            gains.setdefault(cells[0].strip(), {})[cells[-2].strip()] = gain
    return gains


def _missing(file: Path) -> Text:
    return _("{file} is missing. A collection has corpus.jsonl, queries.jsonl and qrels.tsv.", file=str(file))


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False


def _silent(_now: str | Text, _done: float, _total: int, *, passages: int = 0) -> None:
    """Tell nobody."""
