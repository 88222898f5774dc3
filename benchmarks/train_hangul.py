"""Trains bot/models/hangul-v2.safetensors: rows that carry Korean morphemes and syllables into MiniLM's space.

    python -m benchmarks.parallel_texts FOLDER
    python -m benchmarks.train_hangul DATA --more FOLDER/pairs.jsonl [--check] [--cache FOLDER] [--out FILE]

DATA holds `retrieval/msmarco-open-ko` and `retrieval/msmarco-open-ko2en` (the same questions over the same passages in Korean and in
English) and `similarity/korsts-ko-train.jsonl` and `stsb-en-train.jsonl` (the same sentences). Each Korean text is drawn to what
MiniLM makes of its English one, among 511 others (InfoNCE, both ways), and each sentence of a Korean passage to the rest of it, so that what
is only a name to the table stays one. What `--more` brings is what programs say, not people: all is learnt together first, then DATA alone.
`--check` leaves out every fifth passage, sentence and question of DATA and
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
from typing import Protocol

import numpy as np
import torch
from safetensors.numpy import save_file

from benchmarks.parallel_texts import with_sentences
from bot.config import ModelSettings, Settings
from bot.evaluate.search import ndcg, recall
from bot.models.catalogue import Catalogue
from bot.models.pool import Pool
from bot.models.runtimes.hangul import Bag, Rows, Table, Vocabulary, key_of, table_of
from bot.models.tasks import EMBED
from bot.text.sentences import split
from bot.text.words import terms

TARGET = Path(__file__).parents[1] / "bot" / "models" / "hangul-v2.safetensors"
DIMENSION = 384
RANK = 256
"""Numbers of a row. Of 384, which is all, 256 keep .98 of what the held-out questions are worth, 192 .95, 128 .85."""
PIECES = 32_000
LEAST_TEXTS = 4
"""Texts that a morpheme must stand in to have a row of its own."""
MIXED_EPOCHS, EPOCHS = 2, 5
"""Times that all is learnt, then DATA alone."""
BATCH = 512
WITHIN, WITHIN_BATCH = 1.0, 256
"""What a sentence and the rest of its passage count beside a pair of two languages, and how many such passages are compared at once."""
WITHIN_EVERY = 4
"""Batches of all to one in which passages are compared so; of DATA alone each is."""
LEAST_SENTENCES = 3
"""Of a passage that is compared so."""
COUNTED = 0.1
"""What a text of `--more` counts where it is asked how rare a word is."""
SHARPNESS = 20.0
NEARNESS = 2.0
"""What the plain cosine of a pair counts beside the comparison with others."""
DROPPED = 0.2
"""Rows of a text that are left out at random, so that none is leant upon."""
LENGTHS = (0.2, 1.1)
"""Korean characters to English ones, of a pair that can be a translation."""
FOLDS = 5
UNSEEN, MOST_ASKED = "korquad-open-ko", 800
"""A Korean collection that is in no training, and how many of its questions are asked."""
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


@dataclass(frozen=True)
class Taught:
    """What is learnt from: Korean texts, what MiniLM makes of their English ones, and passages by their sentences."""

    bags: list[Bag]
    english: Rows
    """float32 (n, 384), in the order of `bags`."""
    own: int
    """How many of them, the first, are of DATA."""
    passages: list[list[Bag]]


def main() -> None:
    """Train, and write the table or measure it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "paring-train")
    parser.add_argument("--more", type=Path, help="What benchmarks/parallel_texts.py has written.")
    parser.add_argument("--out", type=Path, help="Write the table there instead of into the package.")
    parser.add_argument("--pieces", type=int, default=PIECES)
    parser.add_argument("--rank", type=int, default=RANK)
    options = parser.parse_args()
    torch.manual_seed(0)
    own = [pair for pair in pairs_of(options.data) if not (options.check and pair.source % FOLDS == 0)]
    pairs = own + (more_of(options.more) if options.more else [])
    english = embedded([pair.english for pair in pairs], options.cache)
    said = [terms(pair.korean) for pair in pairs]
    vocabulary = vocabulary_of(said[: len(own)], said[len(own) :], options.pieces)
    kept = [at for at, some in enumerate(said) if some]
    first = sum(at < len(own) for at in kept)
    taught = Taught([vocabulary.bag(said[at]) for at in kept], english[kept], first, passages_of(own, vocabulary))
    rows, middle = trained(vocabulary, taught)
    table = reduced(vocabulary, rows, middle, options.rank)
    if options.out or not options.check:
        save_file(table.tensors(), options.out or TARGET)
    print(json.dumps({"pairs": first, "more": len(kept) - first, "morphemes": len(vocabulary.keys), **size_of(table)}))
    if options.check:
        print(json.dumps(checked(table_of(table.tensors()), options.data, options.cache)))


def pairs_of(data: Path) -> list[Pair]:
    """Return what stands in both languages: passages, their sentences where they correspond, sentences."""
    passages = []
    for place, korean, english in _aligned(data / "retrieval"):
        passages += [Pair(place, one, other) for one, other in with_sentences(korean, english) if _alike(one, other)]
    sentences = [
        Pair(place, korean[side], english[side])
        for place, (korean, english) in enumerate(_similar(data / "similarity", "train"))
        for side in ("a", "b")
    ]
    return passages + sentences


def more_of(file: Path) -> list[Pair]:
    """Return the pairs in a file of `benchmarks.parallel_texts`: none of them is held out."""
    return [Pair(-1, row["ko"], row["en"]) for row in _lines(file)]


