"""Trains bot/retrieval/fusion.json: how the two legs of a search are weighed, and when nothing was found.

    python -m benchmarks.train_lexicon DATA --more PAIRS --check --out /tmp/lexicon.txt
    python -m benchmarks.train_fusion COLLECTION... --cache /tmp/fusion --lexicon /tmp/lexicon.txt [--check]

Each COLLECTION is a folder in BEIR layout (`benchmarks/fusion_cases.py` asks their questions). `--lexicon` is a list of words that
stand for each other, learnt without what is asked of SETS (`benchmarks/fusion_sources.py`): the shipped one has seen that. `--embedder`
trains the combiner of another: `embed.minilm-ko.v2` fusion-ko-v2.json, with `--held`, a table of Korean that has not seen that either
(`benchmarks.train_hangul DATA --more PAIRS --check --out FILE`); `embed.minilm.v1` fusion-en.json, for embedders that know no Korean.
`--check` trains the ranker on the half of each set's queries and measures on the other, and ranker and judges on all sets but one and
measures on that one, and writes nothing. `--keep-order` leaves the ranker as it is and trains the judges beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from benchmarks.fusion_cases import (
    PAGES,
    CachedModels,
    Judged,
    Query,
    collect,
    collect_firsts,
    collect_teams,
    collect_teams_firsts,
    half,
)
from benchmarks.fusion_judges import (
    ALWAYS,
    HIDDEN,
    NETWORKS,
    TOLD_ONCE_READ,
    Bound,
    Chances,
    Judges,
    Look,
    as_network,
    check_answers,
    few_bounds,
    halves_of_few,
    look_of,
    mean_of,
    thresholds,
    unseen,
    unseen_by_few,
    was_read,
)  # fmt: skip
from benchmarks.fusion_sources import CLEAN, OtherTable, sources
from benchmarks.team_libraries import TRAINED
from bot.config import ModelSettings, Settings
from bot.evaluate.search import ndcg
from bot.models.catalogue import Catalogue
from bot.models.pool import Pool
from bot.models.tasks import EMBED, READ
from bot.retrieval.closer import CLOSENESS
from bot.retrieval.evidence import EVIDENCE
from bot.retrieval.features import FEATURES
from bot.retrieval.fuse import Fusion, Network, Trees, file_for, knows_korean
from bot.retrieval.verdicts import READING
from bot.text.lexicon import NONE, Lexicon, packaged

ORDER_DECAY = 6e-3
"""How strongly the ranker's weights are held back: at half of it a set that was left out loses up to four points."""
SET_POWER = 0.8
"""What a query of a set of n counts: n ** -SET_POWER; at 1 the sets count alike, at 0 their queries do."""
SHARE_POWER = 2
"""What a query of a collection of a share counts in the ranker: share ** SHARE_POWER. At 1 Cranfield and CISI lose a third of a point each."""
TEAMS = "teams"
"""The name of what is asked of teams' libraries."""
FEW_READ = ("team", "middle")
"""The kinds by which it is chosen what a reader's odds count."""
FOLDER = Path("bot/retrieval")
JUDGED_NAMES = (*FEATURES, *EVIDENCE, *CLOSENESS)
MOST_QUERIES = 800
"""Queries of one set, so that a large one does not outvote the others."""


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
        weights += [query.share**SHARE_POWER * len(taken) ** -SET_POWER for query in taken]
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
        loss = (-(wanted[some] * likely).sum(1) * weight[some]).sum() / weight[some].sum() + ORDER_DECAY * decay
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return as_network(net, mean, scale)


def score(order: Network, queries: Sequence[Query]) -> float:
    """Return nDCG@10 over `queries`."""
    figures = []
    for query in queries:
        ranked = np.argsort(-order(query.rows), kind="stable") if len(query.rows) else []
        figures.append(ndcg(list(dict.fromkeys(query.documents[at] for at in ranked)), query.gains))
    return float(np.mean(figures))


