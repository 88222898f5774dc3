"""LexRank: the sentences that the others are most alike to.

Owns: the continuous (weighted) LexRank of the paper, and the word vectors it stands on. Leaves to `skills.summarise.choose` how many
sentences are taken.

    scores = lexrank(cosines(word_rows(["한 문장이다.", "또 한 문장이다."])))
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Scores = NDArray[np.float64]

JUMP: Final = 0.15
"""Chance of a jump to any sentence. Source: Erkan & Radev 2004, JAIR 22, section 3.2: d in [0.1, 0.2]."""
TOLERANCE: Final = 1e-6
MOST_STEPS: Final = 200


def word_rows(bags: Sequence[Sequence[str]], *, smooth: bool = False) -> csr_matrix:
    """Return TF-IDF rows of unit length (zero for an empty bag), float64 (n, words); the bags are the collection.

    idf is log(N / n_w) (Erkan & Radev 2004, section 3), or log(1 + N / n_w) where `smooth`, which leaves words of every bag a weight.
    """
    from scipy.sparse import csr_matrix  # noqa: PLC0415 - a tenth of a second that a bot pays at its first summary

    among = Counter(word for bag in bags for word in set(bag))
    column = {word: number for number, word in enumerate(among)}
    data, columns, ends = [], [], [0]
    for bag in bags:
        counted = Counter(bag)
        weights = [times * math.log((1 if smooth else 0) + len(bags) / among[word]) for word, times in counted.items()]
        length = math.sqrt(sum(weight * weight for weight in weights)) or 1.0
        data += [weight / length for weight in weights]
        columns += [column[word] for word in counted]
        ends.append(len(columns))
    return csr_matrix((data, columns, ends), shape=(len(bags), max(1, len(column))), dtype=np.float64)


def cosines(rows: csr_matrix) -> Scores:
    """Return the cosines between all rows, float64 (n, n)."""
    return np.asarray((rows @ rows.T).toarray(), np.float64)


def lexrank(similar: Scores) -> Scores:
    """Return each sentence's score, float64 (n,), sum 1, from the cosines between them.

    Source: Erkan & Radev 2004, section 3.3: p(u) = d/N + (1 - d) * sum over v of w(u, v) / sum over z of w(z, v) * p(v),
    by the power method. A sentence that is like none, not even itself (no words that weigh), is like all of them alike.
    """
    count = len(similar)
    if not count:
        return np.zeros(0)
    totals = similar.sum(axis=1, keepdims=True)
    walk = np.where(totals > 0, similar / np.where(totals > 0, totals, 1.0), 1.0 / count)
    scores = np.full(count, 1.0 / count)
    for _step in range(MOST_STEPS):
        following = JUMP / count + (1 - JUMP) * (walk.T @ scores)
        moved = float(np.abs(following - scores).sum())
        scores = following
        if moved < TOLERANCE:
            break
    return scores
