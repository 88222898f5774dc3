"""Trains bot/retrieval/fusion.json: how the two legs of a search are weighed, and when nothing was found.

    python benchmarks/train_fusion.py COLLECTION... --cache /tmp/fusion [--check]

Each COLLECTION is a folder in BEIR layout; the sets named *-open-* take part in "is there an answer": their questions are
asked a second time of a library without the passages that answer them, and, of small libraries, a third and a fourth time
in a few words and with one word changed. `--check` trains on the half of each set's
queries and measures on the other, and on all sets but one and measures on that one, and writes nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.made_questions import Words, changed, keywords, weights_of, words_of
from bot.config import Settings
from bot.evaluate.search import Collection, filled_library, ndcg
from bot.language import detect
from bot.models.catalogue import Catalogue
from bot.models.pool import Pool
from bot.passage import PUBLIC, Scopes
from bot.retrieval.evidence import EVIDENCE
from bot.retrieval.features import FEATURES
from bot.retrieval.fuse import STANDINGS, Fusion, Network
from bot.skill import Models, Slot

COUNT = 120
"""Candidates of one query at most."""
HIDDEN = 16
SMALL_LIBRARIES = 60
"""Libraries of a few documents that the judge is trained on, a set."""
FEW = 200
"""Questions of one language below which a set says nothing of its threshold."""
SHARES: Mapping[str, float] = {"whole": 0.42, "small": 0.28, "made": 0.3}
"""What whole collections, small libraries and made questions (of small libraries) count."""
NOTHING_SHARE = 1.3
"""What a wrong passage of a small library counts beside a right one: a few documents mostly do not hold the answer."""
NETWORKS = 3
"""Networks that are trained from different beginnings; their mean is steadier than any."""
JUDGED_NAMES = (*FEATURES, *EVIDENCE)
MOST_QUERIES = 800
"""Queries of one set, so that a large one does not outvote the others."""
KEPT = 0.905
"""Share of the answerable questions that must still be answered."""


@dataclass(frozen=True)
class Query:
    """The candidates of one query: features, gains by collection, and which of them belong to one document."""

    id: str
    text: str
    rows: np.ndarray
    documents: tuple[str, ...]
    gains: Mapping[str, int]


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
    """The pool, with every vector kept in a file: a second training embeds nothing."""

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


async def collect(folder: Path, models: Models, settings: Settings) -> list[Query]:
    """Return the candidates of every judged query of a collection, from the library itself."""
    collection = await asyncio.to_thread(Collection.load, folder)
    queries: list[Query] = []
    scopes = Scopes([PUBLIC])
    print(folder.name, len(collection.documents), "documents", flush=True)
    async with filled_library(collection, models=models, settings=settings, report=silent, fusion=Fusion.untrained()) as (
        library,
        names,
    ):
        for number, text in collection.queries:
            whole = await library.rank(text, scopes, count=COUNT)
            documents = tuple(names[document] for document in whole.documents[: len(whole.rows)])
            queries.append(Query(number, text, whole.rows, documents, collection.gains[number]))
    return queries


async def collect_firsts(folder: Path, models: Models, settings: Settings, order: Network, *, seed: int = 0) -> list[Judged]:
    """Return what the judge sees of the questions of a collection, each asked with its answers there and without them.

    Asked of the whole collection, and of small libraries of a few of its documents: a person's first library has three.
    """
    collection = await asyncio.to_thread(Collection.load, folder)
    fusion = Fusion(order, Network.zeros(len(JUDGED_NAMES) + STANDINGS), {"ko": 0.0, "en": 0.0})
    chance = random.Random(seed)  # noqa: S311 - a sample, no secret
    print(folder.name, "judging", flush=True)
    firsts = await ask_twice(collection, collection.queries, models, settings, fusion)
    said = [text for _number, text in collection.queries]
    weights = weights_of(said)
    made = Made(weights, words_of(said, weights), chance)
    documents = {document[0]: document for document in collection.documents}
    for _library in range(SMALL_LIBRARIES):
        size = chance.choice((1, 2, 3, 4, 6, 9, 14, 20, 30, 45))
        asked = chance.sample(collection.queries, min(len(collection.queries), 8 + size))
        held = [number for query, _text in asked[: max(1, size // 2)] for number in collection.gains[query]]
        held += chance.sample(sorted(documents), min(len(documents), size - size // 2))
        few = Collection(tuple(documents[number] for number in dict.fromkeys(held)), tuple(asked), collection.gains)
        firsts += await ask_twice(few, asked, models, settings, fusion, made=made)
    return firsts


async def ask_twice(
    collection: Collection,
    queries: Sequence[tuple[str, str]],
    models: Models,
    settings: Settings,
    fusion: Fusion,
    *,
    made: Made | None = None,
) -> list[Judged]:
    """Return what the judge sees of `queries` in a library of `collection`, and as if what answers them were not there.

    With `made`, the library is a small one, and questions made of these are asked of it as well.
    """
    scopes = Scopes([PUBLIC])
    firsts = []
    async with filled_library(collection, models=models, settings=settings, report=silent, fusion=fusion) as (library, names):
        number_of = {name: number for number, name in names.items()}

        async def ask(number: str, text: str, kind: str, without: Sequence[int], *, here: bool) -> None:
            first = await library.first(text, scopes, without=without)
            if first is not None:
                right = here and names[first.document] in collection.gains[number]
                firsts.append(Judged(number, text, first.row, right, here, kind))

        for number, text in queries:
            here = [number_of[name] for name in collection.gains[number] if name in number_of]
            for asked, kind, answered in made.asked(text) if made else [(text, "whole", True)]:
                if here:
                    await ask(number, asked, kind, (), here=answered)
                if answered:
                    await ask(number, asked, kind, here, here=False)
    return firsts


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


def train_order(sets: Sequence[Sequence[Query]]) -> Network:
    """Return the mean of NETWORKS rankers."""
    return mean_of([_train_order(sets, seed=seed) for seed in range(NETWORKS)])


def _train_order(sets: Sequence[Sequence[Query]], *, seed: int, steps: int = 400) -> Network:
    """Return the ranker: softmax over a query's documents against their gains, a document counting by its best passage."""
    torch.manual_seed(seed)
    chance = np.random.default_rng(seed)
    queries: list[Query] = []
    weights: list[float] = []
    for queries_of_set in sets:
        useful = [query for query in queries_of_set if any(document in query.gains for document in query.documents)]
        taken = [useful[at] for at in np.random.default_rng(0).permutation(len(useful))[:MOST_QUERIES]]
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