def check_order(sets: Mapping[str, Sequence[Query]]) -> None:
    """Print what the ranker reaches on queries and on sets that it has not seen."""
    halves = [train_order([half(queries, which) for queries in sets.values()]) for which in (0, 1)]
    for name, queries in sets.items():
        others = [known for other, known in sets.items() if other != name] or [queries]
        unseen = [score(halves[which], half(queries, 1 - which)) for which in (0, 1)]
        print(f"{name:22} halves {np.mean(unseen):.4f}  set left out {score(train_order(others), queries):.4f}", flush=True)


def to_json(network: Network) -> dict[str, object]:
    """Return a network for the file."""
    return {
        name: np.round(np.asarray(getattr(network, name)), 5).tolist()
        for name in ("mean", "scale", "hidden", "hidden_bias", "out", "out_bias")
    }  # fmt: skip


def trees_json(trees: Trees) -> dict[str, object]:
    """Return trees for the file."""
    whole = {name: getattr(trees, name).tolist() for name in ("roots", "columns", "left", "right")}
    exact = {name: [float(f"{number:.6g}") for number in getattr(trees, name).tolist()] for name in ("cuts", "values")}
    return {**whole, **exact, "base": round(trees.base, 5)}


async def work(options: argparse.Namespace) -> None:
    """Train on the collections and write the combiner; with `check`, print what holds on unseen queries and sets."""
    cache: Path = options.cache
    settings = Settings(home=cache, models=ModelSettings(choose={"embed": options.embedder}))
    pool = Pool(Catalogue(settings), settings)
    models = CachedModels(pool, cache / f"{options.embedder}.npz")
    unseeing = models if options.embedder in CLEAN else None
    if options.held:
        unseeing = CachedModels(OtherTable(pool, options.held, cache), cache / "held.npz")
    embedder, reader = pool.live(EMBED), pool.live(READ)
    lexicon = await asyncio.to_thread(lexicon_of, embedder, options.lexicon)
    try:
        asked = sources(options.folders, models, unseeing)
        teams = sorted(options.teams.iterdir()) if options.teams else []
        sets = {source.name: await collect(source, settings, lexicon) for source in asked}
        if teams:
            sets[TEAMS] = await collect_teams(teams, models, settings, lexicon)
        shipped = (FOLDER / file_for(embedder)).read_text(encoding="utf-8") if options.keep_order else ""
        order = Fusion.from_json(shipped).order if shipped else train_order(list(sets.values()))
        firsts = {
            source.name: await collect_firsts(source, settings, order, lexicon) for source in asked if "-open-" in source.name
        }
        if teams:
            firsts[TEAMS] = await collect_teams_firsts(teams, models, settings, order, lexicon)
    finally:
        for kept in (models, unseeing):
            if kept is not None:
                kept.save()
        await pool.close()
    await asyncio.to_thread(judge, sets, firsts, order, (embedder, reader), check=options.check)


def lexicon_of(embedder: str, file: Path | None) -> Lexicon:
    """Return the words that stand for each other in the searches of an embedder: those of `file`, or the packaged ones."""
    if not knows_korean(embedder):
        return NONE
    return Lexicon.read(file) if file else packaged()


def judge(
    sets: Mapping[str, Sequence[Query]],
    firsts: Mapping[str, Sequence[Judged]],
    order: Network,
    names: tuple[str, str],
    *,
    check: bool,
) -> None:
    """Train the judges and write the combiner; with `check`, print what holds on unseen queries and sets."""
    halves = unseen(firsts)
    bounds = thresholds(halves, read=was_read(list(firsts.values())))
    tell(sets, halves, order, bounds)
    if check:
        check_order(sets)
        check_answers(firsts, halves)
        return
    judges = Judges.trained(list(firsts.values()))
    few = few_json(firsts, names) if TEAMS in firsts else None
    second = {spoken: second_json(judges, spoken, names, bound) for spoken, bound in bounds.items() if bound.unsure}
    value = {
        "features": JUDGED_NAMES, "korean": knows_korean(names[0]), "lexicon": knows_korean(names[0]),
        "order": to_json(order), "answers": to_json(judges.first),
        "across": to_json(judges.across) if judges.across else None,
        "thresholds": {spoken: bound.cut for spoken, bound in bounds.items()}, "second": second,
        "few": few, "reading": READING,
    }  # fmt: skip
    (FOLDER / file_for(names[0])).write_text(json.dumps(value) + "\n", encoding="utf-8")


