"""The gate of the embedders: questions that share few words with their passages, ranked among passages on neighbouring subjects.

Owns: golden/embed.jsonl (our own texts; each passage is the one answer to its question) and its measure, nDCG@10 by language. Leaves to
`bot.evaluate.search` collections of one's own, through the whole search.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from bot.locale import Text, phrases
from bot.models.gates.golden import read_cases, shown, wanted
from bot.models.gates.measures import ndcg
from bot.models.tasks import EMBED, Vector
from bot.models.trial import Embed, Predict, Scored

_ = phrases(__file__)

FILE: Final = Path(__file__).parent / "golden" / "embed.jsonl"
CANARIES: Final = ("Where is the plan?", "계획서는 어디에 있어요?", "a", "", "줄\n바꿈\t과 emoji 🙂", "long " * 2000)
LENGTH_MAY_BE_OFF: Final = 0.01
ALIKE: Final = 0.9999
"""Cosine from which on two different questions are one vector."""


class EmbedGate:
    """Tries models of the slot `embed`."""

    slot = EMBED
    metric = "nDCG@10"
    tolerance = 0.02

    def canaries(self) -> Sequence[str]:
        """Return texts in both languages, a letter, nothing, signs, and a text longer than any window."""
        return CANARIES

    def fault(self, inputs: Sequence[str], outputs: Sequence[Vector], languages: Sequence[str]) -> Text | None:
        """Say what is wrong with the vectors: shape, finiteness, length, or that different texts have one vector."""
        rows = [np.asarray(row) for row in outputs]
        if len({row.shape for row in rows}) != 1 or rows[0].ndim != 1 or not rows[0].size or rows[0].dtype.kind != "f":
            return _("Its vectors have not all one dimension.")
        if not all(np.isfinite(row).all() for row in rows):
            return _("A vector of it holds numbers that are none (NaN or infinite).")
        texts = [index for index, text in enumerate(inputs) if text.strip()]
        if any(abs(float(np.linalg.norm(rows[index])) - 1) > LENGTH_MAY_BE_OFF for index in texts):
            return _("Its vectors do not have length 1.")
        if "ko" in wanted(languages) and float(rows[1] @ rows[2]) > ALIKE:
            return _("It gives different texts one and the same vector.")
        return _("It gives different texts one and the same vector.") if float(rows[0] @ rows[2]) > ALIKE else None

    def count(self, languages: Sequence[str]) -> int:
        """Return how many texts are embedded."""
        return 2 * sum(case["language"] in wanted(languages) for case in read_cases(FILE))

    def evaluate(self, predict: Predict[str, Vector], _embed: Embed, languages: Sequence[str]) -> list[Scored]:
        """Rank the passages of each language for its questions; the score of one is the nDCG@10 of its ranking."""
        scored: list[Scored] = []
        for language in wanted(languages):
            cases = [case for case in read_cases(FILE) if case["language"] == language]
            passages = np.stack([np.asarray(row, np.float32) for row in predict([str(case["passage"]) for case in cases])])
            questions = np.stack([np.asarray(row, np.float32) for row in predict([str(case["question"]) for case in cases])])
            for index, (case, scores) in enumerate(zip(cases, questions @ passages.T, strict=True)):
                order = np.argsort(-scores, kind="stable")
                score = ndcg([str(place) for place in order], {str(index): 1})
                first = str(cases[int(order[0])]["passage"])
                scored.append(Scored(str(case["id"]), language, score, shown(str(case["question"])), shown(first)))
        return scored
