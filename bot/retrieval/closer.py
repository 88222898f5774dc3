"""A second look, where the first cannot tell: how near the sentences around the marked one come to the question in meaning.

Owns which sentences are looked at, and the numbers. Leaves to `bot.retrieval.fuse` when a second look is worth its time and how
it is weighed, to `bot.retrieval.library` the embedder.

    looked_at = around(3, 1)                                              # range(0, 3)
    closeness(vectors_of_those, 1, question_vector, passage=0.41)

Another passage of the same article shares the question's words; a sentence's own vector says more of what it tells than that
of the passage, which is of all its sentences at once. Where question and passage are of two languages, no word has marked a
sentence: the passage's sentences are looked at from its beginning, and the nearest is the one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bot.retrieval.products import products

Array = NDArray[np.float32]

CLOSENESS = ("marked", "nearest", "mean", "second", "marked_is_nearest", "ahead_of_passage")
"""The numbers of `closeness`, in order."""
AROUND = 2
"""Sentences on each side of the marked one that are looked at; all of a passage's are no better."""
MOST = 8
"""Sentences that are looked at where none is marked."""


def around(count: int, marked: int | None) -> range:
    """Return which of `count` sentences are looked at, where the one at `marked` is."""
    return range(min(count, MOST)) if marked is None else range(max(0, marked - AROUND), min(count, marked + AROUND + 1))


def closeness(vectors: Array, place: int | None, question: Array, *, passage: float) -> Array:
    """Return float32 (len(CLOSENESS),): the cosines of sentences to a question.

    Args:
        vectors: float32 (n, d), unit rows, those of the sentences.
        place: which of them is the marked one; None for the nearest.
        question: float32 (d,), its unit vector.
        passage: the cosine of the whole passage.
    """
    cosines = products(vectors, question)
    ordered = np.sort(cosines)[::-1]
    nearest = float(ordered[0])
    marked = nearest if place is None else float(cosines[place])
    second = float(ordered[min(1, len(ordered) - 1)])
    numbers = [marked, nearest, float(cosines.mean()), second, float(marked == nearest), nearest - passage]
    return np.array(numbers, np.float32)
