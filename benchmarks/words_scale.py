"""The words leg at size: how quick, and how much of exact BM25's best it finds.

    python -m benchmarks.words_scale --data DIR --library FOLDER/1000000.db [--questions 40] [--json]

The database comes from `python -m benchmarks.made_library`. Questions are those of DIR/retrieval in Korean and English, of 5 to 12
words as they are, and two or three of their words; none is asked twice. Readers may read everything, one group (about one passage in
a hundred) or one chat (one in ten thousand). `first ms` is of the first questions of a new process, `p50` and `p95` of
those after. `recall` is the share of the first ten and forty whose score is that of the exact ones: BM25 with every term over every
passage that holds one of the query's telling words, nothing pruned.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, median, quantiles
from unittest import mock

import numpy as np

from benchmarks.made_library import CHAT, GROUPS
from bot.passage import PUBLIC, Scopes
from bot.retrieval import lexical
from bot.retrieval.forward import PACKED_COUNTS, Forward
from bot.retrieval.lexical import Readable, Words
from bot.store.shelf import Shelf, State
from bot.text.words import content_terms

SEED = 5
SHORTEST, LONGEST = 5, 12
"""Words of a natural question."""
READERS = {"100 %": Scopes([CHAT, *GROUPS, PUBLIC]), "1 %": Scopes([GROUPS[7]]), "0.01 %": Scopes([CHAT])}
KINDS = ("ko natural", "ko keyword", "en natural", "en keyword")
ALL = 10**9


@dataclass(frozen=True, slots=True)
class Figures:
    """What one kind of question took for one kind of reader: milliseconds, and recall of the exact ten and forty, 0..1."""

    passages: int
    reader: str
    questions: str
    first_ms: float
    p50_ms: float
    p95_ms: float
    recall_at_10: float
    recall_at_40: float


class Leg:
    """The words leg of one database, as `bot.retrieval.search.Finder` asks it."""

    def __init__(self, file: Path) -> None:
        """Open it."""
        self.shelf = Shelf(file)
        self.words = Words()
        with self.shelf.state() as state:
            self.mark = state.mark()
            self.passages = state.counts()[1]
            sample = np.linspace(1, self.mark.passage, 2000).astype(np.int64)
            rows = state.terms_in(np.unique(sample), range(1, state.all_scopes() + 1))
        self.mean_length = fmean(len(terms) / 4 - PACKED_COUNTS for _id, _scope, terms in rows)

    def ask(self, text: str, scopes: Scopes, count: int = 40) -> tuple[list[int], float]:
        """Return what the leg finds, and its milliseconds."""
        begun = time.perf_counter()
        with self.shelf.state() as state:
            found = self._found(state, text, scopes, count)
            state.candidates(sorted(found), state.scope_ids(scopes))
        return found, (time.perf_counter() - begun) * 1000

    def exact(self, text: str, scopes: Scopes) -> list[int]:
        """Return the first forty of the reader's among all that are found where nothing is pruned and everything may be read."""
        every = {"BUDGET": ALL, "READ_AT_ONCE": ALL, "READ_MOST": ALL}
        with mock.patch.multiple(lexical, **every), self.shelf.state() as state:
            found = self._found(state, text, READERS["100 %"], ALL)
            mine = set(state.readable(state.scope_ids(scopes)).tolist())
        return [number for number in found if number in mine][:40]

    def scores(self, text: str, ids: Sequence[int], scopes: Scopes) -> list[float]:
        """Return the scores of `ids`, best first."""
        with self.shelf.state() as state:
            query, _frequencies = self.words.weigh(state, text, passages=self.passages)
            numbers = state.scope_ids(scopes)
            forward = Forward()
            forward.follow(self.mark, lambda after: state.removed(after=after))
            _ids, tokens = forward.tokens(
                np.array(sorted(ids), np.int64), numbers, lambda missing: state.terms_in(missing, numbers)
            )
        return sorted(lexical.scored(tokens, query, mean_length=self.mean_length).tolist(), reverse=True)

    def _found(self, state: State, text: str, scopes: Scopes, count: int) -> list[int]:
        numbers = tuple(state.scope_ids(scopes))
        readable = Readable(numbers, len(numbers) == state.all_scopes())
        query, frequencies = self.words.weigh(state, text, passages=self.passages)
        return self.words.search(state, query, frequencies, readable, mark=self.mark, mean_length=self.mean_length, count=count)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--library", type=Path, required=True)
    parser.add_argument("--questions", type=int, default=40)
    parser.add_argument("--no-recall", action="store_true", help="Measure time alone.")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    asked = questions(options.data, options.questions)
    figures = measured(options.library, asked, recall=not options.no_recall)
    print(json.dumps([asdict(one) for one in figures]) if options.json else table(figures))


