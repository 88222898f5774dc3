"""Drafts on their way into the database: what waits is embedded together and committed as one.

Owns the gathering, and the generation that vectors go to. Many at once (a folder, a chat's past) cost one call of the
embedder and one transaction for some hundred; one alone waits for nothing.

    added = await keeper.keep(Parcel(document, drafts))
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.models.tasks import EMBED
from bot.retrieval.embed import Draft, finish
from bot.store.generations import Generations
from bot.store.passages import Kept, NewDocument, NewPassage, Passages

if TYPE_CHECKING:
    from bot.skill import Models

AT_ONCE = 2
"""Groups on their way at the same time: one is embedded while the one before is committed."""
MOST_DOCUMENTS = 256
MOST_PASSAGES = 256
"""A group's size; what is stopped half way has this much to do again at most, a single larger document apart."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A document without its passages, and the drafts of these."""

    document: NewDocument
    drafts: Sequence[Draft]


@dataclass(frozen=True, slots=True)
class _Waiting:
    parcel: Parcel
    done: asyncio.Future[Kept]


class Keeper:
    """Embeds and commits what it is given."""

    def __init__(self, models: Models, passages: Passages, generations: Generations) -> None:
        """Use the house's models and store."""
        self._models = models
        self._passages = passages
        self._generations = generations
        self._known: dict[str, int] = {}
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue()
        self._workers: list[asyncio.Task[None]] = []

    async def keep(self, parcel: Parcel) -> Kept:
        """Return what became of `parcel` once it is on disk. Raises ModelError or StoreError; then nothing of it was kept."""
        if not self._workers:
            self._workers = [asyncio.create_task(self._work(), name=f"keeper-{number}") for number in range(AT_ONCE)]
        done: asyncio.Future[Kept] = asyncio.get_running_loop().create_future()
        await self._queue.put(_Waiting(parcel, done))
        return await done

    async def close(self) -> None:
        """Stop. What waits is dropped; what was begun is either whole in the database or not at all."""
        for worker in self._workers:
            worker.cancel()
        for worker in self._workers:
            with suppress(asyncio.CancelledError):
                await worker
        self._workers = []

    async def generation(self, embedder: str, dimension: int) -> int:
        """Return the generation that the vectors of `embedder` belong to."""
        if embedder not in self._known:
            self._known[embedder] = (await self._generations.of(embedder, dimension=dimension)).id
        return self._known[embedder]

    async def _work(self) -> None:
        while True:
            group = [await self._queue.get()]
            size = len(group[0].parcel.drafts)
            while not self._queue.empty() and len(group) < MOST_DOCUMENTS and size < MOST_PASSAGES:
                group.append(self._queue.get_nowait())
                size += len(group[-1].parcel.drafts)
            await self._keep([waiting for waiting in group if not waiting.done.done()])

    async def _keep(self, group: Sequence[_Waiting]) -> None:
        try:
            for waiting, kept in zip(group, await self._kept([waiting.parcel for waiting in group]), strict=True):
                if not waiting.done.done():
                    waiting.done.set_result(kept)
        except asyncio.CancelledError:
            for waiting in group:
                waiting.done.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - it belongs to whom it concerns: each is tried alone, and told
            if len(group) == 1:
                if not group[0].done.done():
                    group[0].done.set_exception(error)
                return
            for waiting in group:
                await self._keep([waiting])

    async def _kept(self, parcels: Sequence[Parcel]) -> list[Kept]:
        drafts = [drafted for parcel in parcels for drafted in parcel.drafts]
        passages, generation = await self._embedded(drafts)
        rest = iter(passages)
        whole = [replace(parcel.document, passages=tuple(next(rest) for _drafted in parcel.drafts)) for parcel in parcels]
        return await self._passages.add(whole, generation=generation) if whole else []

    async def _embedded(self, drafts: Sequence[Draft]) -> tuple[list[NewPassage], int]:
        """Return the passages with their vectors, and the generation of these (0: there is no embedder)."""
        embedder = self._models.live(EMBED)
        if not embedder or not drafts:
            return [finish(drafted, None) for drafted in drafts], 0
        passages: list[NewPassage] = []
        dimension = 0
        for start in range(0, len(drafts), MOST_PASSAGES):
            some = drafts[start : start + MOST_PASSAGES]
            vectors = await self._models.run(EMBED, [drafted.embedded for drafted in some], bulk=True)
            dimension = len(vectors[0])
            passages += [finish(drafted, vector) for drafted, vector in zip(some, vectors, strict=True)]
        return passages, await self.generation(embedder, dimension)