def few_json(firsts: Mapping[str, Sequence[Judged]], names: tuple[str, str]) -> dict[str, object]:
    """Return the judges of libraries of few passages for the file, and print what they reach on the halves that they were not trained on.

    `names` are the embedder and the reader.
    """
    sets = list(firsts.values())
    look = look_of(sets, FEW_READ, PAGES) if was_read(sets) else Look()
    judges, halves = Judges.of_few(sets, look), halves_of_few(firsts, look)
    alone = unseen_by_few(firsts, halves)
    bounds, second = few_bounds(alone[TEAMS]["team"]), {}
    for name, kinds in alone.items():
        print(f"{name:22} in libraries of few passages")
        tell_kinds(kinds, bounds)
    if judges.second:
        read = unseen_by_few(firsts, halves, read=True)
        again = few_bounds(read[TEAMS]["team"], TOLD_ONCE_READ)
        for name, kinds in read.items():
            print(f"{name:22} in libraries of few passages, read")
            tell_kinds(kinds, again)
        second = {
            spoken: second_json(judges, spoken, names, Bound(bound.cut, ALWAYS, bound.cut)) for spoken, bound in again.items()
        }
    cuts = {spoken: bound.cut for spoken, bound in bounds.items()}
    across = judges.across or judges.first
    return {"answers": to_json(judges.first), "across": to_json(across), "thresholds": cuts, "second": second}


def second_json(judges: Judges, spoken: str, names: tuple[str, str], bound: Bound) -> dict[str, object]:
    """Return a second look for the file. `names` are the embedder and the reader, that "" where none has looked."""
    embedder, reader = names
    looks = {"reader": reader, "lead": judges.look.lead, "pages": judges.look.pages} if reader else {}
    return {
        "embedder": embedder, "unsure": bound.unsure, "threshold": bound.again, "trees": trees_json(judges.second[spoken]), **looks,
    }  # fmt: skip


def tell(
    sets: Mapping[str, Sequence[Query]],
    halves: Mapping[str, Mapping[str, Chances]],
    order: Network,
    bounds: Mapping[str, Bound],
) -> None:
    """Print what was reached: the ranker on what it was trained on, the judges on the halves of each set that they were not."""
    for name, queries in sets.items():
        print(f"{name:22} nDCG@10 {score(order, queries):.4f}")
        tell_kinds(halves.get(name, {}), bounds)
        print(f"{'':22} by the first look alone:")
        tell_kinds(halves.get(name, {}), {spoken: Bound(bound.cut) for spoken, bound in bounds.items()})
    print(bounds)


def tell_kinds(kinds: Mapping[str, Chances], bounds: Mapping[str, Bound]) -> None:
    """Print what is answered of what is there, and told nothing of what is not, by kind."""
    for kind, chances in kinds.items():
        if len(chances.here):
            answered = chances.answered(bounds)
            here, gone = answered[chances.here].mean(), 1 - answered[~chances.here].mean()
            rightly = (answered & chances.right)[chances.here].mean()
            print(f"{'':22} {kind}: answered {here:.3f} (rightly {rightly:.3f}), told nothing {gone:.3f}")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--embedder", default="embed.minilm-ko.v3")
    parser.add_argument("--held", type=Path, help="A table of Korean that has not seen what it is asked.")
    parser.add_argument("--lexicon", type=Path, help="Words that stand for each other, learnt without what is asked.")
    parser.add_argument("--teams", type=Path, default=TRAINED, help="Teams' libraries (benchmarks/team_libraries.py).")
    parser.add_argument("--keep-order", action="store_true", help="Train the judges alone, beside the ranker that is there.")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    asyncio.run(work(options))


if __name__ == "__main__":
    main()
