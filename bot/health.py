"""How the bot is: alive, ready, and in numbers. What `/healthz`, `/readyz` and `/metrics` answer, wherever they are served.

    health = Health(house)
    looked = await health.look("/readyz")     # Looked(503, "application/json", '{"ready": false, "parts": {"database": "not writable"}}')

Owns: which parts must work for the bot to be ready, and what is counted. Leaves the counting to `bot.metrics`, the serving to
`bot.channels.web_routes` and `bot.channels.health_port`. No answer holds a text, a person, a chat or a path.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bot.channels.channel import Beats, Channel
from bot.config import MEBIBYTE
from bot.errors import ParingError, StoreError
from bot.health_counts import Counts
from bot.health_gauges import index_gauges, pool_gauges, process_gauges, queue_gauges, swap_gauges
from bot.logs import Logger
from bot.metrics import CONTENT_TYPE, Gauge, Labels
from bot.models.tasks import EMBED

if TYPE_CHECKING:
    from bot.duty import Duty
    from bot.loop_watch import LoopWatch
    from bot.models.pool import Pool
    from bot.retrieval.health import Status
    from bot.retrieval.library import Shelves
    from bot.store.gauges import Gauges

log = Logger(__name__)

ALIVE, READY, METRICS = "/healthz", "/readyz", "/metrics"
OK: Final = "ok"
CONNECTED_WITHIN_S: Final = 90.0
"""A channel that has reached its platform since is connected: longer than its longest poll."""
WRITTEN_WITHIN_S: Final = 3.0
BELIEVED_S: Final = 1.0
"""How long an answer on readiness is given again: whoever asks without end writes nothing without end."""
LEAST_MB: Final = 64
INDEX_EVERY_S: Final = 60.0
"""How old the counts of the index may be: they are counted beside the scrape, for a million of passages takes a while."""


@dataclass(frozen=True, slots=True)
class Looked:
    """An answer: HTTP's status, the body's type, the body."""

    status: int
    media_type: str
    body: str


@dataclass(frozen=True, slots=True)
class House:
    """What is looked at."""

    home: Path
    gauges: Gauges
    library: Shelves
    pool: Pool
    channels: Mapping[str, Channel]
    duty: Duty


class Health:
    """How one running bot is."""

    def __init__(self, house: House, counts: Counts, watch: LoopWatch, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Look at `house`; `counts` is told by its parts what they do."""
        self._house = house
        self.counts = counts
        self.watch = watch
        self._clock = clock
        self._begun = time.time()
        self._one_look = asyncio.Lock()
        self._believed: tuple[float, dict[str, str]] | None = None
        self._index: Status | None = None
        self._index_at = -INDEX_EVERY_S
        self._indexing: asyncio.Task[None] | None = None

    async def look(self, path: str) -> Looked | None:
        """Answer a request for `path`; None where that is nothing of health's."""
        if path == ALIVE:
            return Looked(200, "application/json", '{"ok": true}')
        if path == READY:
            parts = await self.parts()
            ready = all(state == OK for state in parts.values())
            return Looked(200 if ready else 503, "application/json", json.dumps({"ready": ready, "parts": parts}))
        if path == METRICS:
            return Looked(200, CONTENT_TYPE, await self.text())
        return None

    @property
    def begun(self) -> bool:
        """Whether every channel is served here, or stood by for."""
        house = self._house
        return all(self._channel(one) == OK or house.duty.stands_by(one) for one in house.channels.values())

    async def parts(self) -> dict[str, str]:
        """Return how each part is, OK where it works."""
        async with self._one_look:
            if self._believed is None or self._clock() - self._believed[0] >= BELIEVED_S:
                self._believed = self._clock(), await self._looked()
            return self._believed[1]

    async def _looked(self) -> dict[str, str]:
        return {
            "database": await self._database(),
            "disk": await asyncio.to_thread(self._disk),
            "models": OK if EMBED.name in {row.slot for row in self._house.pool.memory_rows()} else "not loaded",
        } | {name: self._channel(channel) for name, channel in self._house.channels.items()}

    async def _database(self) -> str:
        try:
            async with asyncio.timeout(WRITTEN_WITHIN_S):
                await self._house.gauges.touch()
        except TimeoutError:
            return "too slow"
        except StoreError as error:
            log.warning("not ready: the database cannot be written", why=str(error))
            return "not writable"
        return OK

    def _disk(self) -> str:
        try:
            return OK if shutil.disk_usage(self._house.home).free >= LEAST_MB * MEBIBYTE else "full"
        except OSError:
            return "not there"

    def _channel(self, channel: Channel) -> str:
        if not self._house.duty.serves(channel):
            return OK if self._house.duty.stands_by(channel) else "not running"
        if isinstance(channel, Beats):
            if channel.pulse.overdue_s > 0:
                return "stuck"
            return OK if channel.pulse.connected(CONNECTED_WITHIN_S) else "not connected"
        ready = getattr(channel, "ready", None)
        return "not connected" if isinstance(ready, asyncio.Event) and not ready.is_set() else OK

    async def text(self) -> str:
        """Return all numbers, as Prometheus reads them."""
        return self.counts.metrics.text(await self._gauges())

    async def _gauges(self) -> list[Gauge]:
        house = self._house
        if self._clock() - self._index_at >= INDEX_EVERY_S and (self._indexing is None or self._indexing.done()):
            self._index_at = self._clock()
            self._indexing = asyncio.create_task(self._count_index(), name="count the index")
        try:
            queues, swaps = await house.gauges.stored()
            stored = [*queue_gauges(queues), swap_gauges(swaps)]
        except StoreError:
            stored = []  # told by readiness; what is counted in memory is told all the same
        return [
            *process_gauges(house.home, begun=self._begun, watch=self.watch),
            *stored,
            *self._channel_gauges(),
            *pool_gauges(house.pool),
            *(index_gauges(self._index) if self._index else ()),
        ]

    def _channel_gauges(self) -> list[Gauge]:
        states: dict[Labels, float] = {
            (name,): float(self._channel(channel) == OK) for name, channel in self._house.channels.items()
        }
        quiet: dict[Labels, float] = {
            (name,): channel.pulse.quiet_s
            for name, channel in self._house.channels.items()
            if isinstance(channel, Beats) and channel.pulse.quiet_s is not None
        }
        return [
            Gauge("paring_channel_up", "1 where the channel is connected, or stood by for.", states, labels=("channel",)),
            Gauge("paring_channel_quiet_seconds", "Since the channel reached its platform.", quiet, labels=("channel",)),
        ]

    async def indexed(self) -> None:
        """Return once the index that is being counted has been counted."""
        if self._indexing is not None:
            await asyncio.wait([self._indexing])

    async def _count_index(self) -> None:
        try:
            self._index = await self._house.library.status()
        except (ParingError, OSError) as error:
            log.warning("the index could not be counted", why=str(error))
