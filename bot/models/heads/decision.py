"""What is done with a message, by the probabilities of a head: a skill answers, a person is asked, or nobody serves.

decide(RouteScores((("search", 0.9), ("none", 0.1)))).action          # "answer"
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from bot.models.heads.utterances import NONE
from bot.models.tasks import RouteScores

Action = Literal["answer", "ask", "none"]
NOBODY: Final = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done with a message. Scores are calibrated probabilities, 0..1.

    Where `action` is none, `skill` is "none", and `runner_up` the skill that came nearest; where it is ask, the two are close.
    """

    skill: str
    score: float
    runner_up: str
    runner_up_score: float
    action: Action
    because: tuple[str, ...] = ()
    """Pieces of the text that weighed most, strongest first."""


def decide(scores: RouteScores) -> Decision:
    """Return the decision that calibrated `scores` and their language's limits make. Pure."""
    by_label = dict(scores.ranked)
    none = by_label.pop(NONE, 0.0)
    ranked = [*by_label.items(), (NOBODY, 0.0), (NOBODY, 0.0)]
    (best, score), (second, second_score) = ranked[:2]
    if none > score or score < scores.none_below or best == NOBODY:
        return Decision(NONE, none, best, score, "none", scores.because)
    action: Action = "ask" if second and score - second_score < scores.ask_within else "answer"
    return Decision(best, score, second, second_score, action, scores.because)