def train_answers(sets: Sequence[Sequence[Judged]]) -> Network:
    """Return the mean of NETWORKS judges."""
    return mean_of([_train_answers(sets, seed=seed) for seed in range(NETWORKS)])


def _train_answers(sets: Sequence[Sequence[Judged]], *, seed: int, steps: int = 400) -> Network:
    """Return the judge: the chance that the best-ranked passage answers, from right and wrong firsts and from taken-away ones.

    Every set weighs alike, in it right and wrong, in these the kinds by SHARES.
    """
    torch.manual_seed(seed)
    rows, answers, weights = [], [], []
    for firsts in sets:
        for right in (True, False):
            for kind, share in SHARES.items():
                some = [first for first in firsts if first.right is right and first.kind == kind]
                rows += [first.row for first in some]
                answers += [float(right)] * len(some)
                counted = share if right or kind == "whole" else share * NOTHING_SHARE
                weights += [counted / max(len(some), 1)] * len(some)
    inputs, wanted, weight = torch.tensor(np.array(rows)), torch.tensor(answers), torch.tensor(weights)
    mean, scale = inputs.mean(0), inputs.std(0) + 1e-3
    inputs = ((inputs - mean) / scale).clamp(-6, 6)
    net = torch.nn.Sequential(torch.nn.Linear(inputs.shape[1], HIDDEN), torch.nn.Tanh(), torch.nn.Linear(HIDDEN, 1))
    optimiser = torch.optim.Adam(net.parameters(), lr=0.01)
    for _step in range(steps):
        losses = torch.nn.functional.binary_cross_entropy_with_logits(net(inputs).squeeze(-1), wanted, reduction="none")
        decay = sum((parameter**2).sum() for parameter in net.parameters() if parameter.ndim > 1)
        loss = (losses * weight).sum() / weight.sum() + 1e-2 * decay
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return as_network(net, mean, scale)


def as_network(net: torch.nn.Sequential, mean: torch.Tensor, scale: torch.Tensor) -> Network:
    """Return a trained net without torch."""
    parameters = [parameter.detach().numpy() for parameter in net.parameters()]
    return Network(mean.numpy(), scale.numpy(), parameters[0].T.copy(), parameters[1], parameters[2][0], float(parameters[3][0]))


def mean_of(networks: Sequence[Network]) -> Network:
    """Return one network that answers what `networks`, which are of one mean and scale, answer on average."""
    return Network(
        np.mean([one.mean for one in networks], axis=0),
        np.mean([one.scale for one in networks], axis=0),
        np.concatenate([one.hidden for one in networks], axis=1),
        np.concatenate([one.hidden_bias for one in networks]),
        np.concatenate([one.out for one in networks]) / len(networks),
        float(np.mean([one.out_bias for one in networks])),
    )


def score(order: Network, queries: Sequence[Query]) -> float:
    """Return nDCG@10 over `queries`."""
    figures = []
    for query in queries:
        ranked = np.argsort(-order(query.rows), kind="stable") if len(query.rows) else []
        figures.append(ndcg(list(dict.fromkeys(query.documents[at] for at in ranked)), query.gains))
    return float(np.mean(figures))


