"""The three legs beside plain BM25, vectors, their reciprocal-rank fusion and txtai's hybrid, on every set; writes a part of docs/quality.md.

    python -m benchmarks.ranking --data DIR --cache FOLDER --lexicon FILE [--sets NAME...]
    python -m benchmarks.ranking --data DIR --cache FOLDER --lexicon FILE --embedder embed.minilm-ko.v2 --held TABLE
    python -m benchmarks.ranking --data DIR --cache FOLDER --known   # no measuring: the page, of what FOLDER keeps

DIR holds `retrieval/NAME/` (BEIR layout). All rank the same passages: those of Paring's library, with their titles; a document counts by
its best passage. The legs are measured as `paring eval search DIR --leg LEG` measures them. Plain BM25 has Paring's terms and no pruning; the
vectors are that leg alone; RRF fuses these two (k = 60, a hundred deep). txtai runs in a process of its own with its defaults for
`hybrid=True`, over the same passages' vectors of the same model. FOLDER keeps, by embedder, vectors, what txtai has ranked and what was
measured: milliseconds are without the embedding of the question. FILE is the words that stand for each other, learnt without what is asked
(`benchmarks/train_lexicon.py --check --out`), TABLE one of Korean that has not seen it, for an embedder whose own has
(`benchmarks/fusion_sources.py`): with the shipped ones the sets that they were trained on would flatter.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

import numpy as np

from benchmarks.ranking_page import Row, draw, page
from bot.config import ModelSettings, Settings
from bot.evaluate.search import DEPTH, LEGS, Collection, SearchScores, evaluate_leg, filled_library, ndcg
from bot.models.catalogue import Catalogue
from bot.models.pool import Pool
from bot.models.tasks import EMBED
from bot.retrieval.chunk import pieces
from bot.retrieval.document import Block, Document
from bot.retrieval.embed import draft
from bot.retrieval.features import weigh
from bot.retrieval.forward import PACKED_COUNTS
from bot.retrieval.fuse import Fusion
from bot.retrieval.lexical import scored
from bot.retrieval.reading import as_written
from bot.retrieval.tokens import Tokens
from bot.skill import Models
from bot.text.lexicon import Lexicon
from bot.text.words import terms

RRF_K = 60
"""Source: Cormack, Clarke and Buettcher, Reciprocal Rank Fusion outperforms Condorcet (2009), section 3."""
COUNT = 150
"""Passages that txtai is asked for, so that a hundred documents are among them."""
LONGEST_S = 7200


@dataclass(frozen=True)
class Held:
    """The passages of a collection as the library cuts them: whose each is, its terms, and what is embedded of it."""

    names: tuple[str, ...]
    terms: Tokens
    texts: tuple[str, ...]
    frequencies: Counter[str]
    mean_length: float

    @classmethod
    def of(cls, collection: Collection) -> Held:
        """Cut the documents as `bot.retrieval.library.Shelves.add_text` does."""
        names, drafts = [], []
        for name, title, text in collection.documents:
            some = draft(pieces(Document("text", title, (Block("text", as_written(text or title)),))), title=title)
            names += [name] * len(some)
            drafts += some
        words = [" ".join(one.words).split() for one in drafts]
        frequencies = Counter(term for said in words for term in set(said))
        return cls(
            tuple(names), Tokens.of([np.frombuffer(one.terms, "<u4")[PACKED_COUNTS:] for one in drafts]),
            tuple(one.embedded for one in drafts), frequencies,
            fmean(map(len, words)),
        )  # fmt: skip


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--sets", nargs="*", default=(), help="Only these.")
    parser.add_argument("--questions", type=int, help="At most so many of each set, the first ones.")
    parser.add_argument("--embedder", default="embed.minilm-ko.v3")
    parser.add_argument("--held", type=Path, help="A table of Korean that has not seen what it is asked.")
    parser.add_argument("--lexicon", type=Path, help="Words that stand for each other, learnt without what is asked.")
    parser.add_argument("--known", action="store_true", help="Measure nothing: write the page of what was measured before.")
    options = parser.parse_args()
    cache = options.cache / options.embedder
    cache.mkdir(parents=True, exist_ok=True)
    folders = [file.parent for file in sorted((options.data / "retrieval").glob("*/corpus.jsonl"))]
    chosen = [folder for folder in folders if not options.sets or folder.name in options.sets]
    if not options.known:
        asyncio.run(measure(chosen, cache, options))
    measured = [Row.from_json(file.read_text(encoding="utf-8")) for file in sorted(cache.glob("*.row.json"))]
    print(page(measured))
    draw(measured)


async def measure(folders: Sequence[Path], cache: Path, options: argparse.Namespace) -> None:
    """Measure the sets, one after the other, and keep what was measured."""
    from benchmarks.fusion_cases import CachedModels  # with torch
    from benchmarks.fusion_sources import BOTH, CLEAN, OtherTable, sources
    from benchmarks.train_hangul import SETS

    settings = Settings(home=cache / "home", models=ModelSettings(choose={EMBED.name: options.embedder}))
    pool = Pool(Catalogue(settings), settings)
    models = CachedModels(pool, cache / "vectors.npz")
    unseeing = models if options.embedder in CLEAN else None
    if options.held:
        unseeing = CachedModels(OtherTable(pool, options.held, settings.home), cache / "held.npz")
    lexicon = await asyncio.to_thread(Lexicon.read, options.lexicon) if options.lexicon else None
    try:
        for source in sources(folders, models, unseeing):
            collection = replace(source.collection, queries=source.collection.queries[: options.questions])
            shipped = Fusion.packaged(pool.live(EMBED))
            apart = unseeing is not None and source.name in (*SETS, BOTH)
            fusion = replace(shipped, lexicon=lexicon) if lexicon and apart else shipped
            measured = await row(source.name, collection, source.models, settings, cache, fusion)
            await asyncio.to_thread((cache / f"{source.name}.row.json").write_text, measured.to_json(), encoding="utf-8")
            print(source.name, flush=True)
    finally:
        for kept in (models, unseeing):
            if kept is not None:
                kept.save()
        await pool.close()


async def row(name: str, collection: Collection, models: Models, settings: Settings, cache: Path, fusion: Fusion) -> Row:
    """Measure one set."""
    scores: dict[str, SearchScores] = {}
    ranked: dict[str, list[list[str]]] = {}
    async with filled_library(collection, models=models, settings=settings, report=silent, fusion=fusion) as (library, names):
        for leg in LEGS:
            scores[leg], ranked[leg] = await evaluate_leg(library, names, collection, leg, report=silent)
    held = await asyncio.to_thread(Held.of, collection)
    plain = [plain_bm25(held, text) for _number, text in collection.queries]
    fused = [rrf(words, near) for words, near in zip(plain, ranked["vectors"], strict=True)]
    questions = [text for _number, text in collection.queries]
    vectors = np.stack(await models.run(EMBED, [*held.texts, *questions], bulk=True))
    peer = await asyncio.to_thread(txtai, held, questions, vectors, cache / f"{name}.txtai.json")
    return Row(name, scores, *(mean_ndcg(collection, rankings) for rankings in (plain, fused, peer)))


def silent(_now: str, _done: int, _total: int) -> None:
    """Tell nobody."""


def plain_bm25(held: Held, text: str) -> list[str]:
    """Return the first DEPTH documents by BM25 over every passage and every term of the query, none of them lowered."""
    said = terms(text)
    weighed = weigh(said, held.frequencies, len(held.names), text)
    counts = Counter(said)
    weights = [_idf(held, term) * counts[term] for term in weighed.terms]
    scores = scored(held.terms, replace(weighed, weights=np.array(weights, np.float32)), mean_length=held.mean_length)
    best = np.argsort(-scores, kind="stable")[: 10 * DEPTH]
    return list(dict.fromkeys(held.names[place] for place in best if scores[place] > 0))[:DEPTH]


def _idf(held: Held, term: str) -> float:
    frequency = held.frequencies[term]
    return float(np.log1p((len(held.names) - frequency + 0.5) / (frequency + 0.5)))


def rrf(*rankings: Sequence[str]) -> list[str]:
    """Return what reciprocal-rank fusion makes of `rankings`."""
    gained: dict[str, float] = {}
    for ranking in rankings:
        for place, name in enumerate(ranking, start=1):
            gained[name] = gained.get(name, 0.0) + 1 / (RRF_K + place)
    return sorted(gained, key=lambda name: -gained[name])[:DEPTH]


def txtai(held: Held, questions: Sequence[str], vectors: np.ndarray, ranked: Path) -> list[list[str]]:
    """Return the first DEPTH documents by txtai's hybrid search; what is in the file `ranked` is taken from there."""
    if not ranked.is_file():
        asked, rows = ranked.with_suffix(".asked.json"), ranked.with_suffix(".npy")
        asked.write_text(json.dumps({"texts": held.texts, "questions": questions, "count": COUNT}), encoding="utf-8")
        np.save(rows, vectors)
        command = [sys.executable, "-m", "benchmarks.txtai_hybrid", str(asked), str(rows), str(ranked)]
        subprocess.run(command, check=True, timeout=LONGEST_S)
    found = json.loads(ranked.read_text(encoding="utf-8"))
    return [list(dict.fromkeys(held.names[place] for place in places))[:DEPTH] for places in found]


def mean_ndcg(collection: Collection, rankings: Sequence[Sequence[str]]) -> float:
    """Return the mean nDCG@10."""
    asked = zip(rankings, collection.queries, strict=True)
    return fmean(ndcg(ranking, collection.gains[number]) for ranking, (number, _text) in asked)


if __name__ == "__main__":
    main()
