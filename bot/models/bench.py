"""Measures the live models on the user's own machine, each in a child process, by the golden cases of its gate.

Owns: which models are measured, one after another, and the figures that follow. Leaves the trial to `bot.models.probe`, profiles to
`bot.models.profiles`.

    [one.per_second for one in await bench(("ocr", "summarise"), pool, settings, report)]
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import ModelError
from bot.locale import Text
from bot.models import fetch
from bot.models.probe import Limits, probe
from bot.models.trial import Figures, Tell, Told, told

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.models.pool import Pool
    from bot.models.spec import ModelSpec
    from bot.progress import Report


@dataclass(frozen=True, slots=True)
class Benched:
    """What a slot's live model was measured to be."""

    slot: str
    model: str
    figures: Figures | None
    failed: Told
    """Why there are no figures, or not all; {} where all went well."""

    @property
    def per_second(self) -> float | None:
        """Answers a second, one asked after the other; None where nothing was answered."""
        return 1000 / self.figures.p50_ms if self.figures is not None and self.figures.p50_ms > 0 else None


async def bench(slots: Sequence[str], pool: Pool, settings: Settings, report: Report) -> list[Benched]:
    """Return the live model of each of `slots` as it is measured now; a slot without one is left out.

    What a model takes is remembered by the pool, which plans its loads by it.
    """
    embedder = pool.spec("embed")
    live = [spec for slot in slots if (spec := pool.spec(slot)) is not None]
    found: list[Benched] = []
    for spec in live:

        async def tell(text: Text, name: str = spec.name) -> None:
            report(Text("{name}: {text}", (("name", name), ("text", text))), len(found), len(live))

        found.append(await benched(spec, pool, settings, tell, embedder=None if spec.slot == "embed" else embedder))
    return found


async def benched(spec: ModelSpec, pool: Pool, settings: Settings, tell: Tell, *, embedder: ModelSpec | None) -> Benched:
    """Return what `spec` is measured to be in a child process; `embedder` is the live one, for gates that work on vectors."""
    try:
        place = await asyncio.to_thread(fetch.resolve, spec, settings)
        beside = await asyncio.to_thread(fetch.resolve, embedder, settings) if embedder else None
        figures = await probe(
            place.spec, place.folder, settings,
            embedder=(beside.spec, beside.folder) if beside else None, limits=Limits.of(settings), report=tell,
        )  # fmt: skip
    except ModelError as error:
        return Benched(spec.slot, spec.identity, None, told(error.text))
    await asyncio.to_thread(pool.room_for, place.spec, figures.ram_mb)
    return Benched(spec.slot, figures.model, figures, figures.fault)
