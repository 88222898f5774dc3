"""Drafts on their way into the database: what waits is embedded together and committed as one.

Owns the gathering, and that vectors go to every generation that is written to, in the passage's own transaction. Many at once (a
folder, a chat's past) cost one call of the embedder and one transaction for some hundred; one alone waits for nothing.

    added = await keeper.keep(Parcel(document, drafts))
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.errors import ModelError, NoModelError
from bot.logs import Logger
from bot.models.tasks import EMBED, Vector
from bot.retrieval.embed import Draft, embedded, finish
from bot.store.generations import Generation, Generations
from bot.store.passages import Choose, Kept, NewDocument, Passages

if TYPE_CHECKING:
    from bot.skill import Models

log = Logger(__name__)

Vectors = list[Vector] | None

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
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue()
        self._workers: list[asyncio.Task[None]] = []

    async def keep(self, parcel: Parcel) -> Kept:
        """Return what became of `parcel` once it is on disk. Raises ModelError or StoreError; then nothing of it was kept."""
        if not self._workers:
            self._workers = [asyncio.create_task(self._work(), name=f"keeper-{number}") for number in range(AT_ONCE)]
        done: asyncio.Future[Kept] = asyncio.get_running_loop().create_future()
        await self._queue.put(_Waiting(parcel, done))
        return await done

    async def keep_all(self, parcels: Sequence[Parcel], choose: Choose) -> list[Kept]:
        """Keep those of `parcels` that `choose` says, all in the transaction in which it says so. Raises as `keep`."""
        return await self._kept(parcels, choose)

    async def close(self) -> None:
        """Stop. What waits is dropped; what was begun is either whole in the database or not at all."""
        for worker in self._workers:
            worker.cancel()
        for worker in self._workers:
            with suppress(asyncio.CancelledError):
                await worker
        self._workers = []

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

    async def _kept(self, parcels: Sequence[Parcel], choose: Choose | None = None) -> list[Kept]:
        """Embed and commit. Where other generations are written to by the time of the commit, the vectors are made, and it is tried again."""
        drafts = [drafted for parcel in parcels for drafted in parcel.drafts]
        made: dict[int, Vectors] = {}
        while True:
            written = await self._written() if drafts else []
            for generation in written:
                if generation.id not in made:
                    made[generation.id] = await self._vectors(generation, drafts)
            whole = _whole(parcels, [(generation.id, made[generation.id]) for generation in written])
            first = written[0].id if written else 0
            if not written:
                return await self._passages.add(whole, generation=first, choose=choose) if whole or choose else []
            ids = [generation.id for generation in written]
            kept = await self._passages.add_among(whole, generation=first, written=ids, choose=choose)
            if kept is not None:
                return kept

    async def _written(self) -> list[Generation]:
        """Return the generations that passages go to, the live one first; the first is begun with the first passage."""
        written = await self._generations.written()
        embedder = self._models.live(EMBED)
        if written or not embedder:
            return written
        (vector,) = await embedded(self._models, embedder, ["."], bulk=True)
        return [await self._generations.begin(embedder, dimension=len(vector))]

    async def _vectors(self, generation: Generation, drafts: Sequence[Draft]) -> Vectors:
        """Return a vector for each draft; None where the embedder is not here, or is none that anything is searched by yet and fails."""
        vectors: list[Vector] = []
        try:
            for start in range(0, len(drafts), MOST_PASSAGES):
                texts = [drafted.embedded for drafted in drafts[start : start + MOST_PASSAGES]]
                vectors += await embedded(
                    self._models, generation.embedder, texts, dimension=generation.dimension, bulk=True
                )  # fmt: skip
        except ModelError as error:
            if generation.state == "live" and not isinstance(error, NoModelError):
                raise
            log.warning("passages are kept without a vector of an embedder", embedder=generation.embedder, why=str(error))
            return None
        return vectors


def _whole(parcels: Sequence[Parcel], made: Sequence[tuple[int, Vectors]]) -> list[NewDocument]:
    """Return the documents with their passages, each with its vectors: the first generation's is its own."""
    whole, place = [], 0
    for parcel in parcels:
        passages = []
        for drafted in parcel.drafts:
            found = {generation: vectors[place] for generation, vectors in made if vectors is not None}
            passages.append(finish(drafted, found.pop(made[0][0], None) if made else None, found))
            place += 1
        whole.append(replace(parcel.document, passages=tuple(passages)))
    return whole
