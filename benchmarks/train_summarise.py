"""Find the weights of summarise.extract.v1 from texts and their summaries, and say what they reach.

    python benchmarks/train_summarise.py SET.jsonl [SET.jsonl ...] --write

Each file holds JSON lines with id, text and summaries. Every set weighs the same. Beside the weights of all sets together it prints
what is reached on a set that was left out, and on fifths that were, with vectors and without, and LexRank and lead. The vectors are
kept beside the file given by --cache, as they take the most time. Only the weights are written, never a text.
"""

from __future__ import annotations

import argparse
import copy
import json
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rouge_score.rouge_scorer import RougeScorer

from bot.models.prepare import prepared_minilm
from bot.models.runtimes import minilm
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.tasks import SummaryInput
from bot.text.words import terms
from skills.summarise import evidence, model, weights
from skills.summarise.choose import write

Numbers = NDArray[np.float64]
Fitted = tuple[tuple[float, ...], tuple[float, ...]]

RIDGE_WORDS = 1e-4
RIDGE_SENTENCES = 3e-3
SPEC = ModelSpec("summarise.extract.v1", "summarise", "summarise-extract", "builtin")
SCORER = RougeScorer(["rouge1"], use_stemmer=True)
FOLDS = 5
KNOWN = ("meaning", "words")


class Set:
    """The texts of one file, with what is seen in them and what their summaries say."""

    def __init__(self, file: Path, embedder: minilm.MiniLM, cache: Path) -> None:
        records = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
        self.name = file.stem
        self.summaries = [list(record["summaries"]) for record in records]
        self.items = [SummaryInput.of(record["text"], language="en", length="short") for record in records]
        self.items = list(_with_vectors(self.items, embedder, cache / f"{file.stem}.npy"))
        self.seen = {
            "meaning": [evidence.observe(item) for item in self.items],
            "words": [evidence.observe(replace(item, vectors=None)) for item in self.items],
        }
        self.in_summary = [self._in_summary(index) for index in range(len(self.items))]
        self.alone = [self._alone(index) for index in range(len(self.items))]

    def _in_summary(self, index: int) -> Numbers:
        """The share of the text's summaries that hold each word of its vocabulary."""
        told = [set(terms(summary)) for summary in self.summaries[index]]
        return np.array([np.mean([word in words for words in told]) for word in self.seen["words"][index].vocabulary])

    def _alone(self, index: int) -> Numbers:
        """ROUGE-1 of each sentence as the whole summary."""
        item = self.items[index]
        return np.array([score(write(item, [place]), self.summaries[index]) for place in range(len(item.sentences))])

    def part(self, fold: int, *, inside: bool) -> Set:
        """The set without one of FOLDS folds, or that fold alone."""
        other = copy.copy(self)
        keep = [index for index in range(len(self.items)) if (index % FOLDS == fold) == inside]
        for name in ("summaries", "items", "in_summary", "alone"):
            setattr(other, name, [getattr(self, name)[index] for index in keep])
        other.seen = {known: [self.seen[known][index] for index in keep] for known in KNOWN}
        return other


def _with_vectors(items: Sequence[SummaryInput], embedder: minilm.MiniLM, file: Path) -> Iterable[SummaryInput]:
    flat = [sentence for item in items for sentence in item.sentences]
    rows = np.load(file) if file.is_file() else np.zeros((0, 0), np.float32)
    if len(rows) != len(flat):
        rows = np.stack(embedder.predict(flat))
        np.save(file, rows)
    start = 0
    for item in items:
        yield replace(item, vectors=rows[start : start + len(item.sentences)])
        start += len(item.sentences)


def score(summary: str, references: Sequence[str]) -> float:
    """ROUGE-1 F1, 0..1, the best of the references."""
    return max(float(SCORER.score(reference, summary)["rouge1"].fmeasure) for reference in references)