def measured(file: Path, asked: dict[str, list[str]], *, recall: bool = True) -> list[Figures]:
    """Ask every reader's questions of a new process's leg: a third of them first, then the rest by turns."""
    figures = []
    for reader, scopes in READERS.items():
        leg = Leg(file)
        spent: dict[str, list[float]] = {kind: [] for kind in KINDS}
        for turn in zip(*(asked[kind] for kind in KINDS), strict=True):
            for kind, text in zip(KINDS, turn, strict=True):
                spent[kind].append(leg.ask(text, scopes)[1])
        for kind in KINDS:
            new = len(spent[kind]) // 3
            first, after = spent[kind][:new], spent[kind][new:]
            ten, forty = recalls(leg, asked[kind], scopes) if recall else (float("nan"), float("nan"))
            p95 = quantiles(after, n=20, method="inclusive")[18]
            figures.append(Figures(leg.passages, reader, kind, median(first), median(after), p95, ten, forty))
        leg.shelf.close()
    return figures


def recalls(leg: Leg, asked: Sequence[str], scopes: Scopes) -> tuple[float, float]:
    """Return the mean share of the exact ten and forty whose score what is found reaches."""
    shares: dict[int, list[float]] = {10: [], 40: []}
    for text in asked:
        exact = leg.scores(text, leg.exact(text, scopes), scopes)
        found = leg.scores(text, leg.ask(text, scopes)[0], scopes)
        for depth, of in shares.items():
            if exact:
                least = exact[:depth][-1] - 1e-4
                of.append(sum(score >= least for score in found[:depth]) / min(depth, len(exact)))
    return fmean(shares[10] or [1.0]), fmean(shares[40] or [1.0])


def questions(data: Path, count: int) -> dict[str, list[str]]:
    """Return `count` questions of each kind, none of them twice."""
    chance = random.Random(SEED)  # noqa: S311 - the same questions on every run
    asked: dict[str, list[str]] = {}
    for language in ("ko", "en"):
        files = [file for file in sorted((data / "retrieval").glob("*/queries.jsonl")) if file.parent.name.endswith(language)]
        texts = {json.loads(line)["text"] for file in files for line in file.read_text(encoding="utf-8").splitlines() if line}
        fit = sorted(text for text in texts if SHORTEST <= len(text.split()) <= LONGEST)
        chosen = chance.sample(fit, 2 * count)
        asked[f"{language} natural"] = chosen[:count]
        asked[f"{language} keyword"] = [_keywords(text, chance) for text in chosen[count:]]
    return asked


def _keywords(text: str, chance: random.Random) -> str:
    words = [word for word in dict.fromkeys(text.split()) if content_terms(word)]
    return " ".join(chance.sample(words, min(len(words), chance.randint(2, 3))))


def table(figures: Sequence[Figures]) -> str:
    """Return the figures as a table in Markdown."""
    rows = ["| passages | reader of | questions | first ms | p50 ms | p95 ms | recall@10 | recall@40 |", "|" + " --- |" * 8]
    rows += [
        f"| {one.passages} | {one.reader} | {one.questions} | {one.first_ms:.1f} | {one.p50_ms:.1f} | {one.p95_ms:.1f}"
        f" | {one.recall_at_10:.3f} | {one.recall_at_40:.3f} |"
        for one in figures
    ]
    return "\n".join(rows)


if __name__ == "__main__":
    main()
