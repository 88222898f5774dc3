"""Trains bot/models/hangul.safetensors: rows that carry Korean morphemes and syllables into MiniLM's space.

    python benchmarks/train_hangul.py DATA [--check] [--cache FOLDER] [--out FILE]

DATA holds `retrieval/msmarco-open-ko` and `retrieval/msmarco-open-ko2en` (the same questions over the same passages in Korean and in
English) and `similarity/korsts-ko-train.jsonl` and `stsb-en-train.jsonl` (the same sentences). Each Korean text is drawn to what
MiniLM makes of its English one, among 511 others (InfoNCE, both ways). `--check` leaves out every fifth passage, sentence and question and
measures on these, over all passages; it writes nothing, but with `--out` the table that has not seen them: what is
trained with the table's vectors on the same passages (`benchmarks/train_fusion.py`) takes that one.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

from bot.config import Settings
from bot.evaluate.search import ndcg, recall
from bot.models.catalogue import Catalogue
from bot.models.pool import Pool
from bot.models.runtimes.hangul import Bag, Rows, Table, Vocabulary, key_of, table_of
from bot.models.tasks import EMBED
from bot.text.sentences import split
from bot.text.words import terms

TARGET = Path(__file__).parents[1] / "bot" / "models" / "hangul.safetensors"
DIMENSION = 384
RANK = 128
PIECES = 20_000
LEAST_TEXTS = 3
"""Texts that a morpheme must stand in to have a row of its own."""
EPOCHS = 3
BATCH = 512
SHARPNESS = 20.0
NEARNESS = 2.0
"""What the plain cosine of a pair counts beside the comparison with others."""
DROPPED = 0.2
"""Rows of a text that are left out at random, so that none is leant upon."""
LENGTHS = (0.2, 1.1)
"""Korean characters to English ones, of a pair that can be a translation."""
FOLDS = 5
SETS = ("msmarco-open-ko", "msmarco-open-ko2en")
"""The same questions and passages: the second has the passages in English."""


@dataclass(frozen=True)
class Pair:
    """A Korean text and its English one; texts of one source are held out together."""

    source: int
    korean: str
    english: str


@dataclass(frozen=True)
class Asked:
    """Korean questions over English passages: terms, and the places of the passages that answer."""

    questions: list[list[str]]
    answers: list[set[int]]
    passages: list[str]


def main() -> None:
    """Train, and write the table or measure it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "paring-train")
    parser.add_argument("--out", type=Path, help="Write the table there instead of into the package.")
    parser.add_argument("--pieces", type=int, default=PIECES)
    parser.add_argument("--rank", type=int, default=RANK)
    options = parser.parse_args()
    torch.manual_seed(0)
    pairs = pairs_of(options.data)
    english = embedded([pair.english for pair in pairs], options.cache)
    said = [terms(pair.korean) for pair in pairs]
    kept = [at for at, pair in enumerate(pairs) if said[at] and not (options.check and pair.source % FOLDS == 0)]
    vocabulary = vocabulary_of([said[at] for at in kept], options.pieces)
    rows, middle = trained(vocabulary, [vocabulary.bag(said[at]) for at in kept], english[kept])
    table = reduced(vocabulary, rows, middle, options.rank)
    if options.out or not options.check:
        save_file(table.tensors(), options.out or TARGET)
    print(json.dumps({"pairs": len(kept), "morphemes": len(vocabulary.keys), **size_of(table)}))
    if options.check:
        print(json.dumps(checked(table_of(table.tensors()), options.data, options.cache)))


def pairs_of(data: Path) -> list[Pair]:
    """Return what stands in both languages: passages, their sentences where they correspond, sentences."""
    passages = []
    for place, korean, english in _aligned(data / "retrieval"):
        texts = [(korean, english)]
        parts = [[text[one.start : one.end] for one in split(text)] for text in (korean, english)]
        if len(parts[0]) == len(parts[1]) > 1:
            texts += zip(*parts, strict=True)
        passages += [Pair(place, one, other) for one, other in texts if _alike(one, other)]
    sentences = [
        Pair(place, korean[side], english[side])
        for place, (korean, english) in enumerate(_similar(data / "similarity", "train"))
        for side in ("a", "b")
    ]
    return passages + sentences


def _alike(korean: str, english: str) -> bool:
    return LENGTHS[0] < len(korean) / max(len(english), 1) < LENGTHS[1]