def chances(firsts: Sequence[Judged], answers: Network, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the chances of the first passages with and without the answers in the library."""
    some = [first for first in firsts if first.kind == kind]
    given = 1 / (1 + np.exp(-answers(np.array([first.row for first in some])))) if some else np.zeros(0)
    here = np.array([first.here for first in some], bool)
    return given[here], given[~here]


def half(queries: Sequence[Any], which: int) -> list[Any]:
    """Return every other three queries: neighbours are often of one document."""
    ids = {number: at for at, number in enumerate(dict.fromkeys(query.id for query in queries))}
    return [query for query in queries if (ids[query.id] // 3) % 2 == which]


def check_order(sets: Mapping[str, Sequence[Query]]) -> None:
    """Print what the ranker reaches on queries and on sets that it has not seen."""
    halves = [train_order([half(queries, which) for queries in sets.values()]) for which in (0, 1)]
    for name, queries in sets.items():
        others = [known for other, known in sets.items() if other != name] or [queries]
        unseen = [score(halves[which], half(queries, 1 - which)) for which in (0, 1)]
        print(f"{name:22} halves {np.mean(unseen):.4f}  set left out {score(train_order(others), queries):.4f}", flush=True)


def check_answers(sets: Mapping[str, Sequence[Judged]]) -> None:
    """Print what the judge reaches on questions, and on sets, that it has not seen."""
    halves = [train_answers([half(firsts, which) for firsts in sets.values()]) for which in (0, 1)]
    for name, firsts in sets.items():
        left_out = train_answers([known for other, known in sets.items() if other != name] or [firsts])
        for kind in SHARES:
            pairs = [chances(half(firsts, 1 - which), halves[which], kind) for which in (0, 1)]
            here, gone = (np.concatenate([pair[side] for pair in pairs]) for side in (0, 1))
            other_here, other_gone = chances(firsts, left_out, kind)
            told = np.mean(gone < np.quantile(here, 0.1)), np.mean(other_gone < np.quantile(other_here, 0.1))
            print(
                f"{name:22} {kind}: told nothing at 90 % answered: halves {told[0]:.3f}  set left out {told[1]:.3f}",
                flush=True,
            )


def thresholds(sets: Mapping[str, Sequence[Judged]], answers: Network) -> dict[str, float]:
    """Return the chance by language above which KEPT of the answerable questions of whole collections lie, the sets counting alike."""
    found: dict[str, float] = {}
    for language in ("ko", "en"):
        asked = [[first for first in firsts if (detect(first.text) or "en") == language] for firsts in sets.values()]
        cuts = [
            float(np.quantile(here, 1 - KEPT)) for firsts in asked if len(here := chances(firsts, answers, "whole")[0]) >= FEW
        ]
        found[language] = round(float(np.mean(cuts)), 4) if cuts else 0.5
    return found


def to_json(network: Network) -> dict[str, object]:
    """Return a network for the file."""
    return {
        name: np.round(np.asarray(getattr(network, name)), 5).tolist()
        for name in ("mean", "scale", "hidden", "hidden_bias", "out", "out_bias")
    }  # fmt: skip


async def work(folders: Sequence[Path], cache: Path, out: Path | None) -> None:
    """Train on the collections in `folders` and write `out`; without it, print what holds on unseen queries and sets."""
    settings = Settings(home=cache)
    pool = Pool(Catalogue(settings), settings)
    models = CachedModels(pool, cache / "vectors.npz")
    try:
        sets = {folder.name: await collect(folder, models, settings) for folder in folders}
        order = train_order(list(sets.values()))
        asked = [folder for folder in folders if "-open-" in folder.name]
        firsts = {folder.name: await collect_firsts(folder, models, settings, order) for folder in asked}
    finally:
        models.save()
        await pool.close()
    if out is None:
        check_order(sets)
        check_answers(firsts)
        return
    answers = train_answers(list(firsts.values()))
    cuts = thresholds(firsts, answers)
    value = {"features": JUDGED_NAMES, "order": to_json(order), "answers": to_json(answers), "thresholds": cuts}
    await asyncio.to_thread(out.write_text, json.dumps(value) + "\n", encoding="utf-8")
    tell(sets, firsts, order, answers, cuts)


def tell(
    sets: Mapping[str, Sequence[Query]],
    firsts: Mapping[str, Sequence[Judged]],
    order: Network,
    answers: Network,
    cuts: Mapping[str, float],
) -> None:
    """Print what was reached on what was trained on."""
    for name, queries in sets.items():
        print(f"{name:22} nDCG@10 {score(order, queries):.4f}")
        cut = cuts[detect(queries[0].text) or "en"]
        for kind in SHARES if name in firsts else ():
            here, gone = chances(firsts[name], answers, kind)
            print(f"{'':22} {kind}: answered {np.mean(here >= cut):.3f}, told nothing {np.mean(gone < cut):.3f}")
    print("thresholds", cuts)


def silent(_now: str, _done: int, _total: int) -> None:
    """Tell nobody."""


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("bot/retrieval/fusion.json"))
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    asyncio.run(work(options.folders, options.cache, None if options.check else options.out))


if __name__ == "__main__":
    main()
