"""What a free message is for: the router's probabilities turned into a decision.

Owns: when a skill answers, when a person is asked, when nobody serves. Leaves the probabilities to the model in the slot
`route`, explicit commands and files to `bot.dispatch`.

    router = Router(pool)
    (vector,) = await pool.run(EMBED, [embeddable(text)])
    decision = await router.decide(text, "en", vector)
    decision.skill, decision.action          # ("search", "answer")
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

from bot.background import in_background
from bot.locale import Language
from bot.models.heads.build import Feedback, keep_feedback, prepared_head, stale
from bot.models.heads.features import embeddable
from bot.models.heads.utterances import NONE
from bot.models.tasks import EMBED, ROUTE, RouteInput, RouteScores, Vector
from bot.skill import Models

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.models.pool import Pool
    from bot.models.spec import ModelSpec

__all__ = ["NONE", "Action", "Decision", "Feedback", "Router", "decide", "embeddable", "relearn"]

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


class Router:
    """Asks the live head. One for the whole bot."""

    def __init__(self, models: Models) -> None:
        """Use the pool's model in the slot `route`."""
        self._models = models

    async def decide(self, text: str, language: Language, vector: Vector, *, embedder: str = "") -> Decision:
        """Return what `text` is for; `vector` is the embedding of `embeddable(text)`, by `embedder` (`name@revision`).

        Raises:
            ModelError: the head is missing or failed.
        """
        (scores,) = await self._models.run(ROUTE, [RouteInput(text, language, vector, embedder)])
        return decide(scores)

    async def decide_many(self, texts: Sequence[tuple[str, Language]]) -> list[Decision]:
        """Return what each text (with its language) is for, in order; what people wait for goes first. Raises as `decide`."""
        given = [embeddable(text) for text, _language in texts]
        embedder = self._models.live(EMBED)
        vectors = await self._models.run(EMBED.of(embedder), given, bulk=True)
        asked = [RouteInput(text, language, vector, embedder) for (text, language), vector in zip(texts, vectors, strict=True)]
        return [decide(scores) for scores in await self._models.run(ROUTE, asked, bulk=True)]


async def relearn(labels: Sequence[Feedback], pool: Pool, spec: ModelSpec, settings: Settings) -> bool:
    """Train the head `spec` anew where people's labels came in since; the old one answers meanwhile. Return whether it was.

    Nothing is done where another model is live in the slot. The training runs in a child process.

    Raises:
        ModelError: it could not be trained or loaded; the old one stays live.
    """
    if pool.live(ROUTE).partition("@")[0] != spec.name:
        return False
    await asyncio.to_thread(keep_feedback, settings.home, labels)
    if not labels or not await asyncio.to_thread(stale, settings, spec.name):
        return False
    await in_background(partial(prepared_head, settings, spec.name, newest=True))
    await pool.publish(ROUTE, spec)
    return True


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