def _similar(folder: Path, part: str) -> list[tuple[dict[str, str], dict[str, str]]]:
    korean, english = (_lines(folder / f"{name}-{part}.jsonl") for name in ("korsts-ko", "stsb-en"))
    return list(zip(korean, english, strict=True))


def _aligned(folder: Path) -> list[tuple[int, str, str]]:
    """Return (number of the English one, Korean, English) of the passages that answer the same question in both collections.

    Those between two of them as well, where as many stand there in both.
    """
    texts = [{row["_id"]: row["text"] for row in _lines(folder / name / "corpus.jsonl")} for name in SETS]
    answers = [_answers(folder / name) for name in SETS]
    anchors = sorted(
        (int(answers[0][query][0][1:]), int(answers[1][query][0][1:]))
        for query in answers[0]
        if len(answers[0][query]) == len(answers[1].get(query, [])) == 1
    )
    places = set(anchors)
    for (korean, english), (next_korean, next_english) in pairwise(anchors):
        if next_korean - korean == next_english - english:
            places |= {(korean + step, english + step) for step in range(next_korean - korean)}
    named = [(english, texts[0].get(f"d{korean}"), texts[1].get(f"d{english}")) for korean, english in sorted(places)]
    return [(number, korean, english) for number, korean, english in named if korean and english]


