"""A second look, where the first cannot tell: how near the sentences around the marked one come to the question in meaning.

Owns which sentences are looked at, and the numbers. Leaves to `bot.retrieval.fuse` when a second look is worth its time and how
it is weighed, to `bot.retrieval.library` the embedder.

    said, place = around(["It is big.", "It opened in 2019.", "Pets may come."], 1)
    closeness(vectors_of_said, place, question_vector, passage=0.41)

Another passage of the same article shares the question's words; a sentence's own vector says more of what it tells than that
of the passage, which is of all its sentences at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

CLOSENESS = ("marked", "nearest", "mean", "second", "marked_is_nearest", "ahead_of_passage")
"""The numbers of `closeness`, in order."""
AROUND = 2
"""Sentences on each side of the marked one that are looked at; all of a passage's are no better."""


def around(said: Sequence[str], marked: int) -> tuple[tuple[str, ...], int]:
    """Return the sentences around `said[marked]` in their order, and which of them that one is."""
    first = max(0, marked - AROUND)
    return tuple(said[first : marked + AROUND + 1]), marked - first


def closeness(vectors: Array, place: int, question: Array, *, passage: float) -> Array:
    """Return float32 (len(CLOSENESS),): the cosines of sentences to a question.

    Args:
        vectors: float32 (n, d), unit rows, those of the sentences.
        place: which of them is the marked one.
        question: float32 (d,), its unit vector.
        passage: the cosine of the whole passage.
    """
    cosines = vectors @ question
    ordered = np.sort(cosines)[::-1]
    marked, nearest = float(cosines[place]), float(ordered[0])
    second = float(ordered[min(1, len(ordered) - 1)])
    numbers = [marked, nearest, float(cosines.mean()), second, float(marked == nearest), nearest - passage]
    return np.array(numbers, np.float32)
