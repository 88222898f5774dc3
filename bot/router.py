"""What a free message is for: the router's probabilities turned into a decision.

Owns: what is asked of which model, and learning anew. Leaves to `bot.models.heads.decision` when a skill answers, when a person is asked
and when nobody serves, the probabilities to the model in the slot `route`, explicit commands and files to `bot.dispatch`.

    router = Router(pool)
    (vector,) = await pool.run(EMBED, [embeddable(text)])
    decision = await router.decide(text, "en", vector)
    decision.skill, decision.action          # ("search", "answer")
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from bot.background import in_background
from bot.locale import Language
from bot.models.heads.build import Feedback, keep_feedback, prepared_head, stale
from bot.models.heads.decision import Action, Decision, decide
from bot.models.heads.features import embeddable
from bot.models.heads.utterances import NONE
from bot.models.tasks import EMBED, ROUTE, RouteInput, Vector
from bot.skill import Models

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.models.pool import Pool
    from bot.models.spec import ModelSpec

__all__ = ["NONE", "Action", "Decision", "Feedback", "Router", "decide", "embeddable", "relearn"]


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