def _answers(folder: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in (folder / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        query, passage, _gain = line.split("\t")
        found.setdefault(query, []).append(passage)
    return found


def _lines(file: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def embedded(texts: Sequence[str], cache: Path) -> Rows:
    """Return what MiniLM makes of `texts`, float32 (n, 384), kept in `cache` by what they are."""
    digest = hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]
    file = cache / f"{digest}.npy"
    if not file.exists():
        cache.mkdir(parents=True, exist_ok=True)
        np.save(file, asyncio.run(_embedded(texts)).astype(np.float16))
    rows: Rows = np.load(file).astype(np.float32)
    return rows


async def _embedded(texts: Sequence[str]) -> Rows:
    settings = Settings()
    pool = Pool(Catalogue(settings), settings)
    try:
        return np.stack(await pool.run(EMBED, texts, bulk=True))
    finally:
        await pool.close()


def vocabulary_of(said: Sequence[Sequence[str]], pieces: int) -> Vocabulary:
    """Return the morphemes that have a row of their own, most frequent first."""
    counts = Counter(term for some in said for term in set(some))
    rarity = {term: math.log(1 + len(said) / (1 + count)) for term, count in counts.items() if count >= LEAST_TEXTS}
    frequent = sorted(rarity, key=lambda term: (rarity[term], term))
    keys = np.array([key_of(term) for term in frequent], np.uint32)
    numbers = np.array([rarity[term] for term in frequent], np.float32)
    return Vocabulary(keys, numbers, unknown=math.log(1 + len(said)), pieces=pieces)


def trained(vocabulary: Vocabulary, bags: Sequence[Bag], english: Rows) -> tuple[Rows, Rows]:
    """Return the rows, float32 (words + pieces, 384), and the middle, float32 (384,)."""
    truth = torch.from_numpy(english)
    mean = truth.mean(dim=0)
    rows = torch.nn.EmbeddingBag(len(vocabulary.keys) + vocabulary.pieces, DIMENSION, mode="sum", sparse=True)
    with torch.no_grad():
        rows.weight.copy_(_begun(bags, truth - mean, len(rows.weight)))
    middle = torch.nn.Parameter(mean.clone())
    for_rows, for_middle = torch.optim.SparseAdam([rows.weight], lr=2e-3), torch.optim.Adam([middle], lr=1e-3)
    chance = np.random.default_rng(0)
    for epoch in range(EPOCHS):
        order = chance.permutation(len(bags))
        lost = 0.0
        for start in range(0, len(order), BATCH):
            picked = order[start : start + BATCH]
            vectors = _vectors(rows, middle, [_thinned(bags[at], chance) for at in picked])
            loss = _loss(vectors, truth[picked])
            for_rows.zero_grad()
            for_middle.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch
            for_rows.step()
            for_middle.step()
            lost += loss.item()
        print(f"epoch {epoch + 1} of {EPOCHS}: loss {lost:.2f}", flush=True)
    return rows.weight.detach().numpy(), middle.detach().numpy()


def _begun(bags: Sequence[Bag], towards: torch.Tensor, count: int) -> torch.Tensor:
    """Begin each row at the mean of the English texts that it stands in."""
    sums, seen = torch.zeros(count, DIMENSION), torch.ones(count)
    for bag, vector in zip(bags, towards, strict=True):
        places = torch.tensor(bag.rows)
        sums.index_add_(0, places, vector.expand(len(places), -1))
        seen.index_add_(0, places, torch.ones(len(places)))
    return sums / seen[:, None]


def _thinned(bag: Bag, chance: np.random.Generator) -> Bag:
    kept = np.flatnonzero(chance.random(len(bag.rows)) > DROPPED)
    if not len(kept):
        return bag
    return Bag(tuple(bag.rows[at] for at in kept), tuple(bag.weights[at] for at in kept))


def _vectors(rows: torch.nn.EmbeddingBag, middle: torch.Tensor, bags: Sequence[Bag]) -> torch.Tensor:
    places = torch.tensor([row for bag in bags for row in bag.rows])
    weights = torch.tensor([weight for bag in bags for weight in bag.weights])
    sizes = torch.tensor([len(bag.rows) for bag in bags])
    sums = rows(places, sizes.cumsum(0) - sizes, per_sample_weights=weights)
    total = torch.zeros(len(bags)).index_add_(0, torch.repeat_interleave(torch.arange(len(bags)), sizes), weights)
    return torch.nn.functional.normalize(sums / total.sqrt()[:, None] + middle, dim=1)


def _loss(vectors: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    near = vectors @ truth.T
    places = torch.arange(len(near))
    compared = torch.nn.functional.cross_entropy
    return compared(near * SHARPNESS, places) + compared(near.T * SHARPNESS, places) + NEARNESS * (1 - near.diagonal()).mean()


def reduced(vocabulary: Vocabulary, rows: Rows, middle: Rows, rank: int) -> Table:
    """Return the table in `rank` numbers a row, int8: the directions that carry most."""
    _left, _sizes, directions = np.linalg.svd(rows.T @ rows)
    inner = rows @ directions[:rank].T
    scales = np.maximum(np.abs(inner).max(axis=1), 1e-6) / 127
    whole = np.rint(inner / scales[:, None]).astype(np.int8)
    return Table(vocabulary, whole, scales.astype(np.float32), directions[:rank].astype(np.float32), middle)


def size_of(table: Table) -> dict[str, float]:
    """Return what the table weighs."""
    return {"mb": round(sum(tensor.nbytes for tensor in table.tensors().values()) / 1e6, 1)}


def checked(table: Table, data: Path, cache: Path) -> dict[str, float]:
    """Measure what was held out: Korean questions over all English passages, and Korean pairs of sentences."""
    folder = data / "retrieval" / SETS[1]
    passages = _lines(folder / "corpus.jsonl")
    english = embedded([passage["text"] for passage in passages], cache)
    answers = _answers(folder)
    held = held_out(folder)
    questions = [row for row in _lines(folder / "queries.jsonl") if row["_id"] in held]
    near = table.vectors([row["text"] for row in questions]) @ english.T
    names = [passage["_id"] for passage in passages]
    figures = []
    for row, cosines in zip(questions, near, strict=True):
        best = [names[at] for at in np.argsort(-cosines)[:100]]
        gains = dict.fromkeys(answers[row["_id"]], 1)
        figures.append((ndcg(best, gains), recall(best, gains, depth=100)))
    similar = [korean for korean, _english in _similar(data / "similarity", "dev")]
    cosines = (table.vectors([one["a"] for one in similar]) * table.vectors([one["b"] for one in similar])).sum(axis=1)
    score, found = np.mean(figures, axis=0).round(3).tolist()
    return {
        "questions": len(questions),
        "ndcg@10": score,
        "recall@100": found,
        "korsts_dev_spearman": _spearman(cosines, similar),
    }


def held_out(folder: Path) -> frozenset[str]:
    """Return the questions of SETS, the second of which lies in `folder`, of whose answers `--check` has trained on none."""
    return frozenset(
        question for question, passages in _answers(folder).items() if all(int(name[1:]) % FOLDS == 0 for name in passages)
    )


def _spearman(cosines: Rows, similar: Sequence[dict[str, str]]) -> float:
    from scipy.stats import spearmanr

    return round(float(spearmanr(cosines, [float(one["score"]) for one in similar]).statistic), 3)


if __name__ == "__main__":
    main()