def fit(sets: Sequence[Set], known: str) -> Fitted:
    """The weights of words and of sentences; every set weighs the same."""
    words = [(np.concatenate([seen.words for seen in one.seen[known]]), np.concatenate(one.in_summary)) for one in sets]
    sentences = [
        (
            np.concatenate([seen.sentences - seen.sentences.mean(axis=0) for seen in one.seen[known]]),
            np.concatenate([alone - alone.mean() for alone in one.alone]),
        )
        for one in sets
    ]
    return tuple(_logistic(words).tolist()), tuple(_linear(sentences).tolist())


def _logistic(data: Sequence[tuple[Numbers, Numbers]]) -> Numbers:
    """Newton's method on the mean log-loss of each set."""
    found = np.zeros(data[0][0].shape[1])
    for _step in range(30):
        slope, bend = RIDGE_WORDS * found, RIDGE_WORDS * np.eye(len(found))
        for rows, truth in data:
            chance = 1 / (1 + np.exp(-rows @ found))
            slope = slope + rows.T @ (chance - truth) / len(rows)
            bend = bend + (rows * (chance * (1 - chance))[:, None]).T @ rows / len(rows)
        found = found - np.linalg.solve(bend, slope)
    return found


def _linear(data: Sequence[tuple[Numbers, Numbers]]) -> Numbers:
    size = data[0][0].shape[1]
    bend = RIDGE_SENTENCES * np.eye(size) + sum(rows.T @ rows / len(rows) for rows, _truth in data)
    return np.asarray(np.linalg.solve(bend, sum(rows.T @ truth / len(rows) for rows, truth in data)))


def reached(one: Set, fitted: Fitted | None, known: str, load: object = model.load_extract) -> float:
    """Mean ROUGE-1 F1 in percent of short summaries, by the weights in force or those given."""
    if fitted:
        weights.WORDS[known], weights.SENTENCES[known] = fitted
    picker = load(SPEC, Path(), LoadOptions())  # type: ignore[operator]
    items = one.items if known == "meaning" else [replace(item, vectors=None) for item in one.items]
    made = picker.predict(items)
    return 100 * float(np.mean([score(summary.text, truth) for summary, truth in zip(made, one.summaries, strict=True)]))


def main() -> None:
    """Measure, and write where it is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="+", type=Path)
    parser.add_argument("--cache", type=Path, default=Path("build"))
    parser.add_argument("--write", action="store_true", help="write skills/summarise/weights.py")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    embedder = minilm.load(SPEC, prepared_minilm(options.cache), LoadOptions())
    sets = [Set(file, embedder, options.cache) for file in options.sets]
    for one in sets:
        lead, rank = (reached(one, None, "words", load) for load in (model.load_lead, model.load_lexrank))
        print(f"{one.name}: lead {lead:.2f}, LexRank {rank:.2f}")
        for known in KNOWN:
            others = [other for other in sets if other is not one] or sets
            left_out = reached(one, fit(others, known), known)
            folds = np.mean([_fold(sets, one, fold, known) for fold in range(FOLDS)])
            nothing = reached(one, fit(sets, known), known)
            print(f"  {known}: this set left out {left_out:.2f}, a fifth of each left out {folds:.2f}, nothing {nothing:.2f}")
    fitted = {known: fit(sets, known) for known in KNOWN}
    if options.write:
        write_weights({known: fitted[known][0] for known in KNOWN}, {known: fitted[known][1] for known in KNOWN})


def _fold(sets: Sequence[Set], one: Set, fold: int, known: str) -> float:
    return reached(one.part(fold, inside=True), fit([other.part(fold, inside=False) for other in sets], known), known)


def write_weights(words: dict[str, tuple[float, ...]], sentences: dict[str, tuple[float, ...]]) -> None:
    """Put the numbers into skills/summarise/weights.py."""
    file = Path(weights.__file__)
    text = file.read_text(encoding="utf-8")
    for name, table in (("WORDS", words), ("SENTENCES", sentences)):
        rows = "".join(f'    "{known}": ({", ".join(f"{weight:.3f}" for weight in row)}),\n' for known, row in table.items())
        text = re.sub(
            rf"(?s)({name}: Final.*?= {{\n).*?(\n}})",
            lambda found, rows=rows: f"{found[1]}{rows.rstrip()}{found[2]}",
            text,
            count=1,
        )
    file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
