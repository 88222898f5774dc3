"""How alike two models' answers to the same request are, 0..1, in the sense of what the slot makes.

agreement(Summary("a b c"), Summary("a b d"))      # ROUGE-1 F1 over words
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Hashable, Sequence
from difflib import SequenceMatcher
from typing import Final

import numpy as np

from bot.models.tasks import Caption, ChatOutput, Reading, RouteScores, Summary, Transcript, Verdict
from bot.text.words import terms

LONGEST: Final = 4000
"""Characters of a text that are compared letter by letter: the time grows with their square."""
THUMBNAIL: Final = (32, 32)


def agreement(old: object, new: object) -> float:
    """Return how alike two outputs are.

    Cosine of vectors, the same label of a route, the same verdict, ROUGE-1 of texts that tell, letters of texts that read.
    """
    if isinstance(old, np.ndarray) and isinstance(new, np.ndarray):
        return _cosine(old, new)
    if isinstance(old, RouteScores) and isinstance(new, RouteScores):
        return float(_label(old) == _label(new))
    if isinstance(old, Verdict) and isinstance(new, Verdict):
        return float(_answering(old) == _answering(new))
    if isinstance(old, Summary | Caption | ChatOutput) and isinstance(new, Summary | Caption | ChatOutput):
        return rouge_1(old.text, new.text)
    if isinstance(old, Reading | Transcript) and isinstance(new, Reading | Transcript):
        return letters(old.text, new.text)
    if isinstance(old, str) and isinstance(new, str):
        return letters(old, new)
    if isinstance(old, bytes) and isinstance(new, bytes):
        return _picture(old, new)
    return float(old == new)


def mean_agreement(old: Sequence[object], new: Sequence[object]) -> float:
    """Return the mean over a batch; 0 where the counts differ."""
    if len(old) != len(new) or not old:
        return 0.0
    return sum(map(agreement, old, new)) / len(old)


def rouge_1(one: str, other: str) -> float:
    """Return the F1 of the words that two texts share. Source: Lin (2004), ROUGE, section 2."""
    first: Counter[Hashable] = Counter(terms(one))
    second: Counter[Hashable] = Counter(terms(other))
    total = first.total() + second.total()
    return 2 * (first & second).total() / total if total else float(one.strip() == other.strip())


def letters(one: str, other: str) -> float:
    """Return the share of letters that stand in both in the same order."""
    first, second = ("".join(text.split())[:LONGEST] for text in (one, other))
    return SequenceMatcher(None, first, second, autojunk=False).ratio()


def _cosine(one: np.ndarray, other: np.ndarray) -> float:
    if one.shape != other.shape:
        return 0.0
    length = float(np.linalg.norm(one) * np.linalg.norm(other))
    return max(0.0, float(np.dot(one.ravel(), other.ravel()) / length)) if length else 0.0


def _label(scores: RouteScores) -> str:
    return scores.ranked[0][0] if scores.ranked else ""


def _answering(said: Verdict) -> int | None:
    """Return the place of the sentence that answers, -1 where it has none; None where the passage does not answer."""
    if said.odds <= 0:
        return None
    return said.sentences.index(max(said.sentences)) if said.sentences else -1


def _picture(one: bytes, other: bytes) -> float:
    """Return 1 less the mean difference of two pictures, looked at from far away."""
    from PIL import Image  # noqa: PLC0415 - only who draws needs it

    first, second = (
        np.asarray(Image.open(io.BytesIO(data)).convert("RGB").resize(THUMBNAIL), dtype=np.float32) / 255 for data in (one, other)
    )
    return float(1 - np.abs(first - second).mean())
