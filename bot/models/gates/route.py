"""The gate of the routers: lines that people type and that no head was trained on, each with the skill that they are for.

Owns: golden/route.jsonl (twelve lines a label and language, every seventh or so of tests/data/route_heldout.jsonl). The score of a line is
1 where the decision (`bot.models.heads.decision`) is right; where a person would be asked, the best guess counts, as in `paring eval route`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final, cast

import numpy as np

from bot.locale import Language, Text, phrases
from bot.models.gates.golden import Case, read_cases, shown, wanted
from bot.models.heads.decision import decide
from bot.models.heads.features import embeddable
from bot.models.tasks import ROUTE, RouteInput, RouteScores, Vector
from bot.models.trial import Embed, Predict, Scored

_ = phrases(__file__)

FILE: Final = Path(__file__).parent / "golden" / "route.jsonl"
CANARIES: Final[tuple[tuple[str, Language], ...]] = (
    ("where is the travel policy?", "en"), ("이거 세 줄로 요약해 줘", "ko"), ("", "en"), ("?", "ko"), ("so " * 2000, "en"),
)  # fmt: skip
NO_VECTOR: Final[Vector] = np.zeros(0, np.float32)
OFF_BY: Final = 1e-3


class RouteGate:
    """Tries models of the slot `route`."""

    slot = ROUTE
    metric = "accuracy"
    tolerance = 0.02
    wants_vectors = True

    def canaries(self) -> Sequence[RouteInput]:
        """Return texts in both languages, nothing, a sign, and a long text; without vectors, as where the embedder is another's."""
        return [RouteInput(text, language, NO_VECTOR) for text, language in CANARIES]

    def fault(self, inputs: Sequence[RouteInput], outputs: Sequence[RouteScores], _languages: Sequence[str]) -> Text | None:
        """Say what is wrong with the probabilities: none, not finite, not in order, or another sum than 1."""
        for _item, scores in zip(inputs, outputs, strict=True):
            chances = [chance for _label, chance in scores.ranked]
            if not chances or not all(math.isfinite(chance) and 0 <= chance <= 1 for chance in chances):
                return _("It gave no probabilities for a text.")
            if abs(sum(chances) - 1) > OFF_BY or chances != sorted(chances, reverse=True):
                return _("The probabilities that it gave for a text do not sum to 1, or are out of order.")
        return None

    def count(self, languages: Sequence[str]) -> int:
        """Return how many lines are routed."""
        return len(golden(languages))

    def evaluate(self, predict: Predict[RouteInput, RouteScores], embed: Embed, languages: Sequence[str]) -> list[Scored]:
        """Route each golden line; 1 where it is for the right skill, or rightly for none."""
        cases = golden(languages)
        vectors = embed([embeddable(str(case["text"])) for case in cases])
        embedder = str(getattr(embed, "identity", ""))
        asked = [
            RouteInput(str(case["text"]), _language(case), vector, embedder) for case, vector in zip(cases, vectors, strict=True)
        ]
        return [_scored(number, case, scores) for number, (case, scores) in enumerate(zip(cases, predict(asked), strict=True))]


def golden(languages: Sequence[str]) -> list[Case]:
    """Return the golden lines in those of our languages that a model knows."""
    return [case for case in read_cases(FILE) if case["language"] in wanted(languages)]


def _language(case: Case) -> Language:
    return cast("Language", case["language"])


def _scored(number: int, case: Case, scores: RouteScores) -> Scored:
    decision, label = decide(scores), str(case["label"])
    name = f"{case['language']}-{label}-{number}"
    right = float(decision.skill == label)
    return Scored(name, _language(case), right, shown(f"{case['text']} ({label})"), f"{decision.skill} {decision.score:.2f}")
