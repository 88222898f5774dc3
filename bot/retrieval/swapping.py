"""The embedder in a swap: its vectors are made first, and the answers of both are compared before. Implements `bot.models.trial.Publisher`.

Owns: what a report card says of it besides, and the change from the wish until it is live. Leaves the making and the change to
`bot.retrieval.changeover`, the comparing to `bot.retrieval.overlap`.

    publisher = EmbedderPublisher(library, database, pool)
    await publisher.notes(spec)                       # how many vectors, how long, how much the answers have in common
    await publisher.publish(spec, by="telegram:4711", tell=tell)

The wish is in the database: a process that ends in the midst of it goes on at the next start, by `Changeover.run`. Who stops it, or what
fails, takes the wish back, and the embedder before stays live. The way back is the same way: the vectors before are kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from bot.errors import ModelError, StoreError
from bot.locale import Text, phrases
from bot.retrieval.changeover import want_of_room
from bot.retrieval.overlap import compared
from bot.store.passages import Passages
from bot.store.questions import Questions

if TYPE_CHECKING:
    from bot.models.spec import ModelSpec
    from bot.models.trial import Tell
    from bot.retrieval.library import Shelves
    from bot.retrieval.standing import Held
    from bot.skill import Models
    from bot.store.database import Database

_ = phrases(__file__)

SEARCH: Final = "search"
"""The skill whose questions are compared by."""
WEEK: Final = timedelta(days=7)
MOST_QUESTIONS: Final = 200


class EmbedderPublisher:
    """Makes an embedder live."""

    def __init__(
        self, library: Shelves, database: Database, models: Models, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """Use the house's library, store and models."""
        self._library = library
        self._changeover = library.changeover
        self._passages = Passages(database)
        self._questions = Questions(database)
        self._models = models
        self._now = now

    async def notes(self, spec: ModelSpec) -> tuple[Text, ...]:
        """Return what the change takes, and how much both answers have in common. Raises ModelError where the embedder failed."""
        plan = await self._changeover.plan(spec.identity)
        lack = want_of_room(plan)
        if not (await self._library.status()).searched_by_meaning:
            return (plan.text(), *([lack] if lack else []))  # nothing is kept, or there is nobody to compare with
        asked = await self._questions.lately(SEARCH, since=self._now() - WEEK, most=MOST_QUESTIONS)
        overlap = await compared(self._library, self._passages, self._models, spec.identity, asked, rate=plan.rate)
        return (plan.text(), *([lack] if lack else []), overlap.text())

    async def publish(self, spec: ModelSpec, *, by: str, tell: Tell) -> None:
        """Make the vectors that lack, then the embedder live; return when it is. Raises ModelError, StoreError: the one before stays live."""
        plan = await self._changeover.plan(spec.identity)
        await self._changeover.ask(plan, by=by)
        if plan.lacking:
            await tell(plan.text())

        async def told(held: Held) -> None:
            await tell(held.progress())

        try:
            await self._changeover.see_through(spec.identity, told)
        except (ModelError, StoreError):
            await self._changeover.give_up(spec.identity)
            raise
        except asyncio.CancelledError:
            if not self._changeover.leaving:
                await asyncio.shield(self._changeover.give_up(spec.identity))
            raise
