"""A house of swaps over a real database, a real pool and the three real summary models; only the trial's figures are the test's."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from bot.config import ModelSettings, Settings
from bot.locale import Text
from bot.models.catalogue import Catalogue
from bot.models.fetch import Place
from bot.models.pool import Pool
from bot.models.probation import Probation
from bot.models.publishing import Publishing, assigned
from bot.models.shadow import Shadows
from bot.models.swap import Swapper
from bot.models.trial import Card, Figures, Publisher, Room, Scored, Swap, Tell, Told, told
from bot.models.trying import Trying
from bot.models.watching import Watching
from bot.store.assignments import Assignments
from bot.store.database import Database
from bot.store.swaps import Swaps

EXTRACT, LEXRANK, LEAD = (f"summarise.{name}.v1" for name in ("extract", "lexrank", "lead"))
PACKAGES = {"summarise": EntryPoint("summarise", "skills.summarise", "paring.presets")}
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def figures_of(model: str, *, score: float = 0.5, p95_ms: float = 2.0, fault: Told | None = None) -> Figures:
    scored = tuple(Scored(f"case {n}", language, score, "q", "a") for n, language in enumerate(("ko", "en")))  # type: ignore[arg-type]
    return Figures(model, "ROUGE-1", scored, 0.1, 1.0, p95_ms, 5, 0, "Apache-2.0", ("ko", "en"), fault or {})


def compare(slot: str, old: Figures | None, new: Figures, room: Room, *, notes: Sequence[Text] = ()) -> Card:
    worse = old is not None and new.scored[0].score < old.scored[0].score
    reasons = (dict(new.fault),) if new.fault else (told(Text("It answers worse.")),) if worse else ()
    return Card(slot, old, new, room, reasons, tuple(told(note) for note in notes))


@dataclass
class House:
    """What a test works with, and what it can set."""

    database: Database
    pool: Pool
    swaps: Swaps
    assignments: Assignments
    swapper: Swapper
    watching: Watching
    probation: Probation
    shadows: Shadows
    told: list[str] = field(default_factory=list)
    notified: list[tuple[Swap, Text]] = field(default_factory=list)
    probed: list[str] = field(default_factory=list)
    figures: dict[str, Figures] = field(default_factory=dict)
    complaints: int = 0
    now: datetime = NOON
    others: Sequence[str] = ()
    allowed: bool = True
    probing: Callable[[], Awaitable[None]] | None = None

    async def tell(self, text: Text) -> None:
        self.told.append(text.to("en"))

    async def minutes_later(self, minutes: float) -> None:
        self.now = datetime.now(UTC) + timedelta(minutes=minutes)
        await self.watching.look()

    async def live_now(self, model: str, slot: str = "summarise", **options: Any) -> Swap:
        swap = await self.swapper.propose(slot, model, by="test:ann", tell=self.tell)
        return await self.swapper.promote(swap.id, by="test:ann", tell=self.tell, **options)


@asynccontextmanager
async def a_house(
    home: Path,
    *,
    owner: str = "me",
    brings: Mapping[str, EntryPoint] = PACKAGES,
    publishers: Mapping[str, Publisher] | None = None,
    **models: Any,
) -> AsyncIterator[House]:
    """Open a house at `home`, as a start does: what was interrupted is so, and the slots hold what is assigned."""
    settings = Settings(home=home, models=ModelSettings(**models))
    home.mkdir(parents=True, exist_ok=True)
    database = await Database.open(home / "paring.db")
    swaps, assignments = Swaps(database, owner=owner), Assignments(database)
    await swaps.interrupt([], but=tuple(publishers or ()))
    catalogue = Catalogue(settings, packages=brings)
    pool = Pool(catalogue, await assigned(settings, catalogue, assignments, but=("embed",)))
    house: House

    async def probe(place: Place, *, embedder: Place | None, report: Tell) -> Figures:
        house.probed.append(place.spec.name)
        await report(Text("12 of 40"))
        if house.probing is not None:
            await house.probing()
        return house.figures.get(place.spec.name) or figures_of(place.spec.identity)

    async def notify(swap: Swap, text: Text) -> None:
        house.notified.append((swap, text))

    async def complaints(_swap: Swap) -> int:
        return house.complaints

    probation = Probation(answers=40, minutes=30, complaints=complaints, now=lambda: house.now)
    publishing = Publishing(swaps, assignments, pool, catalogue, settings, publishers=publishers or {})
    shadows = Shadows(pool, allows=lambda _message: house.allowed)
    pool.listen(probation.heard)
    pool.when_switched(probation.switching)
    pool.listen(shadows.heard)
    trying = Trying(catalogue, pool, settings, probe=probe, compare=compare, publishers=publishers)
    watching = Watching(swaps, publishing, probation, shadows, others=lambda: house.others, notify=notify)
    swapper = Swapper(swaps, trying, publishing, watched_for=probation.watched_for)
    house = House(database, pool, swaps, assignments, swapper, watching, probation, shadows)
    try:
        yield house
    finally:
        await pool.close()
        await database.close()