def passages_of(pairs: Sequence[Pair], vocabulary: Vocabulary) -> list[list[Bag]]:
    """Return the Korean texts of LEAST_SENTENCES and more, by their sentences."""
    parts = [[pair.korean[one.start : one.end] for one in split(pair.korean)] for pair in pairs]
    said = [[bag for part in some if (bag := vocabulary.bag(terms(part))).rows] for some in parts if len(some) >= LEAST_SENTENCES]
    return [some for some in said if len(some) >= LEAST_SENTENCES]


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
    settings = Settings(models=ModelSettings(choose={EMBED.name: "embed.minilm.v1"}))
    pool = Pool(Catalogue(settings), settings)
    try:
        return np.stack(await pool.run(EMBED, texts, bulk=True))
    finally:
        await pool.close()


def vocabulary_of(said: Sequence[Sequence[str]], more: Sequence[Sequence[str]], pieces: int) -> Vocabulary:
    """Return the morphemes that have a row of their own, most frequent first; how rare they are, mostly by what people have `said`."""
    counts, others = (Counter(term for some in texts for term in set(some)) for texts in (said, more))
    size = len(said) + COUNTED * len(more)
    rarity = {}
    for term in counts | others:
        if counts[term] + others[term] >= LEAST_TEXTS:
            share = (counts[term] + COUNTED * others[term]) / size
            rarity[term] = math.log(1 + len(said) / (1 + share * len(said)))
    frequent = sorted(rarity, key=lambda term: (rarity[term], term))
    keys = np.array([key_of(term) for term in frequent], np.uint32)
    numbers = np.array([rarity[term] for term in frequent], np.float32)
    return Vocabulary(keys, numbers, unknown=math.log(1 + len(said)), pieces=pieces)


def trained(vocabulary: Vocabulary, taught: Taught) -> tuple[Rows, Rows]:
    """Return the rows, float32 (words + pieces, 384), and the middle, float32 (384,)."""
    truth = torch.from_numpy(taught.english)
    mean = truth[: taught.own].mean(dim=0)
    rows = torch.nn.EmbeddingBag(len(vocabulary.keys) + vocabulary.pieces, DIMENSION, mode="sum", sparse=True)
    with torch.no_grad():
        rows.weight.copy_(_begun(taught.bags, truth - mean, len(rows.weight)))
    middle = torch.nn.Parameter(mean.clone())
    for_rows, for_middle = torch.optim.SparseAdam([rows.weight], lr=2e-3), torch.optim.Adam([middle], lr=1e-3)
    chance = np.random.default_rng(0)
    mixed = len(taught.bags) > taught.own
    for epoch in range((MIXED_EPOCHS if mixed else 0) + EPOCHS):
        alone = not mixed or epoch >= MIXED_EPOCHS
        order = chance.permutation(taught.own if alone else len(taught.bags))
        lost = 0.0
        for number, start in enumerate(range(0, len(order), BATCH)):
            picked = order[start : start + BATCH]
            loss = _loss(_vectors(rows, middle, [_thinned(taught.bags[at], chance) for at in picked]), truth[picked])
            if taught.passages and (alone or number % WITHIN_EVERY == 0):
                loss = loss + WITHIN * _within(rows, middle, taught.passages, chance)
            for_rows.zero_grad()
            for_middle.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch
            for_rows.step()
            for_middle.step()
            lost += loss.item()
        print(f"epoch {epoch + 1}: loss {lost * BATCH / len(order):.3f} a batch", flush=True)
    return rows.weight.detach().numpy(), middle.detach().numpy()


def _within(
    rows: torch.nn.EmbeddingBag, middle: torch.Tensor, passages: Sequence[Sequence[Bag]], chance: np.random.Generator
) -> torch.Tensor:
    """Return how badly sentences find the rest of their passages, and these them. Source: Lee et al., inverse cloze task."""
    sentences, rests = [], []
    for place in chance.choice(len(passages), min(WITHIN_BATCH, len(passages)), replace=False):
        passage = passages[place]
        taken = int(chance.integers(len(passage)))
        rest = [bag for at, bag in enumerate(passage) if at != taken]
        sentences.append(_thinned(passage[taken], chance))
        rests.append(Bag(tuple(row for bag in rest for row in bag.rows), tuple(weight for bag in rest for weight in bag.weights)))
    return _compared(_vectors(rows, middle, sentences) @ _vectors(rows, middle, rests).T)


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
    return _compared(near) + NEARNESS * (1 - near.diagonal()).mean()


def _compared(near: torch.Tensor) -> torch.Tensor:
    """Return how badly each row finds its own column among all, and each column its row."""
    places = torch.arange(len(near))
    compared = torch.nn.functional.cross_entropy
    return compared(near * SHARPNESS, places) + compared(near.T * SHARPNESS, places)


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


class Embedding(Protocol):
    """What makes vectors of Korean texts."""

    def vectors(self, texts: Sequence[str], /) -> Rows:
        """Return float32 (n, 384), unit rows."""
        ...


def checked(table: Embedding, data: Path, cache: Path) -> dict[str, float]:
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
        "korquad_ndcg@10": among_own(table, data / "retrieval" / UNSEEN),
    }


def among_own(table: Embedding, folder: Path) -> float:
    """Return nDCG@10 of the first MOST_ASKED Korean questions over the Korean passages of a collection in `folder`."""
    passages, questions = (_lines(folder / name) for name in ("corpus.jsonl", "queries.jsonl"))
    answers = _answers(folder)
    held = table.vectors([f"{row.get('title', '')} {row['text']}" for row in passages])
    near = table.vectors([row["text"] for row in questions[:MOST_ASKED]]) @ held.T
    figures = []
    for row, cosines in zip(questions, near, strict=False):
        best = [passages[at]["_id"] for at in np.argsort(-cosines)[:10]]
        figures.append(ndcg(best, dict.fromkeys(answers[row["_id"]], 1)))
    return round(float(np.mean(figures)), 3)


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
