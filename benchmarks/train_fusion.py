"""Trains bot/retrieval/fusion.json: how the two legs of a search are weighed, and when nothing was found.

    python benchmarks/train_fusion.py COLLECTION... --cache /tmp/fusion [--check]

Each COLLECTION is a folder in BEIR layout; the sets named *-open-* take part in "is there an answer": their questions are
asked a second time of a library without the passages that answer them. `--check` trains on the half of each set's
queries and measures on the other, and on all sets but one and measures on that one, and writes nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bot.config import Settings
from bot.evaluate.search import Collection, filled_library, ndcg
from bot.language import detect
from bot.models.catalogue import Catalogue
from bot.models.pool import Pool
from bot.passage import PUBLIC, Scopes
from bot.retrieval.features import FEATURES
from bot.retrieval.fuse import Fusion, Network, standing
from bot.skill import Models, Slot

COUNT = 120
"""Candidates of one query at most."""
HIDDEN = 16
MOST_QUERIES = 800
"""Queries of one set, so that a large one does not outvote the others."""
EN_KEPT = KO_KEPT = 0.915
"""Share of the answerable questions that must still be answered."""


@dataclass(frozen=True)
class Query:
    """The candidates of one query: features, gains by collection, and which of them belong to one document."""

    id: str
    text: str
    rows: np.ndarray
    documents: tuple[str, ...]
    gains: Mapping[str, int]
    alone: np.ndarray | None = None
    """The features of its candidates where every passage that answers is gone; None where that is not asked."""


class CachedModels:
    """The pool, with every vector kept in a file: a second training embeds nothing."""

    def __init__(self, pool: Pool, file: Path) -> None:
        self._pool, self._file = pool, file
        self._kept: dict[bytes, np.ndarray] = {}
        if file.is_file():
            with np.load(file) as held:
                self._kept = dict(zip((bytes(key) for key in held["keys"]), held["vectors"], strict=True))

    def live(self, slot: Slot[Any, Any]) -> str:
        return self._pool.live(slot)

    async def run(self, slot: Slot[Any, Any], batch: Sequence[Any], *, bulk: bool = False) -> list[Any]:
        keys = [hashlib.blake2b(str(item).encode("utf-8", "replace"), digest_size=16).digest() for item in batch]
        missing = {key: item for item, key in zip(batch, keys, strict=True) if key not in self._kept}
        if missing:
            fresh = await self._pool.run(slot, list(missing.values()), bulk=bulk)
            self._kept.update(zip(missing, fresh, strict=True))
        return [self._kept[key] for key in keys]

    def save(self) -> None:
        keys = np.array([np.frombuffer(key, np.uint8) for key in self._kept])
        np.savez(self._file, keys=keys, vectors=np.array(list(self._kept.values()), np.float32))


async def collect(folder: Path, models: Models, settings: Settings) -> list[Query]:
    """Return the candidates of every judged query of a collection, from the library itself."""
    collection = await asyncio.to_thread(Collection.load, folder)
    queries: list[Query] = []
    scopes = Scopes([PUBLIC])
    print(folder.name, len(collection.documents), "documents", flush=True)
    async with filled_library(
        collection, models=models, settings=settings, report=lambda _now, _done, _of: None, fusion=Fusion.untrained()
    ) as (library, names):
        number_of = {name: number for number, name in names.items()}
        for number, text in collection.queries:
            gains = collection.gains[number]
            whole = await library.rank(text, scopes, count=COUNT)
            rows, documents = whole.rows[:COUNT], tuple(names[document] for document in whole.documents[: len(whole.rows)])
            alone = None
            if "-open-" in folder.name and "2en" not in folder.name:
                without = frozenset(number_of[name] for name in gains)
                alone = (await library.rank(text, scopes, count=COUNT, without=without)).rows
            queries.append(Query(number, text, rows, documents[: len(rows)], gains, alone))
    return queries


def order_rows(queries: Sequence[Query]) -> tuple[torch.Tensor, ...]:
    """Return padded features, the index of each candidate's document, gains by document, and what is padding."""
    size = max(len(query.rows) for query in queries)
    rows = np.zeros((len(queries), size, len(FEATURES)), np.float32)
    place = np.full((len(queries), size), size - 1, np.int64)
    gains = np.zeros((len(queries), size), np.float32)
    there = np.zeros((len(queries), size), bool)
    for at, query in enumerate(queries):
        names = list(dict.fromkeys(query.documents))
        count = len(query.rows)
        rows[at, :count], there[at, :count] = query.rows, True
        place[at, :count] = [names.index(document) for document in query.documents]
        gains[at, : len(names)] = [query.gains.get(name, 0) for name in names]
    return torch.tensor(rows), torch.tensor(place), torch.tensor(gains), torch.tensor(there)


