"""The measures of the gates and of `paring eval`: each takes an answer and what is right, and returns 0..1, higher is better.

rouge("The dam broke.", ["The dam broke at noon."])["rouge1"]
character_accuracy("helo", "hello")             # 0.8
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Final

from bot.language import detect
from bot.text.words import terms

if TYPE_CHECKING:
    from rouge_score.rouge_scorer import RougeScorer

ROUGES: Final = ("rouge1", "rouge2", "rougeL")
CHRF_ORDER: Final = 6
CHRF_BETA: Final = 2.0


def ndcg(ranking: Sequence[str], gains: Mapping[str, int], *, depth: int = 10) -> float:
    """Return the normalised discounted cumulative gain, 0..1.

    Source: Järvelin and Kekäläinen (2002) as trec_eval and pytrec_eval compute `ndcg_cut`: linear gains over log2(rank + 1).
    """
    gained = sum(gains.get(document, 0) / math.log2(place + 2) for place, document in enumerate(ranking[:depth]))
    ideal = sorted(gains.values(), reverse=True)[:depth]
    return gained / sum(gain / math.log2(place + 2) for place, gain in enumerate(ideal))


def rouge(made: str, references: Sequence[str]) -> Mapping[str, float]:
    """Return F1 by the name of the measure, 0..1, against the best of the references: English words stemmed, Korean as morphemes."""
    scores = [_scorer(detect(reference) == "ko").score(reference, made) for reference in references]
    return {name: max(float(score[name].fmeasure) for score in scores) for name in ROUGES}


def character_accuracy(read: str, truth: str) -> float:
    """Return 1 - edit distance / length of `truth`, at least 0; spaces and line ends count as one space."""
    return max(0.0, 1.0 - distance(" ".join(read.split()), truth := " ".join(truth.split())) / max(1, len(truth)))


def distance(one: Sequence[object], other: Sequence[object]) -> int:
    """Return the least number of insertions, deletions and replacements that make one the other. Source: Levenshtein (1966)."""
    costs = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        before, costs[0] = costs[0], row
        for column, wanted in enumerate(other, 1):
            before, costs[column] = costs[column], min(costs[column] + 1, costs[column - 1] + 1, before + (letter != wanted))
    return costs[-1]


def chrf(made: str, references: Sequence[str]) -> float:
    """Return chrF2, 0..1, against the best of the references: n-grams of 1 to 6 characters without white space, recall weighed twice.

    Source: Popović (2015), as sacreBLEU 2 computes a sentence's: orders that neither text is long enough for are left out.
    """
    return max((_chrf(made, reference) for reference in references), default=0.0)


def _chrf(made: str, reference: str) -> float:
    precision = recall = 0.0
    orders = 0
    for order in range(1, CHRF_ORDER + 1):
        said, wanted = _grams(made, order), _grams(reference, order)
        if said and wanted:
            hits = (said & wanted).total()
            precision += hits / said.total()
            recall += hits / wanted.total()
            orders += 1
    if not precision + recall:
        return 0.0
    precision, recall, weight = precision / orders, recall / orders, CHRF_BETA**2
    return (1 + weight) * precision * recall / (weight * precision + recall)


def _grams(text: str, order: int) -> Counter[str]:
    bare = "".join(text.split())
    return Counter(bare[start : start + order] for start in range(len(bare) - order + 1))


class _Morphemes:
    """rouge-score's tokenizer for Korean."""

    def tokenize(self, text: str) -> list[str]:
        return terms(text)


@cache
def _scorer(korean: bool) -> RougeScorer:  # noqa: FBT001 - a cache's key
    from rouge_score.rouge_scorer import RougeScorer  # noqa: PLC0415 - brings nltk; an evaluation alone needs it

    return RougeScorer(list(ROUGES), tokenizer=_Morphemes()) if korean else RougeScorer(list(ROUGES), use_stemmer=True)
