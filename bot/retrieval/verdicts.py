"""What a reader says of passages that it has read beside a question, as a search takes it.

Owns which passage then comes first, the numbers that the second look's judge is given, and which sentence is marked. Leaves the reading to
the slot `read` (`bot.models.tasks`), to `bot.retrieval.fuse` how the numbers are weighed.

    place = led(scores, verdicts, lead=0.2)
    numbers, span = read_numbers(first, verdicts, place), read_mark(first, verdicts[place])
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bot.models.tasks import Verdict

if TYPE_CHECKING:
    from bot.retrieval.judged import First

Array = NDArray[np.float32]

READING = ("odds", "of_others", "of_first", "marked", "ahead", "moved")
"""The numbers of `read_numbers`, in order."""
MARKED = {"ko": 3.0, "en": 1.0}
"""How far a reader's mark must be ahead of that of the sentence which words mark, to be taken instead: by the teams' libraries that the judges
are trained on, of which words mark more rightly in Korean, and the reader in English."""
NOTHING_ELSE = -10.0
"""The odds of others where none was read."""
MOST_AHEAD = 10.0
"""How far ahead a sentence is of none."""


def led(scores: Sequence[float], verdicts: Sequence[Verdict], lead: float) -> int:
    """Return which passage comes first once they are read: by its score, and `lead` times the odds that it answers."""
    return int(np.argmax([score + lead * verdict.odds for score, verdict in zip(scores, verdicts, strict=True)]))


def read_numbers(first: First, verdicts: Sequence[Verdict], place: int) -> Array:
    """Return float32 (len(READING),): what a reader says of the passage at `place`, and of those beside it."""
    said = verdicts[place]
    others = [one.odds for at, one in enumerate(verdicts) if at != place]
    marks = sorted(said.sentences, reverse=True) or [0.0]
    ahead = min(marks[0] - marks[1], MOST_AHEAD) if len(marks) > 1 else MOST_AHEAD
    marked = first.span in first.sentences and said.sentences[first.sentences.index(first.span)] == marks[0]
    numbers = [said.odds, max(others, default=NOTHING_ELSE), verdicts[0].odds, float(marked), ahead, float(place > 0)]
    return np.array(numbers, np.float32)


def read_mark(first: First, verdict: Verdict) -> tuple[int, int] | None:
    """Return the range of the sentence that answers: the reader's, where words have marked none, or one in English that is far behind."""
    if not verdict.sentences:
        return first.span
    best = int(np.argmax(verdict.sentences))
    if first.place is not None and first.span in first.sentences:
        marked = first.sentences.index(first.span)
        if verdict.sentences[best] - verdict.sentences[marked] < MARKED.get(first.spoken, 0.0):
            return first.span
    return first.sentences[best]