def train_order(sets: Sequence[Sequence[Query]], *, seed: int = 0, steps: int = 500) -> Network:
    """Return the ranker: softmax over a query's documents against their gains, a document counting by its best passage."""
    torch.manual_seed(seed)
    chance = np.random.default_rng(seed)
    queries: list[Query] = []
    weights: list[float] = []
    for queries_of_set in sets:
        useful = [query for query in queries_of_set if any(document in query.gains for document in query.documents)]
        taken = [useful[at] for at in chance.permutation(len(useful))[:MOST_QUERIES]]
        queries += taken
        weights += [len(taken) ** -0.5] * len(taken)
    rows, place, gains, there = order_rows(queries)
    weight = torch.tensor(weights, dtype=torch.float32)
    mean, scale = rows[there].mean(0), rows[there].std(0) + 1e-3
    rows = ((rows - mean) / scale).clamp(-6, 6)
    net = torch.nn.Sequential(torch.nn.Linear(len(FEATURES), HIDDEN), torch.nn.Tanh(), torch.nn.Linear(HIDDEN, 1))
    optimiser = torch.optim.Adam(net.parameters(), lr=0.01)
    wanted = gains / gains.sum(1, keepdim=True)
    for _step in range(steps):
        some = torch.tensor(chance.choice(len(queries), min(600, len(queries)), replace=False))
        scores = net(rows[some]).squeeze(-1).masked_fill(~there[some], -1e9)
        by_document = torch.full_like(scores, -1e9).scatter_reduce(1, place[some], scores, "amax")
        likely = torch.log_softmax(by_document, 1).masked_fill(by_document < -1e8, 0)
        decay = sum((parameter**2).sum() for parameter in net.parameters() if parameter.ndim > 1)
        loss = (-(wanted[some] * likely).sum(1) * weight[some]).sum() / weight[some].sum() + 3e-3 * decay
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return as_network(net, mean, scale)


def train_answers(sets: Sequence[Sequence[Query]], order: Network, *, seed: int = 0, steps: int = 600) -> Network:
    """Return the judge: the chance that the best-ranked passage answers, from right and wrong firsts and from taken-away ones."""
    torch.manual_seed(seed)
    rows, answers, weights = [], [], []
    for queries in sets:
        firsts = [first for query in queries for first in firsts_of(query, order)]
        for kind in (True, False):
            of_kind = [first for first, right in firsts if right is kind]
            rows += of_kind
            answers += [float(kind)] * len(of_kind)
            weights += [1 / max(len(of_kind), 1)] * len(of_kind)
    inputs, wanted, weight = torch.tensor(np.array(rows)), torch.tensor(answers), torch.tensor(weights)
    mean, scale = inputs.mean(0), inputs.std(0) + 1e-3
    inputs = ((inputs - mean) / scale).clamp(-6, 6)
    net = torch.nn.Sequential(torch.nn.Linear(inputs.shape[1], HIDDEN), torch.nn.Tanh(), torch.nn.Linear(HIDDEN, 1))
    optimiser = torch.optim.Adam(net.parameters(), lr=0.01)
    for _step in range(steps):
        losses = torch.nn.functional.binary_cross_entropy_with_logits(net(inputs).squeeze(-1), wanted, reduction="none")
        decay = sum((parameter**2).sum() for parameter in net.parameters() if parameter.ndim > 1)
        loss = (losses * weight).sum() / weight.sum() + 1e-3 * decay
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return as_network(net, mean, scale)


def firsts_of(query: Query, order: Network) -> list[tuple[np.ndarray, bool]]:
    """Return what the judge sees of a query's first passage: with its answers there (right or wrong), and without."""
    seen = []
    if len(query.rows):
        scores = order(query.rows)
        best = int(scores.argmax())
        seen.append((np.concatenate([query.rows, standing(scores)], axis=1)[best], query.documents[best] in query.gains))
    if query.alone is not None and len(query.alone):
        scores = order(query.alone)
        best = int(scores.argmax())
        seen.append((np.concatenate([query.alone, standing(scores)], axis=1)[best], False))
    return seen


def as_network(net: torch.nn.Sequential, mean: torch.Tensor, scale: torch.Tensor) -> Network:
    parameters = [parameter.detach().numpy() for parameter in net.parameters()]
    return Network(mean.numpy(), scale.numpy(), parameters[0].T.copy(), parameters[1], parameters[2][0], float(parameters[3][0]))


def score(order: Network, queries: Sequence[Query]) -> float:
    """Return nDCG@10 over `queries`."""
    figures = []
    for query in queries:
        ranked = np.argsort(-order(query.rows), kind="stable") if len(query.rows) else []
        figures.append(ndcg(list(dict.fromkeys(query.documents[at] for at in ranked)), query.gains))
    return float(np.mean(figures))


def chances(queries: Sequence[Query], order: Network, answers: Network) -> tuple[np.ndarray, np.ndarray]:
    """Return the chances of the first passage with and without the answers in the library, for questions that have both."""
    here, gone = [], []
    fusion = Fusion(order, answers, {})
    for query in queries:
        if query.alone is None:
            continue
        for rows, into in ((query.rows, here), (query.alone, gone)):
            scores = order(rows)
            into.append(float(fusion.chance(rows, scores)[scores.argmax()]) if len(rows) else 0.0)
    return np.array(here), np.array(gone)


def half(queries: Sequence[Query], which: int) -> list[Query]:
    """Return every other three queries: neighbours are often of one document."""
    return [query for at, query in enumerate(queries) if (at // 3) % 2 == which]


def check(sets: Mapping[str, Sequence[Query]]) -> None:
    """Print what training reaches on queries and on sets that it has not seen."""
    halves = []
    for which in (0, 1):
        seen = [half(queries, which) for queries in sets.values()]
        order = train_order(seen)
        halves.append((order, train_answers(seen, order)))
    for name, queries in sets.items():
        others = [known for other, known in sets.items() if other != name] or [queries]
        unseen = [score(halves[which][0], half(queries, 1 - which)) for which in (0, 1)]
        print(f"{name:22} halves {np.mean(unseen):.4f}  set left out {score(train_order(others), queries):.4f}", flush=True)
        pairs = [chances(half(queries, 1 - which), *halves[which]) for which in (0, 1)]
        here, gone = (np.concatenate([pair[side] for pair in pairs]) for side in (0, 1))
        if len(here):
            at = np.quantile(here, 0.1)
            print(f"{'':22} answered {np.mean(here >= at):.3f}, told nothing {np.mean(gone < at):.3f} at {at:.3f}", flush=True)


def thresholds(sets: Mapping[str, Sequence[Query]], order: Network, answers: Network) -> dict[str, float]:
    """Return the chance by language above which the wanted share of the answerable questions lies, the sets counting alike."""
    found: dict[str, float] = {}
    for language, kept in (("ko", KO_KEPT), ("en", EN_KEPT)):
        here = [
            float(np.quantile(known, 1 - kept))
            for queries in sets.values()
            if len(known := chances([query for query in queries if (detect(query.text) or "en") == language], order, answers)[0])
        ]
        found[language] = round(float(np.mean(here)), 4) if here else 0.5
    return found


def to_json(network: Network) -> dict[str, object]:
    return {
        name: np.round(np.asarray(getattr(network, name)), 5).tolist()
        for name in ("mean", "scale", "hidden", "hidden_bias", "out", "out_bias")
    }  # fmt: skip


async def load(folders: Sequence[Path], cache: Path) -> dict[str, list[Query]]:
    settings = Settings(home=cache)
    pool = Pool(Catalogue(settings), settings)
    models = CachedModels(pool, cache / "vectors.npz")
    try:
        return {folder.name: await collect(folder, models, settings) for folder in folders}
    finally:
        models.save()
        await pool.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("bot/retrieval/fusion.json"))
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    sets = asyncio.run(load(options.folders, options.cache))
    if options.check:
        check(sets)
        return
    order = train_order(list(sets.values()))
    answers = train_answers(list(sets.values()), order)
    cuts = thresholds(sets, order, answers)
    value = {"features": FEATURES, "order": to_json(order), "answers": to_json(answers), "thresholds": cuts}
    options.out.write_text(json.dumps(value) + "\n", encoding="utf-8")
    for name, queries in sets.items():
        here, gone = chances(queries, order, answers)
        print(
            f"{name:22} nDCG@10 {score(order, queries):.4f}",
            f"answered {np.mean(here >= cuts[detect(queries[0].text) or 'en']):.3f} told nothing {np.mean(gone < cuts[detect(queries[0].text) or 'en']):.3f}"
            if len(here)
            else "",
        )
    print("thresholds", cuts)


if __name__ == "__main__":
    main()
